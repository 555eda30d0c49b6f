/* SPDX-License-Identifier: ISC
 *
 * Messages that hand over a descriptor, on a Unix socket of kind SOCK_SEQPACKET (unix(7),
 * SCM_RIGHTS).
 */
#ifndef TAP82_PASS_H
#define TAP82_PASS_H

#include <stddef.h>

/* Sends `size` bytes, and a copy of `fd` with them (negative: none). 0 or -errno. */
int pass_send(int to, const void *bytes, size_t size, int fd);
/* The next message, which must have `size` bytes. 1: it is there, and `ret_fd` the caller's
 * descriptor, close-on-exec, or -1; 0: none now (flags with MSG_DONTWAIT), or interrupted;
 * ERR_CLOSED: the other end is closed, or it was of another size. */
int pass_receive(int from, void *bytes, size_t size, int flags, int *ret_fd);

#endif
