/* SPDX-License-Identifier: ISC
 *
 * A reservation's way from the wish to the hand-over, and back where a server says no.
 */
#include <stdlib.h>

#include "engine_self.h"

uint8_t group_mask(const struct engine *e, int group)
{
	unsigned n = group >= 0 && (size_t)group < e->conf->group_count
			     ? e->conf->groups[group].server_count
			     : 0;

	return (uint8_t)((1u << n) - 1);
}

/* Whether the device's address is reserved on this server, as far as is known. */
static bool is_confirmed(const struct engine *e, const struct device *d, uint8_t server)
{
	const struct conf_group *group;

	if (d->acked_group >= e->conf->group_count)
		return false;
	group = &e->conf->groups[d->acked_group];
	for (unsigned i = 0; i < group->server_count; i++)
		if (group->servers[i] == server)
			return d->confirmed >> i & 1;
	return false;
}

static uint8_t add_server(uint8_t *servers, uint8_t count, uint8_t server)
{
	for (uint8_t i = 0; i < count; i++)
		if (servers[i] == server)
			return count;
	if (count < RESERVATION_PARTS_MAX)
		servers[count++] = server;
	return count;
}

static uint8_t add_group(const struct engine *e, uint16_t group, uint8_t *servers, uint8_t count)
{
	if (group >= e->conf->group_count)
		return count;
	for (unsigned i = 0; i < e->conf->groups[group].server_count; i++)
		count = add_server(servers, count, e->conf->groups[group].servers[i]);
	return count;
}

static bool group_has(const struct engine *e, uint16_t group, uint8_t server)
{
	uint8_t servers[RESERVATION_PARTS_MAX], count = add_group(e, group, servers, 0);

	for (uint8_t i = 0; i < count; i++)
		if (servers[i] == server)
			return true;
	return false;
}

static struct reservation_part *part_of(struct reservation *r, uint8_t server)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->parts[i].server == server)
			return &r->parts[i];
	return NULL;
}

/* The device's reservation that is not final, or NULL. */
static struct reservation *work_of(struct engine *e, const struct device *d)
{
	return d->flags & DEVICE_HAS_WORK ? reservations_find(&e->reservations, &d->mac) : NULL;
}

/* What an earlier reservation knew of the servers; an order under way may have any outcome. */
static void carry_over(struct engine *e, struct reservation *to, const struct reservation *from)
{
	for (unsigned i = 0; i < from->count; i++) {
		struct reservation_part *part = part_of(to, from->parts[i].server);

		if (part)
			reservations_inherit(&e->reservations, part, &from->parts[i]);
	}
}

static bool covers(struct reservation *r, const uint8_t *servers, uint8_t count)
{
	for (uint8_t i = 0; i < count; i++)
		if (!part_of(r, servers[i]))
			return false;
	return true;
}

/* The MAC's reservation with parts for the group's servers and for those that have something. */
static struct reservation *open_reservation(struct engine *e, struct device *d, uint16_t group)
{
	struct reservation *old = work_of(e, d), *r;
	uint8_t servers[RESERVATION_PARTS_MAX], count = 0;
	struct reservation *kept = NULL;

	count = add_group(e, group, servers, count);
	for (unsigned i = 0; old && i < old->count; i++)
		count = add_server(servers, count, old->parts[i].server);
	if (d->confirmed)
		count = add_group(e, d->acked_group, servers, count);
	if (old && covers(old, servers, count))
		return old;
	if (old) {
		kept = malloc(sizeof(*old) + old->count * sizeof(old->parts[0]));
		if (!kept)
			return NULL;
		memcpy(kept, old, sizeof(*old) + old->count * sizeof(old->parts[0]));
		reservations_remove(&e->reservations, old);
	}
	r = reservations_add(&e->reservations, &d->mac, servers, count, e->now);
	for (unsigned i = 0; r && i < r->count; i++)
		if (is_confirmed(e, d, r->parts[i].server)) {
			r->parts[i].want = d->ip;
			reservations_believe(&e->reservations, &r->parts[i], d->ip, 0);
		}
	if (r && kept)
		carry_over(e, r, kept);
	free(kept);
	if (r) {
		d->flags |= DEVICE_HAS_WORK;
		r->device = d;
	}
	return r;
}

