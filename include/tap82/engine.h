/* SPDX-License-Identifier: ISC
 *
 * The engine: observation → match → decision → reservation → event. It opens nothing, reads no
 * clock and sends nothing: what it wants done it says through engine_ops, in order. The caller
 * makes it durable first (one transaction a turn), then speaks. `now` and the times of observations
 * are clock_onward() (live) or the packets' clock (replay); what is told, shown and stored is on
 * the wall clock (engine_clock()).
 */
#ifndef TAP82_ENGINE_H
#define TAP82_ENGINE_H

#include "tap82/conf.h"
#include "tap82/event.h"
#include "tap82/inventory.h"
#include "tap82/observation.h"
#include "tap82/store.h"

/* What is to be done in one dhcpd. Repeating an order is harmless. */
enum order_kind {
	ORDER_ENSURE, /* the host object, and the pin where the mode wants it */
	ORDER_RELEASE, /* take our host (and pin) of this MAC away */
	ORDER_REPIN, /* the lease was released: pin it again */
};

struct order {
	enum order_kind kind;
	uint64_t ticket; /* comes back with the answer */
	uint8_t server; /* index into conf->servers */
	struct mac mac;
	uint32_t ip;
	uint32_t old_ip; /* ensure: the address that `ip` replaces in our host; 0: none known */
	enum conf_reservation mode;
	bool acked_here; /* this server sent the ACK: the lease is pinned here */
	bool in_use; /* release: the camera may still use the address */
};

enum answer_kind {
	ANSWER_DONE, /* created, updated, unchanged, or equal though not ours */
	ANSWER_REFUSED, /* final for this attempt: `reason` and `detail` say why */
	ANSWER_NOT_NOW, /* unreachable, timed out, outcome unknown: it will be tried again */
};

struct answer {
	uint64_t ticket;
	enum answer_kind kind;
	const char *reason; /* "foreign-reservation", "unreachable" …; NULL when done */
	const char *detail;
	bool changed; /* refused, and perhaps not before something was changed there */
};

struct engine_ops {
	void (*event)(void *ctx, const struct event *e);
	/* The durable part of a device or reservation changed, or is gone. */
	void (*device)(void *ctx, const struct device_row *row);
	void (*device_gone)(void *ctx, const struct mac *mac);
	void (*reservation)(void *ctx, const struct reservation_row *row);
	void (*reservation_gone)(void *ctx, const struct mac *mac, uint8_t server);
	/* Carry out after the commit; answered by engine_answer(), always later than this call
	 * returns (replay answers after the observation that caused it). */
	void (*order)(void *ctx, const struct order *order);
};

struct engine;

/* conf is borrowed and outlives the engine. Every function of
 * ops may be NULL. NULL: no memory. */
struct engine *engine_new(const struct conf *conf, const struct engine_ops *ops, void *ctx);
void engine_free(struct engine *engine);
/* `ahead`: by how much the wall clock is ahead of `now`, 0 until this is called. Where that
 * changes, somebody has set the wall clock: what runs keeps what is left of it, and is stored with
 * its new times. */
void engine_clock(struct engine *engine, int64_t now, int64_t ahead);
/* Restart: rows from the store, before anything else but engine_clock(), without which their times
 * are believed as they are; devices first, then reservations with those of a MAC one after the
 * other, then events; then engine_tick(). What lies in the future was written by a clock that has
 * been set back since, and is now; a hold has stream-hold left at most. A reservation on a server
 * that is configured no more is passed over. 0, or negative. */
int engine_restore_device(struct engine *engine, const struct device_row *row);
/* Before them: about so many will come. Nothing but speed depends on it. */
void engine_restore_expect(struct engine *engine, uint32_t devices);
int engine_restore_reservation(struct engine *engine, const struct reservation_row *row);
/* Then, too: events that are told at most once in a time, those of this code of that time before
 * now, the newest so many of them, in the order of their times. They are not told again; what
 * cannot be read of one is passed over. */
struct engine_quiet {
	enum event_code code;
	int64_t time;
	uint32_t most;
};
#define ENGINE_QUIETS 3
extern const struct engine_quiet engine_quiets[ENGINE_QUIETS];
void engine_restore_event(struct engine *engine, const struct event_row *row);

void engine_observe(struct engine *engine, const struct observation *o);
/* This observation waits, with at most ENGINE_AHEAD - 1 others, and will be given to
 * engine_observe() in the order in which they were foreseen: the memory that it is going to look at
 * is asked for meanwhile. Nothing but speed depends on it, and on whether it comes. */
#define ENGINE_AHEAD 16
void engine_foresee(struct engine *engine, const struct observation *o);
/* Does what is due at `now` (holds, retries, deadlines) and returns when it wants to be called
 * next, INT64_MAX for never. */
int64_t engine_tick(struct engine *engine, int64_t now);
void engine_answer(struct engine *engine, const struct answer *answer, int64_t now);

/* --- Servers ---------------------------------------------------------------------------------- */

/* How many orders a server takes at one time (dhcpd_room); 64 at the start. Orders beyond it wait
 * in the engine, in the order of their wishes. */
void engine_server_room(struct engine *engine, uint8_t server, uint32_t orders);
/* What became of the connection. A change is told as server.unreachable, server.refused or
 * server.recovered; orders to a server that is not UP wait, and go on at once when it is again; a
 * new wish is given once all the same, to hear NOT_NOW: nobody is kept waiting for it. */
