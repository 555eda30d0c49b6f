/* SPDX-License-Identifier: ISC
 *
 * An observation: what a sniffer saw, as a value. Fixed size, no pointers; it is the only thing
 * that passes from the process that parses hostile bytes to the engine, and the only thing that
 * the decision is made from. The engine calls observation_check() on each one received: it
 * believes no length and no enum.
 *
 * IPv4 addresses are in host order, 0 for none; times are microseconds since 1970 (packet time).
 */
#ifndef TAP82_OBSERVATION_H
#define TAP82_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap82/addr.h"

#define OBSERVATION_VERSION 2

#define OBSERVATION_OPTION82_MAX 512 /* joined by RFC 3396; longer ones are cut and flagged */
#define OBSERVATION_TEXT_MAX	 64 /* texts for people; longer ones are cut */
#define OBSERVATION_ID_MAX	 255 /* RADIUS strings that identify a place */
#define OBSERVATION_LAYOUT_MAX	 24
#define OBSERVATION_STATUS_MAX	 320

enum observation_kind {
	OBSERVATION_DHCP = 1,
	OBSERVATION_RADIUS,
	OBSERVATION_COUNTERS,
	OBSERVATION_STATUS,
};

/* DHCP message types: RFC 2132 9.6, RFC 3203, 4388, 6926, 7724. */
enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
	DHCP_FORCERENEW,
	DHCP_LEASEQUERY,
	DHCP_LEASEUNASSIGNED,
	DHCP_LEASEUNKNOWN,
	DHCP_LEASEACTIVE,
	DHCP_BULKLEASEQUERY,
	DHCP_LEASEQUERYDONE,
	DHCP_ACTIVELEASEQUERY,
	DHCP_LEASEQUERYSTATUS,
	DHCP_TLS,
	DHCP_TYPE_MAX = DHCP_TLS,
};

/* A part of option82.raw: a sub-option's value. `present` with len 0 is an empty id: a value. */
struct span {
	uint16_t at;
	uint16_t len;
	bool present;
};

/* Option 82 (RFC 3046), without its code and length. len 0: none was there. */
struct option82 {
	uint16_t len;
	bool cut; /* longer than we keep, or an id in pieces: for display, not as a port */
	struct span circuit_id; /* sub-option 1 */
	struct span remote_id; /* sub-option 2 */
	struct span subscriber_id; /* sub-option 6 */
	uint8_t raw[OBSERVATION_OPTION82_MAX];
};

/* A circuit-id read by the vendor layout that is configured for its relay ([switches]).
 * -1 where the layout has no such field. */
struct port_place {
	char layout[OBSERVATION_LAYOUT_MAX]; /* "": none configured, or it does not fit */
	int32_t vlan, slot, port;
	struct mac switch_mac;
	bool has_switch_mac;
};

struct observation_dhcp {
	uint8_t type; /* enum dhcp_type; 0: BOOTP */
	bool is_reply; /* op 2 */
	bool broadcast;
	uint8_t hops;
	bool has_mac; /* htype Ethernet, hlen 6 */
	uint32_t xid;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	uint32_t server_id, requested_ip;
	uint32_t lease_time; /* seconds, 0: not there */
	uint16_t hostname_len, vendor_class_len;
	uint8_t hostname[OBSERVATION_TEXT_MAX];
	uint8_t vendor_class[OBSERVATION_TEXT_MAX];
	struct option82 option82;
	struct port_place port;
};

/* RADIUS codes, RFC 2865, 2866, 5176. Acct-Status-Type: RFC 2866 5.1. */
enum {
	RADIUS_ACCESS_REQUEST = 1,
	RADIUS_ACCESS_ACCEPT,
	RADIUS_ACCESS_REJECT,
	RADIUS_ACCOUNTING_REQUEST,
	RADIUS_ACCOUNTING_RESPONSE
};
enum { RADIUS_ACCT_START = 1, RADIUS_ACCT_STOP, RADIUS_ACCT_INTERIM };

struct id_bytes {
	uint8_t len;
	bool present;
	uint8_t bytes[OBSERVATION_ID_MAX];
};

struct observation_radius {
	uint8_t code, id;
	bool has_mac; /* from Calling-Station-Id, User-Name, or the paired request */
	uint8_t acct_status; /* 0: none */
	uint32_t nas_ip; /* NAS-IP-Address, else the source of the request */
	uint32_t framed_ip;
	int32_t vlan; /* Tunnel-Private-Group-ID as a number, -1: none */
	struct id_bytes nas_port_id, user, session_id;
	struct id_bytes circuit_id, remote_id; /* VSA 3561 (RFC 4679) or Cisco's, raw */
};

/* Totals since the sniffer started, sent once a second when they changed. */
struct observation_counters {
	uint64_t packets; /* received from the kernel or the file */
	uint64_t bytes;
	uint64_t dhcp, radius; /* messages decoded */
	uint64_t other; /* passed the kernel filter, not ours after all */
	uint64_t malformed, damaged;
	uint64_t kernel_drops; /* ps_drop */
	uint64_t interface_drops; /* ps_ifdrop */
	uint64_t fragments, reassembled;
	uint64_t shed; /* renewals let go for an engine that was behind */
	int64_t since; /* what is more than in the counters before came after this time */
};

/* What a sniffer says about its capture: the first message it sends, and the last where the
 * capture ended by itself. */
enum observation_capture {
	OBSERVATION_CAPTURE_OPEN = 1,
	OBSERVATION_CAPTURE_FAILED,
	OBSERVATION_CAPTURE_ENDED, /* a file, read to its end */
};

struct observation_status {
	uint8_t state; /* enum observation_capture */
	int32_t error; /* negative errno or enum err; 0 when open */
	char text[OBSERVATION_STATUS_MAX]; /* "<interface>: <what is wrong>: <cause>", NUL at the
					      end */
};

struct observation {
	uint16_t version; /* OBSERVATION_VERSION */
	uint8_t kind; /* enum observation_kind */
	uint8_t vlan_count;
	uint16_t vlans[4]; /* outermost first */
	int64_t time;
	struct mac mac; /* the client: chaddr, or RADIUS' station; zero if !has_mac */
	uint32_t src, dst;
	uint16_t sport, dport;
	union {
		struct observation_dhcp dhcp;
		struct observation_radius radius;
		struct observation_counters counters;
		struct observation_status status;
	};
};

/* The state in which a client sends a REQUEST: RFC 2131 4.3.2. */
enum client_state {
	CLIENT_UNKNOWN, /* no REQUEST, or one that the RFC does not know */
	CLIENT_SELECTING, /* takes up an offer */
	CLIENT_INIT_REBOOT, /* has just started, and asks for the address that it had */
	CLIENT_RENEWING, /* asks its server, past the relay */
	CLIENT_REBINDING, /* asks all servers, because its own did not answer */
	CLIENT_RENEWING_OR_REBINDING, /* a relay's copy: where the client sent it is not in it */
};
/* By what is in the REQUEST and where it goes to: some relays also pass renewals on that they see
 * on their way, as they do with rebindings. */
enum client_state client_state_of(const struct observation *o);
/* "selecting", "init-reboot" …; NULL for CLIENT_UNKNOWN. */
const char *client_state_text(enum client_state state);

/* How many bytes of the observation are sent: the header and its kind's part. 0: unknown kind. */
size_t observation_size(const struct observation *o);
/* Receiver's side: checks `n` received bytes as one observation: version, kind, size, every
 * length and span. 0; ERR_VERSION; ERR_TRUNCATED; ERR_RANGE. */
int observation_check(const struct observation *o, size_t n);

#endif
