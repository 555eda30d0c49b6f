/* SPDX-License-Identifier: ISC
 *
 * One DHCPACK: the facts about it are gathered, decided upon, told, and carried out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine_self.h"

static void happening_fill(struct engine *e, const struct observation *o, struct device *d,
	struct transaction *tx, struct happening *h)
{
	const struct observation_dhcp *dhcp = &o->dhcp;

	*h = (struct happening){.o = o, .tx = tx, .device = d};
	if (!h->device)
		h->unknown = unknown_observe(&e->unknowns, o, e->now);
	h->server_id = dhcp->server_id ? dhcp->server_id : o->src;
	h->server = conf_server_by_id(e->conf, h->server_id);
	h->group = conf_group_of(e->conf, dhcp->yiaddr);
	h->restarted = tx && tx->has_request ? tx->ciaddr == 0 : dhcp->ciaddr == 0;
	if (dhcp->option82.len > 0) {
		h->option82 = &dhcp->option82;
		h->port = &dhcp->port;
	} else if (tx && tx->option82 && tx->giaddr == dhcp->giaddr) {
		h->option82 = tx->option82; /* the server does not echo it */
		h->port = tx->port;
	}
	if (h->unknown)
		unknown_acked(&e->unknowns, h->unknown, o, h->option82, h->port);
}

