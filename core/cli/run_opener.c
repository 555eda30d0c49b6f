/* SPDX-License-Identifier: ISC
 *
 * The unit's list of system calls has no capset(), so that nobody gains by it. An exec without
 * ambient capabilities has none either (capabilities(7)): so the program begins again without, and
 * leaves a process behind that has CAP_NET_RAW, and a list of system calls for nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "tap82/log.h"
#include "tap82/packet_socket.h"
#include "tap82/sandbox.h"

#define OPENER_ENV "TAP82_OPENER"

static void be_opener(int fd)
{
	setsid();
	signal(SIGTERM, SIG_IGN); /* the engine's to answer */
	prctl(PR_SET_NAME, "tap82-opener");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	sandbox_close_all_but(fd, 0);
	if (sandbox_restrict_opener() < 0) {
		log_error("opener: cannot be confined: %s", strerror(errno));
		_exit(1);
	}
	packet_socket_serve(fd);
	_exit(0);
}

static void begin_again(int fd, pid_t pid, const char *conf_path)
{
	const char *const argv[] = {"tap82", "run", "-c", conf_path, NULL};
	char text[32];

	snprintf(text, sizeof(text), "%d %d", fd, (int)pid);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
		setenv(OPENER_ENV, text, 1) < 0 || fcntl(fd, F_SETFD, 0) < 0)
		return;
	execv("/proc/self/exe", (char *const *)argv);
	unsetenv(OPENER_ENV);
}

void opener_begin_again(const char *conf_path)
{
	int pair[2];
	pid_t pid;

	if (geteuid() == 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0) != 1)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	pid = fork();
	if (pid == 0)
		be_opener(pair[1]);
	close(pair[1]);
	if (pid > 0)
		begin_again(pair[0], pid, conf_path);
	close(pair[0]);
}

void opener_inherit(struct opener *ret_opener)
{
	const char *text = getenv(OPENER_ENV);
	int fd, pid;

	*ret_opener = (struct opener){0};
	if (!text || sscanf(text, "%d %d", &fd, &pid) != 2 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return;
	unsetenv(OPENER_ENV);
	prctl(PR_SET_NAME, "tap82"); /* not "exe", by which it was executed */
	*ret_opener = (struct opener){.fd = fd, .pid = pid};
}

void opener_forget(struct opener *opener)
{
	if (opener->fd > 0)
		close(opener->fd);
	opener->fd = 0;
}

void opener_end(struct opener *opener)
{
	opener_forget(opener);
	if (opener->pid <= 0)
		return;
	while (waitpid(opener->pid, NULL, 0) < 0 && errno == EINTR)
		;
	opener->pid = 0;
}
