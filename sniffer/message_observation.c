/* SPDX-License-Identifier: ISC */
#include "tap82/message.h"

/* Copies what fits; gives how much that was. */
static uint16_t copy_text(uint8_t *out, size_t size, struct buf text)
{
	size_t n = buf_left(&text) < size ? buf_left(&text) : size;

	if (n > 0)
		memcpy(out, text.p, n);
	return (uint16_t)n;
}

static void copy_id(struct id_bytes *out, struct buf value)
{
	out->present = value.p != NULL;
	out->len = (uint8_t)copy_text(out->bytes, sizeof(out->bytes), value);
}

static void observe_datagram(struct observation *o, const struct datagram *d)
{
	size_t kept = sizeof(o->vlans) / sizeof(o->vlans[0]);

	o->version = OBSERVATION_VERSION;
	o->time = d->time;
	o->src = d->src;
	o->dst = d->dst;
	o->sport = d->sport;
	o->dport = d->dport;
	o->vlan_count = d->vlan_count < kept ? d->vlan_count : (uint8_t)kept;
	memcpy(o->vlans, d->vlans, o->vlan_count * sizeof(o->vlans[0]));
}

static void observe_dhcp(struct observation_dhcp *out, const struct dhcp *d)
{
	out->type = d->type;
	out->is_reply = d->op == 2;
	out->broadcast = (d->flags & DHCP_FLAG_BROADCAST) != 0;
	out->hops = d->hops;
	out->has_mac = d->has_mac;
	out->xid = d->xid;
	out->ciaddr = d->ciaddr;
	out->yiaddr = d->yiaddr;
	out->siaddr = d->siaddr;
	out->giaddr = d->giaddr;
	out->server_id = d->server_id;
	out->requested_ip = d->requested_ip;
	out->lease_time = d->lease_time;
	out->hostname_len =
		copy_text(out->hostname, sizeof(out->hostname), dhcp_find(d, DHCP_OPTION_HOSTNAME));
	out->vendor_class_len = copy_text(out->vendor_class, sizeof(out->vendor_class),
		dhcp_find(d, DHCP_OPTION_VENDOR_CLASS));
	if (d->has_option82)
		option82_observe(&d->option82, &out->option82);
}

static void observe_radius(struct observation_radius *out, const struct radius *r, uint32_t nas_ip)
{
	const struct radius_fields *f = &r->fields;

	out->code = r->code;
	out->id = r->id;
	out->has_mac = f->has_mac;
	out->acct_status = f->acct_status <= UINT8_MAX ? (uint8_t)f->acct_status : 0;
	out->nas_ip = nas_ip;
	out->framed_ip = f->framed_ip;
	out->vlan = f->vlan;
	copy_id(&out->nas_port_id, f->nas_port_id);
	copy_id(&out->user, f->user);
	copy_id(&out->session_id, f->session_id);
	copy_id(&out->circuit_id, f->circuit_id);
	copy_id(&out->remote_id, f->remote_id);
}

bool message_to_witness(const struct message *message, struct observation *ret_observation)
{
	const struct radius_fields *f = &message->dhcp.option82.radius;
	struct radius radius = {.code = RADIUS_ACCESS_ACCEPT};

	if (message->kind != MESSAGE_DHCP || !message->dhcp.has_option82 ||
		!message->dhcp.has_mac || !message->dhcp.giaddr)
		return false;
	if (!f->nas_port_id.p && !f->circuit_id.p && !f->remote_id.p)
		return false;
	radius.fields = *f;
	radius.fields.has_mac = true;
	*ret_observation = (struct observation){.kind = OBSERVATION_RADIUS};
	observe_datagram(ret_observation, message->datagram);
	ret_observation->mac = message->dhcp.mac;
	observe_radius(
		&ret_observation->radius, &radius, f->nas_ip ? f->nas_ip : message->dhcp.giaddr);
	return true;
}

void message_to_observation(const struct message *message, struct observation *ret_observation)
{
	*ret_observation = (struct observation){0};
	observe_datagram(ret_observation, message->datagram);
	if (message->kind == MESSAGE_DHCP) {
		ret_observation->kind = OBSERVATION_DHCP;
		ret_observation->mac = message->dhcp.mac;
		observe_dhcp(&ret_observation->dhcp, &message->dhcp);
		ret_observation->dhcp.port = message->place;
	} else {
		ret_observation->kind = OBSERVATION_RADIUS;
		ret_observation->mac = message->radius.fields.mac;
		observe_radius(&ret_observation->radius, &message->radius, message->nas_ip);
	}
}
