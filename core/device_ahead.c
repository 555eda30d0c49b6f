/* SPDX-License-Identifier: ISC
 *
 * Memory that a packet or a row is going to need, asked for while something else is done. Among a
 * million devices nearly every look into a table waits for memory; these waits go on side by side.
 * A step looks only at what the step before it asked for.
 */
#include "device_table.h"

#define BLOB_BYTES 64 /* most texts and profiles are as short */

/* gcc leaves out calls of functions that do nothing but prefetch: they have no effect. */
#define INLINE static inline __attribute__((always_inline))

/* Nothing is looked at: any address will do. */
INLINE void ask_for(const void *p, size_t size)
{
	const char *line = p;

	for (size_t at = 0; at + 1 < size; at += 64)
		__builtin_prefetch(line + at, 1);
	__builtin_prefetch(line + size - 1, 1);
}

/* What a walk looks at of an entry. */
INLINE void ask_for_entry(const UT_hash_handle *hh)
{
	ask_for(&hh->hh_next, sizeof(*hh) - offsetof(UT_hash_handle, hh_next));
}

static const UT_hash_bucket *bucket_of(const UT_hash_table *table, unsigned hash)
{
	return &table->buckets[hash & (table->num_buckets - 1)];
}

static void walk_begin(const UT_hash_table *table, unsigned hash, struct device_walk *ret)
{
	*ret = (struct device_walk){.hash = hash, .state = table ? WALK_BUCKET : WALK_DONE};
	if (table)
		ask_for(bucket_of(table, hash), 1);
}

/* By the hash alone: if it is another's, the wrong memory comes. An entry that is gone meanwhile
 * can be looked at: slots of devices stay. */
static void walk(const UT_hash_table *table, struct device_walk *w)
{
	if (w->state == WALK_BUCKET)
		w->at = table ? bucket_of(table, w->hash)->hh_head : NULL;
	else if (w->at->hashv != w->hash)
		w->at = w->at->hh_next;
	else
		w->state = WALK_FOUND;
	if (!w->at)
		w->state = WALK_DONE;
	if (w->state > WALK_ENTRY)
		return;
	w->state = WALK_ENTRY;
	ask_for_entry(w->at);
}

#define TABLE_OF(t, hh) ((t)->hh ? (t)->hh->hh.tbl : NULL)

void device_ahead_packet(struct device_table *t, const struct mac *mac, uint32_t ip,
	const struct port_key *key, struct device_ahead *ret)
{
	ret->device = NULL;
	ret->rest = false;
	ret->ip = ip;
	walk_begin(TABLE_OF(t, by_mac), hash_bytes(mac, sizeof(*mac)), &ret->by_mac);
	ret->by_ip = (struct device_walk){.hash = hash_bytes(&ip, sizeof(ip))};
	ret->by_port = (struct device_walk){.hash = key ? port_key_hash(key) : 0};
	ret->has_port = key != NULL;
}

INLINE void ask_for_blobs(const struct device_table *t, const struct device *d)
{
	if (d->texts)
		ask_for(pool_at(&t->pool, d->texts), BLOB_BYTES);
	if (d->learned)
		ask_for(pool_at(&t->pool, d->learned), BLOB_BYTES);
}

INLINE void ask_for_slot(const struct device *d)
{
	ask_for(&d->by_port, sizeof(*d) - offsetof(struct device, by_port));
}

void device_ahead_at(const struct device_table *t, uint32_t index)
{
	if (index < t->used)
		ask_for_slot(device_slot(t, index));
}

void device_ahead_at_go_on(const struct device_table *t, uint32_t index)
{
	if (index < t->used)
		ask_for_blobs(t, device_slot(t, index));
}

/* Another address or port than it had is looked for among the others'. */
static void ask_for_rest(struct device_table *t, struct device_ahead *a)
{
	const struct device *d = a->device;

	a->rest = false;
	ask_for_blobs(t, d);
	if (a->ip && a->ip != d->ip)
		walk_begin(TABLE_OF(t, by_ip), a->by_ip.hash, &a->by_ip);
	if (a->has_port && (!d->by_port.tbl || d->by_port.hashv != a->by_port.hash))
		walk_begin(TABLE_OF(t, by_port), a->by_port.hash, &a->by_port);
}

static void walk_macs(struct device_table *t, struct device_ahead *a)
{
	const UT_hash_table *table = TABLE_OF(t, by_mac);

	walk(table, &a->by_mac);
	if (a->by_mac.state != WALK_FOUND || !table)
		return;
	a->device = ELMT_FROM_HH(table, a->by_mac.at);
	a->rest = true;
	ask_for_slot(a->device);
}

void device_ahead_go_on(struct device_table *t, struct device_ahead *a)
{
	if (a->by_mac.state < WALK_FOUND)
		walk_macs(t, a);
	else if (a->rest)
		ask_for_rest(t, a);
	if (a->by_ip.state && a->by_ip.state < WALK_FOUND)
		walk(TABLE_OF(t, by_ip), &a->by_ip);
	if (a->by_port.state && a->by_port.state < WALK_FOUND)
		walk(TABLE_OF(t, by_port), &a->by_port);
}

void device_ahead_row(struct device_table *t, const struct mac *mac, uint32_t ip,
	const char *serial_number, struct device_ahead *ret)
{
	size_t len = strlen(serial_number);

	walk_begin(TABLE_OF(t, by_mac), hash_bytes(mac, sizeof(*mac)), &ret->by_mac);
	walk_begin(TABLE_OF(t, by_serial), hash_bytes(serial_number, len), &ret->by_serial);
	walk_begin(ip ? TABLE_OF(t, by_ip) : NULL, hash_bytes(&ip, sizeof(ip)), &ret->by_ip);
}

/* Where a row is put in, before what is there. */
void device_ahead_row_go_on(struct device_table *t, struct device_ahead *a)
{
	if (a->by_mac.state == WALK_BUCKET)
		walk(TABLE_OF(t, by_mac), &a->by_mac);
	if (a->by_serial.state == WALK_BUCKET)
		walk(TABLE_OF(t, by_serial), &a->by_serial);
	if (a->by_ip.state == WALK_BUCKET)
		walk(TABLE_OF(t, by_ip), &a->by_ip);
}
