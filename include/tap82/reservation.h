/* SPDX-License-Identifier: ISC
 *
 * Reservations that are not final: for each MAC, on each server of its group, what is wanted there
 * and what is known to be there. reservation_step() is the only place where a state changes; the
 * rest of this module says what may be sent next, in fair order.
 *
 *	           send                done
 *	 wanted ─────────▶ sent ─────────────────▶ confirmed
 *	   ▲                │ │ refused
 *	   │ due     not now│ └─────────▶ refused
 *	   └──── waiting ◀──┘
 *
 * A wish that changes while an order is on its way is looked at again when the answer comes: the
 * newest wish wins, and a server has one order of a MAC at a time.
 */
#ifndef TAP82_RESERVATION_H
#define TAP82_RESERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/addr.h"
#include "tap82/conf.h"
#include "tap82/engine.h"
#include "tap82/hash.h"

#include <uthash.h>

struct device;

enum reservation_state {
	RESERVATION_WANTED,
	RESERVATION_SENT,
	RESERVATION_CONFIRMED,
	RESERVATION_REFUSED,
	RESERVATION_WAITING,
};

enum reservation_purpose {
	PURPOSE_CREATE, /* its first address */
	PURPOSE_UPDATE, /* it has another address now */
	PURPOSE_TAKEOVER, /* it gets the address of `peer`, which yields */
	PURPOSE_YIELD, /* `peer` takes its address over; given back if that fails */
	PURPOSE_ENSURE, /* what its device has already, made sure of */
	PURPOSE_REMOVE, /* nothing is to be reserved for this MAC */
};

enum reservation_phase {
	PHASE_ACTIVE, /* on its way, until the deadline */
	PHASE_PARTIAL, /* told as done; a server that was away still gets its part */
	PHASE_UNDOING, /* failed: what it did is being taken back */
	PHASE_FAILED, /* over; kept to be shown, until the next wish */
};

enum part_queue {
	PART_IDLE,
	PART_QUEUED, /* in its server's queue */
	PART_BLOCKED, /* its address is still another's there */
	PART_AWAY, /* new, and its server is away: only to hear that it is */
};

/* One server's part. */
struct reservation_part {
	uint8_t server;
	uint8_t state; /* enum reservation_state */
	uint8_t queued; /* enum part_queue */
	bool answered;
	bool repin; /* the wish is there already, its lease is to be pinned again */
	uint32_t want, have; /* addresses, 0: none */
	uint32_t maybe; /* sent, and it is not known what became of it; 0: nothing */
	uint32_t sent;
	uint32_t tries;
	char *reason, *detail; /* of the last answer that was not DONE; owned */
	struct reservation *of;
	struct reservation_part *next, *prev; /* of the server's queue */
};

#define RESERVATION_PARTS_MAX (2 * CONF_GROUP_SERVERS_MAX)

struct reservation {
	UT_hash_handle hh, by_ip;
	struct mac mac, peer; /* peer: zero if none */
	struct device *device; /* NULL: it is gone */
	uint32_t ip, base_ip; /* wanted; had before */
	uint32_t xid, relay; /* of the ACK that caused it */
	uint16_t group;
	uint8_t purpose, phase;
	uint8_t acked_server;
	uint8_t mode; /* enum conf_reservation */
	bool announced; /* a takeover that the old camera's life does not end */
	bool fresh; /* the device had no reservation before: "created", not "updated" */
	bool timed; /* on the list of deadlines */
	uint8_t count;
	uint32_t index; /* of reservations.all */
	uint32_t serial; /* distinguishes users of the same index */
	int64_t since;
	struct reservation *older, *newer; /* in order of `since`: deadlines */
	struct reservation_part parts[];
};

enum reservation_input_kind {
	INPUT_WANT, /* this address is wanted in this part now */
	INPUT_REPIN, /* its lease was released */
	INPUT_SEND, /* an order goes out */
	INPUT_DONE,
	INPUT_REFUSED,
	INPUT_NOT_NOW,
	INPUT_DUE, /* the server may be asked again */
};

struct reservation_input {
	enum reservation_input_kind kind;
	uint8_t part;
	uint32_t ip; /* INPUT_WANT */
	const char *reason, *detail; /* INPUT_REFUSED, INPUT_NOT_NOW */
	bool changed; /* INPUT_REFUSED: as of an answer */
};

/* What is to be sent next, 0: a release. Not always what is wanted: while the server may have one
 * of two addresses, it is first brought to one of them. */
uint32_t reservation_next(const struct reservation_part *p);
/* What the server has or may have is what is known of `old`, another part for the same server; an
 * order of it that is on its way may have any outcome. */
