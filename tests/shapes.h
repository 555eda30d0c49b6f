/* SPDX-License-Identifier: ISC
 *
 * Every shape that a datagram of ours may arrive in, with what is true of it by construction. The
 * frame decoder's, the kernel filter's and the live capture's tests all run over this table.
 */
#ifndef TESTS_SHAPES_H
#define TESTS_SHAPES_H

#include "tap82/frame.h"

#include "build_packet.h"

#define SHAPE_SRC	0x0a000002 /* of the innermost packet */
#define SHAPE_DST	0x0a010001
#define SHAPE_OUTER_SRC 0xc0000201
#define SHAPE_OUTER_DST 0xc0000202
#define SHAPE_PAYLOAD	300

struct shape {
	const char *name;
	void (*wrap)(struct build *b); /* around the innermost IPv4 packet, up to Ethernet */
	int vlan_count;
	uint16_t vlans[FRAME_VLANS_MAX];
	int encap_count;
	uint8_t encaps[FRAME_ENCAPS_MAX];
	unsigned tunnels; /* must be wanted for it to count */
};

/* The innermost packet around a payload, from port 67 to 67. */
static inline void shape_begin_with(struct build *b, const void *payload, size_t len)
{
	build_start(b, payload, len);
	build_udp(b, SHAPE_SRC, SHAPE_DST, 67, 67);
	build_ipv4(b, SHAPE_SRC, SHAPE_DST, 17);
}

/* The same around a pattern. */
static inline void shape_begin(struct build *b)
{
	uint8_t payload[SHAPE_PAYLOAD];

	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	shape_begin_with(b, payload, sizeof(payload));
}

static inline void shape_outer_ip(struct build *b, uint8_t protocol)
{
	build_ipv4(b, SHAPE_OUTER_SRC, SHAPE_OUTER_DST, protocol);
}

static inline void shape_outer_udp(struct build *b, uint16_t port)
{
	build_udp(b, SHAPE_OUTER_SRC, SHAPE_OUTER_DST, 50000, port);
	shape_outer_ip(b, 17);
}

static inline void shape_plain(struct build *b)
{
	build_ethernet(b);
}

static inline void shape_tagged(struct build *b)
{
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
}

static inline void shape_priority_tag(struct build *b)
{
	build_tag(b, 0x8100, 0xe000);
	build_ethernet(b);
}

static inline void shape_qinq(struct build *b)
{
	build_tag(b, 0x8100, 120);
	build_tag(b, 0x88a8, 7);
	build_ethernet(b);
}

static inline void shape_qinq_9100(struct build *b)
{
	build_tag(b, 0x8100, 120);
	build_tag(b, 0x9100, 0x2000 | 7);
	build_ethernet(b);
}

static inline void shape_four_tags(struct build *b)
{
	build_tag(b, 0x8100, 4);
	build_tag(b, 0x8100, 3);
	build_tag(b, 0x88a8, 2);
	build_tag(b, 0x88a8, 1);
	build_ethernet(b);
}

static inline void shape_llc(struct build *b)
{
	build_llc(b);
	build_ethernet(b);
}

static inline void shape_llc_in_tag(struct build *b)
{
	build_llc(b);
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
}

static inline void shape_ip_sap(struct build *b)
{
	memcpy(build_front(b, 3), "\x06\x06\x03", 3);
	b->type = (uint16_t)build_len(b);
	build_ethernet(b);
}

static inline void shape_mpls(struct build *b)
{
	build_mpls(b, 100);
	build_ethernet(b);
}

static inline void shape_mpls_stack_in_tag(struct build *b)
{
	build_mpls(b, 100);
	build_mpls(b, 200);
	build_mpls(b, 300);
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
}

/* A pseudowire's inner frame has its own tags (RFC 4448), the outer frame's don't count. */
static inline void shape_pseudowire(struct build *b)
{
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
	build_front(b, 4);
	build_mpls(b, 100);
	build_tag(b, 0x8100, 9);
	build_ethernet(b);
}

static inline void shape_pppoe(struct build *b)
{
	build_pppoe(b);
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
}

