/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store_sql.h"
#include "tap82/err.h"

#define EVENT_COLUMNS "id, time, mac, code, json"
/* Events are nearly in the order of their times: the first number that can be meant is looked up,
 * and from there on they are read in the order written. */
#define EVENTS_SINCE                                                             \
	" FROM event WHERE seq >= (SELECT min(seq) FROM event WHERE time >= ?1)" \
	" AND +time >= ?1 AND (?2 IS NULL OR code = ?2)"
#define EVENTS_OF_MAC                                             \
	" FROM event WHERE mac = ?4 AND mac <> 0 AND +time >= ?1" \
	" AND (?2 IS NULL OR code = ?2)"
#define EVENTS_ALL(from) "SELECT " EVENT_COLUMNS from " ORDER BY seq"
#define EVENTS_LAST(from)                                                \
	"SELECT " EVENT_COLUMNS " FROM (SELECT seq, " EVENT_COLUMNS from \
	" ORDER BY seq DESC LIMIT ?3) ORDER BY seq"

static const char *const texts[STORE_STATEMENTS] = {
	[STORE_BEGIN] = "BEGIN IMMEDIATE",
	[STORE_COMMIT] = "COMMIT",
	[STORE_ROLLBACK] = "ROLLBACK",
	[STORE_PUT_DEVICE] = ("REPLACE INTO device VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
			      "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
	[STORE_DELETE_DEVICE] = "DELETE FROM device WHERE mac = ?",
	[STORE_EACH_DEVICE] = "SELECT * FROM device",
	[STORE_COUNT_DEVICES] = "SELECT count(*) FROM device",
	[STORE_PUT_RESERVATION] =
		"REPLACE INTO reservation VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[STORE_DELETE_RESERVATION] = "DELETE FROM reservation WHERE mac = ? AND server = ?",
	[STORE_EACH_RESERVATION] = "SELECT * FROM reservation ORDER BY mac, server",
	[STORE_PUT_EVENT] = ("INSERT INTO event (" EVENT_COLUMNS
			     ") VALUES (?,?,?,?,?) ON CONFLICT (id) DO NOTHING"),
	[STORE_EVENT_TIME] = "SELECT time FROM event WHERE id = ?",
	[STORE_EACH_EVENT] = EVENTS_ALL(EVENTS_SINCE),
	[STORE_LAST_EVENTS] = EVENTS_LAST(EVENTS_SINCE),
	[STORE_EACH_EVENT_OF_MAC] = EVENTS_ALL(EVENTS_OF_MAC),
	[STORE_LAST_EVENTS_OF_MAC] = EVENTS_LAST(EVENTS_OF_MAC),
	[STORE_EACH_TOLD] = ("SELECT " EVENT_COLUMNS " FROM (SELECT seq, " EVENT_COLUMNS
			     " FROM event WHERE " STORE_TOLD " AND code = ?1 AND time >= ?2"
			     " ORDER BY time DESC LIMIT ?3) ORDER BY time, seq"),
	[STORE_EVENTS_BEHIND] =
		("SELECT seq, " EVENT_COLUMNS " FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2"),
	[STORE_EVENTS_BEHIND_OF_MAC] =
		("SELECT seq, " EVENT_COLUMNS
		 " FROM event WHERE mac = ?3 AND mac <> 0 AND seq > ?1 ORDER BY seq LIMIT ?2"),
	[STORE_EVENT_SEQ] = "SELECT seq FROM event WHERE id = ?",
	[STORE_FIRST_SEQ] = "SELECT min(seq) FROM event WHERE time >= ?",
	[STORE_EXPIRE_EVENTS] = ("DELETE FROM event WHERE seq IN"
				 " (SELECT seq FROM event WHERE time < ?1 ORDER BY time LIMIT ?2)"),
	[STORE_LIMIT_EVENTS] =
		("DELETE FROM event WHERE seq IN (SELECT seq FROM event"
		 " WHERE seq <= (SELECT max(seq) FROM event) - ?1 ORDER BY seq LIMIT ?2)"),
	[STORE_VACUUM] = "PRAGMA incremental_vacuum(2000)",
	[STORE_PUT_OUTBOX] =
		"INSERT INTO outbox (webhook, mac, body, tries, next_at) VALUES (?,?,?,?,?)",
	[STORE_UPDATE_OUTBOX] = "UPDATE outbox SET tries = ?, next_at = ? WHERE seq = ?",
	[STORE_DELETE_OUTBOX] = "DELETE FROM outbox WHERE seq = ?",
	[STORE_EACH_OUTBOX] =
		"SELECT seq, webhook, mac, body, tries, next_at FROM outbox ORDER BY seq",
	[STORE_PUT_FACT] = "REPLACE INTO fact VALUES (?,?)",
	[STORE_GET_FACT] = "SELECT value FROM fact WHERE key = ?",
};

int store_map_error(sqlite3 *db, int code)
{
	int system = db ? sqlite3_system_errno(db) : 0;

	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return ERR_CORRUPT;
	case SQLITE_NOMEM: return -ENOMEM;
	case SQLITE_FULL: return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return -EBUSY;
	case SQLITE_READONLY: return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH: return -EACCES;
	case SQLITE_CANTOPEN: return system ? -system : -ENOENT;
	case SQLITE_CONSTRAINT: return ERR_RANGE;
	default: return system ? -system : -EIO;
	}
}

