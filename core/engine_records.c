/* SPDX-License-Identifier: ISC
 *
 * Answers to questions: records for the API and the command line.
 */
#include <stdio.h>

#include "tap82/err.h"

#include "engine_self.h"

static void write_text(struct writer *w, const char *key, const char *text)
{
	if (text && *text)
		writer_str(w, key, text);
}

static void write_ip(struct writer *w, const char *key, uint32_t ip)
{
	if (ip)
		writer_ipv4(w, key, ip);
}

static void write_time(const struct engine *e, struct writer *w, const char *key, int64_t time)
{
	if (time)
		writer_time(w, key, shown(e, time));
}

static void write_error(struct writer *w, const struct reservation_part *part)
{
	char text[512];

	if (!part->reason)
		return;
	snprintf(text, sizeof(text), "%s%s%s", part->reason, part->detail ? ": " : "",
		part->detail ? part->detail : "");
	writer_str(w, "error", text);
}

static void write_part(struct engine *e, struct writer *w, const struct reservation *r,
	const struct reservation_part *part)
{
	writer_object_begin(w, NULL);
	writer_str(w, "server", e->conf->servers[part->server].name);
	writer_str(w, "mode", conf_reservation_text((enum conf_reservation)r->mode));
	writer_str(w, "state", reservation_part_text(part));
	write_error(w, part);
	writer_u64(w, "tries", part->tries);
	writer_object_end(w);
}

/* Final ones: the bits of `confirmed`. */
static void write_confirmed(struct engine *e, struct writer *w, const struct device *d)
{
	const struct conf_group *group;

	if (d->acked_group >= e->conf->group_count)
		return;
	group = &e->conf->groups[d->acked_group];
	for (unsigned i = 0; i < group->server_count; i++) {
		if (!(d->confirmed >> i & 1))
			continue;
		writer_object_begin(w, NULL);
		writer_str(w, "server", e->conf->servers[group->servers[i]].name);
		writer_str(w, "mode", conf_reservation_text(group->reservation));
		writer_str(w, "state", reservation_state_text(RESERVATION_CONFIRMED));
		writer_object_end(w);
	}
}

static void write_reservation(struct engine *e, struct writer *w, const struct device *d)
{
	const struct reservation *r = reservations_find(&e->reservations, &d->mac);

	if (!r && !d->confirmed)
		return;
	writer_list_begin(w, "reservation");
	for (unsigned i = 0; r && i < r->count; i++)
		write_part(e, w, r, &r->parts[i]);
	if (!r)
		write_confirmed(e, w, d);
	writer_list_end(w);
}

static void write_profile(struct engine *e, struct writer *w, const struct device *d)
{
	int64_t seen_at;

	if (!device_profile(&e->devices, d, &e->profile, &seen_at))
		return;
	writer_object_begin(w, "profile");
	option82_record(w, "option82", &e->profile,
		device_place(&e->devices, d, &e->profile_place) ? &e->profile_place : NULL);
	write_time(e, w, "seen_at", seen_at);
	writer_object_end(w);
}

static void write_device(struct engine *e, const struct device *d, struct writer *w)
{
	const struct memo *memo = device_memo(&e->devices, d);
	bool held = d->flags & DEVICE_HELD;
	struct device_texts texts;

	device_texts(&e->devices, d, &texts);
	writer_begin(w);
	writer_mac(w, "mac", &d->mac);
	write_text(w, "serial_number", texts.serial_number);
	write_text(w, "uuid", texts.uuid);
	write_text(w, "name", texts.name);
	write_text(
		w, "group", group_name(e, d->group != DEVICE_NO_GROUP ? d->group : d->acked_group));
	write_ip(w, "ip", d->ip);
	writer_str(w, "state", device_state_text((enum device_state)d->state));
	write_profile(e, w, d);
	write_time(e, w, "last_seen", d->last_seen);
	write_time(e, w, "hold_until", held ? d->hold_until : 0);
	writer_str(w, "manual_streams", held ? "held" : "allowed");
	if (memo && !mac_is_zero(&memo->replaces))
		writer_mac(w, "replaces", &memo->replaces);
	write_reservation(e, w, d);
	writer_end(w);
}

