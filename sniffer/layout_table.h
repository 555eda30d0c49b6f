/* SPDX-License-Identifier: ISC
 *
 * The built-in vendor layouts, as the texts that layout_parse() reads.
 */
#ifndef SNIFFER_LAYOUT_TABLE_H
#define SNIFFER_LAYOUT_TABLE_H

struct layout_row {
	const char *name; /* NULL ends the table */
	const char *circuit_id, *remote_id;
};

struct layout_alias {
	const char *name, *means;
};

extern const struct layout_row layout_rows[];
extern const struct layout_alias layout_aliases[]; /* name NULL ends it */

#endif
