/* SPDX-License-Identifier: ISC
 *
 * Inside the store: the connection, its statements, and how rows get into and out of them.
 */
#ifndef TAP82_STORE_SQL_H
#define TAP82_STORE_SQL_H

#include <sqlite3.h>

#include "tap82/store.h"

/* PRAGMA application_id: "tp82". */
#define STORE_APPLICATION 0x74703832
#define STORE_ERROR_MAX	  256

enum store_statement {
	STORE_BEGIN,
	STORE_COMMIT,
	STORE_ROLLBACK,
	STORE_PUT_DEVICE,
	STORE_DELETE_DEVICE,
	STORE_EACH_DEVICE,
	STORE_COUNT_DEVICES,
	STORE_PUT_RESERVATION,
	STORE_DELETE_RESERVATION,
	STORE_EACH_RESERVATION,
	STORE_PUT_EVENT,
	STORE_EVENT_TIME,
	STORE_EACH_EVENT,
	STORE_LAST_EVENTS,
	STORE_EACH_EVENT_OF_MAC,
	STORE_LAST_EVENTS_OF_MAC,
	STORE_EACH_TOLD,
	STORE_EVENTS_BEHIND,
	STORE_EVENTS_BEHIND_OF_MAC,
	STORE_EVENT_SEQ,
	STORE_FIRST_SEQ,
	STORE_EXPIRE_EVENTS,
	STORE_LIMIT_EVENTS,
	STORE_VACUUM,
	STORE_PUT_OUTBOX,
	STORE_UPDATE_OUTBOX,
	STORE_DELETE_OUTBOX,
	STORE_EACH_OUTBOX,
	STORE_PUT_FACT,
	STORE_GET_FACT,
	STORE_STATEMENTS
};

struct store {
	sqlite3 *db;
	int lock; /* descriptor of PATH-lock */
	int failed; /* the first failure since begin: the commit fails with it */
	sqlite3_stmt *statements[STORE_STATEMENTS];
	char error[STORE_ERROR_MAX];
};

/* --- Schema ---------------------------------------------------------------------------------- */

/* The condition of an index: a statement that is to use it has it word for word. */
#define STORE_TOLD "code IN ('device.unknown', 'dhcp.unknown_server', 'dhcp.unknown_relay')"

/* migrations[i] takes a database of version i to version i + 1. */
extern const char *const store_migrations[];
extern const int store_version;
/* Brings `db` from its version to `version` in one transaction: an SQLite result code, or -1 when
 * it is newer than that. */
int store_migrate(sqlite3 *db, const char *const *migrations, int version);
int store_read_version(sqlite3 *db, int *ret_version); /* an SQLite result code */

/* --- Opening --------------------------------------------------------------------------------- */

/* Sets the words for store_error(); returns err. */
int store_explain(struct store *store, int err, const char *text);
/* Takes PATH-lock. 0; -EAGAIN: another tap82 has it; -errno. */
int store_lock(struct store *store, const char *path);
/* Opens what is there for reading, and looks whose it is and of which version. No lock. */
int store_open_reading(struct store *store, const char *path);

/* --- Statements ------------------------------------------------------------------------------ */

/* Our error for an SQLite result code. */
int store_map_error(sqlite3 *db, int code);
/* Notes the failure `code` of the connection for store_error(); returns our error. */
int store_fail(struct store *store, int code);

/* A kept statement with its parameters, bound in order. */
struct store_bind {
	sqlite3_stmt *stmt;
	int next, code;
};
/* 0, or a negative error. */
int store_prepare(struct store *store, enum store_statement which, struct store_bind *ret_bind);
void bind_int(struct store_bind *b, int64_t v);
void bind_null(struct store_bind *b);
/* Not copied: valid until the statement is done. */
void bind_text(struct store_bind *b, const char *text);
void bind_blob(struct store_bind *b, const void *bytes, size_t len);
void bind_mac(struct store_bind *b, const struct mac *mac);
/* Runs a statement that gives no rows and makes it ready for the next use. 0 or negative. */
int store_run(struct store *store, struct store_bind *b);
/* The next row: 1; 0 behind the last; negative. After 0 and negative the statement is done. */
int store_next(struct store *store, struct store_bind *b);
/* Ends a walk early. */
void store_stop(struct store_bind *b);

/* The columns of a row, read in order. `bad` is set by what cannot be ours; columns that an older
 * version has not are 0, "" or absent. */
struct store_columns {
	sqlite3_stmt *stmt;
	int next;
	bool bad;
};
int64_t column_int(struct store_columns *c, int64_t min, int64_t max);
void column_text(struct store_columns *c, char *out, size_t size);
/* The length; *ret_present false for NULL. */
size_t column_blob(struct store_columns *c, void *out, size_t size, bool *ret_present);
void column_mac(struct store_columns *c, struct mac *ret_mac);
/* Rows, column by column in the order of the tables; of an event from `id` on. What is borrowed is
 * valid until the statement's next step. */
void store_read_device(struct store_columns *c, struct device_row *row);
void store_read_reservation(struct store_columns *c, struct reservation_row *row);
void store_read_event(struct store_columns *c, struct event_row *row);
void store_read_outbox(struct store_columns *c, struct outbox_row *row);
/* ERR_CORRUPT, told with the table's name. */
int store_bad_row(struct store *store, const char *table);

#endif
