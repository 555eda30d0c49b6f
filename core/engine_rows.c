/* SPDX-License-Identifier: ISC
 *
 * To the store: rows of devices and reservations.
 */
#include <stdio.h>
#include <string.h>

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
	row->profile_seen_at = shown(e, row->profile_seen_at);
	device_place(&e->devices, d, &row->place);
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

static void put_memo(const struct engine *e, const struct memo *memo, struct device_row *row)
{
	if (!memo)
		return;
	row->replaces = memo->replaces;
	row->told_ip = memo->told_ip;
	row->failed_ip = memo->failed_ip;
	row->first_ip = memo->first_ip;
	row->moved_at = shown(e, memo->moved_at);
	row->mismatch = memo->mismatch;
	row->stopped_at = shown(e, memo->stopped_at);
	row->stopped_ip = memo->stopped_ip;
	row->stopped_server_id = memo->stopped_server_id;
	row->stopped_relay = memo->stopped_relay;
	row->stopped_xid = memo->stopped_xid;
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
	row->last_seen = shown(e, d->last_seen);
	row->hold_until = d->flags & DEVICE_HELD ? shown(e, d->hold_until) : 0;
	row->acked_at = shown(e, d->acked_at * USEC_PER_SEC);
	if (d->acked_at)
		put_text(row->acked_server, sizeof(row->acked_server),
			e->conf->servers[d->acked_server].name);
	row->reason = d->reason;
	row->xid = d->xid;
	row->hold_xid = d->hold_xid;
	put_profile(e, d, row);
	put_memo(e, device_memo(&e->devices, d), row);
	e->ops.device(e->ctx, row);
}

void store_part(void *ctx, struct reservation *r, struct reservation_part *part)
{
	struct engine *e = ctx;
	struct reservation_row row;

	if (part->state == RESERVATION_CONFIRMED && part->want == 0 && !part->maybe &&
		r->purpose != PURPOSE_YIELD) {
		if (e->ops.reservation_gone)
			e->ops.reservation_gone(e->ctx, &r->mac, part->server);
		return;
	}
	if (!e->ops.reservation)
		return;
	memset(&row, 0, sizeof(row));
	row.mac = r->mac;
	put_text(row.server, sizeof(row.server), e->conf->servers[part->server].name);
	row.ip = part->want;
	row.old_ip = part->have;
	row.maybe_ip = part->maybe;
	row.sent_ip = part->sent;
	row.old_mac = r->peer;
	row.mode = r->mode;
	row.state = part->state;
	row.purpose = r->purpose;
	row.flags = (uint8_t)(r->phase | (r->fresh ? ROW_FRESH : 0) |
			      (r->announced ? ROW_ANNOUNCED : 0) |
			      (r->acked_server == part->server ? ROW_ACKED : 0));
	row.tries = part->tries;
	row.since = shown(e, r->since);
	row.xid = r->xid;
	row.relay = r->relay;
	if (part->reason)
		snprintf(row.error, sizeof(row.error), "%s: %s", part->reason,
			part->detail ? part->detail : "");
	e->ops.reservation(e->ctx, &row);
}
