/* SPDX-License-Identifier: ISC
 *
 * DHCP options written (RFC 2132, 3046, 3396) and replies read; RADIUS packets (RFC 2865, 2866).
 */
#include <arpa/inet.h>
#include <string.h>

#include <nettle/md5.h>

#include "sim.h"
#include "tap82/buf.h"

enum {
	OPTION_HOSTNAME = 12,
	OPTION_REQUESTED_IP = 50,
	OPTION_LEASE_TIME = 51,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_SERVER_ID = 54,
	OPTION_PARAMETERS = 55,
	OPTION_VENDOR_CLASS = 60,
	OPTION_RELAY_AGENT = 82,
	OPTION_END = 255,
};

struct out {
	uint8_t *base, *p, *end;
};

static void put(struct out *o, const void *bytes, size_t n)
{
	if ((size_t)(o->end - o->p) < n)
		return;
	memcpy(o->p, bytes, n);
	o->p += n;
}

static void put_u8(struct out *o, unsigned v)
{
	uint8_t b = (uint8_t)v;

	put(o, &b, 1);
}

static void put_option(struct out *o, unsigned code, const void *bytes, size_t n)
{
	put_u8(o, code);
	put_u8(o, (unsigned)n);
	put(o, bytes, n);
}

static void put_u32_option(struct out *o, unsigned code, uint32_t v)
{
	uint32_t wire = htonl(v);

	if (v)
		put_option(o, code, &wire, 4);
}

static void put_text_option(struct out *o, unsigned code, const char *text)
{
	if (*text)
		put_option(o, code, text, strlen(text));
}

/* RFC 3396: an option longer than 255 bytes, or one that is to be split, is repeated. */
static void put_option82(struct out *o, const struct message *m)
{
	size_t chunk = m->shape == SHAPE_SPLIT ? (m->option82_len + 1u) / 2 : 255;

	for (size_t at = 0; at < m->option82_len; at += chunk) {
		size_t n = m->option82_len - at < chunk ? m->option82_len - at : chunk;

		put_option(o, OPTION_RELAY_AGENT, m->option82 + at, n);
	}
}

/* RFC 2132 9.3: option 82 goes to the file field, and option 52 says so. */
static void put_overload(struct out *o, const struct message *m, uint8_t file[128])
{
	struct out f = {.base = file, .p = file, .end = file + 128};

	put_option(o, OPTION_OVERLOAD, "\1", 1);
	put_option82(&f, m);
	put_u8(&f, OPTION_END);
}

static void put_options(struct out *o, const struct message *m, uint8_t file[128])
{
	if (m->shape == SHAPE_FIRST)
		put_option82(o, m);
	put_option(o, OPTION_TYPE, &m->type, 1);
	put_u32_option(o, OPTION_SERVER_ID, m->server_id);
	put_u32_option(o, OPTION_LEASE_TIME, m->lease_time);
	put_u32_option(o, OPTION_REQUESTED_IP, m->requested_ip);
	put_text_option(o, OPTION_HOSTNAME, m->hostname);
	put_text_option(o, OPTION_VENDOR_CLASS, m->vendor_class);
	if (!m->is_reply)
		put_option(o, OPTION_PARAMETERS, "\x01\x03\x06\x0f\x33\x36", 6);
	if (m->shape == SHAPE_OVERLOAD)
		put_overload(o, m, file);
	else if (m->shape != SHAPE_FIRST)
		put_option82(o, m);
	put_u8(o, OPTION_END);
}

static void put_u32(struct out *o, uint32_t v)
{
	uint32_t wire = htonl(v);

	put(o, &wire, 4);
}

static void put_zeros(struct out *o, size_t n)
{
	while (n--)
		put_u8(o, 0);
}

/* RFC 2131 figure 1. libnet_build_dhcpv4() would cut binary values of the file field at a zero. */
size_t message_encode(const struct message *m, uint8_t *out, size_t size)
{
	struct out o = {.base = out, .p = out, .end = out + size};
	uint8_t head[4] = {m->is_reply ? 2 : 1, 1, 6, m->hops};
	uint8_t *file;

	put(&o, head, 4);
	put_u32(&o, m->xid);
	put_u32(&o, m->broadcast ? 0x8000 : 0); /* secs, flags */
	put_u32(&o, m->ciaddr);
	put_u32(&o, m->yiaddr);
	put_u32(&o, 0);
	put_u32(&o, m->giaddr);
	put(&o, m->mac.b, 6);
	put_zeros(&o, 10 + 64);
	file = o.p;
	put_zeros(&o, 128);
	put_u32(&o, 0x63825363);
	put_options(&o, m, file);
	while (o.p - o.base < 300) /* BOOTP's customary length */
		put_u8(&o, 0);
	return (size_t)(o.p - o.base);
}

static void read_option(struct message *m, uint8_t code, struct buf v)
{
	switch (code) {
	case OPTION_TYPE: m->type = buf_u8(&v); break;
	case OPTION_SERVER_ID: m->server_id = buf_u32(&v); break;
	case OPTION_LEASE_TIME: m->lease_time = buf_u32(&v); break;
	case OPTION_RELAY_AGENT:
		while (buf_left(&v) && m->option82_len < SIM_OPTION82_MAX)
			m->option82[m->option82_len++] = buf_u8(&v);
		break;
	}
}

