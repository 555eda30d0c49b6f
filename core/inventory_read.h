/* SPDX-License-Identifier: ISC
 *
 * Inside the inventory: columns and checks of one field, and the index that finds what stands
 * twice.
 */
#ifndef TAP82_INVENTORY_READ_H
#define TAP82_INVENTORY_READ_H

#include "tap82/csv.h"
#include "tap82/inventory.h"

#define ROW_UUID_MAX 64
#define ROW_WHY	     320

struct row_reader {
	const struct conf *conf;
	char why[ROW_WHY]; /* "COLUMN: what is wrong" */
	const struct column *columns[CSV_FIELDS_MAX]; /* of the file, in its order */
	int column_count; /* 0: the header is not read yet */
	struct text_block *blocks; /* what the rows' texts and ids are in */
	const char *group[256]; /* copies of the names in use, by the group's index */
};

/* The header, and a row. 0; ERR_SYNTAX with why; -ENOMEM. What a row borrows lives until done. */
int row_read_header(struct row_reader *r, const struct csv_field *fields, int count);
int row_read(struct row_reader *r, const struct csv_field *fields, int count, uint32_t line,
	struct inventory_row *row);
void row_reader_done(struct row_reader *r);

/* Sets why; returns ERR_SYNTAX. */
int row_wrong(struct row_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool text_is_utf8(const char *text, size_t len);
/* 0, or ERR_SYNTAX with why. `size`: of the field it goes to, with NUL. */
int row_check_text(
	struct row_reader *r, const char *column, const char *text, size_t len, size_t size);
int row_check_mac(struct row_reader *r, const struct mac *mac);
int row_check_ip(struct row_reader *r, uint32_t ip);
int row_check_group(struct row_reader *r, const char *name, int *ret_group);

/* A set of row numbers, hashed by the caller; at most two thirds full. It is searched in its tags,
 * a byte of the hash each (0: free): a row, and where its number stands, is hardly looked at in
 * vain. */
struct row_index {
	uint8_t *tags;
	uint32_t *rows; /* where there is a tag */
	uint32_t mask, used;
};

/* Whether the rows of two numbers have the same key. */
typedef bool (*row_same_fn)(const void *ctx, uint32_t row, uint32_t other);
/* The hash of a row, for growing. */
typedef uint32_t (*row_hash_fn)(const void *ctx, uint32_t row);

int row_index_init(struct row_index *index, uint64_t rows); /* 0, -ENOMEM */
void row_index_done(struct row_index *index);
/* Makes room for one more; if it must grow, for as many as are expected in all, for what is in it
 * is put in anew in one go. 0, -ENOMEM. */
int row_index_reserve(
	struct row_index *index, uint64_t expected, row_hash_fn hash, const void *ctx);
/* 0: *ret_other has the same key as `row`; ERR_NOT_FOUND. */
int row_index_find(const struct row_index *index, uint32_t row, uint32_t hash, row_same_fn same,
	const void *ctx, uint32_t *ret_other);
/* Puts in `row`, which no other has the key of, and for which there is room. */
void row_index_put(struct row_index *index, uint32_t row, uint32_t hash);

#endif
