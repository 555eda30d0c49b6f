/* SPDX-License-Identifier: ISC
 *
 * The disk fails at its Nth write or sync, for every N, once or for a while: what was committed is
 * there, what was not is not, and the store works again when the disk does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sqlite3.h>
#include <cmocka.h>

#include "tap82/store.h"

#define TURNS	  4 /* transactions of the scenario */
#define TRIES_MAX 200 /* of one of them, after the disk works again */

/* --- A file system that fails -------------------------------------------------------------------
 */

static struct {
	long operation; /* writes, truncations and syncs so far */
	long fail_at; /* the first that fails, 0: none */
	long fail_count; /* how many fail from there on */
	int code; /* with what */
	long failed;
} disk;

struct fault_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct fault_file *)file)->real;
}

static int fails(void)
{
	disk.operation++;
	if (disk.fail_at == 0 || disk.operation < disk.fail_at ||
		disk.operation >= disk.fail_at + disk.fail_count)
		return SQLITE_OK;
	disk.failed++;
	return disk.code;
}

static int fault_close(sqlite3_file *f)
{
	return real_of(f)->pMethods->xClose(real_of(f));
}

static int fault_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
	return real_of(f)->pMethods->xRead(real_of(f), out, n, at);
}

/* A write that fails has written half, as a full disk does. */
static int fault_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
	int code = fails();

	if (code == SQLITE_OK)
		return real_of(f)->pMethods->xWrite(real_of(f), bytes, n, at);
	real_of(f)->pMethods->xWrite(real_of(f), bytes, n / 2, at);
	return code;
}

static int fault_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int code = fails();

	return code ? code : real_of(f)->pMethods->xTruncate(real_of(f), size);
}

/* Without waiting for the disk: the process does not die here. */
static int fault_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int fault_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int fault_lock(sqlite3_file *f, int lock)
{
	return real_of(f)->pMethods->xLock(real_of(f), lock);
}

static int fault_unlock(sqlite3_file *f, int lock)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), lock);
}

static int fault_reserved(sqlite3_file *f, int *out)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int fault_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int fault_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int fault_device(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int fault_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int fault_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void fault_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int fault_shm_unmap(sqlite3_file *f, int delete)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), delete);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = fault_close,
	.xRead = fault_read,
	.xWrite = fault_write,
	.xTruncate = fault_truncate,
	.xSync = fault_sync,
	.xFileSize = fault_size,
	.xLock = fault_lock,
	.xUnlock = fault_unlock,
	.xCheckReservedLock = fault_reserved,
	.xFileControl = fault_control,
	.xSectorSize = fault_sector,
	.xDeviceCharacteristics = fault_device,
	.xShmMap = fault_shm_map,
	.xShmLock = fault_shm_lock,
	.xShmBarrier = fault_shm_barrier,
	.xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct fault_file *file = (struct fault_file *)f;
	sqlite3_vfs *real = vfs->pAppData;
	int code;

	file->real = (sqlite3_file *)(file + 1);
	code = real->xOpen(real, name, file->real, flags, out);
	file->base.pMethods = code == SQLITE_OK ? &methods : NULL;
	return code;
}

static int install(void **state)
{
	static sqlite3_vfs vfs;
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	(void)state;
	vfs = *real;
	vfs.zName = "fault";
	vfs.pNext = NULL;
	vfs.pAppData = real;
	vfs.szOsFile = real->szOsFile + (int)sizeof(struct fault_file);
	vfs.xOpen = fault_open;
	return sqlite3_vfs_register(&vfs, 1);
}

/* --- The scenario -------------------------------------------------------------------------------
 */

static char folder[] = "/tmp/tap82-faults-XXXXXX", path[64], why[256];

static int make_folder(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/s.db", folder);
	return install(state);
}