static inline void shape_gre(struct build *b)
{
	build_gre(b, 0);
	shape_outer_ip(b, 47);
	build_tag(b, 0x8100, 9);
	build_ethernet(b);
}

static inline void shape_gre_all_options(struct build *b)
{
	build_gre(b, 0xb000);
	shape_outer_ip(b, 47);
	build_ethernet(b);
}

static inline void shape_gretap(struct build *b)
{
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
	build_gre(b, 0x2000);
	shape_outer_ip(b, 47);
	build_ethernet(b);
}

static inline void shape_erspan1(struct build *b)
{
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
	b->type = 0x88be;
	build_gre(b, 0);
	shape_outer_ip(b, 47);
	build_ethernet(b);
}

static inline void shape_erspan2(struct build *b)
{
	build_ethernet(b);
	build_erspan(b, 1, 120);
	build_gre(b, 0x1000);
	shape_outer_ip(b, 47);
	build_ethernet(b);
}

static inline void shape_erspan2_tagged(struct build *b)
{
	build_tag(b, 0x8100, 7);
	build_ethernet(b);
	build_erspan(b, 1, 120);
	build_gre(b, 0x1000);
	shape_outer_ip(b, 47);
	build_ethernet(b);
}

static inline void shape_erspan3(struct build *b)
{
	build_ethernet(b);
	build_erspan(b, 2, 120);
	build_gre(b, 0x1000);
	shape_outer_ip(b, 47);
	build_tag(b, 0x8100, 9);
	build_ethernet(b);
}

static inline void shape_erspan3_platform(struct build *b)
{
	build_ethernet(b);
	build_front(b, 8);
	build_erspan(b, 2, 120);
	build_at(b, 0)[11] = 1;
	build_gre(b, 0x1000);
	shape_outer_ip(b, 47);
	build_ethernet(b);
}

static inline void shape_vxlan(struct build *b)
{
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
	build_vxlan(b, 5000);
	shape_outer_udp(b, 4789);
	build_ethernet(b);
}

static inline void shape_tzsp(struct build *b)
{
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
	build_tzsp(b);
	shape_outer_udp(b, 37008);
	build_ethernet(b);
}

static inline void shape_ipip(struct build *b)
{
	shape_outer_ip(b, 4);
	build_tag(b, 0x8100, 9);
	build_ethernet(b);
}

static inline void shape_vxlan_in_gretap(struct build *b)
{
	shape_vxlan(b);
	build_gre(b, 0);
	shape_outer_ip(b, 47);
	build_ethernet(b);
}

static inline void shape_trailer(struct build *b)
{
	build_ethernet(b);
	build_trailer(b, "padding and FCS", 15);
}

static inline void shape_mpls_pppoe_llc(struct build *b)
{
	build_pppoe(b);
	build_llc(b);
	build_ethernet(b);
	build_mpls(b, 0x50000);
	build_ethernet(b);
}

