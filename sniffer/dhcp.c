/* SPDX-License-Identifier: ISC */
#include "tap82/dhcp.h"
#include "tap82/err.h"

enum {
	HTYPE_ETHERNET = 1,
	HTYPE_IEEE802 = 6, /* RFC 1700; wireless bridges write it */
	OPTION_OVERLOAD = 52,
	OVERLOAD_FILE = 1,
	OVERLOAD_SNAME = 2,
	CHADDR_BYTES = 16,
	COOKIE = 0x63825363, /* RFC 2131 section 3: 99.130.83.99 */
};

/* The places options are read from, in this order: RFC 2131 4.1, RFC 3396 5. */
struct fields {
	struct buf part[3];
	unsigned count;
};

static const char *const no_end[] = {
	"no END option", "no END option in file", "no END option in sname"};
static const char *const overrun[] = {
	"option %u overruns the message", "option %u overruns file", "option %u overruns sname"};

enum { IN_OPTIONS, IN_FILE, IN_SNAME };

static void read_hardware(struct dhcp *d, struct buf *b)
{
	struct buf chaddr = buf_child(b, CHADDR_BYTES);

	if (d->hlen > CHADDR_BYTES)
		problem_add(&d->problems, "hlen %u, at most 16 are there", d->hlen, 0, 0);
	else
		d->chaddr = buf_child(&chaddr, d->hlen);
	d->has_mac = d->hlen == 6 && (d->htype == HTYPE_ETHERNET || d->htype == HTYPE_IEEE802);
	if (d->has_mac)
		memcpy(d->mac.b, d->chaddr.p, 6);
}

/* What RFC 951 and 2131 put at fixed places, up to chaddr. */
static int read_header(struct dhcp *d, struct buf *b)
{
	d->op = buf_u8(b);
	d->htype = buf_u8(b);
	d->hlen = buf_u8(b);
	d->hops = buf_u8(b);
	d->xid = buf_u32(b);
	d->secs = buf_u16(b);
	d->flags = buf_u16(b);
	d->ciaddr = buf_u32(b);
	d->yiaddr = buf_u32(b);
	d->siaddr = buf_u32(b);
	d->giaddr = buf_u32(b);
	if (buf_left(b) < CHADDR_BYTES)
		return ERR_TRUNCATED;
	if (d->op != 1 && d->op != 2)
		problem_add(&d->problems, "op %u", d->op, 0, 0);
	read_hardware(d, b);
	return 0;
}

/* Walks one field; `where` is IN_OPTIONS, IN_FILE or IN_SNAME. */
static void gather(struct dhcp *d, struct fields *fields, struct buf field, unsigned where)
{
	uint8_t code = 0;
	enum options_end end = options_gather(&d->options, field, &code);

	if (end == OPTIONS_NO_END)
		problem_add(&d->problems, no_end[where], 0, 0, 0);
	else if (end == OPTIONS_OVERRUN)
		problem_add(&d->problems, overrun[where], code, 0, 0);
	fields->part[fields->count++] = field;
}

/* Option 52 counts in the options field only (RFC 2131 4.1); file comes before sname. */
static void gather_overload(struct dhcp *d, struct fields *fields)
{
	const struct option *o = options_find(&d->options, OPTION_OVERLOAD);
	uint8_t overload = o && o->len == 1 ? o->bytes[0] : 0;

	if (overload > (OVERLOAD_FILE | OVERLOAD_SNAME)) {
		problem_add(&d->problems, "option 52: value %u", overload, 0, 0);
		return;
	}
	if (overload & OVERLOAD_FILE) {
		gather(d, fields, d->file, IN_FILE);
		d->file = buf_of(NULL, 0);
	}
	if (overload & OVERLOAD_SNAME) {
		gather(d, fields, d->sname, IN_SNAME);
		d->sname = buf_of(NULL, 0);
	}
}

static void join_repeated(struct dhcp *d, const struct fields *fields)
{
	options_place(&d->options, d->joined);
	for (unsigned i = 0; i < fields->count; i++)
		options_copy(&d->options, fields->part[i], d->joined);
}

/* All zeros is RFC 951's unused vendor area. False: there are no options to read. */
static bool read_cookie(struct dhcp *d, struct buf *b)
{
	uint32_t cookie;

	if (b->bad) {
		problem_add(&d->problems, "ends before the options", 0, 0, 0);
		return false;
	}
	cookie = buf_u32(b);
	if (b->bad)
		problem_add(&d->problems, "no cookie", 0, 0, 0);
	else if (cookie != COOKIE && cookie != 0)
		problem_add(&d->problems, "wrong cookie", 0, 0, 0);
	return cookie == COOKIE;
}

static void reset(struct dhcp *d)
{
	static const struct buf none;

	options_reset(&d->options);
	d->problems.count = 0;
	d->type = 0;
	d->has_lease_time = d->has_option82 = false;
	d->server_id = d->requested_ip = d->lease_time = 0;
	d->mac = (struct mac){{0}};
	d->chaddr = d->sname = d->file = d->hostname = d->vendor_class = d->client_id = none;
}

int dhcp_decode(struct dhcp *d, struct buf payload)
{
	struct fields fields = {.count = 0};
	struct buf b = payload;

	reset(d);
	if (read_header(d, &b) < 0)
		return ERR_TRUNCATED;
	d->sname = buf_child(&b, 64);
	d->file = buf_child(&b, 128);
	if (!read_cookie(d, &b))
		return 0;
	gather(d, &fields, b, IN_OPTIONS);
	gather_overload(d, &fields);
	if (d->options.repeats)
		join_repeated(d, &fields);
	dhcp_read_options(d);
	return 0;
}

const char *dhcp_type_text(const struct dhcp *d)
{
	static const char *const texts[] = {"", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK",
		"NAK", "RELEASE", "INFORM", "FORCERENEW", "LEASEQUERY", "LEASEUNASSIGNED",
		"LEASEUNKNOWN", "LEASEACTIVE", "BULKLEASEQUERY", "LEASEQUERYDONE",
		"ACTIVELEASEQUERY", "LEASEQUERYSTATUS", "TLS"};

	if (d->type == 0)
		return d->op == 2 ? "BOOTREPLY" : "BOOTREQUEST";
	return texts[d->type];
}
