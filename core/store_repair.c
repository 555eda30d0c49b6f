/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_sql.h"
#include "tap82/err.h"

#define NAME_BYTES  STORE_KEPT_MAX
#define KEPT_MAX    1000 /* damaged stores beside each other */
#define SKIM_TRIES  1000000
#define ROWS_COMMIT 10000

struct rescue {
	struct store from, *to;
	const char *path;
	char fresh[NAME_BYTES]; /* the new store while it is made */
	char whole[NAME_BYTES]; /* a copy of one that was cut, as long as it should be; "": none */
	uint64_t rows; /* of this table */
	bool broken; /* a table broke off */
};

static bool device_is_good(sqlite3_stmt *stmt)
{
	struct store_columns c = {.stmt = stmt};
	struct device_row row;

	store_read_device(&c, &row);
	return !c.bad;
}

static bool reservation_is_good(sqlite3_stmt *stmt)
{
	struct store_columns c = {.stmt = stmt};
	struct reservation_row row;

	store_read_reservation(&c, &row);
	return !c.bad;
}

static bool event_is_good(sqlite3_stmt *stmt)
{
	struct store_columns c = {.stmt = stmt, .next = 1};
	struct event_row row;

	store_read_event(&c, &row);
	return !c.bad;
}

static bool outbox_is_good(sqlite3_stmt *stmt)
{
	struct store_columns c = {.stmt = stmt};
	struct outbox_row row;

	store_read_outbox(&c, &row);
	return !c.bad;
}

static bool fact_is_good(sqlite3_stmt *stmt)
{
	return sqlite3_column_type(stmt, 0) == SQLITE_TEXT;
}

/* Tables are read from the first row on; where that breaks off, those with row numbers from the
 * next place that can be read, others from the last row back. */
static const struct table {
	const char *name, *up, *down, *from; /* from: at or above ?1; NULL without row numbers */
	bool (*is_good)(sqlite3_stmt *stmt);
	size_t count; /* where to count, in struct store_salvage */
} tables[] = {
	{"device", "SELECT * FROM device ORDER BY mac", NULL,
		"SELECT * FROM device WHERE mac >= ?1 ORDER BY mac", device_is_good,
		offsetof(struct store_salvage, devices)},
	{"reservation", "SELECT * FROM reservation ORDER BY mac, server",
		"SELECT * FROM reservation ORDER BY mac DESC, server DESC", NULL,
		reservation_is_good, offsetof(struct store_salvage, reservations)},
	{"event", "SELECT * FROM event ORDER BY seq", NULL,
		"SELECT * FROM event WHERE seq >= ?1 ORDER BY seq", event_is_good,
		offsetof(struct store_salvage, events)},
	{"outbox", "SELECT * FROM outbox ORDER BY seq", NULL,
		"SELECT * FROM outbox WHERE seq >= ?1 ORDER BY seq", outbox_is_good,
		offsetof(struct store_salvage, outbox)},
	{"fact", "SELECT * FROM fact ORDER BY key", "SELECT * FROM fact ORDER BY key DESC", NULL,
		fact_is_good, offsetof(struct store_salvage, facts)},
};

/* 0; or the failure of the new store, which ends the rescue. */
static int put_row(struct rescue *r, sqlite3_stmt *row, sqlite3_stmt *put)
{
	int code;

	for (int i = 0; i < sqlite3_column_count(row); i++)
		sqlite3_bind_value(put, i + 1, sqlite3_column_value(row, i));
	code = sqlite3_step(put);
	sqlite3_reset(put);
	/* A value of a type that a table does not take was none of ours. */
	if (code != SQLITE_DONE)
		return code % 256 == SQLITE_CONSTRAINT ? 0 : store_fail(r->to, code);
	r->rows += (uint64_t)sqlite3_changes(r->to->db);
	if (r->rows % ROWS_COMMIT)
		return 0;
	code = store_commit(r->to);
	return code < 0 ? code : store_begin(r->to);
}

/* Reads on from where `rows` stands until it breaks off: 0, *ret_last is the first column of the
 * last row; 1 at the end of the table; negative: the new store failed. */
static int read_rows(struct rescue *r, const struct table *t, sqlite3_stmt *rows, sqlite3_stmt *put,
	int64_t *ret_last)
{
	int e, code;

	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		*ret_last = sqlite3_column_int64(rows, 0);
		e = t->is_good(rows) ? put_row(r, rows, put) : 0;
		if (e < 0)
			return e;
	}
	return code == SQLITE_DONE;
}

static int walk(struct rescue *r, const struct table *t, const char *sql, int64_t from,
	sqlite3_stmt *put, int64_t *ret_last)
{
	sqlite3_stmt *rows;
	int e;

	if (sqlite3_prepare_v2(r->from.db, sql, -1, &rows, NULL) != SQLITE_OK)
		return 0;
	if (sqlite3_bind_parameter_count(rows) == 1)
		sqlite3_bind_int64(rows, 1, from);
	e = read_rows(r, t, rows, put, ret_last);
	sqlite3_finalize(rows);
	return e;
}