static void read_options(struct message *m, struct buf b)
{
	while (buf_left(&b)) {
		uint8_t code = buf_u8(&b);

		if (code == OPTION_END)
			return;
		if (code)
			read_option(m, code, buf_child(&b, buf_u8(&b)));
	}
}

/* Past tags to the UDP payload; false if there is none. */
static bool read_headers(struct buf *b, uint32_t *ret_src)
{
	uint16_t type;
	uint8_t head;

	buf_skip(b, 12);
	type = buf_u16(b);
	while (type == 0x8100 || type == 0x88a8 || type == 0x9100) {
		buf_skip(b, 2);
		type = buf_u16(b);
	}
	head = buf_u8(b);
	buf_skip(b, 8);
	if (type != 0x0800 || head >> 4 != 4 || buf_u8(b) != 17)
		return false;
	buf_skip(b, 2);
	*ret_src = buf_u32(b);
	buf_skip(b, 4 + 4u * (head & 15) - 20 + 8);
	return !b->bad;
}

bool message_read(const uint8_t *frame, size_t len, struct message *ret_m, uint32_t *ret_src)
{
	struct buf b = buf_of(frame, len);
	struct message m = {0};

	if (!read_headers(&b, ret_src))
		return false;
	m.is_reply = buf_u8(&b) == 2;
	buf_skip(&b, 2);
	m.hops = buf_u8(&b);
	m.xid = buf_u32(&b);
	buf_skip(&b, 2);
	m.broadcast = (buf_u16(&b) & 0x8000) != 0;
	m.ciaddr = buf_u32(&b);
	m.yiaddr = buf_u32(&b);
	buf_skip(&b, 4);
	m.giaddr = buf_u32(&b);
	buf_copy(&b, m.mac.b, 6);
	buf_skip(&b, 10 + 64 + 128);
	if (buf_u32(&b) != 0x63825363 || b.bad)
		return false;
	read_options(&m, b);
	*ret_m = m;
	return true;
}

/* ---- RADIUS ---- */

enum {
	RADIUS_USER_NAME = 1,
	RADIUS_NAS_IP = 4,
	RADIUS_NAS_PORT_TYPE = 61,
	RADIUS_FRAMED_IP = 8,
	RADIUS_VENDOR = 26,
	RADIUS_CALLING_STATION = 31,
	RADIUS_ACCT_STATUS = 40,
	RADIUS_ACCT_SESSION = 44,
	RADIUS_NAS_PORT_ID = 87,
};
static const char radius_secret[] = "testing123";

static void put_attribute(struct out *o, unsigned code, const void *bytes, size_t n)
{
	put_u8(o, code);
	put_u8(o, (unsigned)n + 2);
	put(o, bytes, n);
}

static void put_u32_attribute(struct out *o, unsigned code, uint32_t v)
{
	uint32_t wire = htonl(v);

	if (v)
		put_attribute(o, code, &wire, 4);
}

static void put_text_attribute(struct out *o, unsigned code, const char *text)
{
	if (*text)
		put_attribute(o, code, text, strlen(text));
}

/* RFC 4679: vendor 3561 (0x0de9), 1 Agent-Circuit-Id, 2 Agent-Remote-Id. */
static void put_adsl_forum(struct out *o, unsigned type, const uint8_t *bytes, size_t n)
{
	uint8_t v[253] = {0, 0, 0x0d, 0xe9, (uint8_t)type, (uint8_t)(n + 2)};

	if (!n)
		return;
	memcpy(v + 6, bytes, n);
	put_attribute(o, RADIUS_VENDOR, v, n + 6);
}

static void put_attributes(struct out *o, const struct radius *r)
{
	put_text_attribute(o, RADIUS_USER_NAME, r->user);
	put_u32_attribute(o, RADIUS_NAS_IP, r->nas_ip);
	if (r->nas_ip)
		put_u32_attribute(o, RADIUS_NAS_PORT_TYPE, 15); /* Ethernet */
	put_text_attribute(o, RADIUS_CALLING_STATION, r->station);
	put_text_attribute(o, RADIUS_NAS_PORT_ID, r->port_id);
	put_u32_attribute(o, RADIUS_ACCT_STATUS, r->acct_status);
	put_text_attribute(o, RADIUS_ACCT_SESSION, r->session);
	put_u32_attribute(o, RADIUS_FRAMED_IP, r->framed_ip);
	put_adsl_forum(o, 1, r->circuit, r->circuit_len);
	put_adsl_forum(o, 2, r->remote, r->remote_len);
}

/* Replies and accounting requests are MD5(packet with a known authenticator + secret): RFC 2865
 * section 3, RFC 2866 section 3. */
static void radius_sign(struct out *o)
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, (size_t)(o->p - o->base), o->base);
	md5_update(&md5, sizeof(radius_secret) - 1, (const uint8_t *)radius_secret);
	md5_digest(&md5, 16, o->base + 4);
}

size_t radius_encode(const struct radius *r, uint8_t *out, size_t size)
{
	struct out o = {.base = out, .p = out, .end = out + size};
	size_t n;

	put_u8(&o, r->code);
	put_u8(&o, r->id);
	put(&o, "\0\0", 2);
	put(&o, r->authenticator, 16);
	put_attributes(&o, r);
	n = (size_t)(o.p - o.base);
	out[2] = (uint8_t)(n >> 8);
	out[3] = (uint8_t)n;
	if (r->code != RADIUS_ACCESS_REQUEST)
		radius_sign(&o);
	return n;
}
