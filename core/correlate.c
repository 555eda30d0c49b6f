/* SPDX-License-Identifier: ISC
 *
 * DHCP exchanges. The table's insertion order is the order of seen_at, so that the oldest entry is
 * always its first.
 */
#include <stdlib.h>

#include "tap82/correlate.h"

#define COPY_WITHIN  2000u /* ms */
#define BUCKETS_EACH 4 /* at most, for each exchange that has room */

/* Nearly every message looks for an exchange that is not there: chains are to be short. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 6u

struct option82 *option82_keep(const struct option82 *o)
{
	size_t size = offsetof(struct option82, raw) + o->len;
	struct option82 *copy = malloc(size);

	if (copy)
		memcpy(copy, o, size);
	return copy;
}

void transactions_init(struct transactions *t, uint32_t max)
{
	*t = (struct transactions){.max = max};
	hash_init();
}

static const UT_hash_bucket *bucket_of(const struct transactions *t, unsigned hash)
{
	const UT_hash_table *table = t->by_key->hh.tbl;

	return &table->buckets[hash & (table->num_buckets - 1)];
}

/* A full table drops its oldest for each new one: what the next one's end will look at. (Inline:
 * gcc leaves out calls of functions that do nothing but prefetch.) */
static inline __attribute__((always_inline)) void look_ahead_of_drop(const struct transactions *t)
{
	const struct transaction *oldest = t->by_key;

	if (!oldest)
		return;
	__builtin_prefetch(bucket_of(t, oldest->hh.hashv), 1);
	__builtin_prefetch(oldest->hh.hh_next, 1);
	__builtin_prefetch(oldest->hh.hh_prev, 1);
	if (!oldest->hh.next)
		return;
	__builtin_prefetch(oldest->hh.next, 1);
	__builtin_prefetch((const char *)oldest->hh.next + 64, 1);
}

static void drop(struct transactions *t, struct transaction *tx)
{
	HASH_DEL(t->by_key, tx);
	free(tx->option82);
	free(tx->port);
	tx->hh.next = t->spare;
	t->spare = tx;
	t->count--;
	look_ahead_of_drop(t);
}

void transactions_done(struct transactions *t)
{
	while (t->by_key)
		drop(t, t->by_key);
	while (t->spare) {
		struct transaction *tx = t->spare;

		t->spare = tx->hh.next;
		free(tx);
	}
}

void transactions_expire(struct transactions *t, int64_t now)
{
	while (t->by_key && t->by_key->seen_at <= now - TRANSACTION_EXPIRY)
		drop(t, t->by_key);
}

static struct transaction_key key_of(const struct mac *mac, uint32_t xid)
{
	return (struct transaction_key){.mac = *mac, .xid = xid};
}

/* In a full table chains that are long by luck come and go, for as long as it lives: each would
 * double the buckets. */
static void have_buckets_enough(const struct transactions *t)
{
	UT_hash_table *table = t->by_key->hh.tbl;

	if (table->num_buckets >= BUCKETS_EACH * t->max)
		table->noexpand = 1;
}

static struct transaction *take(struct transactions *t)
{
	struct transaction *tx;

	if (t->count >= t->max) {
		have_buckets_enough(t);
		drop(t, t->by_key);
		t->dropped++;
	}
	tx = t->spare;
	if (tx)
		t->spare = tx->hh.next;
	else
		tx = malloc(sizeof(*tx));
	return tx;
}

static struct transaction *add(
	struct transactions *t, const struct transaction_key *key, unsigned hash, int64_t now)
{
	struct transaction *tx = take(t);

	if (!tx)
		return NULL;
	*tx = (struct transaction){.key = *key, .seen_at = now};
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, t->by_key, &tx->key, sizeof(tx->key), hash, tx);
	t->count++;
	return tx;
}

/* To the end of the order. */
static void refresh(struct transactions *t, struct transaction *tx, unsigned hash, int64_t now)
{
	tx->seen_at = now;
	if (!tx->hh.next)
		return;
	HASH_DEL(t->by_key, tx);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, t->by_key, &tx->key, sizeof(tx->key), hash, tx);
}

struct transaction *transaction_find(struct transactions *t, const struct mac *mac, uint32_t xid)
{
	struct transaction_key key = key_of(mac, xid);
	struct transaction *tx;

	HASH_FIND(hh, t->by_key, &key, sizeof(key), tx);
	return tx;
}

