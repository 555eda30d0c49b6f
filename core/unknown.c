/* SPDX-License-Identifier: ISC
 *
 * MAC addresses that are in no table.
 */
#include <stdlib.h>

#include "tap82/correlate.h"

void unknowns_init(struct unknowns *u, uint32_t max)
{
	*u = (struct unknowns){.max = max};
	hash_init();
}

static void drop(struct unknown **table, struct unknown *entry)
{
	HASH_DEL(*table, entry);
	free(entry->option82);
	free(entry);
}

void unknowns_done(struct unknowns *u)
{
	while (u->heard)
		drop(&u->heard, u->heard);
	while (u->acked)
		drop(&u->acked, u->acked);
}

struct unknown *unknown_find(struct unknowns *u, const struct mac *mac)
{
	struct unknown *entry;

	HASH_FIND(hh, u->acked, mac, sizeof(*mac), entry);
	if (!entry)
		HASH_FIND(hh, u->heard, mac, sizeof(*mac), entry);
	return entry;
}

void unknown_remove(struct unknowns *u, const struct mac *mac)
{
	struct unknown *entry = unknown_find(u, mac);

	if (entry)
		drop(entry->acked ? &u->acked : &u->heard, entry);
}

/* To the end of a table: the order is that of last_seen. */
static void append(struct unknowns *u, struct unknown **table, struct unknown *entry)
{
	if (HASH_COUNT(*table) >= u->max) {
		drop(table, *table);
		u->dropped++;
	}
	HASH_ADD(hh, *table, mac, sizeof(entry->mac), entry);
}

static void note_texts(struct unknown *entry, const struct observation_dhcp *dhcp)
{
	if (dhcp->is_reply)
		return;
	if (dhcp->hostname_len) {
		entry->hostname_len = (uint8_t)dhcp->hostname_len;
		memcpy(entry->texts, dhcp->hostname, dhcp->hostname_len);
	}
	if (dhcp->vendor_class_len) {
		entry->vendor_class_len = (uint8_t)dhcp->vendor_class_len;
		memcpy(entry->texts + OBSERVATION_TEXT_MAX, dhcp->vendor_class,
			dhcp->vendor_class_len);
	}
}

struct unknown *unknown_observe(struct unknowns *u, const struct observation *o, int64_t now)
{
	struct unknown *entry = unknown_find(u, &o->mac);

	if (entry) {
		struct unknown **table = entry->acked ? &u->acked : &u->heard;

		HASH_DEL(*table, entry);
		append(u, table, entry);
	} else {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return NULL;
		entry->mac = o->mac;
		entry->first_seen = now;
		append(u, &u->heard, entry);
	}
	entry->last_seen = now;
	note_texts(entry, &o->dhcp);
	return entry;
}

struct unknown *unknown_acked(struct unknowns *u, struct unknown *entry,
	const struct observation *o, const struct option82 *o82, const struct port_place *port)
{
	if (!entry->acked) {
		HASH_DEL(u->heard, entry);
		entry->acked = true;
		append(u, &u->acked, entry);
	}
	entry->ip = o->dhcp.yiaddr;
	entry->xid = o->dhcp.xid;
	entry->server_id = o->dhcp.server_id ? o->dhcp.server_id : o->src;
	if (o->dhcp.giaddr)
		entry->relay = o->dhcp.giaddr;
	if (!o82)
		return entry;
	free(entry->option82);
	entry->option82 = option82_keep(o82);
	memset(&entry->port, 0, sizeof(entry->port));
	if (port)
		entry->port = *port;
	return entry;
}
