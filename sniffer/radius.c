/* SPDX-License-Identifier: ISC */
#include "radius_words.h"
#include "tap82/err.h"

enum { HEADER_BYTES = 20 };

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How a spelling groups its digits: `group` digits between separators of one kind. */
struct grouping {
	uint8_t separator;
	unsigned group, last; /* digits of a group; digits before the last separator */
};

static bool separator_fits(struct grouping *g, uint8_t c, unsigned digits)
{
	if (!memchr("-:. ", c, 4) || (g->separator && g->separator != c))
		return false;
	if (g->group == 0)
		g->group = digits;
	if (g->group < 2 || g->group % 2 || digits != g->last + g->group)
		return false;
	g->separator = c;
	g->last = digits;
	return true;
}

/* Twelve hex digits, bare or in equal groups of whole bytes (aa-bb-…, aabb.ccdd.eeff, HP's
 * aabbcc-ddeeff). A phone number or an IP address has another shape. */
static bool read_mac(struct buf text, struct mac *ret_mac)
{
	struct grouping g = {0};
	struct mac mac = {{0}};
	unsigned digits = 0;

	while (buf_left(&text) > 0 && (text.end[-1] == 0 || text.end[-1] == ' '))
		text.end--;
	while (buf_left(&text) > 0) {
		uint8_t c = buf_u8(&text);
		int digit = hex_digit(c);

		if (digit >= 0 && digits < 12) {
			mac.b[digits / 2] = (uint8_t)(mac.b[digits / 2] << 4 | digit);
			digits++;
		} else if (!separator_fits(&g, c, digits)) {
			return false;
		}
	}
	if (digits != 12 || (g.group && g.last + g.group != 12))
		return false;
	*ret_mac = mac;
	return true;
}

void radius_read_station(struct radius_fields *f)
{
	f->has_mac = (f->calling_station.p && read_mac(f->calling_station, &f->mac)) ||
		     (f->user.p && read_mac(f->user, &f->mac));
}

bool radius_is_reply(uint8_t code)
{
	return code == 2 || code == 3 || code == 5 || code == 11 || code == 41 || code == 42 ||
	       code == 44 || code == 45;
}

/* RFC 2865 section 3: what is behind Length is padding; a Length that cannot be is a reason to
 * discard the packet, here to say so. */
static struct buf attributes_of(struct radius *r, struct buf b, uint16_t length)
{
	size_t there = buf_left(&b) + HEADER_BYTES;

	if (length < HEADER_BYTES || length > 4096)
		problem_add(&r->problems, "length %u", length, 0, 0);
	else if (length > there)
		problem_add(
			&r->problems, "length %u, %u bytes are there", length, (uint32_t)there, 0);
	if (length < HEADER_BYTES)
		return buf_child(&b, 0);
	return length < there ? buf_child(&b, length - (size_t)HEADER_BYTES) : b;
}

int radius_decode(struct radius *r, struct buf payload)
{
	uint16_t length;

	r->problems.count = 0;
	r->code = buf_u8(&payload);
	r->id = buf_u8(&payload);
	length = buf_u16(&payload);
	r->authenticator = buf_take(&payload, 16);
	if (!r->authenticator)
		return ERR_TRUNCATED;
	if (!radius_code_text(r->code))
		return ERR_RANGE;
	radius_read_attributes(&r->fields, attributes_of(r, payload, length), &r->problems);
	return 0;
}

static void write_text(struct writer *w, const char *key, const struct buf *value)
{
	if (value->p)
		writer_text(w, key, value->p, buf_left(value));
}

static void write_opaque(struct writer *w, const char *key, const struct buf *value)
{
	if (value->p)
		writer_opaque(w, key, value->p, buf_left(value));
}

void radius_write_acct_status(struct writer *w, const char *key, uint32_t status)
{
	radius_word_write(w, key, radius_acct_status_types, status);
}

static void write_nas(struct writer *w, const struct radius_fields *f)
{
	if (f->nas_ip)
		writer_ipv4(w, "nas_ip", f->nas_ip);
	write_text(w, "nas_identifier", &f->nas_identifier);
	if (f->has_nas_port)
		writer_u64(w, "nas_port", f->nas_port);
	write_text(w, "nas_port_id", &f->nas_port_id);
	if (f->has_nas_port_type)
		radius_word_write(w, "nas_port_type", radius_nas_port_types, f->nas_port_type);
}

static void write_session(struct writer *w, const struct radius_fields *f)
{
	write_text(w, "called_station", &f->called_station);
	if (f->framed_ip)
		writer_ipv4(w, "framed_ip", f->framed_ip);
	if (f->acct_status)
		radius_write_acct_status(w, "acct_status", f->acct_status);
	write_text(w, "session_id", &f->session_id);
	if (f->service_type)
		radius_word_write(w, "service_type", radius_service_types, f->service_type);
	if (f->has_session_timeout)
		writer_u64(w, "session_timeout", f->session_timeout);
	write_text(w, "framed_pool", &f->framed_pool);
	write_text(w, "framed_ipv6_pool", &f->framed_ipv6_pool);
	if (f->vlan >= 0)
		writer_i64(w, "vlan", f->vlan);
}

void radius_write(struct writer *w, const struct radius_fields *f)
{
	if (f->has_mac)
		writer_mac(w, "mac", &f->mac);
	write_text(w, "user", &f->user);
	write_nas(w, f);
	write_session(w, f);
	write_opaque(w, "circuit_id", &f->circuit_id);
	write_opaque(w, "remote_id", &f->remote_id);
}
