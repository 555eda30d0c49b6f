/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

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

void hash_no_memory(void)
{
	log_error("out of memory: a table cannot grow");
	_exit(1);
}
