/* SPDX-License-Identifier: ISC
 *
 * Takeover: the old camera's address is taken off every server that may have it, the newcomer gets
 * it; and it goes back where the second half fails, or when the old camera shows itself.
 */
#include "provision_self.h"

/* Takeover: the old camera's address is taken off every server that may have it. */
void let_yield(struct engine *e, struct reservation *newcomer, struct device *old)
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
	provision_describe(e, r, old, &wish);
	r->peer = newcomer->mac;
	newcomer->peer = old->mac;
	for (unsigned i = 0; i < r->count; i++)
		if (!r->parts[i].have && !r->parts[i].maybe)
			reservations_believe(&e->reservations, &r->parts[i], 0, old->ip);
	want_everywhere(e, r, 0);
}

/* Neither side of a takeover is disturbed before it is settled: the next ACK comes. */
bool is_taking_over(const struct reservation *r)
{
	return r && r->phase == PHASE_ACTIVE &&
	       (r->purpose == PURPOSE_TAKEOVER || r->purpose == PURPOSE_YIELD);
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
	provision_forget(e, yielding);
}

struct reservation *peer_of(struct engine *e, const struct reservation *r)
{
	struct reservation *peer =
		mac_is_zero(&r->peer) ? NULL : reservations_find(&e->reservations, &r->peer);

	return peer && mac_equal(&peer->peer, &r->mac) ? peer : NULL;
}

/* The address goes back to whom it was taken from. */
void undo_takeover(struct engine *e, struct reservation *r, struct device *d)
{
	struct reservation *yielding = peer_of(e, r);
	struct memo *memo = device_memo(&e->devices, d);

	if (memo)
		memo->first_ip = 0;
	if (yielding)
		provision_undo(e, yielding, r->ip);
}

bool provision_is_busy(struct engine *e, const struct device *d)
{
	return is_taking_over(work_of(e, d));
}

bool provision_takes(struct engine *e, const struct device *d, uint32_t ip)
{
	const struct reservation *r = work_of(e, d);

	return is_taking_over(r) && r->purpose == PURPOSE_TAKEOVER && r->ip == ip;
}

void settle_takeover(struct engine *e, struct reservation *r, struct device *d)
{
	struct reservation *yielding = peer_of(e, r);
	const struct reservation_part *part = NULL;
	enum reservation_outcome yielded =
		yielding ? reservation_outcome(yielding, &part) : OUTCOME_DONE;
	enum reservation_outcome got;

	if (yielded == OUTCOME_REFUSED) {
		provision_fail(e, r, part, part->reason ? part->reason : "reservation-failed");
		return;
	}
	got = reservation_outcome(r, &part);
	if (got == OUTCOME_REFUSED) {
		provision_fail(e, r, part, part->reason ? part->reason : "reservation-failed");
	} else if (got == OUTCOME_DONE && yielded == OUTCOME_DONE && !yielding &&
		   is_anothers(e, r, d)) {
		provision_fail(e, r, &r->parts[0], reason_text(REASON_ADDRESS_TAKEN));
	} else if (got == OUTCOME_DONE && yielded == OUTCOME_DONE) {
		if (yielding)
			let_go(e, yielding, r->ip);
		provision_succeed(e, r, d);
		provision_forget(e, r);
	}
}

/* The address is the old camera's again, unless a server does not want that any more. */
void settle_yielded_back(struct engine *e, struct reservation *r)
{
	struct device *d = r->device;
	const struct reservation_part *part;

	if (!d || reservation_outcome(r, &part) != OUTCOME_REFUSED) {
		provision_forget(e, r);
		return;
	}
	provision_fail_told(e, d, d->ip, e->conf->servers[part->server].name, part->reason,
		part->detail, r->xid, r->relay, r->group);
	r->purpose = PURPOSE_ENSURE;
	provision_set_phase(e, r, PHASE_FAILED);
}

/* Somebody takes one of the two cameras away in the middle of it. */
void abort_takeover(struct engine *e, struct reservation *r)
{
	struct reservation *newcomer = r;

	if (r && r->purpose == PURPOSE_YIELD && r->phase == PHASE_ACTIVE)
		newcomer = peer_of(e, r);
	if (!newcomer || newcomer->purpose != PURPOSE_TAKEOVER || newcomer->phase != PHASE_ACTIVE ||
		!newcomer->device)
		return;
	undo_takeover(e, newcomer, newcomer->device);
	provision_undo(e, newcomer, newcomer->device->confirmed ? newcomer->device->ip : 0);
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
