/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "run.h"
#include "setup.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/log.h"
#include "tap82/notify.h"
#include "tap82/trial_hook.h"

#define DRAIN_TIME                                                                    \
	(5 * USEC_PER_SEC) /* at most, for what is under way when we are told to stop \
			    */

/* --- Stopping -------------------------------------------------------------------------------- */

void run_stop(struct run *run, int exit_code)
{
	run->exit_code = exit_code;
	run->stopping = true;
	run->stop_by = clock_mono();
	loop_stop(run->loop);
}

/* New orders stay in the store; those that dhcpd has are waited for. */
static void begin_drain(struct run *run)
{
	if (run->stopping)
		return;
	log_info("stopping");
	notify_send("STOPPING=1");
	run_sniffers_read_out(run);
	run->stopping = true;
	run->stop_by = clock_mono() + DRAIN_TIME;
	for (size_t i = 0; i < run->conf->server_count; i++)
		engine_server_room(run->engine, (uint8_t)i, 0);
}

static uint32_t webhooks_busy(const struct run *run)
{
	uint32_t busy = 0;

	for (size_t i = 0; run->webhooks && i < run->conf->webhook_count; i++) {
		struct webhook_stats stats;

		webhooks_stats(run->webhooks, i, &stats);
		busy += stats.in_flight;
	}
	return busy;
}

void run_drain(struct run *run)
{
	bool done = run_servers_busy(run) == 0 && webhooks_busy(run) == 0 &&
		    turn_waiting(run->turn) == 0;

	if (done || clock_mono() >= run->stop_by)
		loop_stop(run->loop);
}

/* --- Signals and the clock ------------------------------------------------------------------- */

static void told_to_stop(void *ctx)
{
	begin_drain(ctx);
}

static void told_to_reload(void *ctx)
{
	struct run *run = ctx;
	int err;

	log_info("SIGHUP: reading the inventory; a changed %s needs a restart", run->conf->path);
	err = run->eventlog ? eventlog_reopen(run->eventlog) : 0;
	if (err < 0)
		log_error("%s: cannot be opened: %s", run->conf->event_log, strerror(-err));
	if (run_inventory_reload(run, false, NULL, NULL) == ERR_DUPLICATE)
		log_info("%s: is being read already", run->conf->devices);
}

/* The turn does the work: the timer only makes one happen. */
static void due(void *ctx)
{
	(void)ctx;
}

static void each_second(void *ctx)
{
	struct run *run = ctx;

	run_sniffers_tick(run, clock_onward());
	run_inventory_tick(run);
	trial_hook("engine");
	loop_timer_set(run->second, USEC_PER_SEC);
}

static void feed_watchdog(void *ctx)
{
	struct run *run = ctx;

	notify_send("WATCHDOG=1");
	loop_timer_set(run->watchdog, notify_watchdog());
}

static int watch(struct run *run)
{
	run->signals[0] = loop_signal_new(run->loop, SIGTERM, told_to_stop, run);
	run->signals[1] = loop_signal_new(run->loop, SIGINT, told_to_stop, run);
	run->signals[2] = loop_signal_new(run->loop, SIGHUP, told_to_reload, run);
	run->timer = loop_timer_new(run->loop, due, run);
	run->second = loop_timer_new(run->loop, each_second, run);
	run->watchdog = loop_timer_new(run->loop, feed_watchdog, run);
	if (!run->signals[0] || !run->signals[1] || !run->signals[2] || !run->timer ||
		!run->second || !run->watchdog)
		return -ENOMEM;
	signal(SIGPIPE, SIG_IGN);
	loop_timer_set(run->second, USEC_PER_SEC);
	if (notify_watchdog() > 0)
		loop_timer_set(run->watchdog, 0);
	loop_after_turn(run->loop, run_turn, run);
	return 0;
}

void run_check_ready(struct run *run)
{
	if (run->ready || !run_sniffers_ready(run))
		return;
	if (run_api_serve(run) < 0) {
		run_stop(run, EXIT_FAILED);
		return;
	}
	run->ready = true;
	log_info("ready");
	notify_send("READY=1");
}

/* --- Starting -------------------------------------------------------------------------------- */

static int restore_device(void *ctx, const struct device_row *row)
{
	return engine_restore_device(ctx, row);
}

static int restore_reservation(void *ctx, const struct reservation_row *row)
{
	return engine_restore_reservation(ctx, row);
}

static int restore_event(void *ctx, const struct event_row *row)
{
	engine_restore_event(ctx, row);
	return 0;
}

