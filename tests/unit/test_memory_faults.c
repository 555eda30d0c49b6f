/* SPDX-License-Identifier: ISC
 *
 * The Nth allocation fails, for every N: configuration, inventory, store, engine and the sniffer's
 * parts refuse in order, with nothing lost and nothing leaked, and work when there is memory again.
 * Linked with --wrap for the allocators; SQLite's own allocations go through the same count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sqlite3.h>
#include <cmocka.h>

#include "tap82/capture.h"
#include "tap82/capture_file.h"
#include "tap82/conf.h"
#include "tap82/csv.h"
#include "tap82/eventlog.h"
#include "tap82/inventory.h"
#include "tap82/message.h"
#include "tap82/reassembly.h"
#include "tap82/store.h"
#include "unit/memory_faults.h"
#include "world.h"
#include "tap82/hash.h"
#include <uthash.h>

static sqlite3_mem_methods real_methods;

static void *sqlite_malloc(int size)
{
	return runs_out() ? NULL : real_methods.xMalloc(size);
}

static void *sqlite_realloc(void *p, int size)
{
	return runs_out() ? NULL : real_methods.xRealloc(p, size);
}

static char folder[] = "/dev/shm/tap82-memory-XXXXXX", path[64], why[256];

static int install(void **state)
{
	sqlite3_mem_methods counted;

	(void)state;
	if (!mkdtemp(folder) || sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_methods))
		return -1;
	counted = real_methods;
	counted.xMalloc = sqlite_malloc;
	counted.xRealloc = sqlite_realloc;
	snprintf(path, sizeof(path), "%s/f", folder);
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &counted);
}

static int remove_folder(void **state)
{
	char command[80];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* --- Scenarios ----------------------------------------------------------------------------------
 */

static unsigned told;

static void tell(void *ctx, const char *text)
{
	(void)ctx;
	told += *text != 0;
}

static void put_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int load_conf(void)
{
	struct conf *conf;
	int r;

	told = 0;
	r = conf_load(path, tell, NULL, &conf);
	assert_int_equal(r<0, told> 0);
	if (r == 0)
		conf_free(conf);
	return r;
}

static void a_configuration_is_refused_or_whole(void **state)
{
	(void)state;
	put_file("[tap82]\nlisten = /a, /b, /c\nmetrics-listen = 127.0.0.1:9\n"
		 "[capture a]\ninterface = lo\nvlan = 1, 2\n[capture b]\nfile = x\n"
		 "[server s]\naddress = 10.0.0.1\nkey-name = k\nkey-file = /k\n"
		 "[server t]\naddress = 10.0.0.2\n"
		 "[group g]\nsubnets = 10.0.0.0/8, 11.0.0.0/8\nrelays = 1.1.1.1, 2.2.2.2\n"
		 "servers = s, t\n[switches]\n10.0.0.1 = cisco\n10.0.0.2 = moxa\n"
		 "[layout l]\ncircuit-id = port:8\nremote-id = mac:48\n"
		 "[webhook w]\nurl = http://x/\nevents = provision.handoff, camera.moved\n");
	assert_true(sweep(load_conf) > 60);
}

static int load_inventory(void)
{
	static struct conf_group groups[] = {{.name = "north"}};
	struct conf conf = {.groups = groups, .group_count = 1};
	struct inventory *inventory;
	size_t count;
	int r;

	told = 0;
	r = inventory_open(path, &conf, tell, NULL, &inventory);
	if (r < 0)
		return r;
	while ((r = inventory_step(inventory, 100)) == 1)
		continue;
	inventory_rows(inventory, &count);
	assert_int_equal(r<0, told> 0);
	assert_true(r < 0 || count == 3000);
	inventory_free(inventory);
	return r;
}

static void an_inventory_is_refused_or_whole(void **state)
{
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	fputs("mac,serial_number,group,name,circuit_id\n", f);
	for (int i = 0; i < 3000; i++)
		fprintf(f, "0200%08x,S%d,north,a name of some length to fill blocks %0200d,%d\n", i,
			i, i, i);
	fclose(f);
	assert_true(sweep(load_inventory) >= 10);
}

