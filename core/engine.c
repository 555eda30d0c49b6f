/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "engine_self.h"

static void give_order(void *ctx, const struct order *order)
{
	struct engine *e = ctx;

	if (e->ops.order)
		e->ops.order(e->ctx, order);
}

struct engine *engine_new(const struct conf *conf, const struct engine_ops *ops, void *ctx)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->conf = conf;
	e->ops = *ops;
	e->ctx = ctx;
	device_table_init(&e->devices);
	transactions_init(&e->transactions, TRANSACTIONS_MAX);
	sessions_init(&e->sessions, SESSIONS_MAX);
	unknowns_init(&e->unknowns, UNKNOWN_MAX);
	reservations_init(&e->reservations, give_order, store_part, e);
	return e;
}

static void free_strangers(struct engine *e)
{
	struct stranger *s, *next;

	HASH_ITER (hh, e->strangers, s, next) {
		HASH_DEL(e->strangers, s);
		free(s);
	}
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	reservations_done(&e->reservations);
	device_table_done(&e->devices);
	transactions_done(&e->transactions);
	sessions_done(&e->sessions);
	unknowns_done(&e->unknowns);
	holds_done(&e->holds);
	free_strangers(e);
	free(e->restoring);
	free(e->repins);
	free(e->dirty);
	free(e);
}

/* --- Ends of a call ----------------------------------------------------------------------------
 */

void mark_dirty(struct engine *e, struct device *d)
{
	if (!e->ops.device || d->flags & DEVICE_DIRTY)
		return;
	if (e->dirty_count == e->dirty_room) {
		uint32_t room = e->dirty_room ? 2 * e->dirty_room : 64;
		uint32_t *dirty = realloc(e->dirty, room * sizeof(*dirty));

		if (!dirty)
			return;
		e->dirty = dirty;
		e->dirty_room = room;
	}
	d->flags |= DEVICE_DIRTY;
	e->dirty[e->dirty_count++] = d->index;
}

void engine_settle(struct engine *e)
{
	reservations_pump(&e->reservations, e->now);
	for (uint32_t i = 0; i < e->dirty_count; i++) {
		struct device *d = device_at(&e->devices, e->dirty[i]);

		if (!d || !(d->flags & DEVICE_DIRTY))
			continue;
		d->flags &= (uint8_t)~DEVICE_DIRTY;
		store_device(e, d);
	}
	e->dirty_count = 0;
}

/* --- Time --------------------------------------------------------------------------------------
 */

static void end_hold(struct engine *e, const struct hold *hold)
{
	struct device *d = device_at(&e->devices, hold->index);
	struct event ev;
	uint8_t xid[4];

	if (!d || !(d->flags & DEVICE_HELD) || d->hold_until != hold->due)
		return;
	d->flags &= (uint8_t)~DEVICE_HELD;
	d->hold_until = 0;
	mark_dirty(e, d);
	event_of_device(e, &ev, EVENT_STREAMS_HOLD_ENDED, d, d->ip);
	ev.time = hold->due;
	put_u32(xid, d->hold_xid);
	tell(e, &ev, xid, sizeof(xid));
}

/* Holds end one after the other when they began so; their devices are all over the table. */
#define HOLDS_AHEAD 8

static void look_ahead_of_holds(struct engine *e)
{
	const struct holds *h = &e->holds;

	if (h->count <= HOLDS_AHEAD)
		return;
	device_ahead_at(&e->devices, holds_at(h, HOLDS_AHEAD)->index);
	device_ahead_at_go_on(&e->devices, holds_at(h, HOLDS_AHEAD / 2)->index);
}

static void end_holds(struct engine *e)
{
	while (holds_next(&e->holds) <= e->now) {
		struct hold hold;

		look_ahead_of_holds(e);
		hold = holds_take(&e->holds);
		end_hold(e, &hold);
	}
}