static void want_everywhere(struct engine *e, struct reservation *r, uint32_t ip)
{
	for (unsigned i = 0; i < r->count; i++)
		reservations_want(&e->reservations, r, &r->parts[i],
			group_has(e, r->group, r->parts[i].server) ? ip : 0);
}

static void describe(
	struct engine *e, struct reservation *r, const struct device *d, const struct wish *wish)
{
	r->purpose = (uint8_t)wish->purpose;
	r->phase = PHASE_ACTIVE;
	r->group = wish->group;
	r->mode = (uint8_t)e->conf->groups[wish->group].reservation;
	r->acked_server = wish->acked_server;
	r->xid = wish->xid;
	r->relay = wish->relay;
	r->base_ip = d->ip;
	r->fresh = d->ip == 0 || d->confirmed == 0;
	r->announced = wish->announced;
	r->peer = (struct mac){{0}};
	reservations_set_ip(&e->reservations, r, wish->ip);
	reservations_restart(&e->reservations, r, e->now);
}

/* Takeover: the old camera's address is taken off every server that may have it. */
static void let_yield(struct engine *e, struct reservation *newcomer, struct device *old)
{
	struct wish wish = {
		.purpose = PURPOSE_YIELD, /* where it goes back if that fails */
		.group = old->acked_group < e->conf->group_count ? old->acked_group
								 : newcomer->group,
		.acked_server = old->acked_at ? old->acked_server : newcomer->acked_server,
		.xid = newcomer->xid,
	};
	struct reservation *r = open_reservation(e, old, newcomer->group);

	if (!r)
		return;
	describe(e, r, old, &wish);
	r->peer = newcomer->mac;
	newcomer->peer = old->mac;
	for (unsigned i = 0; i < r->count; i++)
		if (!r->parts[i].have && !r->parts[i].maybe)
			reservations_believe(&e->reservations, &r->parts[i], old->ip, 0);
	want_everywhere(e, r, 0);
}

static bool is_under_way(const struct reservation *r, const struct wish *wish)
{
	return r && r->phase <= PHASE_PARTIAL && r->ip == wish->ip && r->group == wish->group &&
	       r->purpose != PURPOSE_REMOVE && r->purpose != PURPOSE_YIELD;
}

/* Neither side of a takeover is disturbed before it is settled: the next ACK comes. */
static bool is_taking_over(const struct reservation *r)
{
	return r && r->phase == PHASE_ACTIVE &&
	       (r->purpose == PURPOSE_TAKEOVER || r->purpose == PURPOSE_YIELD);
}

void provision(struct engine *e, struct device *d, const struct wish *wish)
{
	struct reservation *r = work_of(e, d);

	if (is_under_way(r, wish) || (size_t)wish->group >= e->conf->group_count ||
		is_taking_over(r))
		return;
	r = open_reservation(e, d, wish->group);
	if (!r)
		return;
	describe(e, r, d, wish);
	device_set_state(&e->devices, d, DEVICE_RESERVING);
	mark_dirty(e, d);
	if (wish->old)
		let_yield(e, r, wish->old);
	want_everywhere(e, r, wish->ip);
	provision_answered(e, r);
}

/* Asks every server again, also for what it is believed to have. */
void provision_again(struct engine *e, struct device *d, const struct wish *wish)
{
	struct reservation *r = work_of(e, d);
	struct memo *memo = device_memo(&e->devices, d);

	if (is_under_way(r, wish) || is_taking_over(r))
		return;
	if (memo)
		memo->failed_ip = 0;
	r = open_reservation(e, d, wish->group);
	if (!r)
		return;
	describe(e, r, d, wish);
	for (unsigned i = 0; i < r->count; i++)
		if (r->parts[i].have == wish->ip && !r->parts[i].maybe)
			reservations_believe(&e->reservations, &r->parts[i], wish->ip, wish->ip);
	want_everywhere(e, r, wish->ip);
	mark_dirty(e, d);
	provision_answered(e, r);
}

