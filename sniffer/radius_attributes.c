/* SPDX-License-Identifier: ISC
 *
 * RADIUS attributes as a table: IANA's registry. A row names the attribute, the kind of its value
 * and, where a record has a field for it, the function that reads it. Vendors' attributes have
 * rows of their own at the end.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "radius_words.h"
#include "tap82/radius.h"

#define ANY	      253 /* bytes: no limit of its own */
#define FRAGMENTS_MAX 4096 /* RFC 2865 section 3: a whole packet is not longer */

enum {
	VENDOR_SPECIFIC = 26, /* also inside extended types: RFC 6929 2.4 */
	EXTENDED_FIRST = 241,
	LONG_EXTENDED_FIRST = 245,
	EXTENDED_LAST = 246,
	MORE = 0x80, /* RFC 6929 2.2: another fragment follows */
	VENDOR_CISCO = 9,
	VENDOR_MICROSOFT = 311,
	VENDOR_ASCEND = 529,
	VENDOR_ADSL_FORUM = 3561,
};

struct kind {
	uint8_t min, max; /* bytes of the value */
	const struct radius_word *words; /* of a number, or NULL */
	void (*show)(struct writer *w, const char *key, struct buf value,
		const struct radius_word *words);
};

struct row {
	const char *name;
	const struct kind *kind;
	void (*read)(struct radius_fields *f, struct buf value);
};

struct vendor_row {
	uint32_t vendor;
	uint8_t type;
	struct row row;
};

#define SHOW(name)                                                            \
	static void name(struct writer *w, const char *key, struct buf value, \
		const struct radius_word *words)

SHOW(show_bytes)
{
	(void)words;
	writer_opaque(w, key, value.p, buf_left(&value));
}

SHOW(show_text)
{
	(void)words;
	writer_text(w, key, value.p, buf_left(&value));
}

/* Only its length. */
SHOW(show_secret)
{
	char text[32];

	(void)words;
	snprintf(text, sizeof(text), "secret, %u bytes", (unsigned)buf_left(&value));
	writer_str(w, key, text);
}

SHOW(show_u32)
{
	(void)words;
	writer_u64(w, key, buf_u32(&value));
}

SHOW(show_word)
{
	radius_word_write(w, key, words, buf_u32(&value));
}

/* RFC 2868 3.1: the first byte is a tag, three are the number. */
SHOW(show_tagged_word)
{
	radius_word_write(w, key, words, buf_u32(&value) & 0xffffff);
}

SHOW(show_tagged_u24)
{
	(void)words;
	writer_u64(w, key, buf_u32(&value) & 0xffffff);
}

SHOW(show_ipv4)
{
	(void)words;
	writer_ipv4(w, key, buf_u32(&value));
}

static void show_address6(struct writer *w, const char *key, const uint8_t address[16])
{
	char text[INET6_ADDRSTRLEN];

	writer_str(w, key, inet_ntop(AF_INET6, address, text, sizeof(text)));
}

SHOW(show_ipv6)
{
	uint8_t address[16];

	(void)words;
	buf_copy(&value, address, sizeof(address));
	show_address6(w, key, address);
}

/* RFC 3162 2.3: reserved, prefix length, as many bytes as it needs. */
SHOW(show_prefix6)
{
	uint8_t address[16] = {0}, width;
	char text[INET6_ADDRSTRLEN], prefix[INET6_ADDRSTRLEN + 5];

	(void)words;
	buf_skip(&value, 1);
	width = buf_u8(&value);
	buf_copy(&value, address, buf_left(&value));
	snprintf(prefix, sizeof(prefix), "%s/%u", inet_ntop(AF_INET6, address, text, sizeof(text)),
		width);
	writer_str(w, key, prefix);
}

/* RFC 2868: a first byte up to 0x1f is a tag, anything else belongs to the text. */
static struct buf untagged(struct buf value)
{
	if (buf_left(&value) > 0 && buf_peek(&value, 0) <= 0x1f)
		buf_skip(&value, 1);
	return value;
}

