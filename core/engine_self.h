/* SPDX-License-Identifier: ISC
 *
 * The engine's inside, for the files that it is made of:
 *
 *	engine.c		life, time, observations
 *	engine_ahead.c		observations that wait
 *	ack.c			one DHCPACK: facts, decision, what is told
 *	provision.c		a reservation's way begins
 *	settle.c		… and ends: answers, deadlines, the hand-over
 *	takeover.c		one camera's address becomes another's
 *	engine_tell.c		events
 *	engine_inventory.c	devices come, change and go
 *	engine_rows.c		to the store
 *	engine_restore.c	and out of it
 *	engine_told.c		events of before that are not told again yet
 *	engine_records.c	answers to questions
 *	explain.c		why a camera is (not) provisioned
 */
#ifndef TAP82_ENGINE_SELF_H
#define TAP82_ENGINE_SELF_H

#include "tap82/correlate.h"
#include "tap82/decide.h"
#include "tap82/device.h"
#include "tap82/engine.h"
#include "tap82/hold.h"
#include "tap82/reservation.h"

#define STRANGERS_MAX	 4096
#define STRANGER_QUIET	 USEC_PER_HOUR
#define UNKNOWN_QUIET	 USEC_PER_DAY
#define UNKNOWN_RATE	 10 /* of those in no table, told a second, when more come */
#define MOVED_QUIET	 USEC_PER_HOUR
#define REPIN_AFTER	 USEC_PER_SEC /* dhcpd is to see the RELEASE first */
#define RENEWAL_FRACTION 2 /* RFC 2131 4.4.5: T1 is half the lease */

/* A server or relay that is none of ours, and when it was told. */
struct stranger {
	UT_hash_handle hh;
	struct stranger_key {
		uint32_t ip, kind; /* kind: enum reason */
	} key;
	int64_t told_at;
};

struct repin {
	int64_t due;
	struct mac mac;
	uint8_t server; /* to which it released; DEVICE_REPIN_ALL: no matter */
};

/* What an inventory goes through, in slices; before the sweep nothing is changed. */
enum inventory_phase {
	INVENTORY_IDLE,
	INVENTORY_GROW, /* the tables have room for what comes, one in a step */
	INVENTORY_CLEAR, /* no device is marked */
	INVENTORY_CHECK, /* no row contradicts a device added by hand; the file's devices are marked
			  */
	INVENTORY_COUNT, /* not too many would go */
	INVENTORY_SWEEP, /* they go */
	INVENTORY_APPLY,
};

struct inventory_job {
	enum inventory_phase phase;
	const struct inventory_row *rows;
	const char *file;
	size_t count, slots; /* rows, and device slots when it began */
	size_t at; /* in the phase: a row or a slot */
	bool force;
	bool fresh; /* the table was empty: rows contradict none but each other, which was checked
		     */
	uint32_t lost;
	size_t added, changed, removed;
};

/* The rows of one MAC out of the store, until another MAC's come. */
struct restoring {
	uint8_t count, servers[RESERVATION_PARTS_MAX];
	struct reservation_row rows[RESERVATION_PARTS_MAX];
};

/* An observation that waits. */
struct ahead {
	uint8_t kind;
	struct mac mac;
	uint32_t xid; /* 0: no DHCP */
	struct transaction_ahead transaction;
	struct device_ahead device;
};

struct engine {
	const struct conf *conf;
	struct engine_ops ops;
	void *ctx;
	int64_t now;
	int64_t ahead; /* of the wall clock: what is told, shown and stored is engine's time and
			  this */
	struct mac restored_to; /* the highest of the restored devices */
	uint32_t restored_at; /* index of the device whose reservations were restored last */
	struct restoring *restoring; /* NULL: nothing was restored, or it is being gone on with */
	int64_t started; /* the first time that was heard of */
	struct device_table devices;
	struct transactions transactions;
	struct sessions sessions;
	struct unknowns unknowns;
	struct reservations reservations;
	struct holds holds;
	struct stranger *strangers;
	struct repin *repins; /* in order of `due` */
	uint32_t repin_count, repin_room;
	uint32_t *dirty; /* device indexes to be stored */
	uint32_t dirty_count, dirty_room;
	struct inventory_job job;
	struct {
		struct ahead ring[ENGINE_AHEAD];
		unsigned first, count;
		bool went_on; /* since the last one had its turn */
		struct device *device; /* found for the one whose turn it is; it may be gone */
	} foreseen;
	int64_t unknown_at; /* up to when the room for telling of unknown MACs is used */
	uint64_t observations, acks, legs, untold;
	int64_t leg_time;
	uint64_t decisions[REASONS];
	uint64_t events[EVENT_CODES];
	struct option82 profile; /* room for events */
	struct port_place profile_place;
	struct place place;
	struct device_row row;
};

