/* SPDX-License-Identifier: ISC */
#include "tap82/addr.h"
#include "tap82/err.h"

static const char digits[] = "0123456789abcdef";

const char hex_pairs[513] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
			    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
			    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
			    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
			    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
			    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
			    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
			    "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *mac_format(const struct mac *mac, char out[MAC_TEXT])
{
	for (unsigned i = 0; i < 6; i++) {
		out[3 * i] = digits[mac->b[i] >> 4];
		out[3 * i + 1] = digits[mac->b[i] & 15];
		out[3 * i + 2] = ':';
	}
	out[17] = 0;
	return out;
}

/* How many hex digits stand between separators, and which separator, by total length. */
static int mac_shape(const char *text, size_t len, unsigned *ret_group, char *ret_sep)
{
	*ret_group = len == 17 ? 2 : len == 14 ? 4 : 12;
	*ret_sep = len == 17 ? text[2] : len == 14 ? text[4] : 0;
	if (len == 17)
		return *ret_sep == ':' || *ret_sep == '-' || *ret_sep == '.' ? 0 : ERR_SYNTAX;
	if (len == 14)
		return *ret_sep == '.' || *ret_sep == '-' || *ret_sep == ':' ? 0 : ERR_SYNTAX;
	return len == 12 ? 0 : ERR_SYNTAX;
}

int mac_parse(const char *text, size_t len, struct mac *ret_mac)
{
	struct mac mac = {{0}};
	unsigned group;
	char sep;

	if (mac_shape(text, len, &group, &sep) < 0)
		return ERR_SYNTAX;
	for (unsigned i = 0; i < 12; i++) {
		int d;

		if (i > 0 && i % group == 0 && *text++ != sep)
			return ERR_SYNTAX;
		d = hex_digit(*text++);
		if (d < 0)
			return ERR_SYNTAX;
		mac.b[i / 2] = (uint8_t)(mac.b[i / 2] << 4 | d);
	}
	*ret_mac = mac;
	return 0;
}

static char *put_decimal(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = digits[v / 100];
	if (v >= 10)
		*p++ = digits[v / 10 % 10];
	*p++ = digits[v % 10];
	return p;
}

char *ipv4_format(uint32_t ip, char out[IPV4_TEXT])
{
	char *p = out;

	for (int shift = 24; shift >= 0; shift -= 8) {
		p = put_decimal(p, ip >> shift & 255);
		*p++ = '.';
	}
	p[-1] = 0;
	return out;
}

static int octet_parse(const char **text, const char *end, uint32_t *ret)
{
	const char *p = *text;
	uint32_t v = 0;

	while (p < end && *p >= '0' && *p <= '9' && p - *text < 4)
		v = v * 10 + (uint32_t)(*p++ - '0');
	if (p == *text || v > 255 || (**text == '0' && p - *text > 1))
		return ERR_SYNTAX;
	*text = p;
	*ret = v;
	return 0;
}

int ipv4_parse(const char *text, size_t len, uint32_t *ret_ip)
{
	const char *end = text + len;
	uint32_t ip = 0, octet;

	for (int i = 0; i < 4; i++) {
		if (i > 0 && (text == end || *text++ != '.'))
			return ERR_SYNTAX;
		if (octet_parse(&text, end, &octet) < 0)
			return ERR_SYNTAX;
		ip = ip << 8 | octet;
	}
	if (text != end)
		return ERR_SYNTAX;
	*ret_ip = ip;
	return 0;
}

int prefix_parse(const char *text, size_t len, struct prefix *ret_prefix)
{
	const char *slash = memchr(text, '/', len);
	size_t ip_len = slash ? (size_t)(slash - text) : len;
	const char *p = slash ? slash + 1 : NULL;
	uint32_t ip, bits = 32;

	if (ipv4_parse(text, ip_len, &ip) < 0)
		return ERR_SYNTAX;
	if (p && (octet_parse(&p, text + len, &bits) < 0 || p != text + len || bits > 32))
		return ERR_SYNTAX;
	if (bits < 32 && (ip & (0xffffffffu >> bits)))
		return ERR_RANGE;
	*ret_prefix = (struct prefix){.ip = ip, .len = (uint8_t)bits};
	return 0;
}

static bool is_separator(char c)
{
	return c == ':' || c == '-' || c == '.' || c == ' ';
}

int hex_parse(const char *text, size_t len, uint8_t *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		int hi, lo;

		if (n > 0 && is_separator(text[i])) {
			i++;
			if (i == len)
				return ERR_SYNTAX;
		}
		hi = hex_digit(text[i]);
		lo = i + 1 < len ? hex_digit(text[i + 1]) : -1;
		if (hi < 0 || lo < 0)
			return ERR_SYNTAX;
		if (n == size)
			return ERR_FULL;
		out[n++] = (uint8_t)(hi << 4 | lo);
		i += 2;
	}
	return (int)n;
}

char *hex_format(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		memcpy(out + 2 * i, hex_pairs + 2 * bytes[i], 2);
	out[2 * len] = 0;
	return out;
}

bool bytes_are_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			return false;
	return len > 0;
}
