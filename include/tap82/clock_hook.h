/* SPDX-License-Identifier: ISC
 *
 * The wall clock set while the program runs, for tests only: TAP82_TEST_CLOCK=FILE in the
 * environment names a file with a number of microseconds in its first 20 characters, by which the
 * wall clock and packets' stamps are wrong, and which may be written over at any time. Who asks
 * first maps the file; processes forked from it see the same. In a build without TAP82_TEST_HOOKS
 * there is nothing of it.
 */
#ifndef TAP82_CLOCK_HOOK_H
#define TAP82_CLOCK_HOOK_H

#include <stdint.h>

#ifdef TAP82_TEST_HOOKS
int64_t clock_test_shift(void);
#else
static inline int64_t clock_test_shift(void)
{
	return 0;
}
#endif

#endif
