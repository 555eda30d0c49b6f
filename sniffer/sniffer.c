/* SPDX-License-Identifier: ISC
 *
 * The sniffer process: frames in, observations out, nothing else.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap82/capture.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/message.h"
#include "tap82/packet_socket.h"
#include "tap82/sandbox.h"
#include "tap82/sniffer.h"
#include "tap82/trial_hook.h"

#include "crash_hook.h"
#include "queue.h"

#define BATCH	    512 /* packets between two looks at the signals */
#define SEND_BUFFER (1 << 20) /* to the engine */

struct sniffer {
	const struct sniffer_config *config;
	int fd; /* to the engine */
	struct capture *capture;
	struct capture_file *file;
	struct frame_decoder frames;
	struct queue queue; /* for the engine, while it is behind */
	struct observation_counters counters, told; /* now; as the engine knows them */
	int64_t told_at; /* clock_mono() */
	int64_t looked_at; /* wall clock: when they were last looked at */
	sigset_t waiting; /* the signals blocked while waiting: fewer than else */
	bool engine_gone;
};

/* Signals are blocked except while the process waits: a flag set by the handler is seen at once,
 * because the wait itself is what it interrupts. */
static volatile sig_atomic_t asked_to_stop;

static void stop(int signo)
{
	(void)signo;
	asked_to_stop = 1;
}

static void set_signals(struct sniffer *s)
{
	struct sigaction on_stop = {.sa_handler = stop};
	sigset_t blocked;

	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGINT, &on_stop, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	sigemptyset(&s->waiting);
}

static bool over(const struct sniffer *s)
{
	return asked_to_stop || s->engine_gone;
}

