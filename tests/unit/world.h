/* SPDX-License-Identifier: ISC
 *
 * A small world for tests of the engine: two servers, groups, cameras, hand-made observations, and
 * a record of what the engine told and ordered. Orders are answered as `answer` says.
 */
#ifndef TAP82_TEST_WORLD_H
#define TAP82_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/clock.h"
#include "tap82/engine.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define START	       (INT64_C(1700000000) * USEC_PER_SEC)
#define MINUTE	       (60 * USEC_PER_SEC)
#define RELAY	       IP(10, 20, 0, 1)
#define NORTH	       IP(10, 0, 0, 2)
#define SOUTH	       IP(10, 0, 0, 3)

struct told {
	struct event event; /* pointers are not to be followed */
	char line[4096]; /* the record */
};

struct world {
	struct conf conf;
	struct conf_server servers[3];
	struct conf_group groups[3];
	struct prefix subnets[3][2];
	uint32_t relays[2];
	struct engine *engine;
	struct told *told;
	size_t told_count;
	struct order orders[256];
	size_t order_count, answered;
	int64_t now;
	uint32_t xid;
	struct writer writer;
	struct device_row rows[128];
	size_t row_count;
	struct reservation_row parts[64];
	size_t part_count;
	size_t gone_count;
};

static inline void world_event(void *ctx, const struct event *e)
{
	struct world *w = ctx;
	struct told *t;
	const char *text;
	size_t len;

	w->told = realloc(w->told, (w->told_count + 1) * sizeof(*w->told));
	t = &w->told[w->told_count++];
	t->event = *e;
	writer_clear(&w->writer);
	event_write(&w->writer, e);
	text = writer_bytes(&w->writer, &len);
	assert_true(len < sizeof(t->line));
	memcpy(t->line, text, len);
	t->line[len] = 0;
}

static inline void world_order(void *ctx, const struct order *o)
{
	struct world *w = ctx;

	assert_true(w->order_count < 256);
	w->orders[w->order_count++] = *o;
}

static inline void world_device(void *ctx, const struct device_row *row)
{
	struct world *w = ctx;

	for (size_t i = 0; i < w->row_count; i++)
		if (mac_equal(&w->rows[i].mac, &row->mac)) {
			w->rows[i] = *row;
			return;
		}
	assert_true(w->row_count < 128);
	w->rows[w->row_count++] = *row;
}

static inline void world_device_gone(void *ctx, const struct mac *mac)
{
	struct world *w = ctx;

	for (size_t i = 0; i < w->row_count; i++)
		if (mac_equal(&w->rows[i].mac, mac))
			w->rows[i] = w->rows[--w->row_count];
}

static inline size_t world_part_at(struct world *w, const struct mac *mac, const char *server)
{
	size_t i = 0;

	while (i < w->part_count &&
		(!mac_equal(&w->parts[i].mac, mac) || strcmp(w->parts[i].server, server) != 0))
		i++;
	return i;
}

static inline void world_reservation(void *ctx, const struct reservation_row *row)
{
	struct world *w = ctx;
	size_t i = world_part_at(w, &row->mac, row->server);

	assert_true(i < 64);
	w->parts[i] = *row;
	if (i == w->part_count)
		w->part_count++;
}

static inline void world_reservation_gone(void *ctx, const struct mac *mac, uint8_t server)
{
	struct world *w = ctx;
	size_t i = world_part_at(w, mac, w->conf.servers[server].name);

	if (i < w->part_count)
		w->parts[i] = w->parts[--w->part_count];
	w->gone_count++;
}

static inline void world_conf(struct world *w)
{
	w->servers[0] = (struct conf_server){.name = "north", .address = NORTH, .server_id = NORTH};
	w->servers[1] = (struct conf_server){.name = "south", .address = SOUTH, .server_id = SOUTH};
	w->subnets[0][0] = (struct prefix){.ip = IP(10, 20, 0, 0), .len = 16};
	w->subnets[1][0] = (struct prefix){.ip = IP(10, 30, 0, 0), .len = 16};
	w->subnets[2][0] = (struct prefix){.ip = IP(10, 20, 99, 0), .len = 24};
	w->relays[0] = RELAY;
	w->groups[0] = (struct conf_group){.name = "cams", .relays = w->relays, .relay_count = 1};
	w->groups[1] = (struct conf_group){.name = "pair", .server_count = 2, .servers = {0, 1}};
	w->groups[2] = (struct conf_group){.name = "nested"};
	for (int i = 0; i < 3; i++) {
		w->groups[i].subnets = w->subnets[i];
		w->groups[i].subnet_count = 1;
		w->groups[i].auto_provisioning = true;
		if (!w->groups[i].server_count)
			w->groups[i].server_count = 1;
	}
	w->conf = (struct conf){
		.auto_provisioning = true,
		.stream_hold = 300 * USEC_PER_SEC,
		.reservation_timeout = 300 * USEC_PER_SEC,
		.on_address_change = CONF_ADDRESS_FOLLOW,
		.replacement = CONF_REPLACEMENT_REPORT,
		.replacement_silence = 10 * MINUTE,
		.servers = w->servers,
		.server_count = 2,
		.groups = w->groups,
		.group_count = 3,
	};
}

