/* SPDX-License-Identifier: ISC
 *
 * Reservations in one ISC dhcpd, over OMAPI: ensure, release, pin again, look. Everything here is
 * asynchronous, on one loop, and idempotent: whatever was answered, or not, it may be asked again.
 *
 * A reservation is a host object named PREFIX + the MAC without colons ("tap82-aabbccddeeff"),
 * and, where the address comes out of a dynamic range, the pin of its lease (flags reserved, ends
 * never, state active): dhcpd gives a bare fixed-address of a range away when its lease runs out.
 * dhcpd knows one host for a MAC over OMAPI; several addresses stand in that host's list.
 *
 * A host without our prefix is never changed or deleted.
 */
#ifndef TAP82_DHCPD_H
#define TAP82_DHCPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap82/addr.h"
#include "tap82/loop.h"

#define DHCPD_PORT	    7911
#define DHCPD_NAME_MAX	    63 /* characters of a host's name that are kept here */
#define DHCPD_TEXT_MAX	    159 /* characters of an explanation */
#define DHCPD_ADDRESSES_MAX 16 /* addresses of one host that are kept here */
#define DHCPD_PREFIX_MAX    40 /* characters of the host prefix */

/* --- Keys ------------------------------------------------------------------------------------ */

/* A key of dhcpd's: name, algorithm, secret. In memory of its own that is kept out of swap and core
 * dumps and is zeroed when freed. */
struct dhcpd_key;

/* "hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512", any case. */
bool dhcpd_algorithm_known(const char *algorithm);
/* Reads the base64 secret of `path` by the rules of secret_load(). `name` is the key's name in
 * dhcpd.conf. 0; ERR_CORRUPT for what is no base64; ERR_RANGE for an algorithm, a name or a length
 * that dhcpd cannot have; or an error of secret_load(). */
int dhcpd_key_load(
	const char *path, const char *name, const char *algorithm, struct dhcpd_key **ret_key);
/* The same with the base64 text in hand. */
int dhcpd_key_new(const char *base64, size_t len, const char *name, const char *algorithm,
	struct dhcpd_key **ret_key);
void dhcpd_key_free(struct dhcpd_key *key); /* NULL is fine */
/* What is wrong with the key file, for people: "is not base64" … */
const char *dhcpd_key_error_text(int err);

/* --- A server -------------------------------------------------------------------------------- */

enum dhcpd_state {
	DHCPD_CONNECTING, /* for the first time, or again after an exchange that was fine */
	DHCPD_READY, /* logged in: a signed question was answered */
	DHCPD_UNREACHABLE, /* no connection, or no answer in time; tried again with back-off */
	DHCPD_REFUSED_US, /* the login is wrong: key name, algorithm, secret; tried again slowly */
	DHCPD_TRIAL, /* logged in again after it had failed us: operations are taken, and it is
		      * READY when it has answered for retry_max */
};

/* Called on a change only, never from within a call of the caller's. `text` says why, for people,
 * and never holds a secret. READY after UNREACHABLE or REFUSED_US is the recovery, with a TRIAL
 * before it: one fault is told once, however often it lets us in. A connection that was lost and
 * came back at once is CONNECTING, READY, with a TRIAL between where it left a question unanswered.
 */
typedef void (*dhcpd_state_fn)(void *ctx, enum dhcpd_state state, const char *text);

struct dhcpd_config {
	const char *name; /* of the [server] section, copied */
	uint32_t address;
	uint16_t port; /* 0: DHCPD_PORT */
	const struct dhcpd_key *key; /* NULL: unsigned; the caller's, as long as the server */
	const char *host_prefix; /* NULL: "tap82-"; copied */
	dhcpd_state_fn state_fn; /* NULL: nobody asks */
	void *state_ctx;
	/* Microseconds; 0: the default. */
	int64_t deadline; /* of one request on the wire: 5 s */
	int64_t batch_time; /* how long one batch may keep dhcpd from its DHCP work: 20 ms */
	int64_t retry_min, retry_max; /* after UNREACHABLE: 0.2 s, doubled up to 5 s, jitter */
	int64_t retry_refused; /* after REFUSED_US: 60 s */
	uint32_t room; /* operations under way at most: 256 */
};