static int restore_events(struct run *run)
{
	int err = 0;

	for (int i = 0; i < ENGINE_QUIETS && err == 0; i++)
		err = store_each_told(run->store, event_code_text(engine_quiets[i].code),
			clock_wall() - engine_quiets[i].time, engine_quiets[i].most, restore_event,
			run->engine);
	return err;
}

static int open_state(struct run *run)
{
	char why[512] = "";
	int err = store_open(run->conf->state, why, sizeof(why), &run->store);

	if (err < 0) {
		log_error("%s: %s", run->conf->state, why);
		return err;
	}
	if (!run->conf->event_log)
		return 0;
	err = eventlog_open(run->conf->event_log, &run->eventlog);
	if (err == 0)
		err = eventlog_catch_up(run->eventlog, run->store);
	if (err < 0)
		log_error("%s: cannot be opened: %s", run->conf->event_log, err_text(err));
	return err < 0 ? err : 0;
}

static int restore(struct run *run)
{
	int err = run_turn_begin(run);
	uint32_t devices;

	run->engine = err < 0 ? NULL : engine_new(run->conf, &turn_engine_ops, run->turn);
	if (!run->engine)
		return -ENOMEM;
	engine_clock(run->engine, clock_onward(), 0);
	if (store_count_devices(run->store, &devices) == 0)
		engine_restore_expect(run->engine, devices);
	err = store_each_device(run->store, restore_device, run->engine);
	if (err == 0)
		err = store_each_reservation(run->store, restore_reservation, run->engine);
	if (err == 0)
		err = restore_events(run);
	if (err < 0)
		log_error("%s: cannot be read: %s", run->conf->state, store_error(run->store));
	return err;
}

/* With whatever privilege we were started with: an exit code. */
static int prepare(struct run *run)
{
	bool change;
	uid_t uid;
	gid_t gid;

	if (run_confine_user(run->conf, &change, &uid, &gid) < 0)
		return EXIT_WRONG_USAGE;
	opener_inherit(&run->opener);
	if (run->opener.fd == 0)
		opener_begin_again(run->conf->path);
	if (starter_begin(
		    run->conf, change ? run->conf->user : NULL, run->opener.fd, &run->starter) < 0)
		return EXIT_WRONG_USAGE;
	opener_forget(&run->opener);
	run->loop = loop_new();
	if (!run->loop)
		return EXIT_FAILED;
	if (run_servers_load_keys(run) < 0 || run_webhooks_load(run) < 0)
		return EXIT_WRONG_USAGE;
	if (run_confine_prepare(run->conf, uid, gid) < 0)
		return EXIT_FAILED;
	if (run_api_bind(run, change, gid) < 0)
		return EXIT_FAILED;
	return run_confine_drop(change, uid, gid) < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Without privilege: an exit code. What was restored may give orders and bodies with the first
 * commit: servers and webhooks are there before. */
static int begin(struct run *run)
{
	if (open_state(run) < 0 || restore(run) < 0 || run_servers_begin(run) < 0 ||
		run_webhooks_begin(run) < 0)
		return EXIT_FAILED;
	if (run_inventory_first(run) < 0)
		return EXIT_WRONG_USAGE;
	if (watch(run) < 0 || run_inventory_begin(run) < 0 || run_api_begin(run) < 0 ||
		run_confine_calls() < 0 || run_sniffers_begin(run) < 0)
		return EXIT_FAILED;
	return EXIT_DONE;
}

static void end(struct run *run)
{
	run_sniffers_end(run);
	run_api_end(run);
	run_reconcile_end(run);
	run_servers_end(run);
	webhooks_free(run->webhooks);
	run_inventory_end(run);
	engine_free(run->engine);
	turn_free(run->turn);
	eventlog_close(run->eventlog);
	store_close(run->store);
	for (size_t i = 0; i < sizeof(run->signals) / sizeof(run->signals[0]); i++)
		if (run->signals[i])
			loop_signal_free(run->signals[i]);
	loop_timer_free(run->timer);
	loop_timer_free(run->second);
	loop_timer_free(run->watchdog);
	loop_free(run->loop);
	starter_end(&run->starter);
	opener_end(&run->opener);
	conf_free(run->conf);
}

int command_run(struct cli *cli)
{
	struct run run = {.started_at = clock_wall()};
	int code;

	if (cli->arg_count > 0)
		return cli_usage(cli, "%s: takes no operands", cli->args[0]);
	run.conf = setup_conf(cli->conf_path);
	if (!run.conf)
		return EXIT_WRONG_USAGE;
	code = prepare(&run);
	if (code == EXIT_DONE)
		code = begin(&run);
	if (code == EXIT_DONE) {
		if (loop_run(run.loop) < 0)
			run.exit_code = EXIT_FAILED;
		code = run.exit_code;
	}
	end(&run);
	return code;
}