/* --- What is told ------------------------------------------------------------------------------
 */

static void event_of_reservation(struct engine *e, struct event *ev, enum event_code code,
	const struct reservation *r, const struct device *d)
{
	event_of_device(e, ev, code, d, r->ip);
	ev->server = e->conf->servers[r->acked_server].name;
	ev->relay = r->relay;
	ev->group = group_name(e, r->group);
}

static void tell_xid(struct engine *e, struct event *ev, uint32_t xid)
{
	uint8_t happening[4];

	put_u32(happening, xid);
	tell(e, ev, happening, sizeof(happening));
}

void start_hold(struct engine *e, struct device *d, uint32_t xid)
{
	int64_t due = e->now + e->conf->stream_hold;

	if (e->conf->stream_hold == 0 || holds_add(&e->holds, due, d->index) < 0)
		return;
	d->hold_until = due;
	d->hold_xid = xid;
	d->flags |= DEVICE_HELD;
}

void hand_over(struct engine *e, struct device *d, const struct happening *h,
	const struct reservation *r, const char *reason)
{
	struct event ev;

	if (h)
		event_of_happening(e, &ev, EVENT_PROVISION_HANDOFF, h);
	else
		event_of_reservation(e, &ev, EVENT_PROVISION_HANDOFF, r, d);
	if (!ev.option82)
		event_of_profile(e, &ev, d);
	if (d->flags & DEVICE_HELD)
		ev.hold_until = d->hold_until;
	ev.reason = reason;
	tell_xid(e, &ev, h ? h->o->dhcp.xid : r->xid);
}

void provision_fail_told(struct engine *e, struct device *d, uint32_t ip, const char *server,
	const char *reason, const char *detail, uint32_t xid, uint32_t relay, int group)
{
	struct memo *memo = device_memo_new(&e->devices, d);
	struct event ev;

	if (!memo || memo->failed_ip == ip)
		return;
	memo->failed_ip = ip;
	mark_dirty(e, d);
	event_of_device(e, &ev,
		d->ip ? EVENT_DHCP_RESERVATION_UPDATE_FAILED : EVENT_DHCP_RESERVATION_FAILED, d,
		ip);
	ev.server = server;
	ev.relay = relay;
	ev.group = group_name(e, group);
	ev.reason = reason;
	ev.detail = detail;
	tell_xid(e, &ev, xid);
}

/* --- What became of it -------------------------------------------------------------------------
 */

/* A server that refused another address may still have the device's own. */
static bool has_own(const struct reservation_part *p, const struct device *d)
{
	return p->state == RESERVATION_REFUSED
		       ? p->have == d->ip && !p->maybe
		       : p->state == RESERVATION_CONFIRMED && p->want == d->ip;
}

static void note_confirmed(const struct engine *e, const struct reservation *r, struct device *d)
{
	const struct conf_group *group;

	d->confirmed = 0;
	if (d->acked_group >= e->conf->group_count || !d->ip)
		return;
	group = &e->conf->groups[d->acked_group];
	for (unsigned i = 0; i < group->server_count; i++) {
		const struct reservation_part *p =
			part_of((struct reservation *)r, group->servers[i]);

		if (p && has_own(p, d))
			d->confirmed = (uint8_t)(d->confirmed | 1u << i);
	}
}

static void store_parts(struct engine *e, struct reservation *r)
{
	if (!e->ops.reservation)
		return;
	for (unsigned i = 0; i < r->count; i++)
		store_part(e, r, &r->parts[i]);
}

static void set_phase(struct engine *e, struct reservation *r, enum reservation_phase phase)
{
	r->phase = (uint8_t)phase;
	store_parts(e, r);
}

