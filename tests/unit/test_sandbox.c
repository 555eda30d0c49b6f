/* SPDX-License-Identifier: ISC
 *
 * A child locks itself in and then tries what hostile bytes would like it to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap82/sandbox.h"

struct attempts {
	int open, socket, fork, kill, exec, ptrace, dup, memory, ring;
};

/* The errno with which each attempt was refused, 0 if it succeeded. */
static void try_all(struct attempts *a, int old_fd)
{
	char name[] = "/bin/true", *const argv[] = {name, NULL};
	void *p;

	errno = 0;
	a->open = open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
	a->socket = socket(AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0;
	a->fork = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 ? errno : 0;
	a->kill = kill(getppid(), 0) < 0 ? errno : 0;
	a->exec = execv(argv[0], argv) < 0 ? errno : 0;
	a->ptrace = syscall(SYS_ptrace, 0, 0, 0, 0) < 0 ? errno : 0;
	a->dup = dup(old_fd) < 0 ? errno : 0;
	p = mmap(NULL, 1ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	a->memory = p == MAP_FAILED ? errno : 0;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	a->ring = p == MAP_FAILED ? errno : 0;
}

static int in[2], out[2];

/* The child: locks itself in, says so, waits, tries, reports. */
static void be_child(void)
{
	struct attempts a;
	const char *step = "";
	char go;

	if (sandbox_enter(geteuid() == 0 ? "nobody" : NULL, &step) < 0) {
		(void)!write(out[1], "n", 1);
		_exit(1);
	}
	(void)!write(out[1], "y", 1);
	(void)!read(in[0], &go, 1);
	try_all(&a, out[1]);
	(void)!write(out[1], &a, sizeof(a));
	_exit(0);
}

static long status_field(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtol(line + strlen(name), NULL, base);
	fclose(f);
	return value;
}

static void assert_is_powerless(pid_t pid)
{
	assert_int_equal(status_field(pid, "CapEff:", 16), 0);
	assert_int_equal(status_field(pid, "CapPrm:", 16), 0);
	assert_int_equal(status_field(pid, "CapInh:", 16), 0);
	assert_int_equal(status_field(pid, "CapAmb:", 16), 0);
	assert_int_equal(status_field(pid, "NoNewPrivs:", 10), 1);
	assert_int_equal(status_field(pid, "Seccomp:", 10), 2);
	assert_true(status_field(pid, "Uid:", 10) != 0);
	assert_true(status_field(pid, "Gid:", 10) != 0);
}

static void a_locked_in_process_can_do_nothing_but_its_work(void **state)
{
	struct attempts a;
	char said = 0;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(in) | pipe(out), 0);
	pid = fork();
	if (pid == 0)
		be_child();
	assert_int_equal(read(out[0], &said, 1), 1);
	assert_int_equal(said, 'y');
	assert_is_powerless(pid);
	assert_int_equal(write(in[1], "g", 1), 1);
	assert_int_equal(read(out[0], &a, sizeof(a)), sizeof(a));
	assert_int_equal(a.open, EPERM);
	assert_int_equal(a.socket, EPERM);
	assert_int_equal(a.fork, EPERM);
	assert_int_equal(a.kill, EPERM);
	assert_int_equal(a.exec, EPERM);
	assert_int_equal(a.ptrace, EPERM);
	assert_int_equal(a.dup, EPERM);
#ifndef __SANITIZE_ADDRESS__
	assert_int_equal(a.memory, ENOMEM);
#endif
	assert_int_equal(a.ring, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* In a process that has the list of the one that starts sniffers: 0 if all is as it should be. */
static int try_as_starter(void)
{
	char name[] = "/bin/true", *const argv[] = {name, NULL};
	int status = 1;
	pid_t pid;

	if (sandbox_restrict_starter() < 0)
		return 100;
	if (execv(argv[0], argv) == 0 || errno != EPERM)
		return 1;
	if (kill(getppid(), 0) == 0 || errno != EPERM)
		return 2;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 3;
	if (open("/tmp", O_WRONLY | O_TMPFILE, 0600) >= 0 || errno != EPERM)
		return 4;
	if (open("/etc/passwd", O_RDONLY) < 0)
		return 5;
	if (syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) >= 0 || errno != EPERM)
		return 6;
	pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 ? 7 : 0;
}

static void the_starter_can_fork_and_read_but_not_run_write_or_signal(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(try_as_starter());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int try_as_opener(void)
{
	if (sandbox_restrict_opener() < 0)
		return 1;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 2;
	if (socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno != EPERM) /* by who runs the tests */
		return 3;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM)
		return 4;
	if (bind(0, NULL, 0) == 0 || errno != EPERM)
		return 5;
	if (fork() >= 0 || errno != EPERM)
		return 6;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0 || errno != EPERM ? 7 : 0;
}

static void the_opener_can_do_nothing_but_open(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(try_as_opener());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void an_unknown_user_is_an_error_that_names_the_step(void **state)
{
	const char *step = "";
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		int r = sandbox_enter("no-such-user-here", &step);

		_exit(geteuid() == 0 ? r < 0 && strcmp(step, "become the user") == 0 : r == 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void all_descriptors_but_those_named_are_closed(void **state)
{
	int status, fds[40];
	pid_t pid;

	(void)state;
	for (int i = 0; i < 40; i++)
		fds[i] = dup(0);
	pid = fork();
	if (pid == 0) {
		int open_ones = 0;

		sandbox_close_all_but(fds[20], fds[10]);
		for (int fd = 0; fd < 100; fd++)
			open_ones += fcntl(fd, F_GETFD) >= 0;
		_exit(open_ones == 5 && fcntl(fds[20], F_GETFD) >= 0 &&
			fcntl(fds[10], F_GETFD) >= 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
	for (int i = 0; i < 40; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_locked_in_process_can_do_nothing_but_its_work),
		cmocka_unit_test(the_starter_can_fork_and_read_but_not_run_write_or_signal),
		cmocka_unit_test(the_opener_can_do_nothing_but_open),
		cmocka_unit_test(an_unknown_user_is_an_error_that_names_the_step),
		cmocka_unit_test(all_descriptors_but_those_named_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
