/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "progress.h"
#include "replay.h"
#include "replay_report.h"
#include "setup.h"
#include "tap82/err.h"
#include "tap82/inventory.h"
#include "tap82/log.h"

#define ROWS_AT_ONCE	 65536
#define PROGRESS_PACKETS 1024 /* between two looks at the clock */

const struct cli_option command_replay_options[] = {
	{"live", 0, NULL, "make the reservations in the configured servers"},
	{"report", 0, "FILE.html", "write one page about every camera, problems first"},
	{"devices", 0, NULL, "print the devices' records after the events"},
	{0},
};

/* --- What the engine says ----------------------------------------------------------------------
 */

static void on_event(void *ctx, const struct event *e)
{
	struct replay *r = ctx;

	/* A replay ends with the last packet, though --live waits for dhcpd. */
	if (r->loading || (r->last && e->code == EVENT_STREAMS_HOLD_ENDED && e->time > r->last))
		return;
	if (r->report && e->has_mac)
		report_event(r->report, e);
	if (r->cli->json)
		event_write(&r->writer, e);
	else
		replay_write_line(&r->writer, e);
}

/* Without dhcpd a reservation succeeds, at once: after the observation that wanted it. */
static void on_order(void *ctx, const struct order *order)
{
	struct replay *r = ctx;

	if (r->live && replay_live_order(r->live, order) == 0)
		return;
	if (r->order_count == r->order_room) {
		size_t room = r->order_room ? 2 * r->order_room : 64;
		struct order *orders = realloc(r->orders, room * sizeof(*orders));

		if (!orders)
			return;
		r->orders = orders;
		r->order_room = room;
	}
	r->orders[r->order_count++] = *order;
}

static void answer_orders(struct replay *r)
{
	for (size_t i = 0; i < r->order_count; i++) {
		struct answer answer = {.ticket = r->orders[i].ticket,
			.kind = r->live ? ANSWER_NOT_NOW : ANSWER_DONE,
			.reason = r->live ? "no-room" : NULL};

		engine_answer(r->engine, &answer, r->now);
	}
	r->order_count = 0;
}

/* --- Packets -----------------------------------------------------------------------------------
 */

/* A datagram counts if one of the configured captures would have taken it. */
static bool is_taken(const struct replay *r, const struct datagram *d)
{
	for (size_t i = 0; i < r->conf->capture_count; i++)
		if (frame_want_takes(&r->wants[i], d))
			return true;
	return r->conf->capture_count == 0;
}

static void have_turn(struct replay *r, const struct replay_waiting *w)
{
	r->now = w->now;
	if (w->has_witness)
		engine_observe(r->engine, &w->witness);
	if (r->report)
		report_observation(r->report, &w->o);
	engine_observe(r->engine, &w->o);
	while (r->order_count > 0)
		answer_orders(r);
	if (r->live)
		replay_live_wait(r->live);
}

/* All but so many have their turn. */
static void let_wait(struct replay *r, unsigned count)
{
	for (; r->waiting > count; r->waiting--) {
		have_turn(r, &r->ring[r->first]);
		r->first = (r->first + 1) % ENGINE_AHEAD;
	}
}

static void replay_packet(struct replay *r, const struct packet *packet)
{
	struct replay_waiting *w = &r->ring[(r->first + r->waiting) % ENGINE_AHEAD];
	struct datagram d;

	r->packets++;
	if (packet->time > r->read_to)
		r->read_to = packet->time;
	if (frame_decode(&r->frames, packet, &d) <= 0 || !is_taken(r, &d) ||
		message_observe(r->messages, &d, &w->o, NULL) < 0)
		return;
	w->now = r->read_to;
	w->has_witness = message_witness(r->messages, &w->witness);
	engine_foresee(r->engine, &w->o);
	r->waiting++;
	let_wait(r, r->may_wait);
}

static void show_progress(
	const struct replay *r, struct progress *p, const struct capture_merge *merge)
{
	struct progress_state state = {.done = capture_merge_offset(merge),
		.total = capture_merge_size(merge),
		.count = r->packets};

	if (progress_due(p))
		progress_show(p, &state);
}

