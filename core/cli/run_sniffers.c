/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "run.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/failpoint.h"
#include "tap82/log.h"

#define BATCH	     1024 /* observations of one capture in one turn */
#define READ_OUT     65536 /* … and when it is the last turn */
#define BACK_OFF_MIN (100 * USEC_PER_MSEC)
#define BACK_OFF_MAX (5 * USEC_PER_SEC)
#define STEADY	     (60 * USEC_PER_SEC) /* open that long: back-off starts anew */
#define LOSS_EVERY   (60 * USEC_PER_SEC)
#define WAITING_MAX  (64u << 20) /* bytes that wait for the store: no more is read */

const char *capture_state_text(enum capture_state state)
{
	static const char *const texts[] = {"starting", "open", "down", "finished"};

	return texts[state];
}

void run_capture_totals(const struct capture_row *c, struct observation_counters *ret_sum)
{
	struct observation_counters sum = c->before;
	const struct observation_counters *n = &c->now;

	sum.packets += n->packets;
	sum.bytes += n->bytes;
	sum.dhcp += n->dhcp;
	sum.radius += n->radius;
	sum.other += n->other;
	sum.malformed += n->malformed;
	sum.damaged += n->damaged;
	sum.kernel_drops += n->kernel_drops;
	sum.interface_drops += n->interface_drops;
	sum.fragments += n->fragments;
	sum.reassembled += n->reassembled;
	sum.shed += n->shed;
	*ret_sum = sum;
}

/* --- Observations ---------------------------------------------------------------------------- */

static void take_counters(struct capture_row *c, const struct observation *o)
{
	uint64_t drops = o->counters.kernel_drops, known = c->now.kernel_drops;

	if (drops > known) {
		if (c->lost == 0)
			c->lost_since = o->counters.since;
		c->lost += drops - known;
		c->lost_until = o->time;
	}
	c->now = o->counters;
}

static void tell_loss(struct capture_row *c, int64_t now)
{
	char from[TIME_TEXT], to[TIME_TEXT], detail[160 + CONF_NAME_MAX];

	snprintf(detail, sizeof(detail), "capture %s: %llu packets lost between %s and %s",
		c->conf->name, (unsigned long long)c->lost, time_format(c->lost_since, from),
		time_format(c->lost_until, to));
	log_warning("%s: the ring was full (see 'buffer')", detail);
	engine_tell(c->run->engine, EVENT_CAPTURE_LOSS, NULL, detail, now);
	c->lost = 0;
	c->lost_told = now;
}

void run_sniffers_tick(struct run *run, int64_t now)
{
	for (size_t i = 0; i < run->conf->capture_count; i++) {
		struct capture_row *c = &run->captures[i];

		if (c->lost > 0 && (now - c->lost_told >= LOSS_EVERY))
			tell_loss(c, now);
	}
}

static void opened(struct capture_row *c)
{
	int64_t now = clock_onward();
	char detail[OBSERVATION_STATUS_MAX + CONF_NAME_MAX + 64];

	c->state = CAPTURE_OPEN;
	c->opened_at = clock_mono();
	if (c->was_open) {
		snprintf(detail, sizeof(detail), "capture %s: %s; open again after %.1f s",
			c->conf->name, c->why, (double)(c->opened_at - c->down_since) / 1e6);
		log_info("%s", detail);
		engine_tell(c->run->engine, EVENT_SNIFFER_RESTARTED, NULL, detail, now);
	} else {
		log_info("capture %s: open on %s", c->conf->name,
			c->conf->interface ? c->conf->interface : c->conf->file);
	}
	c->was_open = true;
	c->told = false;
	c->why[0] = 0;
	run_check_ready(c->run);
}

static void take_status(struct capture_row *c, const struct observation *o)
{
	/* A sniffer says this once: one that a packet took over is not to fill the log. */
	if (o->status.state == OBSERVATION_CAPTURE_OPEN && c->state == CAPTURE_OPEN)
		c->invalid++;
	else if (o->status.state == OBSERVATION_CAPTURE_OPEN)
		opened(c);
	else
		snprintf(c->why, sizeof(c->why), "%s", o->status.text);
}