enum server_state { SERVER_UP, SERVER_UNREACHABLE, SERVER_REFUSED };
void engine_server_state(struct engine *engine, uint8_t server, enum server_state state,
	const char *detail, int64_t now);
/* One that is not UP let us log in again: it is given one order now, and more when that was
 * answered. It is UP when it has answered for a while (engine_server_state). Nothing is told. */
void engine_server_trial(struct engine *engine, uint8_t server, int64_t now);
/* Events of the surroundings (sniffer.restarted, capture.loss, webhook.rejected …): told as they
 * are, with time, code, server and detail. The happening is this moment in this process. */
void engine_tell(struct engine *engine, enum event_code code, const char *object,
	const char *detail, int64_t now);

/* --- Inventory -------------------------------------------------------------------------------- */

/* Takes over a complete inventory (inventory_step() gave 0) in slices; `inventory` and `file` live
 * until the end. */
void engine_inventory_begin(
	struct engine *engine, const struct inventory *inventory, const char *file, bool force);
/* Goes on for about `rows` rows: first all are checked, then they are applied. 1: there is more;
 * 0: done, inventory.loaded was told; else nothing was changed and inventory.rejected was told:
 * ERR_REFUSED: it would remove more than a tenth of the devices (not with `force`); ERR_DUPLICATE:
 * a row contradicts a device added by hand. */
int engine_inventory_step(struct engine *engine, size_t rows, int64_t now);
/* A file that could not be used: tells inventory.rejected with the problem's text. */
void engine_inventory_reject(
	struct engine *engine, const char *file, const char *detail, int64_t now);

/* One device by hand (API, CLI), checked with inventory_row_check() before. `replaces`: the camera
 * whose place it takes, NULL for none. 1: new; 0: changed; ERR_DUPLICATE: `ret_field` names the
 * column ("ip", "serial_number") that another device has; ERR_NOT_FOUND: no such `replaces`. */
int engine_put_device(struct engine *engine, const struct inventory_row *row,
	const struct mac *replaces, const char **ret_field, int64_t now);
/* Its reservation stays or goes by `on-removal`. 0 or ERR_NOT_FOUND. */
int engine_remove_device(struct engine *engine, const struct mac *mac, int64_t now);

/* --- Reservations by hand --------------------------------------------------------------------- */

/* Tries a failed or waiting reservation again now; a confirmed one is ensured again. 0;
 * ERR_NOT_FOUND: no such device; ERR_MISSING: it has no address to reserve. */
int engine_retry(struct engine *engine, const struct mac *mac, int64_t now);
/* Takes the reservation away everywhere; the device has no address then. Errors as above. */
int engine_release(struct engine *engine, const struct mac *mac, int64_t now);

/* --- Questions -------------------------------------------------------------------------------- */

/* Whole records (writer_begin() to writer_end()) with the fields of the README. */
int engine_device_write(struct engine *engine, const struct mac *mac, struct writer *w);
int engine_explain_write(
	struct engine *engine, const struct mac *mac, struct writer *w, int64_t now);
/* Many records in slices: start with *cursor 0; about `limit` devices are looked at. 1: there is
 * more; 0: done. Devices that come and go meanwhile may be missed, none is written twice. */
int engine_devices_write(struct engine *engine, const char *state, uint32_t *cursor, size_t limit,
	struct writer *w); /* state: "new" … or NULL for all */
/* Records {mac, name, ip, server, mode, state, purpose, since, next_try, tries, error}. */
int engine_reservations_write(
	struct engine *engine, uint32_t *cursor, size_t limit, struct writer *w);
/* All of them, newest first: {mac, first_seen, last_seen, ip, server, relay, group, option82,
 * place, hostname, vendor_class, reason}. */
void engine_unknown_write(struct engine *engine, struct writer *w);

enum { ENGINE_REASONS_MAX = 32, ENGINE_SERVERS_MAX = 256 };

struct engine_stats {
	uint64_t observations, acks;
	uint64_t untold; /* ACKs of MACs in no table that were counted only: a flood */
	uint32_t devices, devices_new, devices_reserving, devices_provisioned, devices_failed;
	uint32_t unknown, transactions, sessions, holds;
	uint32_t work; /* reservations that are not final */
	uint64_t decisions[ENGINE_REASONS_MAX]; /* by reason: engine_reason_text(i) */
	uint64_t events[EVENT_CODES];
	/* Entries that went because their table was full. */
	uint64_t transactions_dropped, sessions_dropped, unknown_dropped;
	/* Of the ACKs whose REQUEST was seen: how many, and the sum of the times between. */
	uint64_t legs;
	int64_t leg_time;
};
void engine_stats(const struct engine *engine, struct engine_stats *ret_stats);
/* "already-provisioned" …; "provisioned" for the way to the end; NULL beyond the last. */
const char *engine_reason_text(unsigned i);

struct engine_server_stats {
	enum server_state state;
	uint32_t queued, sent; /* orders */
	uint64_t done, refused, not_now;
};
void engine_server_stats(
	const struct engine *engine, uint8_t server, struct engine_server_stats *ret_stats);

/* What should be in a server: walks devices whose reservation is there (reconcile). Cursor and
 * result as above; at most `limit` calls of fn. */
typedef void (*engine_reserved_fn)(void *ctx, const struct mac *mac, uint32_t ip,
	enum conf_reservation mode, bool pinned_here);
int engine_reserved_each(struct engine *engine, uint8_t server, uint32_t *cursor, size_t limit,
	engine_reserved_fn fn, void *ctx);

#endif