int engine_device_write(struct engine *e, const struct mac *mac, struct writer *w)
{
	const struct device *d = device_find(&e->devices, mac);

	if (!d)
		return ERR_NOT_FOUND;
	write_device(e, d, w);
	return 0;
}

int engine_devices_write(
	struct engine *e, const char *state, uint32_t *cursor, size_t limit, struct writer *w)
{
	for (; *cursor < e->devices.used && limit > 0; ++*cursor, limit--) {
		const struct device *d = device_at(&e->devices, *cursor);

		if (d && (!state || strcmp(state, device_state_text((enum device_state)d->state)) ==
					    0))
			write_device(e, d, w);
	}
	return *cursor < e->devices.used;
}

/* --- Reservations ------------------------------------------------------------------------------
 */

static void begin_reservation(struct engine *e, struct writer *w, const struct mac *mac,
	const struct device *d, uint32_t ip)
{
	struct device_texts texts;

	writer_begin(w);
	writer_mac(w, "mac", mac);
	if (d) {
		device_texts(&e->devices, d, &texts);
		write_text(w, "name", texts.name);
	}
	write_ip(w, "ip", ip);
}

static void write_work(struct engine *e, struct writer *w, const struct reservation *r,
	const struct reservation_part *part)
{
	const struct device *d = device_find(&e->devices, &r->mac);
	const struct server_queue *q = &e->reservations.queues[part->server];

	begin_reservation(e, w, &r->mac, d, part->want ? part->want : part->have);
	writer_str(w, "server", e->conf->servers[part->server].name);
	writer_str(w, "mode", conf_reservation_text((enum conf_reservation)r->mode));
	writer_str(w, "state", reservation_part_text(part));
	writer_str(w, "purpose", reservation_purpose_text((enum reservation_purpose)r->purpose));
	write_time(e, w, "since", r->since);
	if (part->state == RESERVATION_WAITING && q->blocked_until > e->now)
		write_time(e, w, "next_try", q->blocked_until);
	writer_u64(w, "tries", part->tries);
	write_error(w, part);
	writer_end(w);
}

static void write_final(struct engine *e, struct writer *w, const struct device *d, unsigned i)
{
	const struct conf_group *group = &e->conf->groups[d->acked_group];

	begin_reservation(e, w, &d->mac, d, d->ip);
	writer_str(w, "server", e->conf->servers[group->servers[i]].name);
	writer_str(w, "mode", conf_reservation_text(group->reservation));
	writer_str(w, "state", reservation_state_text(RESERVATION_CONFIRMED));
	writer_end(w);
}

/* First those that are not final, then the devices' own. */
int engine_reservations_write(struct engine *e, uint32_t *cursor, size_t limit, struct writer *w)
{
	uint32_t works = e->reservations.all_room;

	for (; *cursor < works && limit > 0; ++*cursor, limit--) {
		const struct reservation *r = reservations_at(&e->reservations, *cursor);

		for (unsigned i = 0; r && i < r->count; i++)
			write_work(e, w, r, &r->parts[i]);
	}
	for (; *cursor - works < e->devices.used && limit > 0 && *cursor >= works;
		++*cursor, limit--) {
		const struct device *d = device_at(&e->devices, *cursor - works);

		if (!d || d->acked_group >= e->conf->group_count || d->flags & DEVICE_HAS_WORK)
			continue;
		for (unsigned i = 0; i < 8; i++)
			if (d->confirmed >> i & 1)
				write_final(e, w, d, i);
	}
	return *cursor < works + e->devices.used;
}

int engine_reserved_each(struct engine *e, uint8_t server, uint32_t *cursor, size_t limit,
	engine_reserved_fn fn, void *ctx)
{
	for (; *cursor < e->devices.used && limit > 0; ++*cursor) {
		const struct device *d = device_at(&e->devices, *cursor);
		const struct conf_group *group;

		if (!d || !d->confirmed || d->acked_group >= e->conf->group_count)
			continue;
		group = &e->conf->groups[d->acked_group];
		for (unsigned i = 0; i < group->server_count; i++) {
			if (group->servers[i] != server || !(d->confirmed >> i & 1))
				continue;
			fn(ctx, &d->mac, d->ip, group->reservation, d->acked_server == server);
			limit--;
		}
	}
	return *cursor < e->devices.used;
}

