/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "device_table.h"

#define RELAYS_MAX UINT16_MAX

/* In the pool: line, address, then three texts with their NULs. */
struct text_blob {
	uint32_t line, inventory_ip;
	char text[];
};

void device_table_init(struct device_table *t)
{
	*t = (struct device_table){.free = DEVICE_NONE};
	pool_init(&t->pool);
	hash_init();
}

void device_table_done(struct device_table *t)
{
	device_memos_done(t);
	HASH_CLEAR(by_mac, t->by_mac);
	HASH_CLEAR(by_ip, t->by_ip);
	HASH_CLEAR(by_serial, t->by_serial);
	HASH_CLEAR(by_port, t->by_port);
	for (uint32_t i = 0; i < t->chunk_count; i++)
		free(t->chunks[i]);
	free(t->chunks);
	free(t->relays);
	pool_done(&t->pool);
	*t = (struct device_table){.free = DEVICE_NONE};
}

void device_table_expect(struct device_table *t, uint32_t count)
{
	if (t->expected < count)
		t->expected = count;
}

struct device *device_at(struct device_table *t, uint32_t index)
{
	struct device *d = index < t->used ? device_slot(t, index) : NULL;

	return d && d->by_mac.tbl ? d : NULL;
}

struct device *device_find(struct device_table *t, const struct mac *mac)
{
	struct device *d;

	HASH_FIND(by_mac, t->by_mac, mac, sizeof(*mac), d);
	return d;
}

struct device *device_find_ip(struct device_table *t, uint32_t ip)
{
	struct device *d;

	HASH_FIND(by_ip, t->by_ip, &ip, sizeof(ip), d);
	return d;
}

struct device *device_find_serial(struct device_table *t, const char *serial_number)
{
	struct device *d;

	HASH_FIND(by_serial, t->by_serial, serial_number, strlen(serial_number), d);
	return d;
}

static int add_chunk(struct device_table *t)
{
	struct device *chunk;

	if (t->chunk_count == t->chunk_room) {
		uint32_t room = t->chunk_room ? 2 * t->chunk_room : 16;
		struct device **chunks = realloc(t->chunks, room * sizeof(struct device *));

		if (!chunks)
			return -ENOMEM;
		t->chunks = chunks;
		t->chunk_room = room;
	}
	chunk = hash_memory(CHUNK_SLOTS * sizeof(*chunk));
	if (!chunk)
		return -ENOMEM;
	t->chunks[t->chunk_count++] = chunk;
	return 0;
}

static struct device *take_slot(struct device_table *t)
{
	uint32_t index = t->free;
	struct device *d;

	if (index == DEVICE_NONE) {
		if (t->used == t->chunk_count * CHUNK_SLOTS && add_chunk(t) < 0)
			return NULL;
		index = t->used++;
		d = device_slot(t, index);
	} else {
		d = device_slot(t, index);
		t->free = d->port_next;
	}
	*d = (struct device){.index = index,
		.port_next = DEVICE_NONE,
		.port_prev = DEVICE_NONE,
		.group = DEVICE_NO_GROUP,
		.acked_group = DEVICE_NO_GROUP};
	return d;
}

static void give_slot(struct device_table *t, struct device *d)
{
	uint32_t index = d->index;

	*d = (struct device){.index = index, .port_next = t->free};
	t->free = index;
}

static size_t blob_size(const char *text)
{
	size_t n = 0;

	for (int i = 0; i < 3; i++)
		n += strlen(text + n) + 1;
	return sizeof(struct text_blob) + n;
}

static char *put_text(char *out, const char *text)
{
	return stpcpy(out, text ? text : "") + 1;
}

static uint32_t new_blob(struct device_table *t, const struct device_texts *texts)
{
	const char *const s[] = {texts->serial_number, texts->uuid, texts->name};
	size_t size = sizeof(struct text_blob);
	struct text_blob *blob;
	uint32_t handle;
	char *p;

	for (int i = 0; i < 3; i++)
		size += (s[i] ? strlen(s[i]) : 0) + 1;
	handle = pool_alloc(&t->pool, size);
	if (!handle)
		return 0;
	blob = pool_at(&t->pool, handle);
	blob->line = texts->line;
	blob->inventory_ip = texts->inventory_ip;
	p = blob->text;
	for (int i = 0; i < 3; i++)
		p = put_text(p, s[i]);
	return handle;
}

static void free_blob(struct device_table *t, uint32_t handle)
{
	struct text_blob *blob;

	if (!handle)
		return;
	blob = pool_at(&t->pool, handle);
	pool_free(&t->pool, handle, blob_size(blob->text));
}

