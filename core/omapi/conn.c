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

#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/omapi_batch.h"
#include "tap82/omapi_conn.h"

#define OUT_BYTES     (2 * OMAPI_BUFFER_BYTES)
#define IN_BYTES      (OMAPI_MESSAGE_MAX + 4096)
#define READS_A_TURN  16 /* a peer that never stops talking does not hold the loop */
#define SETTLED_AFTER (10 * USEC_PER_SEC) /* a login that lasted this long was a good one */
#define TEXT_BYTES    160

/* How far a connection has come. Not the state that is told: an attempt goes through all of these
 * while the state remains UNREACHABLE. */
enum phase { PHASE_WAIT, PHASE_CONNECT, PHASE_HELLO, PHASE_LOGIN, PHASE_PROBE, PHASE_READY };

struct request {
	struct request *next;
	omapi_reply_fn fn;
	void *ctx;
	int64_t sent_at, cost;
	size_t reply_max, len;
	unsigned writes;
	uint32_t id;
	uint8_t bytes[];
};

struct fifo {
	struct request *head, **tail;
	uint32_t count;
};

struct omapi_conn {
	struct loop *loop;
	struct omapi_conn_config config;
	struct loop_io *io;
	struct loop_timer *timer; /* the retry while waiting, else the deadline */
	struct loop_timer
		*flush; /* speaks in the next turn, so that callers need fear no callback */
	struct fifo queue, flight;
	struct omapi_batch batch;
	struct omapi_pace pace;
	struct omapi_conn_stats stats;
	enum phase phase;
	enum omapi_state state;
	char text[TEXT_BYTES];
	int fd;
	unsigned failures; /* attempts in a row that came to nothing */
	unsigned generation; /* counts connections: a callback may have ended this one */
	uint32_t authid, next_id;
	int64_t ready_at, group_at; /* when it was ready; when the last group of replies came */
	uint64_t jitter;
	size_t in_len, out_len, out_sent;
	uint8_t *in, *out;
};

/* --- Lists ----------------------------------------------------------------------------------- */

static void fifo_init(struct fifo *fifo)
{
	*fifo = (struct fifo){.tail = &fifo->head};
}

static void fifo_push(struct fifo *fifo, struct request *r)
{
	r->next = NULL;
	*fifo->tail = r;
	fifo->tail = &r->next;
	fifo->count++;
}

/* Takes out the one that *at points to. */
static struct request *fifo_take(struct fifo *fifo, struct request **at)
{
	struct request *r = *at;

	*at = r->next;
	if (fifo->tail == &r->next)
		fifo->tail = at;
	fifo->count--;
	return r;
}

static void fifo_free(struct fifo *fifo)
{
	while (fifo->head)
		free(fifo_take(fifo, &fifo->head));
}

/* --- The end of a connection ----------------------------------------------------------------- */

static void tell(struct omapi_conn *c, enum omapi_state state, const char *text)
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
}

/* Half again as long or as short: servers that died together are not asked together. */
static int64_t jittered(struct omapi_conn *c, int64_t delay)
{
	c->jitter ^= c->jitter << 13;
	c->jitter ^= c->jitter >> 7;
	c->jitter ^= c->jitter << 17;
	return delay / 2 + (int64_t)(c->jitter % (uint64_t)(delay + 1));
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

static void fail_all(struct fifo *fifo, int err)
{
	struct fifo failed = *fifo;

	if (!failed.head)
		return;
	fifo_init(fifo);
	while (failed.head) {
		struct request *r = failed.head;

		failed.head = r->next;
		r->fn(r->ctx, err, NULL);
		free(r);
	}
}

/* Ends the connection, plans the next attempt, tells the state, and fails every request. */
static void lose(struct omapi_conn *c, enum omapi_state state, int err, const char *text)
{
	struct fifo flight = c->flight, queue = c->queue;

	c->failures++;
	drop(c);
	if (err == ERR_TIMEOUT)
		c->stats.timeouts++;
	fifo_init(&c->flight);
	fifo_init(&c->queue);
	tell(c, state, text);
	loop_timer_set(c->timer, retry_delay(c));
	fail_all(&flight, err);
	fail_all(&queue, err);
}

/* A connection that was ready and broke may be back at once (dhcpd was restarted): only if it is
 * not, that is worth telling. */
static void lose_closed(struct omapi_conn *c, const char *text)
{
	bool ready = c->phase == PHASE_READY;

	if (ready && clock_mono() - c->ready_at > SETTLED_AFTER)
		c->failures = 0;
	lose(c, ready && c->failures == 0 ? OMAPI_CONNECTING : OMAPI_UNREACHABLE, ERR_CLOSED, text);
}

static void lose_errno(struct omapi_conn *c, const char *what, int err)
{
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(err));
	lose_closed(c, text);
}

