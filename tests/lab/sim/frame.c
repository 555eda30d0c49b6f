/* SPDX-License-Identifier: ISC
 *
 * Frames, built by libnet from the payload outwards; tags and tunnels are put around the result.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include <libnet.h>

#include "sim.h"

struct bytes {
	size_t len;
	uint8_t b[SIM_FRAME_MAX];
};

/* libnet keeps a context for headers in progress. Ours only builds, without a socket and so without
 * root; libnet gives a built frame away only where it believes to be in advanced link mode. */
static libnet_t *builder(void)
{
	static libnet_t *l;
	char why[LIBNET_ERRBUF_SIZE] = "";

	if (!l)
		l = libnet_init(LIBNET_NONE, NULL, why);
	if (!l) {
		fprintf(stderr, "camsim: libnet: %s\n", why);
		exit(1);
	}
	l->injection_type = LIBNET_LINK_ADV;
	libnet_clear_packet(l);
	return l;
}

/* What libnet has put together, as bytes. */
static int builder_take(libnet_t *l, struct bytes *ret_frame)
{
	uint8_t *p = NULL;
	uint32_t n = 0;

	if (libnet_adv_cull_packet(l, &p, &n) < 0 || n > sizeof(ret_frame->b)) {
		fprintf(stderr, "camsim: libnet: %s\n", libnet_geterror(l));
		return -1;
	}
	memcpy(ret_frame->b, p, n);
	ret_frame->len = n;
	libnet_adv_free_packet(l, p);
	return 0;
}

/* Each tag goes behind the MAC addresses; the innermost first, so that the outermost is first. */
static void frame_tag(struct bytes *f, const struct envelope *e)
{
	for (int i = e->tags - 1; i >= 0; i--) {
		uint16_t tag[2] = {htons(e->tag[i].tpid), htons(e->tag[i].vlan)};

		memmove(f->b + 16, f->b + 12, f->len - 12);
		memcpy(f->b + 12, tag, 4);
		f->len += 4;
	}
}

/* The mirror's own addresses: from a switch to the collector. */
static const struct envelope outer = {
	.src_mac = {{2, 0x82, 0, 0, 1, 1}},
	.dst_mac = {{2, 0x82, 0, 0, 1, 2}},
	.src = 0xc0000201, /* 192.0.2.1 */
	.dst = 0xc0000202,
	.sport = 49152,
};

static int tunnel_build(
	libnet_t *l, const struct bytes *inner, const void *head, size_t head_len, uint16_t dport)
{
	uint8_t payload[SIM_FRAME_MAX];
	uint32_t n = (uint32_t)(head_len + inner->len);

	memcpy(payload, head, head_len);
	memcpy(payload + head_len, inner->b, inner->len);
	if (dport) {
		libnet_build_udp(
			outer.sport, dport, (uint16_t)(LIBNET_UDP_H + n), 0, payload, n, l, 0);
		n += LIBNET_UDP_H;
	}
	libnet_build_ipv4((uint16_t)(LIBNET_IPV4_H + n), 0, 1, 0, 64, dport ? 17 : 47, 0,
		htonl(outer.src), htonl(outer.dst), dport ? NULL : payload, dport ? 0 : n, l, 0);
	return libnet_build_ethernet(outer.dst_mac.b, outer.src_mac.b, 0x0800, NULL, 0, l, 0);
}

/* The frame as a switch mirrors it to a collector. */
static int frame_wrap(struct bytes *f, enum encap encap)
{
	static const uint8_t gre[] = {0, 0, 0x65, 0x58}; /* RFC 2784, Ethernet inside */
	/* ERSPAN II: GRE with a sequence number, type 88be, session 1, VLAN 0 */
	static const uint8_t erspan[] = {
		0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 1, 0, 0, 0, 0};
	static const uint8_t vxlan[] = {8, 0, 0, 0, 0, 0, 82, 0}; /* RFC 7348, VNI 82 */
	static const uint8_t tzsp[] = {1, 0, 0, 1, 1};
	libnet_t *l = builder();

	switch (encap) {
	case ENCAP_NONE: return 0;
	case ENCAP_GRE: tunnel_build(l, f, gre, sizeof(gre), 0); break;
	case ENCAP_ERSPAN: tunnel_build(l, f, erspan, sizeof(erspan), 0); break;
	case ENCAP_VXLAN: tunnel_build(l, f, vxlan, sizeof(vxlan), 4789); break;
	case ENCAP_TZSP: tunnel_build(l, f, tzsp, sizeof(tzsp), 37008); break;
	}
	return builder_take(l, f);
}

static int frame_finish(struct wire *wire, int64_t time, const struct envelope *e, struct bytes *f)
{
	frame_tag(f, e);
	if (frame_wrap(f, e->encap) < 0)
		return -1;
	return wire_put(wire, time, f->b, f->len);
}

/* RFC 791: cut the IP payload into pieces of e->fragment bytes (a multiple of 8). */
static int frame_send_fragments(
	struct wire *wire, int64_t time, const struct envelope *e, const struct bytes *whole)
{
	static uint16_t id = 1;
	size_t head = LIBNET_ETH_H + LIBNET_IPV4_H, total = whole->len - head;

	id++;
	for (size_t at = 0; at < total; at += e->fragment) {
		size_t n = total - at < e->fragment ? total - at : e->fragment;
		unsigned flags = (at + n < total ? IP_MF : 0) | (unsigned)at / 8;
		struct bytes f;
		libnet_t *l = builder();

		libnet_build_ipv4((uint16_t)(LIBNET_IPV4_H + n), 0, id, (uint16_t)flags, 64, 17, 0,
			htonl(e->src), htonl(e->dst), whole->b + head + at, (uint32_t)n, l, 0);
		libnet_build_ethernet(e->dst_mac.b, e->src_mac.b, 0x0800, NULL, 0, l, 0);
		if (builder_take(l, &f) < 0 || frame_finish(wire, time, e, &f) < 0)
			return -1;
	}
	return 0;
}

/* IPv4 and Ethernet around the `len` bytes (UDP header and more) that `l` has. */
static int frame_send(
	struct wire *wire, int64_t time, const struct envelope *e, libnet_t *l, size_t len)
{
	struct bytes f;

	libnet_build_ipv4((uint16_t)(LIBNET_IPV4_H + len), 0, 1, 0, 64, 17, 0, htonl(e->src),
		htonl(e->dst), NULL, 0, l, 0);
	if (libnet_build_ethernet(e->dst_mac.b, e->src_mac.b, 0x0800, NULL, 0, l, 0) < 0) {
		fprintf(stderr, "camsim: libnet: %s\n", libnet_geterror(l));
		return -1;
	}
	if (builder_take(l, &f) < 0)
		return -1;
	return e->fragment ? frame_send_fragments(wire, time, e, &f)
			   : frame_finish(wire, time, e, &f);
}

int frame_send_udp(struct wire *wire, int64_t time, const struct envelope *e,
	const uint8_t *payload, size_t len)
{
	libnet_t *l = builder();

	libnet_build_udp(e->sport, e->dport, (uint16_t)(len + LIBNET_UDP_H), 0, payload,
		(uint32_t)len, l, 0);
	return frame_send(wire, time, e, l, len + LIBNET_UDP_H);
}

int frame_send_dhcp(
	struct wire *wire, int64_t time, const struct envelope *e, const struct message *m)
{
	uint8_t payload[1024];
	size_t n = message_encode(m, payload, sizeof(payload));

	return frame_send_udp(wire, time, e, payload, n);
}
