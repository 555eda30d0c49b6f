/* SPDX-License-Identifier: ISC
 *
 * One message, one line: time, what, who, and then words that say where and what with.
 */
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "tap82/clock.h"

enum { TYPE_WIDTH = 10, CODE_WIDTH = 19 };

static const char *colour_of(const struct message *m)
{
	bool dhcp = m->kind == MESSAGE_DHCP;

	if (message_is_malformed(m))
		return "\033[33m";
	if (dhcp ? m->dhcp.type == DHCP_ACK : m->radius.code == RADIUS_ACCESS_ACCEPT)
		return "\033[32m";
	if (dhcp ? m->dhcp.type == DHCP_NAK || m->dhcp.type == DHCP_DECLINE
		 : m->radius.code == RADIUS_ACCESS_REJECT)
		return "\033[31m";
	return "\033[1m";
}

/* "2026-01-02 03:04:05.678901" and the type, padded. */
static void write_head(struct writer *w, const struct message *m, bool colour)
{
	bool dhcp = m->kind == MESSAGE_DHCP;
	const char *type = dhcp ? dhcp_type_text(&m->dhcp) : radius_code_text(m->radius.code);
	char time[TIME_TEXT], text[64];
	int n;

	time_format(m->datagram->time, time);
	time[10] = ' ';
	writer_raw(w, NULL, time, strlen(time) - 1);
	n = snprintf(text, sizeof(text), "%s%-*s%s", colour ? colour_of(m) : "",
		dhcp ? TYPE_WIDTH : CODE_WIDTH, type, colour ? "\033[0m" : "");
	writer_raw(w, NULL, text, (size_t)n);
}

static void write_ip(struct writer *w, const char *key, uint32_t ip)
{
	if (ip)
		writer_ipv4(w, key, ip);
}

/* Text where it is text, hex where not. */
static void write_id(struct writer *w, const char *key, struct buf id)
{
	if (id.bad || !id.p)
		return;
	if (bytes_are_text(id.p, buf_left(&id)) || buf_left(&id) == 0)
		writer_text(w, key, id.p, buf_left(&id));
	else
		writer_hex(w, key, id.p, buf_left(&id));
}

static void write_vlans(struct writer *w, const struct datagram *d)
{
	char text[FRAME_VLANS_MAX * 6];
	int n = 0;

	if (d->vlan_count == 0)
		return;
	for (unsigned i = 0; i < d->vlan_count; i++)
		n += snprintf(
			text + n, sizeof(text) - (size_t)n, "%s%u", i ? "." : "", d->vlans[i]);
	writer_str(w, "vlan", text);
}

static void write_place(struct writer *w, const struct port_place *place)
{
	char text[OBSERVATION_LAYOUT_MAX + 40];
	int n;

	if (!place->layout[0])
		return;
	n = snprintf(text, sizeof(text), "%s", place->layout);
	if (place->vlan >= 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ":vlan%d", place->vlan);
	if (place->slot >= 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ":slot%d", place->slot);
	if (place->port >= 0)
		snprintf(text + n, sizeof(text) - (size_t)n, ":port%d", place->port);
	writer_str(w, "port", text);
}

static void write_client(struct writer *w, const struct dhcp *d)
{
	struct buf chaddr = dhcp_chaddr(d);

	if (d->has_mac)
		writer_mac(w, NULL, &d->mac);
	else if (buf_left(&chaddr) > 0)
		writer_hex(w, NULL, chaddr.p, buf_left(&chaddr));
	else
		writer_str(w, NULL, "-");
}

static void write_dhcp(struct writer *w, const struct message *m)
{
	const struct dhcp *d = &m->dhcp;
	struct buf host = dhcp_find(d, DHCP_OPTION_HOSTNAME);
	char lease[24];

	write_client(w, d);
	write_ip(w, "ip", d->yiaddr);
	write_ip(w, "asks", d->requested_ip);
	write_ip(w, "has", d->ciaddr);
	write_ip(w, "server", d->server_id);
	write_ip(w, "relay", d->giaddr);
	if (d->has_lease_time && d->lease_time == UINT32_MAX)
		writer_str(w, "lease", "infinite");
	else if (d->has_lease_time)
		writer_str(w, "lease",
			duration_format(d->lease_time * USEC_PER_SEC, lease, sizeof(lease)));
	write_vlans(w, m->datagram);
	if (d->has_option82) {
		write_id(w, "circuit", option82_find(&d->option82, OPTION82_CIRCUIT_ID));
		write_id(w, "remote", option82_find(&d->option82, OPTION82_REMOTE_ID));
		write_place(w, &m->place);
	}
	if (buf_left(&host) > 0)
		writer_text(w, "host", host.p, buf_left(&host));
	writer_hex32(w, "xid", d->xid);
}

static void write_radius(struct writer *w, const struct message *m)
{
	const struct radius_fields *f = &m->radius.fields;

	if (f->has_mac)
		writer_mac(w, NULL, &f->mac);
	else
		writer_str(w, NULL, "-");
	if (f->acct_status)
		radius_write_acct_status(w, "status", f->acct_status);
	write_id(w, "user", f->user);
	write_ip(w, "nas", m->nas_ip);
	write_id(w, "port", f->nas_port_id);
	write_ip(w, "ip", f->framed_ip);
	if (f->vlan >= 0)
		writer_i64(w, "vlan", f->vlan);
	write_id(w, "circuit", f->circuit_id);
	write_id(w, "remote", f->remote_id);
	write_id(w, "session", f->session_id);
	writer_u64(w, "id", m->radius.id);
}

static void write_complaints(struct writer *w, const struct message *m)
{
	const struct problems *p =
		m->kind == MESSAGE_DHCP ? &m->dhcp.problems : &m->radius.problems;
	char text[PROBLEMS_MAX * PROBLEM_TEXT];

	if (p->count > 0)
		writer_str(w, "malformed", problems_format(p, text, sizeof(text)));
	for (unsigned bit = 1; bit <= m->datagram->damaged; bit <<= 1)
		if (m->datagram->damaged & bit)
			writer_str(w, "damaged", frame_damage_name(bit));
}

void decode_write_line(struct writer *w, const struct message *m, bool colour)
{
	writer_begin(w);
	write_head(w, m, colour);
	if (m->kind == MESSAGE_DHCP)
		write_dhcp(w, m);
	else
		write_radius(w, m);
	write_complaints(w, m);
	writer_end(w);
}
