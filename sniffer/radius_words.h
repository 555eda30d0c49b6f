/* SPDX-License-Identifier: ISC
 *
 * IANA's words for the named values of RADIUS attributes.
 */
#ifndef SNIFFER_RADIUS_WORDS_H
#define SNIFFER_RADIUS_WORDS_H

#include "tap82/radius.h"

struct radius_word {
	uint32_t value;
	const char *word; /* NULL ends the list */
};

extern const struct radius_word radius_codes[], radius_service_types[], radius_framed_protocols[],
	radius_acct_status_types[], radius_acct_authentics[], radius_terminate_causes[],
	radius_nas_port_types[], radius_error_causes[], radius_tunnel_types[],
	radius_tunnel_media[];

/* The word, or NULL. */
const char *radius_word(const struct radius_word *words, uint32_t value);
/* The word, or the number as text where IANA has none. */
void radius_word_write(
	struct writer *w, const char *key, const struct radius_word *words, uint32_t value);
/* Sets mac from Calling-Station-Id, else from User-Name. */
void radius_read_station(struct radius_fields *f);

#endif