struct dhcpd;

/* Starts to connect in the next turn. 0; -ENOMEM; ERR_RANGE for an address of 0 or a prefix that
 * is no name for dhcpd: [A-Za-z0-9][A-Za-z0-9_-]*, at most DHCPD_PREFIX_MAX. */
int dhcpd_new(struct loop *loop, const struct dhcpd_config *config, struct dhcpd **ret_dhcpd);
/* Operations under way are forgotten: their callbacks are not called. NULL is fine. */
void dhcpd_free(struct dhcpd *dhcpd);

enum dhcpd_state dhcpd_state(const struct dhcpd *dhcpd);
const char *dhcpd_state_text(const struct dhcpd *dhcpd); /* why; "" while all is well */
const char *dhcpd_name(const struct dhcpd *dhcpd);
/* Whether a host of this name is ours. */
bool dhcpd_is_ours(const struct dhcpd *dhcpd, const char *host_name);
/* Connects now instead of when the back-off is over (a key was changed, somebody asked). */
void dhcpd_retry_now(struct dhcpd *dhcpd);

/* Gauges and totals since dhcpd_new(); durations in microseconds. */
struct dhcpd_stats {
	uint32_t operations; /* under way */
	uint32_t queued, in_flight; /* requests: waiting, on the wire */
	int64_t round_trip_last, round_trip_mean; /* a request's; the mean is weighted, recent */
	uint64_t requests, replies, batches, batch_max;
	uint64_t connects, disconnects, timeouts;
};
void dhcpd_stats(const struct dhcpd *dhcpd, struct dhcpd_stats *ret_stats);

/* --- Operations ------------------------------------------------------------------------------ */

enum dhcpd_mode {
	DHCPD_AUTO, /* pin and host where dhcpd knows the address as a lease, else host */
	DHCPD_HOST, /* a host object only */
	DHCPD_PIN, /* pin and host; refused where the address is no lease */
};

enum dhcpd_outcome {
	/* It is as was wanted. */
	DHCPD_CREATED,
	DHCPD_UPDATED, /* a host of ours was changed, or only the pin was missing */
	DHCPD_UNCHANGED, /* it was so already */
	DHCPD_FOREIGN_EQUAL, /* somebody else's host says the same: nothing was written */
	DHCPD_REMOVED, /* release: something of ours was there and is gone */
	DHCPD_ABSENT, /* release: nothing of ours was there; look: neither host nor lease */
	DHCPD_FOUND, /* look */
	/* It is not, and asking again gives the same until somebody changes something. */
	DHCPD_FOREIGN, /* somebody else's host holds this MAC with other addresses */
	DHCPD_TAKEN, /* the address is leased to another MAC now */
	DHCPD_REFUSED, /* dhcpd said no, or the wish makes no sense: `text` */
	/* Unknown: no connection, no answer in time, no room, or dhcpd's disk. Ask again later. */
	DHCPD_LATER,
};

/* "created", "foreign-reservation", "unreachable" …: static storage, for events and metrics. */
const char *dhcpd_outcome_text(enum dhcpd_outcome outcome);
static inline bool dhcpd_outcome_is_good(enum dhcpd_outcome outcome)
{
	return outcome < DHCPD_FOREIGN;
}

/* A host as dhcpd has it. */
struct dhcpd_host {
	bool found, ours;
	bool has_mac; /* Ethernet */
	char name[DHCPD_NAME_MAX + 1]; /* cut if longer */
	struct mac mac;
	uint32_t addresses[DHCPD_ADDRESSES_MAX];
	uint32_t address_count; /* as many as are kept here */
	bool more; /* dhcpd has more addresses than are kept here */
};