struct transaction *transaction_last(
	const struct transactions *t, const struct mac *mac, int64_t seen_at)
{
	struct transaction *tx =
		t->by_key ? ELMT_FROM_HH(t->by_key->hh.tbl, t->by_key->hh.tbl->tail) : NULL;

	while (tx && tx->seen_at >= seen_at && !mac_equal(&tx->key.mac, mac))
		tx = tx->hh.prev;
	return tx && tx->seen_at == seen_at ? tx : NULL;
}

void transaction_ahead(const struct transactions *t, const struct mac *mac, uint32_t xid,
	struct transaction_ahead *ret)
{
	struct transaction_key key = key_of(mac, xid);

	*ret = (struct transaction_ahead){.hash = hash_bytes(&key, sizeof(key)), .wanted = true};
	if (t->by_key)
		__builtin_prefetch(bucket_of(t, ret->hash), 1);
}

void transaction_ahead_go_on(const struct transactions *t, struct transaction_ahead *ahead)
{
	const UT_hash_handle *first = t->by_key ? bucket_of(t, ahead->hash)->hh_head : NULL;

	if (first) {
		__builtin_prefetch(first, 1);
		__builtin_prefetch(&first->hashv, 1);
	}
	ahead->wanted = false;
}

static int leg_of(uint8_t type)
{
	switch (type) {
	case DHCP_DISCOVER: return LEG_DISCOVER;
	case DHCP_OFFER: return LEG_OFFER;
	case DHCP_REQUEST: return LEG_REQUEST;
	case DHCP_ACK: return LEG_ACK;
	case DHCP_NAK: return LEG_NAK;
	}
	return -1;
}

/* What a relay passes on of a REQUEST that was just seen on its own says no more of it. */
static void note_state(struct transaction *tx, const struct observation *o, int64_t now)
{
	enum client_state state = client_state_of(o);
	uint32_t ms = (uint32_t)(now / USEC_PER_MSEC) | 1;

	if (o->dhcp.giaddr == 0)
		tx->asked_at = ms;
	else if (state == CLIENT_RENEWING_OR_REBINDING && tx->asked_at &&
		 ms - tx->asked_at < COPY_WITHIN)
		return;
	tx->client_state = (uint8_t)state;
}

/* The ACK to one that has an address repeats it (RFC 2131 table 3): its REQUEST was missed. */
static void note_ack(struct transaction *tx, const struct observation_dhcp *dhcp)
{
	if (dhcp->ciaddr && tx->client_state < CLIENT_RENEWING)
		tx->client_state = CLIENT_RENEWING_OR_REBINDING;
}

/* The REQUEST is seen on several legs: the one with option 82 says where the camera is. */
static void note_request(struct transaction *tx, const struct observation_dhcp *dhcp)
{
	tx->has_request = true;
	tx->ciaddr = dhcp->ciaddr;
	if (dhcp->option82.len == 0)
		return;
	free(tx->option82);
	free(tx->port);
	tx->option82 = option82_keep(&dhcp->option82);
	tx->port = *dhcp->port.layout ? malloc(sizeof(*tx->port)) : NULL;
	if (tx->port)
		*tx->port = dhcp->port;
	tx->giaddr = dhcp->giaddr;
}

struct transaction *transaction_observe(
	struct transactions *t, const struct observation *o, int64_t now)
{
	struct transaction_key key = key_of(&o->mac, o->dhcp.xid);
	unsigned hash = hash_bytes(&key, sizeof(key));
	int leg = leg_of(o->dhcp.type);
	struct transaction *tx;

	HASH_FIND_BYHASHVALUE(hh, t->by_key, &key, sizeof(key), hash, tx);
	if (tx)
		refresh(t, tx, hash, now);
	else
		tx = add(t, &key, hash, now);
	if (!tx || leg < 0)
		return tx;
	if (!tx->legs[leg])
		tx->legs[leg] = now;
	if (leg == LEG_ACK)
		note_ack(tx, &o->dhcp);
	if (leg != LEG_REQUEST)
		return tx;
	note_state(tx, o, now);
	note_request(tx, &o->dhcp);
	return tx;
}

bool transaction_is_new(struct transaction *tx, uint32_t yiaddr, int64_t now)
{
	if (tx->acked_ip == yiaddr && now - tx->acked_at < TRANSACTION_EXPIRY)
		return false;
	tx->acked_ip = yiaddr;
	tx->acked_at = now;
	return true;
}
