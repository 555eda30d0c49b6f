/* SPDX-License-Identifier: ISC
 *
 * DHCP options as a table: RFC 2132 and what IANA's registry added. A row names the option, the
 * kind of its value (which knows the lengths that are right and how to show it) and, where a
 * message's record has a field for it, the function that reads it.
 */
#include <stdio.h>

#include "tap82/dhcp.h"

#define ANY UINT16_MAX /* no limit: a message is not longer */

struct kind {
	uint16_t min, max; /* bytes */
	uint16_t unit; /* the length is a multiple of it: 0 (any), or a power of 2 */
	void (*show)(struct writer *w, const char *key, const struct option *o);
};

struct row {
	const char *name;
	const struct kind *kind; /* NULL: any length, shown as bytes */
	void (*read)(struct dhcp *d, const struct option *o);
};

static struct buf cursor(const struct option *o)
{
	return buf_of(o->bytes, o->len);
}

static void show_bytes(struct writer *w, const char *key, const struct option *o)
{
	writer_opaque(w, key, o->bytes, o->len);
}

static void show_text(struct writer *w, const char *key, const struct option *o)
{
	writer_text(w, key, o->bytes, o->len);
}

static void show_ipv4(struct writer *w, const char *key, const struct option *o)
{
	struct buf b = cursor(o);

	writer_ipv4(w, key, buf_u32(&b));
}

static void show_ipv4s(struct writer *w, const char *key, const struct option *o)
{
	struct buf b = cursor(o);

	writer_list_begin(w, key);
	while (buf_left(&b) > 0)
		writer_ipv4(w, NULL, buf_u32(&b));
	writer_list_end(w);
}

/* Big-endian numbers of `width` bytes. */
static void show_numbers(struct writer *w, const char *key, const struct option *o, unsigned width)
{
	struct buf b = cursor(o);

	writer_list_begin(w, key);
	while (buf_left(&b) > 0)
		writer_u64(w, NULL, width == 1 ? buf_u8(&b) : buf_u16(&b));
	writer_list_end(w);
}

static void show_u8s(struct writer *w, const char *key, const struct option *o)
{
	show_numbers(w, key, o, 1);
}

static void show_u16s(struct writer *w, const char *key, const struct option *o)
{
	show_numbers(w, key, o, 2);
}

static void show_u8(struct writer *w, const char *key, const struct option *o)
{
	writer_u64(w, key, o->bytes[0]);
}

static void show_u16(struct writer *w, const char *key, const struct option *o)
{
	struct buf b = cursor(o);

	writer_u64(w, key, buf_u16(&b));
}

static void show_u32(struct writer *w, const char *key, const struct option *o)
{
	struct buf b = cursor(o);

	writer_u64(w, key, buf_u32(&b));
}

static void show_i32(struct writer *w, const char *key, const struct option *o)
{
	struct buf b = cursor(o);

	writer_i64(w, key, (int32_t)buf_u32(&b));
}

static void show_flag(struct writer *w, const char *key, const struct option *o)
{
	writer_bool(w, key, o->bytes[0] != 0);
}

static void show_empty(struct writer *w, const char *key, const struct option *o)
{
	(void)o;
	writer_bool(w, key, true);
}

/* RFC 4702 section 2: flags, two obsolete result codes, the name (in ASCII unless flag E). */
static void show_fqdn(struct writer *w, const char *key, const struct option *o)
{
	struct buf b = cursor(o);
	uint8_t flags = buf_u8(&b);

	buf_skip(&b, 2);
	writer_object_begin(w, key);
	writer_u64(w, "flags", flags);
	if (flags & 4)
		writer_hex(w, "name", b.p, buf_left(&b));
	else
		writer_text(w, "name", b.p, buf_left(&b));
	writer_object_end(w);
}

/* RFC 3925: enterprise number, length, data; repeated. */
static void show_vendors(struct writer *w, const char *key, const struct option *o)
{
	struct buf b = cursor(o);

	writer_list_begin(w, key);
	while (buf_left(&b) > 0) {
		uint32_t enterprise = buf_u32(&b);
		struct buf data = buf_child(&b, buf_u8(&b));

		if (data.bad)
			break;
		writer_object_begin(w, NULL);
		writer_u64(w, "enterprise", enterprise);
		writer_opaque(w, "data", data.p, buf_left(&data));
		writer_object_end(w);
	}
	writer_list_end(w);
}

