/* SPDX-License-Identifier: ISC
 *
 * The store: one SQLite file (WAL, synchronous=FULL), the only durable state. core/store*.c are the
 * only files that know SQLite. Rows are values: nothing borrowed is kept after a call.
 *
 * One transaction a loop turn: store_begin(), puts, store_commit(); only after the commit are
 * requests, events and webhooks sent.
 */
#ifndef TAP82_STORE_H
#define TAP82_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap82/addr.h"
#include "tap82/conf.h"
#include "tap82/observation.h"

#define STORE_TEXT_MAX	   256
#define STORE_OPTION82_MAX 512
#define EVENT_ID_BYTES	   16

/* A device, inventory and learned state together. Texts are NUL-terminated, "" for none. */
struct device_row {
	struct mac mac;
	char serial_number[STORE_TEXT_MAX], uuid[64], name[STORE_TEXT_MAX], group[CONF_NAME_MAX];
	uint32_t line; /* of devices.csv; 0: added by hand */
	uint32_t inventory_ip;
	struct mac replaces; /* announced replacement; zero: none */
	uint32_t ip; /* its address; 0: none */
	uint8_t state; /* enum device_state */
	uint8_t flags; /* the engine's own */
	uint32_t lease_time; /* seconds, of its last ACK */
	uint32_t relay; /* giaddr of its last relayed ACK */
	int64_t last_seen, profile_seen_at, hold_until;
	int64_t acked_at; /* its last ACK */
	uint32_t xid; /* of its last ACK */
	uint32_t hold_xid; /* of the ACK whose provisioning started the hold */
	uint32_t told_ip, failed_ip; /* addresses whose change, whose failure was told */
	uint32_t first_ip; /* takeover: its own address until it has the taken one */
	uint8_t reason; /* why its last ACK stopped: enum reason */
	char acked_server[CONF_NAME_MAX]; /* of its last ACK: the lease is pinned there */
	int64_t moved_at; /* its last move was told */
	uint64_t mismatch; /* the pair of places that was told */
	int64_t stopped_at; /* its last ACK that was not acted upon, 0: none; and what it said */
	uint32_t stopped_ip, stopped_server_id, stopped_relay, stopped_xid;
	struct port_place place; /* the layout's reading of the profile's option 82 */
	bool has_circuit_id, has_remote_id; /* the known port */
	uint8_t circuit_id_len, remote_id_len;
	uint8_t circuit_id[255], remote_id[255];
	uint16_t option82_len; /* the profile's option 82, raw; 0: none */
	uint8_t option82[STORE_OPTION82_MAX];
};

/* A reservation of a device on one server: work that is not final is the list after a restart. */
struct reservation_row {
	struct mac mac;
	char server[CONF_NAME_MAX];
	uint32_t ip, old_ip; /* old_ip: what the server has, 0: nothing */
	struct mac old_mac; /* takeover: whose address it was; zero: nobody's */
	uint8_t mode, state, purpose; /* enums of reservation.h */
	uint8_t flags;
	uint32_t tries;
	int64_t since; /* wanted since: the deadline counts from here */
	int64_t next_at; /* when it is tried again */
	char error[STORE_TEXT_MAX];
	uint32_t xid, relay; /* of the ACK that caused it */
	uint32_t maybe_ip; /* what the server may have instead of old_ip, 0: nothing */
	uint32_t sent_ip; /* what is on its way */
};

struct event_row {
	uint8_t id[EVENT_ID_BYTES];
	int64_t time;
	struct mac mac; /* zero: none */
	const char *code; /* "dhcp.ip_allocation" … */
	const char *json; /* the record, one object without newline */
	size_t json_len;
};

struct outbox_row {
	int64_t seq; /* given by the store */
	char webhook[CONF_NAME_MAX];
	struct mac mac;
	const char *body;
	size_t body_len;
	uint32_t tries;
	int64_t next_at;
};

struct store;

/* Opens or creates. 0; ERR_VERSION (newer than we know); ERR_CORRUPT (also a database of somebody
 * else's); -EAGAIN (another tap82 has it open); -errno. On failure `why` (size bytes) says it in
 * words. Beside PATH lie PATH-wal, PATH-shm and PATH-lock. */
int store_open(const char *path, char *why, size_t size, struct store **ret_store);
void store_close(struct store *store);
/* Looks at a store, also one in use, all of it, and changes nothing. As store_open(); -ENOENT. */
int store_check(const char *path, char *why, size_t size);

#define STORE_KEPT_MAX 4096

