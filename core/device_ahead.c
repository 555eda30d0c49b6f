/* SPDX-License-Identifier: ISC
 *
 * Memory that a packet or a row is going to need, asked for while something else is done. Among a
 * million devices nearly every look into a table waits for memory; these waits go on side by side.
 */
#include "tap82/device.h"

static const UT_hash_bucket *bucket_of(const UT_hash_table *table, unsigned hash)
{
	return &table->buckets[hash & (table->num_buckets - 1)];
}

void device_ahead(struct device_table *t, const struct mac *mac, uint32_t ip,
	const struct port_key *key, struct device_ahead *ret)
{
	*ret = (struct device_ahead){
		.by_mac = hash_bytes(mac, sizeof(*mac)),
		.by_ip = hash_bytes(&ip, sizeof(ip)),
		.by_port = key ? port_key_hash(key) : 0,
		.has_ip = ip != 0,
		.has_port = key != NULL,
	};
	if (t->by_mac)
		__builtin_prefetch(bucket_of(t->by_mac->by_mac.tbl, ret->by_mac), 1);
	if (t->by_ip && ret->has_ip)
		__builtin_prefetch(bucket_of(t->by_ip->by_ip.tbl, ret->by_ip), 1);
	if (t->by_port && ret->has_port)
		__builtin_prefetch(bucket_of(t->by_port->by_port.tbl, ret->by_port), 1);
}

void device_ahead_go_on(struct device_table *t, const struct device_ahead *ahead)
{
	const UT_hash_handle *first;

	if (t->by_mac) {
		first = bucket_of(t->by_mac->by_mac.tbl, ahead->by_mac)->hh_head;
		if (first) {
			__builtin_prefetch(first, 1);
			__builtin_prefetch((const char *)first + 64, 1);
		}
	}
	if (t->by_ip && ahead->has_ip)
		__builtin_prefetch(bucket_of(t->by_ip->by_ip.tbl, ahead->by_ip)->hh_head, 1);
	if (t->by_port && ahead->has_port)
		__builtin_prefetch(bucket_of(t->by_port->by_port.tbl, ahead->by_port)->hh_head, 1);
}
