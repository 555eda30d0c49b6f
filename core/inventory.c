/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory_read.h"
#include "tap82/csv.h"
#include "tap82/err.h"
#include "tap82/hash.h"

#define TOLD_MAX 1000 /* bad rows that are told one by one */
#define ROWS_MAX (1u << 30)

enum { BY_MAC, BY_IP, BY_SERIAL, INDEXES };

struct inventory {
	struct row_reader reader;
	char *path;
	problem_fn problem;
	void *ctx;
	struct csv *csv;
	uint64_t file_size;
	struct inventory_row *rows;
	size_t count, room;
	struct row_index index[INDEXES];
	size_t bad;
	int failed; /* what every further step gives */
	bool done;
};

/* --- What stands twice ----------------------------------------------------------------------- */

static bool same_mac(const void *ctx, uint32_t a, uint32_t b)
{
	const struct inventory *inv = ctx;

	return mac_equal(&inv->rows[a].mac, &inv->rows[b].mac);
}

static bool same_ip(const void *ctx, uint32_t a, uint32_t b)
{
	const struct inventory *inv = ctx;

	return inv->rows[a].ip == inv->rows[b].ip;
}

static bool same_serial(const void *ctx, uint32_t a, uint32_t b)
{
	const struct inventory *inv = ctx;

	return strcmp(inv->rows[a].serial_number, inv->rows[b].serial_number) == 0;
}

static uint32_t hash_mac(const void *ctx, uint32_t row)
{
	return hash_bytes(((const struct inventory *)ctx)->rows[row].mac.b, 6);
}

static uint32_t hash_ip(const void *ctx, uint32_t row)
{
	return hash_bytes(&((const struct inventory *)ctx)->rows[row].ip, 4);
}

static uint32_t hash_serial(const void *ctx, uint32_t row)
{
	const char *serial = ((const struct inventory *)ctx)->rows[row].serial_number;

	return hash_bytes(serial, strlen(serial));
}

static const struct {
	const char *column;
	row_same_fn same;
	row_hash_fn hash;
} keys[INDEXES] = {
	[BY_MAC] = {"mac", same_mac, hash_mac},
	[BY_IP] = {"ip", same_ip, hash_ip},
	[BY_SERIAL] = {"serial_number", same_serial, hash_serial},
};

/* By the rows so far, and an eighth more. */
static uint64_t expected_rows(const struct inventory *inv)
{
	uint64_t average = csv_position(inv->csv) / (inv->count + 1);

	return average ? inv->file_size / 8 * 9 / average : 0;
}

static int reserve_indexes(struct inventory *inv)
{
	uint64_t expected = expected_rows(inv);

	for (int i = 0; i < INDEXES; i++)
		if (row_index_reserve(&inv->index[i], expected, keys[i].hash, inv) < 0)
			return -ENOMEM;
	return 0;
}

/* A row that is refused leaves nothing behind: first all are asked, then it is put in. */
static int check_twice(struct inventory *inv, uint32_t row)
{
	const bool has_key[INDEXES] = {
		[BY_MAC] = true, [BY_IP] = inv->rows[row].ip != 0, [BY_SERIAL] = true};
	uint32_t other, hash[INDEXES];

	for (int i = 0; i < INDEXES; i++) {
		if (!has_key[i])
			continue;
		hash[i] = keys[i].hash(inv, row);
		if (row_index_find(&inv->index[i], row, hash[i], keys[i].same, inv, &other) == 0)
			return row_wrong(&inv->reader, "%s: is the same as on line %u",
				keys[i].column, inv->rows[other].line);
	}
	for (int i = 0; i < INDEXES; i++)
		if (has_key[i])
			row_index_put(&inv->index[i], row, hash[i]);
	return 0;
}

/* --- Rows ------------------------------------------------------------------------------------ */

static void tell(struct inventory *inv, uint32_t line, const char *why)
{
	char text[ROW_WHY + 600];

	if (inv->bad++ >= TOLD_MAX)
		return;
	if (line)
		snprintf(text, sizeof(text), "%.512s:%u: %s", inv->path, line, why);
	else
		snprintf(text, sizeof(text), "%.512s: %s", inv->path, why);
	inv->problem(inv->ctx, text);
}

/* What cannot be read on from: told, whatever inventory-errors says. */
static int give_up(struct inventory *inv, int err, uint32_t line, const char *why)
{
	tell(inv, line, why);
	inv->failed = err;
	return err;
}

