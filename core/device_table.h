/* SPDX-License-Identifier: ISC
 *
 * How large the tables of devices begin and when they grow. A table that begins with the buckets
 * it needs never moves its entries, which takes a cache miss each; and chains of two on average,
 * some of which reach ten, are no reason to double a table's memory.
 */
#ifndef TAP82_DEVICE_TABLE_H
#define TAP82_DEVICE_TABLE_H

#include "tap82/device.h"

#define CHUNK_BITS  17 /* 40 MB of addresses, of which little is touched at first */
#define CHUNK_SLOTS (1u << CHUNK_BITS)

static inline struct device *device_slot(const struct device_table *t, uint32_t index)
{
	return &t->chunks[index >> CHUNK_BITS][index & (CHUNK_SLOTS - 1)];
}

/* The power of two below the devices expected, 32 at least: one to two of them in a bucket. */
static inline unsigned expected_log2(const struct device_table *t)
{
	return 31u - (unsigned)__builtin_clz(t->expected | 32);
}

#define TABLE_LOG2(t) expected_log2(t)

/* uthash looks at these in HASH_ADD…(), where `t` is the table of devices. */
#undef HASH_INITIAL_NUM_BUCKETS
#undef HASH_INITIAL_NUM_BUCKETS_LOG2
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_INITIAL_NUM_BUCKETS      (1u << TABLE_LOG2(t))
#define HASH_INITIAL_NUM_BUCKETS_LOG2 TABLE_LOG2(t)
#define HASH_BKT_CAPACITY_THRESH      16u

/* For a table that has begun smaller: 1 if it grew. */
#define GROW_TABLE(t, hh, log2)                                                      \
	({                                                                           \
		bool grew_ = false;                                                  \
		while ((t)->hh && (t)->hh->hh.tbl->log2_num_buckets < (log2) &&      \
			!(t)->hh->hh.tbl->noexpand) {                                \
			HASH_EXPAND_BUCKETS(&(t)->hh->hh, (t)->hh->hh.tbl, unused_); \
			grew_ = true;                                                \
		}                                                                    \
		grew_;                                                               \
	})

bool device_ports_grow(struct device_table *t);

#endif
