/* SPDX-License-Identifier: ISC
 *
 * To and from the store. A row that is not confirmed is work to go on with after a restart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	row->profile_seen_at = shown(e, row->profile_seen_at);
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
	row->last_seen = shown(e, d->last_seen);
	row->hold_until = d->flags & DEVICE_HELD ? shown(e, d->hold_until) : 0;
	row->acked_at = shown(e, d->acked_at * USEC_PER_SEC);
	row->xid = d->xid;
	row->hold_xid = d->hold_xid;
	put_profile(e, d, row);
	put_memo(device_memo(&e->devices, d), row);
	e->ops.device(e->ctx, row);
}

/* --- Reservations: phase and "had none before" travel in the row's flags ------------------------
 */

#define FLAG_FRESH 0x80
#define FLAG_ACKED 0x40 /* this server sent the ACK */
#define PHASE_MASK 0x0f

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
	row.old_ip = part->maybe ? part->maybe : part->have;
	row.old_mac = r->peer;
	row.mode = r->mode;
	row.state = part->state;
	row.purpose = r->purpose;
	row.flags = (uint8_t)(r->phase | (r->fresh ? FLAG_FRESH : 0) |
			      (r->acked_server == part->server ? FLAG_ACKED : 0));
	row.tries = part->tries;
	row.since = shown(e, r->since);
	if (part->reason)
		snprintf(row.error, sizeof(row.error), "%s: %s", part->reason,
			part->detail ? part->detail : "");
	e->ops.reservation(e->ctx, &row);
}

/* A time of the store as engine's time, and not later than `latest` from now. */
static int64_t believed(const struct engine *e, int64_t time, int64_t latest)
{
	if (time == 0 || e->now == 0)
		return time;
	time -= e->ahead;
	return time > e->now + latest ? e->now + latest : time;
}

static void restore_texts(const struct device_row *row, struct device_texts *ret)
{
	*ret = (struct device_texts){
		.serial_number = row->serial_number,
		.uuid = row->uuid,
		.name = row->name,
		.line = row->line,
		.inventory_ip = row->inventory_ip,
	};
}

static uint16_t at(const uint8_t *haystack, uint16_t size, const uint8_t *needle, uint16_t len)
{
	const uint8_t *p = len ? memmem(haystack, size, needle, len) : haystack;

	return p ? (uint16_t)(p - haystack) : 0;
}

/* The ids stand somewhere in the raw option; where they do not (cut, or of the inventory), an
 * option is made of them. */
static void restore_profile(struct engine *e, struct device *d, const struct device_row *row)
{
	struct option82 *o = &e->profile;
	struct port_key key = {
		.circuit_id = row->circuit_id,
		.remote_id = row->remote_id,
		.circuit_id_len = row->circuit_id_len,
		.remote_id_len = row->remote_id_len,
		.has_circuit_id = row->has_circuit_id,
		.has_remote_id = row->has_remote_id,
	};

	if (row->option82_len == 0 || row->option82_len > sizeof(o->raw))
		return;
	*o = (struct option82){.len = row->option82_len};
	memcpy(o->raw, row->option82, row->option82_len);
	o->circuit_id =
		(struct span){.at = at(o->raw, o->len, row->circuit_id, row->circuit_id_len),
			.len = row->circuit_id_len,
			.present = row->has_circuit_id};
	o->remote_id = (struct span){.at = at(o->raw, o->len, row->remote_id, row->remote_id_len),
		.len = row->remote_id_len,
		.present = row->has_remote_id};
	if ((row->circuit_id_len &&
		    memcmp(o->raw + o->circuit_id.at, row->circuit_id, row->circuit_id_len) != 0) ||
		(row->remote_id_len &&
			memcmp(o->raw + o->remote_id.at, row->remote_id, row->remote_id_len) != 0))
		option82_of_port(&key, o);
	device_learn(&e->devices, d, o, believed(e, row->profile_seen_at, 0));
}

static void restore_memo(struct engine *e, struct device *d, const struct device_row *row)
{
	struct memo *memo;

	if (!row->told_ip && !row->failed_ip && !row->first_ip && mac_is_zero(&row->replaces))
		return;
	memo = device_memo_new(&e->devices, d);
	if (!memo)
		return;
	memo->told_ip = row->told_ip;
	memo->failed_ip = row->failed_ip;
	memo->first_ip = row->first_ip;
	memo->replaces = row->replaces;
}

static void restore_ip(struct engine *e, struct device *d, const struct device_row *row)
{
	int group = row->ip ? conf_group_of(e->conf, row->ip) : -1;

	if (!row->ip || device_find_ip(&e->devices, row->ip))
		return;
	device_set_ip(&e->devices, d, row->ip);
	if (group < 0)
		return;
	d->acked_group = (uint16_t)group;
	d->confirmed = row->flags & group_mask(e, group);
}

