/* SPDX-License-Identifier: ISC
 *
 * Live captures: a ring in the kernel, filled through a kernel filter (libpcap).
 */
#ifndef TAP82_CAPTURE_H
#define TAP82_CAPTURE_H

#include <stdint.h>

#include "tap82/capture_file.h"
#include "tap82/frame.h"

struct capture;

struct capture_totals {
	uint64_t received; /* ps_recv: passed the kernel filter */
	uint64_t dropped; /* ps_drop: the ring was full */
	uint64_t interface_dropped; /* ps_ifdrop */
};

/* Opens `interface` promiscuously with a ring of `buffer` bytes and the kernel filter for `want`
 * (NULL: every tunnel, every VLAN). Needs CAP_NET_RAW. 0, or negative: `error` then holds
 * "<interface>: <what is wrong>: <cause>"; -ENODEV, -EPERM, -ENETDOWN are told apart. */
int capture_open(const char *interface, uint64_t buffer, const struct frame_want *want,
	char error[CAPTURE_ERROR_MAX], struct capture **ret_capture);
void capture_close(struct capture *capture); /* NULL is fine */

/* Readable when packets wait. Poll it, then read. */
int capture_fd(const struct capture *capture);

typedef void (*capture_fn)(void *ctx, const struct packet *packet);

/* Calls `fn` for each packet that waits, about `max` at most; never blocks. The number of packets,
 * or negative: the interface is gone or down (capture_error() says what). */
int capture_read(struct capture *capture, int max, capture_fn fn, void *ctx);
const char *capture_error(const struct capture *capture);

/* Totals since it was opened. 0, or negative. */
int capture_stats(struct capture *capture, struct capture_totals *ret_totals);
/* Whether the interface that was opened is still there, up, and of the same name. 0, or negative
 * and capture_error() says what. Needs no privilege and no new descriptor. */
int capture_check(struct capture *capture);

#endif
