/* SPDX-License-Identifier: ISC */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "setup.h"
#include "tap82/err.h"
#include "tap82/log.h"
#include "tap82/pass.h"
#include "tap82/sandbox.h"
#include "tap82/sniffer.h"
#include "tap82/trial_hook.h"

/* In the starter: which sniffer is whose. */
struct child {
	pid_t pid;
	struct words words;
};

struct self {
	const struct conf *conf;
	struct message_decoder *messages;
	struct child *children; /* one for each capture */
	struct pollfd *waits; /* the engine, the signals, each child's words */
	const char *user; /* whom the sniffers become; NULL: who we are */
	int fd, signals;
	int opener; /* of packet sockets; 0: the kernel */
	sigset_t old_mask;
};

/* --- Messages -------------------------------------------------------------------------------- */

int starter_hear(const struct starter *starter, struct starter_message *ret_message, int *ret_fd)
{
	return pass_receive(starter->fd, ret_message, sizeof(*ret_message), MSG_DONTWAIT, ret_fd);
}

int starter_ask(const struct starter *starter, uint16_t capture)
{
	struct starter_message m = {.word = STARTER_START, .capture = capture};

	return pass_send(starter->fd, &m, sizeof(m), -1);
}

/* --- The starter's own privilege ------------------------------------------------------------- */

/* To open a capture, and for a sniffer to become its user. */
static bool is_needed(const struct self *self, unsigned capability)
{
	return capability == CAP_NET_RAW ||
	       (self->user && (capability == CAP_SETUID || capability == CAP_SETGID));
}

/* Keeps, of what there is, what is needed; nothing can be gained by an exec. The bounding set goes
 * first, because that needs CAP_SETPCAP: who hasn't got it can't gain by it either. Where an opener
 * keeps the capability there is nothing to give up. */
static void keep_needed(const struct self *self)
{
	const capng_type_t sets = CAPNG_EFFECTIVE | CAPNG_PERMITTED;

	if (capng_get_caps_process() < 0)
		return;
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		(void)capng_apply(CAPNG_SELECT_BOUNDS);
	for (unsigned c = 0; c <= CAP_LAST_CAP; c++) {
		if (!is_needed(self, c))
			capng_update(CAPNG_DROP, sets, c);
		capng_update(CAPNG_DROP, CAPNG_INHERITABLE, c);
	}
	(void)capng_apply(CAPNG_SELECT_CAPS);
}

static void confine(const struct self *self)
{
	int r;

	keep_needed(self);
	r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0
		    ? -errno
		    : sandbox_restrict_starter();
	if (r == 0)
		return;
	log_error("starter: cannot be confined: %s", strerror(-r));
	_exit(1);
}

/* --- The starter's own life ------------------------------------------------------------------ */

static void be_sniffer(struct self *self, const struct conf_capture *capture, int fd, int words)
{
	struct sniffer_config config = {.name = capture->name,
		.interface = capture->interface,
		.file = capture->file,
		.buffer = capture->buffer,
		.user = self->user,
		.opener = self->opener,
		.messages = self->messages};

	prctl(PR_SET_NAME, "tap82-sniffer");
	words_take(words);
	setup_want(capture, &config.want);
	sigprocmask(SIG_SETMASK, &self->old_mask, NULL);
	_exit(sniffer_run(&config, fd));
}

/* Its socket and what it speaks into are there: the engine's end goes to the engine. */
static void start_with(struct self *self, uint16_t index, const int pair[2], int words)
{
	struct starter_message m = {.word = STARTER_STARTED, .capture = index};

	m.pid = fork();
	if (m.pid == 0)
		be_sniffer(self, &self->conf->captures[index], pair[1], words);
	if (m.pid < 0)
		return;
	self->children[index].pid = m.pid;
	(void)pass_send(self->fd, &m, sizeof(m), pair[0]);
}

