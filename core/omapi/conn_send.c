/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "conn.h"
#include "tap82/clock.h"
#include "tap82/err.h"

void conn_push(struct omapi_conn *c)
{
	ssize_t n;

	while (c->out_sent < c->out_len) {
		n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			conn_lose_errno(c, "cannot send", errno);
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

void conn_put(struct omapi_conn *c, struct request *r, int64_t now)
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

void conn_send_queue(struct omapi_conn *c)
{
	uint64_t count = 0;
	int64_t now;

	if (c->phase != PHASE_READY || !c->queue.head || c->flight.head)
		return;
	now = clock_mono();
	c->batch = (struct omapi_batch){0};
	for (; c->queue.head && may_send(c, c->queue.head); count++)
		conn_put(c, fifo_take(&c->queue, &c->queue.head), now);
	if (count == 0)
		return;
	c->stats.batches++;
	if (c->stats.batch_max < count)
		c->stats.batch_max = count;
	conn_push(c);
}

void conn_flush_due(void *ctx)
{
	conn_send_queue(ctx);
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
