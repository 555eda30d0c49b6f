/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#define READS_A_TURN  16 /* a peer that never stops talking does not hold the loop */
#define SETTLED_AFTER (10 * USEC_PER_SEC) /* a login that lasted this long was a good one */

/* --- The end of a connection ----------------------------------------------------------------- */

void conn_tell(struct omapi_conn *c, enum omapi_state state, const char *text)
{
	bool change = c->state != state;

	c->state = state;
	snprintf(c->text, sizeof(c->text), "%s", text);
	if (change && c->config.state_fn)
		c->config.state_fn(c->config.ctx, state, c->text);
}

static void drop(struct omapi_conn *c)
{
	loop_io_free(c->io);
	c->io = NULL;
	if (c->fd >= 0) {
		close(c->fd);
		c->stats.disconnects++;
	}
	c->fd = -1;
	c->authid = 0;
	c->in_len = c->out_len = c->out_sent = 0;
	c->batch = (struct omapi_batch){0};
	c->generation++;
	c->phase = PHASE_WAIT;
	if (c->trial)
		loop_timer_clear(c->trial);
}

/* A quarter longer or shorter: servers that died together are not asked together. */
static int64_t jittered(struct omapi_conn *c, int64_t delay)
{
	c->jitter ^= c->jitter << 13;
	c->jitter ^= c->jitter >> 7;
	c->jitter ^= c->jitter << 17;
	return delay - delay / 4 + (int64_t)(c->jitter % (uint64_t)(delay / 2 + 1));
}

static int64_t retry_delay(struct omapi_conn *c)
{
	int64_t delay = c->config.retry_min;

	if (c->state == OMAPI_REFUSED)
		return jittered(c, c->config.retry_refused);
	for (unsigned i = 1; i < c->failures && delay < c->config.retry_max; i++)
		delay *= 2;
	return jittered(c, delay < c->config.retry_max ? delay : c->config.retry_max);
}

/* A login is cheap: who has failed us is believed again when it has answered for a while. */
static void doubt_peer(struct omapi_conn *c)
{
	c->doubted = true;
	for (const struct request *r = c->flight.head; r; r = r->next)
		c->doubted_write |= r->writes > 0;
}

static bool is_down(enum omapi_state state)
{
	return state == OMAPI_UNREACHABLE || state == OMAPI_REFUSED;
}

void conn_lose(struct omapi_conn *c, enum omapi_state state, int err, const char *text)
{
	struct fifo flight = c->flight, queue = c->queue;

	if (is_down(state) || (c->phase == PHASE_READY && c->flight.head))
		doubt_peer(c);
	if (is_down(state) && !c->down)
		conn_trial_plan(c);
	c->down |= is_down(state);
	c->failures++;
	drop(c);
	if (err == ERR_TIMEOUT)
		c->stats.timeouts++;
	fifo_init(&c->flight);
	fifo_init(&c->queue);
	conn_tell(c, state, text);
	loop_timer_set(c->timer, retry_delay(c));
	fifo_fail(&flight, err);
	fifo_fail(&queue, err);
}

/* A connection that was a good one and broke may be back at once (dhcpd was restarted): only if it
 * is not, that is worth telling. Answers alone make no good one: a peer may answer some, and close,
 * again and again. */
void conn_lose_closed(struct omapi_conn *c, const char *text)
{
	bool ready = c->phase == PHASE_READY && !c->doubted;

	if (c->phase == PHASE_PROBE && conn_login_dropped(c))
		return;
	if (ready && clock_mono() - c->ready_at > SETTLED_AFTER)
		c->failures = 0;
	conn_lose(c, ready && c->failures == 0 ? OMAPI_CONNECTING : OMAPI_UNREACHABLE, ERR_CLOSED,
		text);
}

void conn_lose_errno(struct omapi_conn *c, const char *what, int err)
{
	char text[CONN_TEXT_BYTES];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(err));
	conn_lose_closed(c, text);
}

/* --- Connecting ------------------------------------------------------------------------------ */

static void connected(struct omapi_conn *c)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err != 0) {
		conn_lose_errno(c, "cannot connect", err);
		return;
	}
	c->stats.connects++;
	c->phase = PHASE_HELLO;
	omapi_hello(c->out);
	c->out_len = OMAPI_HELLO_BYTES;
	conn_push(c);
}

