/* SPDX-License-Identifier: ISC
 *
 * Code, length, value: the shape that DHCP options and the sub-options of option 82 share. They
 * are gathered first (each code once, its pieces joined in the order of appearance, RFC 3396) and
 * interpreted afterwards.
 *
 * Gathering is linear in the bytes: a code that appears once stays where it is, only repeated
 * ones are copied. A set needs no clearing but must have been zero once.
 */
#ifndef TAP82_OPTIONS_H
#define TAP82_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/buf.h"

struct option {
	const uint8_t *bytes; /* borrowed from the message, or from the caller's `joined` */
	uint32_t len;
	uint8_t code;
	bool repeated; /* more than one piece */
};

/* A sparse set: slot[code] says where in item[] the code is, if item[] agrees. */
struct option_set {
	uint16_t count;
	bool repeats; /* some code has several pieces: options_join() is needed */
	uint8_t slot[256];
	struct option item[256]; /* in the order of first appearance */
};

/* How a walk over one field ended. */
enum options_end {
	OPTIONS_END, /* at the END option */
	OPTIONS_NO_END, /* at the end of the bytes */
	OPTIONS_OVERRUN, /* an option is longer than what is left: see `ret_code` */
};

static inline void options_reset(struct option_set *set)
{
	set->count = 0;
	set->repeats = false;
}

/* The option `code`, or NULL. Borrowed until the set is filled anew. */
static inline const struct option *options_find(const struct option_set *set, uint8_t code)
{
	uint8_t at = set->slot[code];

	return at < set->count && set->item[at].code == code ? &set->item[at] : NULL;
}

/* Adds the DHCP options of one field: PAD (0) is one byte, END (255) ends (RFC 2132 3.1, 3.2).
 * `ret_code` is the option that overran. */
enum options_end options_gather(struct option_set *set, const struct buf *field, uint8_t *ret_code);
/* Adds the sub-options of `value`: neither PAD nor END exist there (RFC 3046 2.0). */
enum options_end options_gather_sub(
	struct option_set *set, const struct buf *value, uint8_t *ret_code);

/* After all fields were gathered, when set->repeats: gives each repeated code its place in
 * `joined`, which must hold as many bytes as all fields have, and then copies the pieces, field by
 * field in the same order. */
void options_place(struct option_set *set, uint8_t *joined);
void options_copy(struct option_set *set, const struct buf *field, uint8_t *joined);
void options_copy_sub(struct option_set *set, const struct buf *value, uint8_t *joined);

#endif
