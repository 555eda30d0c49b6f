/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sqlite3.h>
#include <cmocka.h>

#include "../../core/store_sql.h"
#include "tap82/err.h"
#include "tap82/store.h"

static char folder[] = "/tmp/tap82-store-XXXXXX", path[64];
static char why[256];

static void remove_files(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-lock", "-journal"};
	char name[80];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/s.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	remove_files();
	return rmdir(folder);
}

static int fresh(void **state)
{
	(void)state;
	remove_files();
	return 0;
}

static struct store *open_store(void)
{
	struct store *store = NULL;

	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	return store;
}

static void sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static struct device_row full_device(void)
{
	struct device_row row = {.mac = {{0xfe, 1, 2, 3, 4, 5}},
		.serial_number = "SN-1",
		.uuid = "u-1",
		.name = "Tür \"A\"",
		.group = "north",
		.line = 17,
		.inventory_ip = 0xfffffffe,
		.replaces = {{2, 0, 0, 0, 0, 9}},
		.ip = 0x0a140005,
		.state = 3,
		.flags = 255,
		.lease_time = UINT32_MAX,
		.relay = 0x0a140001,
		.last_seen = 1234567890123456,
		.profile_seen_at = 5,
		.hold_until = INT64_MAX,
		.acked_at = 1234567890000000,
		.acked_server = "north-b",
		.xid = UINT32_MAX,
		.hold_xid = 0x80000001,
		.told_ip = 0x0a140006,
		.failed_ip = 0x0a140007,
		.first_ip = 0x0a140008,
		.reason = 9,
		.moved_at = 1234567890000001,
		.mismatch = UINT64_MAX,
		.stopped_at = 1234567890000002,
		.stopped_ip = 0x0a140009,
		.stopped_server_id = 0x0a14000a,
		.stopped_relay = 0x0a14000b,
		.stopped_xid = 0xfffffffe,
		.place = {.layout = "cisco",
			.vlan = 4095,
			.slot = -1,
			.port = 48,
			.switch_mac = {{0xff, 2, 3, 4, 5, 6}},
			.has_switch_mac = true},
		.has_circuit_id = true,
		.circuit_id_len = 255,
		.has_remote_id = true,
		.remote_id_len = 0,
		.option82_len = 512};

	memset(row.circuit_id, 0xc1, 255);
	memset(row.option82, 0x82, 512);
	return row;
}

static int take_device(void *ctx, const struct device_row *row)
{
	struct device_row **next = ctx;

	*(*next)++ = *row;
	return 0;
}

static void a_device_comes_back_as_it_was_put(void **state)
{
	struct device_row in[2] = {full_device()}, out[3], *next = out;
	struct store *store = open_store();

	(void)state;
	memset(out, 0, sizeof(out));
	in[1].mac.b[5] = 7;
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_put_device(store, &in[0]), 0);
	assert_int_equal(store_put_device(store, &in[1]), 0);
	assert_int_equal(store_put_device(store, &in[0]), 0);
	assert_int_equal(store_commit(store), 0);
	store_close(store);

	store = open_store();
	assert_int_equal(store_each_device(store, take_device, &next), 0);
	assert_int_equal(next - out, 2);
	assert_int_equal(out[0].mac.b[5], 7);
	assert_false(out[0].has_circuit_id);
	assert_false(out[0].has_remote_id);
	assert_memory_equal(&out[1].mac, &in[0].mac, 6);
	assert_string_equal(out[1].serial_number, in[0].serial_number);
	assert_string_equal(out[1].uuid, in[0].uuid);
	assert_string_equal(out[1].name, in[0].name);
	assert_string_equal(out[1].group, in[0].group);
	assert_int_equal(out[1].line, 17);
	assert_int_equal(out[1].inventory_ip, 0xfffffffe);
	assert_memory_equal(&out[1].replaces, &in[0].replaces, 6);
	assert_int_equal(out[1].ip, in[0].ip);
	assert_int_equal(out[1].state, 3);
	assert_int_equal(out[1].flags, 255);
	assert_int_equal(out[1].lease_time, UINT32_MAX);
	assert_int_equal(out[1].relay, in[0].relay);
	assert_true(out[1].last_seen == in[0].last_seen);
	assert_int_equal(out[1].profile_seen_at, 5);
	assert_true(out[1].hold_until == INT64_MAX);
	assert_true(out[1].has_circuit_id && out[1].has_remote_id);
	assert_int_equal(out[1].circuit_id_len, 255);
	assert_memory_equal(out[1].circuit_id, in[0].circuit_id, 255);
	assert_int_equal(out[1].remote_id_len, 0);
	assert_int_equal(out[1].option82_len, 512);
	assert_memory_equal(out[1].option82, in[0].option82, 512);
	/* And whatever else a row has, to the last byte. */
	assert_memory_equal(&out[1], &in[0], sizeof(in[0]));

	assert_int_equal(store_delete_device(store, &in[0].mac), 0);
	next = out;
	assert_int_equal(store_each_device(store, take_device, &next), 0);
	assert_int_equal(next - out, 1);
	store_close(store);
}