static const struct shape shapes[] = {
	{.name = "plain Ethernet", .wrap = shape_plain},
	{.name = "one tag", .wrap = shape_tagged, .vlan_count = 1, .vlans = {120}},
	{.name = "a priority tag", .wrap = shape_priority_tag, .vlan_count = 1, .vlans = {0}},
	{.name = "802.1ad and 802.1Q", .wrap = shape_qinq, .vlan_count = 2, .vlans = {7, 120}},
	{.name = "0x9100 and 802.1Q", .wrap = shape_qinq_9100, .vlan_count = 2, .vlans = {7, 120}},
	{.name = "four tags", .wrap = shape_four_tags, .vlan_count = 4, .vlans = {1, 2, 3, 4}},
	{.name = "LLC and SNAP", .wrap = shape_llc, .encap_count = 1, .encaps = {FRAME_LLC}},
	{.name = "LLC in a tag",
		.wrap = shape_llc_in_tag,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 1,
		.encaps = {FRAME_LLC}},
	{.name = "the IP SAP", .wrap = shape_ip_sap, .encap_count = 1, .encaps = {FRAME_LLC}},
	{.name = "MPLS", .wrap = shape_mpls, .encap_count = 1, .encaps = {FRAME_MPLS}},
	{.name = "three MPLS labels in a tag",
		.wrap = shape_mpls_stack_in_tag,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 1,
		.encaps = {FRAME_MPLS}},
	{.name = "a pseudowire",
		.wrap = shape_pseudowire,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 1,
		.encaps = {FRAME_MPLS}},
	{.name = "PPPoE in a tag",
		.wrap = shape_pppoe,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 1,
		.encaps = {FRAME_PPPOE}},
	{.name = "GRE",
		.wrap = shape_gre,
		.encap_count = 1,
		.encaps = {FRAME_GRE},
		.tunnels = FRAME_BIT(FRAME_GRE)},
	{.name = "GRE with checksum, key and sequence",
		.wrap = shape_gre_all_options,
		.encap_count = 1,
		.encaps = {FRAME_GRE},
		.tunnels = FRAME_BIT(FRAME_GRE)},
	{.name = "GRE with a tagged Ethernet frame",
		.wrap = shape_gretap,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 1,
		.encaps = {FRAME_GRE},
		.tunnels = FRAME_BIT(FRAME_GRE)},
	{.name = "ERSPAN type I",
		.wrap = shape_erspan1,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 2,
		.encaps = {FRAME_GRE, FRAME_ERSPAN},
		.tunnels = FRAME_BIT(FRAME_ERSPAN)},
	{.name = "ERSPAN type II",
		.wrap = shape_erspan2,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 2,
		.encaps = {FRAME_GRE, FRAME_ERSPAN},
		.tunnels = FRAME_BIT(FRAME_ERSPAN)},
	{.name = "ERSPAN type II with a tagged frame",
		.wrap = shape_erspan2_tagged,
		.vlan_count = 2,
		.vlans = {120, 7},
		.encap_count = 2,
		.encaps = {FRAME_GRE, FRAME_ERSPAN},
		.tunnels = FRAME_BIT(FRAME_ERSPAN)},
	{.name = "ERSPAN type III in a tag",
		.wrap = shape_erspan3,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 2,
		.encaps = {FRAME_GRE, FRAME_ERSPAN},
		.tunnels = FRAME_BIT(FRAME_ERSPAN)},
	{.name = "ERSPAN type III with a platform header",
		.wrap = shape_erspan3_platform,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 2,
		.encaps = {FRAME_GRE, FRAME_ERSPAN},
		.tunnels = FRAME_BIT(FRAME_ERSPAN)},
	{.name = "VXLAN",
		.wrap = shape_vxlan,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 1,
		.encaps = {FRAME_VXLAN},
		.tunnels = FRAME_BIT(FRAME_VXLAN)},
	{.name = "TZSP",
		.wrap = shape_tzsp,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 1,
		.encaps = {FRAME_TZSP},
		.tunnels = FRAME_BIT(FRAME_TZSP)},
	{.name = "IP in IP in a tag",
		.wrap = shape_ipip,
		.encap_count = 1,
		.encaps = {FRAME_IPIP},
		.tunnels = FRAME_BIT(FRAME_IPIP)},
	{.name = "VXLAN in GRE",
		.wrap = shape_vxlan_in_gretap,
		.vlan_count = 1,
		.vlans = {120},
		.encap_count = 2,
		.encaps = {FRAME_GRE, FRAME_VXLAN},
		.tunnels = FRAME_BIT(FRAME_GRE) | FRAME_BIT(FRAME_VXLAN)},
	{.name = "an Ethernet trailer", .wrap = shape_trailer},
	{.name = "PPPoE in SNAP in a pseudowire",
		.wrap = shape_mpls_pppoe_llc,
		.encap_count = 3,
		.encaps = {FRAME_MPLS, FRAME_LLC, FRAME_PPPOE}},
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static inline struct packet shape_packet(struct build *b, const struct shape *shape)
{
	shape_begin(b);
	shape->wrap(b);
	return (struct packet){.time = 1000000,
		.wire_len = (uint32_t)build_len(b),
		.len = (uint32_t)build_len(b),
		.link_type = 1,
		.bytes = build_bytes(b)};
}

#endif