static void empty_folder(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-lock", "-journal"};
	char name[80];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

static int remove_folder(void **state)
{
	(void)state;
	empty_folder();
	return rmdir(folder);
}

static bool is_failure_of_disk(int r)
{
	return r == -EIO || r == -ENOSPC || r == -ENOENT || r == -EROFS;
}

/* One turn: two events, a device, a reservation, a message; the puts may fail, the commit says. */
static int turn(struct store *store, int n)
{
	struct reservation_row reservation = {.mac = {{2, 0, 0, 0, 0, (uint8_t)n}}, .server = "s"};
	struct outbox_row outbox = {.webhook = "w", .body = "{}", .body_len = 2};
	struct event_row event = {.time = n, .code = "x", .json = "{}", .json_len = 2};
	struct device_row device = {.mac = {{2, 0, 0, 0, 0, (uint8_t)n}}, .ip = 7};
	int64_t seq;
	int r = store_begin(store);

	if (r < 0)
		return r;
	for (int i = 0; i < 2; i++) {
		event.id[0] = (uint8_t)(2 * n + i);
		store_put_event(store, &event);
	}
	store_put_device(store, &device);
	store_put_reservation(store, &reservation);
	store_put_outbox(store, &outbox, &seq);
	return store_commit(store);
}

/* Tries until the disk works again. Every failure is one of the disk's, with words. */
static void turn_until_done(struct store *store, int n)
{
	int r = turn(store, n);

	for (int tries = 0; r < 0 && tries < TRIES_MAX; tries++) {
		assert_true(is_failure_of_disk(r));
		assert_true(*store_error(store));
		r = turn(store, n);
	}
	assert_int_equal(r, 0);
}

static struct store *open_until_done(void)
{
	struct store *store = NULL;
	int r = store_open(path, why, sizeof(why), &store);

	for (int tries = 0; r < 0 && tries < TRIES_MAX; tries++) {
		assert_true(is_failure_of_disk(r));
		assert_true(*why);
		r = store_open(path, why, sizeof(why), &store);
	}
	assert_int_equal(r, 0);
	return store;
}

static int count_device(void *ctx, const struct device_row *row)
{
	assert_int_equal(row->ip, 7);
	++*(int *)ctx;
	return 0;
}

static int count_event(void *ctx, const struct event_row *row)
{
	assert_int_equal(row->id[0], *(int *)ctx);
	++*(int *)ctx;
	return 0;
}

static int count_outbox(void *ctx, const struct outbox_row *row)
{
	(void)row;
	++*(int *)ctx;
	return 0;
}

static void check_content(void)
{
	struct store *store;
	int devices = 0, events = 0, outbox = 0;

	disk.fail_at = 0;
	assert_int_equal(store_check(path, why, sizeof(why)), 0);
	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	assert_int_equal(store_each_device(store, count_device, &devices), 0);
	assert_int_equal(store_each_event(store, 0, NULL, NULL, 0, count_event, &events), 0);
	assert_int_equal(store_each_outbox(store, count_outbox, &outbox), 0);
	assert_int_equal(devices, TURNS);
	assert_int_equal(events, 2 * TURNS);
	assert_int_equal(outbox, TURNS);
	store_close(store);
}

/* The whole with failures from operation `at` on; how many of them there were. */
static long play(long at, long count, int code)
{
	struct store *store;
	long failed;

	empty_folder();
	memset(&disk, 0, sizeof(disk));
	disk.fail_at = at;
	disk.fail_count = count;
	disk.code = code;
	store = open_until_done();
	for (int n = 0; n < TURNS / 2; n++)
		turn_until_done(store, n);
	/* A restart in the middle: the journal is written back. */
	store_close(store);
	store = open_until_done();
	for (int n = TURNS / 2; n < TURNS; n++)
		turn_until_done(store, n);
	store_close(store);
	failed = disk.failed;
	check_content();
	return failed;
}

static void sweep(long count, int code)
{
	long at = 1;

	while (play(at, count, code) > 0)
		at++;
	/* There was something to sweep. */
	assert_true(at > 30);
}

static void an_io_error_at_any_point_loses_nothing(void **state)
{
	(void)state;
	sweep(1, SQLITE_IOERR_WRITE);
}

static void a_disk_that_fails_for_a_while_loses_nothing(void **state)
{
	(void)state;
	sweep(25, SQLITE_IOERR_WRITE);
}

static void a_full_disk_at_any_point_loses_nothing(void **state)
{
	(void)state;
	sweep(1, SQLITE_FULL);
	sweep(25, SQLITE_FULL);
}

static void a_failure_is_named(void **state)
{
	struct store *store;

	(void)state;
	empty_folder();
	memset(&disk, 0, sizeof(disk));
	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	assert_int_equal(turn(store, 0), 0);
	disk.fail_at = disk.operation + 1;
	disk.fail_count = 1000;
	disk.code = SQLITE_FULL;
	assert_int_equal(turn(store, 1), -ENOSPC);
	assert_string_equal(store_error(store), "database or disk is full");
	/* What was there can be read all the while. */
	int events = 0;
	assert_int_equal(store_each_event(store, 0, NULL, NULL, 0, count_event, &events), 0);
	assert_int_equal(events, 2);
	disk.fail_at = 0;
	assert_int_equal(turn(store, 1), 0);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_io_error_at_any_point_loses_nothing),
		cmocka_unit_test(a_disk_that_fails_for_a_while_loses_nothing),
		cmocka_unit_test(a_full_disk_at_any_point_loses_nothing),
		cmocka_unit_test(a_failure_is_named),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
