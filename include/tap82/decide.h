/* SPDX-License-Identifier: ISC
 *
 * The decision: what follows from one DHCPACK. A pure function over a struct match; the whole
 * algorithm is one table (core/decide.c), read from top to bottom. explain, events and metrics say
 * the same reason.
 */
#ifndef TAP82_DECIDE_H
#define TAP82_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/conf.h"

/* Kept in the store: new ones come last. */
enum reason {
	REASON_NONE, /* no ACK was judged */
	REASON_UNKNOWN_SERVER,
	REASON_NO_GROUP,
	REASON_UNKNOWN_RELAY,
	REASON_AUTO_PROVISIONING_OFF,
	REASON_UNKNOWN_DEVICE,
	REASON_WRONG_GROUP,
	REASON_REPLACEMENT_PENDING,
	REASON_ALREADY_PROVISIONED,
	REASON_ADDRESS_CHANGED,
	REASON_ADDRESS_TAKEN,
	REASON_RESERVATION_FAILED, /* found later, when dhcpd answers */
	REASON_PROVISIONED, /* nothing stops: it is being reserved and handed over */
	REASONS
};

/* What is on the camera's port beside itself. */
enum port_claim {
	PORT_ITS_OWN, /* nobody else's, or no port is known */
	PORT_OTHER_ALIVE,
	PORT_OTHER_SILENT,
	PORT_ANNOUNCED, /* the inventory says which camera it replaces */
};

/* The facts about an ACK and its camera, as they were before it. */
struct match {
	bool server_known; /* option 54 (else the source) is one of ours */
	bool in_group; /* yiaddr is in a group's subnets */
	bool relay_listed; /* giaddr is in the group's list */
	bool relay_any; /* the group lists no relays */
	bool relayed; /* giaddr is not 0 */
	bool has_option82; /* the ACK's, or its REQUEST's */
	bool l2; /* option 82 with giaddr 0 is allowed beside the list */
	bool auto_provisioning; /* globally and in the group */
	bool device_known;
	bool group_fits; /* the inventory names no group, or this one */
	bool has_address;
	bool same_address;
	bool first_address; /* the one it had before it was given another camera's */
	enum conf_address_change on_address_change;
	bool address_taken; /* it is another device's, or being reserved for one */
	bool old_has_address; /* the other camera on the port has one */
	enum port_claim port;
	enum conf_replacement replacement;
};

struct decision {
	uint8_t row; /* index into decide_rows(); the row that stopped, or the last */
	enum reason reason;
	bool allocated; /* questions 1 to 4 were passed: the allocation is told */
	bool learns; /* question 6 was passed: its place is learnt */
	bool replaces; /* question 8: the other camera is replaced by this one */
	bool takes_over; /* … and this one gets its address */
	bool announced; /* question 8: that the other one is alive does not matter */
	bool shares; /* question 8: the other camera is alive */
};

struct decide_row {
	uint8_t number; /* of the README's table */
	const char *question;
	bool (*passes)(const struct match *m);
	enum reason stop; /* when it does not pass */
	const char *next_step; /* what a person can do then */
};

void decide(const struct match *m, struct decision *ret_decision);
const struct decide_row *decide_rows(unsigned *ret_count);

/* "unknown-server" …; "" for REASON_NONE. */
const char *reason_text(enum reason reason);
/* The row that stops with it; the last row for REASON_PROVISIONED. */
const struct decide_row *decide_row_of(enum reason reason);

#endif