/* It is over: its rows become plain ones of a reservation that stands. */
static void forget(struct engine *e, struct reservation *r)
{
	struct device *d = r->device;

	r->purpose = PURPOSE_ENSURE;
	r->fresh = r->announced = false;
	r->peer = (struct mac){{0}};
	set_phase(e, r, PHASE_ACTIVE);
	if (d)
		d->flags &= (uint8_t)~DEVICE_HAS_WORK;
	reservations_remove(&e->reservations, r);
}

/* The old camera of a takeover has neither address nor port now. */
static void let_go(struct engine *e, struct reservation *yielding, uint32_t ip)
{
	struct device *old = yielding->device;

	if (old) {
		device_set_ip(&e->devices, old, 0);
		device_forget_port(&e->devices, old);
		device_set_state(&e->devices, old, DEVICE_NEW);
		old->confirmed = 0;
		mark_dirty(e, old);
	}
	tell_removed(e, &yielding->mac, ip, yielding->xid, "replacement");
	forget(e, yielding);
}

/* Addresses and holds of the memory of what was told before. */
static void forget_told(struct engine *e, struct device *d)
{
	struct memo *memo = device_memo(&e->devices, d);

	if (memo)
		memo->told_ip = memo->failed_ip = 0;
}

static void tell_hold(struct engine *e, const struct reservation *r, struct device *d)
{
	struct event ev;

	start_hold(e, d, r->xid);
	if (!(d->flags & DEVICE_HELD))
		return;
	event_of_reservation(e, &ev, EVENT_STREAMS_HOLD_STARTED, r, d);
	ev.hold_until = d->hold_until;
	tell_xid(e, &ev, r->xid);
}

/* Meanwhile the inventory may have given the address to another device. */
static bool is_anothers(struct engine *e, const struct reservation *r, const struct device *d)
{
	const struct device *owner = device_find_ip(&e->devices, r->ip);

	return owner && owner != d;
}

/* Rows 10 to 12. */
static void succeed(struct engine *e, struct reservation *r, struct device *d)
{
	bool made = r->purpose != PURPOSE_ENSURE;
	struct event ev;

	if (d->ip != r->ip)
		device_set_ip(&e->devices, d, r->ip);
	d->acked_group = r->group;
	note_confirmed(e, r, d);
	device_set_state(&e->devices, d, DEVICE_PROVISIONED);
	forget_told(e, d);
	mark_dirty(e, d);
	if (made || r->fresh) {
		event_of_reservation(e, &ev,
			r->fresh ? EVENT_DHCP_RESERVATION_CREATED : EVENT_DHCP_RESERVATION_UPDATED,
			r, d);
		if (r->base_ip != r->ip)
			ev.old.ip = r->base_ip;
		tell_xid(e, &ev, r->xid);
	}
	if (!made)
		return;
	tell_hold(e, r, d);
	if (r->purpose != PURPOSE_TAKEOVER)
		hand_over(e, d, NULL, r, NULL);
}

static void undo(struct engine *e, struct reservation *r, uint32_t ip)
{
	r->phase = PHASE_UNDOING;
	reservations_untime(&e->reservations, r);
	for (unsigned i = 0; i < r->count; i++) {
		struct reservation_part *p = &r->parts[i];
		uint32_t before = ip && group_has(e, r->group, p->server) ? ip : 0;

		if (p->state == RESERVATION_REFUSED && p->have == before && !p->maybe)
			p->want = before; /* stays to be shown as refused */
		else
			reservations_want(&e->reservations, r, p, before);
	}
	store_parts(e, r);
}

static bool is_quiet(const struct reservation *r)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->parts[i].state != RESERVATION_CONFIRMED &&
			r->parts[i].state != RESERVATION_REFUSED)
			return false;
	return true;
}

static struct reservation *peer_of(struct engine *e, const struct reservation *r)
{
	struct reservation *peer =
		mac_is_zero(&r->peer) ? NULL : reservations_find(&e->reservations, &r->peer);

	return peer && mac_equal(&peer->peer, &r->mac) ? peer : NULL;
}