static int take_reservation(void *ctx, const struct reservation_row *row)
{
	struct reservation_row **next = ctx;

	*(*next)++ = *row;
	return 0;
}

static void a_reservation_is_kept_for_each_server(void **state)
{
	struct reservation_row in = {.mac = {{2, 0, 0, 0, 0, 1}},
		.server = "north",
		.ip = 5,
		.old_ip = 6,
		.old_mac = {{2, 0, 0, 0, 0, 2}},
		.mode = 1,
		.state = 2,
		.purpose = 3,
		.flags = 4,
		.tries = 7,
		.since = 8,
		.next_at = 9,
		.error = "unreachable",
		.xid = UINT32_MAX,
		.relay = 0x0a140001,
		.maybe_ip = 10,
		.sent_ip = 11};
	struct reservation_row out[3], *next = out;
	struct store *store = open_store();

	(void)state;
	assert_int_equal(store_put_reservation(store, &in), 0);
	strcpy(in.server, "south");
	assert_int_equal(store_put_reservation(store, &in), 0);
	assert_int_equal(store_put_reservation(store, &in), 0);
	assert_int_equal(store_each_reservation(store, take_reservation, &next), 0);
	assert_int_equal(next - out, 2);
	assert_string_equal(out[0].server, "north");
	assert_int_equal(out[1].ip, 5);
	assert_int_equal(out[1].old_ip, 6);
	assert_int_equal(out[1].old_mac.b[5], 2);
	assert_int_equal(out[1].mode, 1);
	assert_int_equal(out[1].state, 2);
	assert_int_equal(out[1].purpose, 3);
	assert_int_equal(out[1].flags, 4);
	assert_int_equal(out[1].tries, 7);
	assert_int_equal(out[1].since, 8);
	assert_int_equal(out[1].next_at, 9);
	assert_string_equal(out[1].error, "unreachable");
	assert_int_equal(out[1].xid, UINT32_MAX);
	assert_int_equal(out[1].relay, 0x0a140001);
	assert_int_equal(out[1].maybe_ip, 10);
	assert_int_equal(out[1].sent_ip, 11);
	assert_int_equal(store_delete_reservation(store, &in.mac, "north"), 0);
	next = out;
	assert_int_equal(store_each_reservation(store, take_reservation, &next), 0);
	assert_int_equal(next - out, 1);
	store_close(store);
}

static int put_event(struct store *store, int number, int64_t time, int mac)
{
	struct event_row row = {.time = time, .code = number % 2 ? "odd" : "even", .json = "{}x"};

	row.json_len = 2;
	memcpy(row.id, &number, sizeof(number));
	row.mac.b[5] = (uint8_t)mac;
	return store_put_event(store, &row);
}

static int list_event(void *ctx, const struct event_row *row)
{
	char *out = ctx;
	int number;

	memcpy(&number, row->id, sizeof(number));
	assert_int_equal(row->json_len, 2);
	assert_memory_equal(row->json, "{}", 2);
	sprintf(out + strlen(out), "%d ", number);
	return number == 99;
}

static const char *list(struct store *store, int64_t since, int mac, const char *code, size_t limit)
{
	static char out[256];
	struct mac m = {{0, 0, 0, 0, 0, (uint8_t)mac}};

	*out = 0;
	assert_int_equal(
		store_each_event(store, since, mac ? &m : NULL, code, limit, list_event, out), 0);
	return out;
}