/* --- MAC addresses in no table ------------------------------------------------------------------
 */

static void write_place(struct engine *e, struct writer *w, const struct mac *mac)
{
	const struct session *session = session_find(&e->sessions, mac);

	if (session && session_place(session, &e->place))
		place_record(w, "place", &e->place);
}

static void write_unknown(struct engine *e, struct writer *w, const struct unknown *u)
{
	int server = u->server_id ? conf_server_by_id(e->conf, u->server_id) : -1;

	writer_begin(w);
	writer_mac(w, "mac", &u->mac);
	write_time(e, w, "first_seen", u->first_seen);
	write_time(e, w, "last_seen", u->last_seen);
	write_ip(w, "ip", u->ip);
	if (server >= 0)
		writer_str(w, "server", e->conf->servers[server].name);
	else
		write_ip(w, "server", u->server_id);
	write_ip(w, "relay", u->relay);
	write_text(w, "group", u->ip ? group_name(e, conf_group_of(e->conf, u->ip)) : NULL);
	if (u->option82)
		option82_record(w, "option82", u->option82, &u->port);
	write_place(e, w, &u->mac);
	if (u->hostname_len)
		writer_text(w, "hostname", u->texts, u->hostname_len);
	if (u->vendor_class_len)
		writer_text(
			w, "vendor_class", u->texts + OBSERVATION_TEXT_MAX, u->vendor_class_len);
	write_text(w, "reason", reason_text((enum reason)u->reason));
	writer_end(w);
}

/* Newest first: the tables are in order of last_seen. */
static struct unknown *newest(struct unknown *head)
{
	return head ? ELMT_FROM_HH(head->hh.tbl, head->hh.tbl->tail) : NULL;
}

static struct unknown *before(struct unknown *u)
{
	return u->hh.prev;
}

void engine_unknown_write(struct engine *e, struct writer *w)
{
	struct unknown *a = newest(e->unknowns.acked), *h = newest(e->unknowns.heard);

	while (a || h) {
		if (a && (!h || a->last_seen >= h->last_seen)) {
			write_unknown(e, w, a);
			a = before(a);
		} else {
			write_unknown(e, w, h);
			h = before(h);
		}
	}
}

/* --- Figures -----------------------------------------------------------------------------------
 */

static uint32_t count_work(const struct engine *e)
{
	uint32_t n = 0;

	for (const struct reservation *r = e->reservations.oldest; r; r = r->newer)
		n += r->phase == PHASE_ACTIVE;
	return n;
}

void engine_stats(const struct engine *e, struct engine_stats *ret)
{
	*ret = (struct engine_stats){
		.observations = e->observations,
		.acks = e->acks,
		.untold = e->untold,
		.devices = e->devices.count,
		.devices_new = e->devices.states[DEVICE_NEW],
		.devices_reserving = e->devices.states[DEVICE_RESERVING],
		.devices_provisioned = e->devices.states[DEVICE_PROVISIONED],
		.devices_failed = e->devices.states[DEVICE_FAILED],
		.unknown = HASH_COUNT(e->unknowns.heard) + HASH_COUNT(e->unknowns.acked),
		.transactions = e->transactions.count,
		.sessions = e->sessions.count,
		.transactions_dropped = e->transactions.dropped,
		.sessions_dropped = e->sessions.dropped,
		.unknown_dropped = e->unknowns.dropped,
		.holds = e->holds.count,
		.work = count_work(e),
		.legs = e->legs,
		.leg_time = e->leg_time,
	};
	memcpy(ret->decisions, e->decisions, sizeof(e->decisions));
	memcpy(ret->events, e->events, sizeof(e->events));
}

const char *engine_reason_text(unsigned i)
{
	return i < REASONS ? reason_text((enum reason)i) : NULL;
}

void engine_server_stats(const struct engine *e, uint8_t server, struct engine_server_stats *ret)
{
	const struct server_queue *q = &e->reservations.queues[server];

	*ret = (struct engine_server_stats){
		.state = q->state,
		.queued = q->queued,
		.sent = q->sent,
		.done = q->done,
		.refused = q->refused,
		.not_now = q->not_now,
	};
}
