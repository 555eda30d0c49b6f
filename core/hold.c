/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "tap82/hold.h"

void holds_done(struct holds *h)
{
	free(h->ring);
	*h = (struct holds){0};
}

static int grow(struct holds *h)
{
	uint32_t room = h->room ? 2 * h->room : 64;
	struct hold *ring = malloc(room * sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < h->count; i++)
		ring[i] = *holds_at(h, i);
	free(h->ring);
	*h = (struct holds){.ring = ring, .count = h->count, .room = room};
	return 0;
}

/* Where an entry of this time goes: the first that is due later. */
static uint32_t find_place(struct holds *h, int64_t due)
{
	uint32_t low = 0, high = h->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (holds_at(h, middle)->due <= due)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int holds_add(struct holds *h, int64_t due, uint32_t index)
{
	uint32_t place = h->count;

	if (h->count == h->room && grow(h) < 0)
		return -ENOMEM;
	if (place > 0 && holds_at(h, place - 1)->due > due)
		place = find_place(h, due);
	for (uint32_t i = h->count; i > place; i--)
		*holds_at(h, i) = *holds_at(h, i - 1);
	*holds_at(h, place) = (struct hold){.due = due, .index = index};
	h->count++;
	return 0;
}

struct hold holds_take(struct holds *h)
{
	struct hold first = h->ring[h->first];

	h->first = (h->first + 1) & (h->room - 1);
	h->count--;
	if (h->count == 0)
		holds_done(h); /* a storm's memory is given back */
	return first;
}
