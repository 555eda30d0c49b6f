/* SPDX-License-Identifier: ISC
 *
 * DHCPv4 and BOOTP messages (RFC 951, 2131, 2132, 3396): bytes to fields. Options are gathered
 * from the options field, then, as option 52 says, from file and sname, each joined, and then
 * interpreted by a table. What is malformed is decoded as far as it goes.
 */
#ifndef TAP82_DHCP_H
#define TAP82_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/addr.h"
#include "tap82/buf.h"
#include "tap82/observation.h"
#include "tap82/option82.h"
#include "tap82/options.h"
#include "tap82/problem.h"
#include "tap82/writer.h"

#define DHCP_BYTES_MAX 65535

struct dhcp {
	uint8_t op, htype, hlen, hops;
	uint8_t type; /* enum dhcp_type; 0: BOOTP, no valid option 53 */
	bool has_mac; /* an Ethernet address in chaddr */
	bool has_lease_time, has_option82;
	uint16_t secs, flags;
	uint32_t xid, ciaddr, yiaddr, siaddr, giaddr;
	uint32_t server_id, requested_ip, lease_time; /* 0: not there, or 0 */
	struct mac mac;
	uint8_t overload; /* option 52: DHCP_OVERLOAD_ bits */
	struct buf payload;
	struct problems problems;
	struct option_set options;
	struct option82_info option82;
	uint8_t joined[DHCP_BYTES_MAX]; /* repeated options */
};

enum { DHCP_OVERLOAD_FILE = 1, DHCP_OVERLOAD_SNAME = 2 };
enum { DHCP_OPTION_HOSTNAME = 12, DHCP_OPTION_VENDOR_CLASS = 60, DHCP_OPTION_CLIENT_ID = 61 };

#define DHCP_FLAG_BROADCAST 0x8000

/* Decodes a UDP payload, which must outlive `d`. `d` must have been zero once.
 * 0, or ERR_TRUNCATED: too short to hold chaddr, nothing to show. */
int dhcp_decode(struct dhcp *d, const struct buf *payload);

/* An option's value; an empty bad cursor if it is not there or its length is wrong. Trailing NULs
 * of the host name are not part of it (RFC 2132 section 2). Borrowed. */
struct buf dhcp_find(const struct dhcp *d, uint8_t code);
/* hlen bytes of hardware address, at most 16; none where hlen is more. */
struct buf dhcp_chaddr(const struct dhcp *d);

/* "ACK" … or "BOOTREQUEST", "BOOTREPLY": static storage. */
const char *dhcp_type_text(const struct dhcp *d);
/* The fields of decode's record from `type` to `client_id`, `broadcast`, `hops`. */
void dhcp_write(struct writer *w, const struct dhcp *d);
/* For the tree: secs, flags, sname, file, and all options but 82 by name: an object `options`. */
void dhcp_write_options(struct writer *w, const struct dhcp *d);
/* Checks the gathered options against the table and reads those that have a field in `d`. */
void dhcp_read_options(struct dhcp *d);

#endif
