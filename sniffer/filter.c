/* SPDX-License-Identifier: ISC
 *
 * The kernel filter, generated. Register X is where the walk stands, as frame.c's cursor does; A
 * and a few cells of memory are scratch. Classic BPF jumps forward only, so a level of the walk
 * (Ethernet, tags, MPLS, PPPoE, LLC, IPv4, UDP, tunnels) is written out once, and once more for
 * what is inside a tunnel. What is deeper, or has more tags than are looked at, passes: the filter
 * may let through too much but never too little. A load behind the end of a frame drops it.
 */
#include <linux/filter.h>
#include <stddef.h>

#include "tap82/err.h"
#include "tap82/filter.h"

#include "frame_types.h"

#define LEVELS	   2 /* the frame and what one tunnel holds */
#define TAGS	   6 /* looked at in a frame */
#define LABELS	   8 /* MPLS labels looked at */
#define VLANS_MAX  48 /* compared in the kernel; with more, tags are looked at above only */
#define JUMPS_MAX  2048
#define PLACES_MAX 512

enum cell { CELL_TYPE, CELL_GRE, CELL_VLAN };

struct generator {
	struct filter_insn *program;
	int count;
	bool full;
	bool by_vlan; /* and few enough of them */
	const struct frame_want *want;
	uint32_t base; /* added to each offset: cooked captures have a header that isn't there */
	int16_t jump_at[JUMPS_MAX], jump_to[JUMPS_MAX]; /* instruction, label */
	int jumps;
	int16_t places[PLACES_MAX]; /* of labels */
	int labels;
	int accept, accept_in_vlan, drop; /* labels */
};

/* Where a level can be entered. */
struct level {
	int ethernet, type, ip;
};

/* --- The assembler ---------------------------------------------------------------------------- */

static void emit(struct generator *g, unsigned code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (g->count == FILTER_MAX) {
		g->full = true;
		return;
	}
	g->program[g->count++] =
		(struct filter_insn){.code = (uint16_t)code, .jt = jt, .jf = jf, .k = k};
}

static void op(struct generator *g, unsigned code, uint32_t k)
{
	emit(g, code, k, 0, 0);
}

static int label(struct generator *g)
{
	if (g->labels == PLACES_MAX) {
		g->full = true;
		return 0;
	}
	return g->labels++;
}

static void place(struct generator *g, int at)
{
	g->places[at] = (int16_t)g->count;
}

static void jump(struct generator *g, int to)
{
	if (g->jumps == JUMPS_MAX) {
		g->full = true;
		return;
	}
	g->jump_at[g->jumps] = (int16_t)g->count;
	g->jump_to[g->jumps++] = (int16_t)to;
	op(g, BPF_JMP | BPF_JA, 0);
}

/* Conditional jumps reach 255 instructions: over one that reaches all is always near enough. */
static void jump_if(struct generator *g, unsigned test, uint32_t k, int to)
{
	emit(g, BPF_JMP | BPF_K | test, k, 0, 1);
	jump(g, to);
}

static void jump_unless(struct generator *g, unsigned test, uint32_t k, int to)
{
	emit(g, BPF_JMP | BPF_K | test, k, 1, 0);
	jump(g, to);
}

static void resolve_jumps(struct generator *g)
{
	for (int i = 0; i < g->jumps; i++)
		g->program[g->jump_at[i]].k =
			(uint32_t)(g->places[g->jump_to[i]] - g->jump_at[i] - 1);
}

/* A = the byte or 16 bits `at` places behind X. */
static void load8(struct generator *g, uint32_t at)
{
	op(g, BPF_LD | BPF_B | BPF_IND, g->base + at);
}

static void load16(struct generator *g, uint32_t at)
{
	op(g, BPF_LD | BPF_H | BPF_IND, g->base + at);
}

static void keep(struct generator *g, enum cell cell)
{
	op(g, BPF_ST, cell);
}

static void recall(struct generator *g, enum cell cell)
{
	op(g, BPF_LD | BPF_MEM, cell);
}

static void advance(struct generator *g, uint32_t n)
{
	op(g, BPF_MISC | BPF_TXA, 0);
	op(g, BPF_ALU | BPF_ADD | BPF_K, n);
	op(g, BPF_MISC | BPF_TAX, 0);
}

/* --- VLANs ------------------------------------------------------------------------------------ */