static void show_route(struct writer *w, uint8_t width, struct buf *b)
{
	uint8_t net[4] = {0}, bytes = (uint8_t)((width + 7) / 8);
	struct buf whole = buf_of(net, 4);
	char text[IPV4_TEXT], prefix[IPV4_TEXT + 4];

	buf_copy(b, net, bytes);
	snprintf(prefix, sizeof(prefix), "%s/%u", ipv4_format(buf_u32(&whole), text), width);
	writer_object_begin(w, NULL);
	writer_str(w, "to", prefix);
	writer_ipv4(w, "via", buf_u32(b));
	writer_object_end(w);
}

/* RFC 3442: prefix length, the significant bytes of the network, the router; repeated. */
static void show_routes(struct writer *w, const char *key, const struct option *o)
{
	struct buf b = cursor(o);

	writer_list_begin(w, key);
	while (buf_left(&b) > 0) {
		uint8_t width = buf_u8(&b);

		if (width > 32 || buf_left(&b) < (size_t)(width + 7) / 8 + 4)
			break;
		show_route(w, width, &b);
	}
	writer_list_end(w);
}

/* RFC 3046 2.0: at least one sub-option's code and length. */
static const struct kind kind_agent = {2, ANY, 0, NULL};
static const struct kind kind_ipv4 = {4, 4, 0, show_ipv4};
static const struct kind kind_ipv4s = {4, ANY, 4, show_ipv4s};
static const struct kind kind_any_ipv4s = {0, ANY, 4, show_ipv4s};
static const struct kind kind_ipv4_pairs = {8, ANY, 8, show_ipv4s};
static const struct kind kind_u8 = {1, 1, 0, show_u8};
static const struct kind kind_u16 = {2, 2, 0, show_u16};
static const struct kind kind_u32 = {4, 4, 0, show_u32};
static const struct kind kind_i32 = {4, 4, 0, show_i32};
static const struct kind kind_u8s = {1, ANY, 0, show_u8s};
static const struct kind kind_u16s = {2, ANY, 2, show_u16s};
static const struct kind kind_flag = {1, 1, 0, show_flag};
static const struct kind kind_empty = {0, 0, 0, show_empty};
static const struct kind kind_text = {1, ANY, 0, show_text};
static const struct kind kind_bytes = {1, ANY, 0, show_bytes};
static const struct kind kind_client_id = {2, ANY, 0, show_bytes};
static const struct kind kind_ndi = {3, 3, 0, show_bytes};
static const struct kind kind_auth = {11, ANY, 0, show_bytes}; /* RFC 3118 section 2 */
static const struct kind kind_fqdn = {3, ANY, 0, show_fqdn};
static const struct kind kind_vendors = {5, ANY, 0, show_vendors};
static const struct kind kind_routes = {5, ANY, 0, show_routes};
static const struct kind kind_sixrd = {22, ANY, 0, show_bytes}; /* RFC 5969 7.1.1 */

static uint32_t read_u32(const struct option *o)
{
	struct buf b = cursor(o);

	return buf_u32(&b);
}

static void read_requested_ip(struct dhcp *d, const struct option *o)
{
	d->requested_ip = read_u32(o);
}

static void read_lease_time(struct dhcp *d, const struct option *o)
{
	d->lease_time = read_u32(o);
	d->has_lease_time = true;
}

static void read_type(struct dhcp *d, const struct option *o)
{
	if (o->bytes[0] >= DHCP_DISCOVER && o->bytes[0] <= DHCP_TYPE_MAX)
		d->type = o->bytes[0];
	else
		problem_add(&d->problems, "option 53: no message type %u", o->bytes[0], 0, 0);
}

static void read_server_id(struct dhcp *d, const struct option *o)
{
	d->server_id = read_u32(o);
}

static void read_option82(struct dhcp *d, const struct option *o)
{
	d->has_option82 = true;
	option82_decode(&d->option82, cursor(o), &d->problems);
}

