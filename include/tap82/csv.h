/* SPDX-License-Identifier: ISC
 *
 * CSV as of RFC 4180: quoted fields may hold commas, line ends and doubled quotes; lines end with
 * CRLF or LF, the last one also with the file; a byte order mark is skipped, and so are empty
 * lines. Blanks belong to their field. Read record by record, in a buffer of bounded size.
 */
#ifndef TAP82_CSV_H
#define TAP82_CSV_H

#include <stddef.h>
#include <stdint.h>

#define CSV_FIELDS_MAX 64
#define CSV_RECORD_MAX (256u << 10) /* bytes of one record */

struct csv_field {
	char *text; /* unquoted, a NUL behind it; it may hold one */
	size_t len;
};

struct csv;

/* 0; -errno; -ENOMEM. */
int csv_open(const char *path, struct csv **ret_csv);
void csv_close(struct csv *csv); /* NULL is fine */
/* The size of the file in bytes, 0 if it is no regular file. */
uint64_t csv_file_size(const struct csv *csv);
/* How many bytes of it the records so far took. */
uint64_t csv_position(const struct csv *csv);

/* The next record. Its number of fields; 0 at the end; ERR_SYNTAX: the record is broken, reading on
 * gives the next; ERR_TRUNCATED: a quote that was never closed; ERR_FULL: a record too long or of
 * too many fields; -errno. After the last three nothing can be read any more. The fields are
 * valid until the next call. *ret_line, the line where the record begins (the first line of the
 * file is 1), is written on errors too. */
int csv_next(struct csv *csv, struct csv_field **ret_fields, uint32_t *ret_line);
/* What is wrong, after a negative csv_next(); static storage. */
const char *csv_error(const struct csv *csv);

/* Writes one field as CSV, quoted where it must be: at most 2 * len + 2 bytes, no NUL. How many. */
size_t csv_format(const char *text, size_t len, char *out);

#endif
