/* SPDX-License-Identifier: ISC
 *
 * The sniffer process, one for each [capture]: opens the capture, locks itself in, and sends
 * observations. The engine makes a socket pair (AF_UNIX, SOCK_SEQPACKET), forks, and calls
 * sniffer_run() in the child; the other end it reads, one observation a message, and passes each to
 * observation_check().
 *
 * The talk: the first message is an OBSERVATION_STATUS: `open`, or `failed` with a text that says
 * why the capture can't be opened; then DHCP and RADIUS observations as they happen and
 * OBSERVATION_COUNTERS about once a second while they change. Where a capture ends later (interface
 * gone or down), a `failed` status is the last message. The end of the stream without one: it was
 * killed (waitpid() tells by what). Either way the engine starts another, with back-off. A file
 * that was read to its end is `ended`: no other is to be started.
 *
 * For a slow engine the sniffer keeps a queue, and behind that the kernel's ring fills: nothing is
 * lost while they last. A queue that is full lets the oldest renewals go, which repeat, and counts
 * them; never a first ACK.
 * The sniffer ends when the engine closes its end or sends SIGTERM.
 *
 * The child of a fork has what its parent had in memory. The parent keeps secrets in memory marked
 * MADV_WIPEONFORK, or forks before it reads them.
 */
#ifndef TAP82_SNIFFER_H
#define TAP82_SNIFFER_H

#include <stdint.h>

#include "tap82/frame.h"

struct message_decoder;

struct sniffer_config {
	const char *name; /* of the [capture] section */
	const char *interface; /* one of these two, the other NULL */
	const char *file; /* a capture file, read once, as fast as the engine takes it */
	uint64_t buffer; /* bytes of ring */
	struct frame_want want; /* `vlan`, `tunnels` */
	const char *user; /* who to become when root; NULL: stay (no change of uid) */
	int opener; /* where packet sockets come from (packet_socket.h); 0: the kernel */
	struct message_decoder *messages; /* prepared by the caller; the child uses its copy */
};

enum sniffer_exit {
	SNIFFER_EXIT_STOPPED = 0, /* asked to, or the file was read to its end */
	SNIFFER_EXIT_OPEN = 10, /* the capture could not be opened */
	SNIFFER_EXIT_LOST = 11, /* it was open and ended: interface down, removed, renamed */
	SNIFFER_EXIT_SANDBOX = 12, /* could not lock itself in: it refuses to look at packets */
	SNIFFER_EXIT_ENGINE = 13, /* the engine's end failed */
};

/* The whole life of the process; the caller passes the result to _exit(). Closes every descriptor
 * but 0, 1, 2 and `fd`, replaces signal handlers. Blocks until it is over. */
int sniffer_run(const struct sniffer_config *config, int fd);

#endif
