/* SPDX-License-Identifier: ISC
 *
 * Observations that wait for a slow engine, in order: what the kernel's ring can't bridge, because
 * it hands its blocks over by age. Its memory is only touched while the engine is behind.
 */
#ifndef SNIFFER_QUEUE_H
#define SNIFFER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "tap82/observation.h"

#define QUEUE_SLOTS 20000 /* 200 ms of 100 000 a second */

struct queue {
	struct observation *slots; /* owned */
	size_t first, count;
};

/* 0, or -ENOMEM. */
int queue_init(struct queue *q);
void queue_done(struct queue *q);

/* Adds a copy at the end; false if it is full. */
bool queue_add(struct queue *q, const struct observation *o);
/* The first, or NULL. It stays until queue_take(), which takes it out. */
const struct observation *queue_first(const struct queue *q);
void queue_take(struct queue *q);

#endif
