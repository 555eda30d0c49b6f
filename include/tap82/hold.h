/* SPDX-License-Identifier: ISC
 *
 * Holds: when each device's hold of manual streams ends, in order. A hold that was begun anew
 * leaves its old entry behind, which the caller sees by the device's own hold_until.
 */
#ifndef TAP82_HOLD_H
#define TAP82_HOLD_H

#include <stdint.h>

struct hold {
	int64_t due;
	uint32_t index; /* of the device */
};

/* A ring in order of `due`: holds are equally long, so a new one nearly always goes last. */
struct holds {
	struct hold *ring;
	uint32_t first, count, room; /* room is a power of two */
};

void holds_done(struct holds *h);
/* 0, or -ENOMEM. */
int holds_add(struct holds *h, int64_t due, uint32_t index);
/* The i-th by its time, of `count`. */
static inline struct hold *holds_at(const struct holds *h, uint32_t i)
{
	return &h->ring[(h->first + i) & (h->room - 1)];
}
/* When the first one is due, INT64_MAX for none. */
static inline int64_t holds_next(const struct holds *h)
{
	return h->count ? h->ring[h->first].due : INT64_MAX;
}
/* Takes the first one; there is one. */
struct hold holds_take(struct holds *h);

#endif