static void an_event_is_kept_once_and_found_again(void **state)
{
	struct store *store = open_store();

	(void)state;
	assert_int_equal(put_event(store, 1, 100, 1), 1);
	assert_int_equal(put_event(store, 2, 110, 0), 1);
	assert_int_equal(put_event(store, 3, 105, 1), 1);
	assert_int_equal(put_event(store, 4, 120, 2), 1);
	assert_int_equal(put_event(store, 1, 130, 1), 0);
	assert_string_equal(list(store, 0, 0, NULL, 0), "1 2 3 4 ");
	assert_string_equal(list(store, 105, 0, NULL, 0), "2 3 4 ");
	assert_string_equal(list(store, 121, 0, NULL, 0), "");
	assert_string_equal(list(store, 0, 1, NULL, 0), "1 3 ");
	assert_string_equal(list(store, 101, 1, NULL, 0), "3 ");
	assert_string_equal(list(store, 0, 0, "even", 0), "2 4 ");
	assert_string_equal(list(store, 0, 0, NULL, 2), "3 4 ");
	assert_string_equal(list(store, 0, 1, NULL, 1), "3 ");
	assert_string_equal(list(store, 0, 0, "odd", 1), "3 ");
	store_close(store);
}

/* All that a walk gives, a bar behind each slice. */
static const char *walk(struct store *store, struct event_walk w, size_t limit)
{
	static char out[256];
	int r = 1;

	*out = 0;
	for (int slices = 0; r == 1 && slices < 20; slices++) {
		r = store_walk_events(store, &w, limit, list_event, out);
		assert_true(r == 0 || r == 1);
		strcat(out, "|");
	}
	return out;
}

static void a_walk_goes_on_where_it_was_left(void **state)
{
	struct mac mac = {{0, 0, 0, 0, 0, 1}};
	struct store *store = open_store();
	uint8_t third[EVENT_ID_BYTES] = {3}, none[EVENT_ID_BYTES] = {77};
	struct event_walk w = {.since = 105};

	(void)state;
	for (int i = 1; i <= 5; i++)
		assert_int_equal(put_event(store, i, 100 + 3 * i, i % 2), 1);
	assert_int_equal(put_event(store, 6, 104, 1), 1); /* told late */
	assert_string_equal(walk(store, (struct event_walk){0}, 4), "1 2 3 4 |5 6 |");
	assert_string_equal(walk(store, (struct event_walk){0}, 3), "1 2 3 |4 5 6 ||");
	assert_string_equal(walk(store, (struct event_walk){.mac = &mac}, 3), "1 3 5 |6 |");
	assert_string_equal(walk(store, (struct event_walk){.code = "even"}, 2), "2 |4 |6 ||");
	assert_int_equal(store_walk_begin(store, &w), 0);
	assert_string_equal(walk(store, w, 10), "2 3 4 5 |");
	w.since = 999;
	assert_int_equal(store_walk_begin(store, &w), 0);
	assert_string_equal(walk(store, w, 10), "|");
	w.since = 0;
	assert_int_equal(store_walk_behind(store, third, &w), 0);
	assert_string_equal(walk(store, w, 10), "4 5 6 |");
	assert_int_equal(store_walk_behind(store, none, &w), ERR_NOT_FOUND);
	assert_int_equal(put_event(store, 99, 200, 0), 1); /* where list_event() ends a walk */
	assert_int_equal(store_walk_events(store, &w, 10, list_event, (char[64]){0}), 1);
	assert_int_equal(store_walk_events(store, &w, 10, list_event, (char[64]){0}), 0);
	store_close(store);
}

