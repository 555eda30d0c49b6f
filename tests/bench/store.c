/* SPDX-License-Identifier: ISC
 *
 * store CSV|FILL|LOAD|COMMIT|FSYNC FOLDER N: one measurement in a process of its own.
 *   csv     reads and checks N rows of FOLDER/devices.csv (made by `rows`): seconds, worst slice
 *   rows    writes that file
 *   fill    puts N devices and their reservations into FOLDER/bench.db, 1000 a transaction
 *   load    opens it and gives all of it to an engine, as a restart does
 *   commit  N transactions of a device and an event each: as many a second
 *   fsync   N appends of 4 KiB with fdatasync each: what the disk can do at best
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tap82/clock.h"
#include "tap82/engine.h"
#include "tap82/inventory.h"
#include "tap82/reservation.h"
#include "tap82/store.h"

#define SLICE  1000
#define SERVER "north"
#define GROUP  "cameras"

static const char *folder;
static unsigned count;
static char why[256];

static void die(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "store: %s\n", text);
	exit(1);
}

static const char *in_folder(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static double seconds_since(int64_t start)
{
	return (double)(clock_mono() - start) / USEC_PER_SEC;
}

static void write_rows(void)
{
	FILE *f = fopen(in_folder("devices.csv"), "w");

	if (!f)
		die(NULL, "cannot write devices.csv");
	fputs("mac,serial_number,name,ip,group\n", f);
	for (unsigned i = 0; i < count; i++)
		fprintf(f, "02:00:%02x:%02x:%02x:%02x,ACCC8E%08u,Camera %u,10.%u.%u.%u,cameras\n",
			i >> 24, i >> 16 & 255, i >> 8 & 255, i & 255, i, i, i >> 16, i >> 8 & 255,
			i & 255);
	fclose(f);
}

static void read_rows(void)
{
	static struct conf_group group = {.name = "cameras"};
	struct conf conf = {.groups = &group, .group_count = 1};
	int64_t start = clock_mono(), worst = 0, slice;
	struct inventory *inventory;
	struct rusage usage;
	size_t rows;
	int r;

	if (inventory_open(in_folder("devices.csv"), &conf, die, NULL, &inventory) < 0)
		exit(1);
	do {
		slice = clock_mono();
		r = inventory_step(inventory, SLICE);
		slice = clock_mono() - slice;
		worst = slice > worst ? slice : worst;
	} while (r == 1);
	inventory_rows(inventory, &rows);
	getrusage(RUSAGE_SELF, &usage);
	printf("rows %zu seconds %.3f worst_slice_ms %.1f peak_mb %ld\n", rows,
		seconds_since(start), (double)worst / USEC_PER_MSEC, usage.ru_maxrss / 1024);
	inventory_free(inventory);
}

static struct store *open_store(void)
{
	struct store *store;

	if (store_open(in_folder("bench.db"), why, sizeof(why), &store) < 0)
		die(NULL, why);
	return store;
}

static struct mac mac_of(unsigned i)
{
	return (struct mac){
		{2, 0, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

/* 48 cameras at a switch. */
static void place(struct device_row *row, unsigned i)
{
	const unsigned at = i / 48;
	const uint8_t raw[] = {1, 6, 0, 4, 0, 120, 0, (uint8_t)(i % 48 + 1), 2, 8, 0, 6, 2, 0x83, 0,
		(uint8_t)(at >> 16), (uint8_t)(at >> 8), (uint8_t)at};

	memcpy(row->option82, raw, sizeof(raw));
	row->option82_len = sizeof(raw);
	row->has_circuit_id = row->has_remote_id = true;
	memcpy(row->circuit_id, raw + 2, row->circuit_id_len = 6);
	memcpy(row->remote_id, raw + 10, row->remote_id_len = 8);
}

static void put_device(struct store *store, unsigned i)
{
	struct device_row row = {.mac = mac_of(i),
		.group = GROUP,
		.flags = 1,
		.acked_server = SERVER,
		.ip = 0x0a000000 | i,
		.state = 2,
		.lease_time = 3600,
		.relay = 0x0a000001,
		.last_seen = 1700000000 * USEC_PER_SEC,
		.profile_seen_at = 1700000000 * USEC_PER_SEC};

	place(&row, i);
	snprintf(row.serial_number, sizeof(row.serial_number), "ACCC8E%08u", i);
	snprintf(row.name, sizeof(row.name), "Camera %u", i);
	if (store_put_device(store, &row) < 0)
		die(NULL, store_error(store));
}

