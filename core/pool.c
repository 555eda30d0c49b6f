/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "tap82/hash.h"
#include "tap82/pool.h"

#define CHUNK_GRANULES (1u << POOL_CHUNK_BITS)

void pool_init(struct pool *pool)
{
	*pool = (struct pool){0};
}

void pool_done(struct pool *pool)
{
	for (uint32_t i = 0; i < pool->chunk_count; i++)
		free(pool->chunks[i]);
	free(pool->chunks);
	pool_init(pool);
}

static int grow(struct pool *pool)
{
	uint8_t *chunk;

	if (pool->chunk_count == pool->chunk_room) {
		uint32_t room = pool->chunk_room ? 2 * pool->chunk_room : 16;
		uint8_t **chunks = realloc(pool->chunks, room * sizeof(*chunks));

		if (!chunks)
			return -1;
		pool->chunks = chunks;
		pool->chunk_room = room;
	}
	chunk = pool->chunk_count ? hash_memory((size_t)CHUNK_GRANULES * 8)
				  : malloc((size_t)CHUNK_GRANULES * 8);
	if (!chunk)
		return -1;
	pool->chunks[pool->chunk_count++] = chunk;
	pool->used = pool->chunk_count == 1; /* handle 0 is none */
	return 0;
}

uint32_t pool_alloc(struct pool *pool, size_t size)
{
	uint32_t granules = (uint32_t)((size + 7) / 8), handle;

	if (size == 0 || size > POOL_BLOB_MAX)
		return 0;
	handle = pool->free[granules];
	if (handle) {
		memcpy(&pool->free[granules], pool_at(pool, handle), sizeof(handle));
		return handle;
	}
	if ((pool->chunk_count == 0 || pool->used + granules > CHUNK_GRANULES) && grow(pool) < 0)
		return 0;
	handle = (pool->chunk_count - 1) << POOL_CHUNK_BITS | pool->used;
	pool->used += granules;
	return handle;
}

void pool_free(struct pool *pool, uint32_t handle, size_t size)
{
	uint32_t granules = (uint32_t)((size + 7) / 8);

	if (!handle)
		return;
	memcpy(pool_at(pool, handle), &pool->free[granules], sizeof(handle));
	pool->free[granules] = handle;
}