/* The address goes back to whom it was taken from. */
static void undo_takeover(struct engine *e, struct reservation *r, struct device *d)
{
	struct reservation *yielding = peer_of(e, r);
	struct memo *memo = device_memo(&e->devices, d);

	if (memo)
		memo->first_ip = 0;
	if (yielding)
		undo(e, yielding, r->ip);
}

static void fail(struct engine *e, struct reservation *r, const struct reservation_part *part,
	const char *reason)
{
	struct device *d = r->device;
	uint32_t before = r->base_ip;

	if (!d) {
		forget(e, r);
		return;
	}
	provision_fail_told(e, d, r->ip, e->conf->servers[part->server].name, reason, part->detail,
		r->xid, r->relay, r->group);
	e->decisions[REASON_RESERVATION_FAILED]++;
	d->reason = REASON_RESERVATION_FAILED;
	device_set_state(
		&e->devices, d, d->ip && d->confirmed ? DEVICE_PROVISIONED : DEVICE_FAILED);
	mark_dirty(e, d);
	if (r->purpose == PURPOSE_TAKEOVER)
		undo_takeover(e, r, d);
	if (r->purpose == PURPOSE_ENSURE || !d->confirmed)
		before = r->purpose == PURPOSE_ENSURE && d->confirmed ? d->ip : 0;
	undo(e, r, before);
	if (is_quiet(r))
		set_phase(e, r, PHASE_FAILED);
}

static void settle_takeover(struct engine *e, struct reservation *r, struct device *d)
{
	struct reservation *yielding = peer_of(e, r);
	const struct reservation_part *part = NULL;
	enum reservation_outcome yielded =
		yielding ? reservation_outcome(yielding, &part) : OUTCOME_DONE;
	enum reservation_outcome got;

	if (yielded == OUTCOME_REFUSED) {
		fail(e, r, part, part->reason ? part->reason : "reservation-failed");
		return;
	}
	got = reservation_outcome(r, &part);
	if (got == OUTCOME_REFUSED) {
		fail(e, r, part, part->reason ? part->reason : "reservation-failed");
	} else if (got == OUTCOME_DONE && yielded == OUTCOME_DONE && !yielding &&
		   is_anothers(e, r, d)) {
		fail(e, r, &r->parts[0], reason_text(REASON_ADDRESS_TAKEN));
	} else if (got == OUTCOME_DONE && yielded == OUTCOME_DONE) {
		if (yielding)
			let_go(e, yielding, r->ip);
		succeed(e, r, d);
		forget(e, r);
	}
}

static void settle_removal(struct engine *e, struct reservation *r)
{
	if (!is_quiet(r))
		return;
	if (!r->fresh)
		tell_removed(e, &r->mac, r->base_ip, r->xid, NULL);
	forget(e, r);
}

static void settle_active(struct engine *e, struct reservation *r)
{
	struct device *d = r->device;
	const struct reservation_part *part;
	enum reservation_outcome outcome = reservation_outcome(r, &part);

	if (!d) {
		if (is_quiet(r))
			forget(e, r);
		return;
	}
	if (outcome != OUTCOME_OPEN && outcome != OUTCOME_REFUSED && is_anothers(e, r, d)) {
		fail(e, r, &r->parts[0], reason_text(REASON_ADDRESS_TAKEN));
		return;
	}
	switch (outcome) {
	case OUTCOME_OPEN: break;
	case OUTCOME_REFUSED:
		fail(e, r, part, part->reason ? part->reason : "reservation-failed");
		break;
	case OUTCOME_PARTIAL:
		succeed(e, r, d);
		set_phase(e, r, PHASE_PARTIAL);
		break;
	case OUTCOME_DONE:
		succeed(e, r, d);
		forget(e, r);
		break;
	}
}

