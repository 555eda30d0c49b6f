/* SPDX-License-Identifier: ISC */
#include "tap82/dhcp.h"

static void write_ipv4(struct writer *w, const char *key, uint32_t ip)
{
	if (ip)
		writer_ipv4(w, key, ip);
}

static void write_hardware(struct writer *w, const struct dhcp *d)
{
	struct buf chaddr;

	if (d->has_mac) {
		writer_mac(w, "mac", &d->mac);
		return;
	}
	chaddr = dhcp_chaddr(d);
	if (buf_left(&chaddr) > 0)
		writer_hex(w, "chaddr", chaddr.p, buf_left(&chaddr));
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
	struct buf hostname = dhcp_find(d, DHCP_OPTION_HOSTNAME);
	struct buf vendor_class = dhcp_find(d, DHCP_OPTION_VENDOR_CLASS);
	struct buf client_id = dhcp_find(d, DHCP_OPTION_CLIENT_ID);

	if (buf_left(&hostname) > 0)
		writer_text(w, "hostname", hostname.p, buf_left(&hostname));
	if (!vendor_class.bad)
		writer_text(w, "vendor_class", vendor_class.p, buf_left(&vendor_class));
	if (!client_id.bad)
		writer_opaque(w, "client_id", client_id.p, buf_left(&client_id));
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