static void io_ready(void *ctx, int fd, int what)
{
	struct omapi_conn *c = ctx;
	unsigned generation = c->generation;

	(void)fd;
	if (c->phase == PHASE_CONNECT) {
		connected(c);
		return;
	}
	if (what & LOOP_WRITE)
		conn_push(c);
	for (int i = 0; i < READS_A_TURN && (what & LOOP_READ); i++)
		if (c->generation != generation || !conn_read(c))
			break;
	if (c->generation == generation)
		conn_send_queue(c);
}

static void socket_tune(int fd, int64_t deadline)
{
	int on = 1, idle = 30, interval = 10, count = 3;
	unsigned timeout = (unsigned)(2 * deadline / USEC_PER_MSEC);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static void connect_start(struct omapi_conn *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(c->config.port),
		.sin_addr.s_addr = htonl(c->config.address)};

	c->phase = PHASE_CONNECT;
	loop_timer_set(c->timer, c->config.deadline);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		conn_lose_errno(c, "cannot connect", errno);
		return;
	}
	socket_tune(c->fd, c->config.deadline);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		conn_lose_errno(c, "cannot connect", errno);
		return;
	}
	c->io = loop_io_new(c->loop, c->fd, LOOP_WRITE, io_ready, c);
	if (!c->io)
		conn_lose(c, OMAPI_UNREACHABLE, ERR_CLOSED, "out of memory");
}

static void timer_due(void *ctx)
{
	struct omapi_conn *c = ctx;
	char text[CONN_TEXT_BYTES], span[32];
	int64_t left = 0;

	if (c->phase == PHASE_WAIT) {
		connect_start(c);
		return;
	}
	if (c->phase == PHASE_READY && !c->flight.head)
		return;
	if (c->flight.head)
		left = c->flight.head->sent_at + c->config.deadline - clock_mono();
	if (left > 0) {
		loop_timer_set(c->timer, left);
		return;
	}
	if (c->phase == PHASE_READY)
		omapi_pace_stalled(&c->pace, c->config.deadline, c->flight.count);
	snprintf(text, sizeof(text), "no answer for %s",
		duration_format(c->config.deadline, span, sizeof(span)));
	conn_lose(c, OMAPI_UNREACHABLE, ERR_TIMEOUT, text);
}

/* --- From outside ---------------------------------------------------------------------------- */

int omapi_conn_new(
	struct loop *loop, const struct omapi_conn_config *config, struct omapi_conn **ret_conn)
{
	struct omapi_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->config = *config;
	c->fd = -1;
	c->jitter = ((uint64_t)clock_mono() ^ (uint64_t)config->address << 32 ^ config->port) | 1;
	fifo_init(&c->queue);
	fifo_init(&c->flight);
	omapi_pace_init(&c->pace, config->batch_time);
	c->in = malloc(IN_BYTES);
	c->out = malloc(OUT_BYTES);
	c->timer = loop_timer_new(loop, timer_due, c);
	c->flush = loop_timer_new(loop, conn_flush_due, c);
	c->trial = loop_timer_new(loop, conn_trial_due, c);
	if (!c->in || !c->out || !c->timer || !c->flush || !c->trial) {
		omapi_conn_free(c);
		return -ENOMEM;
	}
	loop_timer_set(c->timer, 0);
	*ret_conn = c;
	return 0;
}

void omapi_conn_free(struct omapi_conn *c)
{
	if (!c)
		return;
	drop(c);
	fifo_free(&c->queue);
	fifo_free(&c->flight);
	loop_timer_free(c->timer);
	loop_timer_free(c->flush);
	loop_timer_free(c->trial);
	free(c->in);
	free(c->out);
	free(c);
}

enum omapi_state omapi_conn_state(const struct omapi_conn *c)
{
	return c->state;
}

const char *omapi_conn_text(const struct omapi_conn *c)
{
	return c->text;
}

void omapi_conn_retry_now(struct omapi_conn *c)
{
	if (c->phase == PHASE_WAIT)
		loop_timer_set(c->timer, 0);
}

void omapi_conn_stats(const struct omapi_conn *c, struct omapi_conn_stats *ret_stats)
{
	*ret_stats = c->stats;
	ret_stats->queued = c->queue.count;
	ret_stats->in_flight = c->flight.count;
}
