/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "orders.h"
#include "run.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/failpoint.h"
#include "tap82/log.h"

/* An order on its way: what comes back with the answer. */
struct sent {
	struct run *run;
	uint64_t ticket;
};

static void answered(void *ctx, const struct dhcpd_result *result)
{
	struct sent *sent = ctx;
	struct answer answer = order_answer(sent->ticket, result);

	failpoint("answered");
	engine_answer(sent->run->engine, &answer, clock_onward());
	free(sent);
}

void run_servers_order(struct run *run, const struct order *order)
{
	struct sent *sent = malloc(sizeof(*sent));
	struct answer later = {.ticket = order->ticket,
		.kind = ANSWER_NOT_NOW,
		.reason = "no-room",
		.detail = "too many orders at once"};

	if (sent)
		*sent = (struct sent){run, order->ticket};
	if (sent && order_send(run->servers[order->server].dhcpd, order, answered, sent) == 0) {
		failpoint("sent");
		return;
	}
	free(sent);
	engine_answer(run->engine, &later, clock_onward());
}

void run_servers_retry(struct run *run)
{
	for (size_t i = 0; i < run->conf->server_count; i++)
		dhcpd_retry_now(run->servers[i].dhcpd);
}

uint32_t run_servers_busy(const struct run *run)
{
	uint32_t busy = 0;

	for (size_t i = 0; i < run->conf->server_count; i++) {
		struct dhcpd_stats stats;

		dhcpd_stats(run->servers[i].dhcpd, &stats);
		busy += stats.operations;
	}
	return busy;
}

static void state_changed(void *ctx, enum dhcpd_state state, const char *text)
{
	struct server_row *s = ctx;

	order_server_changed(&s->told, state, text, clock_onward());
	if (state == DHCPD_READY && !s->run->stopping)
		run_reconcile_server(s->run, s->told.index);
}

int run_servers_load_keys(struct run *run)
{
	int err = 0;

	run->servers = calloc(run->conf->server_count + 1, sizeof(*run->servers));
	if (!run->servers)
		return -ENOMEM;
	for (size_t i = 0; i < run->conf->server_count; i++) {
		int r = order_load_key(run->conf, &run->conf->servers[i], &run->servers[i].key);

		if (r < 0)
			err = r;
	}
	return err;
}

static int connect_server(struct run *run, size_t i)
{
	const struct conf_server *conf = &run->conf->servers[i];
	struct server_row *s = &run->servers[i];
	struct dhcpd_config config = {.name = conf->name,
		.address = conf->address,
		.port = conf->port,
		.key = s->key,
		.host_prefix = run->conf->host_prefix,
		.state_fn = state_changed,
		.state_ctx = s};
	int err;

	s->run = run;
	s->told = (struct order_server){
		.engine = run->engine, .name = conf->name, .index = (uint8_t)i};
	err = dhcpd_new(run->loop, &config, &s->dhcpd);
	if (err < 0) {
		log_error("server %s: %s", conf->name, err_text(err));
		return err;
	}
	engine_server_room(run->engine, (uint8_t)i, dhcpd_room(s->dhcpd) - 2 * RUN_RECONCILE_ROOM);
	return 0;
}

int run_servers_begin(struct run *run)
{
	int err = 0;

	for (size_t i = 0; i < run->conf->server_count && err == 0; i++)
		err = connect_server(run, i);
	return err;
}

void run_servers_end(struct run *run)
{
	for (size_t i = 0; run->servers && i < run->conf->server_count; i++) {
		dhcpd_free(run->servers[i].dhcpd);
		dhcpd_key_free(run->servers[i].key);
	}
	free(run->servers);
	run->servers = NULL;
}
