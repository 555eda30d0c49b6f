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

#endif
