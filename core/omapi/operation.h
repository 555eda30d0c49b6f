/* SPDX-License-Identifier: ISC
 *
 * An operation on a dhcpd: a chain of requests, each step chosen by the answer to the last. Shared
 * by the files that hold the chains; nobody else's business.
 */
#ifndef TAP82_OPERATION_H
#define TAP82_OPERATION_H

#include "tap82/dhcpd.h"
#include "tap82/omapi_codec.h"

struct operation;

struct dhcpd {
	struct loop *loop;
	struct omapi_conn *conn;
	struct loop_timer *timer; /* for operations that ended within the call that gave them */
	dhcpd_state_fn state_fn;
	void *state_ctx;
	struct operation *operations; /* all, a doubly linked list */
	struct doubt *doubts; /* a uthash table of doubt.c */
	bool doubt_all;
	uint32_t active, room;
	char prefix[DHCPD_PREFIX_MAX + 1];
	char *name;
};

/* What to do with an answer: `result` is its status, OMAPI_SUCCESS for an object. */
typedef void (*step_fn)(struct operation *op, const struct omapi_message *reply, uint32_t result);
/* What to do when a host or lease was looked up into op->host or op->result.lease. */
typedef void (*then_fn)(struct operation *op);

struct operation {
	struct operation *prev, *next;
	struct dhcpd *dhcpd;
	dhcpd_fn fn;
	void *ctx;
	step_fn step;
	then_fn then;
	bool writes; /* the request that is out changes something */
	bool ended; /* the outcome is there, its telling waits for the next turn */
	struct dhcpd_want want; /* mac and ip: of any operation */
	bool in_use; /* release */
	struct dhcpd_host host; /* as it was looked up last */
	uint32_t host_handle, lease_handle;
	struct dhcpd_lease new_lease; /* ensure: of `ip`, while that of old_ip is looked at */
	uint32_t new_lease_handle;
	bool pin; /* ensure: the lease is to be pinned */
	bool created, removed; /* what was done so far */
	bool by_lease; /* look: the MAC is the lease's */
	unsigned tries, at;
	struct dhcpd_result result;
	char text[DHCPD_TEXT_MAX + 1];
};

/* A new operation in the dhcpd's list, or NULL when there is no room. */
struct operation *operation_new(struct dhcpd *d, dhcpd_fn fn, void *ctx);
/* Ends it. Called from an answer: tells at once; `within` the call that made it: next turn. */
void operation_end(struct operation *op, enum dhcpd_outcome outcome);
void operation_end_within(struct operation *op, enum dhcpd_outcome outcome);
void operation_say(struct operation *op, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Ends it as dhcpd's refusal, or as LATER where the trouble is dhcpd's disk. */
void operation_refused(
	struct operation *op, const char *what, const struct omapi_message *reply, uint32_t result);

void operations_due(void *dhcpd);
void operations_free(struct dhcpd *d);

/* Sends a request of the operation; its answer goes to `step`. No answer ends it as LATER. */
void ask(struct operation *op, struct omapi_out *out, size_t reply_max, unsigned writes,
	step_fn step);
void ask_host(struct operation *op, then_fn then); /* by op->want.mac */
void ask_host_by_name(struct operation *op, then_fn then); /* our name for op->want.mac */
void ask_lease(struct operation *op, uint32_t ip, then_fn then);

void put_host_create(struct operation *op, step_fn step);
void put_host_addresses(
	struct operation *op, const uint32_t *addresses, uint32_t count, step_fn step);
void put_host_delete(struct operation *op, step_fn step);
void put_lease_pin(struct operation *op, step_fn step);
void put_lease_unpin(struct operation *op, bool in_use, step_fn step);

void doubt_add(struct dhcpd *d, const struct mac *mac);
bool doubt_has(const struct dhcpd *d, const struct mac *mac);
void doubt_remove(struct dhcpd *d, const struct mac *mac);
void doubts_free(struct dhcpd *d);

/* Whether `ip` is among the host's addresses; their number without it into `ret_rest`. */
bool host_has(const struct dhcpd_host *host, uint32_t ip);
uint32_t host_without(const struct dhcpd_host *host, uint32_t ip, uint32_t *ret_rest);

#endif
