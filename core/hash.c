/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "tap82/clock.h"
#include "tap82/hash.h"
#include "tap82/log.h"

uint64_t hash_secret;

void hash_init(void)
{
	if (hash_secret == 0 && getrandom(&hash_secret, sizeof(hash_secret), GRND_NONBLOCK) < 0)
		hash_secret = UINT64_C(0x2545f4914f6cdd1d); /* before the pool is ready: any */
}

#define HUGE_PAGE ((size_t)2 << 20)

void *hash_memory(size_t size)
{
	size_t rounded = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *p;

	if (size < HUGE_PAGE)
		return malloc(size);
	p = aligned_alloc(HUGE_PAGE, rounded);
	if (p)
		(void)madvise(
			p, rounded, MADV_HUGEPAGE); /* a wish: without it, it is only slower */
	return p;
}

/* --- Tables without memory ------------------------------------------------------------------- */

#define SLOTS	   128 /* two a table: there are some ten, and one a server */
#define SLOT_BYTES 512 /* uthash: a table, and its first 32 buckets */

/* Not touched, it takes nothing. */
static struct slot {
	_Alignas(16) char bytes[SLOT_BYTES];
} reserve[SLOTS];
static bool taken[SLOTS];

static void *take_reserve(void)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (taken[i])
			continue;
		taken[i] = true;
		return reserve[i].bytes;
	}
	log_error("out of memory: a table cannot be made");
	_exit(1);
}

void *hash_table_memory(size_t size)
{
	void *p = hash_memory(size);

	return p || size > SLOT_BYTES ? p : take_reserve();
}

void hash_table_free(void *p)
{
	struct slot *slot = p;

	if (slot >= reserve && slot < reserve + SLOTS)
		taken[slot - reserve] = false;
	else
		free(p);
}

void hash_cannot_grow(void)
{
	static struct log_limit limit = {.interval = 60 * USEC_PER_SEC, .burst = 1};

	if (log_limit_pass(&limit, clock_mono()))
		log_error("out of memory: a table cannot grow: it goes on, more slowly");
}
