/* SPDX-License-Identifier: ISC
 *
 * Observations that wait for a slow engine, in order: what the kernel's ring can't bridge, because
 * it hands its blocks over by age. Its memory is only touched while the engine is behind.
 *
 * Full, it lets the oldest renewal go for what comes: a renewal repeats by itself. What is none
 * (a first ACK above all) is never let go.
 */
#ifndef SNIFFER_QUEUE_H
#define SNIFFER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "tap82/observation.h"

#define QUEUE_SLOTS 20000 /* 200 ms of 100 000 a second */

struct queue_slot;

struct queue {
	struct queue_slot *slots; /* owned */
	struct queue_slot *first, *last; /* in order */
	struct queue_slot *renewal, *last_renewal; /* those of them that are renewals */
	struct queue_slot *spare; /* were used, and are free again */
	size_t count, used; /* used: slots that were touched */
	uint64_t shed; /* renewals that were let go */
};

/* 0, or -ENOMEM. */
int queue_init(struct queue *q);
void queue_done(struct queue *q);

/* Adds a copy at the end. Full: with `shed` a renewal goes for it (which may be itself); false if
 * none can. */
bool queue_add(struct queue *q, const struct observation *o, bool shed);
/* The first, or NULL. It stays until queue_take(), which takes it out. */
const struct observation *queue_first(const struct queue *q);
void queue_take(struct queue *q);
/* More than half full. */
bool queue_is_long(const struct queue *q);

#endif
