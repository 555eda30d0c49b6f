/* SPDX-License-Identifier: ISC
 *
 * The engine: observation → match → decision → reservation → event. It opens nothing, reads no
 * clock and sends nothing: what it wants done it says through engine_ops, in order. The caller
 * makes it durable first (one transaction a turn), then speaks. `now` is the wall clock (live) or
 * the packets' clock (replay).
 */
#ifndef TAP82_ENGINE_H
#define TAP82_ENGINE_H

#include "tap82/conf.h"
#include "tap82/event.h"
#include "tap82/inventory.h"
#include "tap82/observation.h"
#include "tap82/store.h"

/* What is to be done in one dhcpd. Repeating an order is harmless. */
enum order_kind {
	ORDER_ENSURE, /* the host object, and the pin where the mode wants it */
	ORDER_RELEASE, /* take our host (and pin) of this MAC away */
	ORDER_REPIN, /* the lease was released: pin it again */
};

struct order {
	enum order_kind kind;
	uint64_t ticket; /* comes back with the answer */
	uint8_t server; /* index into conf->servers */
	struct mac mac;
	uint32_t ip;
	enum conf_reservation mode;
	bool acked_here; /* this server sent the ACK: the lease is pinned here */
};

enum answer_kind {
	ANSWER_DONE, /* created, updated, unchanged, or equal though not ours */
	ANSWER_REFUSED, /* final for this attempt: `reason` and `detail` say why */
	ANSWER_NOT_NOW, /* unreachable, timed out, outcome unknown: it will be tried again */
};

struct answer {
	uint64_t ticket;
	enum answer_kind kind;
	const char *reason; /* "foreign-reservation", "unreachable" …; NULL when done */
	const char *detail;
};

struct engine_ops {
	void (*event)(void *ctx, const struct event *e);
	/* The durable part of a device or reservation changed, or is gone. */
	void (*device)(void *ctx, const struct device_row *row);
	void (*device_gone)(void *ctx, const struct mac *mac);
	void (*reservation)(void *ctx, const struct reservation_row *row);
	void (*reservation_gone)(void *ctx, const struct mac *mac, uint8_t server);
	/* Carry out after the commit; answered by engine_answer(), always later than this call
	 * returns (replay answers after the observation that caused it). */
	void (*order)(void *ctx, const struct order *order);
};

struct engine;

/* conf is borrowed and outlives the engine. NULL: no memory. */
struct engine *engine_new(const struct conf *conf, const struct engine_ops *ops, void *ctx);
void engine_free(struct engine *engine);

/* Restart: rows from the store, before anything else. */
int engine_restore_device(struct engine *engine, const struct device_row *row);
int engine_restore_reservation(struct engine *engine, const struct reservation_row *row);

void engine_observe(struct engine *engine, const struct observation *o);
/* Does what is due at `now` (holds, retries, deadlines) and returns when it wants to be called
 * next, INT64_MAX for never. */
int64_t engine_tick(struct engine *engine, int64_t now);
void engine_answer(struct engine *engine, const struct answer *answer, int64_t now);

#endif
