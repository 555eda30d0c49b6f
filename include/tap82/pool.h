/* SPDX-License-Identifier: ISC
 *
 * A pool for many small blobs (texts, option 82 values): no header, a 4-byte handle each, freed
 * memory is used again for the same size. Blobs never move.
 */
#ifndef TAP82_POOL_H
#define TAP82_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_BLOB_MAX 2048

struct pool {
	uint8_t **chunks;
	uint32_t chunk_count, chunk_room;
	uint32_t used; /* granules of the last chunk */
	uint32_t free[POOL_BLOB_MAX / 8 + 1]; /* lists by size in granules */
};

void pool_init(struct pool *pool);
void pool_done(struct pool *pool);
/* A handle of `size` bytes (1..POOL_BLOB_MAX), never 0; 0 without memory. */
uint32_t pool_alloc(struct pool *pool, size_t size);
/* Gives back what pool_alloc() gave for this size; 0 is fine. */
void pool_free(struct pool *pool, uint32_t handle, size_t size);

#define POOL_CHUNK_BITS 18 /* granules: 2 MiB */

static inline void *pool_at(const struct pool *pool, uint32_t handle)
{
	uint32_t granule = handle & ((1u << POOL_CHUNK_BITS) - 1);

	return pool->chunks[handle >> POOL_CHUNK_BITS] + (size_t)granule * 8;
}

#endif
