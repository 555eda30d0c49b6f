/* SPDX-License-Identifier: ISC
 *
 * Ports: what a device's option 82 says, kept small, and the table of devices by port. In the
 * table stands the device that was seen last on a port; the others hang behind it.
 */
#include <errno.h>

#include "device_table.h"

/* In the pool: option 82 with its spans. */
struct learned {
	int64_t seen_at;
	uint16_t len : 12;
	uint16_t has_place : 1; /* a struct port_place stands behind the bytes */
	uint16_t present : 3; /* bits: circuit-id, remote-id, subscriber-id */
	uint16_t at[3], ids[3]; /* in the same order: offset and length */
	uint8_t raw[];
};

static size_t learned_size(uint16_t len, bool has_place)
{
	return offsetof(struct learned, raw) + len + (has_place ? sizeof(struct port_place) : 0);
}

static void key_of_learned(const struct learned *l, struct port_key *ret)
{
	*ret = (struct port_key){
		.circuit_id = l->raw + l->at[0],
		.remote_id = l->raw + l->at[1],
		.circuit_id_len = l->ids[0],
		.remote_id_len = l->ids[1],
		.has_circuit_id = l->present & 1,
		.has_remote_id = (l->present & 2) != 0,
	};
}

static bool key_equal(const struct port_key *a, const struct port_key *b)
{
	return a->has_circuit_id == b->has_circuit_id && a->has_remote_id == b->has_remote_id &&
	       a->circuit_id_len == b->circuit_id_len && a->remote_id_len == b->remote_id_len &&
	       memcmp(a->circuit_id, b->circuit_id, a->circuit_id_len) == 0 &&
	       memcmp(a->remote_id, b->remote_id, a->remote_id_len) == 0;
}

/* In this table a stored key is a struct learned, a searched one a struct port_key. */
static int key_differs(const void *stored, const struct port_key *key)
{
	struct port_key own;

	key_of_learned(stored, &own);
	return !key_equal(&own, key);
}

#undef HASH_KEYCMP
#define HASH_KEYCMP(stored, key, len) key_differs((stored), (const void *)(key))

unsigned port_key_hash(const struct port_key *key)
{
	uint64_t h = hash_secret ^ (uint64_t)(key->has_circuit_id | key->has_remote_id << 1);

	h = hash_more(h, key->circuit_id, key->circuit_id_len);
	return (unsigned)hash_more(h, key->remote_id, key->remote_id_len);
}

bool port_key_of(const struct option82 *o, struct port_key *ret)
{
	if (o->len == 0 || o->cut || (!o->circuit_id.present && !o->remote_id.present))
		return false;
	*ret = (struct port_key){
		.circuit_id = o->raw + o->circuit_id.at,
		.remote_id = o->raw + o->remote_id.at,
		.circuit_id_len = o->circuit_id.len,
		.remote_id_len = o->remote_id.len,
		.has_circuit_id = o->circuit_id.present,
		.has_remote_id = o->remote_id.present,
	};
	return true;
}

static void put_sub_option(
	struct option82 *o, struct span *span, uint8_t code, const uint8_t *bytes, uint16_t len)
{
	if (len > UINT8_MAX || o->len + 2u + len > sizeof(o->raw))
		return;
	o->raw[o->len++] = code;
	o->raw[o->len++] = (uint8_t)len;
	*span = (struct span){.at = o->len, .len = len, .present = true};
	memcpy(o->raw + o->len, bytes, len);
	o->len = (uint16_t)(o->len + len);
}

void option82_of_port(const struct port_key *key, struct option82 *ret)
{
	*ret = (struct option82){0};
	if (key->has_circuit_id)
		put_sub_option(ret, &ret->circuit_id, 1, key->circuit_id, key->circuit_id_len);
	if (key->has_remote_id)
		put_sub_option(ret, &ret->remote_id, 2, key->remote_id, key->remote_id_len);
}

static struct device *find_key(struct device_table *t, const struct port_key *key, unsigned hash)
{
	struct device *d;

	HASH_FIND_BYHASHVALUE(by_port, t->by_port, key, sizeof(void *), hash, d);
	return d;
}

struct device *device_find_port(struct device_table *t, const struct port_key *key)
{
	return find_key(t, key, port_key_hash(key));
}

struct device *device_port_next(struct device_table *t, const struct device *d)
{
	return d->port_next == DEVICE_NONE ? NULL : device_at(t, d->port_next);
}

static void enter(struct device_table *t, struct device *d, unsigned hash)
{
	struct learned *l = pool_at(&t->pool, d->learned);

	HASH_ADD_KEYPTR_BYHASHVALUE(by_port, t->by_port, (void *)l, sizeof(void *), hash, d);
}

static void leave(struct device_table *t, struct device *d)
{
	HASH_DELETE(by_port, t->by_port, d);
	d->by_port.tbl = NULL;
}

bool device_ports_grow(struct device_table *t)
{
	return GROW_TABLE(t, by_port, TABLE_LOG2(t));
}

static int64_t seen_at(const struct device_table *t, const struct device *d)
{
	const struct learned *l = pool_at(&t->pool, d->learned);

	return l->seen_at;
}

static void put_behind(struct device_table *t, struct device *d, struct device *before)
{
	struct device *next = device_port_next(t, before);

	d->port_prev = before->index;
	d->port_next = before->port_next;
	before->port_next = d->index;
	if (next)
		next->port_prev = d->index;
}