static void forget_vlans(struct generator *g)
{
	if (!g->by_vlan)
		return;
	op(g, BPF_LD | BPF_IMM, 0);
	keep(g, CELL_VLAN);
}

/* A holds tag control information: notes whether its VLAN is wanted. */
static void note_vlan(struct generator *g)
{
	int found = label(g), end = label(g);

	op(g, BPF_ALU | BPF_AND | BPF_K, 0xfff);
	for (unsigned vlan = 0; vlan < 4096; vlan++)
		if (frame_wants_vlan(g->want, (uint16_t)vlan))
			jump_if(g, BPF_JEQ, vlan, found);
	jump(g, end);
	place(g, found);
	op(g, BPF_LD | BPF_IMM, 1);
	keep(g, CELL_VLAN);
	place(g, end);
}

/* The outermost tag, where the card or the kernel has taken it out of the bytes. Loaded as a byte,
 * though it gives 16 bits: the kernel takes any width, but libpcap, which runs the program itself
 * on what was in the ring before the filter was set, knows the place only so. */
static void note_stripped_vlan(struct generator *g)
{
	int none = label(g);

	if (!g->by_vlan)
		return;
	forget_vlans(g);
	op(g, BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	jump_if(g, BPF_JEQ, 0, none);
	op(g, BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG));
	note_vlan(g);
	place(g, none);
}

static void note_vlan_at(struct generator *g, uint32_t at)
{
	if (!g->by_vlan)
		return;
	load16(g, at);
	note_vlan(g);
}

/* --- One level of the walk -------------------------------------------------------------------- */

static const uint16_t tag_types[] = {
	ETHERTYPE_8021Q, ETHERTYPE_8021AD, ETHERTYPE_9100, ETHERTYPE_9200, ETHERTYPE_9300};

static void jump_if_tag(struct generator *g, int to)
{
	for (size_t i = 0; i < sizeof(tag_types) / sizeof(tag_types[0]); i++)
		jump_if(g, BPF_JEQ, tag_types[i], to);
}

/* A is the type of what begins at X: goes over tags. */
static void write_tags(struct generator *g)
{
	int end = label(g);

	for (int i = 0; i < TAGS; i++) {
		int tag = label(g);

		jump_if_tag(g, tag);
		jump(g, end);
		place(g, tag);
		note_vlan_at(g, 0);
		load16(g, 2);
		keep(g, CELL_TYPE);
		advance(g, 4);
		recall(g, CELL_TYPE);
	}
	jump_if_tag(g, g->accept);
	place(g, end);
}

static void write_mpls(struct generator *g, const struct level *inner, int ip)
{
	int bottom = label(g);

	for (int i = 0; i < LABELS; i++) {
		load8(g, 2);
		keep(g, CELL_TYPE);
		advance(g, 4);
		recall(g, CELL_TYPE);
		jump_if(g, BPF_JSET, 1, bottom);
	}
	jump(g, g->accept);
	place(g, bottom);
	load8(g, 0);
	op(g, BPF_ALU | BPF_RSH | BPF_K, 4);
	jump_if(g, BPF_JEQ, 4, ip);
	load16(g, 0);
	jump_unless(g, BPF_JEQ, 0, inner->ethernet); /* no control word */
	advance(g, 4);
	jump(g, inner->ethernet);
}

/* A PPP protocol number at X, of one byte or two. */
static void write_ppp(struct generator *g, int mpls, int ip)
{
	int two = label(g), ip_after_two = label(g);

	load8(g, 0);
	jump_unless(g, BPF_JSET, 1, two);
	jump_unless(g, BPF_JEQ, PPP_IPV4, g->drop);
	advance(g, 1);
	jump(g, ip);
	place(g, two);
	load16(g, 0);
	jump_if(g, BPF_JEQ, PPP_IPV4, ip_after_two);
	jump_unless(g, BPF_JEQ, PPP_MPLS, g->drop);
	if (mpls >= 0)
		jump(g, mpls);
	else
		jump(g, g->accept);
	place(g, ip_after_two);
	advance(g, 2);
	jump(g, ip);
}

static void write_pppoe(struct generator *g, int ip)
{
	load16(g, 0);
	jump_unless(g, BPF_JEQ, 0x1100, g->drop);
	advance(g, 6);
	write_ppp(g, -1, ip);
}