static void take(struct capture_row *c, struct observation *o)
{
	if (o->kind == OBSERVATION_COUNTERS) {
		take_counters(c, o);
	} else if (o->kind == OBSERVATION_STATUS) {
		take_status(c, o);
	} else {
		c->observations++;
		o->time = clock_onward_of(o->time);
		failpoint("observed");
		engine_observe(c->run->engine, o);
		failpoint("decided");
	}
}

/* What waits is received together, so that the engine can look ahead. */
struct batch {
	struct observation o[ENGINE_AHEAD];
	struct iovec room[ENGINE_AHEAD];
	struct mmsghdr m[ENGINE_AHEAD];
};

static int receive(int fd, struct batch *b)
{
	int n;

	for (unsigned i = 0; i < ENGINE_AHEAD; i++) {
		b->room[i] = (struct iovec){&b->o[i], sizeof(b->o[i])};
		b->m[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &b->room[i], .msg_iovlen = 1}};
	}
	do
		n = recvmmsg(fd, b->m, ENGINE_AHEAD, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	return n;
}

/* How many came; 0: nothing more for now. */
static unsigned read_some(struct capture_row *c)
{
	struct batch b;
	int n = receive(c->fd, &b);

	for (int i = 0; i < n; i++)
		if (observation_check(&b.o[i], b.m[i].msg_len) == 0)
			engine_foresee(c->run->engine, &b.o[i]);
	for (int i = 0; i < n; i++) {
		if (b.m[i].msg_len == 0) { /* its end is closed: the starter says why */
			loop_io_set(c->io, 0);
			return 0;
		}
		if (observation_check(&b.o[i], b.m[i].msg_len) < 0)
			c->invalid++;
		else
			take(c, &b.o[i]);
	}
	return n > 0 ? (unsigned)n : 0;
}

static void sniffer_ready(void *ctx, int fd, int what)
{
	struct capture_row *c = ctx;
	unsigned got = 1;

	(void)fd;
	(void)what;
	(void)run_now(c->run);
	for (unsigned n = 0; n < BATCH && got > 0; n += got)
		got = read_some(c);
}

/* While the store is behind, what comes waits where it is: in the sniffer, which knows what may be
 * let go first. */
void run_sniffers_flow(struct run *run)
{
	bool paused = turn_waiting(run->turn) > WAITING_MAX;

	for (size_t i = 0; run->captures && i < run->conf->capture_count; i++) {
		struct capture_row *c = &run->captures[i];

		if (c->io && c->paused != paused)
			loop_io_set(c->io, paused ? 0 : LOOP_READ);
		c->paused = paused;
	}
}

void run_sniffers_read_out(struct run *run)
{
	for (size_t i = 0; i < run->conf->capture_count; i++) {
		struct capture_row *c = &run->captures[i];
		unsigned got = 1;

		for (unsigned n = 0; c->io && n < READ_OUT && got > 0; n += got)
			got = read_some(c);
	}
}

/* --- Start and end --------------------------------------------------------------------------- */

static void ask(void *ctx)
{
	struct capture_row *c = ctx;

	c->state = CAPTURE_STARTING;
	if (starter_ask(&c->run->starter, c->index) < 0) {
		log_error("starter: is gone");
		run_stop(c->run, EXIT_FAILED);
	}
}

static void started(struct capture_row *c, int fd)
{
	c->fd = fd;
	c->paused = false;
	c->io = loop_io_new(c->run->loop, fd, LOOP_READ, sniffer_ready, c);
	if (!c->io)
		run_stop(c->run, EXIT_FAILED);
}

