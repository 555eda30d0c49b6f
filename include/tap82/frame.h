/* SPDX-License-Identifier: ISC
 *
 * From a captured packet to a UDP datagram: link layers, tags, tunnels, IPv4, fragments.
 */
#ifndef TAP82_FRAME_H
#define TAP82_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/buf.h"

#define FRAME_VLANS_MAX	 8
#define FRAME_ENCAPS_MAX 8

/* What a packet was wrapped in, from the outside in (contract of `decode`: field `encap`). */
enum frame_encap {
	FRAME_MPLS = 1,
	FRAME_PPPOE,
	FRAME_LLC,
	FRAME_GRE,
	FRAME_ERSPAN,
	FRAME_VXLAN,
	FRAME_TZSP,
	FRAME_IPIP,
};

/* What is wrong below the message; bits (contract of `decode`: field `damaged`). */
enum frame_damage {
	FRAME_SNAPPED = 1 << 0, /* the capture holds less than was on the wire */
	FRAME_UDP_LENGTH = 1 << 1, /* the UDP length lies */
	FRAME_IP_LENGTH = 1 << 2, /* the IP length lies */
	FRAME_UDP_CHECKSUM = 1 << 3, /* wrong (0 is none, and right) */
	FRAME_IP_CHECKSUM = 1 << 4,
	FRAME_FRAGMENTS = 1 << 5, /* fragments overlap or one is missing */
};

/* A captured packet; the bytes belong to the capture and live until its next read. */
struct packet {
	int64_t time; /* microseconds since 1970 */
	uint32_t wire_len; /* bytes on the wire */
	uint32_t len; /* bytes here */
	int link_type; /* LINKTYPE_ / DLT_ value */
	const uint8_t *bytes;
};

/* A UDP datagram on one of our ports; pointers live as long as the packet's (or, reassembled,
 * until the next call). */
struct datagram {
	int64_t time;
	uint32_t src, dst; /* host order */
	uint16_t sport, dport;
	struct buf payload;
	uint8_t vlan_count, encap_count;
	uint8_t damaged; /* enum frame_damage bits */
	uint16_t vlans[FRAME_VLANS_MAX]; /* outermost first, priority tags as 0 */
	uint8_t encaps[FRAME_ENCAPS_MAX]; /* enum frame_encap */
};

/* Which frames count: a [capture] section's `vlan` and `tunnels`. All zeros: any VLAN or none, and
 * no tunnel. MPLS, PPPoE and LLC are no tunnels: they always count. */
#define FRAME_BIT(encap) (1u << (encap))
#define FRAME_TUNNELS_ALL                                                          \
	(FRAME_BIT(FRAME_GRE) | FRAME_BIT(FRAME_ERSPAN) | FRAME_BIT(FRAME_VXLAN) | \
		FRAME_BIT(FRAME_TZSP) | FRAME_BIT(FRAME_IPIP))

struct frame_want {
	unsigned tunnels; /* FRAME_BIT()s. ERSPAN brings the GRE that carries it */
	bool by_vlan; /* set by frame_want_vlan(): only frames with one of `vlans` in their tags */
	uint64_t vlans[64]; /* a bit for each VLAN, 0..4095 */
};

static inline void frame_want_vlan(struct frame_want *want, uint16_t vlan)
{
	want->by_vlan = true;
	want->vlans[(vlan & 0xfff) >> 6] |= UINT64_C(1) << (vlan & 63);
}

static inline bool frame_wants_vlan(const struct frame_want *want, uint16_t vlan)
{
	return want->vlans[(vlan & 0xfff) >> 6] >> (vlan & 63) & 1;
}

/* Whether a capture with this `want` would take the datagram: one of its VLANs is anywhere among
 * datagram.vlans, and all tunnels that it came through are wanted. */
bool frame_want_takes(const struct frame_want *want, const struct datagram *datagram);

/* "gre", "erspan", "vxlan", "tzsp", "ipip" to its FRAME_BIT. 0, or ERR_NOT_FOUND. */
int frame_tunnel_parse(const char *name, unsigned *ret_bit);
/* The contract's words; NULL for no such value. `damage` is one bit. */
const char *frame_encap_name(unsigned encap);
const char *frame_damage_name(unsigned damage);

struct reassembly;

/* A packet that is kept, and the next one of its list. */
struct packet_copy {
	struct packet_copy *next;
	uint64_t serial; /* where in the order it came */
	struct packet packet; /* its bytes are those below */
	uint8_t bytes[];
};

/* The state between packets: fragments that wait for others, and totals. */
struct frame_decoder {
	struct frame_want want;
	struct reassembly *reassembly; /* owned */
	uint64_t fragments; /* IPv4 fragments seen */
	uint64_t reassembled; /* datagrams joined from them */
	uint64_t damaged; /* datagrams given with a damage bit */
	/* Set it to get the packets of a datagram that came in fragments (`decode -w`): */
	bool keep_packets;
	/* all of them, in the order they came, until the next call; NULL: the datagram is of the
	 * one packet that was given. Owned. */
	struct packet_copy *packets;
};

/* 0, or -ENOMEM. `want` is copied; NULL: every tunnel and every VLAN (decode). */
int frame_decoder_init(struct frame_decoder *decoder, const struct frame_want *want);
void frame_decoder_done(struct frame_decoder *decoder);

/* Strips what the packet is wrapped in. 1: `ret_datagram` is a UDP datagram on one of our ports
 * (RFC 2131, 8357: a port on either side), whole or `damaged`. 0: it is something else, or a
 * fragment that waits. The datagram lives as long as the packet and until the next call.
 * RFC 791, 768, 894, 1042, 2784, 2890, 3032, 2516, 7348; IEEE 802.1Q. */
int frame_decode(
	struct frame_decoder *decoder, const struct packet *packet, struct datagram *ret_datagram);

/* Hands out, damaged, one datagram of which the beginning but not all fragments had come by time
 * `before` (INT64_MAX at the end of a file). 1, or 0: none left. It carries the time of its last
 * fragment. Such datagrams are forgotten after FRAME_FRAGMENT_TIME where nobody asks. */
int frame_flush(struct frame_decoder *decoder, int64_t before, struct datagram *ret_datagram);

#define FRAME_FRAGMENT_TIME \
	(30 * INT64_C(1000000)) /* microseconds; RFC 1122 3.3.2 asks for a limit */

#endif
