/* SPDX-License-Identifier: ISC
 *
 * The doctor on dhcpd's version. OMAPI does not tell it. Where dhcpd runs on this host, the process
 * that listens on the OMAPI port is found and its own program is asked; elsewhere the algorithm
 * that it understood says something, and a person has to look.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_online.h"
#include "probe_wire.h"

#define TCP_LISTENS    0x0a /* in /proc/net/tcp */
#define ANSWER_TIME_MS 2000
#define VERSION_MAX    64

/* The socket that listens on this address and port, or on all addresses; 0: none. */
static unsigned long listening_socket(uint32_t address, uint16_t port)
{
	FILE *f = fopen("/proc/net/tcp", "re");
	unsigned long inode = 0, found = 0;
	unsigned ip, at, state;
	char line[512];

	while (f && found == 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d: %x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &ip, &at,
			    &state, &inode) == 4 &&
			state == TCP_LISTENS && at == port && (ip == 0 || ntohl(ip) == address))
			found = inode;
	if (f)
		fclose(f);
	return found;
}

static bool holds_socket(const char *pid, const char *socket)
{
	char path[PATH_MAX], link[64];
	struct dirent *entry;
	bool holds = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	/* cppcheck-suppress readdirCalled ; one thread, and a stream of its own */
	while (dir && !holds && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = 0;
		holds = strcmp(link, socket) == 0;
	}
	if (dir)
		closedir(dir);
	return holds;
}

/* The process that has a socket, 0: none that we may look at. */
static long socket_owner(unsigned long inode)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char socket[64];
	long pid = 0;

	snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
	/* cppcheck-suppress readdirCalled ; one thread, and a stream of its own */
	while (dir && inode && pid == 0 && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && holds_socket(entry->d_name, socket))
			pid = strtol(entry->d_name, NULL, 10);
	if (dir)
		closedir(dir);
	return pid;
}

/* Its first words, at most size - 1 bytes, or as much as came in time. */
static void read_answer(int fd, char *out, size_t size)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len + 1 < size && poll(&wait, 1, ANSWER_TIME_MS) > 0) {
		n = read(fd, out + len, size - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	out[len] = 0;
}

static void ask_program(int program, char *out, size_t size)
{
	char name[] = "dhcpd", option[] = "--version", *argv[] = {name, option, NULL},
	     *env[] = {NULL};
	int ends[2];
	pid_t pid;

	out[0] = 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		fexecve(program, argv, env);
		_exit(127);
	}
	close(ends[1]);
	if (pid > 0) {
		read_answer(ends[0], out, size);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(ends[0]);
}

/* The version that a running process's program tells, "" if it is not to be had; `why` then. Only
 * what nobody but root can have put there is run. */
static void version_of(
	long pid, char *path, size_t size, char version[VERSION_MAX], const char **why)
{
	char link[64], answer[256], *words;
	struct stat st;
	int fd;
	ssize_t n;

	version[0] = 0;
	snprintf(link, sizeof(link), "/proc/%ld/exe", pid);
	n = readlink(link, path, size - 1);
	path[n > 0 ? n : 0] = 0;
	words = strrchr(path, '/');
	*why = "is no dhcpd: a tunnel or proxy?";
	if (!words || strncmp(words, "/dhcpd", 6) != 0 || (words[6] && words[6] != ' '))
		return;
	*why = "others than root could have changed it: it is not asked";
	fd = open(link, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 && !(st.st_mode & 022)) {
		ask_program(fd, answer, sizeof(answer));
		words = strstr(answer, "isc-dhcpd-");
		*why = "does not tell its version";
		if (words)
			snprintf(version, VERSION_MAX, "%.*s", (int)strcspn(words, " \r\n"), words);
	}
	if (fd >= 0)
		close(fd);
}

static bool is_old(const char *version)
{
	int a = 0, b = 0, c = 0;

	return sscanf(version, "isc-dhcpd-%d.%d.%d", &a, &b, &c) == 3 &&
	       a * 10000 + b * 100 + c < 40403;
}

static void tell_local(struct check *check, const struct conf_server *server, long pid)
{
	char path[PATH_MAX], version[VERSION_MAX];
	const char *why;

	version_of(pid, path, sizeof(path), version, &why);
	if (!version[0])
		check_tellf(check, CHECK_NOTE, "dhcpd", server->name,
			"'dhcpd --version' where it runs says it",
			"version not known: port %u is held by %s (pid %ld), which %s",
			server->port, path, pid, why);
	else if (is_old(version))
		check_tellf(check, CHECK_NOTE, "dhcpd", server->name,
			"before 4.4.3 only 'key-algorithm = hmac-md5' works", "%s, %s (pid %ld)",
			version, path, pid);
	else
		check_tellf(check, CHECK_GOOD, "dhcpd", server->name, NULL, "%s, %s (pid %ld)",
			version, path, pid);
}

void doctor_version(struct check *check, const struct conf_server *server, bool understood)
{
	bool here = probe_wire_is_ours(server->address);
	long pid = here ? socket_owner(listening_socket(server->address, server->port)) : 0;
	bool newer =
		understood && server->key_name && strcmp(server->key_algorithm, "hmac-md5") != 0;

	if (pid > 0)
		tell_local(check, server, pid);
	else
		check_tellf(check, newer ? CHECK_GOOD : CHECK_NOTE, "dhcpd", server->name,
			here ? "root may look which process listens there"
			     : "'dhcpd --version' on that host says it",
			"%s: OMAPI does not tell it, and %s",
			newer ? "4.4.3 or newer, for it understood the key's algorithm"
			      : "version not known",
			here ? "no process of this host is seen on its port"
			     : "it is not on this host");
}