/* Some servers have it and the camera is provisioned; the others get it when they are back. */
static void settle_partial(struct engine *e, struct reservation *r)
{
	struct device *d = r->device;

	if (d) {
		note_confirmed(e, r, d);
		mark_dirty(e, d);
	}
	if (!is_quiet(r))
		return;
	for (unsigned i = 0; d && i < r->count; i++)
		if (r->parts[i].state == RESERVATION_REFUSED) {
			provision_fail_told(e, d, r->ip, e->conf->servers[r->parts[i].server].name,
				r->parts[i].reason, r->parts[i].detail, r->xid, r->relay, r->group);
			set_phase(e, r, PHASE_FAILED);
			return;
		}
	forget(e, r);
}

/* The address is the old camera's again, unless a server does not want that any more. */
static void settle_yielded_back(struct engine *e, struct reservation *r)
{
	struct device *d = r->device;
	const struct reservation_part *part;

	if (!d || reservation_outcome(r, &part) != OUTCOME_REFUSED) {
		forget(e, r);
		return;
	}
	provision_fail_told(e, d, d->ip, e->conf->servers[part->server].name, part->reason,
		part->detail, r->xid, r->relay, r->group);
	r->purpose = PURPOSE_ENSURE;
	set_phase(e, r, PHASE_FAILED);
}

/* What could not be taken back is not confirmed: the next ACK makes sure of it. */
static void settle_undoing(struct engine *e, struct reservation *r)
{
	if (!is_quiet(r))
		return;
	if (r->device) {
		note_confirmed(e, r, r->device);
		mark_dirty(e, r->device);
	}
	if (r->purpose == PURPOSE_YIELD)
		settle_yielded_back(e, r);
	else
		set_phase(e, r, PHASE_FAILED);
}

void provision_answered(struct engine *e, struct reservation *r)
{
	struct device *d = r->device;
	struct reservation *newcomer;

	if (r->phase == PHASE_UNDOING) {
		settle_undoing(e, r);
	} else if (r->phase == PHASE_PARTIAL) {
		settle_partial(e, r);
	} else if (r->phase != PHASE_ACTIVE) {
		return;
	} else if (r->purpose == PURPOSE_REMOVE) {
		settle_removal(e, r);
	} else if (r->purpose == PURPOSE_YIELD) {
		newcomer = peer_of(e, r);
		d = newcomer ? newcomer->device : NULL;
		if (d)
			settle_takeover(e, newcomer, d);
	} else if (r->purpose == PURPOSE_TAKEOVER && d) {
		settle_takeover(e, r, d);
	} else {
		settle_active(e, r);
	}
}

/* --- Deadlines ---------------------------------------------------------------------------------
 */

static const struct reservation_part *first_open(const struct reservation *r)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->parts[i].state != RESERVATION_CONFIRMED)
			return &r->parts[i];
	return &r->parts[0];
}

static void expire(struct engine *e, struct reservation *r)
{
	const struct reservation_part *part = first_open(r);
	struct device *d = r->device;

	if (r->phase == PHASE_ACTIVE && r->purpose != PURPOSE_REMOVE &&
		r->purpose != PURPOSE_YIELD) {
		fail(e, r, part, reason_text(REASON_RESERVATION_FAILED));
	} else if (r->phase == PHASE_PARTIAL && d) {
		provision_fail_told(e, d, r->ip, e->conf->servers[part->server].name,
			reason_text(REASON_RESERVATION_FAILED), part->detail, r->xid, r->relay,
			r->group);
	}
}

void provision_deadlines(struct engine *e)
{
	struct reservation *r;

	while ((r = e->reservations.oldest) && r->since + e->conf->reservation_timeout <= e->now) {
		reservations_untime(&e->reservations, r);
		expire(e, r);
	}
}

int64_t provision_next_deadline(const struct engine *e)
{
	const struct reservation *r = e->reservations.oldest;

	return r ? r->since + e->conf->reservation_timeout : INT64_MAX;
}

/* --- Taking away, pinning again ----------------------------------------------------------------
 */