static int count_device(void *ctx, const struct device_row *row)
{
	*(unsigned *)ctx += row->ip;
	return 0;
}

static int write_store(struct store *store)
{
	struct event_row event = {.id = {1}, .code = "x", .json = "{}", .json_len = 2};
	struct device_row device = {.mac = {{2}}, .ip = 1};
	int r = store_begin(store);

	if (r < 0)
		return r;
	store_put_device(store, &device);
	store_put_event(store, &event);
	store_put_fact(store, "a", "b", 1);
	return store_commit(store);
}

static int use_store(void)
{
	struct store *store;
	unsigned devices = 0;
	int r = store_open(path, why, sizeof(why), &store), again;

	if (r < 0)
		return r;
	r = write_store(store);
	/* Only one allocation fails: then there is memory again. */
	if (r == -ENOMEM) {
		again = write_store(store);
		assert_int_equal(again, 0);
	}
	again = store_each_device(store, count_device, &devices);
	assert_true(again == -ENOMEM || devices == 1);
	if (again == -ENOMEM) {
		devices = 0;
		assert_int_equal(store_each_device(store, count_device, &devices), 0);
		assert_int_equal(devices, 1);
	}
	again = store_expire_events(store, 1, 10, 10);
	store_close(store);
	return r < 0 ? r : again < 0 ? again : 0;
}

static int fresh_store(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-lock", "-journal"};
	char name[80];
	bool on = memory.on;

	memory.on = false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	memory.on = on;
	return use_store();
}

static void a_store_goes_on_when_there_is_memory_again(void **state)
{
	(void)state;
	assert_true(sweep(fresh_store) > 100);
	/* And once more with what is there. */
	assert_true(sweep(use_store) > 50);
}

/* --- The event log: what the store has and the log has not is written, once ------------------- */

#define LOGGED 40

static char log_path[80];

