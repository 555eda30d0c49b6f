/* SPDX-License-Identifier: ISC
 *
 * The device table: the cameras of the inventory with what was learned of them. Found by MAC, by
 * address, by serial number and by port (the raw bytes of remote-id and circuit-id). A million of
 * them take at most 400 bytes each, all tables included.
 */
#ifndef TAP82_DEVICE_H
#define TAP82_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/addr.h"
#include "tap82/hash.h"
#include "tap82/observation.h"
#include "tap82/pool.h"

#include <uthash.h>

enum device_state { DEVICE_NEW, DEVICE_RESERVING, DEVICE_PROVISIONED, DEVICE_FAILED };

enum device_flag {
	DEVICE_HELD = 1, /* manual streams, until hold_until */
	DEVICE_HAS_MEMO = 2, /* there is a struct memo */
	DEVICE_HAS_WORK = 4, /* there is a struct reservation */
	DEVICE_DIRTY = 8, /* to be stored at the end of this call */
	DEVICE_SEEN_IN_FILE = 16, /* while an inventory is taken over */
	DEVICE_WAS_CONFIRMED = 32, /* while it is restored: somewhere, its reservations say where */
	DEVICE_REPIN = 64, /* it released its address, which is to be pinned again */
	DEVICE_REPIN_ALL = 128, /* with DEVICE_REPIN: on every server */
};

#define DEVICE_NO_GROUP 0xffff
#define DEVICE_NONE	UINT32_MAX /* no index */

struct device {
	UT_hash_handle by_serial, by_ip, by_port;
	UT_hash_handle by_mac; /* beside what every packet looks at */
	struct mac mac;
	uint8_t state : 2; /* enum device_state */
	uint8_t reason : 6; /* why its last ACK stopped (enum reason), 0: none seen */
	uint8_t flags; /* enum device_flag */
	uint32_t index; /* of the slot in its table */
	uint32_t ip; /* its address, 0: none */
	uint32_t lease_time; /* seconds, of its last ACK; 0: unknown */
	uint32_t xid; /* of its last ACK */
	uint32_t hold_xid; /* of the ACK whose provisioning started the hold */
	uint32_t acked_at; /* its last ACK, seconds since 1970; 0: none */
	uint32_t port_next, port_prev; /* other cameras of its port, the last seen first */
	uint32_t texts, learned; /* pool handles */
	uint16_t group; /* the inventory's wish, DEVICE_NO_GROUP: any */
	uint16_t acked_group; /* of its last ACK in a group */
	uint16_t relay; /* index of an address: device_relay() */
	uint8_t confirmed; /* bits: servers of acked_group where `ip` is reserved */
	uint8_t acked_server; /* of its last ACK; the lease is pinned there */
	int64_t last_seen; /* DHCP or RADIUS; 0: never */
	int64_t hold_until;
};

/* What few devices have: kept beside the table. Zero: nothing. */
struct memo {
	UT_hash_handle hh;
	uint32_t index; /* of the device */
	uint32_t told_ip; /* the address whose change was told */
	uint32_t failed_ip; /* the address whose failure was told */
	uint32_t first_ip; /* takeover: its own address until it has the taken one */
	struct mac replaces; /* announced: the camera whose place it takes */
	int64_t moved_at; /* camera.moved was told */
	uint64_t mismatch; /* the pair of places that was told */
	/* Its last ACK, where nothing was done because of what it says; stopped_at 0: it was. */
	int64_t stopped_at;
	uint32_t stopped_ip, stopped_server_id, stopped_relay, stopped_xid;
};

/* Texts of the inventory, "" for none; valid until the device is changed or removed. */
struct device_texts {
	const char *serial_number, *uuid, *name;
	uint32_t line; /* of the file, 0: by hand */
	uint32_t inventory_ip;
};

/* A port: raw bytes, borrowed. Without both ids there is no port. */
struct port_key {
	const uint8_t *circuit_id, *remote_id;
	uint16_t circuit_id_len, remote_id_len;
	bool has_circuit_id, has_remote_id;
};

struct device_table {
	struct device *by_mac, *by_ip, *by_serial, *by_port; /* uthash heads */
	struct memo *memos;
	struct device **chunks; /* slabs that never move */
	uint32_t chunk_count, chunk_room, used;
	uint32_t free; /* list of slots through port_next */
	uint32_t count, states[4];
	uint32_t expected; /* devices that the tables are made for when they begin */
	struct pool pool;
	uint32_t *relays;
	uint16_t relay_count;
};

void device_table_init(struct device_table *t);
void device_table_done(struct device_table *t);
/* About so many devices will come: tables that are empty yet begin large enough. */
void device_table_expect(struct device_table *t, uint32_t count);
/* A table that is too small for what is expected is made large enough, which puts what is in it in
 * anew, in one go: false, if it was. `i`: 0..DEVICE_TABLES - 1. */
#define DEVICE_TABLES 4
bool device_table_grow(struct device_table *t, unsigned i);

