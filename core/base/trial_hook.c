/* SPDX-License-Identifier: ISC */
#include "tap82/trial_hook.h"

#ifdef TAP82_TEST_HOOKS
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static long read_a_file(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long write_a_file(void)
{
	return open("/etc/tap82-trial", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long reach_the_network(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long take_packets(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static long run_a_program(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static long signal_the_parent(void)
{
	return kill(getppid(), 0);
}

static long look_into_the_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static long make_a_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static const struct {
	const char *name;
	long (*attempt)(void);
} attempts[] = {
	{"read", read_a_file},
	{"write", write_a_file},
	{"inet", reach_the_network},
	{"packet", take_packets},
	{"exec", run_a_program},
	{"kill", signal_the_parent},
	{"ptrace", look_into_the_parent},
	{"fork", make_a_process},
};

void trial_hook(const char *who)
{
	static bool done;
	char line[512];
	int n;

	if (done || !getenv("TAP82_TEST_TRIAL"))
		return;
	done = true;
	n = snprintf(line, sizeof(line), "trial %s:", who);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		long r = attempts[i].attempt();

		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s=%s", attempts[i].name,
			r < 0 ? strerrorname_np(errno) : "done");
	}
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, (size_t)n);
}
#endif