static void do_repins(struct engine *e)
{
	uint32_t done = 0;

	while (done < e->repin_count && e->repins[done].due <= e->now)
		provision_repin(e, &e->repins[done++]);
	if (done == 0)
		return;
	e->repin_count -= done;
	memmove(e->repins, e->repins + done, e->repin_count * sizeof(e->repins[0]));
}

/* Time never runs back: what comes late has the time of what came before it. */
static void advance(struct engine *e, int64_t now)
{
	if (e->started == 0)
		e->started = now;
	if (now > e->now)
		e->now = now;
	end_holds(e);
	do_repins(e);
	provision_deadlines(e);
	transactions_expire(&e->transactions, e->now);
	sessions_expire(&e->sessions, e->now);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What runs is stored with the times that it has now. */
static void store_what_runs(struct engine *e)
{
	for (uint32_t i = 0; i < e->holds.count; i++) {
		struct device *d = device_at(&e->devices, holds_at(&e->holds, i)->index);

		if (d && d->flags & DEVICE_HELD)
			mark_dirty(e, d);
	}
	for (struct reservation *r = e->reservations.oldest; r; r = r->newer)
		for (unsigned i = 0; i < r->count; i++)
			store_part(e, r, &r->parts[i]);
	engine_settle(e);
}

void engine_clock(struct engine *e, int64_t now, int64_t ahead)
{
	bool was_set = e->now != 0 && ahead != e->ahead;

	e->ahead = ahead;
	if (now > e->now)
		e->now = now;
	if (was_set)
		store_what_runs(e);
}

int64_t engine_tick(struct engine *e, int64_t now)
{
	int64_t next;

	if (now > e->now)
		e->now = now;
	if (e->restoring)
		restore_end(e);
	advance(e, now);
	next = reservations_pump(&e->reservations, e->now);
	engine_settle(e);
	next = earlier(next, holds_next(&e->holds));
	next = earlier(next, provision_next_deadline(e));
	if (e->repin_count)
		next = earlier(next, e->repins[0].due);
	return next;
}

/* --- Observations ------------------------------------------------------------------------------
 */

static void add_repin(struct engine *e, struct device *d, int server)
{
	if (e->repin_count == e->repin_room) {
		uint32_t room = e->repin_room ? 2 * e->repin_room : 16;
		struct repin *repins = realloc(e->repins, room * sizeof(*repins));

		if (!repins)
			return;
		e->repins = repins;
		e->repin_room = room;
	}
	d->flags |= DEVICE_REPIN;
	if (server < 0)
		d->flags |= DEVICE_REPIN_ALL;
	e->repins[e->repin_count++] = (struct repin){.due = e->now + REPIN_AFTER,
		.mac = d->mac,
		.server = server < 0 ? 0 : (uint8_t)server};
}

/* Anybody can write RELEASEs of a camera: of many, one is waited for. */
static void on_release(struct engine *e, const struct observation *o)
{
	struct device *d = device_find(&e->devices, &o->mac);

	if (!d || !d->ip || d->ip != o->dhcp.ciaddr || !d->confirmed)
		return;
	if (d->flags & DEVICE_REPIN)
		d->flags |= DEVICE_REPIN_ALL;
	else
		add_repin(e, d, conf_server_by_id(e->conf, o->dhcp.server_id));
}

static void on_decline(struct engine *e, const struct observation *o, struct transaction *tx)
{
	const struct device *d = device_find(&e->devices, &o->mac);
	uint32_t ip = o->dhcp.requested_ip ? o->dhcp.requested_ip : o->dhcp.ciaddr;
	int server = conf_server_by_id(e->conf, o->dhcp.server_id);
	struct event ev;
	uint8_t xid[4];

	if (!d || (tx && tx->declined_ip == ip))
		return;
	if (tx)
		tx->declined_ip = ip;
	event_of_device(e, &ev, EVENT_CAMERA_DECLINED, d, ip);
	ev.server = server >= 0 ? e->conf->servers[server].name : NULL;
	ev.relay = o->dhcp.giaddr;
	ev.group = group_name(e, conf_group_of(e->conf, ip));
	ev.detail = "the camera found the address in use; its reservation stays";
	put_u32(xid, o->dhcp.xid);
	tell(e, &ev, xid, sizeof(xid));
}

static void heard(struct engine *e, const struct observation *o, struct device *d)
{
	if (d)
		d->last_seen = e->now;
	else if (o->kind == OBSERVATION_DHCP && !o->dhcp.is_reply)
		unknown_observe(&e->unknowns, o, e->now);
}

/* Others ask about a camera, too: only its own exchanges are signs of it. */
static bool is_of_the_client(uint8_t type)
{
	return type <= DHCP_INFORM;
}

static void on_dhcp(struct engine *e, const struct observation *o)
{
	struct transaction *tx;
	struct device *d;

	if (!o->dhcp.has_mac || o->dhcp.type == 0 || !is_of_the_client(o->dhcp.type) ||
		mac_is_zero(&o->mac))
		return;
	tx = transaction_observe(&e->transactions, o, e->now);
	d = ahead_device(e, &o->mac);
	if (d && d->flags & DEVICE_HAS_WORK)
		provision_heard(e, d);
	switch (o->dhcp.type) {
	case DHCP_ACK:
		e->acks++;
		engine_ack(e, o, d, tx);
		break;
	case DHCP_RELEASE: on_release(e, o); break;
	case DHCP_DECLINE: on_decline(e, o, tx); break;
	default: break;
	}
	heard(e, o, d);
}

static void on_radius(struct engine *e, const struct observation *o)
{
	struct device *d = o->radius.has_mac ? device_find(&e->devices, &o->mac) : NULL;
	bool moved = false;
	struct session *session = session_observe(&e->sessions, o, e->now, &moved);

	if (!d || !session)
		return;
	if (!session->ended) {
		heard(e, o, d);
		provision_heard(e, d);
	}
	if (moved && device_profile(&e->devices, d, &e->profile, NULL))
		check_places(e, d, &e->profile,
			device_place(&e->devices, d, &e->profile_place) ? &e->profile_place : NULL,
			d->ip);
}

void engine_observe(struct engine *e, const struct observation *o)
{
	if (observation_check(o, observation_size(o)) < 0)
		return;
	e->observations++;
	ahead_came(e, o);
	advance(e, o->time);
	if (o->kind == OBSERVATION_DHCP)
		on_dhcp(e, o);
	else if (o->kind == OBSERVATION_RADIUS)
		on_radius(e, o);
	engine_settle(e);
}

void engine_answer(struct engine *e, const struct answer *answer, int64_t now)
{
	struct reservation *r;

	advance(e, now);
	r = reservations_answer(&e->reservations, answer, e->now);
	if (r)
		provision_answered(e, r);
	engine_settle(e);
}

void engine_server_room(struct engine *e, uint8_t server, uint32_t orders)
{
	e->reservations.queues[server].room = orders;
}

void engine_server_state(
	struct engine *e, uint8_t server, enum server_state state, const char *detail, int64_t now)
{
	static const enum event_code codes[] = {
		[SERVER_UP] = EVENT_SERVER_RECOVERED,
		[SERVER_UNREACHABLE] = EVENT_SERVER_UNREACHABLE,
		[SERVER_REFUSED] = EVENT_SERVER_REFUSED,
	};
	enum server_state before = e->reservations.queues[server].state;

	if (now > e->now)
		e->now = now;
	e->reservations.queues[server].trial = false;
	if (state != before) {
		reservations_server(&e->reservations, server, state, e->now);
		engine_tell(e, codes[state], e->conf->servers[server].name, detail, now);
	}
	engine_settle(e);
}

void engine_server_trial(struct engine *e, uint8_t server, int64_t now)
{
	if (now > e->now)
		e->now = now;
	reservations_server_trial(&e->reservations, server, e->now);
	engine_settle(e);
}