static int make_room(struct inventory *inv)
{
	size_t room = inv->room ? 2 * inv->room : 1024;
	struct inventory_row *bigger;

	if (inv->count < inv->room)
		return 0;
	if (inv->count == ROWS_MAX)
		return ERR_FULL;
	bigger = reallocarray(inv->rows, room, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	inv->rows = bigger;
	inv->room = room;
	return 0;
}

static int read_row(struct inventory *inv, const struct csv_field *fields, int count, uint32_t line)
{
	int e = row_read(&inv->reader, fields, count, line, &inv->rows[inv->count]);

	return e < 0 ? e : check_twice(inv, (uint32_t)inv->count);
}

/* One record of the file: 1, 0 at the end, negative when it is over. */
static int step_row(struct inventory *inv)
{
	struct csv_field *fields;
	uint32_t line;
	int n = csv_next(inv->csv, &fields, &line), e;

	if (n == 0)
		return 0;
	if (n < 0 && n != ERR_SYNTAX)
		return give_up(inv, n, line, csv_error(inv->csv));
	if (n == ERR_SYNTAX) {
		tell(inv, line, csv_error(inv->csv));
		return 1;
	}
	e = make_room(inv);
	if (e == 0)
		e = reserve_indexes(inv);
	if (e == 0)
		e = read_row(inv, fields, n, line);
	if (e == 0)
		inv->count++;
	else if (e == ERR_SYNTAX)
		tell(inv, line, inv->reader.why);
	else
		return give_up(inv, e, line, err_text(e));
	return 1;
}

/* --- The header ------------------------------------------------------------------------------ */

static int step_header(struct inventory *inv)
{
	struct csv_field *fields;
	uint32_t line;
	int n = csv_next(inv->csv, &fields, &line), e;

	if (n < 0)
		return give_up(inv, n, n == ERR_SYNTAX || n == ERR_TRUNCATED ? line : 0,
			csv_error(inv->csv));
	if (n == 0)
		return give_up(inv, ERR_MISSING, 1, "the header row is missing");
	e = row_read_header(&inv->reader, fields, n);
	return e < 0 ? give_up(inv, e, line, inv->reader.why) : 1;
}

/* --- The whole ------------------------------------------------------------------------------- */

static int finish(struct inventory *inv)
{
	char text[640];

	if (inv->done)
		return inv->failed;
	inv->done = true;
	for (int i = 0; i < INDEXES; i++)
		row_index_done(&inv->index[i]);
	if (inv->bad > TOLD_MAX) {
		snprintf(text, sizeof(text), "%.512s: and %zu more bad rows", inv->path,
			inv->bad - TOLD_MAX);
		inv->problem(inv->ctx, text);
	}
	if (inv->bad > 0 && !inv->reader.conf->inventory_skip)
		inv->failed = ERR_SYNTAX;
	return inv->failed;
}

int inventory_step(struct inventory *inv, size_t rows)
{
	int e = inv->done || inv->failed < 0 ? inv->failed
		: inv->reader.column_count   ? 1
					     : step_header(inv);

	for (; e == 1 && rows > 0; rows--)
		e = step_row(inv);
	return e == 0 ? finish(inv) : e;
}

static int prepare(struct inventory *inv)
{
	int e = csv_open(inv->path, &inv->csv);

	if (e < 0)
		return e;
	inv->file_size = csv_file_size(inv->csv);
	for (int i = 0; i < INDEXES && e == 0; i++)
		e = row_index_init(&inv->index[i], 0);
	return e;
}

int inventory_open(const char *path, const struct conf *conf, problem_fn problem, void *ctx,
	struct inventory **ret)
{
	struct inventory *inv = calloc(1, sizeof(*inv));
	char text[640];
	int e = -ENOMEM;

	if (inv) {
		inv->reader.conf = conf;
		inv->problem = problem;
		inv->ctx = ctx;
		inv->path = strdup(path);
		if (inv->path)
			e = prepare(inv);
	}
	if (e == 0) {
		*ret = inv;
		return 0;
	}
	snprintf(text, sizeof(text), "%.512s: cannot be read: %s", path, err_text(e));
	problem(ctx, text);
	inventory_free(inv);
	return e;
}

const struct inventory_row *inventory_rows(const struct inventory *inv, size_t *ret_count)
{
	*ret_count = inv->count;
	return inv->rows;
}

size_t inventory_skipped(const struct inventory *inv)
{
	return inv->bad;
}

void inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	row_reader_done(&inv->reader);
	for (int i = 0; i < INDEXES; i++)
		row_index_done(&inv->index[i]);
	csv_close(inv->csv);
	free(inv->rows);
	free(inv->path);
	free(inv);
}