static void old_events_go_and_the_file_shrinks(void **state)
{
	struct event_row row = {.code = "x"};
	struct store *store = open_store();
	char json[2000];
	struct stat before, after;

	(void)state;
	memset(json, 'j', sizeof(json));
	row.json = json;
	row.json_len = sizeof(json);
	assert_int_equal(store_begin(store), 0);
	for (int i = 0; i < 1000; i++) {
		memcpy(row.id, &i, sizeof(i));
		row.time = i;
		assert_int_equal(store_put_event(store, &row), 1);
	}
	assert_int_equal(store_commit(store), 0);
	store_close(store);
	assert_int_equal(stat(path, &before), 0);
	store = open_store();
	assert_int_equal(store_expire_events(store, 990, 1000, 600), 600);
	assert_int_equal(store_expire_events(store, 990, 1000, 600), 390);
	assert_int_equal(store_expire_events(store, 990, 1000, 600), 0);
	store_close(store);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size < before.st_size / 4);
}

static void the_oldest_events_beyond_the_limit_go(void **state)
{
	struct event_row row = {.code = "x", .json = "{}", .json_len = 2, .time = 5000};
	struct store *store = open_store();

	(void)state;
	for (int i = 0; i < 30; i++) {
		memcpy(row.id, &i, sizeof(i));
		assert_int_equal(store_put_event(store, &row), 1);
	}
	assert_int_equal(store_expire_events(store, 0, 30, 100), 0);
	assert_int_equal(store_expire_events(store, 0, 10, 15), 15);
	assert_int_equal(store_expire_events(store, 0, 10, 15), 5);
	assert_int_equal(store_expire_events(store, 0, 10, 15), 0);
	memset(row.id, 0, sizeof(row.id));
	assert_int_equal(store_put_event(store, &row), 1);
	row.id[0] = 29;
	assert_int_equal(store_put_event(store, &row), 0);
	store_close(store);
}

static int take_outbox(void *ctx, const struct outbox_row *row)
{
	sprintf((char *)ctx + strlen(ctx), "%lld %s %.*s %u %lld;", (long long)row->seq,
		row->webhook, (int)row->body_len, row->body, row->tries, (long long)row->next_at);
	return 0;
}

static void the_outbox_keeps_its_order(void **state)
{
	struct outbox_row row = {.webhook = "vms", .body = "first", .body_len = 5};
	struct store *store = open_store();
	char out[256] = "";
	int64_t seq;

	(void)state;
	assert_int_equal(store_put_outbox(store, &row, &seq), 0);
	assert_int_equal(seq, 1);
	row.body = "second";
	row.body_len = 6;
	assert_int_equal(store_put_outbox(store, &row, &seq), 0);
	row.seq = 1;
	row.tries = 3;
	row.next_at = 44;
	assert_int_equal(store_put_outbox(store, &row, &seq), 0);
	assert_int_equal(seq, 1);
	assert_int_equal(store_each_outbox(store, take_outbox, out), 0);
	assert_string_equal(out, "1 vms first 3 44;2 vms second 0 0;");
	assert_int_equal(store_delete_outbox(store, 2), 0);
	row.seq = 2;
	assert_int_equal(store_put_outbox(store, &row, &seq), ERR_NOT_FOUND);
	row.seq = 0;
	assert_int_equal(store_put_outbox(store, &row, &seq), 0);
	assert_int_equal(seq, 3); /* a number is never used again */
	store_close(store);
}

static void facts_are_small_values_by_name(void **state)
{
	struct store *store = open_store();
	char value[4];

	(void)state;
	assert_int_equal(store_get_fact(store, "a", value, sizeof(value)), ERR_NOT_FOUND);
	assert_int_equal(store_put_fact(store, "a", "123", 3), 0);
	assert_int_equal(store_put_fact(store, "a", "1234", 4), 0);
	assert_int_equal(store_get_fact(store, "a", value, sizeof(value)), 4);
	assert_memory_equal(value, "1234", 4);
	assert_int_equal(store_get_fact(store, "a", value, 3), ERR_FULL);
	assert_int_equal(store_put_fact(store, "a", NULL, 0), 0);
	assert_int_equal(store_get_fact(store, "a", value, sizeof(value)), 0);
	store_close(store);
}

static void what_is_not_committed_is_not_there(void **state)
{
	struct store *store = open_store();

	(void)state;
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(put_event(store, 1, 1, 0), 1);
	store_rollback(store);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(put_event(store, 2, 1, 0), 1);
	store_close(store);
	store = open_store();
	assert_string_equal(list(store, 0, 0, NULL, 0), "");
	store_close(store);
}