static unsigned lines_of_log(void)
{
	FILE *f = fopen(log_path, "r");
	unsigned n = 0;
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* Every other line is there. */
static void put_half_a_log(void)
{
	FILE *f = fopen(log_path, "w");

	assert_non_null(f);
	for (int i = 1; i < LOGGED; i += 2)
		fprintf(f, "{\"id\":\"07%02x%028d\"}\n", i, 0);
	fclose(f);
}

static int catch_up(void)
{
	struct eventlog *log;
	struct store *store;
	int r;

	memory.on = false;
	put_half_a_log();
	memory.on = true;
	r = store_open(path, why, sizeof(why), &store);
	if (r < 0)
		return r;
	r = eventlog_open(log_path, &log);
	if (r == 0) {
		r = eventlog_catch_up(log, store);
		if (r < 0)
			assert_true(eventlog_catch_up(log, store) >= 0);
		eventlog_close(log);
		memory.on = false;
		assert_int_equal(lines_of_log(), LOGGED);
		memory.on = true;
	}
	store_close(store);
	return r < 0 ? r : 0;
}

static void an_event_is_logged_once_without_memory(void **state)
{
	struct event_row event = {.code = "x"};
	struct store *store;
	char json[64];

	(void)state;
	snprintf(log_path, sizeof(log_path), "%s.jsonl", path);
	fresh_store();
	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	assert_int_equal(store_begin(store), 0);
	for (int i = 0; i < LOGGED; i++) {
		event.id[0] = 7;
		event.id[1] = (uint8_t)i;
		event.json_len =
			(size_t)snprintf(json, sizeof(json), "{\"id\":\"07%02x%028d\"}", i, 0);
		event.json = json;
		store_put_event(store, &event);
	}
	assert_int_equal(store_commit(store), 0);
	store_close(store);
	assert_true(sweep(catch_up) > 20);
}

static int make_decoders(void)
{
	struct message_decoder *m = message_decoder_new();
	struct frame_decoder frames;
	int r = -ENOMEM;

	if (m)
		r = message_decoder_add_layout(m, "mine", "port:8", "mac:48", why, sizeof(why));
	if (r == 0)
		r = message_decoder_add_switch(m, 1, NULL, 0, "mine", 0);
	if (r == 0)
		r = frame_decoder_init(&frames, NULL);
	if (r == 0)
		frame_decoder_done(&frames);
	message_decoder_free(m);
	return r;
}

static void decoders_are_refused_or_whole(void **state)
{
	(void)state;
	assert_true(sweep(make_decoders) > 10);
}

static int write_capture(void)
{
	const struct packet one = {.time = 1,
		.link_type = 1,
		.len = 3,
		.wire_len = 3,
		.bytes = (const uint8_t *)"abc"};
	struct capture_writer *w;
	int r = capture_writer_open(path, &w);

	if (r < 0)
		return r;
	assert_int_equal(capture_writer_add(w, &one), 0);
	return capture_writer_close(w);
}

static int merge_captures(void)
{
	const char *paths[] = {path, path};
	char error[CAPTURE_ERROR_MAX];
	struct capture_merge *m;
	struct packet packet;
	int r = capture_merge_open(paths, 2, error, &m);

	if (r < 0) {
		assert_non_null(strstr(error, "memory"));
		return r;
	}
	assert_int_equal(capture_merge_next(m, &packet), 1);
	assert_int_equal(capture_merge_next(m, &packet), 1);
	assert_int_equal(capture_merge_next(m, &packet), 0);
	capture_merge_close(m);
	return 0;
}

/* Who may not capture is refused for that. */
static int capture_live(void)
{
	char error[CAPTURE_ERROR_MAX] = "";
	struct capture *c;
	int r = capture_open("lo", 0, NULL, error, &c);

	if (r == 0)
		capture_close(c);
	if (r == -ENOMEM)
		assert_string_equal(strstr(error, "no memory"), "no memory");
	return r == -EPERM ? 0 : r;
}

static void captures_are_refused_or_open(void **state)
{
	(void)state;
	assert_true(sweep(write_capture) >= 1);
	assert_true(sweep(merge_captures) >= 4);
	assert_true(sweep(capture_live) >= 1);
}

/* Gives both halves of a datagram; what reassembly_add() says to the second. */
static int give_halves(struct reassembly *r, uint16_t id)
{
	const struct datagram place = {.src = 1, .dst = 2, .time = 1};
	struct fragment f = {.id = id,
		.protocol = 17,
		.claimed = 8,
		.more = true,
		.payload = buf_of("firsthal", 8),
		.place = &place};
	struct buf whole;
	uint8_t damaged;
	int n;

	assert_int_equal(reassembly_add(r, &f, &whole, &damaged), 0);
	f.at = 8;
	f.more = false;
	f.payload = buf_of("and last", 8);
	n = reassembly_add(r, &f, &whole, &damaged);
	assert_true(n == 0 || (n == 1 && memcmp(whole.p, "firsthaland last", 16) == 0));
	return n;
}

/* One of two datagrams is lost, not the other. */
static int join_fragments(void)
{
	struct reassembly *r = reassembly_new();
	int n;

	if (!r)
		return -ENOMEM;
	n = give_halves(r, 1);
	n += give_halves(r, 2);
	reassembly_free(r);
	assert_true(n >= 1);
	return n == 2 ? 0 : -ENOMEM;
}

static void a_fragment_without_memory_is_lost_alone(void **state)
{
	(void)state;
	assert_true(sweep(join_fragments) >= 4);
}

/* --- The engine --------------------------------------------------------------------------------
 */

#define CAMERAS 3

static struct world world;

static void take_order(void *ctx, const struct order *order)
{
	(void)ctx;
	assert_true(world.order_count < sizeof(world.orders) / sizeof(world.orders[0]));
	world.orders[world.order_count++] = *order;
}

static void take_row(void *ctx, const struct device_row *row)
{
	(void)ctx;
	assert_int_equal(row->mac.b[0], 2);
}

static int put_camera(unsigned n)
{
	char serial[16];
	const char *field;
	struct inventory_row row = {
		.mac = world_mac(n), .serial_number = serial, .uuid = "", .name = "", .group = ""};

	snprintf(serial, sizeof(serial), "SN%u", n);
	return engine_put_device(world.engine, &row, NULL, &field, world.now);
}

/* Each camera is in the table and asks; dhcpd does what it is told. */
static int provision_all(void)
{
	int r = 0;

	for (unsigned n = 1; n <= CAMERAS; n++) {
		int put = put_camera(n);

		r = put < 0 ? put : r;
		world_start(&world, n, IP(10, 20, 0, n), "a port");
	}
	world_wait(&world, MINUTE);
	world_all_done(&world);
	return r;
}

enum { WENT_ON = 0, ENDED = 1, LOST_SOMETHING = 2, NO_MORE = 3, REFUSED = 4 };

/* In a process of its own: nothing is to end it. */
static int run_engine(long fail_at)
{
	static const struct engine_ops ops = {.order = take_order, .device = take_row};
	struct engine_stats stats;
	int r;

	memset(&world, 0, sizeof(world));
	world_conf(&world);
	world.now = START;
	memory.count = memory.failed = 0;
	memory.fail_at = fail_at;
	memory.on = true;
	world.engine = engine_new(&world.conf, &ops, NULL);
	r = world.engine ? provision_all() : -ENOMEM;
	memory.on = false;
	if (memory.failed == 0)
		return r == 0 ? NO_MORE : LOST_SOMETHING;
	if (!world.engine)
		return REFUSED;
	/* What was lost for want of memory comes again with the cameras' next ACKs. */
	world_wait(&world, 20 * MINUTE);
	r = provision_all();
	engine_stats(world.engine, &stats);
	return r == 0 && stats.devices_provisioned == CAMERAS && stats.work == 0 ? WENT_ON
										 : LOST_SOMETHING;
}

static int run_apart(long fail_at)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDERR_FILENO);
		_exit(run_engine(fail_at));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("killed by a failure of allocation %ld", fail_at);
	return WEXITSTATUS(status);
}

