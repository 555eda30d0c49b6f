/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../core/store_sql.h"
#include "tap82/err.h"
#include "tap82/store.h"

#define PAGE	4096
#define DEVICES 5000
#define EVENTS	3000

static char folder[] = "/tmp/tap82-repair-XXXXXX", path[64], why[256];

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
	char command[80];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static int fresh(void **state)
{
	char command[80];

	(void)state;
	snprintf(command, sizeof(command), "rm -f %s/*", folder);
	return system(command);
}

static void put_device(struct store *store, unsigned i)
{
	struct device_row row = {.mac = {{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}}};

	snprintf(row.serial_number, sizeof(row.serial_number), "SN-%u", i);
	assert_int_equal(store_put_device(store, &row), 0);
}

static void fill_store(void)
{
	struct reservation_row reservation = {.mac = {{2, 0, 0, 0, 0, 1}}, .server = "north"};
	struct outbox_row outbox = {.webhook = "vms", .body = "{}", .body_len = 2};
	struct event_row event = {.code = "x", .json = "{}", .json_len = 2};
	struct store *store;
	int64_t seq;

	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	assert_int_equal(store_begin(store), 0);
	for (unsigned i = 0; i < DEVICES; i++)
		put_device(store, i);
	for (int i = 0; i < EVENTS; i++) {
		memcpy(event.id, &i, sizeof(i));
		event.time = i;
		assert_int_equal(store_put_event(store, &event), 1);
	}
	assert_int_equal(store_put_reservation(store, &reservation), 0);
	assert_int_equal(store_put_outbox(store, &outbox, &seq), 0);
	assert_int_equal(store_put_fact(store, "inventory", "17", 2), 0);
	assert_int_equal(store_commit(store), 0);
	store_close(store);
}

/* Overwrites one page, the first is 1. */
static void spoil_page(int page)
{
	FILE *f = fopen(path, "r+");

	assert_non_null(f);
	assert_int_equal(fseek(f, (page - 1L) * PAGE, SEEK_SET), 0);
	for (int i = 0; i < PAGE; i++)
		fputc(0xa5, f);
	fclose(f);
}

static int count_device(void *ctx, const struct device_row *row)
{
	unsigned i = (unsigned)row->mac.b[4] << 8 | row->mac.b[5];
	char serial[16];

	snprintf(serial, sizeof(serial), "SN-%u", i);
	assert_string_equal(row->serial_number, serial);
	++*(unsigned *)ctx;
	return 0;
}

static int check_order(void *ctx, const struct event_row *row)
{
	assert_true(row->time > *(int64_t *)ctx);
	*(int64_t *)ctx = row->time;
	return 0;
}

static void a_sound_store_is_found_sound(void **state)
{
	struct store *store;

	(void)state;
	assert_int_equal(store_check(path, why, sizeof(why)), -ENOENT);
	fill_store();
	assert_int_equal(store_check(path, why, sizeof(why)), 0);
	/* Also while it is open, and it stays usable. */
	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	put_device(store, 1);
	assert_int_equal(store_check(path, why, sizeof(why)), 0);
	assert_int_equal(store_put_fact(store, "a", "b", 1), 0);
	store_close(store);
}

static void damage_is_found_and_nothing_is_changed(void **state)
{
	(void)state;
	fill_store();
	spoil_page(20);
	assert_int_equal(store_check(path, why, sizeof(why)), ERR_CORRUPT);
	assert_non_null(strstr(why, "'tap82 check --repair'"));
	assert_int_equal(store_check(path, why, sizeof(why)), ERR_CORRUPT);
}

