/* SPDX-License-Identifier: ISC
 *
 * Reconciling: what the table says against what each dhcpd has. On demand (the API streams what is
 * found), and by itself whenever a server is back: a restored backup of dhcpd heals.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "orders.h"
#include "run.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/log.h"

#define SLICE	       64 /* devices taken from the engine at once */
#define LOG_LINES      20 /* findings told in the log, for each server */
#define PROGRESS_EVERY (USEC_PER_SEC / 5)
/* By itself it looks at a thousand a second: a tenth of what a dhcpd could do. Who asked waits. */
#define PACE_LOOKS 10
#define PACE_TIME  (10 * USEC_PER_MSEC)

struct item {
	struct mac mac;
	uint32_t ip; /* 0: there should be nothing of ours */
	enum conf_reservation mode;
	bool pinned;
};

/* One question on its way. */
struct look {
	struct reconcile *job;
	bool busy;
	struct item item;
	enum finding finding;
	char detail[DHCPD_TEXT_MAX + 96];
};

struct reconcile {
	struct reconcile *prev, *next;
	struct run *run;
	struct http_exchange *x; /* NULL: nobody listens */
	struct writer writer;
	bool asked, fix, stop, progress; /* asked: by somebody, who may be gone since */
	int64_t progress_due;
	struct loop_timer *pace;
	uint32_t pace_left; /* looks of the background until that is due */
	struct log_limit log_limit; /* findings of the background, each a line */
	uint8_t server, last_server;
	struct mac *macs; /* those that may be orphans; ours */
	size_t mac_count, mac_at;
	uint32_t cursor;
	bool more;
	struct item items[SLICE];
	size_t item_count, item_at;
	struct look looks[RUN_RECONCILE_ROOM];
	uint32_t busy;
	uint64_t checked, found, fixed;
};

static void pump(struct reconcile *job);
static void begin_due(struct run *run);

/* --- What is found --------------------------------------------------------------------------- */

const char *run_finding_text(enum finding finding)
{
	static const char *const texts[] = {"", "missing", "different", "orphaned", "foreign"};

	return texts[finding];
}

static void send_record(struct reconcile *job)
{
	size_t len;
	const char *line = writer_bytes(&job->writer, &len);

	if (http_stream_send(job->x, line, len) < 0) {
		job->x = NULL;
		job->stop = true;
	}
}

/* Nobody asked: the log is where a person finds it. */
static void log_finding(struct look *look, bool fixed)
{
	struct reconcile *job = look->job;
	char mac[MAC_TEXT], ip[IPV4_TEXT];

	if (log_limit_pass(&job->log_limit, clock_mono()))
		log_warning("reconcile: server=%s finding=%s mac=%s ip=%s fixed=%s: %s",
			job->run->conf->servers[job->server].name, run_finding_text(look->finding),
			mac_format(&look->item.mac, mac), ipv4_format(look->item.ip, ip),
			fixed ? "yes" : "no", look->detail);
}

static void tell(struct look *look, bool fixed)
{
	struct reconcile *job = look->job;
	struct server_row *server = &job->run->servers[job->server];
	struct writer *w = &job->writer;

	job->found++;
	job->fixed += fixed;
	server->found[look->finding]++;
	server->fixed += fixed;
	if (!job->x) {
		log_finding(look, fixed);
		return;
	}
	writer_clear(w);
	writer_begin(w);
	writer_mac(w, "mac", &look->item.mac);
	if (look->item.ip)
		writer_ipv4(w, "ip", look->item.ip);
	writer_str(w, "server", job->run->conf->servers[job->server].name);
	writer_str(w, "finding", run_finding_text(look->finding));
	writer_str(w, "detail", look->detail);
	writer_bool(w, "fixed", fixed);
	writer_end(w);
	send_record(job);
}

static void tell_trouble(struct reconcile *job, const char *why)
{
	struct writer *w = &job->writer;

	if (!job->x)
		return;
	writer_clear(w);
	writer_begin(w);
	writer_str(w, "server", job->run->conf->servers[job->server].name);
	writer_str(w, "error", why);
	writer_end(w);
	send_record(job);
}

