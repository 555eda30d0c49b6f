/* SPDX-License-Identifier: ISC
 *
 * Packets by construction, for tests, benches and injectors: from the payload outwards, each call
 * puts one header in front of what is there. The fields are known because they are written here,
 * not because some decoder has read them.
 *
 *	build_start(&b, payload, len);
 *	build_udp(&b, src, dst, 67, 67);
 *	build_ipv4(&b, src, dst, 17);
 *	build_tag(&b, 0x8100, 120);
 *	build_ethernet(&b);
 *	… build_bytes(&b), build_len(&b)
 */
#ifndef TESTS_BUILD_PACKET_H
#define TESTS_BUILD_PACKET_H

#include <stdint.h>
#include <string.h>

#define BUILD_ROOM 70000

struct build {
	uint8_t room[BUILD_ROOM];
	size_t at, end;
	uint16_t type; /* the Ethernet type of what is there; 0x6558 for an Ethernet frame */
};

static inline const uint8_t *build_bytes(const struct build *b)
{
	return b->room + b->at;
}

static inline uint8_t *build_at(struct build *b, size_t offset)
{
	return b->room + b->at + offset;
}

static inline size_t build_len(const struct build *b)
{
	return b->end - b->at;
}

static inline void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static inline void build_start(struct build *b, const void *payload, size_t len)
{
	b->end = BUILD_ROOM - 2048; /* room for a trailer */
	b->at = b->end - len;
	b->type = 0;
	memcpy(b->room + b->at, payload, len);
}

static inline uint8_t *build_front(struct build *b, size_t len)
{
	b->at -= len;
	return memset(b->room + b->at, 0, len);
}

static inline void build_trailer(struct build *b, const void *bytes, size_t len)
{
	memcpy(b->room + b->end, bytes, len);
	b->end += len;
}

static inline uint16_t build_checksum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline void build_udp(
	struct build *b, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	uint8_t *p = build_front(b, 8);
	uint16_t len = (uint16_t)build_len(b);
	uint32_t pseudo = (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) + 17 + len;
	uint16_t sum;

	put16(p, sport);
	put16(p + 2, dport);
	put16(p + 4, len);
	sum = build_checksum(p, len, pseudo);
	put16(p + 6, sum ? sum : 0xffff);
}

/* An IPv4 header with `options` bytes of no-operation; `where` is flags and offset. */
static inline void build_ipv4_header(struct build *b, uint32_t src, uint32_t dst, uint8_t protocol,
	uint16_t id, uint16_t where, size_t options)
{
	uint8_t *p = build_front(b, 20 + options);

	memset(p + 20, 1, options);
	p[0] = (uint8_t)(0x40 | ((20 + options) / 4));
	put16(p + 2, (unsigned)build_len(b));
	put16(p + 4, id);
	put16(p + 6, where);
	p[8] = 64;
	p[9] = protocol;
	put32(p + 12, src);
	put32(p + 16, dst);
	put16(p + 10, build_checksum(p, 20 + options, 0));
	b->type = 0x0800;
}

static inline void build_ipv4(struct build *b, uint32_t src, uint32_t dst, uint8_t protocol)
{
	build_ipv4_header(b, src, dst, protocol, 0, 0, 0);
}

/* A tag in front of the type of what is there: 802.1Q (0x8100), 802.1ad (0x88a8) … */
static inline void build_tag(struct build *b, uint16_t tpid, uint16_t tci)
{
	uint8_t *p = build_front(b, 4);

	put16(p, tci);
	put16(p + 2, b->type);
	b->type = tpid;
}

static inline void build_ethernet(struct build *b)
{
	static const uint8_t macs[12] = {2, 0x82, 0, 0, 0, 2, 2, 0x82, 0, 0, 0, 1};
	uint16_t type = b->type;
	uint8_t *p;

	p = build_front(b, 14);
	memcpy(p, macs, 12);
	put16(p + 12, type);
	b->type = 0x6558;
}

/* LLC with SNAP; the type becomes the 802.3 length. */
static inline void build_llc(struct build *b)
{
	uint8_t *p = build_front(b, 8);

	memcpy(p, "\xaa\xaa\x03\0\0\0", 6);
	put16(p + 6, b->type);
	b->type = (uint16_t)build_len(b);
}

/* One label; call it again for another in front. */
static inline void build_mpls(struct build *b, uint32_t label)
{
	uint8_t *p = build_front(b, 4);

	put32(p, label << 12 | (b->type == 0x8847 ? 0 : 0x100) | 64);
	b->type = 0x8847;
}

static inline void build_pppoe(struct build *b)
{
	uint8_t *p = build_front(b, 8);

	p[0] = 0x11;
	put16(p + 2, 7); /* session */
	put16(p + 4, (unsigned)build_len(b) - 6);
	put16(p + 6, 0x0021);
	b->type = 0x8864;
}

/* GRE: flags 0x8000 checksum, 0x2000 key, 0x1000 sequence, each with its 4 bytes. */
static inline void build_gre(struct build *b, uint16_t flags)
{
	size_t words = (flags >> 15 & 1) + (flags >> 13 & 1) + (flags >> 12 & 1);
	uint8_t *p = build_front(b, 4 + 4 * words);

	put16(p, flags);
	put16(p + 2, b->type);
}

/* Version 1 (called type II) or 2 (type III). */
static inline void build_erspan(struct build *b, unsigned version, uint16_t vlan)
{
	uint8_t *p = build_front(b, version == 1 ? 8 : 12);

	put16(p, version << 12 | vlan);
	put16(p + 2, 0x1801); /* cos 0, en 3, session 1 */
	b->type = version == 1 ? 0x88be : 0x22eb;
}

static inline void build_vxlan(struct build *b, uint32_t vni)
{
	uint8_t *p = build_front(b, 8);

	p[0] = 8;
	put32(p + 4, vni << 8);
}

/* With a padding tag, a signal-strength tag and the end tag. */
static inline void build_tzsp(struct build *b)
{
	memcpy(build_front(b, 9), "\x01\x00\x00\x01\x00\x0a\x01\xd8\x01", 9);
}

#endif
