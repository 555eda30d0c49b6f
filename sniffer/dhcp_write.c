/* SPDX-License-Identifier: ISC */
#include "tap82/dhcp.h"

static void write_ipv4(struct writer *w, const char *key, uint32_t ip)
{
	if (ip)
		writer_ipv4(w, key, ip);
}

static void write_hardware(struct writer *w, const struct dhcp *d)
{
	if (d->has_mac)
		writer_mac(w, "mac", &d->mac);
	else if (buf_left(&d->chaddr) > 0)
		writer_hex(w, "chaddr", d->chaddr.p, buf_left(&d->chaddr));
}

static void write_addresses(struct writer *w, const struct dhcp *d)
{
	write_ipv4(w, "ciaddr", d->ciaddr);
	write_ipv4(w, "yiaddr", d->yiaddr);
	write_ipv4(w, "siaddr", d->siaddr);
	write_ipv4(w, "giaddr", d->giaddr);
	write_ipv4(w, "server_id", d->server_id);
	write_ipv4(w, "requested_ip", d->requested_ip);
}

static void write_texts(struct writer *w, const struct dhcp *d)
{
	if (buf_left(&d->hostname) > 0)
		writer_text(w, "hostname", d->hostname.p, buf_left(&d->hostname));
	if (buf_left(&d->vendor_class) > 0)
		writer_text(w, "vendor_class", d->vendor_class.p, buf_left(&d->vendor_class));
	if (buf_left(&d->client_id) > 0)
		writer_opaque(w, "client_id", d->client_id.p, buf_left(&d->client_id));
}

void dhcp_write(struct writer *w, const struct dhcp *d)
{
	writer_str(w, "type", dhcp_type_text(d));
	writer_hex32(w, "xid", d->xid);
	write_hardware(w, d);
	write_addresses(w, d);
	if (d->has_lease_time)
		writer_u64(w, "lease_time", d->lease_time);
	write_texts(w, d);
	if (d->flags & DHCP_FLAG_BROADCAST)
		writer_bool(w, "broadcast", true);
	if (d->hops)
		writer_u64(w, "hops", d->hops);
}