static void a_walk_ends_where_its_function_says(void **state)
{
	struct store *store = open_store();
	char out[256] = "";

	(void)state;
	assert_int_equal(put_event(store, 99, 1, 0), 1);
	assert_int_equal(put_event(store, 100, 1, 0), 1);
	assert_int_equal(store_each_event(store, 0, NULL, NULL, 0, list_event, out), 1);
	assert_string_equal(out, "99 ");
	store_close(store);
}

static void two_engines_cannot_share_a_store(void **state)
{
	struct store *store = open_store(), *other;

	(void)state;
	assert_int_equal(store_open(path, why, sizeof(why), &other), -EAGAIN);
	assert_string_equal(why, "another tap82 uses it");
	store_close(store);
	store_close(open_store());
}

static void the_store_is_not_readable_by_all(void **state)
{
	struct stat st;

	(void)state;
	store_close(open_store());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
}

static void a_newer_store_is_refused(void **state)
{
	struct store *store;

	(void)state;
	store_close(open_store());
	sql("PRAGMA user_version = 99");
	assert_int_equal(store_open(path, why, sizeof(why), &store), ERR_VERSION);
	assert_string_equal(why, "made by a newer tap82: version 99, this one knows 3");
}

static void somebody_elses_database_is_refused(void **state)
{
	struct store *store;

	(void)state;
	sql("CREATE TABLE precious (x)");
	assert_int_equal(store_open(path, why, sizeof(why), &store), ERR_CORRUPT);
	assert_string_equal(why, "this is a database, but none of tap82's");
	sql("SELECT * FROM precious");
}

static void what_is_no_database_is_refused(void **state)
{
	FILE *f = fopen(path, "w");
	struct store *store;

	(void)state;
	for (int i = 0; i < 1000; i++)
		fputs("this is text ", f);
	fclose(f);
	assert_int_equal(store_open(path, why, sizeof(why), &store), ERR_CORRUPT);
	assert_string_equal(why, "file is not a database");
	assert_int_equal(store_open("/nonexistent/s.db", why, sizeof(why), &store), -ENOENT);
	assert_string_equal(why, "No such file or directory");
}

static void a_corrupt_store_is_refused(void **state)
{
	struct store *store = open_store();
	FILE *f;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(put_event(store, i, i, 1), 1);
	assert_int_equal(store_commit(store), 0);
	store_close(store);
	f = fopen(path, "r+");
	fseek(f, 10 * 4096, SEEK_SET);
	for (int i = 0; i < 4096; i++)
		fputc(0xa5, f);
	fclose(f);
	assert_int_equal(store_open(path, why, sizeof(why), &store), ERR_CORRUPT);
	assert_string_equal(why, "Page 11: btreeInitPage() returns error code 11: "
				 "'tap82 check --repair' saves what can be read");
}

/* Rows that SQLite can read and we cannot have written. */
static void a_row_that_cannot_be_ours_is_refused(void **state)
{
	struct device_row row = full_device(), out[2], *next = out;
	struct store *store = open_store();

	(void)state;
	assert_int_equal(store_put_device(store, &row), 0);
	store_close(store);
	sql("UPDATE device SET circuit_id = zeroblob(300)");
	store = open_store();
	assert_int_equal(store_each_device(store, take_device, &next), ERR_CORRUPT);
	assert_string_equal(store_error(store), "a row of table device cannot be ours");
	store_close(store);
	sql("UPDATE device SET circuit_id = NULL, ip = -1");
	store = open_store();
	assert_int_equal(store_each_device(store, take_device, &next), ERR_CORRUPT);
	store_close(store);
}

/* A store of each older version is opened, and has our tables then. */
static void every_older_version_is_brought_up(void **state)
{
	(void)state;
	for (int version = 0; version <= store_version; version++) {
		struct device_row row = full_device();
		struct store *store;
		int found = -1;
		uint32_t count = 7;
		sqlite3 *db;

		remove_files();
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		assert_int_equal(store_migrate(db, store_migrations, version), SQLITE_OK);
		sqlite3_close(db);
		store = open_store();
		assert_int_equal(store_read_version(store->db, &found), SQLITE_OK);
		assert_int_equal(found, store_version);
		assert_int_equal(store_count_devices(store, &count), 0);
		assert_int_equal(count, 0);
		assert_int_equal(store_put_device(store, &row), 0);
		assert_int_equal(store_count_devices(store, &count), 0);
		assert_int_equal(count, 1);
		store_close(store);
	}
}