SHOW(show_tagged)
{
	show_text(w, key, untagged(value), words);
}

/* Cisco's pairs are many things, keys and passwords among them. */
SHOW(show_pair)
{
	static const char *const secrets[] = {"password", "key", "secret"};
	char text[ANY + 1] = "";
	bool secret = false;

	memcpy(text, value.p, buf_left(&value) < ANY ? buf_left(&value) : ANY);
	for (unsigned i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		secret |= strcasestr(text, secrets[i]) != NULL;
	if (secret)
		show_secret(w, key, value, words);
	else
		show_text(w, key, value, words);
}

static const struct kind kind_pair = {1, ANY, NULL, show_pair};
static const struct kind kind_secret = {0, ANY, NULL, show_secret};
static const struct kind kind_bytes = {1, ANY, NULL, show_bytes};
static const struct kind kind_text = {1, ANY, NULL, show_text};
static const struct kind kind_any_text = {0, ANY, NULL, show_text}; /* RFC 4372: a request's nul */
static const struct kind kind_tagged = {1, ANY, NULL, show_tagged};
static const struct kind kind_u32 = {4, 4, NULL, show_u32};
static const struct kind kind_tagged_u24 = {4, 4, NULL, show_tagged_u24};
static const struct kind kind_ipv4 = {4, 4, NULL, show_ipv4};
static const struct kind kind_ipv6 = {16, 16, NULL, show_ipv6};
static const struct kind kind_prefix6 = {2, 18, NULL, show_prefix6};
static const struct kind kind_interface_id = {8, 8, NULL, show_bytes};
static const struct kind kind_service_type = {4, 4, radius_service_types, show_word};
static const struct kind kind_framed_protocol = {4, 4, radius_framed_protocols, show_word};
static const struct kind kind_acct_status = {4, 4, radius_acct_status_types, show_word};
static const struct kind kind_acct_authentic = {4, 4, radius_acct_authentics, show_word};
static const struct kind kind_terminate_cause = {4, 4, radius_terminate_causes, show_word};
static const struct kind kind_nas_port_type = {4, 4, radius_nas_port_types, show_word};
static const struct kind kind_error_cause = {4, 4, radius_error_causes, show_word};
static const struct kind kind_tunnel_type = {4, 4, radius_tunnel_types, show_tagged_word};
static const struct kind kind_tunnel_medium = {4, 4, radius_tunnel_media, show_tagged_word};
/* Those that hold others: shown by functions that know how. */
static const struct kind kind_vendor = {5, ANY, NULL, show_bytes};
static const struct kind kind_extended = {2, ANY, NULL, show_bytes};

static uint32_t read_u32(struct buf value)
{
	return buf_u32(&value);
}

/* The first of several counts: RFC 2865 allows one of each of these. */
static void keep(struct buf *field, struct buf value)
{
	if (!field->p)
		*field = value;
}

static void read_user(struct radius_fields *f, struct buf value)
{
	keep(&f->user, value);
}

static void read_nas_ip(struct radius_fields *f, struct buf value)
{
	f->nas_ip = read_u32(value);
}

static void read_nas_port(struct radius_fields *f, struct buf value)
{
	f->nas_port = read_u32(value);
	f->has_nas_port = true;
}

static void read_service_type(struct radius_fields *f, struct buf value)
{
	f->service_type = read_u32(value);
}

/* RFC 2865 5.8: all ones and 255.255.255.254 are wishes, not addresses. */
static void read_framed_ip(struct radius_fields *f, struct buf value)
{
	uint32_t ip = read_u32(value);

	f->framed_ip = ip >= 0xfffffffe ? 0 : ip;
}

static void read_session_timeout(struct radius_fields *f, struct buf value)
{
	f->session_timeout = read_u32(value);
	f->has_session_timeout = true;
}

static void read_called_station(struct radius_fields *f, struct buf value)
{
	keep(&f->called_station, value);
}

static void read_calling_station(struct radius_fields *f, struct buf value)
{
	keep(&f->calling_station, value);
}

static void read_nas_identifier(struct radius_fields *f, struct buf value)
{
	keep(&f->nas_identifier, value);
}

static void read_acct_status(struct radius_fields *f, struct buf value)
{
	f->acct_status = read_u32(value);
}

static void read_session_id(struct radius_fields *f, struct buf value)
{
	keep(&f->session_id, value);
}

static void read_nas_port_type(struct radius_fields *f, struct buf value)
{
	f->nas_port_type = read_u32(value);
	f->has_nas_port_type = true;
}

static void read_nas_port_id(struct radius_fields *f, struct buf value)
{
	keep(&f->nas_port_id, value);
}

static void read_framed_pool(struct radius_fields *f, struct buf value)
{
	keep(&f->framed_pool, value);
}

static void read_framed_ipv6_pool(struct radius_fields *f, struct buf value)
{
	keep(&f->framed_ipv6_pool, value);
}

/* RFC 3580 3.31: the VLAN as decimal text. A name stays unread. */
static void read_tunnel_group(struct radius_fields *f, struct buf value)
{
	int32_t vlan = 0;

	value = untagged(value);
	if (buf_left(&value) == 0 || buf_left(&value) > 4)
		return;
	while (buf_left(&value) > 0) {
		uint8_t c = buf_u8(&value);

		if (c < '0' || c > '9')
			return;
		vlan = vlan * 10 + (c - '0');
	}
	f->vlan = vlan <= 4094 ? vlan : f->vlan;
}

static void read_circuit_id(struct radius_fields *f, struct buf value)
{
	keep(&f->circuit_id, value);
}

static void read_remote_id(struct radius_fields *f, struct buf value)
{
	keep(&f->remote_id, value);
}

/* What follows `word` in a Cisco pair, or a NULL cursor. */
static struct buf pair_value(struct buf pair, const char *word)
{
	size_t len = strlen(word);

	if (buf_left(&pair) < len || memcmp(pair.p, word, len) != 0)
		return (struct buf){.p = NULL};
	buf_skip(&pair, len);
	return pair;
}

/* Cisco's BRAS software carries what VSA 3561 does as text. */
static void read_cisco_pair(struct radius_fields *f, struct buf value)
{
	struct buf circuit = pair_value(value, "circuit-id-tag=");
	struct buf remote = pair_value(value, "remote-id-tag=");

	if (circuit.p)
		keep(&f->circuit_id, circuit);
	if (remote.p)
		keep(&f->remote_id, remote);
}

static void read_vendor(struct radius_fields *f, struct buf value);

static const struct row rows[256] = {
	[1] = {"User-Name", &kind_text, read_user},
	[2] = {"User-Password", &kind_secret, NULL},
	[3] = {"CHAP-Password", &kind_secret, NULL},
	[4] = {"NAS-IP-Address", &kind_ipv4, read_nas_ip},
	[5] = {"NAS-Port", &kind_u32, read_nas_port},
	[6] = {"Service-Type", &kind_service_type, read_service_type},
	[7] = {"Framed-Protocol", &kind_framed_protocol, NULL},
	[8] = {"Framed-IP-Address", &kind_ipv4, read_framed_ip},
	[9] = {"Framed-IP-Netmask", &kind_ipv4, NULL},
	[10] = {"Framed-Routing", &kind_u32, NULL},
	[11] = {"Filter-Id", &kind_text, NULL},
	[12] = {"Framed-MTU", &kind_u32, NULL},
	[13] = {"Framed-Compression", &kind_u32, NULL},
	[14] = {"Login-IP-Host", &kind_ipv4, NULL},
	[15] = {"Login-Service", &kind_u32, NULL},
	[16] = {"Login-TCP-Port", &kind_u32, NULL},
	[18] = {"Reply-Message", &kind_text, NULL},
	[19] = {"Callback-Number", &kind_text, NULL},
	[20] = {"Callback-Id", &kind_text, NULL},
	[22] = {"Framed-Route", &kind_text, NULL},
	[23] = {"Framed-IPX-Network", &kind_u32, NULL},
	[24] = {"State", &kind_secret, NULL},
	[25] = {"Class", &kind_bytes, NULL},
	[26] = {"Vendor-Specific", &kind_vendor, read_vendor},
	[27] = {"Session-Timeout", &kind_u32, read_session_timeout},
	[28] = {"Idle-Timeout", &kind_u32, NULL},
	[29] = {"Termination-Action", &kind_u32, NULL},
	[30] = {"Called-Station-Id", &kind_text, read_called_station},
	[31] = {"Calling-Station-Id", &kind_text, read_calling_station},
	[32] = {"NAS-Identifier", &kind_text, read_nas_identifier},
	[33] = {"Proxy-State", &kind_bytes, NULL},
	[34] = {"Login-LAT-Service", &kind_text, NULL},
	[35] = {"Login-LAT-Node", &kind_text, NULL},
	[36] = {"Login-LAT-Group", &kind_bytes, NULL},
	[37] = {"Framed-AppleTalk-Link", &kind_u32, NULL},
	[38] = {"Framed-AppleTalk-Network", &kind_u32, NULL},
	[39] = {"Framed-AppleTalk-Zone", &kind_text, NULL},
	[40] = {"Acct-Status-Type", &kind_acct_status, read_acct_status},
	[41] = {"Acct-Delay-Time", &kind_u32, NULL},
	[42] = {"Acct-Input-Octets", &kind_u32, NULL},
	[43] = {"Acct-Output-Octets", &kind_u32, NULL},
	[44] = {"Acct-Session-Id", &kind_text, read_session_id},
	[45] = {"Acct-Authentic", &kind_acct_authentic, NULL},
	[46] = {"Acct-Session-Time", &kind_u32, NULL},
	[47] = {"Acct-Input-Packets", &kind_u32, NULL},
	[48] = {"Acct-Output-Packets", &kind_u32, NULL},
	[49] = {"Acct-Terminate-Cause", &kind_terminate_cause, NULL},
	[50] = {"Acct-Multi-Session-Id", &kind_text, NULL},
	[51] = {"Acct-Link-Count", &kind_u32, NULL},
	[52] = {"Acct-Input-Gigawords", &kind_u32, NULL},
	[53] = {"Acct-Output-Gigawords", &kind_u32, NULL},
	[55] = {"Event-Timestamp", &kind_u32, NULL},
	[56] = {"Egress-VLANID", &kind_u32, NULL},
	[57] = {"Ingress-Filters", &kind_u32, NULL},
	[58] = {"Egress-VLAN-Name", &kind_text, NULL},
	[59] = {"User-Priority-Table", &kind_bytes, NULL},
	[60] = {"CHAP-Challenge", &kind_secret, NULL},
	[61] = {"NAS-Port-Type", &kind_nas_port_type, read_nas_port_type},
	[62] = {"Port-Limit", &kind_u32, NULL},
	[63] = {"Login-LAT-Port", &kind_text, NULL},
	[64] = {"Tunnel-Type", &kind_tunnel_type, NULL},
	[65] = {"Tunnel-Medium-Type", &kind_tunnel_medium, NULL},
	[66] = {"Tunnel-Client-Endpoint", &kind_tagged, NULL},
	[67] = {"Tunnel-Server-Endpoint", &kind_tagged, NULL},
	[68] = {"Acct-Tunnel-Connection", &kind_text, NULL},
	[69] = {"Tunnel-Password", &kind_secret, NULL},
	[70] = {"ARAP-Password", &kind_secret, NULL},
	[71] = {"ARAP-Features", &kind_bytes, NULL},
	[72] = {"ARAP-Zone-Access", &kind_u32, NULL},
	[73] = {"ARAP-Security", &kind_u32, NULL},
	[74] = {"ARAP-Security-Data", &kind_secret, NULL},
	[75] = {"Password-Retry", &kind_u32, NULL},
	[76] = {"Prompt", &kind_u32, NULL},
	[77] = {"Connect-Info", &kind_text, NULL},
	[78] = {"Configuration-Token", &kind_text, NULL},
	[79] = {"EAP-Message", &kind_secret, NULL},
	[80] = {"Message-Authenticator", &kind_secret, NULL},
	[81] = {"Tunnel-Private-Group-ID", &kind_tagged, read_tunnel_group},
	[82] = {"Tunnel-Assignment-ID", &kind_tagged, NULL},
	[83] = {"Tunnel-Preference", &kind_tagged_u24, NULL},
	[84] = {"ARAP-Challenge-Response", &kind_secret, NULL},
	[85] = {"Acct-Interim-Interval", &kind_u32, NULL},
	[86] = {"Acct-Tunnel-Packets-Lost", &kind_u32, NULL},
	[87] = {"NAS-Port-Id", &kind_text, read_nas_port_id},
	[88] = {"Framed-Pool", &kind_text, read_framed_pool},
	[89] = {"Chargeable-User-Identity", &kind_any_text, NULL},
	[90] = {"Tunnel-Client-Auth-ID", &kind_tagged, NULL},
	[91] = {"Tunnel-Server-Auth-ID", &kind_tagged, NULL},
	[92] = {"NAS-Filter-Rule", &kind_text, NULL},
	[94] = {"Originating-Line-Info", &kind_bytes, NULL},
	[95] = {"NAS-IPv6-Address", &kind_ipv6, NULL},
	[96] = {"Framed-Interface-Id", &kind_interface_id, NULL},
	[97] = {"Framed-IPv6-Prefix", &kind_prefix6, NULL},
	[98] = {"Login-IPv6-Host", &kind_ipv6, NULL},
	[99] = {"Framed-IPv6-Route", &kind_text, NULL},
	[100] = {"Framed-IPv6-Pool", &kind_text, read_framed_ipv6_pool},
	[101] = {"Error-Cause", &kind_error_cause, NULL},
	[102] = {"EAP-Key-Name", &kind_secret, NULL},
	[103] = {"Digest-Response", &kind_secret, NULL},
	[104] = {"Digest-Realm", &kind_text, NULL},
	[105] = {"Digest-Nonce", &kind_secret, NULL},
	[106] = {"Digest-Response-Auth", &kind_secret, NULL},
	[107] = {"Digest-Nextnonce", &kind_secret, NULL},
	[108] = {"Digest-Method", &kind_text, NULL},
	[109] = {"Digest-URI", &kind_text, NULL},
	[110] = {"Digest-Qop", &kind_text, NULL},
	[111] = {"Digest-Algorithm", &kind_text, NULL},
	[112] = {"Digest-Entity-Body-Hash", &kind_secret, NULL},
	[113] = {"Digest-CNonce", &kind_secret, NULL},
	[114] = {"Digest-Nonce-Count", &kind_secret, NULL},
	[115] = {"Digest-Username", &kind_text, NULL},
	[116] = {"Digest-Opaque", &kind_secret, NULL},
	[117] = {"Digest-Auth-Param", &kind_secret, NULL},
	[118] = {"Digest-AKA-Auts", &kind_secret, NULL},
	[119] = {"Digest-Domain", &kind_text, NULL},
	[120] = {"Digest-Stale", &kind_text, NULL},
	[121] = {"Digest-HA1", &kind_secret, NULL},
	[122] = {"SIP-AOR", &kind_text, NULL},
	[123] = {"Delegated-IPv6-Prefix", &kind_prefix6, NULL},
	[124] = {"MIP6-Feature-Vector", &kind_bytes, NULL},
	[125] = {"MIP6-Home-Link-Prefix", &kind_bytes, NULL},
	[126] = {"Operator-Name", &kind_text, NULL},
	[127] = {"Location-Information", &kind_bytes, NULL},
	[128] = {"Location-Data", &kind_bytes, NULL},
	[129] = {"Basic-Location-Policy-Rules", &kind_bytes, NULL},
	[130] = {"Extended-Location-Policy-Rules", &kind_bytes, NULL},
	[131] = {"Location-Capable", &kind_u32, NULL},
	[132] = {"Requested-Location-Info", &kind_u32, NULL},
	[133] = {"Framed-Management-Protocol", &kind_u32, NULL},
	[134] = {"Management-Transport-Protection", &kind_u32, NULL},
	[135] = {"Management-Policy-Id", &kind_text, NULL},
	[136] = {"Management-Privilege-Level", &kind_u32, NULL},
	[137] = {"PKM-SS-Cert", &kind_bytes, NULL},
	[138] = {"PKM-CA-Cert", &kind_bytes, NULL},
	[139] = {"PKM-Config-Settings", &kind_bytes, NULL},
	[140] = {"PKM-Cryptosuite-List", &kind_bytes, NULL},
	[141] = {"PKM-SAID", &kind_bytes, NULL},
	[142] = {"PKM-SA-Descriptor", &kind_bytes, NULL},
	[143] = {"PKM-Auth-Key", &kind_secret, NULL},
	[144] = {"DS-Lite-Tunnel-Name", &kind_text, NULL},
	[145] = {"Mobile-Node-Identifier", &kind_bytes, NULL},
	[146] = {"Service-Selection", &kind_text, NULL},
	[168] = {"Framed-IPv6-Address", &kind_ipv6, NULL},
	[169] = {"DNS-Server-IPv6-Address", &kind_ipv6, NULL},
	[170] = {"Route-IPv6-Information", &kind_bytes, NULL},
	[171] = {"Delegated-IPv6-Prefix-Pool", &kind_text, NULL},
	[172] = {"Stateful-IPv6-Address-Pool", &kind_text, NULL},
	[174] = {"Allowed-Called-Station-Id", &kind_text, NULL},
	[175] = {"EAP-Peer-Id", &kind_bytes, NULL},
	[176] = {"EAP-Server-Id", &kind_bytes, NULL},
	[177] = {"Mobility-Domain-Id", &kind_u32, NULL},
	[178] = {"Preauth-Timeout", &kind_u32, NULL},
	[179] = {"Network-Id-Name", &kind_bytes, NULL},
	[180] = {"EAPoL-Announcement", &kind_bytes, NULL},
	[181] = {"WLAN-HESSID", &kind_text, NULL},
	[182] = {"WLAN-Venue-Info", &kind_u32, NULL},
	[183] = {"WLAN-Venue-Language", &kind_bytes, NULL},
	[184] = {"WLAN-Venue-Name", &kind_text, NULL},
	[185] = {"WLAN-Reason-Code", &kind_u32, NULL},
	[186] = {"WLAN-Pairwise-Cipher", &kind_u32, NULL},
	[187] = {"WLAN-Group-Cipher", &kind_u32, NULL},
	[188] = {"WLAN-AKM-Suite", &kind_u32, NULL},
	[189] = {"WLAN-Group-Mgmt-Cipher", &kind_u32, NULL},
	[190] = {"WLAN-RF-Band", &kind_u32, NULL},
	[241] = {"Extended-Attribute-1", &kind_extended, NULL},
	[242] = {"Extended-Attribute-2", &kind_extended, NULL},
	[243] = {"Extended-Attribute-3", &kind_extended, NULL},
	[244] = {"Extended-Attribute-4", &kind_extended, NULL},
	[245] = {"Extended-Attribute-5", &kind_extended, NULL},
	[246] = {"Extended-Attribute-6", &kind_extended, NULL},
};

/* RFC 4679 section 3, and what Cisco's switches and BRASes send. */
static const struct vendor_row vendor_rows[] = {
	{VENDOR_ADSL_FORUM, 1, {"Agent-Circuit-Id", &kind_bytes, read_circuit_id}},
	{VENDOR_ADSL_FORUM, 2, {"Agent-Remote-Id", &kind_bytes, read_remote_id}},
	{VENDOR_ADSL_FORUM, 0x81, {"Actual-Data-Rate-Upstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x82, {"Actual-Data-Rate-Downstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x83, {"Minimum-Data-Rate-Upstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x84, {"Minimum-Data-Rate-Downstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x85, {"Attainable-Data-Rate-Upstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x86, {"Attainable-Data-Rate-Downstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x87, {"Maximum-Data-Rate-Upstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x88, {"Maximum-Data-Rate-Downstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x89, {"Minimum-Data-Rate-Upstream-Low-Power", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x8a, {"Minimum-Data-Rate-Downstream-Low-Power", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x8b, {"Maximum-Interleaving-Delay-Upstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x8c, {"Actual-Interleaving-Delay-Upstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x8d, {"Maximum-Interleaving-Delay-Downstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x8e, {"Actual-Interleaving-Delay-Downstream", &kind_u32, NULL}},
	{VENDOR_ADSL_FORUM, 0x90, {"Access-Loop-Encapsulation", &kind_bytes, NULL}},
	{VENDOR_ADSL_FORUM, 0xfe, {"IWF-Session", &kind_any_text, NULL}},
	{VENDOR_CISCO, 1, {"Cisco-AVPair", &kind_pair, read_cisco_pair}},
	{VENDOR_CISCO, 2, {"Cisco-NAS-Port", &kind_text, NULL}},
	{VENDOR_ASCEND, 214, {"Ascend-Send-Secret", &kind_secret, NULL}},
	{VENDOR_ASCEND, 215, {"Ascend-Receive-Secret", &kind_secret, NULL}},
};

/* The row of a vendor's attribute, or NULL. All of Microsoft's are treated as secrets: keys, hashes
 * and challenges are among them. */
static const struct row *vendor_row(uint32_t vendor, uint8_t type)
{
	static const struct row microsoft = {NULL, &kind_secret, NULL};

	if (vendor == VENDOR_MICROSOFT)
		return &microsoft;
	for (unsigned i = 0; i < sizeof(vendor_rows) / sizeof(vendor_rows[0]); i++)
		if (vendor_rows[i].vendor == vendor && vendor_rows[i].type == type)
			return &vendor_rows[i].row;
	return NULL;
}

static bool length_is_right(const struct row *row, struct buf value)
{
	return !row->kind ||
	       (buf_left(&value) >= row->kind->min && buf_left(&value) <= row->kind->max);
}

/* Type, length that counts both, value. False at the end; a failed cursor says it overran. */
static bool next_attribute(struct buf *b, uint8_t *ret_type, struct buf *ret_value)
{
	uint8_t len;

	if (buf_left(b) == 0)
		return false;
	*ret_type = buf_u8(b);
	len = buf_u8(b);
	if (len < 2)
		buf_fail(b);
	else
		*ret_value = buf_child(b, len - 2u);
	return !b->bad;
}

/* RFC 2865 5.26: most vendors nest attributes of the same shape. */
static void read_vendor(struct radius_fields *f, struct buf value)
{
	uint32_t vendor = buf_u32(&value);
	struct buf inner;
	uint8_t type = 0;

	while (next_attribute(&value, &type, &inner)) {
		const struct row *row = vendor_row(vendor, type);

		if (row && row->read && length_is_right(row, inner))
			row->read(f, inner);
	}
}

void radius_read_attributes(
	struct radius_fields *f, struct buf attributes, struct problems *problems)
{
	struct buf b = attributes, value;
	uint8_t type = 0;

	*f = (struct radius_fields){.attributes = attributes, .vlan = -1};
	while (next_attribute(&b, &type, &value)) {
		const struct row *row = &rows[type];

		if (!length_is_right(row, value))
			problem_add(problems, "attribute %u: length %u", type,
				(uint32_t)buf_left(&value) + 2, 0);
		else if (row->read)
			row->read(f, value);
	}
	if (b.bad)
		problem_add(problems, "attribute %u overruns, or has a length below 2", type, 0, 0);
	radius_read_station(f);
}

/* Or may hold one. */
static bool is_secret(const struct row *row)
{
	return row && (row->kind == &kind_secret || row->kind == &kind_pair);
}

static void write_value(struct writer *w, const struct row *row, const char *key, struct buf value)
{
	bool known = row && row->kind && length_is_right(row, value);

	if (known)
		row->kind->show(w, key, value, row->kind->words);
	else if (is_secret(row))
		show_secret(w, key, value, NULL);
	else
		writer_opaque(w, key, value.p, buf_left(&value));
}

/* One attribute of the list: an object with one field. */
static void write_item(struct writer *w, const struct row *row, const char *key, struct buf value)
{
	writer_object_begin(w, NULL);
	write_value(w, row, row && row->name ? row->name : key, value);
	writer_object_end(w);
}

static void write_vendor(struct writer *w, struct buf value)
{
	uint32_t vendor = buf_u32(&value);
	struct buf inner;
	uint8_t type = 0;
	char key[32];

	while (next_attribute(&value, &type, &inner)) {
		snprintf(key, sizeof(key), "Vendor-%u.%u", vendor, type);
		write_item(w, vendor_row(vendor, type), key, inner);
	}
}

/* RFC 6929 2.1, 2.4: 26 inside is a vendor's, of a space of its own: the names are not the same,
 * but what is secret in one is so in the other. */
static void write_extended(struct writer *w, uint8_t type, uint8_t inner, struct buf value)
{
	static const struct row secret = {NULL, &kind_secret, NULL};
	const struct row *row = NULL;
	char key[32];

	snprintf(key, sizeof(key), "%u.%u", type, inner);
	if (inner == VENDOR_SPECIFIC && buf_left(&value) >= 5) {
		uint32_t vendor = buf_u32(&value);
		uint8_t vendor_type = buf_u8(&value);

		snprintf(key, sizeof(key), "%u.26.%u.%u", type, vendor, vendor_type);
		if (is_secret(vendor_row(vendor, vendor_type)))
			row = &secret;
	}
	write_item(w, row, key, value);
}

/* RFC 6929 2.2: long attributes go on in the next one of the same types while MORE is set. `b` is
 * behind the first fragment, which is `value` without its type. */
static void write_long(
	struct writer *w, struct buf *b, uint8_t type, uint8_t inner, struct buf value)
{
	uint8_t joined[FRAGMENTS_MAX], next_type = type, flags = buf_u8(&value);
	size_t used = 0;

	for (;;) {
		size_t n = buf_left(&value);

		if (n > sizeof(joined) - used)
			break;
		buf_copy(&value, joined + used, n);
		used += n;
		if (!(flags & MORE) || buf_peek(b, 0) != type || buf_peek(b, 2) != inner ||
			!next_attribute(b, &next_type, &value))
			break;
		buf_skip(&value, 1);
		flags = buf_u8(&value);
	}
	write_extended(w, type, inner, buf_of(joined, used));
}

static void write_attribute(struct writer *w, struct buf *b, uint8_t type, struct buf value)
{
	char key[32];

	snprintf(key, sizeof(key), "Attribute-%u", type);
	if (type == VENDOR_SPECIFIC && length_is_right(&rows[type], value)) {
		write_vendor(w, value);
	} else if (type >= LONG_EXTENDED_FIRST && type <= EXTENDED_LAST && buf_left(&value) >= 2) {
		uint8_t inner = buf_u8(&value);

		write_long(w, b, type, inner, value);
	} else if (type >= EXTENDED_FIRST && type <= EXTENDED_LAST && buf_left(&value) >= 1) {
		uint8_t inner = buf_u8(&value);

		write_extended(w, type, inner, value);
	} else {
		write_item(w, &rows[type], key, value);
	}
}

void radius_write_attributes(struct writer *w, struct buf attributes)
{
	struct buf value;
	uint8_t type = 0;

	if (buf_left(&attributes) == 0)
		return;
	writer_list_begin(w, "attributes");
	while (next_attribute(&attributes, &type, &value))
		write_attribute(w, &attributes, type, value);
	writer_list_end(w);
}