static void match_place(struct engine *e, const struct happening *h, struct match *m)
{
	const struct conf_group *group = h->group >= 0 ? &e->conf->groups[h->group] : NULL;

	m->server_known = h->server >= 0;
	m->in_group = group != NULL;
	m->relayed = h->o->dhcp.giaddr != 0;
	m->has_option82 = h->option82 != NULL;
	if (!group)
		return;
	m->relay_any = group->relay_count == 0;
	m->l2 = group->l2;
	for (size_t i = 0; i < group->relay_count && !m->relay_listed; i++)
		m->relay_listed = group->relays[i] == h->o->dhcp.giaddr;
	m->auto_provisioning = e->conf->auto_provisioning && group->auto_provisioning;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Alive: heard of lately, or its renewal is not yet due. Nobody is silent while nobody listens: of
 * a camera that was heard of before we started, both count from then. */
static bool is_alive(const struct engine *e, const struct device *d)
{
	int64_t half = (int64_t)d->lease_time / RENEWAL_FRACTION * USEC_PER_SEC;

	if (d->last_seen == 0)
		return false;
	return e->now - later(d->last_seen, e->started) < e->conf->replacement_silence ||
	       (d->acked_at && e->now < later(d->acked_at * USEC_PER_SEC, e->started) + half);
}

/* The camera that this one would replace: announced, or the last one seen on its port. */
static struct device *find_old(
	struct engine *e, const struct happening *h, enum port_claim *ret_claim)
{
	struct memo *memo = device_memo(&e->devices, h->device);
	struct device *old = NULL;
	struct port_key key;

	*ret_claim = PORT_ITS_OWN;
	if (memo && !mac_is_zero(&memo->replaces))
		old = device_find(&e->devices, &memo->replaces);
	if (old && old != h->device) {
		*ret_claim = PORT_ANNOUNCED;
		return old;
	}
	if (!h->option82 || !port_key_of(h->option82, &key) ||
		(device_is_last_on_port(h->device) && device_port_is(&e->devices, h->device, &key)))
		return NULL;
	old = device_find_port(&e->devices, &key);
	if (!old || old == h->device)
		return NULL;
	*ret_claim = is_alive(e, old) ? PORT_OTHER_ALIVE : PORT_OTHER_SILENT;
	return old;
}

bool is_taken(struct engine *e, const struct device *d, uint32_t ip)
{
	const struct device *other;
	const struct reservation *r;

	if (d->ip == ip)
		return false;
	other = device_find_ip(&e->devices, ip);
	r = reservations_find_ip(&e->reservations, ip);
	if (other && other != d)
		return !provision_takes(e, d, ip);
	return r && !mac_equal(&r->mac, &d->mac) && r->phase <= PHASE_PARTIAL;
}

static struct device *match_device(struct engine *e, const struct happening *h, struct match *m)
{
	const struct device *d = h->device;
	uint32_t ip = h->o->dhcp.yiaddr;
	const struct memo *memo;
	struct device *old;

	if (!d)
		return NULL;
	memo = device_memo(&e->devices, d);
	m->device_known = true;
	m->group_fits = d->group == DEVICE_NO_GROUP || d->group == h->group;
	m->has_address = d->ip != 0;
	m->same_address = d->ip == ip;
	m->first_address =
		memo && memo->first_ip == ip && d->ip != ip && !provision_takes(e, d, ip);
	m->on_address_change = e->conf->on_address_change;
	m->address_taken = is_taken(e, d, ip);
	m->replacement = e->conf->replacement;
	old = find_old(e, h, &m->port);
	m->old_has_address = old && old->ip != 0;
	return old;
}

/* True if this stranger is to be told: not told for an hour. */
static bool is_news(struct engine *e, uint32_t ip, enum reason kind)
{
	struct stranger_key key = {.ip = ip, .kind = kind};
	struct stranger *s;

	HASH_FIND(hh, e->strangers, &key, sizeof(key), s);
	if (s && e->now - s->told_at < STRANGER_QUIET)
		return false;
	if (s) {
		HASH_DEL(e->strangers, s);
	} else if (HASH_COUNT(e->strangers) < STRANGERS_MAX) {
		s = malloc(sizeof(*s));
	} else if (e->now - e->strangers->told_at >= STRANGER_QUIET) {
		s = e->strangers;
		HASH_DEL(e->strangers, s);
	}
	if (!s)
		return false; /* a flood of strangers is not told one by one */
	*s = (struct stranger){.key = key, .told_at = e->now};
	HASH_ADD(hh, e->strangers, key, sizeof(s->key), s);
	return true;
}

static void tell_stranger(struct engine *e, const struct happening *h, enum reason reason)
{
	bool server = reason == REASON_UNKNOWN_SERVER;
	uint32_t who = server ? h->server_id : h->o->dhcp.giaddr;
	char name[IPV4_TEXT];
	uint8_t id[8];
	struct event ev;

	if (!is_news(e, who, reason))
		return;
	event_of_happening(
		e, &ev, server ? EVENT_DHCP_UNKNOWN_SERVER : EVENT_DHCP_UNKNOWN_RELAY, h);
	if (h->server < 0)
		ev.server = ipv4_format(h->server_id, name);
	if (!server && who == 0)
		ev.detail = "option 82 with giaddr 0 where relays are listed";
	ev.reason = reason_text(reason);
	put_u32(id, h->o->dhcp.xid);
	put_u32(id + 4, who);
	tell(e, &ev, id, sizeof(id));
}

/* A flood of invented MACs is counted, not told one by one: at once as many as are remembered, then
 * UNKNOWN_RATE a second. */
static bool may_tell_unknown(struct engine *e)
{
	const int64_t each = USEC_PER_SEC / UNKNOWN_RATE;

	if (e->unknown_at < e->now - UNKNOWN_MAX * each)
		e->unknown_at = e->now - UNKNOWN_MAX * each;
	if (e->unknown_at + each > e->now) {
		e->untold++;
		return false;
	}
	e->unknown_at += each;
	return true;
}

static void tell_unknown(struct engine *e, const struct happening *h)
{
	struct unknown *u = h->unknown;

	if (!u || (u->told_at && e->now - u->told_at < UNKNOWN_QUIET))
		return;
	u->told_at = e->now;
	tell_happening(e, EVENT_DEVICE_UNKNOWN, h, REASON_UNKNOWN_DEVICE);
}

static void tell_moved(struct engine *e, const struct happening *h)
{
	uint8_t happening[4 + OBSERVATION_OPTION82_MAX];
	struct memo *memo = device_memo_new(&e->devices, h->device);
	struct event ev;

	if (!memo || (memo->moved_at && e->now - memo->moved_at < MOVED_QUIET))
		return;
	memo->moved_at = e->now;
	event_of_happening(e, &ev, EVENT_CAMERA_MOVED, h);
	if (device_profile(&e->devices, h->device, &e->profile, NULL))
		ev.old.option82 = &e->profile;
	if (device_place(&e->devices, h->device, &e->profile_place))
		ev.old.port = &e->profile_place;
	put_u32(happening, h->o->dhcp.xid);
	memcpy(happening + 4, h->option82->raw, h->option82->len);
	tell(e, &ev, happening, 4u + h->option82->len);
}

/* A bare happening teaches nothing; the first port is no move. */
static void learn_port(struct engine *e, const struct happening *h)
{
	struct device *d = h->device;
	struct port_key key;

	if (!h->option82 || !port_key_of(h->option82, &key))
		return;
	if (device_has_port(d) && !device_port_is(&e->devices, d, &key))
		tell_moved(e, h);
	if (device_profile_is(&e->devices, d, h->option82, h->port)) {
		device_seen_profile(&e->devices, d, e->now);
		device_touch_port(&e->devices, d);
	} else {
		device_learn(&e->devices, d, h->option82, h->port, e->now);
	}
}

static uint64_t mismatch_of(const struct place *place, const struct option82 *o)
{
	uint64_t h = hash_more(0, o->raw, o->len);

	h = hash_more(h, &place->nas_ip, sizeof(place->nas_ip));
	h = hash_more(h, place->nas_port_id.bytes, place->nas_port_id.len);
	h = hash_more(h, place->circuit_id.bytes, place->circuit_id.len);
	return hash_more(h, place->remote_id.bytes, place->remote_id.len) | 1;
}

void check_places(struct engine *e, struct device *d, const struct option82 *o,
	const struct port_place *port, uint32_t ip)
{
	const struct session *session = session_find(&e->sessions, &d->mac);
	struct memo *memo;
	struct event ev;
	uint64_t pair;

	memset(&e->place, 0, sizeof(e->place));
	if (!session || !session_place(session, &e->place) ||
		!place_contradicts(&e->place, o, port))
		return;
	pair = mismatch_of(&e->place, o);
	memo = device_memo_new(&e->devices, d);
	if (!memo || memo->mismatch == pair)
		return;
	memo->mismatch = pair;
	event_of_device(e, &ev, EVENT_LOCATION_MISMATCH, d, ip);
	ev.option82 = o;
	ev.port = port;
	tell(e, &ev, &pair, sizeof(pair));
}

/* Where the reservation follows, dhcp.reservation_updated tells it instead. */
static void tell_address_changed(struct engine *e, const struct happening *h, enum reason reason)
{
	struct memo *memo = device_memo_new(&e->devices, h->device);
	struct event ev;
	uint8_t xid[4];

	if (!memo || memo->told_ip == h->o->dhcp.yiaddr)
		return;
	memo->told_ip = h->o->dhcp.yiaddr;
	event_of_happening(e, &ev, EVENT_CAMERA_ADDRESS_CHANGED, h);
	ev.old.ip = h->device->ip;
	ev.reason = reason_text(reason);
	put_u32(xid, h->o->dhcp.xid);
	tell(e, &ev, xid, sizeof(xid));
}

static void tell_port(
	struct engine *e, const struct happening *h, enum event_code code, const struct device *old)
{
	struct event ev;
	uint8_t id[10];

	event_of_happening(e, &ev, code, h);
	ev.old.has_mac = true;
	ev.old.mac = old->mac;
	ev.old.ip = old->ip;
	identity_of(e, old, &ev.old.device);
	put_u32(id, h->o->dhcp.xid);
	memcpy(id + 4, old->mac.b, 6);
	tell(e, &ev, id, sizeof(id));
}

static void forget_announcement(struct engine *e, const struct device *d)
{
	struct memo *memo = device_memo(&e->devices, d);

	if (memo)
		memo->replaces = (struct mac){{0}};
}

static void go_on(struct engine *e, const struct happening *h, const struct decision *decision,
	struct device *old)
{
	struct device *d = h->device;
	struct wish wish = {
		.purpose = d->ip && d->ip != h->o->dhcp.yiaddr ? PURPOSE_UPDATE : PURPOSE_CREATE,
		.ip = h->o->dhcp.yiaddr,
		.group = (uint16_t)h->group,
		.acked_server = (uint8_t)h->server,
		.xid = h->o->dhcp.xid,
		.relay = h->o->dhcp.giaddr,
	};
	struct memo *memo;

	if (provision_takes(e, d, wish.ip)) {
		memo = device_memo(&e->devices, d);
		if (memo)
			memo->first_ip = wish.ip; /* one server has it for this camera already */
		mark_dirty(e, d);
		return;
	}
	/* Another takeover of one of the two is to be settled first: the next ACK comes. */
	if (decision->takes_over && (provision_is_busy(e, d) || provision_is_busy(e, old)))
		return;
	if (decision->takes_over) {
		memo = device_memo_new(&e->devices, d);
		wish.purpose = PURPOSE_TAKEOVER;
		wish.old = old;
		wish.announced = decision->announced;
		wish.ip = old->ip;
		if (memo)
			memo->first_ip = h->o->dhcp.yiaddr;
	}
	if (decision->replaces)
		forget_announcement(e, d);
	provision(e, d, &wish);
}

/* Its address, as it was: perhaps it comes from the inventory and is reserved nowhere yet. */
static void stay(struct engine *e, const struct happening *h)
{
	struct device *d = h->device;
	struct memo *memo = device_memo(&e->devices, d);
	struct wish wish = {
		.purpose = PURPOSE_ENSURE,
		.ip = d->ip,
		.group = (uint16_t)h->group,
		.acked_server = (uint8_t)h->server,
		.xid = h->o->dhcp.xid,
		.relay = h->o->dhcp.giaddr,
	};

	if (memo && memo->first_ip) {
		memo->first_ip = 0;
		hand_over(e, d, h, NULL, "replacement");
	} else if (h->restarted) {
		hand_over(e, d, h, NULL, NULL);
	}
	if (d->acked_group != h->group || d->confirmed != group_mask(e, h->group))
		provision(e, d, &wish);
}

static void fail_taken(struct engine *e, const struct happening *h)
{
	const struct device *other = device_find_ip(&e->devices, h->o->dhcp.yiaddr);
	char mac[MAC_TEXT], detail[64];

	snprintf(detail, sizeof(detail), "the address belongs to %s",
		other ? mac_format(&other->mac, mac) : "a camera that is being provisioned");
	if (!h->device->ip)
		device_set_state(&e->devices, h->device, DEVICE_FAILED);
	provision_fail_told(e, h->device, h->o->dhcp.yiaddr, e->conf->servers[h->server].name,
		reason_text(REASON_ADDRESS_TAKEN), detail, h->o->dhcp.xid, h->o->dhcp.giaddr,
		h->group);
}

static void carry_out(struct engine *e, const struct happening *h, const struct decision *decision,
	struct device *old)
{
	if (decision->shares)
		tell_port(e, h, EVENT_PORT_SHARED, old);
	if (decision->replaces)
		tell_port(e, h, EVENT_CAMERA_REPLACED, old);
	switch (decision->reason) {
	case REASON_ALREADY_PROVISIONED: stay(e, h); break;
	case REASON_ADDRESS_CHANGED: tell_address_changed(e, h, decision->reason); break;
	case REASON_ADDRESS_TAKEN: fail_taken(e, h); break;
	case REASON_PROVISIONED: go_on(e, h, decision, old); break;
	default: break;
	}
}

/* A doubled or retransmitted ACK: also of an exchange that the table has forgotten meanwhile. */
static bool is_new(struct engine *e, const struct happening *h)
{
	const struct device *d = h->device;
	const struct observation_dhcp *dhcp = &h->o->dhcp;
	bool first = !h->tx || transaction_is_new(h->tx, dhcp->yiaddr, e->now);

	if (!d || !first || !d->acked_at)
		return first;
	return d->xid != dhcp->xid || d->ip != dhcp->yiaddr ||
	       e->now - d->acked_at * USEC_PER_SEC >= TRANSACTION_EXPIRY;
}

/* What explain shows of an ACK whose words are not the device's. */
static void note_stopped(struct engine *e, const struct happening *h, enum reason reason)
{
	bool stopped = reason != REASON_AUTO_PROVISIONING_OFF &&
		       reason != REASON_ALREADY_PROVISIONED && reason != REASON_PROVISIONED;
	struct memo *memo = stopped ? device_memo_new(&e->devices, h->device)
				    : device_memo(&e->devices, h->device);

	if (!memo)
		return;
	memo->stopped_at = stopped ? e->now : 0;
	memo->stopped_ip = h->o->dhcp.yiaddr;
	memo->stopped_server_id = h->server_id;
	memo->stopped_relay = h->o->dhcp.giaddr;
	memo->stopped_xid = h->o->dhcp.xid;
}

/* A stranger's ACK (questions 1 to 3) is only shown. */
static bool is_a_strangers(enum reason reason)
{
	return reason == REASON_UNKNOWN_SERVER || reason == REASON_NO_GROUP ||
	       reason == REASON_UNKNOWN_RELAY;
}

static void note_ack(struct engine *e, const struct happening *h, enum reason reason)
{
	struct device *d = h->device;
	const struct observation_dhcp *dhcp = &h->o->dhcp;

	if (h->unknown)
		h->unknown->reason = (uint8_t)reason;
	if (!d)
		return;
	d->reason = (uint8_t)reason;
	note_stopped(e, h, reason);
	mark_dirty(e, d);
	if (is_a_strangers(reason))
		return;
	d->xid = dhcp->xid;
	d->acked_at = (uint32_t)(e->now / USEC_PER_SEC);
	d->lease_time = dhcp->lease_time;
	if (h->server >= 0)
		d->acked_server = (uint8_t)h->server;
	if (dhcp->giaddr)
		device_set_relay(&e->devices, d, dhcp->giaddr);
}

static void note_legs(struct engine *e, const struct happening *h)
{
	if (!h->tx || !h->tx->has_request)
		return;
	e->legs++;
	e->leg_time += e->now - h->tx->legs[LEG_REQUEST];
}

void engine_ack(
	struct engine *e, const struct observation *o, struct device *d, struct transaction *tx)
{
	struct match match = {0};
	struct decision decision;
	struct happening h;
	struct device *old;
	bool first, told;

	if (o->dhcp.yiaddr == 0)
		return; /* it answers an INFORM (RFC 2131 4.3.5) */
	happening_fill(e, o, d, tx, &h);
	match_place(e, &h, &match);
	old = match_device(e, &h, &match);
	decide(&match, &decision);
	first = decision.allocated && is_new(e, &h);
	if (first || !decision.allocated) {
		e->decisions[decision.reason]++;
		note_ack(e, &h, decision.reason);
		note_legs(e, &h);
	}
	if (decision.reason == REASON_UNKNOWN_SERVER || decision.reason == REASON_UNKNOWN_RELAY)
		tell_stranger(e, &h, decision.reason);
	told = first && (h.device || may_tell_unknown(e));
	if (told)
		tell_happening(e, EVENT_DHCP_IP_ALLOCATION, &h, REASON_NONE);
	if (told && decision.reason == REASON_UNKNOWN_DEVICE)
		tell_unknown(e, &h);
	if (decision.learns)
		learn_port(e, &h);
	if (decision.learns && h.option82)
		check_places(e, h.device, h.option82, h.port, o->dhcp.yiaddr);
	if (first && h.device)
		carry_out(e, &h, &decision, old);
}