/* How many there will be is known nearly: reservations are made while we look. */
static void tell_progress(struct reconcile *job)
{
	struct writer *w = &job->writer;
	int64_t now = clock_mono();
	struct engine_stats stats;

	if (!job->x || !job->progress || now < job->progress_due)
		return;
	job->progress_due = now + PROGRESS_EVERY;
	engine_stats(job->run->engine, &stats);
	writer_clear(w);
	writer_begin(w);
	writer_u64(w, "checked", job->checked);
	writer_u64(w, "of",
		(uint64_t)(stats.devices_provisioned + job->mac_count) *
			job->run->conf->server_count);
	writer_end(w);
	send_record(job);
}

static bool has_address(const struct dhcpd_host *host, uint32_t ip)
{
	for (uint32_t i = 0; i < host->address_count; i++)
		if (host->addresses[i] == ip)
			return true;
	return host->more;
}

static void say_host(struct look *look, const struct dhcpd_host *host, const char *what)
{
	char ip[IPV4_TEXT] = "no address";

	if (host->address_count > 0)
		ipv4_format(host->addresses[0], ip);
	snprintf(look->detail, sizeof(look->detail), "%s %s has %s", what, host->name, ip);
}

static enum finding judge_lease(struct look *look, const struct dhcpd_lease *lease)
{
	bool wants_pin = look->item.pinned && look->item.mode != CONF_RESERVATION_HOST;
	char mac[MAC_TEXT];

	if (!wants_pin || !lease->found || lease->pinned)
		return FINDING_NONE;
	if (lease->has_mac && !mac_equal(&lease->mac, &look->item.mac))
		snprintf(look->detail, sizeof(look->detail), "its lease is of %s",
			mac_format(&lease->mac, mac));
	else
		snprintf(look->detail, sizeof(look->detail), "its lease is not pinned");
	return FINDING_DIFFERENT;
}

static enum finding judge(struct look *look, const struct dhcpd_result *r)
{
	const struct dhcpd_host *host = &r->before;

	if (look->item.ip == 0) {
		if (host->found && host->ours)
			say_host(look, host, "no such device, but host");
		return host->found && host->ours ? FINDING_ORPHANED : FINDING_NONE;
	}
	if (!host->found) {
		snprintf(look->detail, sizeof(look->detail), "no host");
		return FINDING_MISSING;
	}
	if (!has_address(host, look->item.ip)) {
		say_host(look, host, host->ours ? "host" : "somebody else's host");
		return host->ours ? FINDING_DIFFERENT : FINDING_FOREIGN;
	}
	return judge_lease(look, &r->lease);
}

/* --- Asking and mending ---------------------------------------------------------------------- */

static void look_over(struct look *look)
{
	look->busy = false;
	look->job->busy--;
	pump(look->job);
}

static void mended(void *ctx, const struct dhcpd_result *result)
{
	struct look *look = ctx;

	if (!dhcpd_outcome_is_good(result->outcome) && result->text[0])
		snprintf(look->detail, sizeof(look->detail), "%s", result->text);
	tell(look, dhcpd_outcome_is_good(result->outcome));
	look_over(look);
}

/* Never a foreign one. */
static int mend(struct look *look)
{
	struct dhcpd *dhcpd = look->job->run->servers[look->job->server].dhcpd;
	struct dhcpd_want want = {.mac = look->item.mac,
		.ip = look->item.ip,
		.mode = order_mode(look->item.mode),
		.may_pin = look->item.pinned};
	struct dhcpd_unwant unwant = {.mac = look->item.mac};

	if (look->finding == FINDING_FOREIGN)
		return ERR_REFUSED;
	return look->finding == FINDING_ORPHANED ? dhcpd_release(dhcpd, &unwant, mended, look)
						 : dhcpd_ensure(dhcpd, &want, mended, look);
}