/* dhcpd's binding states, dhcpd.h of ISC dhcpd. */
enum dhcpd_lease_state {
	DHCPD_LEASE_FREE = 1,
	DHCPD_LEASE_ACTIVE,
	DHCPD_LEASE_EXPIRED,
	DHCPD_LEASE_RELEASED,
	DHCPD_LEASE_ABANDONED,
	DHCPD_LEASE_RESET,
	DHCPD_LEASE_BACKUP,
};

struct dhcpd_lease {
	bool found; /* the address is in a dynamic range */
	bool pinned; /* reserved, active and without end */
	bool has_mac;
	uint8_t state; /* enum dhcpd_lease_state */
	uint8_t flags; /* 4: reserved */
	uint32_t ip;
	struct mac mac; /* of the client that has or had it */
	int64_t ends; /* microseconds since 1970, 0: never had one */
};

struct dhcpd_result {
	enum dhcpd_outcome outcome;
	bool pinned; /* ensure, repin: the lease is pinned now */
	struct mac mac;
	uint32_t ip;
	uint32_t code; /* dhcpd's own result, 0 if it gave none */
	const char *text; /* why, for people; "" if all is well; valid during the call */
	struct dhcpd_host before; /* ensure, release, look: the host as it was found */
	struct dhcpd_lease lease; /* as it was found; not looked at in mode host */
};

/* Called once for each operation that was accepted, never from within the call that made it. */
typedef void (*dhcpd_fn)(void *ctx, const struct dhcpd_result *result);

/* How many more operations are accepted now. */
uint32_t dhcpd_room(const struct dhcpd *dhcpd);

/* All of them: 0, and `fn` will be called; or ERR_FULL, and it will not. While the server is
 * UNREACHABLE or REFUSED_US the answer is LATER in the next turn; while it is CONNECTING the
 * operation waits for that to end, which the deadline bounds. Operations of one MAC are answered
 * in the order they were given if each waits for the one before; at one time there should be one.
 */

struct dhcpd_want {
	struct mac mac;
	uint32_t ip;
	uint32_t old_ip; /* the address that `ip` replaces in our host, 0: none known. Without it
			  * the only address of our host is replaced, and a list is kept whole,
			  * `ip` put first. If its lease was pinned for this MAC it is free then. */
	enum dhcpd_mode mode;
	bool may_pin; /* this server sent the ACK (of a failover pair one pins, both have hosts) */
};

/* CREATED, UPDATED, UNCHANGED, FOREIGN_EQUAL, FOREIGN, TAKEN, REFUSED, LATER. */
int dhcpd_ensure(struct dhcpd *dhcpd, const struct dhcpd_want *want, dhcpd_fn fn, void *ctx);

/* Takes the address `ip` of a MAC away: out of our host (which goes when no address is left; ip 0:
 * goes in any case, with all its addresses), and its lease is unpinned. With `in_use` the lease
 * stays active for DHCPD_GRACE, so that the camera can renew it; else it is free at once, pinned or
 * not. REMOVED, ABSENT, LATER, REFUSED; a foreign host is left alone, `before` shows it. */
struct dhcpd_unwant {
	struct mac mac;
	uint32_t ip;
	bool in_use;
};
#define DHCPD_GRACE (INT64_C(3600) * 1000000)
int dhcpd_release(struct dhcpd *dhcpd, const struct dhcpd_unwant *unwant, dhcpd_fn fn, void *ctx);

/* After a RELEASE was seen, or a lease was found free: pins the lease again where our host says it
 * is this MAC's. UNCHANGED, UPDATED; ABSENT: no such lease or no such host; TAKEN; LATER. */
int dhcpd_repin(struct dhcpd *dhcpd, const struct mac *mac, uint32_t ip, dhcpd_fn fn, void *ctx);

/* What dhcpd has: the host of `mac` (NULL: of whoever dhcpd's lease of `ip` names) and the lease
 * of `ip` (0: not asked). FOUND, ABSENT, LATER, REFUSED. */
int dhcpd_look(struct dhcpd *dhcpd, const struct mac *mac, uint32_t ip, dhcpd_fn fn, void *ctx);

#endif
