/* SPDX-License-Identifier: ISC
 *
 * What a service tells its manager: sd_notify(3)'s protocol, one datagram to $NOTIFY_SOCKET.
 */
#ifndef TAP82_NOTIFY_H
#define TAP82_NOTIFY_H

#include <stdint.h>

/* Sends e.g. "READY=1"; does nothing where nobody wants to know. 0, or -errno. */
int notify_send(const char *state);
/* How often "WATCHDOG=1" is wanted, in microseconds: half of what kills us; 0: not at all. */
int64_t notify_watchdog(void);

#endif