struct device *device_find(struct device_table *t, const struct mac *mac);
struct device *device_find_ip(struct device_table *t, uint32_t ip);
struct device *device_find_serial(struct device_table *t, const char *serial_number);
/* The camera that was seen last on this port, or NULL. */
struct device *device_find_port(struct device_table *t, const struct port_key *key);
/* The next one on the same port, or NULL. */
struct device *device_port_next(struct device_table *t, const struct device *d);
/* By slot, 0..t->used - 1; NULL if the slot is empty. */
struct device *device_at(struct device_table *t, uint32_t index);

/* NULL without memory. The serial number must be free (device_find_serial()). */
struct device *device_add(
	struct device_table *t, const struct mac *mac, const struct device_texts *texts);
void device_remove(struct device_table *t, struct device *d);
/* 0, or -ENOMEM and nothing changed. */
int device_set_texts(struct device_table *t, struct device *d, const struct device_texts *texts);
void device_set_line(struct device_table *t, struct device *d, uint32_t line);
void device_texts(const struct device_table *t, const struct device *d, struct device_texts *ret);
void device_set_state(struct device_table *t, struct device *d, enum device_state state);
/* The address must be free of other devices; 0 takes it away. */
void device_set_ip(struct device_table *t, struct device *d, uint32_t ip);
uint32_t device_relay(const struct device_table *t, const struct device *d);
void device_set_relay(struct device_table *t, struct device *d, uint32_t relay);

/* Keeps option 82 with the layout's reading of it (NULL: none) as the profile and, where it names a
 * port, as the known port, with the device first among the cameras of that port. 0, or -ENOMEM. */
int device_learn(struct device_table *t, struct device *d, const struct option82 *o,
	const struct port_place *place, int64_t seen_at);
/* The known port moves to the front of its list: the device was seen there. */
void device_touch_port(struct device_table *t, struct device *d);
void device_forget_port(struct device_table *t, struct device *d);
bool device_has_port(const struct device *d);
/* It has a port and was the last camera seen there. */
static inline bool device_is_last_on_port(const struct device *d)
{
	return d->by_port.tbl != NULL;
}
/* The profile: false if there is none. seen_at 0: known from the inventory, never seen. */
bool device_profile(const struct device_table *t, const struct device *d, struct option82 *ret,
	int64_t *ret_seen_at);
/* The layout's reading of the profile: false if there is none. */
bool device_place(
	const struct device_table *t, const struct device *d, struct port_place *ret_place);
bool device_port_is(
	const struct device_table *t, const struct device *d, const struct port_key *key);
/* Option 82 bytes equal to those of the profile (nothing to learn). */
bool device_profile_is(const struct device_table *t, const struct device *d,
	const struct option82 *o, const struct port_place *place);
/* The profile was seen again, unchanged. */
void device_seen_profile(struct device_table *t, struct device *d, int64_t seen_at);
/* False: it names no port (bare, or cut). */
bool port_key_of(const struct option82 *o, struct port_key *ret);
/* Of the table of ports. */
unsigned port_key_hash(const struct port_key *key);
/* Option 82 made of a port that the inventory names. */
void option82_of_port(const struct port_key *key, struct option82 *ret);

/* A look into a table that is going to be taken, as far as its memory was asked for. */
enum device_walk_state { WALK_NONE, WALK_BUCKET, WALK_ENTRY, WALK_FOUND, WALK_DONE };
struct device_walk {
	unsigned hash;
	enum device_walk_state state;
	const UT_hash_handle *at;
};
struct device_ahead {
	struct device_walk by_mac, by_ip, by_port, by_serial;
	struct device *device; /* of this MAC, most likely */
	uint32_t ip;
	bool has_port;
	bool rest; /* to be asked for: what hangs on the device */
};
/* Asks the memory for what a packet is going to look up: its MAC, its address (0: none), its port
 * (NULL: none). device_ahead_go_on() is called again and again while other things are done that
 * take as long as memory does. */
void device_ahead_packet(struct device_table *t, const struct mac *mac, uint32_t ip,
	const struct port_key *key, struct device_ahead *ret);
void device_ahead_go_on(struct device_table *t, struct device_ahead *ahead);
/* The same for a device of which the slot is known. */
void device_ahead_at(const struct device_table *t, uint32_t index);
void device_ahead_at_go_on(const struct device_table *t, uint32_t index);
/* The same for a row of the inventory: one further step is all. */
void device_ahead_row(struct device_table *t, const struct mac *mac, uint32_t ip,
	const char *serial_number, struct device_ahead *ret);
void device_ahead_row_go_on(struct device_table *t, struct device_ahead *ahead);

/* NULL if there is none. */
struct memo *device_memo(struct device_table *t, const struct device *d);
/* Makes one; NULL without memory. */
struct memo *device_memo_new(struct device_table *t, struct device *d);
void device_memo_free(struct device_table *t, struct device *d);
void device_memos_done(struct device_table *t);

const char *device_state_text(enum device_state state);

#endif
