/* SPDX-License-Identifier: ISC
 *
 * Option 82, the relay agent information option (RFC 3046 and those that add sub-options):
 * decoded into borrowed pieces, each of which has been checked for its length.
 */
#ifndef TAP82_OPTION82_H
#define TAP82_OPTION82_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/buf.h"
#include "tap82/observation.h"
#include "tap82/options.h"
#include "tap82/problem.h"
#include "tap82/radius.h"
#include "tap82/writer.h"

enum {
	OPTION82_CIRCUIT_ID = 1,
	OPTION82_REMOTE_ID = 2,
	OPTION82_LINK_SELECTION = 5,
	OPTION82_SUBSCRIBER_ID = 6,
	OPTION82_RADIUS = 7,
	OPTION82_SERVER_OVERRIDE = 11,
	OPTION82_MAX = 65535, /* bytes, joined */
};

/* A decoded option 82. Bytes are borrowed from the message or from `joined`. */
struct option82_info {
	struct buf raw; /* without code and length */
	struct option_set subs;
	struct problems *problems; /* where what is wrong is noted */
	struct radius_fields radius; /* sub-option 7 */
	uint8_t joined[OPTION82_MAX]; /* repeated sub-options */
};

/* Decodes `raw`, which must outlive `o`. `o` must have been zero once. What is wrong is noted in
 * `problems` (borrowed). */
void option82_decode(struct option82_info *o, struct buf raw, struct problems *problems);
/* A sub-option whose length is right, or an empty bad cursor. */
struct buf option82_find(const struct option82_info *o, uint8_t code);

/* The object's fields (contract: record `option82`), `place` may be NULL. The object is open. */
void option82_write(
	struct writer *w, const struct option82_info *o, const struct port_place *place);
/* The part that an observation carries. Writes all of `out`. */
void option82_observe(const struct option82_info *o, struct option82 *out);

#endif
