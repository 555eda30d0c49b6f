/* SPDX-License-Identifier: ISC
 *
 * acks DEVICES ACKS: what the engine alone takes for an ACK, and a device for memory. Every device
 * is provisioned once, then ACKS restarts come, the devices in an order that no cache foresees.
 * Prints: nanoseconds an ACK, bytes a device (tables included).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tap82/clock.h"
#include "tap82/engine.h"

#define START	    (INT64_C(1767225600) * USEC_PER_SEC)
#define FIRST_IP    UINT32_C(0x0a200001)
#define ORDERS_ROOM 64

struct bench {
	struct engine *engine;
	struct writer writer;
	struct order orders[ORDERS_ROOM];
	unsigned order_count;
	int64_t now;
};

static void on_event(void *ctx, const struct event *e)
{
	struct bench *b = ctx;

	writer_clear(&b->writer);
	event_write(&b->writer, e);
}

static void on_order(void *ctx, const struct order *order)
{
	struct bench *b = ctx;

	if (b->order_count < ORDERS_ROOM)
		b->orders[b->order_count++] = *order;
}

static struct mac mac_of(uint32_t i)
{
	return (struct mac){
		{2, 0x82, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

static void make_ack(struct observation *o, uint32_t i, uint32_t xid, int64_t now)
{
	static const uint8_t raw[] = {1, 6, 0, 4, 0, 120, 0, 0, 2, 8, 0, 6, 2, 0x83, 0, 0, 0, 0};

	o->time = now;
	o->mac = mac_of(i);
	o->dhcp.xid = xid;
	o->dhcp.yiaddr = FIRST_IP + i;
	memcpy(o->dhcp.option82.raw, raw, sizeof(raw));
	o->dhcp.option82.raw[7] = (uint8_t)(i % 48 + 1);
	o->dhcp.option82.raw[16] = (uint8_t)(i / 48 >> 8);
	o->dhcp.option82.raw[17] = (uint8_t)(i / 48);
	o->dhcp.option82.raw[15] = (uint8_t)(i / 48 >> 16);
	o->dhcp.option82.len = sizeof(raw);
	o->dhcp.option82.circuit_id = (struct span){.at = 2, .len = 6, .present = true};
	o->dhcp.option82.remote_id = (struct span){.at = 10, .len = 8, .present = true};
}

/* Processor time, microseconds: what else the machine does counts less. */
static int64_t worked(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

static void see(struct bench *b, const struct observation *o)
{
	engine_observe(b->engine, o);
	for (unsigned i = 0; i < b->order_count; i++) {
		struct answer a = {.ticket = b->orders[i].ticket, .kind = ANSWER_DONE};

		engine_answer(b->engine, &a, o->time);
	}
	b->order_count = 0;
}

static void add_devices(struct bench *b, uint32_t count)
{
	char serial[16];
	struct inventory_row row = {
		.serial_number = serial, .uuid = "", .name = "", .group = "", .line = 2};
	const char *field;

	for (uint32_t i = 0; i < count; i++) {
		snprintf(serial, sizeof(serial), "SN%08u", i);
		row.mac = mac_of(i);
		if (engine_put_device(b->engine, &row, NULL, &field, START) != 1)
			exit(1);
	}
}

/* What the process really has in memory. */
static size_t resident(void)
{
	unsigned long pages = 0, ignored;
	FILE *in = fopen("/proc/self/statm", "r");

	if (!in || fscanf(in, "%lu %lu", &ignored, &pages) != 2)
		pages = 0;
	if (in)
		fclose(in);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv)
{
	uint32_t devices = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	uint32_t acks = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0, xid = 0, at = 0;
	struct prefix subnet = {.ip = 0x0a200000, .len = 12};
	struct conf_server server = {.name = "n", .address = 0x0a1e0002, .server_id = 0x0a1e0002};
	struct conf_group group = {.name = "g",
		.subnets = &subnet,
		.subnet_count = 1,
		.server_count = 1,
		.auto_provisioning = true};
	struct conf conf = {.auto_provisioning = true,
		.stream_hold = 300 * USEC_PER_SEC,
		.reservation_timeout = 300 * USEC_PER_SEC,
		.servers = &server,
		.server_count = 1,
		.groups = &group,
		.group_count = 1};
	const struct engine_ops ops = {.event = on_event, .order = on_order};
	struct observation o = {.version = OBSERVATION_VERSION, .kind = OBSERVATION_DHCP};
	struct bench b = {.now = START};
	struct observation ring[ENGINE_AHEAD];
	size_t before = resident();
	int64_t begin;

	if (devices == 0 || acks == 0) {
		fputs("usage: acks DEVICES ACKS\n", stderr);
		return 2;
	}
	b.engine = engine_new(&conf, &ops, &b);
	if (!b.engine || writer_init(&b.writer, -1, WRITER_JSON) < 0)
		return 1;
	o.dhcp.type = DHCP_ACK;
	o.dhcp.is_reply = o.dhcp.has_mac = true;
	o.dhcp.server_id = 0x0a1e0002;
	o.dhcp.giaddr = 0x0a1f0001;
	o.dhcp.lease_time = 3600;
	add_devices(&b, devices);
	for (uint32_t i = 0; i < devices; i++) {
		make_ack(&o, i, ++xid, b.now += 1000);
		see(&b, &o);
	}
	for (int i = 0; i < ENGINE_AHEAD; i++)
		ring[i] = o;
	b.now += 600 * USEC_PER_SEC;
	engine_tick(b.engine, b.now);
	printf("%.0f bytes a device\n", (double)(resident() - before) / devices);
	begin = worked();
	for (uint32_t i = 0; i < acks + ENGINE_AHEAD - 1; i++) {
		if (i < acks) {
			at = (uint32_t)(((uint64_t)at + 611953) % devices);
			make_ack(&ring[i % ENGINE_AHEAD], at, ++xid, b.now += 1000);
			engine_foresee(b.engine, &ring[i % ENGINE_AHEAD]);
		}
		if (i >= ENGINE_AHEAD - 1)
			see(&b, &ring[(i + 1) % ENGINE_AHEAD]);
	}
	printf("%.0f ns an ACK\n", (double)(worked() - begin) * 1000 / acks);
	engine_free(b.engine);
	writer_done(&b.writer);
	return 0;
}
