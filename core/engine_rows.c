/* SPDX-License-Identifier: ISC
 *
 * To and from the store. A row that is not confirmed is work to go on with after a restart.
 */
#include <stdio.h>

#include "tap82/err.h"

#include "engine_self.h"

static void put_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

static void put_profile(struct engine *e, const struct device *d, struct device_row *row)
{
	struct option82 *o = &e->profile;
	struct port_key key;

	if (!device_profile(&e->devices, d, o, &row->profile_seen_at))
		return;
	row->option82_len = o->len;
	memcpy(row->option82, o->raw, o->len);
	if (!port_key_of(o, &key) || key.circuit_id_len > UINT8_MAX ||
		key.remote_id_len > UINT8_MAX)
		return;
	row->has_circuit_id = key.has_circuit_id;
	row->has_remote_id = key.has_remote_id;
	row->circuit_id_len = (uint8_t)key.circuit_id_len;
	row->remote_id_len = (uint8_t)key.remote_id_len;
	memcpy(row->circuit_id, key.circuit_id, key.circuit_id_len);
	memcpy(row->remote_id, key.remote_id, key.remote_id_len);
}

static void put_memo(const struct memo *memo, struct device_row *row)
{
	if (!memo)
		return;
	row->replaces = memo->replaces;
	row->told_ip = memo->told_ip;
	row->failed_ip = memo->failed_ip;
	row->first_ip = memo->first_ip;
}

void store_device(struct engine *e, const struct device *d)
{
	struct device_row *row = &e->row;
	struct device_texts texts;

	if (!e->ops.device)
		return;
	memset(row, 0, sizeof(*row));
	device_texts(&e->devices, d, &texts);
	row->mac = d->mac;
	put_text(row->serial_number, sizeof(row->serial_number), texts.serial_number);
	put_text(row->uuid, sizeof(row->uuid), texts.uuid);
	put_text(row->name, sizeof(row->name), texts.name);
	put_text(row->group, sizeof(row->group),
		d->group == DEVICE_NO_GROUP ? NULL : group_name(e, d->group));
	row->line = texts.line;
	row->inventory_ip = texts.inventory_ip;
	row->ip = d->ip;
	row->state = d->state;
	row->flags = d->confirmed;
	row->lease_time = d->lease_time;
	row->relay = device_relay(&e->devices, d);
	row->last_seen = d->last_seen;
	row->hold_until = d->flags & DEVICE_HELD ? d->hold_until : 0;
	row->acked_at = d->acked_at * USEC_PER_SEC;
	row->xid = d->xid;
	row->hold_xid = d->hold_xid;
	put_profile(e, d, row);
	put_memo(device_memo(&e->devices, d), row);
	e->ops.device(e->ctx, row);
}

void store_part(void *ctx, struct reservation *r, struct reservation_part *part)
{
	(void)ctx;
	(void)r;
	(void)part;
}