/* From the last row that was read over what cannot be read to what can: a gap is a page or more of
 * rows, so that the steps grow. */
static int skim(struct rescue *r, const struct table *t, int64_t at, sqlite3_stmt *put)
{
	int64_t step = 1;
	int e = 0;

	for (int i = 0; i < SKIM_TRIES && step < INT64_MAX / 4 - at && e == 0; i++) {
		int64_t last = INT64_MIN;

		e = walk(r, t, t->from, at + step, put, &last);
		step = last == INT64_MIN ? step + step / 4 + 1 : 1;
		at = last == INT64_MIN ? at : last;
	}
	return e < 0 ? e : 0;
}

static int rescue_rows(struct rescue *r, const struct table *t, sqlite3_stmt *put)
{
	int64_t last = 0;
	int e = walk(r, t, t->up, 0, put, &last);

	if (e != 0)
		return e < 0 ? e : 0;
	r->broken = true;
	if (t->from)
		return skim(r, t, last, put);
	e = walk(r, t, t->down, 0, put, &last);
	return e < 0 ? e : 0;
}

/* The statement that puts a row as the old store has it, perhaps with fewer columns than today. */
static int prepare_put(struct rescue *r, const struct table *t, sqlite3_stmt **ret_put)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);
	sqlite3_stmt *rows = NULL;
	int code, count;
	char *text;

	sqlite3_prepare_v2(r->from.db, t->up, -1, &rows, NULL);
	count = sqlite3_column_count(rows);
	sqlite3_str_appendf(sql, "INSERT OR IGNORE INTO %s", t->name);
	for (int i = 0; i < count; i++)
		sqlite3_str_appendf(sql, "%s\"%w\"", i ? ", " : " (", sqlite3_column_name(rows, i));
	for (int i = 0; i < count; i++)
		sqlite3_str_appendall(sql, i ? ", ?" : ") VALUES (?");
	sqlite3_str_appendall(sql, count ? ")" : " DEFAULT VALUES");
	sqlite3_finalize(rows);
	text = sqlite3_str_finish(sql);
	code = text ? sqlite3_prepare_v2(r->to->db, text, -1, ret_put, NULL) : SQLITE_NOMEM;
	sqlite3_free(text);
	return code;
}

static int rescue_table(struct rescue *r, const struct table *t, struct store_salvage *salvage)
{
	sqlite3_stmt *put;
	int code = prepare_put(r, t, &put), e;

	if (code != SQLITE_OK)
		return store_fail(r->to, code);
	r->rows = 0;
	e = store_begin(r->to);
	if (e == 0)
		e = rescue_rows(r, t, put);
	sqlite3_finalize(put);
	if (e == 0)
		e = store_commit(r->to);
	*(uint64_t *)((char *)salvage + t->count) = r->rows;
	return e;
}

static int rescue_tables(struct rescue *r, struct store_salvage *salvage)
{
	int e = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && e == 0; i++)
		e = rescue_table(r, &tables[i], salvage);
	salvage->complete = !r->broken;
	return e < 0 ? store_explain(&r->from, e, store_error(r->to)) : e;
}

/* --- Files ----------------------------------------------------------------------------------- */

static void remove_store_end(const char *path, const char *end)
{
	char name[NAME_BYTES + 8];

	snprintf(name, sizeof(name), "%s%s", path, end);
	unlink(name);
}

static void remove_store(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-lock"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		remove_store_end(path, ends[i]);
}

static int move(struct store *store, const char *from, const char *to, const char *end)
{
	char old[NAME_BYTES + 8], new[NAME_BYTES + 8];

	snprintf(old, sizeof(old), "%s%s", from, end);
	snprintf(new, sizeof(new), "%s%s", to, end);
	if (rename(old, new) == 0 || (*end && errno == ENOENT))
		return 0;
	return store_explain(store, -errno, strerror(errno));
}

static int choose_name(struct rescue *r, struct store_salvage *salvage)
{
	for (int i = 1; i <= KEPT_MAX; i++) {
		snprintf(salvage->kept, sizeof(salvage->kept), "%.4000s.damaged-%d", r->path, i);
		if (access(salvage->kept, F_OK) < 0)
			return 0;
	}
	return store_explain(&r->from, -EEXIST, "too many damaged stores beside it");
}

