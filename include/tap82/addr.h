/* SPDX-License-Identifier: ISC
 *
 * Addresses. IPv4 addresses are uint32_t in host order everywhere inside the program
 * (10.0.0.1 == 0x0a000001), 0 for none; wire order exists only in decoders and encoders.
 */
#ifndef TAP82_ADDR_H
#define TAP82_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mac {
	uint8_t b[6];
};

struct prefix {
	uint32_t ip; /* host bits are zero */
	uint8_t len; /* 0..32 */
};

#define MAC_TEXT  18 /* "aa:bb:cc:dd:ee:ff" and NUL */
#define IPV4_TEXT 16 /* "255.255.255.255" and NUL */

static inline bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, 6) == 0;
}

static inline bool mac_is_zero(const struct mac *m)
{
	static const struct mac zero;

	return mac_equal(m, &zero);
}

/* Writes lower-case colon notation; returns `out`. */
char *mac_format(const struct mac *mac, char out[MAC_TEXT]);
/* Reads any usual spelling: aa:bb:cc:dd:ee:ff, AA-BB-CC-DD-EE-FF, aabb.ccdd.eeff, aabb-ccdd-eeff,
 * aabbccddeeff, any case. The whole of `text` (len bytes) must be the address.
 * 0, or ERR_SYNTAX. Whether all-zero or group addresses are wanted is the caller's business. */
int mac_parse(const char *text, size_t len, struct mac *ret_mac);

char *ipv4_format(uint32_t ip, char out[IPV4_TEXT]);
/* Dotted quad, four decimal numbers without leading zeros; 0, or ERR_SYNTAX. */
int ipv4_parse(const char *text, size_t len, uint32_t *ret_ip);

/* "10.20.0.0/16" or a single address (/32). 0, ERR_SYNTAX, or ERR_RANGE (host bits set). */
int prefix_parse(const char *text, size_t len, struct prefix *ret_prefix);
static inline bool prefix_has(const struct prefix *p, uint32_t ip)
{
	return p->len == 0 || ((ip ^ p->ip) >> (32 - p->len)) == 0;
}

/* Hex digits, optionally separated by ':', '-', '.' or blanks between bytes, to bytes.
 * The number of bytes; ERR_SYNTAX; ERR_FULL if more than `size`. */
int hex_parse(const char *text, size_t len, uint8_t *out, size_t size);
/* The two lower-case hex digits of each byte, in a row. */
extern const char hex_pairs[513];
/* Lower-case hex and NUL; `out` holds 2 * len + 1. Returns `out`. */
char *hex_format(const uint8_t *bytes, size_t len, char *out);
/* True if len > 0 and every byte is printable ASCII (0x20..0x7e). */
bool bytes_are_text(const uint8_t *bytes, size_t len);

#endif
