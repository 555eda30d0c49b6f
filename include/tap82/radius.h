/* SPDX-License-Identifier: ISC
 *
 * RADIUS messages (RFC 2865, 2866, 2869, 3162, 3576/5176, 3579, 4372, 4675, 4679, 5580, 6929):
 * bytes to fields. Attributes are a table. Values of secret attributes are never read beyond
 * their length.
 */
#ifndef TAP82_RADIUS_H
#define TAP82_RADIUS_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/addr.h"
#include "tap82/buf.h"
#include "tap82/problem.h"
#include "tap82/writer.h"

/* What attributes say; shared with sub-option 7 of option 82. Cursors without bytes (p NULL) and
 * zeros are "not there"; cursors are borrowed from the message. */
struct radius_fields {
	struct buf attributes; /* all of them, for the tree */
	struct buf user, nas_identifier, nas_port_id, called_station, calling_station, session_id;
	struct buf framed_pool, framed_ipv6_pool, circuit_id, remote_id;
	uint32_t nas_ip, framed_ip, nas_port, session_timeout;
	uint32_t acct_status, nas_port_type, service_type;
	int32_t vlan; /* Tunnel-Private-Group-ID as a number, -1: none */
	bool has_nas_port, has_nas_port_type, has_session_timeout, has_mac;
	struct mac mac; /* Calling-Station-Id, else a User-Name that is a MAC */
};

struct radius {
	uint8_t code, id;
	const uint8_t *authenticator; /* 16 bytes */
	struct radius_fields fields;
	struct problems problems;
};

/* Decodes a UDP payload, which must outlive `r`. 0; ERR_TRUNCATED: shorter than a header;
 * ERR_RANGE: not a RADIUS code we know, or a length that RFC 2865 section 3 discards. */
int radius_decode(struct radius *r, struct buf payload);
/* Only attributes, as in sub-option 7 of option 82 (RFC 4014). */
void radius_read_attributes(
	struct radius_fields *f, struct buf attributes, struct problems *problems);
bool radius_is_reply(uint8_t code);

/* "Access-Request" …, or NULL: static storage. */
const char *radius_code_text(uint8_t code);
/* The fields of decode's record from `mac` to `remote_id`. */
void radius_write(struct writer *w, const struct radius_fields *f);
/* Acct-Status-Type by IANA's word. */
void radius_write_acct_status(struct writer *w, const char *key, uint32_t status);
/* All attributes by name: an object `attributes`; secret ones only by their length. */
void radius_write_attributes(struct writer *w, struct buf attributes);

#endif