static void looked(void *ctx, const struct dhcpd_result *result)
{
	struct look *look = ctx;
	struct reconcile *job = look->job;

	job->checked++;
	tell_progress(job);
	if (result->outcome == DHCPD_LATER) {
		if (!job->stop)
			tell_trouble(job, result->text);
		job->stop = true;
	} else {
		look->finding = judge(look, result);
		if (look->finding != FINDING_NONE && job->fix && mend(look) == 0)
			return;
		if (look->finding != FINDING_NONE)
			tell(look, false);
	}
	look_over(look);
}

/* --- The walk -------------------------------------------------------------------------------- */

static void take_reserved(
	void *ctx, const struct mac *mac, uint32_t ip, enum conf_reservation mode, bool pinned_here)
{
	struct reconcile *job = ctx;

	if (job->item_count < SLICE)
		job->items[job->item_count++] =
			(struct item){.mac = *mac, .ip = ip, .mode = mode, .pinned = pinned_here};
}

static bool is_device(struct reconcile *job, const struct mac *mac)
{
	writer_clear(&job->writer);
	return engine_device_write(job->run->engine, mac, &job->writer) == 0;
}

/* What is to be looked at next on this server: devices first, then those that may be orphans. */
static bool next_item(struct reconcile *job, struct item *ret_item)
{
	while (job->item_at == job->item_count && job->more) {
		job->item_at = job->item_count = 0;
		job->more = engine_reserved_each(job->run->engine, job->server, &job->cursor, SLICE,
				    take_reserved, job) > 0;
	}
	if (job->item_at < job->item_count) {
		*ret_item = job->items[job->item_at++];
		return true;
	}
	while (job->mac_at < job->mac_count) {
		*ret_item = (struct item){.mac = job->macs[job->mac_at++]};
		if (!is_device(job, &ret_item->mac))
			return true;
	}
	return false;
}

static struct look *free_look(struct reconcile *job)
{
	for (size_t i = 0; i < RUN_RECONCILE_ROOM; i++)
		if (!job->looks[i].busy)
			return &job->looks[i];
	return NULL;
}

static void job_free(struct reconcile *job)
{
	DL_DELETE(job->run->reconciles, job);
	loop_timer_free(job->pace);
	writer_done(&job->writer);
	free(job->macs);
	free(job);
}

/* One of the background that was broken off begins again when the server is back, and a server that
 * comes and goes is to be no stream of lines: it is told where it did something. */
static void log_sum(const struct reconcile *job)
{
	if (job->stop && !job->asked && job->found == 0)
		return;
	log_info("reconcile: %s: %llu reservations looked at, %llu differed, %llu mended%s",
		job->asked ? "asked for" : job->run->conf->servers[job->server].name,
		(unsigned long long)job->checked, (unsigned long long)job->found,
		(unsigned long long)job->fixed, job->stop ? ", then broken off" : "");
}

static void job_over(struct reconcile *job)
{
	struct run *run = job->run;

	log_sum(job);
	if (job->x)
		http_stream_end(job->x);
	job_free(job);
	begin_due(run);
}

static void server_over(struct reconcile *job)
{
	struct server_row *server = &job->run->servers[job->server];

	if (job->stop)
		return;
	server->reconciled++;
	server->reconciled_at = clock_wall();
}

static void server_begin(struct reconcile *job)
{
	job->stop = false;
	job->log_limit = (struct log_limit){.interval = 3600 * USEC_PER_SEC, .burst = LOG_LINES};
	job->cursor = 0;
	job->more = true;
	job->item_at = job->item_count = job->mac_at = 0;
}

static void ask(struct reconcile *job, struct look *look)
{
	const struct item *item = &look->item;

	look->busy = true;
	job->busy++;
	look->detail[0] = 0;
	if (dhcpd_look(job->run->servers[job->server].dhcpd, &item->mac, item->ip, looked, look) ==
		0)
		return;
	look->busy = false;
	job->busy--;
	tell_trouble(job, "too many orders at once");
	job->stop = true;
}

