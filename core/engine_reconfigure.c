/* SPDX-License-Identifier: ISC
 *
 * Another configuration while the engine runs: what is known by index of a group or server goes on
 * under the index of the same name.
 */
#include <stdlib.h>

#include "engine_self.h"

#define GONE 0xffff

struct renumbering {
	const struct conf *from, *to;
	uint16_t groups[UINT16_MAX], servers[ENGINE_SERVERS_MAX];
};

static uint16_t new_group(const struct renumbering *n, size_t old)
{
	int i = conf_group_by_name(n->to, n->from->groups[old].name);

	return i < 0 ? GONE : (uint16_t)i;
}

static uint16_t new_server(const struct renumbering *n, size_t old)
{
	int i = conf_server_by_name(n->to, n->from->servers[old].name);

	return i < 0 ? GONE : (uint16_t)i;
}

static void renumber(struct renumbering *n)
{
	for (size_t i = 0; i < n->from->group_count && i < UINT16_MAX; i++)
		n->groups[i] = new_group(n, i);
	for (size_t i = 0; i < n->from->server_count; i++)
		n->servers[i] = new_server(n, i);
}

static uint16_t group_of(const struct renumbering *n, uint16_t old)
{
	return old < n->from->group_count ? n->groups[old] : DEVICE_NO_GROUP;
}

/* The bits of `confirmed` follow their servers. */
static uint8_t confirmed_of(const struct renumbering *n, const struct device *d, uint16_t group)
{
	const struct conf_group *from, *to;
	uint8_t bits = 0;

	if (d->acked_group >= n->from->group_count || group >= n->to->group_count)
		return 0;
	from = &n->from->groups[d->acked_group];
	to = &n->to->groups[group];
	for (unsigned i = 0; i < from->server_count; i++)
		for (unsigned k = 0; k < to->server_count && (d->confirmed >> i & 1); k++)
			if (n->servers[from->servers[i]] == to->servers[k])
				bits = (uint8_t)(bits | 1u << k);
	return bits;
}

static void renumber_device(const struct renumbering *n, struct device *d)
{
	uint16_t group = group_of(n, d->acked_group);

	d->confirmed = confirmed_of(n, d, group);
	d->acked_group = group;
	d->group = group_of(n, d->group);
	if (d->acked_server < n->from->server_count && n->servers[d->acked_server] != GONE)
		d->acked_server = (uint8_t)n->servers[d->acked_server];
	else
		d->acked_server = 0;
}

/* Parts on servers that are gone are over: nobody can be asked any more. */
static void renumber_reservation(const struct renumbering *n, struct reservation *r)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < r->count; i++) {
		struct reservation_part *part = &r->parts[i];

		if (n->servers[part->server] == GONE) {
			free(part->reason);
			free(part->detail);
			continue;
		}
		part->server = (uint8_t)n->servers[part->server];
		r->parts[kept++] = *part;
	}
	r->count = kept;
	if (n->servers[r->acked_server] != GONE)
		r->acked_server = (uint8_t)n->servers[r->acked_server];
	else
		r->acked_server = 0;
	r->group = group_of(n, r->group);
}

static void renumber_queues(struct engine *e, const struct renumbering *n)
{
	struct server_queue *queues = calloc(ENGINE_SERVERS_MAX, sizeof(*queues));

	for (unsigned i = 0; queues && i < ENGINE_SERVERS_MAX; i++)
		queues[i].room = e->reservations.queues[0].room;
	for (size_t i = 0; queues && i < n->from->server_count; i++)
		if (n->servers[i] != GONE)
			queues[n->servers[i]] = e->reservations.queues[i];
	for (unsigned i = 0; queues && i < ENGINE_SERVERS_MAX; i++) {
		e->reservations.queues[i] = queues[i];
	}
	free(queues);
}

void engine_reconfigure(struct engine *e, const struct conf *conf, int64_t now)
{
	struct renumbering *n = calloc(1, sizeof(*n));

	if (!n)
		return; /* it goes on with what it had */
	if (now > e->now)
		e->now = now;
	*n = (struct renumbering){.from = e->conf, .to = conf};
	renumber(n);
	for (uint32_t i = 0; i < e->devices.used; i++)
		if (device_at(&e->devices, i))
			renumber_device(n, device_at(&e->devices, i));
	reservations_pause(&e->reservations);
	renumber_queues(e, n);
	e->conf = conf;
	for (uint32_t i = 0; i < e->reservations.all_room; i++)
		if (reservations_at(&e->reservations, i))
			renumber_reservation(n, reservations_at(&e->reservations, i));
	reservations_resume(&e->reservations);
	free(n);
	engine_settle(e);
}
