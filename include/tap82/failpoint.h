/* SPDX-License-Identifier: ISC
 *
 * Failpoints, for tests only: TAP82_FAILPOINT=NAME:N in the environment makes the process kill
 * itself, as SIGKILL would, at the Nth passing of the place NAME. In a build without
 * TAP82_TEST_HOOKS there is nothing of it.
 *
 * Places, in the order of the work: observed (an observation was read), decided (the engine has
 * made up its mind), committed, sent (an order went to dhcpd), answered (dhcpd's answer was read),
 * recorded (a turn has told all it had to tell), written (the event log), delivered (a webhook).
 */
#ifndef TAP82_FAILPOINT_H
#define TAP82_FAILPOINT_H

#ifdef TAP82_TEST_HOOKS
void failpoint(const char *name);
#else
static inline void failpoint(const char *name)
{
	(void)name;
}
#endif

#endif