static void say_why(struct capture_row *c, const struct starter_message *m)
{
	const char *what = c->conf->interface ? c->conf->interface : c->conf->file;
	const char *between = m->words[0] ? ": " : "";
	int words = (int)strnlen(m->words, sizeof(m->words));

	if (c->why[0])
		return;
	if (WIFSIGNALED(m->status))
		snprintf(c->why, sizeof(c->why), "%s: sniffer was killed: %s%s%.*s", what,
			strsignal(WTERMSIG(m->status)), between, words, m->words);
	else
		snprintf(c->why, sizeof(c->why), "%s: sniffer ended with status %d%s%.*s", what,
			WEXITSTATUS(m->status), between, words, m->words);
}

static void hang_up(struct capture_row *c)
{
	loop_io_free(c->io);
	c->io = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	run_capture_totals(c, &c->before);
	c->now = (struct observation_counters){0};
}

static void restart_later(struct capture_row *c)
{
	int64_t now = clock_mono();
	bool steady = c->state == CAPTURE_OPEN && now - c->opened_at > STEADY;

	if (c->state == CAPTURE_OPEN)
		c->down_since = now;
	if (steady || c->back_off == 0)
		c->back_off = BACK_OFF_MIN;
	else if (c->back_off < BACK_OFF_MAX)
		c->back_off *= 2;
	if (!c->told)
		log_error("capture %s: %s", c->conf->name, c->why);
	c->told = true;
	c->state = CAPTURE_DOWN;
	c->restarts++;
	loop_timer_set(c->restart, c->back_off);
}

static void ended(struct capture_row *c, const struct starter_message *m)
{
	while (c->fd >= 0 && c->io && read_some(c)) /* its last words */
		;
	hang_up(c);
	if (c->run->stopping)
		return;
	if (c->conf->file && WIFEXITED(m->status) && WEXITSTATUS(m->status) == 0) {
		c->state = CAPTURE_FINISHED;
		c->why[0] = 0;
		log_info("capture %s: %s: read to its end", c->conf->name, c->conf->file);
		return;
	}
	say_why(c, m);
	if (c->run->ready) {
		restart_later(c);
		return;
	}
	log_error("capture %s: %s", c->conf->name, c->why);
	run_stop(c->run, EXIT_FAILED);
}

static void hear(void *ctx, int fd, int what)
{
	struct run *run = ctx;
	struct starter_message m = {0};
	int got, sniffer = -1;

	(void)fd;
	(void)what;
	while ((got = starter_hear(&run->starter, &m, &sniffer)) > 0) {
		if (m.capture >= run->conf->capture_count)
			continue;
		if (m.word == STARTER_STARTED)
			started(&run->captures[m.capture], sniffer);
		else if (m.word == STARTER_ENDED)
			ended(&run->captures[m.capture], &m);
	}
	if (got < 0 && !run->stopping) {
		log_error("starter: ended: captures cannot be opened again");
		run_stop(run, EXIT_FAILED);
	}
	if (got < 0)
		loop_io_set(run->starter_io, 0);
}

bool run_sniffers_ready(const struct run *run)
{
	for (size_t i = 0; i < run->conf->capture_count; i++)
		if (!run->captures[i].was_open)
			return false;
	return true;
}

int run_sniffers_begin(struct run *run)
{
	run->captures = calloc(run->conf->capture_count + 1, sizeof(*run->captures));
	run->starter_io = loop_io_new(run->loop, run->starter.fd, LOOP_READ, hear, run);
	if (!run->captures || !run->starter_io)
		return -ENOMEM;
	for (size_t i = 0; i < run->conf->capture_count; i++) {
		struct capture_row *c = &run->captures[i];

		*c = (struct capture_row){.run = run,
			.conf = &run->conf->captures[i],
			.index = (uint16_t)i,
			.fd = -1};
		c->restart = loop_timer_new(run->loop, ask, c);
		if (!c->restart)
			return -ENOMEM;
		ask(c);
	}
	return 0;
}

void run_sniffers_end(struct run *run)
{
	for (size_t i = 0; run->captures && i < run->conf->capture_count; i++) {
		hang_up(&run->captures[i]);
		loop_timer_free(run->captures[i].restart);
	}
	free(run->captures);
	run->captures = NULL;
	loop_io_free(run->starter_io);
	run->starter_io = NULL;
}