/* What version 1 did not keep is as if it had never been. */
static void a_store_of_version_1_keeps_its_rows(void **state)
{
	struct reservation_row reservations[1], *next_reservation = reservations;
	struct device_row devices[1], *next_device = devices;
	struct store *store;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(store_migrate(db, store_migrations, 1), SQLITE_OK);
	sqlite3_close(db);
	sql("INSERT INTO device VALUES (7, 'SN', 'u', 'n', 'g', 3, 0, 0, 9, 2, 1, 600, 10, 11, 12,"
	    " 13, x'01', NULL, x'010101')");
	sql("INSERT INTO reservation VALUES (7, 'north', 9, 8, 0, 1, 0, 1, 64, 2, 11, 0, 'why')");
	store = open_store();
	assert_int_equal(store_each_device(store, take_device, &next_device), 0);
	assert_int_equal(next_device - devices, 1);
	assert_string_equal(devices[0].serial_number, "SN");
	assert_int_equal(devices[0].hold_until, 13);
	assert_int_equal(devices[0].option82_len, 3);
	assert_int_equal(devices[0].acked_at, 0);
	assert_string_equal(devices[0].acked_server, "");
	assert_int_equal(devices[0].place.vlan, -1);
	assert_false(devices[0].place.has_switch_mac);
	assert_int_equal(store_each_reservation(store, take_reservation, &next_reservation), 0);
	assert_int_equal(next_reservation - reservations, 1);
	assert_string_equal(reservations[0].error, "why");
	assert_int_equal(reservations[0].xid, 0);
	store_close(store);
}

static int list_column(void *ctx, int count, char **values, char **names)
{
	size_t n = strlen(ctx);

	(void)names;
	for (int i = 0; i < count; i++) {
		snprintf((char *)ctx + n, 8192 - n, "%s|", values[i] ? values[i] : "");
		n = strlen(ctx);
	}
	return 0;
}

/* Tables with their columns in order, types and defaults. */
static void list_columns(sqlite3 *db, char out[8192])
{
	*out = 0;
	assert_int_equal(sqlite3_exec(db,
				 "SELECT t.name, c.* FROM sqlite_schema t,"
				 " pragma_table_info(t.name) c WHERE t.type = 'table'"
				 " ORDER BY t.name, c.cid",
				 list_column, out, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "SELECT name, sql FROM sqlite_schema WHERE type = 'index'"
				 " ORDER BY name",
				 list_column, out, NULL),
		SQLITE_OK);
	assert_true(strlen(out) > 1000 && strlen(out) < 8000);
}

static void a_new_store_is_as_one_that_was_brought_up(void **state)
{
	static char new[8192], old[8192];
	struct store *store;
	sqlite3 *db;

	(void)state;
	store = open_store();
	list_columns(store->db, new);
	store_close(store);
	remove_files();
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (int version = 1; version <= store_version; version++)
		assert_int_equal(store_migrate(db, store_migrations, version), SQLITE_OK);
	list_columns(db, old);
	sqlite3_close(db);
	assert_string_equal(new, old);
}

static int list_id(void *ctx, const struct event_row *row)
{
	char *out = ctx;

	sprintf(out + strlen(out), "%d ", row->id[15]);
	return 0;
}

/* Ten of each code, at the times 0 to 9, among others; the ids count them. */
static void put_many_events(sqlite3 *db)
{
	static const char *const codes[] = {"device.unknown", "dhcp.unknown_server",
		"dhcp.unknown_relay", "dhcp.ip_allocation"};
	char text[160];

	for (int i = 0; i < 10; i++)
		for (int k = 0; k < 4; k++) {
			snprintf(text, sizeof(text),
				"INSERT INTO event (id, time, mac, code, json) VALUES"
				" (x'%032x', %d, 0, '%s', '{}')",
				k * 10 + i, i, codes[k]);
			assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
		}
}