static void an_engine_goes_on_without_memory(void **state)
{
	long at = 1, went_on = 0;
	int r;

	(void)state;
	for (; (r = run_apart(at)) != NO_MORE; at++) {
		if (r == ENDED)
			fail_msg("ended by a failure of allocation %ld", at);
		if (r == LOST_SOMETHING)
			fail_msg("something was lost by a failure of allocation %ld", at);
		went_on += r == WENT_ON;
	}
	assert_true(at > 20 && went_on > 20);
}

/* --- Tables -----------------------------------------------------------------------------------
 */

#define ENTRIES 5000

struct entry {
	uint32_t key;
	UT_hash_handle hh;
};

/* Entries are of others here: a table that has no memory at all, from the first entry on, takes
 * each, finds each, and grows when there is memory again. */
static void a_table_takes_entries_without_memory(void **state)
{
	static struct entry entries[ENTRIES];
	struct entry *table = NULL, *found;

	(void)state;
	memory.always = memory.on = true;
	for (uint32_t i = 0; i < ENTRIES; i++) {
		entries[i].key = i;
		memory.always = i < ENTRIES - 1000;
		HASH_ADD(hh, table, key, sizeof(uint32_t), &entries[i]);
	}
	assert_true(table->hh.tbl->num_buckets > 32);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		HASH_FIND(hh, table, &i, sizeof(i), found);
		assert_ptr_equal(found, &entries[i]);
	}
	HASH_CLEAR(hh, table);
	memory.always = memory.on = false;
	memory.held = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engine_goes_on_without_memory),
		cmocka_unit_test(a_table_takes_entries_without_memory),
		cmocka_unit_test(a_configuration_is_refused_or_whole),
		cmocka_unit_test(an_inventory_is_refused_or_whole),
		cmocka_unit_test(a_store_goes_on_when_there_is_memory_again),
		cmocka_unit_test(an_event_is_logged_once_without_memory),
		cmocka_unit_test(decoders_are_refused_or_whole),
		cmocka_unit_test(captures_are_refused_or_open),
		cmocka_unit_test(a_fragment_without_memory_is_lost_alone),
	};

	return cmocka_run_group_tests(tests, install, remove_folder);
}