static void start(struct self *self, uint16_t index)
{
	int pair[2], words;

	if (index >= self->conf->capture_count || self->children[index].pid != 0)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	if (words_begin(&self->children[index].words, &words) == 0) {
		start_with(self, index, pair, words);
		close(words);
	}
	close(pair[0]);
	close(pair[1]);
}

static void child_ended(struct self *self, uint16_t index, int status)
{
	struct starter_message m = {.word = STARTER_ENDED, .capture = index, .status = status};
	struct child *child = &self->children[index];

	words_end(&child->words, self->conf->captures[index].name);
	snprintf(m.words, sizeof(m.words), "%s", child->words.first);
	child->pid = 0;
	(void)pass_send(self->fd, &m, sizeof(m), -1);
}

static void reap(struct self *self)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(self->signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < self->conf->capture_count; i++)
			if (self->children[i].pid == pid)
				child_ended(self, (uint16_t)i, status);
}

/* What children say is heard before it is seen that they have ended. */
static int wait_for_any(struct self *self)
{
	const struct conf *conf = self->conf;

	self->waits[0] = (struct pollfd){self->fd, POLLIN, 0};
	self->waits[1] = (struct pollfd){self->signals, POLLIN, 0};
	for (size_t i = 0; i < conf->capture_count; i++) {
		const struct child *child = &self->children[i];

		self->waits[i + 2] = (struct pollfd){child->pid ? child->words.fd : -1, POLLIN, 0};
	}
	if (poll(self->waits, conf->capture_count + 2, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	for (size_t i = 0; i < conf->capture_count; i++)
		if (self->waits[i + 2].revents)
			words_read(&self->children[i].words, conf->captures[i].name);
	return 0;
}

/* Until the engine's end is closed: its sniffers see the same and end. */
static void serve(struct self *self)
{
	struct starter_message m;

	while (wait_for_any(self) == 0) {
		if (self->waits[1].revents)
			reap(self);
		if (!self->waits[0].revents)
			continue;
		if (recv(self->fd, &m, sizeof(m), 0) != sizeof(m))
			return;
		if (m.word == STARTER_START)
			start(self, m.capture);
		trial_hook("starter");
	}
}

/* A session of its own: what a terminal sends to the program is the engine's to answer, and so is a
 * SIGTERM that is sent to all of them. */
static void be_starter(struct self *self)
{
	sigset_t child;

	setsid();
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_NAME, "tap82-starter");
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &self->old_mask);
	self->signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
	if (self->signals < 0)
		_exit(1);
	confine(self);
	serve(self);
	_exit(0);
}

static void forget(struct self *self)
{
	message_decoder_free(self->messages);
	free(self->children);
	free(self->waits);
}

int starter_begin(
	const struct conf *conf, const char *user, int opener, struct starter *ret_starter)
{
	struct self self = {
		.conf = conf, .user = user, .opener = opener, .messages = setup_messages(conf)};
	int pair[2] = {-1, -1};
	pid_t pid = -1;

	self.children = calloc(conf->capture_count + 1, sizeof(*self.children));
	self.waits = calloc(conf->capture_count + 2, sizeof(*self.waits));
	if (!self.messages || !self.children || !self.waits) {
		forget(&self);
		return ERR_SYNTAX;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0)
		pid = fork();
	if (pid == 0) {
		close(pair[0]);
		self.fd = pair[1];
		be_starter(&self);
	}
	if (pid < 0)
		log_error("starter: cannot be started: %s", strerror(errno));
	close(pair[1]);
	forget(&self);
	*ret_starter = (struct starter){.fd = pair[0], .pid = pid};
	return pid < 0 ? -ECHILD : 0;
}

void starter_end(struct starter *starter)
{
	if (starter->pid <= 0)
		return;
	close(starter->fd);
	while (waitpid(starter->pid, NULL, 0) < 0 && errno == EINTR)
		;
	starter->pid = 0;
}
