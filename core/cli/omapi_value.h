/* SPDX-License-Identifier: ISC
 *
 * Values of dhcpd's objects as words: what `tap82 omapi` prints can be given back to it.
 */
#ifndef TAP82_OMAPI_VALUE_H
#define TAP82_OMAPI_VALUE_H

#include "tap82/omapi_codec.h"
#include "tap82/writer.h"

#define OMAPI_VALUE_MAX 8192

/* Whether dhcpd has objects of that type that can be asked for. */
bool omapi_type_known(const char *type);

/* "10.0.0.1,10.0.1.1", "active", "aa:bb:…", "never" … as dhcpd takes it for the attribute `name` of
 * an object of `type`. Attributes that are not known are text; "hex:0a0b" are bytes and "int:5" a
 * number for any. The number of bytes, ERR_SYNTAX or ERR_FULL. */
int omapi_value_parse(
	const char *type, const char *name, const char *word, uint8_t out[OMAPI_VALUE_MAX]);

/* One field of the record that is open. */
void omapi_value_write(struct writer *w, const char *type, const struct omapi_pair *pair);

#endif
