/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "sim.h"

static bool item_before(const struct agenda_item *a, const struct agenda_item *b)
{
	return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

static void item_swap(struct agenda_item *a, struct agenda_item *b)
{
	struct agenda_item t = *a;

	*a = *b;
	*b = t;
}

static void agenda_sift_up(struct agenda *a, size_t i)
{
	while (i > 0 && item_before(&a->items[i], &a->items[(i - 1) / 2])) {
		item_swap(&a->items[i], &a->items[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static void agenda_sift_down(struct agenda *a)
{
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < a->used && item_before(&a->items[child + 1], &a->items[child]))
			child++;
		if (child >= a->used || !item_before(&a->items[child], &a->items[i]))
			return;
		item_swap(&a->items[i], &a->items[child]);
		i = child;
	}
}

void agenda_add(struct agenda *a, int64_t at, void (*fn)(void *ctx), void *ctx)
{
	if (a->used == a->size) {
		a->size = a->size ? 2 * a->size : 256;
		a->items = realloc(a->items, a->size * sizeof(*a->items));
		if (!a->items)
			abort();
	}
	a->items[a->used] = (struct agenda_item){.at = at, .seq = a->seq++, .fn = fn, .ctx = ctx};
	agenda_sift_up(a, a->used++);
}

const struct agenda_item *agenda_first(const struct agenda *a)
{
	return a->used ? &a->items[0] : NULL;
}

struct agenda_item agenda_take(struct agenda *a)
{
	struct agenda_item first = a->items[0];

	a->items[0] = a->items[--a->used];
	agenda_sift_down(a);
	return first;
}

void agenda_done(struct agenda *a)
{
	free(a->items);
	*a = (struct agenda){0};
}
