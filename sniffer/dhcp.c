/* SPDX-License-Identifier: ISC */
#include "tap82/dhcp.h"
#include "tap82/err.h"

enum {
	HTYPE_ETHERNET = 1,
	HTYPE_IEEE802 = 6, /* RFC 1700; wireless bridges write it */
	OPTION_OVERLOAD = 52,
	AT_CHADDR = 28, /* RFC 2131 section 2: where fields begin */
	AT_SNAME = 44,
	AT_FILE = 108,
	AT_COOKIE = 236,
	CHADDR_BYTES = AT_SNAME - AT_CHADDR,
	COOKIE = 0x63825363, /* RFC 2131 section 3: 99.130.83.99 */
};

/* The places options are read from, in this order: RFC 2131 4.1, RFC 3396 5. */
enum where { IN_OPTIONS, IN_FILE, IN_SNAME };

static const char *const no_end[] = {
	"no END option", "no END option in file", "no END option in sname"};
static const char *const overrun[] = {
	"option %u overruns the message", "option %u overruns file", "option %u overruns sname"};

struct buf dhcp_chaddr(const struct dhcp *d)
{
	struct buf b = d->payload;

	buf_skip(&b, AT_CHADDR);
	return buf_child(&b, d->hlen <= CHADDR_BYTES ? d->hlen : 0);
}

static void read_hardware(struct dhcp *d, struct buf *b)
{
	if (d->hlen > CHADDR_BYTES)
		problem_add(&d->problems, "hlen %u, at most 16 are there", d->hlen, 0, 0);
	d->has_mac = d->hlen == 6 && (d->htype == HTYPE_ETHERNET || d->htype == HTYPE_IEEE802);
	if (d->has_mac)
		buf_copy(b, d->mac.b, sizeof(d->mac.b));
	else
		d->mac = (struct mac){{0}};
}

/* What RFC 951 and 2131 put at fixed places, up to chaddr. */
static int read_header(struct dhcp *d)
{
	struct buf b = buf_of(d->payload.p, AT_SNAME);

	if (buf_left(&d->payload) < AT_SNAME)
		return ERR_TRUNCATED;
	d->op = buf_u8(&b);
	d->htype = buf_u8(&b);
	d->hlen = buf_u8(&b);
	d->hops = buf_u8(&b);
	d->xid = buf_u32(&b);
	d->secs = buf_u16(&b);
	d->flags = buf_u16(&b);
	d->ciaddr = buf_u32(&b);
	d->yiaddr = buf_u32(&b);
	d->siaddr = buf_u32(&b);
	d->giaddr = buf_u32(&b);
	if (d->op != 1 && d->op != 2)
		problem_add(&d->problems, "op %u", d->op, 0, 0);
	read_hardware(d, &b);
	return 0;
}

/* The bytes of one place; those of file and sname are there when the options are. */
static struct buf field_of(const struct dhcp *d, enum where where)
{
	static const uint8_t at[] = {AT_COOKIE + 4, AT_FILE, AT_SNAME};
	struct buf b = d->payload;

	buf_skip(&b, at[where]);
	if (where == IN_FILE)
		return buf_child(&b, AT_COOKIE - AT_FILE);
	return where == IN_SNAME ? buf_child(&b, AT_FILE - AT_SNAME) : b;
}

static void gather(struct dhcp *d, enum where where)
{
	struct buf field = field_of(d, where);
	uint8_t code = 0;
	enum options_end end = options_gather(&d->options, &field, &code);

	if (end == OPTIONS_NO_END)
		problem_add(&d->problems, no_end[where], 0, 0, 0);
	else if (end == OPTIONS_OVERRUN)
		problem_add(&d->problems, overrun[where], code, 0, 0);
}

/* Option 52 counts in the options field only (RFC 2131 4.1); file comes before sname. */
static void gather_overload(struct dhcp *d)
{
	const struct option *o = options_find(&d->options, OPTION_OVERLOAD);
	uint8_t overload = o && o->len == 1 ? o->bytes[0] : 0;

	if (overload > (DHCP_OVERLOAD_FILE | DHCP_OVERLOAD_SNAME)) {
		problem_add(&d->problems, "option 52: value %u", overload, 0, 0);
		return;
	}
	d->overload = overload;
	if (overload & DHCP_OVERLOAD_FILE)
		gather(d, IN_FILE);
	if (overload & DHCP_OVERLOAD_SNAME)
		gather(d, IN_SNAME);
}

static void copy(struct dhcp *d, enum where where)
{
	struct buf field = field_of(d, where);

	options_copy(&d->options, &field, d->joined);
}

static void join_repeated(struct dhcp *d)
{
	options_place(&d->options, d->joined);
	copy(d, IN_OPTIONS);
	if (d->overload & DHCP_OVERLOAD_FILE)
		copy(d, IN_FILE);
	if (d->overload & DHCP_OVERLOAD_SNAME)
		copy(d, IN_SNAME);
}

/* All zeros is RFC 951's unused vendor area. False: there are no options to read. */
static bool read_cookie(struct dhcp *d)
{
	struct buf b = d->payload;
	uint32_t cookie;

	buf_skip(&b, AT_COOKIE);
	if (b.bad) {
		problem_add(&d->problems, "ends before the options", 0, 0, 0);
		return false;
	}
	cookie = buf_u32(&b);
	if (b.bad)
		problem_add(&d->problems, "no cookie", 0, 0, 0);
	else if (cookie != COOKIE && cookie != 0)
		problem_add(&d->problems, "wrong cookie", 0, 0, 0);
	return cookie == COOKIE;
}

static void reset(struct dhcp *d, const struct buf *payload)
{
	options_reset(&d->options);
	d->problems.count = 0;
	d->type = d->overload = 0;
	d->has_lease_time = d->has_option82 = false;
	d->server_id = d->requested_ip = d->lease_time = 0;
	d->payload = *payload;
}

int dhcp_decode(struct dhcp *d, const struct buf *payload)
{
	reset(d, payload);
	if (read_header(d) < 0)
		return ERR_TRUNCATED;
	if (!read_cookie(d))
		return 0;
	gather(d, IN_OPTIONS);
	gather_overload(d);
	if (d->options.repeats)
		join_repeated(d);
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
