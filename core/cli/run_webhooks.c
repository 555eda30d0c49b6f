/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "run.h"
#include "setup.h"
#include "tap82/clock.h"
#include "tap82/failpoint.h"
#include "tap82/log.h"

static void done(void *ctx, int64_t seq)
{
	struct run *run = ctx;

	failpoint("delivered");
	turn_outbox_done(run->turn, seq);
}

static void rejected(void *ctx, const struct conf_webhook *conf, const struct outbox_row *row,
	const char *detail)
{
	struct run *run = ctx;
	char text[1200];
	struct event e = {.time = clock_wall(),
		.code = EVENT_WEBHOOK_REJECTED,
		.has_mac = !mac_is_zero(&row->mac),
		.mac = row->mac,
		.detail = text};

	snprintf(text, sizeof(text), "webhook %s: %s", conf->name, detail);
	event_identify(&e, &row->seq, sizeof(row->seq));
	turn_event(run->turn, &e);
}

static void dropped(void *ctx, const struct conf_webhook *conf, uint64_t count)
{
	struct run *run = ctx;
	char text[160 + CONF_NAME_MAX];

	snprintf(text, sizeof(text),
		"webhook %s: %llu messages dropped, the oldest first: more than %llu (backlog) "
		"wait",
		conf->name, (unsigned long long)count, (unsigned long long)conf->backlog);
	log_error("%s", text);
	engine_tell(run->engine, EVENT_WEBHOOK_DROPPED, NULL, text, run_now(run));
}

static const struct webhook_ops ops = {.done = done, .rejected = rejected, .dropped = dropped};

int run_webhooks_load(struct run *run)
{
	if (run->conf->webhook_count == 0)
		return 0;
	return webhooks_new(
		run->loop, run->conf, &ops, run, setup_log_problem, NULL, &run->webhooks);
}

int run_webhooks_begin(struct run *run)
{
	int err = run->webhooks ? webhooks_begin(run->webhooks, run->store) : 0;

	if (err < 0)
		log_error("%s: cannot be read: %s", run->conf->state, store_error(run->store));
	return err;
}
