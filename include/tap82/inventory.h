/* SPDX-License-Identifier: ISC
 *
 * devices.csv: RFC 4180, UTF-8, a header row, columns in any order. All or nothing: rows are
 * collected, checked against each other, and only then given away. Work is done in slices, so that
 * a file of a million rows is read while the engine goes on.
 */
#ifndef TAP82_INVENTORY_H
#define TAP82_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap82/addr.h"
#include "tap82/conf.h"

/* One row. Strings are NUL-terminated, "" where the column is empty, and live as long as the
 * inventory they came from. */
struct inventory_row {
	struct mac mac;
	uint32_t ip; /* 0: none */
	uint32_t line; /* the header is line 1; 0: not from a file */
	const char *serial_number, *uuid, *name, *group;
	const uint8_t *circuit_id, *remote_id; /* NULL: absent (an empty column is absent) */
	uint8_t circuit_id_len, remote_id_len;
};

struct inventory;

/* Opens `path` for reading in slices. 0 or negative (told to `problem`). conf: its groups are what
 * the column `group` may name; conf->inventory_skip says what a bad row does. */
int inventory_open(const char *path, const struct conf *conf, problem_fn problem, void *ctx,
	struct inventory **ret);
/* Reads on for about `rows` rows. 1: more to do; 0: done, rows are complete and checked;
 * negative: refused (each bad row was told to `problem` as "FILE:LINE: why"). */
int inventory_step(struct inventory *inventory, size_t rows);
/* The rows after inventory_step() gave 0; borrowed. */
const struct inventory_row *inventory_rows(const struct inventory *inventory, size_t *ret_count);
size_t inventory_skipped(const struct inventory *inventory);
void inventory_free(struct inventory *inventory);

/* One row from texts (API, `devices add`), checked as a row of a file is. 0 or negative, told. */
int inventory_row_check(
	const struct inventory_row *row, const struct conf *conf, problem_fn problem, void *ctx);

#endif
