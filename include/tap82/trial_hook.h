/* SPDX-License-Identifier: ISC
 *
 * For tests only: with TAP82_TEST_TRIAL in the environment a process tries, once, from where it is
 * called and as it is then, what it must not be able to do, and writes to standard error what came
 * of each attempt:
 *
 *	trial WHO: read=EPERM write=EPERM inet=EPERM packet=EPERM exec=EPERM kill=EPERM …
 *
 * In a build without TAP82_TEST_HOOKS there is nothing of it.
 */
#ifndef TAP82_TRIAL_HOOK_H
#define TAP82_TRIAL_HOOK_H

#ifdef TAP82_TEST_HOOKS
void trial_hook(const char *who);
#else
static inline void trial_hook(const char *who)
{
	(void)who;
}
#endif

#endif