/* Whatever version wrote them. */
static void what_is_told_seldom_is_found_among_all_that_was_told(void **state)
{
	(void)state;
	for (int version = 1; version <= store_version; version++) {
		char seen[100] = "", plan[8192] = "";
		struct store *store;
		sqlite3 *db;

		remove_files();
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		assert_int_equal(store_migrate(db, store_migrations, version), SQLITE_OK);
		put_many_events(db);
		sqlite3_close(db);
		store = open_store();
		assert_int_equal(
			store_each_told(store, "dhcp.unknown_relay", 4, 3, list_id, seen), 0);
		assert_string_equal(seen, "27 28 29 ");
		*seen = 0;
		assert_int_equal(
			store_each_told(store, "device.unknown", 7, 100, list_id, seen), 0);
		assert_string_equal(seen, "7 8 9 ");
		assert_int_equal(
			store_each_told(store, "dhcp.unknown_server", 10, 100, list_id, seen), 0);
		assert_string_equal(seen, "7 8 9 "); /* and no more */
		assert_int_equal(
			sqlite3_exec(store->db,
				"EXPLAIN QUERY PLAN SELECT json FROM event WHERE " STORE_TOLD
				" AND code = 'device.unknown' AND time >= 1 ORDER BY time DESC",
				list_column, plan, NULL),
			SQLITE_OK);
		assert_non_null(strstr(plan, "event_told"));
		store_close(store);
	}
}

/* The way there, on migrations that are only for this. */
static void a_migration_that_fails_changes_nothing(void **state)
{
	static const char *const steps[] = {"CREATE TABLE a (x); INSERT INTO a VALUES (1)",
		"ALTER TABLE a ADD COLUMN y; UPDATE a SET y = 2", "DROP TABLE a; nonsense"};
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int version;

	(void)state;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(store_migrate(db, steps, 1), SQLITE_OK);
	assert_int_equal(store_migrate(db, steps, 3), SQLITE_ERROR);
	assert_int_equal(store_read_version(db, &version), SQLITE_OK);
	assert_int_equal(version, 1);
	assert_int_equal(store_migrate(db, steps, 2), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT y FROM a", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(stmt, 0), 2);
	sqlite3_finalize(stmt);
	assert_int_equal(store_migrate(db, steps, 1), -1);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_device_comes_back_as_it_was_put, fresh),
		cmocka_unit_test_setup(a_reservation_is_kept_for_each_server, fresh),
		cmocka_unit_test_setup(an_event_is_kept_once_and_found_again, fresh),
		cmocka_unit_test_setup(a_walk_goes_on_where_it_was_left, fresh),
		cmocka_unit_test_setup(old_events_go_and_the_file_shrinks, fresh),
		cmocka_unit_test_setup(the_oldest_events_beyond_the_limit_go, fresh),
		cmocka_unit_test_setup(the_outbox_keeps_its_order, fresh),
		cmocka_unit_test_setup(facts_are_small_values_by_name, fresh),
		cmocka_unit_test_setup(what_is_not_committed_is_not_there, fresh),
		cmocka_unit_test_setup(a_walk_ends_where_its_function_says, fresh),
		cmocka_unit_test_setup(two_engines_cannot_share_a_store, fresh),
		cmocka_unit_test_setup(the_store_is_not_readable_by_all, fresh),
		cmocka_unit_test_setup(a_newer_store_is_refused, fresh),
		cmocka_unit_test_setup(somebody_elses_database_is_refused, fresh),
		cmocka_unit_test_setup(what_is_no_database_is_refused, fresh),
		cmocka_unit_test_setup(a_corrupt_store_is_refused, fresh),
		cmocka_unit_test_setup(a_row_that_cannot_be_ours_is_refused, fresh),
		cmocka_unit_test_setup(every_older_version_is_brought_up, fresh),
		cmocka_unit_test_setup(a_store_of_version_1_keeps_its_rows, fresh),
		cmocka_unit_test_setup(a_new_store_is_as_one_that_was_brought_up, fresh),
		cmocka_unit_test_setup(what_is_told_seldom_is_found_among_all_that_was_told, fresh),
		cmocka_unit_test_setup(a_migration_that_fails_changes_nothing, fresh),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
