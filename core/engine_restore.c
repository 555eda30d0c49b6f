/* SPDX-License-Identifier: ISC
 *
 * Out of the store. A reservation of which a row is not confirmed is work to go on with.
 */
#include <stdlib.h>
#include <string.h>

#include "tap82/err.h"

#include "engine_self.h"

/* A time of the store as engine's time, and not later than `latest` from now. */
static int64_t believed(const struct engine *e, int64_t time, int64_t latest)
{
	if (time == 0 || e->now == 0)
		return time;
	time -= e->ahead;
	return time > e->now + latest ? e->now + latest : time;
}

int64_t restored_time(const struct engine *e, int64_t time)
{
	return believed(e, time, 0);
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
	device_learn(&e->devices, d, o, &row->place, believed(e, row->profile_seen_at, 0));
}

static void restore_memo(struct engine *e, struct device *d, const struct device_row *row)
{
	struct memo *memo;

	if (!row->told_ip && !row->failed_ip && !row->first_ip && !row->moved_at &&
		!row->mismatch && !row->stopped_at && mac_is_zero(&row->replaces))
		return;
	memo = device_memo_new(&e->devices, d);
	if (!memo)
		return;
	memo->told_ip = row->told_ip;
	memo->failed_ip = row->failed_ip;
	memo->first_ip = row->first_ip;
	memo->replaces = row->replaces;
	memo->moved_at = believed(e, row->moved_at, 0);
	memo->mismatch = row->mismatch;
	memo->stopped_at = believed(e, row->stopped_at, 0);
	memo->stopped_ip = row->stopped_ip;
	memo->stopped_server_id = row->stopped_server_id;
	memo->stopped_relay = row->stopped_relay;
	memo->stopped_xid = row->stopped_xid;
}

/* A server that is in the configuration no more leaves the pin to the group's first. */
static void restore_acked(struct engine *e, struct device *d, const struct device_row *row)
{
	int server = *row->acked_server ? conf_server_by_name(e->conf, row->acked_server) : -1;

	d->lease_time = row->lease_time;
	device_set_relay(&e->devices, d, row->relay);
	d->last_seen = believed(e, row->last_seen, 0);
	d->acked_at = (uint32_t)(believed(e, row->acked_at, 0) / USEC_PER_SEC);
	d->xid = row->xid;
	d->hold_xid = row->hold_xid;
	d->reason = row->reason < REASONS ? row->reason & 63 : REASON_NONE;
	if (server < 0 && d->acked_group < e->conf->group_count)
		server = e->conf->groups[d->acked_group].servers[0];
	if (server >= 0)
		d->acked_server = (uint8_t)server;
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
	if (row->flags)
		d->flags |= DEVICE_WAS_CONFIRMED;
}

static void restore_hold(struct engine *e, struct device *d, int64_t until)
{
	if (!until || holds_add(&e->holds, until, d->index) < 0)
		return;
	d->hold_until = until;
	d->flags |= DEVICE_HELD;
}

void engine_restore_expect(struct engine *e, uint32_t devices)
{
	device_table_expect(&e->devices, devices);
}

/* The store gives devices in the order of their MACs: one above all that came is none of them. */
static bool is_there(struct engine *e, const struct device_row *row)
{
	if (memcmp(row->mac.b, e->restored_to.b, sizeof(row->mac.b)) <= 0)
		return device_find(&e->devices, &row->mac) != NULL;
	e->restored_to = row->mac;
	return false;
}

/* Reservations come in the same order: it is the device of the last one, or the next, or there is
 * none of some devices. */
static struct device *device_of(struct engine *e, const struct mac *mac)
{
	struct device *d = NULL;

	for (uint32_t i = 0; i < 2; i++) {
		d = device_at(&e->devices, e->restored_at + i);
		if (d && mac_equal(&d->mac, mac))
			break;
		d = NULL;
	}
	if (!d)
		d = device_find(&e->devices, mac);
	if (d)
		e->restored_at = d->index;
	return d;
}

int engine_restore_device(struct engine *e, const struct device_row *row)
{
	int group = *row->group ? conf_group_by_name(e->conf, row->group) : -1;
	struct device_texts texts;
	struct device *d;

	restore_texts(row, &texts);
	if (is_there(e, row) || device_find_serial(&e->devices, row->serial_number))
		return ERR_DUPLICATE;
	d = device_add(&e->devices, &row->mac, &texts);
	if (!d)
		return ERR_FULL;
	d->group = group < 0 ? DEVICE_NO_GROUP : (uint16_t)group;
	restore_ip(e, d, row);
	device_set_state(&e->devices, d,
		row->state <= DEVICE_FAILED ? (enum device_state)row->state : DEVICE_NEW);
	restore_acked(e, d, row);
	restore_profile(e, d, row);
	restore_memo(e, d, row);
	restore_hold(e, d, believed(e, row->hold_until, e->conf->stream_hold));
	return 0;
}

static void restore_error(struct reservation_part *part, const char *error)
{
	const char *colon = strstr(error, ": ");

	if (!*error)
		return;
	part->reason = colon ? strndup(error, (size_t)(colon - error)) : strdup(error);
	part->detail = colon && colon[2] ? strdup(colon + 2) : NULL;
}

