/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "conn.h"
#include "tap82/clock.h"
#include "tap82/err.h"

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
	if (c->phase == PHASE_READY && omapi_status(m, &result) == 0 &&
		conn_is_login_error(result)) {
		conn_refuse(c, result);
		return 0;
	}
	r = fifo_take(&c->flight, at);
	if (c->phase == PHASE_READY) {
		c->trial_of.answers++;
		c->trial_of.writes += r->writes > 0;
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
			conn_login(c);
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
		conn_lose(c, OMAPI_UNREACHABLE, ERR_CLOSED,
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

bool conn_read(struct omapi_conn *c)
{
	unsigned generation = c->generation;
	int on = 1;
	ssize_t n = recv(c->fd, c->in + c->in_len, IN_BYTES - c->in_len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		if (n < 0)
			conn_lose_errno(c, "connection broke", errno);
		else
			conn_lose_closed(c, "it closed the connection");
		return false;
	}
	/* dhcpd leaves Nagle on: without a quick ACK its next bytes wait for 40 ms. */
	setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	c->in_len += (size_t)n;
	in_process(c);
	return c->generation == generation && c->in_len < IN_BYTES;
}
