/* SPDX-License-Identifier: ISC
 *
 * How much may be asked of a dhcpd at once. Three limits, all found on the real one (4.4.3-P1),
 * whose connection buffers are rings of 4048 bytes, taken anew when they have become empty:
 *
 * - When the signature length of a signed message, its first signed field, lies across the end of
 *   a buffer, dhcpd aborts (omapip/buffer.c: copyout and copyin start the HMAC twice).
 * - When what it has read ends exactly at the end of the ring, signed or not, dhcpd reads on - and
 *   its sockets block: no DHCP either until more bytes come (omapi_connection_reader).
 * - It writes to a blocking socket too: who lets answers pile up stops it.
 *
 * So a batch is sent only when all replies to the one before have come - the buffers are empty
 * then - and neither its requests nor the replies to them may be more than one buffer. A reply of
 * unknown size may only be the last. A request that is larger by itself is not sent at all.
 *
 * It answers DHCP only between two reads, and each write of a host or lease is an fsync: a batch
 * is kept to a time, learnt from how long the last ones took.
 *
 * No sockets, no clock here.
 */
#ifndef TAP82_OMAPI_BATCH_H
#define TAP82_OMAPI_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OMAPI_BUFFER_BYTES 4047 /* what a buffer of dhcpd's holds */

/* What an operation costs dhcpd, microseconds, learnt. */
struct omapi_pace {
	int64_t read_cost, write_cost;
};

/* Slow start: a quarter of `batch_time` is assumed for a write. */
void omapi_pace_init(struct omapi_pace *pace, int64_t batch_time);
/* What `writes` (0: a lookup) will cost. */
int64_t omapi_pace_cost(const struct omapi_pace *pace, unsigned writes);
/* A group of so many lookups and writes took `elapsed`. */
void omapi_pace_learn(struct omapi_pace *pace, int64_t elapsed, unsigned lookups, unsigned writes);
/* No answer came for `elapsed`: writes cost more than was thought. */
void omapi_pace_stalled(struct omapi_pace *pace, int64_t elapsed, unsigned requests);

struct omapi_batch {
	size_t requests, replies; /* bytes */
	int64_t cost;
	unsigned count;
	bool closed; /* nothing may follow what is in it */
};

/* Whether one more fits the batch; counted if so. The first one always does. `reply` 0: its size
 * cannot be known. Sizes are with signatures; `request` is at most OMAPI_BUFFER_BYTES. */
bool omapi_batch_take(
	struct omapi_batch *batch, int64_t batch_time, size_t request, size_t reply, int64_t cost);
#endif