/* Somebody takes one of the two cameras away in the middle of it. */
static void abort_takeover(struct engine *e, struct reservation *r)
{
	struct reservation *newcomer = r;

	if (r && r->purpose == PURPOSE_YIELD && r->phase == PHASE_ACTIVE)
		newcomer = peer_of(e, r);
	if (!newcomer || newcomer->purpose != PURPOSE_TAKEOVER || newcomer->phase != PHASE_ACTIVE ||
		!newcomer->device)
		return;
	undo_takeover(e, newcomer, newcomer->device);
	undo(e, newcomer, newcomer->device->confirmed ? newcomer->device->ip : 0);
	device_set_state(&e->devices, newcomer->device,
		newcomer->device->confirmed ? DEVICE_PROVISIONED : DEVICE_NEW);
}

static void tell_shared(
	struct engine *e, const struct reservation *newcomer, uint32_t ip, const struct device *old)
{
	struct event ev;
	uint8_t id[10];

	event_of_reservation(e, &ev, EVENT_PORT_SHARED, newcomer, newcomer->device);
	ev.ip = ip;
	ev.old.has_mac = true;
	ev.old.mac = old->mac;
	ev.old.ip = old->ip;
	identity_of(e, old, &ev.old.device);
	put_u32(id, newcomer->xid);
	memcpy(id + 4, old->mac.b, 6);
	tell(e, &ev, id, sizeof(id));
}

/* The newcomer gets the address that dhcpd gave it first, as beside any camera that is alive. */
void provision_heard(struct engine *e, struct device *old)
{
	struct reservation *r = work_of(e, old), *newcomer;
	struct wish wish = {.purpose = PURPOSE_CREATE};
	const struct memo *memo;
	struct device *d;

	if (!r || r->purpose != PURPOSE_YIELD || r->phase != PHASE_ACTIVE)
		return;
	newcomer = peer_of(e, r);
	d = newcomer ? newcomer->device : NULL;
	memo = d ? device_memo(&e->devices, d) : NULL;
	if (!memo || newcomer->announced)
		return;
	wish.ip = memo->first_ip;
	wish.group = newcomer->group;
	wish.acked_server = newcomer->acked_server;
	wish.xid = newcomer->xid;
	wish.relay = newcomer->relay;
	if (d->ip)
		wish.purpose = PURPOSE_UPDATE;
	tell_shared(e, newcomer, wish.ip, old);
	abort_takeover(e, r);
	mark_dirty(e, d);
	if (wish.ip && !is_taken(e, d, wish.ip))
		provision(e, d, &wish);
}

void unprovision(struct engine *e, struct device *d)
{
	struct reservation *r = work_of(e, d);
	struct wish wish = {.purpose = PURPOSE_REMOVE, .group = d->acked_group, .xid = d->xid};

	if (!r && !d->confirmed)
		return;
	abort_takeover(e, r);
	if (wish.group >= e->conf->group_count)
		wish.group = r ? r->group : 0;
	r = open_reservation(e, d, wish.group);
	if (!r)
		return;
	describe(e, r, d, &wish);
	want_everywhere(e, r, 0);
	d->confirmed = 0;
	provision_answered(e, r);
}

void provision_device_gone(struct engine *e, struct device *d)
{
	struct reservation *r = work_of(e, d);

	abort_takeover(e, r);
	if (e->conf->on_removal == CONF_REMOVAL_RELEASE)
		unprovision(e, d);
	r = work_of(e, d);
	if (r)
		r->device = NULL;
}

void provision_repin(struct engine *e, const struct repin *repin)
{
	struct device *d = device_find(&e->devices, &repin->mac);
	struct reservation *r;

	if (!d || !d->confirmed || d->flags & DEVICE_HAS_WORK)
		return;
	r = open_reservation(e, d, d->acked_group);
	if (!r)
		return;
	describe(e, r, d,
		&(struct wish){.purpose = PURPOSE_ENSURE,
			.ip = d->ip,
			.group = d->acked_group,
			.acked_server = d->acked_server,
			.xid = d->xid});
	for (unsigned i = 0; i < r->count; i++)
		if (r->parts[i].have == d->ip &&
			(repin->all || r->parts[i].server == repin->server))
			reservations_repin(&e->reservations, r, &r->parts[i]);
	provision_answered(e, r);
}
