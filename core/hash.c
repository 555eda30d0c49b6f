/* SPDX-License-Identifier: ISC */
#include <sys/random.h>

#include "tap82/hash.h"

uint64_t hash_secret;

void hash_init(void)
{
	if (hash_secret == 0 && getrandom(&hash_secret, sizeof(hash_secret), GRND_NONBLOCK) < 0)
		hash_secret = UINT64_C(0x2545f4914f6cdd1d); /* before the pool is ready: any */
}
