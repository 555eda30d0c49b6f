/* SPDX-License-Identifier: ISC
 *
 * The columns of devices.csv: what the header names, and how each field becomes a part of a row.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inventory_read.h"
#include "tap82/err.h"
#include "tap82/store.h"

#define BLOCK_BYTES  (1u << 20) /* of the texts' memory */
#define COLUMN_COUNT 8

struct text_block {
	struct text_block *next;
	size_t used;
	char bytes[BLOCK_BYTES];
};

/* What columns can be, and what reads each into a row. */
struct column {
	const char *name;
	int (*read)(struct row_reader *r, const struct csv_field *field, struct inventory_row *row);
	bool required;
};

/* --- Texts ----------------------------------------------------------------------------------- */

/* A copy with a NUL behind it that lives as long as the inventory, or NULL. */
static char *keep(struct row_reader *r, const void *bytes, size_t len)
{
	struct text_block *block = r->blocks;
	char *copy;

	if (!block || BLOCK_BYTES - block->used < len + 1) {
		block = malloc(sizeof(*block));
		if (!block)
			return NULL;
		block->next = r->blocks;
		block->used = 0;
		r->blocks = block;
	}
	copy = block->bytes + block->used;
	memcpy(copy, bytes, len);
	copy[len] = 0;
	block->used += len + 1;
	return copy;
}

static int read_text(struct row_reader *r, const struct csv_field *field, const char *column,
	size_t size, const char **ret_text)
{
	int e = row_check_text(r, column, field->text, field->len, size);

	if (e == 0 && field->len > 0)
		*ret_text = keep(r, field->text, field->len);
	return e < 0 ? e : *ret_text ? 0 : -ENOMEM;
}

void row_reader_done(struct row_reader *r)
{
	struct text_block *next;

	for (struct text_block *block = r->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	r->blocks = NULL;
}

/* --- Fields ---------------------------------------------------------------------------------- */

static int quoted(struct row_reader *r, const struct csv_field *field, const char *what)
{
	if (!text_is_utf8(field->text, field->len))
		return row_wrong(r, "%s: is not UTF-8", what);
	return row_wrong(r, "%s: '%.64s' is no %s", what, field->text,
		*what == 'm' ? "MAC address" : "IPv4 address");
}

static int read_mac(struct row_reader *r, const struct csv_field *field, struct inventory_row *row)
{
	if (field->len == 0)
		return row_wrong(r, "mac: is missing");
	if (mac_parse(field->text, field->len, &row->mac) < 0)
		return quoted(r, field, "mac");
	return row_check_mac(r, &row->mac);
}

static int read_ip(struct row_reader *r, const struct csv_field *field, struct inventory_row *row)
{
	if (field->len == 0)
		return 0;
	if (ipv4_parse(field->text, field->len, &row->ip) < 0)
		return quoted(r, field, "ip");
	return row_check_ip(r, row->ip);
}

static int read_serial(
	struct row_reader *r, const struct csv_field *field, struct inventory_row *row)
{
	if (field->len == 0)
		return row_wrong(r, "serial_number: is missing");
	return read_text(r, field, "serial_number", STORE_TEXT_MAX, &row->serial_number);
}

static int read_uuid(struct row_reader *r, const struct csv_field *field, struct inventory_row *row)
{
	return read_text(r, field, "uuid", ROW_UUID_MAX, &row->uuid);
}

static int read_name(struct row_reader *r, const struct csv_field *field, struct inventory_row *row)
{
	return read_text(r, field, "name", STORE_TEXT_MAX, &row->name);
}

static int read_group(
	struct row_reader *r, const struct csv_field *field, struct inventory_row *row)
{
	int group = 0, e;

	if (field->len == 0)
		return 0;
	e = row_check_text(r, "group", field->text, field->len, STORE_TEXT_MAX);
	if (e == 0)
		e = row_check_group(r, field->text, &group);
	if (e < 0)
		return e;
	if (!r->group[group]) {
		const char *name = r->conf->groups[group].name;

		r->group[group] = keep(r, name, strlen(name));
	}
	if (!r->group[group])
		return -ENOMEM;
	row->group = r->group[group];
	return 0;
}

static int read_id(struct row_reader *r, const struct csv_field *field, const char *column,
	const uint8_t **ret_id, uint8_t *ret_len)
{
	uint8_t id[255];
	int n;

	if (field->len == 0)
		return 0;
	n = conf_id_parse(field->text, field->len, id, sizeof(id));
	if (n == ERR_FULL)
		return row_wrong(r, "%s: is longer than 255 bytes", column);
	if (n < 0 || !text_is_utf8(field->text, field->len))
		return row_wrong(r, "%s: is neither hex nor text", column);
	*ret_id = (const uint8_t *)keep(r, id, (size_t)n);
	*ret_len = (uint8_t)n;
	return *ret_id ? 0 : -ENOMEM;
}

static int read_circuit_id(
	struct row_reader *r, const struct csv_field *field, struct inventory_row *row)
{
	return read_id(r, field, "circuit_id", &row->circuit_id, &row->circuit_id_len);
}

static int read_remote_id(
	struct row_reader *r, const struct csv_field *field, struct inventory_row *row)
{
	return read_id(r, field, "remote_id", &row->remote_id, &row->remote_id_len);
}

static const struct column columns[COLUMN_COUNT] = {
	{"mac", read_mac, true},
	{"serial_number", read_serial, true},
	{"uuid", read_uuid, false},
	{"name", read_name, false},
	{"ip", read_ip, false},
	{"circuit_id", read_circuit_id, false},
	{"remote_id", read_remote_id, false},
	{"group", read_group, false},
};

/* --- Rows ------------------------------------------------------------------------------------ */

static const struct column *find_column(const struct csv_field *field)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (strcasecmp(columns[i].name, field->text) == 0)
			return &columns[i];
	return NULL;
}

static bool has_column(const struct row_reader *r, const struct column *column)
{
	for (int i = 0; i < r->column_count; i++)
		if (r->columns[i] == column)
			return true;
	return false;
}

static int add_column(struct row_reader *r, const struct csv_field *field)
{
	const struct column *column = find_column(field);

	if (!text_is_utf8(field->text, field->len))
		return row_wrong(r, "the header is not UTF-8");
	if (!column)
		return row_wrong(r,
			"there is no column '%.64s' (mac, serial_number, uuid, name, ip, "
			"circuit_id, "
			"remote_id, group)",
			field->text);
	if (has_column(r, column))
		return row_wrong(r, "the column '%s' stands twice", column->name);
	r->columns[r->column_count++] = column;
	return 0;
}

int row_read_header(struct row_reader *r, const struct csv_field *fields, int count)
{
	int e = 0;

	for (int i = 0; i < count && e == 0; i++)
		e = add_column(r, &fields[i]);
	for (int i = 0; i < COLUMN_COUNT && e == 0; i++)
		if (columns[i].required && !has_column(r, &columns[i]))
			e = row_wrong(r, "the column '%s' is missing", columns[i].name);
	return e;
}

int row_read(struct row_reader *r, const struct csv_field *fields, int count, uint32_t line,
	struct inventory_row *row)
{
	int e = 0;

	*row = (struct inventory_row){
		.line = line, .serial_number = "", .uuid = "", .name = "", .group = ""};
	if (count != r->column_count)
		return row_wrong(
			r, "has %d fields where the header has %d", count, r->column_count);
	for (int i = 0; i < count && e == 0; i++)
		e = r->columns[i]->read(r, &fields[i], row);
	return e;
}