static const struct row rows[256] = {
	[1] = {"subnet-mask", &kind_ipv4, NULL},
	[2] = {"time-offset", &kind_i32, NULL},
	[3] = {"routers", &kind_ipv4s, NULL},
	[4] = {"time-servers", &kind_ipv4s, NULL},
	[5] = {"name-servers", &kind_ipv4s, NULL},
	[6] = {"domain-name-servers", &kind_ipv4s, NULL},
	[7] = {"log-servers", &kind_ipv4s, NULL},
	[8] = {"cookie-servers", &kind_ipv4s, NULL},
	[9] = {"lpr-servers", &kind_ipv4s, NULL},
	[10] = {"impress-servers", &kind_ipv4s, NULL},
	[11] = {"resource-location-servers", &kind_ipv4s, NULL},
	[12] = {"host-name", &kind_text, NULL},
	[13] = {"boot-file-size", &kind_u16, NULL},
	[14] = {"merit-dump-file", &kind_text, NULL},
	[15] = {"domain-name", &kind_text, NULL},
	[16] = {"swap-server", &kind_ipv4, NULL},
	[17] = {"root-path", &kind_text, NULL},
	[18] = {"extensions-path", &kind_text, NULL},
	[19] = {"ip-forwarding", &kind_flag, NULL},
	[20] = {"non-local-source-routing", &kind_flag, NULL},
	[21] = {"policy-filter", &kind_ipv4_pairs, NULL},
	[22] = {"max-datagram-reassembly-size", &kind_u16, NULL},
	[23] = {"default-ip-ttl", &kind_u8, NULL},
	[24] = {"path-mtu-aging-timeout", &kind_u32, NULL},
	[25] = {"path-mtu-plateau-table", &kind_u16s, NULL},
	[26] = {"interface-mtu", &kind_u16, NULL},
	[27] = {"all-subnets-local", &kind_flag, NULL},
	[28] = {"broadcast-address", &kind_ipv4, NULL},
	[29] = {"perform-mask-discovery", &kind_flag, NULL},
	[30] = {"mask-supplier", &kind_flag, NULL},
	[31] = {"perform-router-discovery", &kind_flag, NULL},
	[32] = {"router-solicitation-address", &kind_ipv4, NULL},
	[33] = {"static-routes", &kind_ipv4_pairs, NULL},
	[34] = {"trailer-encapsulation", &kind_flag, NULL},
	[35] = {"arp-cache-timeout", &kind_u32, NULL},
	[36] = {"ethernet-encapsulation", &kind_flag, NULL},
	[37] = {"default-tcp-ttl", &kind_u8, NULL},
	[38] = {"tcp-keepalive-interval", &kind_u32, NULL},
	[39] = {"tcp-keepalive-garbage", &kind_flag, NULL},
	[40] = {"nis-domain", &kind_text, NULL},
	[41] = {"nis-servers", &kind_ipv4s, NULL},
	[42] = {"ntp-servers", &kind_ipv4s, NULL},
	[43] = {"vendor-encapsulated-options", &kind_bytes, NULL},
	[44] = {"netbios-name-servers", &kind_ipv4s, NULL},
	[45] = {"netbios-dd-servers", &kind_ipv4s, NULL},
	[46] = {"netbios-node-type", &kind_u8, NULL},
	[47] = {"netbios-scope", &kind_text, NULL},
	[48] = {"font-servers", &kind_ipv4s, NULL},
	[49] = {"x-display-managers", &kind_ipv4s, NULL},
	[50] = {"requested-address", &kind_ipv4, read_requested_ip},
	[51] = {"lease-time", &kind_u32, read_lease_time},
	[52] = {"option-overload", &kind_u8, NULL},
	[53] = {"message-type", &kind_u8, read_type},
	[54] = {"server-identifier", &kind_ipv4, read_server_id},
	[55] = {"parameter-request-list", &kind_u8s, NULL},
	[56] = {"message", &kind_text, NULL},
	[57] = {"max-message-size", &kind_u16, NULL},
	[58] = {"renewal-time", &kind_u32, NULL},
	[59] = {"rebinding-time", &kind_u32, NULL},
	[60] = {"vendor-class-identifier", &kind_text, NULL},
	[61] = {"client-identifier", &kind_client_id, NULL},
	[62] = {"netware-ip-domain", &kind_text, NULL},
	[63] = {"netware-ip-option", &kind_bytes, NULL},
	[64] = {"nisplus-domain", &kind_text, NULL},
	[65] = {"nisplus-servers", &kind_ipv4s, NULL},
	[66] = {"tftp-server-name", &kind_text, NULL},
	[67] = {"bootfile-name", &kind_text, NULL},
	[68] = {"mobile-ip-home-agents", &kind_any_ipv4s, NULL},
	[69] = {"smtp-servers", &kind_ipv4s, NULL},
	[70] = {"pop3-servers", &kind_ipv4s, NULL},
	[71] = {"nntp-servers", &kind_ipv4s, NULL},
	[72] = {"www-servers", &kind_ipv4s, NULL},
	[73] = {"finger-servers", &kind_ipv4s, NULL},
	[74] = {"irc-servers", &kind_ipv4s, NULL},
	[75] = {"streettalk-servers", &kind_ipv4s, NULL},
	[76] = {"stda-servers", &kind_ipv4s, NULL},
	[77] = {"user-class", &kind_bytes, NULL},
	[78] = {"slp-directory-agents", &kind_bytes, NULL},
	[79] = {"slp-service-scope", &kind_bytes, NULL},
	[80] = {"rapid-commit", &kind_empty, NULL},
	[81] = {"client-fqdn", &kind_fqdn, NULL},
	[82] = {"relay-agent-information", &kind_agent, read_option82},
	[83] = {"isns", &kind_bytes, NULL},
	[85] = {"nds-servers", &kind_ipv4s, NULL},
	[86] = {"nds-tree-name", &kind_text, NULL},
	[87] = {"nds-context", &kind_text, NULL},
	[88] = {"bcmcs-domains", &kind_bytes, NULL},
	[89] = {"bcmcs-addresses", &kind_ipv4s, NULL},
	[90] = {"authentication", &kind_auth, NULL},
	[91] = {"client-last-transaction-time", &kind_u32, NULL},
	[92] = {"associated-ip", &kind_ipv4s, NULL},
	[93] = {"client-system", &kind_u16s, NULL},
	[94] = {"client-network-device", &kind_ndi, NULL},
	[95] = {"ldap", &kind_text, NULL},
	[97] = {"client-machine-identifier", &kind_bytes, NULL},
	[98] = {"user-authentication", &kind_text, NULL},
	[99] = {"civic-location", &kind_bytes, NULL},
	[100] = {"posix-timezone", &kind_text, NULL},
	[101] = {"tzdb-timezone", &kind_text, NULL},
	[108] = {"ipv6-only-preferred", &kind_u32, NULL},
	[112] = {"netinfo-address", &kind_ipv4s, NULL},
	[113] = {"netinfo-tag", &kind_text, NULL},
	[114] = {"captive-portal", &kind_text, NULL},
	[116] = {"auto-configuration", &kind_u8, NULL},
	[117] = {"name-service-search", &kind_u16s, NULL},
	[118] = {"subnet-selection", &kind_ipv4, NULL},
	[119] = {"domain-search", &kind_bytes, NULL},
	[120] = {"sip-servers", &kind_bytes, NULL},
	[121] = {"classless-static-routes", &kind_routes, NULL},
	[122] = {"cablelabs-client-configuration", &kind_bytes, NULL},
	[123] = {"geo-location", &kind_bytes, NULL},
	[124] = {"vendor-class", &kind_vendors, NULL},
	[125] = {"vendor-specific-information", &kind_vendors, NULL},
	[136] = {"pana-agents", &kind_ipv4s, NULL},
	[137] = {"lost-server", &kind_bytes, NULL},
	[138] = {"capwap-controllers", &kind_ipv4s, NULL},
	[139] = {"mos-addresses", &kind_bytes, NULL},
	[140] = {"mos-domains", &kind_bytes, NULL},
	[141] = {"sip-configuration-domains", &kind_bytes, NULL},
	[142] = {"andsf-addresses", &kind_ipv4s, NULL},
	[143] = {"sztp-redirect", &kind_bytes, NULL},
	[144] = {"geo-location-uncertain", &kind_bytes, NULL},
	[145] = {"forcerenew-nonce-capable", &kind_u8s, NULL},
	[146] = {"rdnss-selection", &kind_bytes, NULL},
	[150] = {"tftp-server-addresses", &kind_ipv4s, NULL},
	[151] = {"status-code", &kind_bytes, NULL},
	[152] = {"base-time", &kind_u32, NULL},
	[153] = {"start-time-of-state", &kind_u32, NULL},
	[154] = {"query-start-time", &kind_u32, NULL},
	[155] = {"query-end-time", &kind_u32, NULL},
	[156] = {"dhcp-state", &kind_u8, NULL},
	[157] = {"data-source", &kind_u8, NULL},
	[161] = {"mud-url", &kind_text, NULL},
	[162] = {"encrypted-dns-servers", &kind_bytes, NULL},
	[208] = {"pxelinux-magic", &kind_u32, NULL},
	[209] = {"configuration-file", &kind_text, NULL},
	[210] = {"path-prefix", &kind_text, NULL},
	[211] = {"reboot-time", &kind_u32, NULL},
	[212] = {"6rd", &kind_sixrd, NULL},
	[220] = {"subnet-allocation", &kind_bytes, NULL},
	[221] = {"virtual-subnet-selection", &kind_bytes, NULL},
};