void reservation_inherit(struct reservation_part *p, const struct reservation_part *old);

/* Takes one input in. True: the part's state (or wish) is another than before. */
bool reservation_step(struct reservation *r, const struct reservation_input *in);

enum reservation_outcome {
	OUTCOME_OPEN, /* more answers are needed */
	OUTCOME_PARTIAL, /* each server answered, one at least has it, others are away */
	OUTCOME_DONE, /* every server has what is wanted */
	OUTCOME_REFUSED, /* *ret_part said no */
};
/* What the parts together come to. */
enum reservation_outcome reservation_outcome(
	const struct reservation *r, const struct reservation_part **ret_part);
const char *reservation_state_text(enum reservation_state state);
/* As shown: the state's, but "none" where it is confirmed that nothing is reserved. */
const char *reservation_part_text(const struct reservation_part *p);
const char *reservation_purpose_text(enum reservation_purpose purpose);

/* --- All of them, and the queues ---------------------------------------------------------------
 */

struct server_queue {
	struct reservation_part *first, *last;
	uint32_t queued, sent, room;
	enum server_state state;
	bool trial; /* not UP, but orders may be tried */
	uint32_t fails; /* NOT_NOW in a row */
	int64_t blocked_until;
	uint64_t done, refused, not_now;
};

/* Who has an address at a server, or perhaps has: nobody else gets it there meanwhile. */
struct claim {
	UT_hash_handle hh;
	struct claim_key {
		uint32_t ip, server;
	} key;
	struct mac mac;
	uint32_t count; /* have, maybe and sent may be the same address */
};

typedef void (*order_fn)(void *ctx, const struct order *order);
/* A part's row changed and wants to be stored. */
typedef void (*part_fn)(void *ctx, struct reservation *r, struct reservation_part *part);

struct reservations {
	struct reservation *by_mac, *by_ip;
	struct reservation *oldest, *newest;
	struct reservation **all;
	uint32_t all_room, free_count, *free_list, serials, count;
	struct server_queue queues[ENGINE_SERVERS_MAX];
	struct server_queue blocked, away;
	struct claim *claims;
	unsigned servers; /* the highest index used, plus one */
	order_fn order;
	part_fn changed;
	void *ctx;
};

void reservations_init(struct reservations *s, order_fn order, part_fn changed, void *ctx);
void reservations_done(struct reservations *s);
struct reservation *reservations_find(struct reservations *s, const struct mac *mac);
/* A MAC that an address is being reserved for, or NULL. */
struct reservation *reservations_find_ip(struct reservations *s, uint32_t ip);
struct reservation *reservations_at(struct reservations *s, uint32_t index);
/* Makes one with parts for `servers`, all of them confirmed with nothing wanted; the MAC has none.
 * NULL without memory. */
struct reservation *reservations_add(struct reservations *s, const struct mac *mac,
	const uint8_t *servers, uint8_t count, int64_t now);
void reservations_remove(struct reservations *s, struct reservation *r);
/* Starts its deadline anew. */
void reservations_restart(struct reservations *s, struct reservation *r, int64_t now);
/* Brings deadlines in their order, after reservations were added with times of before. */
void reservations_sort(struct reservations *s);
/* It has no deadline any more. */
void reservations_untime(struct reservations *s, struct reservation *r);
/* The address that is wanted, for reservations_find_ip(). */
void reservations_set_ip(struct reservations *s, struct reservation *r, uint32_t ip);
/* Wants `ip` (0: nothing) in a part. */
void reservations_want(
	struct reservations *s, struct reservation *r, struct reservation_part *part, uint32_t ip);
/* Believes that the server has this, or perhaps has `maybe`. */
void reservations_believe(
	struct reservations *s, struct reservation_part *part, uint32_t have, uint32_t maybe);
/* As reservation_inherit(). */
void reservations_inherit(
	struct reservations *s, struct reservation_part *part, const struct reservation_part *old);
void reservations_repin(
	struct reservations *s, struct reservation *r, struct reservation_part *part);
/* An answer: the reservation it belongs to, or NULL if nobody waits for it any more. */
struct reservation *reservations_answer(
	struct reservations *s, const struct answer *answer, int64_t now);
/* Gives orders as far as servers have room and wishes may be sent. Returns when a server may be
 * asked again, INT64_MAX for never. */
int64_t reservations_pump(struct reservations *s, int64_t now);
void reservations_server(
	struct reservations *s, uint8_t server, enum server_state state, int64_t now);
void reservations_server_trial(struct reservations *s, uint8_t server, int64_t now);

#endif