static void put_reservation(struct store *store, unsigned i)
{
	struct reservation_row row = {.mac = mac_of(i),
		.server = SERVER,
		.ip = 0x0a000000 | i,
		.old_ip = 0x0a000000 | i,
		.state = RESERVATION_CONFIRMED,
		.purpose = PURPOSE_ENSURE,
		.since = 1700000000 * USEC_PER_SEC,
		.relay = 0x0a000001};

	if (store_put_reservation(store, &row) < 0)
		die(NULL, store_error(store));
}

static void fill(void)
{
	struct store *store = open_store();
	int64_t start = clock_mono();

	for (unsigned i = 0; i < count; i++) {
		if (i % SLICE == 0)
			store_begin(store);
		put_device(store, i);
		put_reservation(store, i);
		if ((i % SLICE == SLICE - 1 || i + 1 == count) && store_commit(store) < 0)
			die(NULL, store_error(store));
	}
	printf("devices %u seconds %.3f\n", count, seconds_since(start));
	store_close(store);
}

static int restore_device(void *ctx, const struct device_row *row)
{
	return engine_restore_device(ctx, row);
}

static int restore_reservation(void *ctx, const struct reservation_row *row)
{
	return engine_restore_reservation(ctx, row);
}

static struct engine *new_engine(void)
{
	static struct prefix subnet = {.ip = 0x0a000000, .len = 8};
	static struct conf_server server = {.name = SERVER, .address = 0x7f000001};
	static struct conf_group group = {.name = GROUP,
		.subnets = &subnet,
		.subnet_count = 1,
		.server_count = 1,
		.auto_provisioning = true};
	static const struct conf conf = {.auto_provisioning = true,
		.servers = &server,
		.server_count = 1,
		.groups = &group,
		.group_count = 1};
	static const struct engine_ops ops = {0};
	struct engine *engine = engine_new(&conf, &ops, NULL);

	if (!engine)
		die(NULL, "no memory");
	engine_clock(engine, clock_wall(), 0);
	return engine;
}

static void load(void)
{
	int64_t start = clock_mono();
	struct store *store = open_store();
	struct engine *engine = new_engine();
	struct engine_stats stats;
	uint32_t devices;

	if (store_count_devices(store, &devices) == 0)
		engine_restore_expect(engine, devices);
	if (store_each_device(store, restore_device, engine) < 0 ||
		store_each_reservation(store, restore_reservation, engine) < 0)
		die(NULL, store_error(store));
	engine_tick(engine, clock_wall());
	engine_stats(engine, &stats);
	if (stats.devices_provisioned != count)
		die(NULL, "not all were restored");
	printf("devices %u seconds %.3f\n", count, seconds_since(start));
	engine_free(engine);
	store_close(store);
}

static void commit(void)
{
	struct event_row event = {.code = "provision.handoff", .json = "{}", .json_len = 2};
	struct store *store = open_store();
	int64_t start = clock_mono();

	for (unsigned i = 0; i < count; i++) {
		event.time = start + i;
		memcpy(event.id, &event.time, sizeof(event.time));
		store_begin(store);
		put_device(store, i * 7919 % 1000000);
		store_put_event(store, &event);
		if (store_commit(store) < 0)
			die(NULL, store_error(store));
	}
	printf("commits_per_second %.0f\n", count / seconds_since(start));
	store_close(store);
}

static void sync_only(void)
{
	int fd = open(in_folder("fsync"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int64_t start = clock_mono();
	char page[4096] = {0};

	for (unsigned i = 0; i < count; i++)
		if (write(fd, page, sizeof(page)) < 0 || fdatasync(fd) < 0)
			die(NULL, "cannot write");
	printf("syncs_per_second %.0f\n", count / seconds_since(start));
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} measurements[] = {{"rows", write_rows}, {"csv", read_rows}, {"fill", fill},
		{"load", load}, {"commit", commit}, {"fsync", sync_only}};

	if (argc == 4) {
		folder = argv[2];
		count = (unsigned)strtoul(argv[3], NULL, 10);
	}
	for (size_t i = 0; folder && i < sizeof(measurements) / sizeof(measurements[0]); i++) {
		if (strcmp(argv[1], measurements[i].name) != 0)
			continue;
		measurements[i].run();
		return 0;
	}
	fputs("usage: store rows|csv|fill|load|commit|fsync FOLDER N\n", stderr);
	return 2;
}