/* What a reservation is, beside its parts. */
static void restore_head(struct engine *e, struct reservation *r, struct device *d,
	const struct reservation_row *row)
{
	uint32_t ip = row->ip ? row->ip : row->old_ip;
	int group = conf_group_of(e->conf, ip || !d ? ip : d->ip);

	if (group >= 0 && (row->ip || r->ip == 0))
		r->group = (uint16_t)group;
	r->purpose = row->purpose <= PURPOSE_REMOVE ? row->purpose : PURPOSE_ENSURE;
	r->phase = row->flags & ROW_PHASE;
	r->fresh = row->flags & ROW_FRESH;
	r->announced = row->flags & ROW_ANNOUNCED;
	r->mode = row->mode;
	r->peer = row->old_mac;
	r->xid = row->xid;
	r->relay = row->relay;
	r->base_ip = d ? d->ip : row->old_ip;
	r->acked_server = d ? d->acked_server : r->parts[0].server;
	if (row->ip && !r->ip)
		reservations_set_ip(&e->reservations, r, row->ip);
	if (d) {
		r->device = d;
		d->flags |= DEVICE_HAS_WORK;
	}
}

/* What was on its way when we ended may have arrived or not: it is asked for again. */
static void restore_part(struct engine *e, struct reservation *r, struct reservation_part *part,
	const struct reservation_row *row)
{
	bool open = row->state == RESERVATION_SENT || row->state == RESERVATION_WAITING;
	struct reservation_part known = {
		.state = row->state,
		.have = row->state == RESERVATION_CONFIRMED ? row->ip : row->old_ip,
		.maybe = row->maybe_ip,
		/* A release is of something; version 1 did not say what was on its way. */
		.sent = row->sent_ip || row->old_ip || row->maybe_ip ? row->sent_ip : row->ip,
	};

	part->tries = row->tries;
	part->want = row->ip;
	restore_error(part, row->error);
	if (row->flags & ROW_ACKED)
		r->acked_server = part->server;
	reservations_inherit(&e->reservations, part, &known);
	/* Of what was on its way version 1 says no more. */
	if (open && !part->maybe && !row->sent_ip)
		reservations_believe(
			&e->reservations, part, part->have, row->ip ? row->ip : row->old_ip);
	if (row->state == RESERVATION_REFUSED)
		part->state = RESERVATION_REFUSED;
	else
		reservations_want(&e->reservations, r, part, row->ip);
}

/* Rows of a MAC come one after the other. As long as all are confirmed and over, they say nothing
 * that the device's row does not say: then no reservation is made of them. */
static bool is_final(const struct reservation_row *row)
{
	return row->state == RESERVATION_CONFIRMED && (row->flags & ROW_PHASE) == PHASE_ACTIVE &&
	       row->purpose == PURPOSE_ENSURE;
}

static bool all_final(const struct restoring *rows)
{
	for (unsigned i = 0; i < rows->count; i++)
		if (!is_final(&rows->rows[i]))
			return false;
	return true;
}

static void restore_reservation(struct engine *e, const struct restoring *rows)
{
	struct device *d = device_of(e, &rows->rows[0].mac);
	struct reservation *r = reservations_add(&e->reservations, &rows->rows[0].mac,
		rows->servers, rows->count, believed(e, rows->rows[0].since, 0));

	for (unsigned i = 0; r && i < rows->count; i++)
		if (!is_final(&rows->rows[i]))
			restore_head(e, r, d, &rows->rows[i]);
	for (unsigned i = 0; r && i < rows->count; i++)
		restore_part(e, r, &r->parts[i], &rows->rows[i]);
}

/* Whether its server has this address, as far as is known. */
static bool row_has(const struct reservation_row *row, uint32_t ip)
{
	if (row->state == RESERVATION_CONFIRMED)
		return row->ip == ip;
	return row->old_ip == ip && !(row->state == RESERVATION_REFUSED && row->maybe_ip);
}

/* The bits are of the order in which the servers stood then: the rows have their names. */
static void restore_confirmed(struct engine *e, const struct restoring *rows)
{
	struct device *d = device_of(e, &rows->rows[0].mac);
	const struct conf_group *group;
	uint8_t confirmed = 0;

	if (!d || !(d->flags & DEVICE_WAS_CONFIRMED))
		return;
	d->flags &= (uint8_t)~DEVICE_WAS_CONFIRMED;
	group = &e->conf->groups[d->acked_group];
	for (unsigned i = 0; i < group->server_count; i++)
		for (unsigned k = 0; k < rows->count; k++)
			if (rows->servers[k] == group->servers[i] && row_has(&rows->rows[k], d->ip))
				confirmed = (uint8_t)(confirmed | 1u << i);
	/* On its way to another address it has none for sure, and goes back to this one. */
	if (confirmed || all_final(rows))
		d->confirmed = confirmed;
}

static void restore_rows(struct engine *e)
{
	if (e->restoring->count > 0)
		restore_confirmed(e, e->restoring);
	if (e->restoring->count > 0 && !all_final(e->restoring))
		restore_reservation(e, e->restoring);
	e->restoring->count = 0;
}

int engine_restore_reservation(struct engine *e, const struct reservation_row *row)
{
	int server = conf_server_by_name(e->conf, row->server);
	struct restoring *rows = e->restoring;

	if (server < 0)
		return 0;
	if (!rows)
		rows = e->restoring = calloc(1, sizeof(*rows));
	if (!rows)
		return ERR_FULL;
	if (rows->count > 0 && !mac_equal(&rows->rows[0].mac, &row->mac))
		restore_rows(e);
	if (rows->count == RESERVATION_PARTS_MAX)
		return ERR_FULL;
	rows->servers[rows->count] = (uint8_t)server;
	rows->rows[rows->count++] = *row;
	return 0;
}

void restore_end(struct engine *e)
{
	restore_rows(e);
	free(e->restoring);
	e->restoring = NULL;
	reservations_sort(&e->reservations);
	for (uint32_t i = 0; i < e->reservations.all_room; i++)
		if (reservations_at(&e->reservations, i))
			provision_answered(e, reservations_at(&e->reservations, i));
}