static void sync_folder(const char *path)
{
	char copy[NAME_BYTES];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* The journal goes with the old file, of which it is a part. */
static int exchange(struct rescue *r, struct store_salvage *salvage)
{
	int e = choose_name(r, salvage);

	if (e == 0)
		e = move(&r->from, r->path, salvage->kept, "-wal");
	if (e == 0)
		e = move(&r->from, r->path, salvage->kept, "");
	if (e < 0)
		return e;
	remove_store_end(r->path, "-shm");
	e = move(&r->from, r->fresh, r->path, "");
	if (e < 0)
		move(&r->from, salvage->kept, r->path, "");
	sync_folder(r->path);
	return e;
}

static int make_fresh(struct rescue *r)
{
	if (snprintf(r->fresh, sizeof(r->fresh), "%.4000s.new", r->path) < 0)
		return -EINVAL;
	remove_store(r->fresh);
	return store_open(r->fresh, r->from.error, sizeof(r->from.error), &r->to);
}

/* --- A file that was cut --------------------------------------------------------------------- */

static uint32_t big_endian(const uint8_t *bytes, int count)
{
	uint32_t v = 0;

	for (int i = 0; i < count; i++)
		v = v << 8 | bytes[i];
	return v;
}

/* As long as its header says (https://www.sqlite.org/fileformat.html 1.3): SQLite reads nothing of
 * a file that is shorter. 1: it was; 0: nothing is missing. */
static int lengthen(int fd)
{
	uint8_t header[32];
	uint64_t page, size;
	struct stat st;

	if (pread(fd, header, sizeof(header), 0) != sizeof(header) || fstat(fd, &st) < 0 ||
		memcmp(header, "SQLite format 3", 16) != 0)
		return 0;
	page = big_endian(header + 16, 2);
	size = (page == 1 ? 65536 : page) * big_endian(header + 28, 4);
	if ((uint64_t)st.st_size >= size)
		return 0;
	return ftruncate(fd, (off_t)size) < 0 ? -errno : 1;
}

static int copy_bytes(int from, int to)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			return errno ? -errno : -ENOSPC;
	return n < 0 ? -errno : 0;
}

/* Of the store or of its journal, `end`: the descriptor of the copy, or negative. */
static int copy_file(struct rescue *r, const char *end)
{
	char old[NAME_BYTES + 8], new[NAME_BYTES + 8];
	int from, to, e;

	snprintf(old, sizeof(old), "%s%s", r->path, end);
	snprintf(new, sizeof(new), "%s%s", r->whole, end);
	from = open(old, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return -errno;
	to = open(new, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	e = to < 0 ? -errno : copy_bytes(from, to);
	close(from);
	if (e < 0 && to >= 0)
		close(to);
	return e < 0 ? e : to;
}

/* 1: there is a copy that is as long as it should be. */
static int make_whole(struct rescue *r)
{
	int fd, wal, made;

	snprintf(r->whole, sizeof(r->whole), "%.4000s.cut", r->path);
	remove_store(r->whole);
	fd = copy_file(r, "");
	if (fd < 0)
		return fd;
	made = lengthen(fd);
	close(fd);
	wal = made == 1 ? copy_file(r, "-wal") : -ENOENT;
	if (wal >= 0)
		close(wal);
	return wal < 0 && wal != -ENOENT ? wal : made;
}

static int open_damaged(struct rescue *r)
{
	int e = store_open_reading(&r->from, r->path), made;

	if (e != ERR_CORRUPT)
		return e;
	made = make_whole(r);
	if (made <= 0)
		return made < 0 ? store_explain(&r->from, made, strerror(-made)) : e;
	sqlite3_close_v2(r->from.db);
	r->from.db = NULL;
	r->broken = true;
	return store_open_reading(&r->from, r->whole);
}

/* --------------------------------------------------------------------------------------------- */

static int repair(struct rescue *r, struct store_salvage *salvage)
{
	int e = store_lock(&r->from, r->path);

	if (e == 0)
		e = open_damaged(r);
	if (e == 0)
		e = make_fresh(r);
	if (e < 0)
		return e;
	e = rescue_tables(r, salvage);
	store_close(r->to);
	sqlite3_close_v2(r->from.db);
	r->from.db = NULL;
	if (e == 0)
		e = exchange(r, salvage);
	remove_store(r->fresh);
	return e;
}

int store_repair(const char *path, char *why, size_t size, struct store_salvage *ret_salvage)
{
	struct rescue *r = calloc(1, sizeof(*r));
	int e = -ENOMEM;

	if (r) {
		*r = (struct rescue){.path = path, .from = {.lock = -1}};
		*ret_salvage = (struct store_salvage){0};
		e = repair(r, ret_salvage);
	}
	if (e < 0)
		snprintf(why, size, "%s", r && *r->from.error ? r->from.error : err_text(e));
	if (r) {
		sqlite3_close_v2(r->from.db);
		if (*r->whole)
			remove_store(r->whole);
		if (r->from.lock >= 0)
			close(r->from.lock);
	}
	free(r);
	return e;
}
