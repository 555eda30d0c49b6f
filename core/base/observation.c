/* SPDX-License-Identifier: ISC */
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/observation.h"

#define HEADER_BYTES offsetof(struct observation, dhcp)

size_t observation_size(const struct observation *o)
{
	switch (o->kind) {
	case OBSERVATION_DHCP: return HEADER_BYTES + sizeof(o->dhcp);
	case OBSERVATION_RADIUS: return HEADER_BYTES + sizeof(o->radius);
	case OBSERVATION_COUNTERS: return HEADER_BYTES + sizeof(o->counters);
	case OBSERVATION_STATUS: return HEADER_BYTES + sizeof(o->status);
	}
	return 0;
}

/* Whoever sent it wrote bytes: a bool that is neither 0 nor 1 is undefined to read. */
static bool is_bool(const bool *b)
{
	uint8_t byte;

	memcpy(&byte, b, 1);
	return byte <= 1;
}

static bool span_fits(const struct span *s, const struct option82 *o)
{
	if (!is_bool(&s->present))
		return false;
	return s->present ? s->at <= o->len && s->len <= o->len - s->at : s->len == 0 && s->at == 0;
}

static int option82_check(const struct option82 *o)
{
	if (o->len > sizeof(o->raw) || !is_bool(&o->cut) || !span_fits(&o->circuit_id, o) ||
		!span_fits(&o->remote_id, o) || !span_fits(&o->subscriber_id, o))
		return ERR_RANGE;
	return 0;
}

static int dhcp_check(const struct observation_dhcp *d)
{
	if (d->type > DHCP_TYPE_MAX || d->hostname_len > OBSERVATION_TEXT_MAX ||
		d->vendor_class_len > OBSERVATION_TEXT_MAX ||
		memchr(d->port.layout, 0, sizeof(d->port.layout)) == NULL)
		return ERR_RANGE;
	if (!is_bool(&d->is_reply) || !is_bool(&d->broadcast) || !is_bool(&d->has_mac) ||
		!is_bool(&d->port.has_switch_mac))
		return ERR_RANGE;
	return option82_check(&d->option82);
}

static int radius_check(const struct observation_radius *r)
{
	if (!is_bool(&r->has_mac) || !is_bool(&r->nas_port_id.present) ||
		!is_bool(&r->user.present) || !is_bool(&r->session_id.present) ||
		!is_bool(&r->circuit_id.present) || !is_bool(&r->remote_id.present))
		return ERR_RANGE;
	return 0;
}

static int status_check(const struct observation_status *s)
{
	if (s->state < OBSERVATION_CAPTURE_OPEN || s->state > OBSERVATION_CAPTURE_ENDED ||
		memchr(s->text, 0, sizeof(s->text)) == NULL)
		return ERR_RANGE;
	return 0;
}

int observation_check(const struct observation *o, size_t n)
{
	if (n < HEADER_BYTES)
		return ERR_TRUNCATED;
	if (o->version != OBSERVATION_VERSION)
		return ERR_VERSION;
	if (observation_size(o) != n)
		return n < observation_size(o) ? ERR_TRUNCATED : ERR_RANGE;
	if (o->vlan_count > sizeof(o->vlans) / sizeof(o->vlans[0]))
		return ERR_RANGE;
	if (o->time < 0 || o->time > TIME_LAST)
		return ERR_RANGE;
	switch (o->kind) {
	case OBSERVATION_DHCP: return dhcp_check(&o->dhcp);
	case OBSERVATION_RADIUS: return radius_check(&o->radius);
	case OBSERVATION_STATUS: return status_check(&o->status);
	}
	return 0;
}

#define SUBOPTION_FLAGS 10 /* RFC 5010 */
#define FLAGS_UNICAST	0x80
#define TO_ALL		UINT32_MAX

/* The first byte of a sub-option, or -1. */
static int suboption(const struct option82 *o, uint8_t code)
{
	for (unsigned i = 0; i + 2 < o->len && i + 2u + o->raw[i + 1] <= o->len;
		i += 2u + o->raw[i + 1])
		if (o->raw[i] == code && o->raw[i + 1] > 0)
			return o->raw[i + 2];
	return -1;
}

/* It has an address: RFC 2131 4.4.5. */
static enum client_state renewing_or_rebinding(const struct observation *o)
{
	int flags;

	if (o->dhcp.giaddr == 0 && o->dst != 0)
		return o->dst == TO_ALL ? CLIENT_REBINDING : CLIENT_RENEWING;
	flags = suboption(&o->dhcp.option82, SUBOPTION_FLAGS);
	if (flags >= 0)
		return flags & FLAGS_UNICAST ? CLIENT_RENEWING : CLIENT_REBINDING;
	return CLIENT_RENEWING_OR_REBINDING;
}

enum client_state client_state_of(const struct observation *o)
{
	if (o->kind != OBSERVATION_DHCP || o->dhcp.type != DHCP_REQUEST)
		return CLIENT_UNKNOWN;
	if (o->dhcp.ciaddr)
		return renewing_or_rebinding(o);
	if (o->dhcp.server_id)
		return CLIENT_SELECTING;
	return o->dhcp.requested_ip ? CLIENT_INIT_REBOOT : CLIENT_UNKNOWN;
}

const char *client_state_text(enum client_state state)
{
	static const char *const words[] = {
		NULL, "selecting", "init-reboot", "renewing", "rebinding", "renewing-or-rebinding"};

	return words[state];
}