static void put_first(struct device_table *t, struct device *d, struct device *head, unsigned hash)
{
	if (head) {
		leave(t, head);
		head->port_prev = d->index;
		d->port_next = head->index;
	}
	enter(t, d, hash);
}

/* Puts the device, which is on no list, on its port's list in order of when each was seen there:
 * first, unless it comes out of the store or the inventory. */
static void link_port(struct device_table *t, struct device *d)
{
	struct device *head, *next;
	struct port_key key;
	unsigned hash;

	key_of_learned(pool_at(&t->pool, d->learned), &key);
	if (!key.has_circuit_id && !key.has_remote_id)
		return;
	hash = port_key_hash(&key);
	head = find_key(t, &key, hash);
	if (!head || seen_at(t, head) <= seen_at(t, d)) {
		put_first(t, d, head, hash);
		return;
	}
	while ((next = device_port_next(t, head)) && seen_at(t, next) > seen_at(t, d))
		head = next;
	put_behind(t, d, head);
}

static void unlink_port(struct device_table *t, struct device *d)
{
	struct device *next = device_port_next(t, d);
	unsigned hash = d->by_port.hashv;

	if (d->by_port.tbl) {
		leave(t, d);
		if (next)
			enter(t, next, hash);
	}
	if (next)
		next->port_prev = d->port_prev;
	if (d->port_prev != DEVICE_NONE)
		device_at(t, d->port_prev)->port_next = d->port_next;
	d->port_next = d->port_prev = DEVICE_NONE;
}

void device_touch_port(struct device_table *t, struct device *d)
{
	if (d->port_prev == DEVICE_NONE)
		return;
	unlink_port(t, d);
	link_port(t, d);
}

bool device_has_port(const struct device *d)
{
	return d->by_port.tbl || d->port_prev != DEVICE_NONE;
}

void device_forget_port(struct device_table *t, struct device *d)
{
	struct learned *l;

	if (!d->learned)
		return;
	unlink_port(t, d);
	l = pool_at(&t->pool, d->learned);
	pool_free(&t->pool, d->learned, learned_size(l->len, l->has_place));
	d->learned = 0;
}

static void put_span(struct learned *l, int i, const struct span *span)
{
	l->at[i] = span->at;
	l->ids[i] = span->len;
	l->present = (l->present | span->present << i) & 7;
}

int device_learn(struct device_table *t, struct device *d, const struct option82 *o,
	const struct port_place *place, int64_t seen_at)
{
	bool has_place = place && *place->layout;
	uint32_t handle = pool_alloc(&t->pool, learned_size(o->len, has_place));
	struct learned *l;

	if (!handle)
		return -ENOMEM;
	l = pool_at(&t->pool, handle);
	memset(l, 0, learned_size(0, false));
	l->seen_at = seen_at;
	l->len = o->len & 0xfff;
	l->has_place = has_place;
	memcpy(l->raw, o->raw, o->len);
	if (has_place)
		memcpy(l->raw + l->len, place, sizeof(*place));
	put_span(l, 0, &o->circuit_id);
	put_span(l, 1, &o->remote_id);
	put_span(l, 2, &o->subscriber_id);
	device_forget_port(t, d);
	d->learned = handle;
	link_port(t, d);
	return 0;
}

static struct span get_span(const struct learned *l, int i)
{
	return (struct span){.at = l->at[i], .len = l->ids[i], .present = l->present >> i & 1};
}

bool device_profile(const struct device_table *t, const struct device *d, struct option82 *ret,
	int64_t *ret_seen_at)
{
	const struct learned *l;

	if (!d->learned)
		return false;
	l = pool_at(&t->pool, d->learned);
	ret->len = l->len;
	ret->cut = false;
	ret->circuit_id = get_span(l, 0);
	ret->remote_id = get_span(l, 1);
	ret->subscriber_id = get_span(l, 2);
	memcpy(ret->raw, l->raw, l->len);
	if (ret_seen_at)
		*ret_seen_at = l->seen_at;
	return true;
}

bool device_port_is(
	const struct device_table *t, const struct device *d, const struct port_key *key)
{
	return d->learned && key_differs(pool_at(&t->pool, d->learned), key) == 0;
}

bool device_place(
	const struct device_table *t, const struct device *d, struct port_place *ret_place)
{
	const struct learned *l = d->learned ? pool_at(&t->pool, d->learned) : NULL;

	if (!l || !l->has_place)
		return false;
	memcpy(ret_place, l->raw + l->len, sizeof(*ret_place));
	return true;
}

static bool place_is(const struct learned *l, const struct port_place *place)
{
	struct port_place own;

	if (!place || !*place->layout)
		return !l->has_place;
	if (!l->has_place)
		return false;
	memcpy(&own, l->raw + l->len, sizeof(own));
	return strcmp(own.layout, place->layout) == 0 && own.vlan == place->vlan &&
	       own.slot == place->slot && own.port == place->port &&
	       own.has_switch_mac == place->has_switch_mac &&
	       mac_equal(&own.switch_mac, &place->switch_mac);
}

bool device_profile_is(const struct device_table *t, const struct device *d,
	const struct option82 *o, const struct port_place *place)
{
	const struct learned *l = d->learned ? pool_at(&t->pool, d->learned) : NULL;

	return l && l->len == o->len && memcmp(l->raw, o->raw, o->len) == 0 && place_is(l, place);
}

void device_seen_profile(struct device_table *t, struct device *d, int64_t seen_at)
{
	struct learned *l = pool_at(&t->pool, d->learned);

	l->seen_at = seen_at;
}