/* Rare types in SNAP pass unseen. */
static void write_llc(struct generator *g, int ip)
{
	int snap = label(g), ip_after_snap = label(g);

	load8(g, 2);
	jump_unless(g, BPF_JEQ, 3, g->drop);
	load16(g, 0);
	jump_if(g, BPF_JEQ, LLC_SAPS_SNAP, snap);
	jump_unless(g, BPF_JEQ, LLC_SAPS_IP, g->drop);
	advance(g, 3);
	jump(g, ip);
	place(g, snap);
	load16(g, 6);
	jump_if(g, BPF_JEQ, ETHERTYPE_IPV4, ip_after_snap);
	jump_if_tag(g, g->accept);
	jump_if(g, BPF_JEQ, ETHERTYPE_MPLS, g->accept);
	jump_if(g, BPF_JEQ, ETHERTYPE_MPLS_UPSTREAM, g->accept);
	jump_if(g, BPF_JEQ, ETHERTYPE_PPPOE, g->accept);
	jump(g, g->drop);
	place(g, ip_after_snap);
	advance(g, 8);
	jump(g, ip);
}

static bool wants(const struct generator *g, enum frame_encap encap)
{
	return g->want->tunnels & FRAME_BIT(encap);
}

/* What ERSPAN's header says of its length, and its VLAN. */
static void write_erspan(struct generator *g, const struct level *inner)
{
	int third = label(g), plain = label(g), with_header = label(g);

	jump_if(g, BPF_JEQ, ETHERTYPE_ERSPAN3, third);
	recall(g, CELL_GRE);
	jump_unless(g, BPF_JSET, GRE_SEQUENCE, inner->ethernet);
	note_vlan_at(g, 0);
	advance(g, 8);
	jump(g, with_header);
	place(g, third);
	note_vlan_at(g, 0);
	load16(g, 10);
	jump_if(g, BPF_JSET, 2u << 10, g->accept); /* IP without Ethernet, as frame type */
	jump_unless(g, BPF_JSET, 1, plain);
	advance(g, 8);
	place(g, plain);
	advance(g, 12);
	place(g, with_header);
	load16(g, 12);
	keep(g, CELL_TYPE);
	advance(g, 14);
	recall(g, CELL_TYPE);
	jump(g, inner->type);
}

static void write_gre_option(struct generator *g, unsigned flag)
{
	int none = label(g);

	recall(g, CELL_GRE);
	jump_unless(g, BPF_JSET, flag, none);
	advance(g, 4);
	place(g, none);
}

static void write_gre(struct generator *g, const struct level *inner)
{
	int erspan = label(g);

	load16(g, 0);
	keep(g, CELL_GRE);
	jump_if(g, BPF_JSET, GRE_ROUTING | GRE_VERSION, g->drop);
	load16(g, 2);
	keep(g, CELL_TYPE);
	advance(g, 4);
	write_gre_option(g, GRE_CHECKSUM);
	write_gre_option(g, GRE_KEY);
	write_gre_option(g, GRE_SEQUENCE);
	forget_vlans(g);
	recall(g, CELL_TYPE);
	if (wants(g, FRAME_ERSPAN)) {
		jump_if(g, BPF_JEQ, ETHERTYPE_ERSPAN2, erspan);
		jump_if(g, BPF_JEQ, ETHERTYPE_ERSPAN3, erspan);
	}
	if (wants(g, FRAME_GRE)) {
		jump_if(g, BPF_JEQ, ETHERTYPE_TEB, inner->ethernet);
		jump(g, inner->type);
	}
	jump(g, g->drop);
	place(g, erspan);
	write_erspan(g, inner);
}

/* A is a port. Most traffic that is not ours has high ports: one comparison. */
static void jump_if_our_port(struct generator *g, int to)
{
	static const uint16_t ports[] = {67, 68, 1645, 1646, 1700, 1812, 1813, 3799, 4011};
	int high = label(g);

	jump_if(g, BPF_JGT, 4011, high);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		jump_if(g, BPF_JEQ, ports[i], to);
	place(g, high);
}

static void write_tzsp(struct generator *g, const struct level *inner)
{
	load8(g, UDP_HEADER + 4);
	jump_unless(g, BPF_JEQ, 1, g->accept); /* other tags than the end: seldom */
	advance(g, UDP_HEADER + 5);
	jump(g, inner->ethernet);
}

