/* SPDX-License-Identifier: ISC
 *
 * Locks a sniffer in, once its capture is open and before it looks at the first packet.
 */
#ifndef TAP82_SANDBOX_H
#define TAP82_SANDBOX_H

#include <stddef.h>

/* From here on: uid and gid of `user` (root only; NULL or not root: no change), no capabilities
 * and no way to gain any, no new descriptors, no processes, a bound on memory, no core dump, an
 * empty network namespace and no file system where the kernel has namespaces and Landlock for us,
 * and a list of allowed system calls: any other fails with EPERM. Descriptors that are open stay.
 * 0, or negative and the step that failed in `ret_step`. A step the kernel doesn't have is no
 * failure if it only doubles another (namespaces, Landlock). */
int sandbox_enter(const char *user, const char **ret_step);

/* The list of system calls of the process that starts sniffers: what a sniffer's has, what opening
 * a capture and sandbox_enter() need, and fork. No program can be executed, no file be opened but
 * for reading, no process be signalled, no socket be made but packet, netlink and Unix ones, and
 * none connected. 0, or negative. */
int sandbox_restrict_starter(void);

/* The same for the process that only makes packet sockets for others, and no new privileges. */
int sandbox_restrict_opener(void);

/* Closes every descriptor but 0, 1, 2, `fd` and `other` (0: none). */
void sandbox_close_all_but(int fd, int other);

#endif
