/* SPDX-License-Identifier: ISC */
#include "tap82/message.h"

static void write_words(struct writer *w, const char *key, const uint8_t *values, unsigned count)
{
	if (count == 0)
		return;
	writer_list_begin(w, key);
	for (unsigned i = 0; i < count; i++)
		writer_str(w, NULL, frame_encap_name(values[i]));
	writer_list_end(w);
}

static void write_vlans(struct writer *w, const struct datagram *d)
{
	if (d->vlan_count == 0)
		return;
	writer_list_begin(w, "vlans");
	for (unsigned i = 0; i < d->vlan_count; i++)
		writer_u64(w, NULL, d->vlans[i]);
	writer_list_end(w);
}

static void write_addresses(struct writer *w, const struct datagram *d)
{
	if (d->src)
		writer_ipv4(w, "src", d->src);
	if (d->dst)
		writer_ipv4(w, "dst", d->dst);
}

static void write_ports(struct writer *w, const struct datagram *d)
{
	writer_u64(w, "sport", d->sport);
	writer_u64(w, "dport", d->dport);
}

static void write_malformed(struct writer *w, const struct problems *p)
{
	char text[PROBLEMS_MAX * PROBLEM_TEXT];

	if (p->count > 0)
		writer_str(w, "malformed", problems_format(p, text, sizeof(text)));
}

static void write_damaged(struct writer *w, unsigned damaged)
{
	if (damaged == 0)
		return;
	writer_list_begin(w, "damaged");
	for (unsigned bit = 1; bit <= damaged; bit <<= 1)
		if (damaged & bit)
			writer_str(w, NULL, frame_damage_name(bit));
	writer_list_end(w);
}

static void write_dhcp(struct writer *w, const struct message *message, bool verbose)
{
	const struct dhcp *dhcp = &message->dhcp;
	const struct datagram *d = message->datagram;

	writer_str(w, "kind", "dhcp");
	dhcp_write(w, dhcp);
	write_vlans(w, d);
	write_words(w, "encap", d->encaps, d->encap_count);
	write_addresses(w, d);
	write_ports(w, d);
	if (dhcp->has_option82) {
		writer_object_begin(w, "option82");
		option82_write(w, &dhcp->option82, &message->place);
		writer_object_end(w);
	}
	if (verbose)
		dhcp_write_options(w, dhcp);
	write_malformed(w, &dhcp->problems);
}

static void write_radius(struct writer *w, const struct message *message, bool verbose)
{
	const struct radius *r = &message->radius;
	const struct datagram *d = message->datagram;

	writer_str(w, "kind", "radius");
	writer_str(w, "code", radius_code_text(r->code));
	writer_u64(w, "id", r->id);
	radius_write(w, &r->fields);
	write_addresses(w, d);
	write_ports(w, d);
	write_vlans(w, d);
	write_words(w, "encap", d->encaps, d->encap_count);
	if (verbose)
		radius_write_attributes(w, r->fields.attributes);
	write_malformed(w, &r->problems);
}

void message_write(struct writer *w, const struct message *message, bool verbose)
{
	writer_begin(w);
	writer_time(w, "time", message->datagram->time);
	if (message->kind == MESSAGE_DHCP)
		write_dhcp(w, message, verbose);
	else
		write_radius(w, message, verbose);
	write_damaged(w, message->datagram->damaged);
	writer_end(w);
}