/* --- Sending --------------------------------------------------------------------------------- */

static void out_push(struct omapi_conn *c)
{
	ssize_t n;

	while (c->out_sent < c->out_len) {
		n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			lose_errno(c, "cannot send", errno);
			return;
		}
		if (n < 0)
			break;
		c->out_sent += (size_t)n;
	}
	if (c->out_sent == c->out_len)
		c->out_sent = c->out_len = 0;
	loop_io_set(c->io, c->out_len > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

/* Puts a request on the wire's buffer and among those in flight; there is room. */
static void out_put(struct omapi_conn *c, struct request *r, int64_t now)
{
	int n;

	r->id = ++c->next_id;
	memcpy(c->out + c->out_len, r->bytes, r->len);
	n = omapi_seal(c->out + c->out_len, r->len, OUT_BYTES - c->out_len, c->config.key,
		c->authid, r->id);
	c->out_len += n > 0 ? (size_t)n : 0;
	r->sent_at = now;
	fifo_push(&c->flight, r);
	c->stats.requests++;
	if (!loop_timer_is_set(c->timer))
		loop_timer_set(c->timer, c->config.deadline);
}

static bool may_send(struct omapi_conn *c, struct request *r)
{
	size_t signature = dhcpd_key_signature_bytes(c->config.key);
	int64_t time = c->config.batch_time;

	r->cost = omapi_pace_cost(&c->pace, r->writes);
	return omapi_batch_take(&c->batch, time, r->len + signature,
		r->reply_max > 0 ? r->reply_max + signature : 0, r->cost);
}

/* Sends as much of the queue as dhcpd may be asked now. */
static void queue_send(struct omapi_conn *c)
{
	uint64_t count = 0;
	int64_t now;

	if (c->phase != PHASE_READY || !c->queue.head || c->flight.head)
		return;
	now = clock_mono();
	c->batch = (struct omapi_batch){0};
	for (; c->queue.head && may_send(c, c->queue.head); count++)
		out_put(c, fifo_take(&c->queue, &c->queue.head), now);
	if (count == 0)
		return;
	c->stats.batches++;
	if (c->stats.batch_max < count)
		c->stats.batch_max = count;
	out_push(c);
}

static void flush_due(void *ctx)
{
	queue_send(ctx);
}

static int request_new(struct omapi_out *out, omapi_reply_fn fn, void *ctx, struct request **ret)
{
	int len = omapi_out_end(out);
	struct request *r;

	if (len < 0)
		return len;
	r = malloc(sizeof(*r) + (size_t)len);
	if (!r)
		return -ENOMEM;
	*r = (struct request){.fn = fn, .ctx = ctx, .len = (size_t)len};
	memcpy(r->bytes, out->base, (size_t)len);
	*ret = r;
	return 0;
}

int omapi_conn_send(struct omapi_conn *c, struct omapi_out *out, size_t reply_max, unsigned writes,
	omapi_reply_fn fn, void *ctx)
{
	struct request *r;
	int err;

	if (c->state == OMAPI_UNREACHABLE || c->state == OMAPI_REFUSED)
		return ERR_CLOSED;
	if (c->queue.count >= c->config.queue_max)
		return ERR_FULL;
	err = request_new(out, fn, ctx, &r);
	if (err < 0)
		return err;
	if (r->len + dhcpd_key_signature_bytes(c->config.key) > OMAPI_BUFFER_BYTES) {
		free(r);
		return ERR_RANGE;
	}
	r->reply_max = reply_max;
	r->writes = writes;
	fifo_push(&c->queue, r);
	if (!loop_timer_is_set(c->flush))
		loop_timer_set(c->flush, 0);
	return 0;
}

/* --- Login ----------------------------------------------------------------------------------- */

static void login_send(struct omapi_conn *c, struct omapi_out *out, omapi_reply_fn fn)
{
	struct request *r;

	if (request_new(out, fn, c, &r) < 0) {
		lose(c, OMAPI_UNREACHABLE, ERR_CLOSED, "out of memory");
		return;
	}
	out_put(c, r, clock_mono());
	out_push(c);
}

static void refuse(struct omapi_conn *c, uint32_t result)
{
	const struct dhcpd_key *key = c->config.key;
	const char *name = key ? dhcpd_key_name(key) : "";
	char text[TEXT_BYTES], word[OMAPI_RESULT_TEXT];

	if (!key)
		snprintf(text, sizeof(text), "it wants a key, and none is configured");
	else if (c->phase == PHASE_LOGIN)
		snprintf(text, sizeof(text), "it has no key \"%s\" with %s", name,
			dhcpd_key_algorithm(key));
	else if (result == OMAPI_INVALIDKEY)
		snprintf(text, sizeof(text), "the secret of key \"%s\" is not its own", name);
	else
		snprintf(text, sizeof(text),
			"it lets key \"%s\" log in but does not answer it (before 4.4.3 dhcpd "
			"takes hmac-md5 only): %s",
			name, omapi_result_text(result, word));
	lose(c, OMAPI_REFUSED, ERR_REFUSED, text);
}

static bool is_login_error(uint32_t result)
{
	return result == OMAPI_NOKEYS || result == OMAPI_KEY_UNKNOWN || result == OMAPI_INVALIDKEY;
}

/* The secret is tried by the first signed question only: one that changes nothing. */
static void probe_answered(void *ctx, int err, const struct omapi_message *reply)
{
	struct omapi_conn *c = ctx;
	uint32_t result;

	if (err < 0)
		return;
	if (omapi_status(reply, &result) < 0 || result != OMAPI_SUCCESS) {
		refuse(c, result);
		return;
	}
	c->phase = PHASE_READY;
	c->ready_at = clock_mono();
	tell(c, OMAPI_READY, "");
}

static void probe(struct omapi_conn *c)
{
	uint8_t memory[64];
	struct omapi_out out;

	c->phase = PHASE_PROBE;
	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "control");
	omapi_out_object(&out);
	login_send(c, &out, probe_answered);
}

