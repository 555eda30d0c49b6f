/* SPDX-License-Identifier: ISC
 *
 * The hash function of all uthash tables of the engine. Keyed with a secret of the process, so that
 * nobody who chooses MAC addresses or xids can make chains long. Include before uthash.h.
 */
#ifndef TAP82_HASH_H
#define TAP82_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Set once, before the first table is made; zero until then. */
extern uint64_t hash_secret;
void hash_init(void);

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t hash_more(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = hash_mix(h ^ word, UINT64_C(0x9e3779b97f4a7c15));
	}
	word = (uint64_t)len << 56;
	memcpy(&word, p, len);
	return hash_mix(h ^ word, UINT64_C(0xa0761d6478bd642f));
}

static inline unsigned hash_bytes(const void *bytes, size_t len)
{
	return (unsigned)hash_more(hash_secret, bytes, len);
}

/* Memory of tables: large pieces on huge pages, for a million entries are found by addresses all
 * over it. Aligned to 64 bytes and more. NULL without memory; free() it. */
void *hash_memory(size_t size);

/* A table never refuses an entry for want of memory: what a new one begins with comes from a
 * reserve then, and one that cannot grow takes entries all the same, in longer chains, and tries
 * again with the next. Both are logged. Only without a reserve for a new table the process ends. */
void *hash_table_memory(size_t size);
void hash_table_free(void *p);
void hash_cannot_grow(void);

#define uthash_fatal(msg)		 hash_cannot_grow()
#define uthash_malloc(size)		 hash_table_memory(size)
#define uthash_free(ptr, size)		 hash_table_free(ptr)
#define HASH_FUNCTION(bytes, len, hashv) ((hashv) = hash_bytes((bytes), (len)))

#endif