static inline const struct engine_ops *world_ops(void)
{
	static const struct engine_ops ops = {
		.event = world_event,
		.order = world_order,
		.device = world_device,
		.device_gone = world_device_gone,
		.reservation = world_reservation,
		.reservation_gone = world_reservation_gone,
	};

	return &ops;
}

static inline void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	world_conf(w);
	w->now = START;
	w->xid = 0x1000;
	assert_int_equal(writer_init(&w->writer, -1, WRITER_JSON), 0);
	w->engine = engine_new(&w->conf, world_ops(), w);
	assert_non_null(w->engine);
}

static inline void world_done(struct world *w)
{
	engine_free(w->engine);
	writer_done(&w->writer);
	free(w->told);
}

static struct store *world_store;
static char world_folder[] = "/tmp/tap82-world-XXXXXX";

static inline void world_remove_store(void)
{
	static const char *const names[] = {"s.db", "s.db-wal", "s.db-shm", "s.db-lock"};
	char path[64];

	store_close(world_store);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", world_folder, names[i]);
		unlink(path);
	}
	rmdir(world_folder);
}

/* One for the whole program: it never commits, so it is empty each time it is used. */
static inline void world_open_store(void)
{
	char path[64], why[256];

	if (world_store)
		return;
	assert_non_null(mkdtemp(world_folder));
	snprintf(path, sizeof(path), "%s/s.db", world_folder);
	assert_int_equal(store_open(path, why, sizeof(why), &world_store), 0);
	atexit(world_remove_store);
}

static inline int world_restore_device(void *ctx, const struct device_row *row)
{
	return engine_restore_device(ctx, row);
}

static inline int world_restore_reservation(void *ctx, const struct reservation_row *row)
{
	return engine_restore_reservation(ctx, row);
}

static inline int world_restore_event(void *ctx, const struct event_row *row)
{
	engine_restore_event(ctx, row);
	return 0;
}

static inline void world_keep_event(const struct told *told)
{
	struct event_row row = {.time = told->event.time,
		.mac = told->event.mac,
		.code = event_code_text(told->event.code),
		.json = told->line,
		.json_len = strlen(told->line)};

	memcpy(row.id, told->event.id, sizeof(row.id));
	assert_true(store_put_event(world_store, &row) >= 0);
}

/* Ends the engine and starts another one from what was stored, as after a crash. The rows go
 * through the store: what it does not keep is lost. */
static inline void world_restart(struct world *w)
{
	engine_free(w->engine);
	w->engine = engine_new(&w->conf, world_ops(), w);
	w->order_count = w->answered = 0;
	world_open_store();
	assert_int_equal(store_begin(world_store), 0);
	for (size_t i = 0; i < w->row_count; i++)
		assert_int_equal(store_put_device(world_store, &w->rows[i]), 0);
	for (size_t i = 0; i < w->part_count; i++)
		assert_int_equal(store_put_reservation(world_store, &w->parts[i]), 0);
	assert_int_equal(store_each_device(world_store, world_restore_device, w->engine), 0);
	assert_int_equal(
		store_each_reservation(world_store, world_restore_reservation, w->engine), 0);
	for (size_t i = 0; i < w->told_count; i++)
		world_keep_event(&w->told[i]);
	for (int i = 0; i < ENGINE_QUIETS; i++)
		assert_int_equal(
			store_each_told(world_store, event_code_text(engine_quiets[i].code),
				w->now - engine_quiets[i].time, engine_quiets[i].most,
				world_restore_event, w->engine),
			0);
	store_rollback(world_store);
	engine_tick(w->engine, w->now);
}