static void login_answered(void *ctx, int err, const struct omapi_message *reply)
{
	struct omapi_conn *c = ctx;
	uint32_t result;

	if (err < 0)
		return;
	if (omapi_status(reply, &result) < 0 || result != OMAPI_SUCCESS || reply->handle == 0) {
		refuse(c, result);
		return;
	}
	c->authid = reply->handle;
	probe(c);
}

static void login(struct omapi_conn *c)
{
	uint8_t memory[512];
	struct omapi_out out;

	if (!c->config.key) {
		probe(c);
		return;
	}
	c->phase = PHASE_LOGIN;
	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "authenticator");
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", dhcpd_key_name(c->config.key));
	omapi_out_put_text(&out, "algorithm", dhcpd_key_wire_algorithm(c->config.key));
	login_send(c, &out, login_answered);
}

/* --- Receiving ------------------------------------------------------------------------------- */

/* Errors from before or at the signature check come unsigned (protocol.c): only errors may. */
static bool is_acceptable(const struct omapi_conn *c, const struct omapi_message *m)
{
	uint32_t result;

	if (c->authid == 0 || m->is_signed)
		return true;
	return m->op == OMAPI_STATUS && omapi_status(m, &result) == 0 && result != OMAPI_SUCCESS;
}

static struct request **flight_find(struct omapi_conn *c, uint32_t rid)
{
	struct request **at = &c->flight.head;

	while (*at && (*at)->id != rid)
		at = &(*at)->next;
	return *at ? at : NULL;
}

static void round_trip(struct omapi_conn *c, int64_t took)
{
	struct omapi_conn_stats *s = &c->stats;

	s->replies++;
	s->round_trip_last = took;
	s->round_trip_mean =
		s->replies == 1 ? took : s->round_trip_mean + (took - s->round_trip_mean) / 16;
}

/* A group of replies that were read in one turn. */
struct group {
	unsigned lookups, writes;
	int64_t sent_at; /* of its first */
};

/* Gives one message to who waits for it. 0; negative: the peer does not keep to the protocol. */
static int reply_take(struct omapi_conn *c, const struct omapi_message *m, struct group *group)
{
	struct request **at = flight_find(c, m->rid), *r;
	uint32_t result = 0;

	if (!at || !is_acceptable(c, m))
		return ERR_CORRUPT;
	if (c->phase == PHASE_READY && omapi_status(m, &result) == 0 && is_login_error(result)) {
		refuse(c, result);
		return 0;
	}
	r = fifo_take(&c->flight, at);
	if (c->phase == PHASE_READY) {
		c->failures = 0;
		if (group->sent_at == 0)
			group->sent_at = r->sent_at;
		group->writes += r->writes;
		group->lookups += r->writes == 0;
	}
	round_trip(c, clock_mono() - r->sent_at);
	r->fn(r->ctx, 0, m);
	free(r);
	return 0;
}