int store_fail(struct store *store, int code)
{
	int err = store_map_error(store->db, code);

	if (!store->failed)
		store->failed = err;
	snprintf(store->error, sizeof(store->error), "%s", sqlite3_errmsg(store->db));
	return err;
}

int store_bad_row(struct store *store, const char *table)
{
	snprintf(store->error, sizeof(store->error), "a row of table %s cannot be ours", table);
	return ERR_CORRUPT;
}

int store_prepare(struct store *store, enum store_statement which, struct store_bind *ret_bind)
{
	sqlite3_stmt **stmt = &store->statements[which];
	int code = SQLITE_OK;

	if (!*stmt)
		code = sqlite3_prepare_v3(
			store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
	if (code != SQLITE_OK)
		return store_fail(store, code);
	*ret_bind = (struct store_bind){.stmt = *stmt, .next = 1};
	return 0;
}

static void bound(struct store_bind *b, int code)
{
	if (b->code == SQLITE_OK)
		b->code = code;
	b->next++;
}

void bind_int(struct store_bind *b, int64_t v)
{
	bound(b, sqlite3_bind_int64(b->stmt, b->next, v));
}

void bind_null(struct store_bind *b)
{
	bound(b, sqlite3_bind_null(b->stmt, b->next));
}

void bind_text(struct store_bind *b, const char *text)
{
	bound(b, sqlite3_bind_text(b->stmt, b->next, text, -1, SQLITE_STATIC));
}

void bind_blob(struct store_bind *b, const void *bytes, size_t len)
{
	/* A NULL pointer would be NULL, not an empty blob. */
	bound(b, sqlite3_bind_blob64(b->stmt, b->next, bytes ? bytes : "", len, SQLITE_STATIC));
}

void bind_mac(struct store_bind *b, const struct mac *mac)
{
	int64_t v = 0;

	for (int i = 0; i < 6; i++)
		v = v << 8 | mac->b[i];
	bind_int(b, v);
}

void store_stop(struct store_bind *b)
{
	sqlite3_reset(b->stmt);
	sqlite3_clear_bindings(b->stmt);
}

int store_next(struct store *store, struct store_bind *b)
{
	int code = b->code ? b->code : sqlite3_step(b->stmt), r;

	if (code == SQLITE_ROW)
		return 1;
	r = code == SQLITE_DONE ? 0 : store_fail(store, code);
	store_stop(b);
	return r;
}

int store_run(struct store *store, struct store_bind *b)
{
	int r = store_next(store, b);

	if (r == 1)
		store_stop(b);
	return r < 0 ? r : 0;
}

/* A row of an older version, which is read only to be saved, ends earlier. */
static bool ends_before(struct store_columns *c)
{
	if (c->next < sqlite3_data_count(c->stmt))
		return false;
	c->next++;
	return true;
}

int64_t column_int(struct store_columns *c, int64_t min, int64_t max)
{
	int64_t v;

	if (ends_before(c))
		return 0;
	v = sqlite3_column_int64(c->stmt, c->next++);
	if (v >= min && v <= max)
		return v;
	c->bad = true;
	return min;
}

void column_text(struct store_columns *c, char *out, size_t size)
{
	const unsigned char *text;
	size_t len;

	*out = 0;
	if (ends_before(c))
		return;
	text = sqlite3_column_text(c->stmt, c->next);
	len = (size_t)sqlite3_column_bytes(c->stmt, c->next++);
	if (!text || len >= size) {
		c->bad = true;
		len = 0;
	}
	if (len > 0)
		memcpy(out, text, len);
	out[len] = 0;
}

size_t column_blob(struct store_columns *c, void *out, size_t size, bool *ret_present)
{
	const void *bytes;
	size_t len;

	*ret_present = false;
	if (ends_before(c))
		return 0;
	bytes = sqlite3_column_blob(c->stmt, c->next);
	len = (size_t)sqlite3_column_bytes(c->stmt, c->next);
	*ret_present = sqlite3_column_type(c->stmt, c->next++) != SQLITE_NULL;
	if (len > size) {
		c->bad = true;
		return 0;
	}
	if (len > 0)
		memcpy(out, bytes, len);
	return len;
}

void column_mac(struct store_columns *c, struct mac *ret_mac)
{
	int64_t v = column_int(c, 0, INT64_C(0xffffffffffff));

	for (int i = 5; i >= 0; i--, v >>= 8)
		ret_mac->b[i] = (uint8_t)v;
}
