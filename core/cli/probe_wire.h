/* SPDX-License-Identifier: ISC
 *
 * What `tap82 probe` puts on the wire, built and sent with libnet. As a client: Ethernet frames,
 * tagged if wanted, because there is no address to send from yet. As a relay with a server named:
 * an IPv4 packet that the kernel routes, because the server may be any number of hops away.
 */
#ifndef TAP82_PROBE_WIRE_H
#define TAP82_PROBE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/addr.h"

#define PROBE_OPTION82_MAX 255 /* RFC 3046 2.0: one option */
#define PROBE_WHY	   256

/* Who asks, and along which way. */
struct probe_path {
	const char *interface;
	bool tagged;
	uint16_t vlan;
	struct mac source; /* the interface's own: no switch may learn a camera's address here */
	struct mac mac; /* the client: chaddr */
	uint32_t relay; /* giaddr; 0: as a client */
	uint32_t server; /* where the relay sends to; 0: broadcast */
	uint8_t option82[PROBE_OPTION82_MAX];
	uint8_t option82_len;
};

/* One message of the client's: RFC 2131 table 5. Zeros are left out. */
struct probe_message {
	uint8_t type; /* enum dhcp_type */
	uint32_t xid;
	uint32_t requested_ip, server_id;
	uint32_t ciaddr; /* RELEASE: the address, and the source */
};

struct probe_wire;

/* The interface's own address. 0; ERR_NOT_FOUND: no such interface; -errno. */
int probe_wire_mac(const char *interface, struct mac *ret_mac);
/* Whether an address is one of this host's. */
bool probe_wire_is_ours(uint32_t ip);
/* Opens the way out; `path` is borrowed. 0, or negative and `why`. */
int probe_wire_open(
	const struct probe_path *path, char why[PROBE_WHY], struct probe_wire **ret_wire);
void probe_wire_close(struct probe_wire *wire); /* NULL is fine */
/* 0, or negative and `why`. */
int probe_wire_send(
	struct probe_wire *wire, const struct probe_message *message, char why[PROBE_WHY]);

#endif