/* X is at the UDP header; the first fragment of a tunnel passes as its other fragments do. */
static void write_udp_ports(struct generator *g, const struct level *inner)
{
	int vxlan = label(g), tzsp = label(g);

	load16(g, 2);
	if (wants(g, FRAME_VXLAN))
		jump_if(g, BPF_JEQ, PORT_VXLAN, vxlan);
	if (wants(g, FRAME_TZSP))
		jump_if(g, BPF_JEQ, PORT_TZSP, tzsp);
	jump_if_our_port(g, g->accept_in_vlan);
	load16(g, 0);
	jump_if_our_port(g, g->accept_in_vlan);
	jump(g, g->drop);
	place(g, vxlan);
	recall(g, CELL_TYPE);
	jump_if(g, BPF_JSET, IP_MORE, g->accept);
	advance(g, UDP_HEADER + 8);
	jump(g, inner->ethernet);
	place(g, tzsp);
	recall(g, CELL_TYPE);
	jump_if(g, BPF_JSET, IP_MORE, g->accept);
	write_tzsp(g, inner);
}

static void skip_ip_header(struct generator *g)
{
	load8(g, 0);
	op(g, BPF_ALU | BPF_AND | BPF_K, 15);
	op(g, BPF_ALU | BPF_LSH | BPF_K, 2);
	op(g, BPF_ALU | BPF_ADD | BPF_X, 0);
	op(g, BPF_MISC | BPF_TAX, 0);
}

/* UDP: what is behind a later fragment's header can't be known, so it passes. */
static void write_udp(struct generator *g, const struct level *inner)
{
	bool may_be_tunnel = wants(g, FRAME_VXLAN) || wants(g, FRAME_TZSP);

	load16(g, 6);
	keep(g, CELL_TYPE);
	jump_if(g, BPF_JSET, IP_OFFSET, may_be_tunnel ? g->accept : g->accept_in_vlan);
	skip_ip_header(g);
	write_udp_ports(g, inner);
}

static void jump_if_fragment(struct generator *g, int to)
{
	load16(g, 6);
	jump_if(g, BPF_JSET, IP_MORE | IP_OFFSET, to);
}

static void write_ip(struct generator *g, const struct level *inner)
{
	int udp = label(g), gre = label(g), ipip = label(g);

	load8(g, 0);
	op(g, BPF_ALU | BPF_RSH | BPF_K, 4);
	jump_unless(g, BPF_JEQ, 4, g->drop);
	load8(g, 9);
	jump_if(g, BPF_JEQ, IP_UDP, udp);
	if (wants(g, FRAME_GRE) || wants(g, FRAME_ERSPAN))
		jump_if(g, BPF_JEQ, IP_GRE, gre);
	if (wants(g, FRAME_IPIP))
		jump_if(g, BPF_JEQ, IP_IPIP, ipip);
	jump(g, g->drop);
	place(g, gre);
	jump_if_fragment(g, g->accept);
	skip_ip_header(g);
	write_gre(g, inner);
	place(g, ipip);
	jump_if_fragment(g, g->accept);
	skip_ip_header(g);
	forget_vlans(g);
	jump(g, inner->ip);
	place(g, udp);
	write_udp(g, inner);
}

/* Ethernet at X, or a type in A and X behind it, or IPv4 at X. */
static void write_level(struct generator *g, const struct level *self, const struct level *inner)
{
	int mpls = label(g), pppoe = label(g), llc = label(g);

	place(g, self->ethernet);
	forget_vlans(g);
	load16(g, 12);
	keep(g, CELL_TYPE);
	advance(g, 14);
	recall(g, CELL_TYPE);
	place(g, self->type);
	write_tags(g);
	jump_if(g, BPF_JEQ, ETHERTYPE_IPV4, self->ip);
	jump_if(g, BPF_JEQ, ETHERTYPE_MPLS, mpls);
	jump_if(g, BPF_JEQ, ETHERTYPE_MPLS_UPSTREAM, mpls);
	jump_if(g, BPF_JEQ, ETHERTYPE_PPPOE, pppoe);
	jump_unless(g, BPF_JGE, ETHERTYPE_MIN, llc);
	jump(g, g->drop);
	place(g, mpls);
	write_mpls(g, inner, self->ip);
	place(g, pppoe);
	write_pppoe(g, self->ip);
	place(g, llc);
	write_llc(g, self->ip);
	place(g, self->ip);
	write_ip(g, inner);
}