/* Whether one more may be looked at now; if not, it goes on when the timer is due. */
static bool is_in_pace(struct reconcile *job)
{
	if (job->asked)
		return true;
	if (job->pace_left == 0 && !loop_timer_is_set(job->pace))
		loop_timer_set(job->pace, PACE_TIME);
	return job->pace_left > 0;
}

static void pace_due(void *ctx)
{
	struct reconcile *job = ctx;

	job->pace_left = PACE_LOOKS;
	pump(job);
}

static bool is_resting(const struct reconcile *job)
{
	return !job->stop && loop_timer_is_set(job->pace);
}

static bool look_at_next(struct reconcile *job)
{
	struct look *look = job->stop || !is_in_pace(job) ? NULL : free_look(job);

	if (!look || !next_item(job, &look->item))
		return false;
	job->pace_left -= job->pace_left > 0;
	ask(job, look);
	return true;
}

/* Frees the job at its end. */
static void pump(struct reconcile *job)
{
	for (;;) {
		while (look_at_next(job))
			;
		if (job->busy > 0 || is_resting(job))
			return;
		server_over(job);
		if (job->server == job->last_server)
			break;
		job->server++;
		server_begin(job);
	}
	job_over(job);
}

/* --- Beginning and end ----------------------------------------------------------------------- */

static struct reconcile *job_new(struct run *run, uint8_t first, uint8_t last, bool fix)
{
	struct reconcile *job = calloc(1, sizeof(*job));

	if (!job || writer_init(&job->writer, -1, WRITER_JSON) < 0) {
		free(job);
		return NULL;
	}
	job->pace = loop_timer_new(run->loop, pace_due, job);
	if (!job->pace) {
		writer_done(&job->writer);
		free(job);
		return NULL;
	}
	job->pace_left = PACE_LOOKS;
	job->run = run;
	job->fix = fix;
	job->server = first;
	job->last_server = last;
	for (size_t i = 0; i < RUN_RECONCILE_ROOM; i++)
		job->looks[i].job = job;
	server_begin(job);
	DL_APPEND(run->reconciles, job);
	return job;
}

static void listener_gone(void *ctx, struct http_exchange *x)
{
	struct reconcile *job = ctx;

	(void)x;
	job->x = NULL;
	job->stop = true;
	job->last_server = job->server;
}

int run_reconcile(struct run *run, struct http_exchange *x, bool fix, bool progress,
	const struct mac *macs, size_t count)
{
	struct reconcile *job;

	DL_FOREACH (run->reconciles, job)
		if (job->x)
			return ERR_DUPLICATE;
	if (run->conf->server_count == 0) {
		http_reply(x, 200, "application/x-ndjson", NULL, "", 0);
		return 0;
	}
	job = job_new(run, 0, (uint8_t)(run->conf->server_count - 1), fix);
	if (job && count > 0)
		job->macs = calloc(count, sizeof(*macs));
	if (!job || (count > 0 && !job->macs) ||
		http_stream_begin(x, "application/x-ndjson", NULL, listener_gone, job) < 0) {
		if (job)
			job_free(job);
		return ERR_FULL;
	}
	if (count > 0)
		memcpy(job->macs, macs, count * sizeof(*macs));
	job->mac_count = count;
	job->x = x;
	job->asked = true;
	job->progress = progress;
	tell_progress(job);
	pump(job);
	return 0;
}

/* One at a time: servers that are back together wait for each other. */
static void begin_due(struct run *run)
{
	for (size_t i = 0; i < run->conf->server_count && !run->reconciles && !run->stopping; i++) {
		struct reconcile *job;

		if (!run->servers[i].reconcile_due)
			continue;
		job = job_new(run, (uint8_t)i, (uint8_t)i, true);
		if (!job)
			return;
		run->servers[i].reconcile_due = false;
		pump(job);
	}
}

void run_reconcile_server(struct run *run, uint8_t server)
{
	run->servers[server].reconcile_due = true;
	begin_due(run);
}

void run_reconcile_end(struct run *run)
{
	struct reconcile *job, *next;

	DL_FOREACH_SAFE(run->reconciles, job, next)
	job_free(job);
}
