/* SPDX-License-Identifier: ISC
 *
 * The inside of a connection, shared by its files: conn.c (life, connecting, the end), conn_send.c,
 * conn_login.c, conn_receive.c. Nobody else's business.
 */
#ifndef TAP82_CONN_H
#define TAP82_CONN_H

#include "tap82/omapi_batch.h"
#include "tap82/omapi_conn.h"

#define OUT_BYTES	(2 * OMAPI_BUFFER_BYTES)
#define IN_BYTES	(OMAPI_MESSAGE_MAX + 4096)
#define CONN_TEXT_BYTES 160

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
	struct loop_timer *trial; /* looks how a peer does that is to show that it answers */
	struct loop_timer *flush; /* speaks in the next turn: callers need fear no callback */
	struct fifo queue, flight;
	struct omapi_batch batch;
	struct omapi_pace pace;
	struct omapi_conn_stats stats;
	enum phase phase;
	enum omapi_state state;
	char text[CONN_TEXT_BYTES];
	int fd;
	bool dropped; /* it closed the connection at the first signed question, the last time */
	bool doubted; /* it failed us: its next login is a trial first, READY is told later */
	bool doubted_write; /* what it did not answer was a write */
	bool down; /* UNREACHABLE or REFUSED was told, and not yet READY */
	struct {
		int64_t began, time; /* when; how long it is at least */
		uint32_t answers, writes, answers_before; /* in it; … when last looked at */
	} trial_of;
	int64_t up_at; /* when READY was told after a trial; 0: never */
	unsigned failures; /* attempts since the last connection that was a good one */
	unsigned generation; /* counts connections: a callback may have ended this one */
	uint32_t authid, next_id;
	int64_t ready_at, group_at; /* when it was ready; when the last group of replies came */
	uint64_t jitter;
	size_t in_len, out_len, out_sent;
	uint8_t *in, *out;
};

/* conn.c. Ends the connection, plans the next attempt, tells the state, fails every request. */
void conn_lose(struct omapi_conn *c, enum omapi_state state, int err, const char *text);
/* The same for a connection that was closed or broke: it may be back at once. */
void conn_lose_closed(struct omapi_conn *c, const char *text);
void conn_lose_errno(struct omapi_conn *c, const char *what, int err);
void conn_tell(struct omapi_conn *c, enum omapi_state state, const char *text);

/* request.c */
void fifo_init(struct fifo *fifo);
void fifo_push(struct fifo *fifo, struct request *r);
/* Takes out the one that *at points to. */
struct request *fifo_take(struct fifo *fifo, struct request **at);
void fifo_free(struct fifo *fifo);
/* Gives each its error; the list is empty before the first is told. */
void fifo_fail(struct fifo *fifo, int err);
/* What was written to `out` as a request of its own. 0, ERR_FULL, -ENOMEM. */
int request_new(struct omapi_out *out, omapi_reply_fn fn, void *ctx, struct request **ret);

/* conn_send.c */
void conn_flush_due(void *conn); /* of the flush timer */
/* Puts a request on the wire's buffer and among those in flight; there is room. */
void conn_put(struct omapi_conn *c, struct request *r, int64_t now);
void conn_push(struct omapi_conn *c); /* gives the wire what it takes */
/* Sends as much of the queue as dhcpd may be asked now. */
void conn_send_queue(struct omapi_conn *c);

/* conn_login.c */
void conn_login(struct omapi_conn *c);
/* The login was refused with `result`, now or long after. */
void conn_refuse(struct omapi_conn *c, uint32_t result);
bool conn_is_login_error(uint32_t result);
/* It closed the connection when it saw our signature. False: that says nothing of the key. */
bool conn_login_dropped(struct omapi_conn *c);
void conn_trial_due(void *conn); /* of the trial timer */
/* It is worse than was told: the trial after this is longer if it fell ill again soon. */
void conn_trial_plan(struct omapi_conn *c);

/* conn_receive.c: one read. False when there is no more to read, or no connection any more. */
bool conn_read(struct omapi_conn *c);

#endif
