/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/omapi_conn.h"
#include "operation.h"

#define DEADLINE      (5 * USEC_PER_SEC)
#define BATCH_TIME    (20 * USEC_PER_MSEC)
#define RETRY_MIN     (200 * USEC_PER_MSEC)
#define RETRY_MAX     (5 * USEC_PER_SEC)
#define RETRY_REFUSED (60 * USEC_PER_SEC)
#define ROOM	      256

/* --- Names ----------------------------------------------------------------------------------- */

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* dhcpd writes names as they come, unquoted, and could not read others back. */
static bool prefix_is_good(const char *prefix)
{
	size_t len = strlen(prefix);

	for (size_t i = 0; i < len; i++)
		if (!is_name_char(prefix[i]))
			return false;
	return len > 0 && len <= DHCPD_PREFIX_MAX && *prefix != '-' && *prefix != '_';
}

bool dhcpd_is_ours(const struct dhcpd *d, const char *host_name)
{
	return strncmp(host_name, d->prefix, strlen(d->prefix)) == 0;
}

static const char *const outcome_texts[] = {
	[DHCPD_CREATED] = "created",
	[DHCPD_UPDATED] = "updated",
	[DHCPD_UNCHANGED] = "unchanged",
	[DHCPD_FOREIGN_EQUAL] = "foreign-equal",
	[DHCPD_REMOVED] = "removed",
	[DHCPD_ABSENT] = "absent",
	[DHCPD_FOUND] = "found",
	[DHCPD_FOREIGN] = "foreign-reservation",
	[DHCPD_TAKEN] = "address-taken",
	[DHCPD_REFUSED] = "refused",
	[DHCPD_LATER] = "unreachable",
};

const char *dhcpd_outcome_text(enum dhcpd_outcome outcome)
{
	return outcome_texts[outcome];
}

/* --- The server ------------------------------------------------------------------------------ */

static const enum dhcpd_state states[] = {
	[OMAPI_CONNECTING] = DHCPD_CONNECTING,
	[OMAPI_READY] = DHCPD_READY,
	[OMAPI_UNREACHABLE] = DHCPD_UNREACHABLE,
	[OMAPI_REFUSED] = DHCPD_REFUSED_US,
	[OMAPI_TRIAL] = DHCPD_TRIAL,
};

static void state_changed(void *ctx, enum omapi_state state, const char *text)
{
	struct dhcpd *d = ctx;

	if (d->state_fn)
		d->state_fn(d->state_ctx, states[state], text);
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static int conn_open(struct dhcpd *d, const struct dhcpd_config *config)
{
	const struct omapi_conn_config c = {
		.address = config->address,
		.port = config->port > 0 ? config->port : DHCPD_PORT,
		.key = config->key,
		.state_fn = state_changed,
		.ctx = d,
		.deadline = or_default(config->deadline, DEADLINE),
		.batch_time = or_default(config->batch_time, BATCH_TIME),
		.retry_min = or_default(config->retry_min, RETRY_MIN),
		.retry_max = or_default(config->retry_max, RETRY_MAX),
		.retry_refused = or_default(config->retry_refused, RETRY_REFUSED),
		.queue_max = d->room + 1, /* an operation has one request out at a time */
	};

	return omapi_conn_new(d->loop, &c, &d->conn);
}

int dhcpd_new(struct loop *loop, const struct dhcpd_config *config, struct dhcpd **ret_dhcpd)
{
	const char *prefix = config->host_prefix ? config->host_prefix : "tap82-";
	struct dhcpd *d;

	if (config->address == 0 || !prefix_is_good(prefix))
		return ERR_RANGE;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->loop = loop;
	d->state_fn = config->state_fn;
	d->state_ctx = config->state_ctx;
	d->room = config->room > 0 ? config->room : ROOM;
	strcpy(d->prefix, prefix);
	d->name = strdup(config->name ? config->name : "");
	d->timer = loop_timer_new(loop, operations_due, d);
	if (!d->name || !d->timer || conn_open(d, config) < 0) {
		dhcpd_free(d);
		return -ENOMEM;
	}
	*ret_dhcpd = d;
	return 0;
}

void dhcpd_free(struct dhcpd *d)
{
	if (!d)
		return;
	omapi_conn_free(d->conn);
	operations_free(d);
	doubts_free(d);
	loop_timer_free(d->timer);
	free(d->name);
	free(d);
}

enum dhcpd_state dhcpd_state(const struct dhcpd *d)
{
	return states[omapi_conn_state(d->conn)];
}

const char *dhcpd_state_text(const struct dhcpd *d)
{
	return omapi_conn_text(d->conn);
}

const char *dhcpd_name(const struct dhcpd *d)
{
	return d->name;
}

void dhcpd_retry_now(struct dhcpd *d)
{
	omapi_conn_retry_now(d->conn);
}

uint32_t dhcpd_room(const struct dhcpd *d)
{
	return d->active < d->room ? d->room - d->active : 0;
}

void dhcpd_stats(const struct dhcpd *d, struct dhcpd_stats *ret_stats)
{
	struct omapi_conn_stats c;

	omapi_conn_stats(d->conn, &c);
	*ret_stats = (struct dhcpd_stats){
		.operations = d->active,
		.queued = c.queued,
		.in_flight = c.in_flight,
		.round_trip_last = c.round_trip_last,
		.round_trip_mean = c.round_trip_mean,
		.requests = c.requests,
		.replies = c.replies,
		.batches = c.batches,
		.batch_max = c.batch_max,
		.connects = c.connects,
		.disconnects = c.disconnects,
		.timeouts = c.timeouts,
	};
}
