/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "inventory_read.h"
#include "tap82/err.h"
#include "tap82/hash.h"

#define SLOTS_MIN 1024u
#define SLOTS_MAX (1u << 31)

int row_index_init(struct row_index *index, uint64_t rows)
{
	uint32_t slots = SLOTS_MIN;

	while (slots / 3 * 2 < rows && slots < SLOTS_MAX)
		slots *= 2;
	index->rows = hash_memory(slots * sizeof(*index->rows));
	index->tags = calloc(slots, sizeof(*index->tags));
	index->mask = slots - 1;
	index->used = 0;
	if (index->rows && index->tags)
		return 0;
	row_index_done(index);
	return -ENOMEM;
}

void row_index_done(struct row_index *index)
{
	free(index->rows);
	free(index->tags);
	*index = (struct row_index){0};
}

/* Never 0, the tag of a free slot. */
static uint8_t tag_of(uint32_t hash)
{
	return (uint8_t)(hash >> 24 | 1);
}

void row_index_put(struct row_index *index, uint32_t row, uint32_t hash)
{
	uint32_t i = hash & index->mask;

	while (index->tags[i])
		i = (i + 1) & index->mask;
	index->rows[i] = row;
	index->tags[i] = tag_of(hash);
	index->used++;
}

int row_index_reserve(struct row_index *index, uint64_t expected, row_hash_fn hash, const void *ctx)
{
	uint64_t twice = index->mask + UINT64_C(1);
	struct row_index bigger;

	if (index->used < index->mask / 3 * 2)
		return 0;
	if (row_index_init(&bigger, expected > twice ? expected : twice) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i <= index->mask; i++)
		if (index->tags[i])
			row_index_put(&bigger, index->rows[i], hash(ctx, index->rows[i]));
	row_index_done(index);
	*index = bigger;
	return 0;
}

int row_index_find(const struct row_index *index, uint32_t row, uint32_t hash, row_same_fn same,
	const void *ctx, uint32_t *ret_other)
{
	for (uint32_t i = hash & index->mask; index->tags[i]; i = (i + 1) & index->mask) {
		if (index->tags[i] != tag_of(hash) || !same(ctx, row, index->rows[i]))
			continue;
		*ret_other = index->rows[i];
		return 0;
	}
	return ERR_NOT_FOUND;
}