/* What the wire itself costs is not dhcpd's time. */
static int64_t wire_time(const struct omapi_conn *c)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return 0;
	return info.tcpi_min_rtt;
}

static void group_done(struct omapi_conn *c, const struct group *group)
{
	int64_t now, elapsed;

	if (group->lookups + group->writes == 0 || c->phase != PHASE_READY)
		return;
	now = clock_mono();
	if (group->sent_at > c->group_at)
		elapsed = now - group->sent_at - wire_time(c);
	else
		elapsed = now - c->group_at;
	c->group_at = now;
	omapi_pace_learn(&c->pace, elapsed, group->lookups, group->writes);
}

/* The hello, then messages. Bytes used; 0: more are needed; negative: no OMAPI. */
static int in_take(struct omapi_conn *c, size_t at, struct group *group)
{
	struct omapi_message m;
	int n, err;

	if (c->phase == PHASE_HELLO) {
		if (c->in_len - at < OMAPI_HELLO_BYTES)
			return 0;
		err = omapi_hello_check(c->in + at);
		if (err == 0)
			login(c);
		return err < 0 ? err : OMAPI_HELLO_BYTES;
	}
	n = omapi_decode(c->in + at, c->in_len - at, c->config.key, &m);
	err = n > 0 ? reply_take(c, &m, group) : 0;
	return err < 0 ? err : n;
}

static void in_process(struct omapi_conn *c)
{
	unsigned generation = c->generation;
	struct group group = {0};
	size_t at = 0;
	int n;

	while ((n = in_take(c, at, &group)) > 0) {
		if (c->generation != generation)
			return;
		at += (size_t)n;
	}
	if (n < 0) {
		lose(c, OMAPI_UNREACHABLE, ERR_CLOSED,
			n == ERR_VERSION ? "it does not speak OMAPI"
					 : "it sent what is no OMAPI answer");
		return;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
	group_done(c, &group);
	if (!c->flight.head && c->phase == PHASE_READY)
		loop_timer_clear(c->timer);
}

/* One read. False when there is no more to read, or no connection any more. */
static bool in_read(struct omapi_conn *c)
{
	unsigned generation = c->generation;
	int on = 1;
	ssize_t n = recv(c->fd, c->in + c->in_len, IN_BYTES - c->in_len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		if (n < 0)
			lose_errno(c, "connection broke", errno);
		else
			lose_closed(c, "it closed the connection");
		return false;
	}
	/* dhcpd leaves Nagle on: without a quick ACK its next bytes wait for 40 ms. */
	setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	c->in_len += (size_t)n;
	in_process(c);
	return c->generation == generation && c->in_len < IN_BYTES;
}

/* --- Connecting ------------------------------------------------------------------------------ */

static void connected(struct omapi_conn *c)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err != 0) {
		lose_errno(c, "cannot connect", err);
		return;
	}
	c->stats.connects++;
	c->phase = PHASE_HELLO;
	omapi_hello(c->out);
	c->out_len = OMAPI_HELLO_BYTES;
	out_push(c);
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
		out_push(c);
	for (int i = 0; i < READS_A_TURN && (what & LOOP_READ); i++)
		if (c->generation != generation || !in_read(c))
			break;
	if (c->generation == generation)
		queue_send(c);
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
		lose_errno(c, "cannot connect", errno);
		return;
	}
	socket_tune(c->fd, c->config.deadline);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		lose_errno(c, "cannot connect", errno);
		return;
	}
	c->io = loop_io_new(c->loop, c->fd, LOOP_WRITE, io_ready, c);
	if (!c->io)
		lose(c, OMAPI_UNREACHABLE, ERR_CLOSED, "out of memory");
}

static void timer_due(void *ctx)
{
	struct omapi_conn *c = ctx;
	char text[TEXT_BYTES], span[32];
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
	lose(c, OMAPI_UNREACHABLE, ERR_TIMEOUT, text);
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
	c->flush = loop_timer_new(loop, flush_due, c);
	if (!c->in || !c->out || !c->timer || !c->flush) {
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
