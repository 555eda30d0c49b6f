/* SPDX-License-Identifier: ISC
 *
 * Observations that wait for their turn: while others have theirs, the memory that these will look
 * at is asked for, a step at a time. Nothing but speed depends on it.
 */
#include "engine_self.h"

static struct ahead *entry(struct engine *e, unsigned i)
{
	return &e->foreseen.ring[(e->foreseen.first + i) % ENGINE_AHEAD];
}

static uint32_t xid_of(const struct observation *o)
{
	return o->kind == OBSERVATION_DHCP ? o->dhcp.xid : 0;
}

/* An ACK's devices, where option 82 may name a port that is another's. */
static void begin(struct engine *e, const struct observation *o, struct ahead *a)
{
	bool ack = o->kind == OBSERVATION_DHCP && o->dhcp.type == DHCP_ACK;
	struct port_key key;
	bool port = ack && port_key_of(&o->dhcp.option82, &key);

	a->kind = o->kind;
	a->mac = o->mac;
	a->xid = xid_of(o);
	a->transaction.wanted = o->kind == OBSERVATION_DHCP;
	if (a->transaction.wanted)
		transaction_ahead(&e->transactions, &o->mac, o->dhcp.xid, &a->transaction);
	device_ahead_packet(
		&e->devices, &o->mac, ack ? o->dhcp.yiaddr : 0, port ? &key : NULL, &a->device);
}

/* A step of each that waits. */
static void go_on(struct engine *e)
{
	for (unsigned i = 0; i < e->foreseen.count; i++) {
		struct ahead *a = entry(e, i);

		if (a->transaction.wanted)
			transaction_ahead_go_on(&e->transactions, &a->transaction);
		device_ahead_go_on(&e->devices, &a->device);
	}
}

static void forget(struct engine *e, unsigned count)
{
	e->foreseen.first = (e->foreseen.first + count) % ENGINE_AHEAD;
	e->foreseen.count -= count;
}

void engine_foresee(struct engine *e, const struct observation *o)
{
	if (observation_check(o, observation_size(o)) < 0)
		return;
	if (e->foreseen.count == ENGINE_AHEAD)
		forget(e, 1);
	go_on(e);
	e->foreseen.went_on = true;
	begin(e, o, entry(e, e->foreseen.count++));
}

static bool is_of(const struct ahead *a, const struct observation *o)
{
	return a->kind == o->kind && mac_equal(&a->mac, &o->mac) && a->xid == xid_of(o);
}

/* What was foreseen before it did not come. */
void ahead_came(struct engine *e, const struct observation *o)
{
	e->foreseen.device = NULL;
	for (unsigned i = 0; i < e->foreseen.count; i++) {
		const struct ahead *a = entry(e, i);

		if (is_of(a, o)) {
			e->foreseen.device = a->device.device;
			forget(e, i + 1);
			break;
		}
	}
	if (!e->foreseen.went_on)
		go_on(e);
	e->foreseen.went_on = false;
}

struct device *ahead_device(struct engine *e, const struct mac *mac)
{
	struct device *d = e->foreseen.device;

	if (d && d->by_mac.tbl && mac_equal(&d->mac, mac))
		return d;
	return device_find(&e->devices, mac);
}