static inline struct mac world_mac(unsigned n)
{
	return (struct mac){{2, 0, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static inline void world_camera(struct world *w, unsigned n)
{
	char serial[16];
	struct inventory_row row = {.mac = world_mac(n), .uuid = "", .name = "", .group = ""};
	const char *field;

	snprintf(serial, sizeof(serial), "SN%u", n);
	row.serial_number = serial;
	assert_int_equal(engine_put_device(w->engine, &row, NULL, &field, w->now), 1);
}

/* Option 82 with these ids as text; NULL is absent. */
static inline void world_option82(struct option82 *o, const char *circuit, const char *remote)
{
	*o = (struct option82){0};
	if (circuit) {
		o->raw[0] = 1;
		o->raw[1] = (uint8_t)strlen(circuit);
		memcpy(o->raw + 2, circuit, o->raw[1]);
		o->circuit_id = (struct span){.at = 2, .len = o->raw[1], .present = true};
		o->len = (uint16_t)(2 + o->raw[1]);
	}
	if (remote) {
		uint8_t *p = o->raw + o->len;

		p[0] = 2;
		p[1] = (uint8_t)strlen(remote);
		memcpy(p + 2, remote, p[1]);
		o->remote_id =
			(struct span){.at = (uint16_t)(o->len + 2), .len = p[1], .present = true};
		o->len = (uint16_t)(o->len + 2 + p[1]);
	}
}

static inline struct observation world_dhcp(struct world *w, uint8_t type, unsigned camera)
{
	struct observation o = {
		.version = OBSERVATION_VERSION,
		.kind = OBSERVATION_DHCP,
		.time = w->now,
		.mac = world_mac(camera),
		.src = NORTH,
	};

	o.dhcp.type = type;
	o.dhcp.has_mac = true;
	o.dhcp.is_reply = type == DHCP_ACK || type == DHCP_OFFER || type == DHCP_NAK;
	o.dhcp.xid = w->xid;
	o.dhcp.port.vlan = o.dhcp.port.slot = o.dhcp.port.port = -1;
	return o;
}

/* A relayed ACK of a camera that starts, at a port; circuit NULL: without option 82. */
static inline struct observation world_ack(
	struct world *w, unsigned camera, uint32_t ip, const char *circuit)
{
	struct observation o = world_dhcp(w, DHCP_ACK, camera);

	o.dhcp.yiaddr = ip;
	o.dhcp.server_id = NORTH;
	o.dhcp.giaddr = RELAY;
	o.dhcp.lease_time = 600;
	o.dst = RELAY;
	if (circuit)
		world_option82(&o.dhcp.option82, circuit, "switch-1");
	return o;
}

static inline void world_see(struct world *w, const struct observation *o)
{
	engine_observe(w->engine, o);
}

/* Answers what was ordered and not answered yet. */
static inline void world_answer(struct world *w, enum answer_kind kind, const char *reason)
{
	size_t end = w->order_count;

	for (; w->answered < end; w->answered++) {
		struct answer a = {
			.ticket = w->orders[w->answered].ticket, .kind = kind, .reason = reason};

		engine_answer(w->engine, &a, w->now);
	}
}

static inline void world_all_done(struct world *w)
{
	while (w->answered < w->order_count)
		world_answer(w, ANSWER_DONE, NULL);
}

/* A camera starts: a new exchange, and dhcpd does what it is told. */
static inline void world_start(struct world *w, unsigned camera, uint32_t ip, const char *circuit)
{
	struct observation o;

	w->xid++;
	o = world_ack(w, camera, ip, circuit);
	world_see(w, &o);
	world_all_done(w);
}

/* A renewal: past the relay, without option 82. */
static inline void world_renew(struct world *w, unsigned camera, uint32_t ip)
{
	struct observation o;

	w->xid++;
	o = world_ack(w, camera, ip, NULL);
	o.dhcp.giaddr = 0;
	o.dhcp.ciaddr = ip;
	o.dst = ip;
	world_see(w, &o);
	world_all_done(w);
}

static inline void world_wait(struct world *w, int64_t usec)
{
	w->now += usec;
	engine_tick(w->engine, w->now);
}

static inline unsigned world_count(const struct world *w, enum event_code code)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->told_count; i++)
		n += w->told[i].event.code == code;
	return n;
}

static inline void world_forget(struct world *w)
{
	w->told_count = 0;
}

/* The last event of a code; there is one. */
static inline const struct told *world_last(const struct world *w, enum event_code code)
{
	for (size_t i = w->told_count; i > 0; i--)
		if (w->told[i - 1].event.code == code)
			return &w->told[i - 1];
	fail_msg("no %s was told", event_code_text(code));
	abort();
}

/* What was told, as words. */
static inline void world_told(const struct world *w, const char *const *codes)
{
	size_t i = 0;

	for (; codes[i]; i++) {
		assert_true(i < w->told_count);
		assert_string_equal(event_code_text(w->told[i].event.code), codes[i]);
	}
	if (i < w->told_count)
		fail_msg("%s was told as well", event_code_text(w->told[i].event.code));
}

#define assert_told(w, ...) world_told((w), (const char *const[]){__VA_ARGS__, NULL})
#define assert_silent(w)    world_told((w), (const char *const[]){NULL})
#define assert_says(w, code, text)                                 \
	do {                                                       \
		const char *line_ = world_last((w), (code))->line; \
		if (!strstr(line_, (text)))                        \
			fail_msg("no %s in %s", (text), line_);    \
	} while (0)

/* The device's record. */
static inline const char *world_record(struct world *w, unsigned camera)
{
	static char text[4096];
	struct mac mac = world_mac(camera);
	const char *bytes;
	size_t len;

	writer_clear(&w->writer);
	assert_int_equal(engine_device_write(w->engine, &mac, &w->writer), 0);
	bytes = writer_bytes(&w->writer, &len);
	assert_true(len < sizeof(text));
	memcpy(text, bytes, len);
	text[len] = 0;
	return text;
}

#define assert_record(w, camera, text)                             \
	do {                                                       \
		const char *record_ = world_record((w), (camera)); \
		if (!strstr(record_, (text)))                      \
			fail_msg("no %s in %s", (text), record_);  \
	} while (0)

#endif
