/* SPDX-License-Identifier: ISC
 *
 * A reservation's way begins: what is wished for, on which servers; and what is taken away or
 * pinned again. settle.c goes on with the answers.
 */
#include <stdlib.h>

#include "provision_self.h"

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

bool group_has(const struct engine *e, uint16_t group, uint8_t server)
{
	uint8_t servers[RESERVATION_PARTS_MAX], count = add_group(e, group, servers, 0);

	for (uint8_t i = 0; i < count; i++)
		if (servers[i] == server)
			return true;
	return false;
}

struct reservation_part *part_of(struct reservation *r, uint8_t server)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->parts[i].server == server)
			return &r->parts[i];
	return NULL;
}

/* The device's reservation that is not final, or NULL. */
struct reservation *work_of(struct engine *e, const struct device *d)
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
struct reservation *open_reservation(struct engine *e, struct device *d, uint16_t group)
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

void want_everywhere(struct engine *e, struct reservation *r, uint32_t ip)
{
	for (unsigned i = 0; i < r->count; i++)
		reservations_want(&e->reservations, r, &r->parts[i],
			group_has(e, r->group, r->parts[i].server) ? ip : 0);
}

void provision_describe(
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

static bool is_under_way(const struct reservation *r, const struct wish *wish)
{
	return r && r->phase <= PHASE_PARTIAL && r->ip == wish->ip && r->group == wish->group &&
	       r->purpose != PURPOSE_REMOVE && r->purpose != PURPOSE_YIELD;
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
	provision_describe(e, r, d, wish);
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
	provision_describe(e, r, d, wish);
	for (unsigned i = 0; i < r->count; i++)
		if (r->parts[i].have == wish->ip && !r->parts[i].maybe)
			reservations_believe(&e->reservations, &r->parts[i], wish->ip, wish->ip);
	want_everywhere(e, r, wish->ip);
	mark_dirty(e, d);
	provision_answered(e, r);
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
	provision_describe(e, r, d, &wish);
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
	bool all;

	if (!d)
		return;
	all = d->flags & DEVICE_REPIN_ALL;
	d->flags &= (uint8_t) ~(DEVICE_REPIN | DEVICE_REPIN_ALL);
	if (!d->confirmed || d->flags & DEVICE_HAS_WORK)
		return;
	r = open_reservation(e, d, d->acked_group);
	if (!r)
		return;
	provision_describe(e, r, d,
		&(struct wish){.purpose = PURPOSE_ENSURE,
			.ip = d->ip,
			.group = d->acked_group,
			.acked_server = d->acked_server,
			.xid = d->xid});
	for (unsigned i = 0; i < r->count; i++)
		if (r->parts[i].have == d->ip && (all || r->parts[i].server == repin->server))
			reservations_repin(&e->reservations, r, &r->parts[i]);
	provision_answered(e, r);
}