static void restore_hold(struct engine *e, struct device *d, int64_t until)
{
	if (!until || holds_add(&e->holds, until, d->index) < 0)
		return;
	d->hold_until = until;
	d->flags |= DEVICE_HELD;
}

int engine_restore_device(struct engine *e, const struct device_row *row)
{
	int group = *row->group ? conf_group_by_name(e->conf, row->group) : -1;
	struct device_texts texts;
	struct device *d;

	restore_texts(row, &texts);
	if (device_find(&e->devices, &row->mac) ||
		device_find_serial(&e->devices, row->serial_number))
		return ERR_DUPLICATE;
	d = device_add(&e->devices, &row->mac, &texts);
	if (!d)
		return ERR_FULL;
	d->group = group < 0 ? DEVICE_NO_GROUP : (uint16_t)group;
	restore_ip(e, d, row);
	device_set_state(&e->devices, d,
		row->state <= DEVICE_FAILED ? (enum device_state)row->state : DEVICE_NEW);
	d->lease_time = row->lease_time;
	device_set_relay(&e->devices, d, row->relay);
	d->last_seen = believed(e, row->last_seen, 0);
	d->acked_at = (uint32_t)(believed(e, row->acked_at, 0) / USEC_PER_SEC);
	d->xid = row->xid;
	d->hold_xid = row->hold_xid;
	restore_profile(e, d, row);
	restore_memo(e, d, row);
	restore_hold(e, d, believed(e, row->hold_until, e->conf->stream_hold));
	return 0;
}

/* A row that is confirmed and over says nothing that the device's row does not say. */
static bool is_final(const struct reservation_row *row)
{
	return row->state == RESERVATION_CONFIRMED && (row->flags & PHASE_MASK) == PHASE_ACTIVE &&
	       row->purpose != PURPOSE_TAKEOVER && row->purpose != PURPOSE_YIELD;
}

static void restore_error(struct reservation_part *part, const char *error)
{
	const char *colon = strstr(error, ": ");

	if (!*error)
		return;
	part->reason = colon ? strndup(error, (size_t)(colon - error)) : strdup(error);
	part->detail = colon && colon[2] ? strdup(colon + 2) : NULL;
}

static struct reservation *restore_head(
	struct engine *e, struct device *d, const struct reservation_row *row)
{
	struct reservation *r = reservations_find(&e->reservations, &row->mac);
	uint32_t ip = row->ip ? row->ip : row->old_ip;
	int group = conf_group_of(e->conf, ip || !d ? ip : d->ip);

	if (!r && group >= 0)
		r = reservations_add(&e->reservations, &row->mac, e->conf->groups[group].servers,
			e->conf->groups[group].server_count, believed(e, row->since, 0));
	if (!r)
		return NULL;
	if (group >= 0)
		r->group = (uint16_t)group;
	r->purpose = row->purpose <= PURPOSE_REMOVE ? row->purpose : PURPOSE_ENSURE;
	r->phase = row->flags & PHASE_MASK;
	r->fresh = row->flags & FLAG_FRESH;
	r->mode = row->mode;
	r->peer = row->old_mac;
	r->base_ip = d ? d->ip : row->old_ip;
	if (row->ip && !r->ip)
		reservations_set_ip(&e->reservations, r, row->ip);
	if (d) {
		r->xid = d->xid;
		r->relay = device_relay(&e->devices, d);
		r->device = d;
		d->flags |= DEVICE_HAS_WORK;
	}
	return r;
}

/* What was on its way when we ended may have arrived or not: it is asked for again. */
static void restore_part(struct engine *e, struct reservation *r, struct reservation_part *part,
	const struct reservation_row *row)
{
	uint32_t maybe = 0;

	part->tries = row->tries;
	part->want = row->ip;
	restore_error(part, row->error);
	if (row->flags & FLAG_ACKED)
		r->acked_server = part->server;
	if (row->state == RESERVATION_SENT || row->state == RESERVATION_WAITING)
		maybe = row->ip ? row->ip : row->old_ip;
	reservations_believe(&e->reservations, part,
		row->state == RESERVATION_CONFIRMED ? row->ip : row->old_ip, maybe);
	if (row->state == RESERVATION_REFUSED)
		part->state = RESERVATION_REFUSED;
	else
		reservations_want(&e->reservations, r, part, row->ip);
}

int engine_restore_reservation(struct engine *e, const struct reservation_row *row)
{
	int server = conf_server_by_name(e->conf, row->server);
	struct device *d = device_find(&e->devices, &row->mac);
	struct reservation *r;

	if (server < 0)
		return ERR_NOT_FOUND;
	if (is_final(row))
		return 0;
	r = restore_head(e, d, row);
	for (unsigned i = 0; r && i < r->count; i++)
		if (r->parts[i].server == server)
			restore_part(e, r, &r->parts[i], row);
	e->restored = true;
	return 0;
}
