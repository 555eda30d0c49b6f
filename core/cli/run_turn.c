/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run.h"
#include "tap82/clock.h"
#include "tap82/log.h"

#define RETRY	     USEC_PER_SEC
#define LOOK_AGAIN   USEC_PER_SEC /* timers stand still in suspend, the engine's time does not */
#define EXPIRE_EVERY (60 * USEC_PER_SEC)
#define EXPIRE_ROWS  2000
#define LOG_LINES    50 /* of events, in a second */

/* --- What is said after the commit ----------------------------------------------------------- */

/* What happens to cameras, and strangers; the rest was logged by those who know more of it. */
static bool is_logged(const struct event *e)
{
	return e->has_mac || e->code == EVENT_DHCP_UNKNOWN_SERVER ||
	       e->code == EVENT_DHCP_UNKNOWN_RELAY || e->code == EVENT_WEBHOOK_REJECTED;
}

/* How many lines the limit swallowed, when it is over. */
static void log_suppressed(struct turn_state *t)
{
	if (t->log_limit.suppressed == 0 ||
		clock_mono() - t->log_limit.since < t->log_limit.interval)
		return;
	log_info("%llu lines of events not written here: see the event log",
		(unsigned long long)t->log_limit.suppressed);
	t->log_limit.suppressed = 0;
}

static void say_event(void *ctx, const struct event_row *row, const struct event *e)
{
	struct run *run = ctx;

	/* One line a happening; a storm is for the event log. While it lasts the next second begins
	 * here, before the turn is over: what the last one swallowed is told first. */
	log_suppressed(&run->turn_state);
	if (is_logged(e) && log_limit_pass(&run->turn_state.log_limit, clock_mono()))
		run_tell_event(run, row);
	if (run->eventlog && !run->turn_state.log_behind)
		eventlog_add(run->eventlog, row);
	run_api_event(run, row);
}

static void say_order(void *ctx, const struct order *order)
{
	run_servers_order(ctx, order);
}

static void say_outbox(void *ctx, const struct outbox_row *row)
{
	struct run *run = ctx;

	if (run->webhooks)
		webhooks_add(run->webhooks, row);
}

static const struct turn_ops ops = {.event = say_event, .order = say_order, .outbox = say_outbox};

int run_turn_begin(struct run *run)
{
	run_tell_begin(run);
	run->turn_state.log_limit =
		(struct log_limit){.interval = USEC_PER_SEC, .burst = LOG_LINES};
	run->turn = turn_new(run->conf, run->store, &ops, run);
	return run->turn ? 0 : -ENOMEM;
}

/* --- The event log --------------------------------------------------------------------------- */

static void log_fell_behind(struct run *run, int err)
{
	if (!run->turn_state.log_behind)
		log_error("%s: cannot be written: %s", run->conf->event_log, strerror(-err));
	run->turn_state.log_behind = true;
	run->turn_state.log_retry_at = clock_mono() + RETRY;
}

static void log_catch_up(struct run *run)
{
	int n = eventlog_catch_up(run->eventlog, run->store);

	if (n < 0) {
		log_fell_behind(run, n);
		return;
	}
	log_info("%s: written again, %d events later", run->conf->event_log, n);
	run->turn_state.log_behind = false;
}

static void flush_log(struct run *run)
{
	struct turn_state *t = &run->turn_state;
	int r;

	if (!run->eventlog)
		return;
	if (t->log_behind) {
		if (clock_mono() >= t->log_retry_at)
			log_catch_up(run);
		return;
	}
	r = eventlog_flush(run->eventlog, &t->mark);
	if (r < 0)
		log_fell_behind(run, r);
	else if (r > 0)
		t->mark_due = true;
}

/* --- The commit ------------------------------------------------------------------------------ */

static void store_failed(struct run *run, int64_t now)
{
	struct turn_state *t = &run->turn_state;

	t->failures++;
	t->retry_at = clock_mono() + RETRY;
	if (t->failing)
		return;
	t->failing = true;
	t->failing_since = now;
	log_error("%s: cannot be written: %s: work waits in memory", run->conf->state,
		store_error(run->store));
	engine_tell(run->engine, EVENT_STORE_DEGRADED, NULL, store_error(run->store), now);
}

static void store_works(struct run *run, int64_t started)
{
	struct turn_state *t = &run->turn_state;
	int64_t took = clock_mono() - started;

	t->commits++;
	t->commit_time += took;
	if (took > t->commit_time_max)
		t->commit_time_max = took;
	if (t->failing)
		log_info("%s: written again after %.1f s", run->conf->state,
			(double)(clock_onward() - t->failing_since) / 1e6);
	t->failing = false;
}

static void commit(struct run *run, int64_t now)
{
	struct turn_state *t = &run->turn_state;
	int64_t started = clock_mono();

	if (turn_waiting(run->turn) == 0 || (t->failing && started < t->retry_at))
		return;
	if (t->mark_due)
		turn_fact(run->turn, EVENTLOG_FACT, &t->mark, sizeof(t->mark));
	t->mark_due = false;
	if (turn_commit(run->turn) < 0)
		store_failed(run, now);
	else
		store_works(run, started);
}

static void expire(struct run *run, int64_t now)
{
	struct turn_state *t = &run->turn_state;
	int n;

	if (t->failing || clock_mono() < t->expire_at)
		return;
	n = store_expire_events(run->store, now + t->ahead - run->conf->event_retention,
		run->conf->event_limit, EXPIRE_ROWS);
	t->expire_at = clock_mono() + (n >= EXPIRE_ROWS ? USEC_PER_SEC : EXPIRE_EVERY);
}

static void keep_longest(struct run *run)
{
	int64_t took = loop_turn_time(run->loop);

	if (took > run->turn_state.turn_time_max)
		run->turn_state.turn_time_max = took;
}

int64_t run_now(struct run *run)
{
	int64_t now = clock_onward(), ahead = clock_ahead(), step = ahead - run->turn_state.ahead;

	if (step != 0) {
		log_warning(
			"the wall clock was set %s by %.2f s: holds and deadlines go on as they "
			"were",
			step > 0 ? "forward" : "back", fabs((double)step) / 1e6);
		run->turn_state.ahead = ahead;
		engine_clock(run->engine, now, ahead);
	}
	return now;
}

void run_turn(void *ctx)
{
	struct run *run = ctx;
	int64_t now = run_now(run), next = engine_tick(run->engine, now), wait = next - now;

	commit(run, now);
	run_sniffers_flow(run);
	flush_log(run);
	run_api_committed(run);
	log_suppressed(&run->turn_state);
	expire(run, now);
	if (run->stopping)
		run_drain(run);
	keep_longest(run);
	loop_timer_set(run->timer, next == INT64_MAX || wait > LOOK_AGAIN ? LOOK_AGAIN : wait);
}
