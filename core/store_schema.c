/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "store_sql.h"

/* Never change a migration that was released: add one. A MAC is its 48 bits as a number. */
static const char version_1[] =
	"CREATE TABLE device ("
	" mac INTEGER PRIMARY KEY,"
	" serial_number TEXT NOT NULL, uuid TEXT NOT NULL, name TEXT NOT NULL, grp TEXT NOT NULL,"
	" line INTEGER NOT NULL, inventory_ip INTEGER NOT NULL, replaces INTEGER NOT NULL,"
	" ip INTEGER NOT NULL, state INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" lease_time INTEGER NOT NULL, relay INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
	" profile_seen_at INTEGER NOT NULL, hold_until INTEGER NOT NULL,"
	" circuit_id BLOB, remote_id BLOB, option82 BLOB) STRICT;"
	"CREATE TABLE reservation ("
	" mac INTEGER NOT NULL, server TEXT NOT NULL,"
	" ip INTEGER NOT NULL, old_ip INTEGER NOT NULL, old_mac INTEGER NOT NULL,"
	" mode INTEGER NOT NULL, state INTEGER NOT NULL, purpose INTEGER NOT NULL,"
	" flags INTEGER NOT NULL, tries INTEGER NOT NULL, since INTEGER NOT NULL,"
	" next_at INTEGER NOT NULL, error TEXT NOT NULL,"
	" PRIMARY KEY (mac, server)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE event ("
	" seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, time INTEGER NOT NULL,"
	" mac INTEGER NOT NULL, code TEXT NOT NULL, json TEXT NOT NULL) STRICT;"
	"CREATE INDEX event_time ON event (time);"
	"CREATE INDEX event_mac ON event (mac) WHERE mac <> 0;"
	"CREATE TABLE outbox ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL, mac INTEGER NOT NULL,"
	" body BLOB NOT NULL, tries INTEGER NOT NULL, next_at INTEGER NOT NULL) STRICT;"
	"CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;";

/* What version 1 forgot at a restart. */
static const char version_2[] =
	"ALTER TABLE device ADD COLUMN acked_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN acked_server TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE device ADD COLUMN xid INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN hold_xid INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN told_ip INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN failed_ip INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN first_ip INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN reason INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN moved_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN mismatch INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN stopped_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN stopped_ip INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN stopped_server_id INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN stopped_relay INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN stopped_xid INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE device ADD COLUMN layout TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE device ADD COLUMN vlan INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE device ADD COLUMN slot INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE device ADD COLUMN port INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE device ADD COLUMN switch_mac BLOB;"
	"ALTER TABLE reservation ADD COLUMN xid INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE reservation ADD COLUMN relay INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE reservation ADD COLUMN maybe_ip INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE reservation ADD COLUMN sent_ip INTEGER NOT NULL DEFAULT 0;";

/* What was told at most once in a time is looked for at the start, among all that was told. */
#define TOLD_INDEX "CREATE INDEX event_told ON event (code, time) WHERE " STORE_TOLD ";"
static const char version_3[] = TOLD_INDEX;

/* All of it, for a new store. */
static const char whole[] =
	"CREATE TABLE device ("
	" mac INTEGER PRIMARY KEY,"
	" serial_number TEXT NOT NULL, uuid TEXT NOT NULL, name TEXT NOT NULL, grp TEXT NOT NULL,"
	" line INTEGER NOT NULL, inventory_ip INTEGER NOT NULL, replaces INTEGER NOT NULL,"
	" ip INTEGER NOT NULL, state INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" lease_time INTEGER NOT NULL, relay INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
	" profile_seen_at INTEGER NOT NULL, hold_until INTEGER NOT NULL,"
	" circuit_id BLOB, remote_id BLOB, option82 BLOB,"
	" acked_at INTEGER NOT NULL DEFAULT 0, acked_server TEXT NOT NULL DEFAULT '',"
	" xid INTEGER NOT NULL DEFAULT 0, hold_xid INTEGER NOT NULL DEFAULT 0,"
	" told_ip INTEGER NOT NULL DEFAULT 0, failed_ip INTEGER NOT NULL DEFAULT 0,"
	" first_ip INTEGER NOT NULL DEFAULT 0, reason INTEGER NOT NULL DEFAULT 0,"
	" moved_at INTEGER NOT NULL DEFAULT 0, mismatch INTEGER NOT NULL DEFAULT 0,"
	" stopped_at INTEGER NOT NULL DEFAULT 0,"
	" stopped_ip INTEGER NOT NULL DEFAULT 0,"
	" stopped_server_id INTEGER NOT NULL DEFAULT 0,"
	" stopped_relay INTEGER NOT NULL DEFAULT 0,"
	" stopped_xid INTEGER NOT NULL DEFAULT 0, layout TEXT NOT NULL DEFAULT '',"
	" vlan INTEGER NOT NULL DEFAULT -1, slot INTEGER NOT NULL DEFAULT -1,"
	" port INTEGER NOT NULL DEFAULT -1, switch_mac BLOB"
	") STRICT;"
	"CREATE TABLE reservation ("
	" mac INTEGER NOT NULL, server TEXT NOT NULL,"
	" ip INTEGER NOT NULL, old_ip INTEGER NOT NULL, old_mac INTEGER NOT NULL,"
	" mode INTEGER NOT NULL, state INTEGER NOT NULL, purpose INTEGER NOT NULL,"
	" flags INTEGER NOT NULL, tries INTEGER NOT NULL, since INTEGER NOT NULL,"
	" next_at INTEGER NOT NULL, error TEXT NOT NULL,"
	" xid INTEGER NOT NULL DEFAULT 0, relay INTEGER NOT NULL DEFAULT 0,"
	" maybe_ip INTEGER NOT NULL DEFAULT 0, sent_ip INTEGER NOT NULL DEFAULT 0"
	", "
	" PRIMARY KEY (mac, server)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE event ("
	" seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, time INTEGER NOT NULL,"
	" mac INTEGER NOT NULL, code TEXT NOT NULL, json TEXT NOT NULL) STRICT;"
	"CREATE INDEX event_time ON event (time);"
	"CREATE INDEX event_mac ON event (mac) WHERE mac <> 0;"
	"CREATE TABLE outbox ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL, mac INTEGER NOT NULL,"
	" body BLOB NOT NULL, tries INTEGER NOT NULL, next_at INTEGER NOT NULL) STRICT;"
	"CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;" //
	TOLD_INDEX;

const char *const store_migrations[] = {version_1, version_2, version_3};
const int store_version = sizeof(store_migrations) / sizeof(store_migrations[0]);

int store_read_version(sqlite3 *db, int *ret_version)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);

	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*ret_version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int apply(sqlite3 *db, const char *const *migrations, int from, int to)
{
	bool at_once = from == 0 && to == store_version && migrations == store_migrations;
	char pragma[96];
	int code = at_once ? sqlite3_exec(db, whole, NULL, NULL, NULL) : SQLITE_OK;

	for (int i = at_once ? to : from; i < to && code == SQLITE_OK; i++)
		code = sqlite3_exec(db, migrations[i], NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return code;
	sqlite3_snprintf(sizeof(pragma), pragma,
		"PRAGMA user_version = %d; PRAGMA application_id = %d", to, STORE_APPLICATION);
	return sqlite3_exec(db, pragma, NULL, NULL, NULL);
}

int store_migrate(sqlite3 *db, const char *const *migrations, int version)
{
	int from, code = store_read_version(db, &from);

	if (code != SQLITE_OK || from == version)
		return code;
	if (from > version)
		return -1;
	code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = apply(db, migrations, from, version);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (code != SQLITE_OK && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}
