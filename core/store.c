/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store_sql.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#define PATH_BYTES     4096
#define BUSY_MSEC      2000
#define CHECK_TIME     (1000 * USEC_PER_MSEC) /* the start is not held up for longer */
#define CHECK_INTERVAL 100000 /* SQLite's steps between two looks at the clock */

const char *store_error(const struct store *store)
{
	return store->error;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (int i = 0; i < STORE_STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close_v2(store->db);
	if (store->lock >= 0)
		close(store->lock);
	free(store);
}

int store_explain(struct store *store, int err, const char *text)
{
	snprintf(store->error, sizeof(store->error), "%s", text);
	return err;
}

/* Two engines on one store would undo each other's work. Not the database itself: closing a second
 * descriptor of it would drop SQLite's locks. */
int store_lock(struct store *store, const char *path)
{
	char name[PATH_BYTES];

	if (snprintf(name, sizeof(name), "%s-lock", path) >= (int)sizeof(name))
		return store_explain(store, -ENAMETOOLONG, strerror(ENAMETOOLONG));
	store->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (store->lock < 0)
		return store_explain(store, -errno, strerror(errno));
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return store_explain(
		store, -errno, errno == EWOULDBLOCK ? "another tap82 uses it" : strerror(errno));
}

/* SQLite would make it readable by all. */
static int make_file(struct store *store, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		return store_explain(store, -errno, strerror(errno));
	close(fd);
	return 0;
}

static int execute(struct store *store, const char *sql)
{
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : store_fail(store, code);
}

/* The first column of the first row of `sql` as a number. */
static int ask(struct store *store, const char *sql, int64_t *ret_v)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*ret_v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW ? 0 : store_fail(store, code);
}

/* Somebody else's database must not get our tables. */
static int check_owner(struct store *store)
{
	int64_t application = 0, tables = 0;
	int r = ask(store, "PRAGMA application_id", &application);

	if (r == 0)
		r = ask(store, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r < 0 || application == STORE_APPLICATION || tables == 0)
		return r;
	return store_explain(store, ERR_CORRUPT, "this is a database, but none of tap82's");
}

static int check_version(struct store *store)
{
	char text[128];
	int64_t version = 0;
	int r = ask(store, "PRAGMA user_version", &version);

	if (r < 0 || version <= store_version)
		return r;
	snprintf(text, sizeof(text), "made by a newer tap82: version %lld, this one knows %d",
		(long long)version, store_version);
	return store_explain(store, ERR_VERSION, text);
}

static int look_at_clock(void *until)
{
	return clock_mono() > *(int64_t *)until;
}

/* SQLite says "*** in database main ***" on a line of its own before what it found. */
static int explain_damage(struct store *store, const char *found)
{
	const char *newline = strchr(found, '\n');
	char text[STORE_ERROR_MAX];

	snprintf(text, sizeof(text), "%.120s: 'tap82 check --repair' saves what can be read",
		newline ? newline + 1 : found);
	return store_explain(store, ERR_CORRUPT, text);
}

/* As far as it gets in its time: what it does not reach is checked as it is loaded. */
static int check_integrity(struct store *store, int64_t until)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &stmt, NULL), r = 0;

	if (code != SQLITE_OK)
		return store_fail(store, code);
	sqlite3_progress_handler(store->db, CHECK_INTERVAL, look_at_clock, &until);
	code = sqlite3_step(stmt);
	if (code == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
		r = explain_damage(store, (const char *)sqlite3_column_text(stmt, 0));
	else if (code != SQLITE_ROW && code != SQLITE_INTERRUPT)
		r = store_fail(store, code);
	sqlite3_progress_handler(store->db, 0, NULL, NULL);
	sqlite3_finalize(stmt);
	return r;
}

/* The words for a person: damage that SQLite meets by itself has no hint yet. */
static void tell_why(struct store *store, int err, char *why, size_t size)
{
	char found[STORE_ERROR_MAX];

	if (err == ERR_CORRUPT && store->db &&
		(sqlite3_extended_errcode(store->db) & 0xff) == SQLITE_CORRUPT) {
		memcpy(found, store->error, sizeof(found));
		explain_damage(store, found);
	}
	snprintf(why, size, "%s", *store->error ? store->error : err_text(err));
}

static int migrate(struct store *store)
{
	int code = store_migrate(store->db, store_migrations, store_version);

	return code == SQLITE_OK ? 0 : store_fail(store, code);
}

static int open_database(struct store *store, const char *path)
{
	int code, r = store_lock(store, path);

	if (r == 0)
		r = make_file(store, path);
	if (r < 0)
		return r;
	code = sqlite3_open_v2(path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK)
		return store->db ? store_fail(store, code) : -ENOMEM;
	sqlite3_busy_timeout(store->db, BUSY_MSEC);
	r = check_owner(store);
	if (r == 0)
		r = check_version(store);
	/* What is damaged is not written to. */
	if (r == 0)
		r = check_integrity(store, clock_mono() + CHECK_TIME);
	/* auto_vacuum counts only before the first table is made. */
	if (r == 0)
		r = execute(store,
			"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
			"PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864");
	return r == 0 ? migrate(store) : r;
}

int store_open(const char *path, char *why, size_t size, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store) {
		snprintf(why, size, "%s", err_text(-ENOMEM));
		return -ENOMEM;
	}
	store->lock = -1;
	r = open_database(store, path);
	if (r < 0) {
		tell_why(store, r, why, size);
		store_close(store);
		return r;
	}
	store->failed = 0;
	*ret_store = store;
	return 0;
}

int store_open_reading(struct store *store, const char *path)
{
	int code, r;

	if (access(path, R_OK) < 0)
		return store_explain(store, -errno, strerror(errno));
	code = sqlite3_open_v2(path, &store->db,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK)
		return store->db ? store_fail(store, code) : -ENOMEM;
	sqlite3_busy_timeout(store->db, BUSY_MSEC);
	r = check_owner(store);
	if (r == -ENOENT) /* not the database: SQLite wants to make files beside it */
		return store_explain(
			store, -EACCES, "cannot be read: its folder cannot be written to");
	return r == 0 ? check_version(store) : r;
}

int store_check(const char *path, char *why, size_t size)
{
	struct store store = {.lock = -1};
	int r = store_open_reading(&store, path);

	if (r == 0)
		r = check_integrity(&store, INT64_MAX);
	if (r < 0)
		tell_why(&store, r, why, size);
	sqlite3_close_v2(store.db);
	return r;
}

static int run_bare(struct store *store, enum store_statement which)
{
	struct store_bind b;
	int r = store_prepare(store, which, &b);

	return r < 0 ? r : store_run(store, &b);
}

int store_begin(struct store *store)
{
	store->failed = 0;
	return run_bare(store, STORE_BEGIN);
}

void store_rollback(struct store *store)
{
	char error[STORE_ERROR_MAX];

	/* SQLite has rolled back itself after some errors; and what is worth telling is why. */
	memcpy(error, store->error, sizeof(error));
	if (!sqlite3_get_autocommit(store->db))
		run_bare(store, STORE_ROLLBACK);
	memcpy(store->error, error, sizeof(error));
}

int store_commit(struct store *store)
{
	int r = store->failed;

	/* After a failure SQLite may have rolled back: what came later stands alone then. */
	if (r == 0)
		r = run_bare(store, STORE_COMMIT);
	if (r < 0)
		store_rollback(store);
	return r;
}
