/* SPDX-License-Identifier: ISC
 *
 * Correlation: DHCP messages of one exchange by (xid, chaddr), RADIUS sessions by MAC, and the MAC
 * addresses that are in no table. All three are bounded: the entry that was not heard of for
 * longest goes first, and is counted. An exchange that is gone costs evidence, never a wrong
 * answer: the REQUEST's option 82, its ciaddr, and what was told of a MAC that is in no table.
 */
#ifndef TAP82_CORRELATE_H
#define TAP82_CORRELATE_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/clock.h"
#include "tap82/event.h"
#include "tap82/hash.h"
#include "tap82/observation.h"

#include <uthash.h>

#define TRANSACTIONS_MAX   32768
#define TRANSACTION_EXPIRY (10 * 60 * USEC_PER_SEC)
#define SESSIONS_MAX	   262144
#define SESSION_EXPIRY	   (24 * USEC_PER_HOUR)
#define UNKNOWN_MAX	   16384 /* of those that got an address, and of those that did not */

/* --- DHCP exchanges ----------------------------------------------------------------------------
 */

struct transaction_key {
	struct mac mac;
	uint16_t zero;
	uint32_t xid;
};

struct transaction {
	UT_hash_handle hh;
	struct transaction_key key;
	uint32_t ciaddr; /* of the REQUEST */
	uint32_t giaddr; /* of the REQUEST that brought option 82 */
	uint32_t declined_ip; /* told */
	uint32_t acked_ip; /* the last happening: yiaddr and time of its first ACK */
	uint32_t asked_at; /* the client's own last REQUEST, no relay's copy: ms, 0: none */
	int64_t acked_at;
	int64_t seen_at; /* the last message */
	int64_t legs[5]; /* first DISCOVER, OFFER, REQUEST, ACK, NAK; 0: not seen */
	bool has_request;
	uint8_t client_state; /* enum client_state: of the last REQUEST, and by the ACK */
	struct option82 *option82; /* of the REQUEST, cut to its length; NULL: none */
	struct port_place *port; /* the layout's reading of it; NULL: none */
};

enum { LEG_DISCOVER, LEG_OFFER, LEG_REQUEST, LEG_ACK, LEG_NAK };

struct transactions {
	struct transaction *by_key; /* in the order of seen_at */
	struct transaction *spare; /* through hh.next */
	uint32_t count, max;
	uint64_t dropped; /* because the table was full */
};

void transactions_init(struct transactions *t, uint32_t max);
void transactions_done(struct transactions *t);
/* Forgets what was last seen before now - TRANSACTION_EXPIRY. */
void transactions_expire(struct transactions *t, int64_t now);
/* Takes a DHCP message in (any type but ACK adds its leg); the exchange, or NULL without memory. */
struct transaction *transaction_observe(
	struct transactions *t, const struct observation *o, int64_t now);
/* Asks the memory for what transaction_observe() will look at, and goes on when that should have
 * come. */
struct transaction_ahead {
	unsigned hash;
	bool wanted;
};
void transaction_ahead(const struct transactions *t, const struct mac *mac, uint32_t xid,
	struct transaction_ahead *ret);
void transaction_ahead_go_on(const struct transactions *t, struct transaction_ahead *ahead);
struct transaction *transaction_find(struct transactions *t, const struct mac *mac, uint32_t xid);
/* The MAC's exchange whose last message came at `seen_at`, or NULL. Looks through those of later.
 */
struct transaction *transaction_last(
	const struct transactions *t, const struct mac *mac, int64_t seen_at);
/* True: this ACK's (MAC, IP, xid) is a new happening; false: it was told within 10 minutes. */
bool transaction_is_new(struct transaction *tx, uint32_t yiaddr, int64_t now);

/* --- RADIUS sessions ---------------------------------------------------------------------------
 */

struct session {
	UT_hash_handle hh;
	struct mac mac;
	uint8_t code, acct_status; /* of the last message */
	bool ended; /* Accounting Stop */
	uint32_t nas_ip, framed_ip;
	int32_t vlan;
	int64_t since, seen_at;
	/* nas_port_id, circuit_id, remote_id, user, session_id: presence, lengths, bytes. */
	uint8_t present;
	uint8_t len[5];
	uint8_t *bytes;
};

struct sessions {
	struct session *by_mac; /* in the order of seen_at */
	uint32_t count, max;
	uint64_t dropped;
};

void sessions_init(struct sessions *s, uint32_t max);
void sessions_done(struct sessions *s);
void sessions_expire(struct sessions *s, int64_t now);
struct session *session_find(struct sessions *s, const struct mac *mac);
/* Takes a RADIUS message in: the session with *ret_moved telling whether its place is another than
 * before, or NULL (no MAC, a reject, no memory). */
struct session *session_observe(
	struct sessions *s, const struct observation *o, int64_t now, bool *ret_moved);
/* False: it names no place. */
bool session_place(const struct session *session, struct place *ret);
/* Text of user or session_id, and its length; NULL for none. */
enum { SESSION_USER = 3, SESSION_ID = 4 };
const uint8_t *session_field(const struct session *session, int field, uint8_t *ret_len);
/* Whether a camera's option 82 and its RADIUS place can be compared and are different. `port` may
 * be NULL. */
bool place_contradicts(
	const struct place *place, const struct option82 *o, const struct port_place *port);

/* --- MAC addresses in no table ------------------------------------------------------------------
 */

struct unknown {
	UT_hash_handle hh;
	struct mac mac;
	bool acked; /* a server gave it an address */
	uint8_t reason; /* enum reason: why its last ACK stopped */
	uint8_t hostname_len, vendor_class_len;
	uint32_t ip, server_id, relay, xid;
	int64_t first_seen, last_seen;
	int64_t told_at; /* device.unknown, 0: never */
	struct option82 *option82; /* NULL: none; cut to its length */
	struct port_place port; /* the layout's reading of it */
	uint8_t texts[2 * OBSERVATION_TEXT_MAX]; /* hostname, vendor class */
};

struct unknowns {
	struct unknown *heard, *acked; /* two tables: a flood of DISCOVERs pushes no other out */
	uint32_t max;
	uint64_t dropped; /* of both */
};

void unknowns_init(struct unknowns *u, uint32_t max);
void unknowns_done(struct unknowns *u);
struct unknown *unknown_find(struct unknowns *u, const struct mac *mac);
/* Takes a client's message in; NULL without memory. */
struct unknown *unknown_observe(struct unknowns *u, const struct observation *o, int64_t now);
/* An address was given to it: yiaddr, server and relay of this ACK. `o82` and the layout's reading
 * of it may be NULL. */
struct unknown *unknown_acked(struct unknowns *u, struct unknown *entry,
	const struct observation *o, const struct option82 *o82, const struct port_place *port);
void unknown_remove(struct unknowns *u, const struct mac *mac);

/* A copy of option 82 that takes as much memory as it has bytes: only `raw[0..len)` may be read.
 * NULL without memory. free() it. */
struct option82 *option82_keep(const struct option82 *o);

#endif
