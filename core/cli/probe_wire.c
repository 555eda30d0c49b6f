/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <libnet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "probe_wire.h"
#include "tap82/err.h"
#include "tap82/observation.h"

enum {
	PORT_SERVER = 67,
	PORT_CLIENT = 68,
	FLAG_BROADCAST = 0x8000, /* RFC 2131 2: answer so that a host without address hears it */
	OPTIONS_MAX = 312 + PROBE_OPTION82_MAX,
};

struct probe_wire {
	const struct probe_path *path;
	libnet_t *net;
	bool routed; /* through the kernel's routes, without a link header */
};

/* Options while they are laid out. */
struct layout {
	uint8_t bytes[OPTIONS_MAX];
	size_t len;
};

int probe_wire_mac(const char *interface, struct mac *ret_mac)
{
	struct ifreq request = {0};
	int fd, r = 0;

	if (strlen(interface) >= sizeof(request.ifr_name) || if_nametoindex(interface) == 0)
		return ERR_NOT_FOUND;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	memcpy(request.ifr_name, interface, strlen(interface));
	if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		r = -errno;
	else
		memcpy(ret_mac->b, request.ifr_hwaddr.sa_data, sizeof(ret_mac->b));
	close(fd);
	return r;
}

bool probe_wire_is_ours(uint32_t ip)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ours = fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

	if (fd >= 0)
		close(fd);
	return ours;
}

static void put_option(struct layout *out, uint8_t code, const void *bytes, size_t len)
{
	out->bytes[out->len++] = code;
	out->bytes[out->len++] = (uint8_t)len;
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

static void put_ipv4(struct layout *out, uint8_t code, uint32_t ip)
{
	const uint8_t bytes[4] = {ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255};

	if (ip)
		put_option(out, code, bytes, sizeof(bytes));
}

/* RFC 2131 table 5; option 82 last before END (RFC 3046 2.1). */
static void put_options(
	struct layout *out, const struct probe_path *path, const struct probe_message *m)
{
	static const uint8_t wanted[] = {1, 3, 6, 51, 54};
	static const uint8_t end = 255;

	put_option(out, 53, &m->type, 1);
	put_ipv4(out, 50, m->requested_ip);
	put_ipv4(out, 54, m->server_id);
	if (m->type != DHCP_RELEASE) {
		put_option(out, 55, wanted, sizeof(wanted));
		if (path->option82_len)
			put_option(out, 82, path->option82, path->option82_len);
	}
	out->bytes[out->len++] = end;
	/* RFC 1542 2.1: some relays drop what is shorter than 300 bytes. */
	if (out->len < 60)
		out->len = 60;
}

static int failed(const struct probe_wire *wire, char why[PROBE_WHY])
{
	snprintf(why, PROBE_WHY, "%s", libnet_geterror(wire->net));
	return -EIO;
}

/* libnet swaps the addresses of a BOOTP header itself, those of an IP header not. */
static bool build_dhcp(struct probe_wire *wire, const struct probe_message *m)
{
	const struct probe_path *path = wire->path;
	bool relayed = path->relay && m->type != DHCP_RELEASE;
	bool broadcast = !relayed && m->type != DHCP_RELEASE;
	struct layout options = {.len = 0};

	put_options(&options, path, m);
	return libnet_build_dhcpv4(LIBNET_DHCP_REQUEST, 1, 6, relayed, m->xid, 0,
		       broadcast ? FLAG_BROADCAST : 0, m->ciaddr, 0, 0, relayed ? path->relay : 0,
		       path->mac.b, NULL, NULL, options.bytes, (uint32_t)options.len, wire->net,
		       0) >= 0;
}

static bool build_ip(struct probe_wire *wire, const struct probe_message *m)
{
	const struct probe_path *path = wire->path;
	bool release = m->type == DHCP_RELEASE;
	uint32_t src = release ? m->ciaddr : path->relay;
	uint32_t dst = release ? m->server_id : path->server ? path->server : 0xffffffff;
	uint16_t sport = path->relay && !release ? PORT_SERVER : PORT_CLIENT;
	uint32_t len = libnet_getpacket_size(wire->net);

	if (libnet_build_udp(sport, PORT_SERVER, (uint16_t)(LIBNET_UDP_H + len), 0, NULL, 0,
		    wire->net, 0) < 0)
		return false;
	return libnet_build_ipv4((uint16_t)(LIBNET_IPV4_H + LIBNET_UDP_H + len), 0,
		       (uint16_t)m->xid, 0, 64, IPPROTO_UDP, 0, htonl(src), htonl(dst), NULL, 0,
		       wire->net, 0) >= 0;
}

static bool build_link(struct probe_wire *wire)
{
	static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255};
	const struct probe_path *path = wire->path;

	if (wire->routed)
		return true;
	if (path->tagged)
		return libnet_build_802_1q(everybody, path->source.b, ETHERTYPE_VLAN, 0, 0,
			       path->vlan, ETHERTYPE_IP, NULL, 0, wire->net, 0) >= 0;
	return libnet_build_ethernet(
		       everybody, path->source.b, ETHERTYPE_IP, NULL, 0, wire->net, 0) >= 0;
}

int probe_wire_send(
	struct probe_wire *wire, const struct probe_message *message, char why[PROBE_WHY])
{
	libnet_clear_packet(wire->net);
	if (!build_dhcp(wire, message) || !build_ip(wire, message) || !build_link(wire))
		return failed(wire, why);
	return libnet_write(wire->net) < 0 ? failed(wire, why) : 0;
}

int probe_wire_open(
	const struct probe_path *path, char why[PROBE_WHY], struct probe_wire **ret_wire)
{
	char text[LIBNET_ERRBUF_SIZE] = "";
	struct probe_wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return -ENOMEM;
	wire->path = path;
	wire->routed = path->server != 0;
	wire->net = libnet_init(wire->routed ? LIBNET_RAW4 : LIBNET_LINK, path->interface, text);
	if (!wire->net) {
		snprintf(why, PROBE_WHY, "%.*s", PROBE_WHY - 1, text);
		free(wire);
		return -EIO;
	}
	*ret_wire = wire;
	return 0;
}

void probe_wire_close(struct probe_wire *wire)
{
	if (!wire)
		return;
	libnet_destroy(wire->net);
	free(wire);
}
