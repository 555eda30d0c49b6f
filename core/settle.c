/* SPDX-License-Identifier: ISC
 *
 * What became of a reservation: told, handed over, undone, or tried again until its deadline.
 */
#include "provision_self.h"

void event_of_reservation(struct engine *e, struct event *ev, enum event_code code,
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

void provision_set_phase(struct engine *e, struct reservation *r, enum reservation_phase phase)
{
	r->phase = (uint8_t)phase;
	store_parts(e, r);
}

/* It is over: its rows become plain ones of a reservation that stands. */
void provision_forget(struct engine *e, struct reservation *r)
{
	struct device *d = r->device;

	r->purpose = PURPOSE_ENSURE;
	r->fresh = r->announced = false;
	r->peer = (struct mac){{0}};
	provision_set_phase(e, r, PHASE_ACTIVE);
	if (d)
		d->flags &= (uint8_t)~DEVICE_HAS_WORK;
	reservations_remove(&e->reservations, r);
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
bool is_anothers(struct engine *e, const struct reservation *r, const struct device *d)
{
	const struct device *owner = device_find_ip(&e->devices, r->ip);

	return owner && owner != d;
}

/* A camera that has shown the address that it takes over waits for nothing more. */
static void hand_over_taken(struct engine *e, const struct reservation *r, struct device *d)
{
	struct memo *memo = device_memo(&e->devices, d);

	if (!memo || memo->first_ip != r->ip)
		return;
	memo->first_ip = 0;
	hand_over(e, d, NULL, r, "replacement");
}

/* Rows 10 to 12. */
void provision_succeed(struct engine *e, struct reservation *r, struct device *d)
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
	else
		hand_over_taken(e, r, d);
}

void provision_undo(struct engine *e, struct reservation *r, uint32_t ip)
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

void provision_fail(struct engine *e, struct reservation *r, const struct reservation_part *part,
	const char *reason)
{
	struct device *d = r->device;
	uint32_t before = r->base_ip;

	if (!d) {
		provision_forget(e, r);
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
	provision_undo(e, r, before);
	if (is_quiet(r))
		provision_set_phase(e, r, PHASE_FAILED);
}

static void settle_removal(struct engine *e, struct reservation *r)
{
	if (!is_quiet(r))
		return;
	if (!r->fresh)
		tell_removed(e, &r->mac, r->base_ip, r->xid, NULL);
	provision_forget(e, r);
}

static void settle_active(struct engine *e, struct reservation *r)
{
	struct device *d = r->device;
	const struct reservation_part *part;
	enum reservation_outcome outcome = reservation_outcome(r, &part);

	if (!d) {
		if (is_quiet(r))
			provision_forget(e, r);
		return;
	}
	if (outcome != OUTCOME_OPEN && outcome != OUTCOME_REFUSED && is_anothers(e, r, d)) {
		provision_fail(e, r, &r->parts[0], reason_text(REASON_ADDRESS_TAKEN));
		return;
	}
	switch (outcome) {
	case OUTCOME_OPEN: break;
	case OUTCOME_REFUSED:
		provision_fail(e, r, part, part->reason ? part->reason : "reservation-failed");
		break;
	case OUTCOME_PARTIAL:
		provision_succeed(e, r, d);
		provision_set_phase(e, r, PHASE_PARTIAL);
		break;
	case OUTCOME_DONE:
		provision_succeed(e, r, d);
		provision_forget(e, r);
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
			provision_set_phase(e, r, PHASE_FAILED);
			return;
		}
	provision_forget(e, r);
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
		provision_set_phase(e, r, PHASE_FAILED);
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
		provision_fail(e, r, part, reason_text(REASON_RESERVATION_FAILED));
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
