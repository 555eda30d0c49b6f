/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "radius_pair.h"
#include "switches.h"
#include "tap82/err.h"
#include "tap82/message.h"

struct message_decoder {
	struct message message;
	struct layouts *layouts;
	struct switches *switches;
	struct radius_pairs *pairs;
};

struct message_decoder *message_decoder_new(void)
{
	struct message_decoder *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->layouts = layouts_new();
	m->switches = switches_new();
	m->pairs = radius_pairs_new();
	if (m->layouts && m->switches && m->pairs)
		return m;
	message_decoder_free(m);
	return NULL;
}

void message_decoder_free(struct message_decoder *m)
{
	if (!m)
		return;
	radius_pairs_free(m->pairs);
	switches_free(m->switches);
	layouts_free(m->layouts);
	free(m);
}

int message_decoder_add_layout(struct message_decoder *m, const char *name, const char *circuit_id,
	const char *remote_id, char *why, size_t why_size)
{
	return layouts_add(m->layouts, name, circuit_id, remote_id, why, why_size);
}

int message_decoder_add_switch(struct message_decoder *m, uint32_t giaddr, const uint8_t *remote_id,
	size_t remote_id_len, const char *layout, int offset)
{
	const struct layout *found = layout_find(m->layouts, layout);
	struct buf id = {.p = NULL};

	if (!found)
		return ERR_NOT_FOUND;
	if (remote_id_len > 0)
		id = buf_of(remote_id, remote_id_len);
	return switches_add(
		m->switches, giaddr, id, &(struct switch_way){.layout = found, .offset = offset});
}

static bool is_dhcp_port(uint16_t port)
{
	return port == 67 || port == 68 || port == 4011;
}

static bool is_radius_port(uint16_t port)
{
	switch (port) {
	case 1645:
	case 1646:
	case 1700:
	case 1812:
	case 1813:
	case 3799: return true;
	}
	return false;
}

int message_kind_of_ports(uint16_t sport, uint16_t dport)
{
	if (is_dhcp_port(sport) || is_dhcp_port(dport))
		return MESSAGE_DHCP;
	return is_radius_port(sport) || is_radius_port(dport) ? MESSAGE_RADIUS : 0;
}

/* Where the camera is, if it is configured how its relay writes that. */
static void find_place(struct message_decoder *m)
{
	struct message *message = &m->message;
	struct buf circuit, remote;
	const struct switch_way *way;

	message->place = (struct port_place){.layout = ""};
	if (!message->dhcp.has_option82 || switches_are_none(m->switches))
		return;
	circuit = option82_find(&message->dhcp.option82, OPTION82_CIRCUIT_ID);
	remote = option82_find(&message->dhcp.option82, OPTION82_REMOTE_ID);
	way = switches_find(m->switches, message->dhcp.giaddr, remote);
	if (way)
		(void)layout_apply(way->layout, way->offset, circuit, remote, &message->place);
}

static int read_dhcp(struct message_decoder *m, const struct datagram *d)
{
	int err = dhcp_decode(&m->message.dhcp, &d->payload);

	if (err < 0)
		return err;
	find_place(m);
	return 0;
}

/* The NAS asks for access and accounting, and is asked to disconnect or change (RFC 5176). */
static uint32_t nas_of(uint8_t code, const struct datagram *d)
{
	bool dynamic = code >= 40;

	return radius_is_reply(code) == dynamic ? d->src : d->dst;
}

static int read_radius(struct message_decoder *m, const struct datagram *d)
{
	struct message *message = &m->message;
	struct radius *r = &message->radius;
	int err = radius_decode(r, d->payload);

	if (err < 0)
		return err;
	message->place.layout[0] = 0;
	message->nas_ip = r->fields.nas_ip ? r->fields.nas_ip : nas_of(r->code, d);
	radius_pair(m->pairs, d, r, &message->nas_ip);
	return 0;
}

int message_read(
	struct message_decoder *m, const struct datagram *d, const struct message **ret_message)
{
	int kind = message_kind_of_ports(d->sport, d->dport);
	int err = kind == MESSAGE_DHCP	   ? read_dhcp(m, d)
		  : kind == MESSAGE_RADIUS ? read_radius(m, d)
					   : ERR_NOT_FOUND;

	if (err < 0)
		return err;
	m->message.kind = (uint8_t)kind;
	m->message.datagram = d;
	*ret_message = &m->message;
	return 0;
}

bool message_is_malformed(const struct message *message)
{
	return (message->kind == MESSAGE_DHCP ? message->dhcp.problems.count
					      : message->radius.problems.count) > 0;
}

bool message_witness(const struct message_decoder *m, struct observation *ret_observation)
{
	return message_to_witness(&m->message, ret_observation);
}

int message_observe(struct message_decoder *m, const struct datagram *d,
	struct observation *ret_observation, bool *ret_malformed)
{
	const struct message *message;
	int err = message_read(m, d, &message);

	if (err < 0)
		return err;
	message_to_observation(message, ret_observation);
	if (ret_malformed)
		*ret_malformed = message_is_malformed(message);
	return 0;
}
