/* SPDX-License-Identifier: ISC
 *
 * Events: filled from what the engine knows, identified, told.
 */
#include "engine_self.h"

void tell(struct engine *e, struct event *ev, const void *happening, size_t len)
{
	e->events[ev->code]++;
	if (!e->ops.event)
		return;
	ev->time = shown(e, ev->time);
	ev->hold_until = shown(e, ev->hold_until);
	event_identify(ev, happening, len);
	e->ops.event(e->ctx, ev);
}

const char *group_name(const struct engine *e, int group)
{
	return group >= 0 && (size_t)group < e->conf->group_count ? e->conf->groups[group].name
								  : NULL;
}

void identity_of(const struct engine *e, const struct device *d, struct identity *ret)
{
	struct device_texts texts;

	device_texts(&e->devices, d, &texts);
	*ret = (struct identity){
		.uuid = texts.uuid, .serial_number = texts.serial_number, .name = texts.name};
}

static void add_place(struct engine *e, struct event *ev)
{
	const struct session *session = session_find(&e->sessions, &ev->mac);

	if (session && session_place(session, &e->place))
		ev->place = &e->place;
}

void event_of_profile(struct engine *e, struct event *ev, const struct device *d)
{
	if (!device_profile(&e->devices, d, &e->profile, NULL))
		return;
	ev->option82 = &e->profile;
	ev->port = device_place(&e->devices, d, &e->profile_place) ? &e->profile_place : NULL;
}

void event_of_device(struct engine *e, struct event *ev, enum event_code code,
	const struct device *d, uint32_t ip)
{
	*ev = (struct event){
		.time = e->now, .code = code, .has_mac = true, .mac = d->mac, .ip = ip};
	identity_of(e, d, &ev->device);
	add_place(e, ev);
	event_of_profile(e, ev, d);
}

void event_of_happening(
	struct engine *e, struct event *ev, enum event_code code, const struct happening *h)
{
	*ev = (struct event){
		.time = e->now,
		.code = code,
		.has_mac = true,
		.mac = h->o->mac,
		.ip = h->o->dhcp.yiaddr,
		.server = h->server >= 0 ? e->conf->servers[h->server].name : NULL,
		.relay = h->o->dhcp.giaddr,
		.group = group_name(e, h->group),
		.client_state =
			h->tx ? client_state_text((enum client_state)h->tx->client_state) : NULL,
		.option82 = h->option82,
		.port = h->port,
	};
	if (h->device)
		identity_of(e, h->device, &ev->device);
	add_place(e, ev);
}

void tell_happening(
	struct engine *e, enum event_code code, const struct happening *h, enum reason reason)
{
	struct event ev;
	uint8_t xid[4];

	event_of_happening(e, &ev, code, h);
	ev.reason = reason_text(reason);
	put_u32(xid, h->o->dhcp.xid);
	tell(e, &ev, xid, sizeof(xid));
}

void tell_removed(
	struct engine *e, const struct mac *mac, uint32_t ip, uint32_t xid, const char *reason)
{
	uint8_t happening[4];
	struct device *d = device_find(&e->devices, mac);
	struct event ev = {.time = e->now,
		.code = EVENT_DHCP_RESERVATION_REMOVED,
		.has_mac = true,
		.mac = *mac,
		.ip = ip,
		.reason = reason};

	if (d)
		identity_of(e, d, &ev.device);
	put_u32(happening, xid);
	tell(e, &ev, happening, sizeof(happening));
}

void engine_tell(
	struct engine *e, enum event_code code, const char *object, const char *detail, int64_t now)
{
	struct event ev = {.code = code, .server = object, .detail = detail};
	uint8_t moment[8];

	if (now > e->now)
		e->now = now;
	ev.time = e->now;
	put_u32(moment, (uint32_t)((uint64_t)e->now >> 32));
	put_u32(moment + 4, (uint32_t)e->now);
	tell(e, &ev, moment, sizeof(moment));
}
