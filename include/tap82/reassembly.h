/* SPDX-License-Identifier: ISC
 *
 * IPv4 fragments (RFC 791 3.2, RFC 815) to whole datagrams, in any order, in bounded memory and
 * bounded time per fragment.
 *
 * Where fragments overlap, the bytes that came first count and the datagram is `damaged`: an exact
 * repetition of a fragment is no overlap. The clock is that of the packets.
 */
#ifndef TAP82_REASSEMBLY_H
#define TAP82_REASSEMBLY_H

#include "tap82/frame.h"

#define REASSEMBLY_FLOWS_MAX   512 /* datagrams under way; then the one silent longest goes */
#define REASSEMBLY_BYTES_MAX   (4u << 20) /* held by all of them */
#define REASSEMBLY_PACKETS_MAX (16u << 20) /* bytes of whole packets, where those are kept */

/* A fragment: what its header says, and the bytes after the header that are there. */
struct fragment {
	uint16_t id;
	uint8_t protocol;
	uint16_t at; /* offset in the datagram, bytes */
	uint16_t claimed; /* bytes the header claims; more than `payload` holds if it was cut */
	bool more;
	struct buf payload;
	/* Where it was seen: addresses, tags, tunnels and damage so far; time. The addresses, tags
	 * and tunnels are part of what makes fragments belong together. */
	const struct datagram *place;
	/* The packets it is made of; NULL: they are not kept. reassembly_add() takes them over. */
	struct packet_copy *packets;
};

struct reassembly *reassembly_new(void); /* NULL without memory */
void reassembly_free(struct reassembly *r); /* NULL is fine */

/* Adds one. 1: a datagram is whole; `ret_payload` is what came after its IP header, valid until
 * the next call, and `ret_damaged` the damage bits of all its fragments. 0: it waits. */
int reassembly_add(struct reassembly *r, const struct fragment *fragment, struct buf *ret_payload,
	uint8_t *ret_damaged);

/* Takes out one that has its beginning and has waited since before `before`: its place (with the
 * damage bits and the last fragment's time), protocol, and the bytes from its start up to the
 * first gap. 1, or 0: none. */
int reassembly_flush(struct reassembly *r, int64_t before, struct datagram *ret_place,
	uint8_t *ret_protocol, struct buf *ret_payload);

/* The packets that the datagram given last was made of, now the caller's; NULL if none were
 * kept. */
struct packet_copy *reassembly_take_packets(struct reassembly *r);

#endif
