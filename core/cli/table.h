/* SPDX-License-Identifier: ISC
 *
 * A table for people: columns as wide as what is in them, cut where a terminal ends; on one that
 * is too narrow for that, a block of lines for each row.
 */
#ifndef TAP82_CLI_TABLE_H
#define TAP82_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table;

/* titles: `columns` of them, static. NULL without memory. */
struct table *table_new(const char *const *titles, size_t columns);
void table_free(struct table *table); /* NULL is fine */
/* One row: `columns` texts, copied; NULL is an empty one. Control characters are escaped. */
void table_add(struct table *table, const char *const *cells);
size_t table_rows(const struct table *table);
/* width: characters of a line, 0: no end. Bold titles where `colour`. */
void table_print(const struct table *table, FILE *out, size_t width, bool colour);

/* How many bytes the characters take that fit into `width` places. */
size_t table_bytes_of(const char *text, size_t width);
/* The width of the terminal behind `out`, 0 if it is none. */
size_t table_width(FILE *out);
/* Colours are for terminals, and not where NO_COLOR is set. */
bool table_colour(FILE *out);
/* Text of any origin, made harmless for a terminal; the caller frees it. NULL without memory. */
char *table_clean(const char *text);

#endif