/* --- The whole -------------------------------------------------------------------------------- */

static void set_x(struct generator *g, uint32_t x)
{
	op(g, BPF_LDX | BPF_IMM, x);
}

static void begin_ethernet(struct generator *g, const struct level *first)
{
	set_x(g, 0);
	load16(g, 12);
	keep(g, CELL_TYPE);
	advance(g, 14);
	recall(g, CELL_TYPE);
	jump(g, first->type);
}

static void begin_raw(struct generator *g, const struct level *first)
{
	set_x(g, 0);
	jump(g, first->ip);
}

static void begin_null(struct generator *g, const struct level *first)
{
	set_x(g, 4);
	jump(g, first->ip);
}

static void begin_ppp(struct generator *g, const struct level *first)
{
	int bare = label(g);

	set_x(g, 0);
	load16(g, 0);
	jump_unless(g, BPF_JEQ, 0xff03, bare);
	set_x(g, 2);
	place(g, bare);
	write_ppp(g, -1, first->ip);
}

/* Cooked captures: the kernel's filter sees no link header. libpcap knows that and moves the
 * offsets: the header's length is taken off each, and the type's place means skb->protocol. */
static void begin_sll(struct generator *g, const struct level *first)
{
	g->base = 16;
	set_x(g, 0);
	op(g, BPF_LD | BPF_H | BPF_ABS, 14);
	jump(g, first->type);
}

static void begin_sll2(struct generator *g, const struct level *first)
{
	g->base = 20;
	set_x(g, 0);
	op(g, BPF_LD | BPF_H | BPF_ABS, 0);
	jump(g, first->type);
}

static const struct {
	int link_type;
	void (*begin)(struct generator *g, const struct level *first);
} links[] = {
	{LINK_ETHERNET, begin_ethernet},
	{LINK_RAW, begin_raw},
	{LINK_RAW_BSD, begin_raw},
	{LINK_IPV4, begin_raw},
	{LINK_NULL, begin_null},
	{LINK_LOOP, begin_null},
	{LINK_PPP, begin_ppp},
	{LINK_PPP_HDLC, begin_ppp},
	{LINK_LINUX_SLL, begin_sll},
	{LINK_LINUX_SLL2, begin_sll2},
};

static bool begin(struct generator *g, int link_type, const struct level *first)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].link_type == link_type) {
			note_stripped_vlan(g);
			links[i].begin(g, first);
			return true;
		}
	return false;
}

static void write_ends(struct generator *g)
{
	place(g, g->accept_in_vlan);
	if (g->by_vlan) {
		recall(g, CELL_VLAN);
		jump_if(g, BPF_JEQ, 0, g->drop);
	}
	place(g, g->accept);
	op(g, BPF_RET | BPF_K, UINT32_MAX >> 1);
	place(g, g->drop);
	op(g, BPF_RET | BPF_K, 0);
}

static bool compares_vlans(const struct frame_want *want)
{
	int count = 0;

	for (size_t i = 0; i < sizeof(want->vlans) / sizeof(want->vlans[0]); i++)
		count += __builtin_popcountll(want->vlans[i]);
	return want->by_vlan && count <= VLANS_MAX;
}

int filter_build(
	int link_type, const struct frame_want *want, struct filter_insn ret_program[FILTER_MAX])
{
	struct generator g = {.program = ret_program, .want = want};
	struct level levels[LEVELS + 1];

	g.by_vlan = compares_vlans(want);
	g.accept = label(&g);
	g.accept_in_vlan = label(&g);
	g.drop = label(&g);
	for (int i = 0; i < LEVELS; i++)
		levels[i] = (struct level){label(&g), label(&g), label(&g)};
	levels[LEVELS] = (struct level){g.accept, g.accept, g.accept};
	if (!begin(&g, link_type, &levels[0]))
		return ERR_NOT_FOUND;
	for (int i = 0; i < LEVELS; i++)
		write_level(&g, &levels[i], &levels[i + 1]);
	write_ends(&g);
	if (g.full)
		return ERR_FULL;
	resolve_jumps(&g);
	return g.count;
}