/* One DHCPACK and what belongs to it. */
struct happening {
	const struct observation *o;
	struct transaction *tx; /* may be NULL */
	struct device *device; /* NULL: in no table */
	struct unknown *unknown;
	const struct option82 *option82; /* the ACK's or its REQUEST's; NULL: bare or none */
	const struct port_place *port; /* the layout's reading of the ACK's */
	uint32_t server_id;
	int server, group; /* -1: none of ours */
	bool restarted; /* ciaddr 0: not a renewal */
};

/* engine_tell.c */
void tell(struct engine *e, struct event *ev, const void *happening, size_t len);
/* An event about a device: time, MAC, identity, place, and the profile as option 82. */
void event_of_device(struct engine *e, struct event *ev, enum event_code code,
	const struct device *d, uint32_t ip);
/* The profile as option 82, with the layout's reading of it. */
void event_of_profile(struct engine *e, struct event *ev, const struct device *d);
void event_of_happening(
	struct engine *e, struct event *ev, enum event_code code, const struct happening *h);
void tell_happening(
	struct engine *e, enum event_code code, const struct happening *h, enum reason reason);
void tell_removed(
	struct engine *e, const struct mac *mac, uint32_t ip, uint32_t xid, const char *reason);
/* A time as it is told, shown and stored; 0 stays 0, "never". */
static inline int64_t shown(const struct engine *e, int64_t time)
{
	return time ? time + e->ahead : 0;
}
void identity_of(const struct engine *e, const struct device *d, struct identity *ret);
const char *group_name(const struct engine *e, int group);
/* xid in network order, to be a happening. */
static inline void put_u32(uint8_t out[4], uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

/* engine.c */
void mark_dirty(struct engine *e, struct device *d);
/* Ends every entrance: gives orders, stores what changed. */
void engine_settle(struct engine *e);

/* engine_ahead.c: an observation has its turn. */
void ahead_came(struct engine *e, const struct observation *o);
/* The device of this observation's MAC, or NULL. */
struct device *ahead_device(struct engine *e, const struct mac *mac);

/* ack.c */
void engine_ack(
	struct engine *e, const struct observation *o, struct device *d, struct transaction *tx);
/* The address is another device's, or being reserved for one. */
bool is_taken(struct engine *e, const struct device *d, uint32_t ip);
/* Tells once if option 82 and RADIUS disagree about a device. */
void check_places(struct engine *e, struct device *d, const struct option82 *o,
	const struct port_place *port, uint32_t ip);

/* provision.c, settle.c, takeover.c */
struct wish {
	enum reservation_purpose purpose;
	uint32_t ip;
	uint16_t group;
	uint8_t acked_server;
	uint32_t xid, relay;
	bool announced; /* takeover: the old camera may be alive */
	struct device *old; /* takeover: whose address it is; else NULL */
};
void provision(struct engine *e, struct device *d, const struct wish *wish);
void provision_again(struct engine *e, struct device *d, const struct wish *wish);
/* Takes the reservation of a device (or of one that is gone) away. */
void unprovision(struct engine *e, struct device *d);
void provision_answered(struct engine *e, struct reservation *r);
void provision_deadlines(struct engine *e);
int64_t provision_next_deadline(const struct engine *e);
/* The device goes: what is under way for it is taken back. */
void provision_device_gone(struct engine *e, struct device *d);
/* A camera showed itself: if its address was being taken over because it was silent, that ends. */
void provision_heard(struct engine *e, struct device *old);
/* It is a side of a takeover that is not settled. */
bool provision_is_busy(struct engine *e, const struct device *d);
/* This address is being taken over for it. */
bool provision_takes(struct engine *e, const struct device *d, uint32_t ip);
void provision_repin(struct engine *e, const struct repin *repin);
void provision_fail_told(struct engine *e, struct device *d, uint32_t ip, const char *server,
	const char *reason, const char *detail, uint32_t xid, uint32_t relay, int group);
/* Bits of `confirmed`: all servers of a group. */
uint8_t group_mask(const struct engine *e, int group);
void start_hold(struct engine *e, struct device *d, uint32_t xid);
/* Caused by an ACK (h) or by the end of a reservation (r). */
void hand_over(struct engine *e, struct device *d, const struct happening *h,
	const struct reservation *r, const char *reason);

/* engine_rows.c: phase and more travel in the flags of a reservation's row. */
enum {
	ROW_FRESH = 0x80,
	ROW_ACKED = 0x40 /* this server sent the ACK */,
	ROW_ANNOUNCED = 0x20,
	ROW_PHASE = 0x0f
};
void store_device(struct engine *e, const struct device *d);
void store_part(void *ctx, struct reservation *r, struct reservation_part *part);

/* engine_restore.c */
/* A time of the store that has been. */
int64_t restored_time(const struct engine *e, int64_t time);
/* After the last row: what is not final goes on. */
void restore_end(struct engine *e);

#endif
