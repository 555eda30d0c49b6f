/* SPDX-License-Identifier: ISC
 *
 * Vendor layouts: how a switch writes VLAN, slot and port into circuit-id, and its own MAC into
 * remote-id. A layout is data: a few specs, as text, that are parsed once. The built-in ones are
 * a table of such texts in sniffer/layout_table.c; a user adds his own in the configuration:
 *
 *     [layout acme]
 *     circuit-id = 0x00 0x04 vlan:16 slot:8 port:8
 *     remote-id  = 0x00 0x06 mac:48
 *
 *     [layout acme-text]
 *     circuit-id = text eth {slot}/{port}:{vlan}
 *
 * A binary spec is a list of words: `0x0004` bytes that must be there; `NAME:BITS` a big-endian
 * number of 1..32 bits, `NAME:BITS+N` one to which N is added (`-N` too); `mac:48`; `len:8` the
 * number of bytes that follow; `text` printable bytes up to the end; `rest` anything up to the
 * end. NAME is vlan, slot, port, or `_` for bits of no interest. The whole id must be used up.
 *
 * A text spec is `text PATTERN`: characters that must be there, `{vlan}` `{slot}` `{port}` decimal
 * numbers, `{_}` a number of no interest, `{mac}` a MAC in any spelling, `{}` any text (the
 * shortest that lets the rest fit, at least one character).
 *
 * Several alternatives of one id are separated by ` | `.
 */
#ifndef TAP82_LAYOUT_H
#define TAP82_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap82/buf.h"
#include "tap82/observation.h"
#include "tap82/writer.h"

#define LAYOUT_WORDS_MAX 16 /* words of one alternative */
#define LAYOUT_FORMS_MAX 4 /* alternatives of one id */
#define LAYOUT_TEXT_MAX	 48 /* literal bytes of one word */

enum layout_field {
	LAYOUT_LITERAL,
	LAYOUT_VLAN,
	LAYOUT_SLOT,
	LAYOUT_PORT,
	LAYOUT_MAC,
	LAYOUT_LEN,
	LAYOUT_SKIP,
	LAYOUT_TEXT,
	LAYOUT_REST,
};

struct layout_word {
	uint8_t field; /* enum layout_field */
	uint8_t bits; /* width of a number; the length of a literal, in bytes */
	int16_t add; /* to the number read */
	char literal[LAYOUT_TEXT_MAX];
};

struct layout_form {
	bool text;
	uint8_t count;
	struct layout_word word[LAYOUT_WORDS_MAX];
};

struct layout {
	char name[OBSERVATION_LAYOUT_MAX];
	uint8_t circuit_forms, remote_forms;
	struct layout_form circuit[LAYOUT_FORMS_MAX], remote[LAYOUT_FORMS_MAX];
};

/* Built-in and user's layouts; a user's layout hides a built-in one of the same name. */
struct layouts;

/* With the built-in ones; NULL without memory. */
struct layouts *layouts_new(void);
void layouts_free(struct layouts *layouts); /* NULL is fine */

/* Reads one layout: `circuit_id` and `remote_id` are specs, remote_id may be NULL or "".
 * 0, or ERR_SYNTAX / ERR_RANGE / ERR_FULL and, in `why`, what is wrong, for people. */
int layout_parse(const char *name, const char *circuit_id, const char *remote_id,
	struct layout *ret_layout, char *why, size_t why_size);
/* The same, kept in `layouts`. Also ERR_DUPLICATE: the user has one of this name already. */
int layouts_add(struct layouts *layouts, const char *name, const char *circuit_id,
	const char *remote_id, char *why, size_t why_size);
size_t layouts_count(const struct layouts *layouts);
const struct layout *layouts_at(const struct layouts *layouts, size_t i);

/* A layout by name, without regard to case ("huawei" and "eltex" mean their factory default), or
 * NULL. Borrowed. */
const struct layout *layout_find(const struct layouts *layouts, const char *name);
/* "cisco", "cisco+2", "cisco-2": a layout and what is added to the port number that it reads
 * (Catalyst 3750-X count ports from 3: cisco-2). A layout named so wins. 0, ERR_NOT_FOUND,
 * ERR_RANGE (offset). */
int layout_find_offset(const struct layouts *layouts, const char *spec,
	const struct layout **ret_layout, int *ret_offset);

/* Reads circuit-id and remote-id (either may be empty) by a layout. 0, or ERR_SYNTAX: the
 * circuit-id does not fit. A remote-id that does not fit only leaves out the switch's MAC. */
int layout_apply(const struct layout *layout, int offset, struct buf circuit_id,
	struct buf remote_id, struct port_place *ret_place);

/* The fields of a place: layout, vlan, slot, port, switch_mac. The object is open. */
void port_place_write(struct writer *w, const struct port_place *place);

#endif