/* Sends without waiting: false if the engine is behind. */
static bool try_to_send(struct sniffer *s, const struct observation *o)
{
	ssize_t n;

	do
		n = send(s->fd, o, observation_size(o), MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		s->engine_gone = true;
	return n >= 0;
}

static void send_queued(struct sniffer *s)
{
	const struct observation *o;

	while ((o = queue_first(&s->queue)) && try_to_send(s, o))
		queue_take(&s->queue);
}

static void wait_for_engine(struct sniffer *s)
{
	struct pollfd room = {.fd = s->fd, .events = POLLOUT};

	ppoll(&room, 1, NULL, &s->waiting);
	send_queued(s);
}

/* One observation for the engine, after those that wait. Where the queue is full, too, renewals are
 * let go; with none left the process waits, and the kernel's ring takes what comes. A file waits
 * by itself. */
static void tell(struct sniffer *s, const struct observation *o)
{
	if (!queue_first(&s->queue) && try_to_send(s, o))
		return;
	while (!over(s) && !queue_add(&s->queue, o, s->capture != NULL))
		wait_for_engine(s);
}

/* Before the end: what waits is sent. */
static void tell_all(struct sniffer *s)
{
	while (!over(s) && queue_first(&s->queue))
		wait_for_engine(s);
}

static void tell_status(struct sniffer *s, uint8_t state, int error, const char *text)
{
	struct observation o = {.version = OBSERVATION_VERSION, .kind = OBSERVATION_STATUS};

	o.time = clock_wall();
	o.status.state = state;
	o.status.error = error;
	snprintf(o.status.text, sizeof(o.status.text), "%s", text);
	tell(s, &o);
}

static void tell_counters(struct sniffer *s)
{
	struct observation o = {.version = OBSERVATION_VERSION, .kind = OBSERVATION_COUNTERS};
	struct capture_totals totals;

	s->counters.fragments = s->frames.fragments;
	s->counters.reassembled = s->frames.reassembled;
	s->counters.damaged = s->frames.damaged;
	if (s->capture && capture_stats(s->capture, &totals) == 0) {
		s->counters.kernel_drops = totals.dropped;
		s->counters.interface_drops = totals.interface_dropped;
	}
	s->counters.shed = s->queue.shed;
	s->counters.since = s->told.since;
	s->told_at = clock_mono();
	o.time = clock_wall();
	if (memcmp(&s->told, &s->counters, sizeof(s->told)) != 0) {
		o.counters = s->counters;
		o.counters.since = s->looked_at;
		s->told = s->counters;
		tell(s, &o);
	}
	s->looked_at = o.time;
}

static void observe(struct sniffer *s, const struct datagram *d)
{
	struct observation o, witness;
	bool malformed = false;
	int r;

	crash_hook(d);
	r = message_observe(s->config->messages, d, &o, &malformed);

	if (r == ERR_NOT_FOUND) {
		s->counters.other++;
		return;
	}
	s->counters.malformed += r < 0 || malformed;
	if (r < 0)
		return;
	if (o.kind == OBSERVATION_DHCP)
		s->counters.dhcp++;
	else
		s->counters.radius++;
	if (message_witness(s->config->messages, &witness))
		tell(s, &witness);
	tell(s, &o);
}

static void on_packet(void *ctx, const struct packet *packet)
{
	struct sniffer *s = ctx;
	struct datagram d;

	if (over(s))
		return;
	s->counters.packets++;
	s->counters.bytes += packet->wire_len;
	if (frame_decode(&s->frames, packet, &d))
		observe(s, &d);
	else
		s->counters.other++;
}

/* Waits for packets, the engine's end, a signal, or the next second. */
static void wait_for_packets(struct sniffer *s)
{
	const struct timespec second = {.tv_sec = 1};
	struct pollfd fds[2] = {
		{.fd = capture_fd(s->capture), .events = POLLIN}, {.fd = s->fd, .events = 0}};

	if (queue_first(&s->queue))
		fds[1].events = POLLOUT;
	if (ppoll(fds, 2, &second, &s->waiting) > 0 && fds[1].revents & (POLLHUP | POLLERR))
		s->engine_gone = true;
	send_queued(s);
}

/* Once a second: is the interface still there, and what has been counted. */
static int tick(struct sniffer *s)
{
	if (clock_mono() - s->told_at < USEC_PER_SEC)
		return 0;
	/* An engine far behind gets them together later: they would fill its queue. */
	if (!queue_is_long(&s->queue))
		tell_counters(s);
	return capture_check(s->capture);
}

/* The life of a live capture. SNIFFER_EXIT_… */
static int run_live(struct sniffer *s)
{
	int r = 0;

	while (!over(s) && r >= 0) {
		wait_for_packets(s);
		r = capture_read(s->capture, BATCH, on_packet, s);
		if (r >= 0)
			r = tick(s);
	}
	if (over(s))
		return s->engine_gone ? SNIFFER_EXIT_ENGINE : SNIFFER_EXIT_STOPPED;
	tell_counters(s);
	tell_status(s, OBSERVATION_CAPTURE_FAILED, r, capture_error(s->capture));
	return SNIFFER_EXIT_LOST;
}

/* Signals are seen between two packets of a file, too. */
static void look_for_signals(struct sniffer *s)
{
	const struct timespec now = {0};

	if (s->counters.packets % BATCH == 0)
		ppoll(NULL, 0, &now, &s->waiting);
}

static int run_file(struct sniffer *s)
{
	struct packet packet;
	int r = 0;

	while (!over(s) && (r = capture_file_next(s->file, &packet)) > 0) {
		on_packet(s, &packet);
		look_for_signals(s);
	}
	tell_counters(s);
	if (over(s))
		return s->engine_gone ? SNIFFER_EXIT_ENGINE : SNIFFER_EXIT_STOPPED;
	if (r < 0)
		tell_status(s, OBSERVATION_CAPTURE_FAILED, r, capture_file_error(s->file));
	else
		tell_status(s, OBSERVATION_CAPTURE_ENDED, 0, s->config->file);
	return r < 0 ? SNIFFER_EXIT_LOST : SNIFFER_EXIT_STOPPED;
}

static int open_source(struct sniffer *s, char *error)
{
	const struct sniffer_config *c = s->config;

	int r;

	if (c->file)
		return capture_file_open(c->file, error, &s->file);
	packet_socket_from(c->opener);
	r = capture_open(c->interface, c->buffer, &c->want, error, &s->capture);
	packet_socket_from(0);
	return r;
}

/* Open with privilege, drop it, then look at the first packet. */
static int run_opened(struct sniffer *s)
{
	char text[CAPTURE_ERROR_MAX];
	const char *step;
	int r = sandbox_enter(s->config->user, &step);

	if (r < 0) {
		snprintf(text, sizeof(text), "cannot %s: %s", step, err_text(r));
		tell_status(s, OBSERVATION_CAPTURE_FAILED, r, text);
		return SNIFFER_EXIT_SANDBOX;
	}
	tell_status(s, OBSERVATION_CAPTURE_OPEN, 0,
		s->config->file ? s->config->file : s->config->interface);
	s->told_at = clock_mono();
	trial_hook("sniffer");
	return s->file ? run_file(s) : run_live(s);
}

int sniffer_run(const struct sniffer_config *config, int fd)
{
	struct sniffer s = {.config = config, .fd = fd};
	char error[CAPTURE_ERROR_MAX];
	const int size = SEND_BUFFER;
	int r;

	sandbox_close_all_but(fd, config->opener);
	set_signals(&s);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	r = queue_init(&s.queue);
	if (r == 0)
		r = frame_decoder_init(&s.frames, &config->want);
	if (r < 0)
		snprintf(error, sizeof(error), "%.64s: %s",
			config->file ? config->file : config->interface, err_text(r));
	else
		r = open_source(&s, error);
	if (config->opener > 0)
		close(config->opener);
	if (r < 0) {
		tell_status(&s, OBSERVATION_CAPTURE_FAILED, r, error);
		r = SNIFFER_EXIT_OPEN;
	} else {
		r = run_opened(&s);
	}
	tell_all(&s);
	capture_close(s.capture);
	capture_file_close(s.file);
	queue_done(&s.queue);
	frame_decoder_done(&s.frames);
	return r;
}