static inline bool length_is_right(const struct kind *kind, uint32_t len)
{
	return len >= kind->min && len <= kind->max &&
	       (kind->unit == 0 || (len & (kind->unit - 1u)) == 0);
}

void dhcp_read_options(struct dhcp *d)
{
	for (unsigned i = 0; i < d->options.count; i++) {
		const struct option *o = &d->options.item[i];
		const struct row *row = &rows[o->code];

		if (row->kind && !length_is_right(row->kind, o->len))
			problem_add(&d->problems, "option %u: length %u", o->code, o->len, 0);
		else if (row->read)
			row->read(d, o);
	}
}

static void write_option(struct writer *w, const struct option *o)
{
	const struct row *row = &rows[o->code];
	char key[16];

	if (row->kind && !row->kind->show)
		return;
	snprintf(key, sizeof(key), "option-%u", o->code);
	if (!row->kind || !length_is_right(row->kind, o->len))
		show_bytes(w, row->name ? row->name : key, o);
	else
		row->kind->show(w, row->name, o);
}

struct buf dhcp_find(const struct dhcp *d, uint8_t code)
{
	const struct option *o = options_find(&d->options, code);
	struct buf value;

	if (!o || (rows[code].kind && !length_is_right(rows[code].kind, o->len)))
		return (struct buf){.bad = true};
	value = cursor(o);
	while (code == DHCP_OPTION_HOSTNAME && buf_left(&value) > 0 && value.end[-1] == 0)
		value.end--;
	return value;
}

/* The text of a fixed field, which ends at the first NUL. */
static void write_field(
	struct writer *w, const char *key, const struct dhcp *d, size_t at, size_t size)
{
	struct buf b = d->payload, field;
	size_t len;

	buf_skip(&b, at);
	field = buf_child(&b, size);
	len = field.bad ? 0 : strnlen((const char *)field.p, size);
	if (len > 0)
		writer_text(w, key, field.p, len);
}

void dhcp_write_options(struct writer *w, const struct dhcp *d)
{
	if (d->secs)
		writer_u64(w, "secs", d->secs);
	if (d->flags)
		writer_u64(w, "flags", d->flags);
	if (!(d->overload & DHCP_OVERLOAD_SNAME))
		write_field(w, "sname", d, 44, 64);
	if (!(d->overload & DHCP_OVERLOAD_FILE))
		write_field(w, "file", d, 108, 128);
	if (d->options.count == 0)
		return;
	writer_object_begin(w, "options");
	for (unsigned i = 0; i < d->options.count; i++)
		write_option(w, &d->options.item[i]);
	writer_object_end(w);
}
