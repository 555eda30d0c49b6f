/* SPDX-License-Identifier: ISC
 *
 * One turn of the loop: durable first, then speak. What the engine wants done is collected here,
 * goes into the store as one transaction, and only after its commit are orders given to dhcpd,
 * events told and webhooks sent. While the store fails all of it waits in memory, in order.
 */
#ifndef TAP82_TURN_H
#define TAP82_TURN_H

#include <stddef.h>

#include "tap82/conf.h"
#include "tap82/engine.h"
#include "tap82/event.h"
#include "tap82/store.h"

/* Called after the commit, in the order things happened. What they want done is of the next turn.
 */
struct turn_ops {
	/* An event that was not in the store before; valid during the call. Of `e` there are only
	 * its values, server and reason. */
	void (*event)(void *ctx, const struct event_row *row, const struct event *e);
	void (*order)(void *ctx, const struct order *order);
	/* A webhook's body to be sent: row->seq is its number in the store's outbox. */
	void (*outbox)(void *ctx, const struct outbox_row *row);
};

struct turn;

/* conf, store and ops are borrowed. NULL without memory. */
struct turn *turn_new(
	const struct conf *conf, struct store *store, const struct turn_ops *ops, void *ctx);
void turn_free(struct turn *turn);

/* For engine_new(): its ctx is the turn. */
extern const struct engine_ops turn_engine_ops;

/* An event that the engine knows nothing of. */
void turn_event(struct turn *turn, const struct event *e);
/* The outbox row was delivered, or never will be. */
void turn_outbox_done(struct turn *turn, int64_t seq);
/* See store_put_fact(). */
void turn_fact(struct turn *turn, const char *key, const void *value, size_t len);

/* Commits what waits and speaks. 0, or the store's error: everything still waits. */
int turn_commit(struct turn *turn);
/* Bytes that wait for a commit. */
size_t turn_waiting(const struct turn *turn);
/* Things that were lost because memory had none left for them. */
uint64_t turn_lost(const struct turn *turn);

#endif