void device_texts(const struct device_table *t, const struct device *d, struct device_texts *ret)
{
	const struct text_blob *blob = pool_at(&t->pool, d->texts);

	ret->line = blob->line;
	ret->inventory_ip = blob->inventory_ip;
	ret->serial_number = blob->text;
	ret->uuid = ret->serial_number + strlen(ret->serial_number) + 1;
	ret->name = ret->uuid + strlen(ret->uuid) + 1;
}

void device_set_line(struct device_table *t, struct device *d, uint32_t line)
{
	struct text_blob *blob = pool_at(&t->pool, d->texts);

	blob->line = line;
}

/* Looked at when the inventory changes, not for packets: long chains save memory. */
#pragma push_macro("HASH_BKT_CAPACITY_THRESH")
#pragma push_macro("TABLE_LOG2")
#undef HASH_BKT_CAPACITY_THRESH
#undef TABLE_LOG2
#define HASH_BKT_CAPACITY_THRESH 40U
#define TABLE_LOG2(t)		 (expected_log2(t) - 3)

static void index_serial(struct device_table *t, struct device *d)
{
	struct text_blob *blob = pool_at(&t->pool, d->texts);

	if (*blob->text)
		HASH_ADD_KEYPTR(by_serial, t->by_serial, blob->text, strlen(blob->text), d);
}

static bool grow_serials(struct device_table *t)
{
	return GROW_TABLE(t, by_serial, TABLE_LOG2(t));
}

#pragma pop_macro("TABLE_LOG2")
#pragma pop_macro("HASH_BKT_CAPACITY_THRESH")

bool device_table_grow(struct device_table *t, unsigned i)
{
	switch (i) {
	case 0: return GROW_TABLE(t, by_mac, TABLE_LOG2(t));
	case 1: return GROW_TABLE(t, by_ip, TABLE_LOG2(t));
	case 2: return grow_serials(t);
	default: return device_ports_grow(t);
	}
}

static void unindex_serial(struct device_table *t, struct device *d)
{
	if (d->by_serial.tbl)
		HASH_DELETE(by_serial, t->by_serial, d);
	d->by_serial.tbl = NULL;
}

int device_set_texts(struct device_table *t, struct device *d, const struct device_texts *texts)
{
	uint32_t blob = new_blob(t, texts);

	if (!blob)
		return -ENOMEM;
	unindex_serial(t, d);
	free_blob(t, d->texts);
	d->texts = blob;
	index_serial(t, d);
	return 0;
}

struct device *device_add(
	struct device_table *t, const struct mac *mac, const struct device_texts *texts)
{
	struct device *d = take_slot(t);

	if (!d)
		return NULL;
	d->mac = *mac;
	if (device_set_texts(t, d, texts) < 0) {
		give_slot(t, d);
		return NULL;
	}
	HASH_ADD(by_mac, t->by_mac, mac, sizeof(d->mac), d);
	device_table_expect(t, ++t->count);
	t->states[DEVICE_NEW]++;
	return d;
}

void device_remove(struct device_table *t, struct device *d)
{
	device_forget_port(t, d);
	device_set_ip(t, d, 0);
	unindex_serial(t, d);
	device_memo_free(t, d);
	HASH_DELETE(by_mac, t->by_mac, d);
	free_blob(t, d->texts);
	t->count--;
	t->states[d->state]--;
	give_slot(t, d);
}

void device_set_state(struct device_table *t, struct device *d, enum device_state state)
{
	t->states[d->state]--;
	d->state = (uint8_t)state;
	t->states[state]++;
}

void device_set_ip(struct device_table *t, struct device *d, uint32_t ip)
{
	if (d->by_ip.tbl)
		HASH_DELETE(by_ip, t->by_ip, d);
	d->by_ip.tbl = NULL;
	d->ip = ip;
	if (ip)
		HASH_ADD(by_ip, t->by_ip, ip, sizeof(d->ip), d);
}

uint32_t device_relay(const struct device_table *t, const struct device *d)
{
	return d->relay ? t->relays[d->relay - 1] : 0;
}

/* Networks have few relays: the last used ones are at the end. */
void device_set_relay(struct device_table *t, struct device *d, uint32_t relay)
{
	uint32_t *relays;

	if (device_relay(t, d) == relay)
		return;
	d->relay = 0;
	for (uint16_t i = t->relay_count; i > 0 && relay; i--)
		if (t->relays[i - 1] == relay) {
			d->relay = i;
			return;
		}
	if (!relay || t->relay_count == RELAYS_MAX)
		return;
	relays = reallocarray(t->relays, t->relay_count + 1u, sizeof(*relays));
	if (!relays)
		return;
	t->relays = relays;
	t->relays[t->relay_count++] = relay;
	d->relay = t->relay_count;
}

const char *device_state_text(enum device_state state)
{
	static const char *const words[] = {"new", "reserving", "provisioned", "failed"};

	return words[state];
}