struct store_salvage {
	uint64_t devices, reservations, events, outbox, facts; /* rows saved */
	bool complete; /* no table broke off: everything was readable */
	char kept[STORE_KEPT_MAX]; /* where the old file is now */
};

/* Saves what can be read of the store at PATH into a new one at PATH; the old one is kept under
 * another name. 0; -EAGAIN (in use); ERR_VERSION; ERR_CORRUPT: nothing can be read; -errno. On
 * failure PATH is as it was. */
int store_repair(const char *path, char *why, size_t size, struct store_salvage *ret_salvage);

/* The last failure in words. */
const char *store_error(const struct store *store);

/* Disk full (-ENOSPC), a file system gone read-only (-EROFS), I/O errors (-EIO …) leave the store
 * as it is: the same may be tried again later. */
int store_begin(struct store *store);
/* On failure, also when only a put since begin failed, everything since begin is undone. */
int store_commit(struct store *store);
void store_rollback(struct store *store);

int store_put_device(struct store *store, const struct device_row *row);
int store_delete_device(struct store *store, const struct mac *mac);
int store_put_reservation(struct store *store, const struct reservation_row *row);
int store_delete_reservation(struct store *store, const struct mac *mac, const char *server);
/* 1: new; 0: this id is there already (nothing written); negative. */
int store_put_event(struct store *store, const struct event_row *row);
/* seq 0: a new row; else the row's tries and next_at are changed (ERR_NOT_FOUND: it is gone). */
/* When the event of this id happened. 0; ERR_NOT_FOUND; negative. */
int store_event_time(struct store *store, const uint8_t id[EVENT_ID_BYTES], int64_t *ret_time);
int store_put_outbox(struct store *store, const struct outbox_row *row, int64_t *ret_seq);
int store_delete_outbox(struct store *store, int64_t seq);
/* Small facts of the engine's own ("inventory", "once:…") by key. */
int store_put_fact(struct store *store, const char *key, const void *value, size_t len);
/* The length (<= size); ERR_NOT_FOUND; ERR_FULL: it is longer. */
int store_get_fact(struct store *store, const char *key, void *value, size_t size);

/* Walks; fn returns 0 to go on, anything else ends the walk and is returned. */
typedef int (*store_device_fn)(void *ctx, const struct device_row *row);
typedef int (*store_reservation_fn)(void *ctx, const struct reservation_row *row);
typedef int (*store_event_fn)(void *ctx, const struct event_row *row);
typedef int (*store_outbox_fn)(void *ctx, const struct outbox_row *row);
int store_each_device(struct store *store, store_device_fn fn, void *ctx);
/* How many there are. */
int store_count_devices(struct store *store, uint32_t *ret_count);
int store_each_reservation(struct store *store, store_reservation_fn fn, void *ctx);
/* Events at or after `since` in the order written; mac NULL: all; code NULL: all; limit 0: all,
 * else the newest `limit`. */
int store_each_event(struct store *store, int64_t since, const struct mac *mac, const char *code,
	size_t limit, store_event_fn fn, void *ctx);
/* Of the codes that are told at most once in a time (device.unknown, dhcp.unknown_server, _relay):
 * the newest `limit` events at or after `since`, in the order of their times. */
int store_each_told(struct store *store, const char *code, int64_t since, size_t limit,
	store_event_fn fn, void *ctx);
int store_each_outbox(struct store *store, store_outbox_fn fn, void *ctx);

/* A walk over events, oldest first, that can be left and gone on with: `seq` is the number of the
 * last one looked at. */
struct event_walk {
	int64_t seq; /* 0: before the first */
	int64_t since; /* events before it are passed over; 0: none are */
	const struct mac *mac; /* borrowed; NULL: all */
	const char *code; /* borrowed; NULL: all */
};
/* Puts the walk right behind the event of this id. 0; ERR_NOT_FOUND; negative. */
int store_walk_behind(
	struct store *store, const uint8_t id[EVENT_ID_BYTES], struct event_walk *walk);
/* Puts it before the first event at or after walk->since. 0 or negative. */
int store_walk_begin(struct store *store, struct event_walk *walk);
/* Looks at the next `limit` events and gives those wanted to `fn`, which ends the slice with
 * anything but 0. 1: there may be more; 0: that was all; negative. */
int store_walk_events(
	struct store *store, struct event_walk *walk, size_t limit, store_event_fn fn, void *ctx);
/* Deletes events older than `before` and those beyond the newest `keep`, at most `limit` of each,
 * and gives room back to the file system: how many, or negative. */
int store_expire_events(struct store *store, int64_t before, size_t keep, size_t limit);

#endif