static void what_can_be_read_is_saved_and_the_old_is_kept(void **state)
{
	struct store_salvage salvage;
	struct store *store;
	unsigned devices = 0;
	int64_t last = -1;
	char value[8], expected[80];

	(void)state;
	for (int page = 3; page < 40; page += 3) {
		fresh(NULL);
		fill_store();
		spoil_page(page);
		assert_int_equal(store_repair(path, why, sizeof(why), &salvage), 0);
		snprintf(expected, sizeof(expected), "%s.damaged-1", path);
		assert_string_equal(salvage.kept, expected);
		assert_int_equal(access(salvage.kept, F_OK), 0);
		assert_int_equal(store_check(path, why, sizeof(why)), 0);
		assert_int_equal(store_check(salvage.kept, why, sizeof(why)), ERR_CORRUPT);
	}
	/* One page of devices is lost at most, and none of the rest. */
	fresh(NULL);
	fill_store();
	spoil_page(40);
	assert_int_equal(store_repair(path, why, sizeof(why), &salvage), 0);
	assert_false(salvage.complete);
	assert_true(salvage.devices > DEVICES * 95 / 100 && salvage.devices <= DEVICES);
	assert_int_equal(salvage.reservations, 1);
	assert_int_equal(salvage.outbox, 1);
	assert_int_equal(salvage.facts, 1);
	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	assert_int_equal(store_each_device(store, count_device, &devices), 0);
	assert_int_equal(devices, salvage.devices);
	assert_int_equal(store_each_event(store, 0, NULL, NULL, 0, check_order, &last), 0);
	assert_int_equal(store_get_fact(store, "inventory", value, sizeof(value)), 2);
	store_close(store);
}

static void a_sound_store_is_saved_whole(void **state)
{
	struct store_salvage salvage;

	(void)state;
	fill_store();
	assert_int_equal(store_repair(path, why, sizeof(why), &salvage), 0);
	assert_true(salvage.complete);
	assert_int_equal(salvage.devices, DEVICES);
	assert_int_equal(salvage.events, EVENTS);
	/* Again: the name of the kept one is another. */
	assert_int_equal(store_repair(path, why, sizeof(why), &salvage), 0);
	assert_non_null(strstr(salvage.kept, ".damaged-2"));
}

/* A damaged store cannot be migrated: its rows are saved as they are. */
static void a_store_of_version_1_is_saved_too(void **state)
{
	struct store_salvage salvage;
	struct store *store;
	unsigned devices = 0;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(store_migrate(db, store_migrations, 1), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "INSERT INTO device VALUES (7, 'SN-7', '', '', '', 0, 0, 0, 9, 2,"
				 " 1, 600, 10, 11, 12, 13, NULL, NULL, NULL);"
				 "INSERT INTO reservation VALUES (7, 'north', 9, 8, 0, 1, 0, 1,"
				 " 64, 2, 11, 0, '')",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_repair(path, why, sizeof(why), &salvage), 0);
	assert_int_equal(salvage.devices, 1);
	assert_int_equal(salvage.reservations, 1);
	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	assert_int_equal(store_each_device(store, count_device, &devices), 0);
	assert_int_equal(devices, 1);
	store_close(store);
}

static void what_cannot_be_repaired_stays_as_it_was(void **state)
{
	struct store_salvage salvage;
	struct store *store;

	(void)state;
	assert_int_equal(store_repair(path, why, sizeof(why), &salvage), -ENOENT);
	fill_store();
	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	assert_int_equal(store_repair(path, why, sizeof(why), &salvage), -EAGAIN);
	assert_string_equal(why, "another tap82 uses it");
	store_close(store);
	spoil_page(1);
	assert_int_equal(store_repair(path, why, sizeof(why), &salvage), ERR_CORRUPT);
	assert_string_equal(why, "file is not a database");
	assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_sound_store_is_found_sound, fresh),
		cmocka_unit_test_setup(damage_is_found_and_nothing_is_changed, fresh),
		cmocka_unit_test_setup(what_can_be_read_is_saved_and_the_old_is_kept, fresh),
		cmocka_unit_test_setup(a_sound_store_is_saved_whole, fresh),
		cmocka_unit_test_setup(a_store_of_version_1_is_saved_too, fresh),
		cmocka_unit_test_setup(what_cannot_be_repaired_stays_as_it_was, fresh),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
