/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../core/cli/run.h"

/* Runs `attempt` in a process that has the engine's list of system calls: what it exits with. */
static int confined(int (*attempt)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run_confine_calls() < 0 ? 100 : attempt());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int refused(long result)
{
	return result < 0 && errno == EPERM ? 0 : 1;
}

static int run_a_program(void)
{
	return refused(execl("/bin/true", "true", (char *)NULL));
}

static int take_raw_packets(void)
{
	return refused(socket(AF_PACKET, SOCK_RAW, 0));
}

static int gain_an_identity(void)
{
	return refused(setuid(getuid()));
}

static int change_the_root(void)
{
	return refused(chroot("/tmp"));
}

#ifndef __SANITIZE_ADDRESS__ /* there the list is wider: the leak checker does these */
static int signal_others(void)
{
	return refused(kill(getppid(), 0));
}

static int look_into_others(void)
{
	return refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int make_a_process(void)
{
	return refused(fork());
}

static void the_engine_cannot_reach_other_processes(void **state)
{
	(void)state;
	assert_int_equal(confined(signal_others), 0);
	assert_int_equal(confined(look_into_others), 0);
	assert_int_equal(confined(make_a_process), 0);
}
#endif

static int do_its_work(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || tcp < 0 || write(fd, "x", 1) != 1;
}

static void the_engine_cannot_run_sniff_or_become_another(void **state)
{
	(void)state;
	assert_int_equal(confined(run_a_program), 0);
	assert_int_equal(confined(take_raw_packets), 0);
	assert_int_equal(confined(gain_an_identity), 0);
	assert_int_equal(confined(change_the_root), 0);
}

static void the_engine_can_do_its_work(void **state)
{
	(void)state;
	assert_int_equal(confined(do_its_work), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_engine_cannot_run_sniff_or_become_another),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(the_engine_cannot_reach_other_processes),
#endif
		cmocka_unit_test(the_engine_can_do_its_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
