/* SPDX-License-Identifier: ISC
 *
 * For tests only: in a build with TAP82_TEST_HOOKS a DHCP message with the transaction id
 * 0xdeadc0de kills the process that decodes it, as a packet may that finds a fault in a decoder.
 * In other builds there is nothing of it.
 */
#ifndef SNIFFER_CRASH_HOOK_H
#define SNIFFER_CRASH_HOOK_H

#include "tap82/frame.h"

#ifdef TAP82_TEST_HOOKS
static inline void crash_hook(const struct datagram *d)
{
	struct buf b = d->payload;

	buf_skip(&b, 4);
	if (buf_u32(&b) == 0xdeadc0de)
		__builtin_trap();
}
#else
static inline void crash_hook(const struct datagram *d)
{
	(void)d;
}
#endif

#endif
