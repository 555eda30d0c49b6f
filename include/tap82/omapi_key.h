/* SPDX-License-Identifier: ISC
 *
 * Keys of OMAPI messages as the protocol sees them. How one is read from a file: dhcpd.h.
 */
#ifndef TAP82_OMAPI_KEY_H
#define TAP82_OMAPI_KEY_H

#include <stddef.h>
#include <stdint.h>

#define OMAPI_SIGNATURE_MAX 64

struct dhcpd_key;

const char *dhcpd_key_name(const struct dhcpd_key *key);
const char *dhcpd_key_algorithm(const struct dhcpd_key *key); /* "hmac-sha256" */
/* What OMAPI calls it: "hmac-sha256.SIG-ALG.REG.INT." */
const char *dhcpd_key_wire_algorithm(const struct dhcpd_key *key);
/* Bytes of a signature; 0 for NULL. */
size_t dhcpd_key_signature_bytes(const struct dhcpd_key *key);
/* HMAC (RFC 2104) of the bytes, whole. */
void dhcpd_key_sign(const struct dhcpd_key *key, const uint8_t *bytes, size_t len,
	uint8_t out[OMAPI_SIGNATURE_MAX]);

#endif
