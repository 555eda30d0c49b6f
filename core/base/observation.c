/* SPDX-License-Identifier: ISC */
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

static bool span_fits(const struct span *s, const struct option82 *o)
{
	return s->present ? s->at <= sizeof(o->raw) && s->len <= sizeof(o->raw) - s->at
			  : s->len == 0;
}

static int option82_check(const struct option82 *o)
{
	if (o->len > OBSERVATION_OPTION82_MAX || !span_fits(&o->circuit_id, o) ||
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
	return option82_check(&d->option82);
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
	switch (o->kind) {
	case OBSERVATION_DHCP: return dhcp_check(&o->dhcp);
	case OBSERVATION_STATUS: return status_check(&o->status);
	}
	return 0;
}