static int replay_captures(struct replay *r)
{
	struct progress progress;
	char error[CAPTURE_ERROR_MAX];
	struct capture_merge *merge;
	struct packet packet;
	int n;

	if (capture_merge_open(
		    (const char *const *)r->cli->args, r->cli->arg_count, error, &merge) < 0) {
		log_error("%s", error);
		return EXIT_FAILED;
	}
	/* What comes out of a pipe is told at once: nobody knows when the next packet comes. */
	r->may_wait = capture_merge_size(merge) > 0 ? ENGINE_AHEAD - 1 : 0;
	/* Events that scroll by are progress enough. */
	progress_begin(&progress, r->cli->args[0], "packets", !isatty(STDOUT_FILENO));
	while ((n = capture_merge_next(merge, &packet)) != 0) {
		if (n > 0) {
			replay_packet(r, &packet);
			if (progress.wanted && r->packets % PROGRESS_PACKETS == 0)
				show_progress(r, &progress, merge);
			continue;
		}
		progress_end(&progress);
		r->failed = true;
		let_wait(r, 0);
		writer_flush(&r->writer);
		log_error("%s", capture_merge_error(merge));
	}
	let_wait(r, 0);
	r->now = r->read_to;
	progress_end(&progress);
	engine_tick(r->engine, r->now);
	r->last = r->now;
	capture_merge_close(merge);
	if (r->live)
		replay_live_drain(r->live);
	if (r->live && replay_live_failed(r->live))
		r->failed = true;
	return r->failed ? EXIT_FAILED : EXIT_DONE;
}

/* --- Beginning and end -------------------------------------------------------------------------
 */

static void log_problem(void *ctx, const char *text)
{
	(void)ctx;
	log_error("%s", text);
}

static int take_inventory(struct replay *r, const struct inventory *inventory)
{
	int err;

	engine_inventory_begin(r->engine, inventory, r->conf->devices, true);
	while ((err = engine_inventory_step(r->engine, ROWS_AT_ONCE, 0)) > 0)
		;
	return err;
}

int replay_load_inventory(struct replay *r)
{
	struct inventory *inventory;
	int err;

	if (!r->conf->devices)
		return 0;
	err = inventory_open(r->conf->devices, r->conf, log_problem, NULL, &inventory);
	if (err < 0)
		return err;
	while ((err = inventory_step(inventory, ROWS_AT_ONCE)) > 0)
		;
	r->loading = true;
	if (err == 0)
		err = take_inventory(r, inventory);
	r->loading = false;
	inventory_free(inventory);
	return err;
}

static int prepare_wants(struct replay *r)
{
	r->wants = calloc(r->conf->capture_count + 1, sizeof(*r->wants));
	if (!r->wants)
		return -ENOMEM;
	for (size_t i = 0; i < r->conf->capture_count; i++)
		setup_want(&r->conf->captures[i], &r->wants[i]);
	return 0;
}

/* 0, or an exit code. */
static int begin(struct replay *r)
{
	static const struct engine_ops ops = {.event = on_event, .order = on_order};

	if (r->cli->arg_count == 0)
		return cli_usage(r->cli, "give capture files, or '-' for standard input");
	r->conf = setup_conf(r->cli->conf_path);
	r->messages = r->conf ? setup_messages(r->conf) : NULL;
	if (!r->messages)
		return EXIT_WRONG_USAGE;
	r->engine = engine_new(r->conf, &ops, r);
	if (!r->engine || prepare_wants(r) < 0 || frame_decoder_init(&r->frames, NULL) < 0 ||
		writer_init(&r->writer, STDOUT_FILENO, r->cli->json ? WRITER_JSON : WRITER_LINE) <
			0) {
		log_error("replay: %s", err_text(-ENOMEM));
		return EXIT_FAILED;
	}
	if (replay_load_inventory(r) < 0)
		return EXIT_WRONG_USAGE;
	if (cli_has(r->cli, "report") && !(r->report = report_new()))
		return EXIT_FAILED;
	if (cli_has(r->cli, "live") && replay_live_begin(r, &r->live) < 0)
		return EXIT_WRONG_USAGE;
	return 0;
}

static void end(struct replay *r)
{
	replay_live_end(r->live);
	engine_free(r->engine);
	report_free(r->report);
	frame_decoder_done(&r->frames);
	message_decoder_free(r->messages);
	writer_done(&r->writer);
	conf_free(r->conf);
	free(r->wants);
	free(r->orders);
}

static void print_devices(struct replay *r)
{
	uint32_t cursor = 0;

	if (!r->cli->json)
		r->writer.mode = WRITER_TREE;
	while (engine_devices_write(r->engine, NULL, &cursor, 4096, &r->writer))
		;
}

static int write_report(struct replay *r)
{
	const char *path = cli_option(r->cli, "report");
	int err;

	if (!r->report)
		return 0;
	r->report->packets = r->packets;
	err = report_write(r->report, r->engine, path, r->cli->args, r->cli->arg_count);
	if (err < 0)
		log_error("%s: %s", path, err_text(err));
	return err;
}

int command_replay(struct cli *cli)
{
	struct replay r = {.cli = cli};
	int code = begin(&r);

	if (code == 0) {
		r.writer.eager = isatty(STDOUT_FILENO);
		code = replay_captures(&r);
		if (cli_has(cli, "devices"))
			print_devices(&r);
		if (write_report(&r) < 0)
			code = EXIT_FAILED;
		if (writer_flush(&r.writer) < 0 && writer_error(&r.writer) != -EPIPE)
			code = EXIT_FAILED;
	}
	end(&r);
	return code;
}
