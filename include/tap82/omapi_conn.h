/* SPDX-License-Identifier: ISC
 *
 * One connection to one dhcpd: connects, logs in, sends requests in batches that do not hurt it
 * (omapi_batch.h), gives each its answer or an error, connects again. It says nothing to the log.
 *
 * Handles of dhcpd's objects are good for one connection only. All requests, sent or not, fail
 * with the connection they were given to; so no handle ever reaches another one.
 */
#ifndef TAP82_OMAPI_CONN_H
#define TAP82_OMAPI_CONN_H

#include "tap82/loop.h"
#include "tap82/omapi_codec.h"

enum omapi_state {
	OMAPI_CONNECTING, /* at the start, or again after a connection that was fine */
	OMAPI_READY, /* logged in: a question signed with the key was answered */
	OMAPI_UNREACHABLE, /* no connection, or no answer in time */
	OMAPI_REFUSED, /* the login is wrong: key name, algorithm, secret, or none given */
	OMAPI_TRIAL, /* logged in again after it had failed us: it may be asked, and is READY when
		      * it has answered for retry_max, 64 questions at least; if nobody asks it is
		      * asked by us. Longer for one that falls ill again soon, and for one that hung
		      * at a write and was not asked to write since. */
};

typedef void (*omapi_state_fn)(void *ctx, enum omapi_state state, const char *text);

/* The answer to a request: err 0 and the message, which lives during the call; or
 * ERR_TIMEOUT, ERR_CLOSED, ERR_REFUSED without one: what became of the request is unknown. */
typedef void (*omapi_reply_fn)(void *ctx, int err, const struct omapi_message *reply);

struct omapi_conn_config {
	uint32_t address;
	uint16_t port;
	const struct dhcpd_key *key; /* NULL: unsigned; the caller's */
	omapi_state_fn state_fn; /* may be NULL; on a change only */
	void *ctx;
	int64_t deadline, batch_time, retry_min, retry_max, retry_refused; /* microseconds */
	uint32_t queue_max; /* requests that may wait */
};

struct omapi_conn;

/* Starts to connect in the next turn. 0, or -ENOMEM. */
int omapi_conn_new(
	struct loop *loop, const struct omapi_conn_config *config, struct omapi_conn **ret_conn);
/* Requests are forgotten, without an answer. Not from within a callback. NULL is fine. */
void omapi_conn_free(struct omapi_conn *conn);

enum omapi_state omapi_conn_state(const struct omapi_conn *conn);
const char *omapi_conn_text(const struct omapi_conn *conn); /* why; "" when ready */
void omapi_conn_retry_now(struct omapi_conn *conn);

/* Sends what was written to `out` (omapi_out_end() is done here). `reply_max`: the answer, without
 * its signature, has never more bytes than that, 0: who knows. `writes`: how often dhcpd writes
 * and syncs its file for it. The callback comes in a later turn. 0; ERR_CLOSED while UNREACHABLE
 * or REFUSED; ERR_FULL; ERR_RANGE for a request that dhcpd could choke on (omapi_batch.h);
 * -ENOMEM. */
int omapi_conn_send(struct omapi_conn *conn, struct omapi_out *out, size_t reply_max,
	unsigned writes, omapi_reply_fn fn, void *ctx);

/* A STATUS answer's bound: dhcpd's texts are short and constant. */
#define OMAPI_STATUS_REPLY_MAX 128

struct omapi_conn_stats {
	uint32_t queued, in_flight;
	int64_t round_trip_last, round_trip_mean;
	uint64_t requests, replies, batches, batch_max;
	uint64_t connects, disconnects, timeouts;
};
void omapi_conn_stats(const struct omapi_conn *conn, struct omapi_conn_stats *ret_stats);

#endif
