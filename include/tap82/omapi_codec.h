/* SPDX-License-Identifier: ISC
 *
 * OMAPI messages, bytes to values and back; no sockets here. The protocol has no specification
 * but ISC dhcpd's omapip/ (protocol.c, message.c, buffer.c).
 *
 * A message is a header of 24 bytes, two lists of name/value pairs (about the message, about the
 * object), and a signature: HMAC over everything from the second header field on.
 */
#ifndef TAP82_OMAPI_CODEC_H
#define TAP82_OMAPI_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap82/omapi_key.h"

#define OMAPI_HELLO_BYTES  8 /* version, header size: each side says it once */
#define OMAPI_HEADER_BYTES 24
#define OMAPI_MESSAGE_MAX  65536 /* a longer one is refused, not allocated */
#define OMAPI_PAIRS_MAX	   96 /* pairs of one list that are kept */

enum omapi_op {
	OMAPI_OPEN = 1,
	OMAPI_REFRESH,
	OMAPI_UPDATE,
	OMAPI_NOTIFY,
	OMAPI_STATUS,
	OMAPI_DELETE,
};

/* dhcpd's results that something is decided by: isc/result.h, omapip/result.h. */
enum omapi_result {
	OMAPI_SUCCESS = 0,
	OMAPI_NOPERM = 6,
	OMAPI_EXISTS = 18,
	OMAPI_NOSPACE = 19,
	OMAPI_NOTFOUND = 23,
	OMAPI_IOERROR = 26,
	OMAPI_NOTIMPLEMENTED = 27,
	OMAPI_INVALIDARG = 0x60003,
	OMAPI_UNCHANGED = 0x60005,
	OMAPI_MULTIPLE = 0x60006,
	OMAPI_KEYCONFLICT = 0x60007,
	OMAPI_NOKEYS = 0x60009,
	OMAPI_KEY_UNKNOWN = 0x6000a,
	OMAPI_INVALIDKEY = 0x6000b,
};

/* dhcpd's own words for a result, "result N" for one that has none here (in `out`). */
#define OMAPI_RESULT_TEXT 24
const char *omapi_result_text(uint32_t result, char out[OMAPI_RESULT_TEXT]);

/* --- Reading --------------------------------------------------------------------------------- */

struct omapi_pair {
	const uint8_t *name, *value; /* in the decoded bytes, no NUL */
	uint16_t name_len;
	uint32_t value_len;
};

struct omapi_list {
	uint32_t count; /* kept */
	bool more; /* there were more than are kept */
	struct omapi_pair pairs[OMAPI_PAIRS_MAX];
};

struct omapi_message {
	uint32_t op, handle, id, rid;
	bool is_signed; /* and the signature is right */
	struct omapi_list message, object;
};

/* Reads the first message of the bytes. More than 0: its length. 0: it is not all there yet.
 * ERR_RANGE: it says that it is longer than OMAPI_MESSAGE_MAX. ERR_CORRUPT: a signature of a
 * length that the key's algorithm does not have, or a wrong one. Without a signature is_signed is
 * false: whether that will do is the caller's to judge. The values point into `bytes`. */
int omapi_decode(const uint8_t *bytes, size_t len, const struct dhcpd_key *key,
	struct omapi_message *ret_message);

/* The pair of that name, NULL if there is none. */
const struct omapi_pair *omapi_find(const struct omapi_list *list, const char *name);
/* Its value as a number of 1 to 4 bytes. 0; ERR_MISSING; ERR_SYNTAX. */
int omapi_find_u32(const struct omapi_list *list, const char *name, uint32_t *ret_value);
/* The result of a STATUS message (ERR_SYNTAX if it is none), 0 for other messages. */
int omapi_status(const struct omapi_message *message, uint32_t *ret_result);

/* --- Writing --------------------------------------------------------------------------------- */

/* A message being written into the caller's memory. What does not fit sets `full`, and is told by
 * omapi_out_end(). */
struct omapi_out {
	uint8_t *base, *p, *end;
	bool full;
};

void omapi_out_begin(
	struct omapi_out *out, void *memory, size_t size, enum omapi_op op, uint32_t handle);
/* Pairs of the message first; after omapi_out_object() those of the object, in the order dhcpd is
 * to take them. Names are 1 to 65535 bytes. */
void omapi_out_put(struct omapi_out *out, const char *name, const void *value, size_t len);
void omapi_out_put_text(struct omapi_out *out, const char *name, const char *text);
void omapi_out_put_u32(struct omapi_out *out, const char *name, uint32_t value);
void omapi_out_object(struct omapi_out *out);
/* The message's length, unsigned and not numbered yet, or ERR_FULL. */
int omapi_out_end(struct omapi_out *out);

/* Numbers and signs a message of `len` bytes in memory of `size`: key NULL or authid 0 leaves it
 * unsigned. The length with the signature, or ERR_FULL. */
int omapi_seal(uint8_t *bytes, size_t len, size_t size, const struct dhcpd_key *key,
	uint32_t authid, uint32_t id);

/* What each side says first. */
void omapi_hello(uint8_t out[OMAPI_HELLO_BYTES]);
/* Whether the peer's is one we can talk to: 0, or ERR_VERSION. */
int omapi_hello_check(const uint8_t bytes[OMAPI_HELLO_BYTES]);

#endif
