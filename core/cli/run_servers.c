/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/failpoint.h"
#include "tap82/log.h"
#include "tap82/secret.h"

/* An order on its way: what comes back with the answer. */
struct sent {
	struct run *run;
	uint64_t ticket;
};

static enum answer_kind answer_of(enum dhcpd_outcome outcome)
{
	if (dhcpd_outcome_is_good(outcome))
		return ANSWER_DONE;
	return outcome == DHCPD_LATER ? ANSWER_NOT_NOW : ANSWER_REFUSED;
}

static void answered(void *ctx, const struct dhcpd_result *result)
{
	struct sent *sent = ctx;
	struct answer answer = {.ticket = sent->ticket,
		.kind = answer_of(result->outcome),
		.reason = dhcpd_outcome_text(result->outcome),
		.detail = result->text};

	failpoint("answered");
	engine_answer(sent->run->engine, &answer, clock_wall());
	free(sent);
}

enum dhcpd_mode run_servers_mode(enum conf_reservation mode)
{
	return mode == CONF_RESERVATION_HOST  ? DHCPD_HOST
	       : mode == CONF_RESERVATION_PIN ? DHCPD_PIN
					      : DHCPD_AUTO;
}

static int send_order(struct dhcpd *dhcpd, const struct order *o, struct sent *sent)
{
	struct dhcpd_want want = {.mac = o->mac,
		.ip = o->ip,
		.old_ip = o->old_ip,
		.mode = run_servers_mode(o->mode),
		.may_pin = o->acked_here};
	struct dhcpd_unwant unwant = {.mac = o->mac, .ip = o->ip, .in_use = o->in_use};

	switch (o->kind) {
	case ORDER_ENSURE: return dhcpd_ensure(dhcpd, &want, answered, sent);
	case ORDER_RELEASE: return dhcpd_release(dhcpd, &unwant, answered, sent);
	case ORDER_REPIN: return dhcpd_repin(dhcpd, &o->mac, o->ip, answered, sent);
	}
	return ERR_RANGE;
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
	if (sent && send_order(run->servers[order->server].dhcpd, order, sent) == 0) {
		failpoint("sent");
		return;
	}
	free(sent);
	engine_answer(run->engine, &later, clock_wall());
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

/* CONNECTING is no news: the engine hears what comes of it. */
static void state_changed(void *ctx, enum dhcpd_state state, const char *text)
{
	struct server_row *s = ctx;
	const char *name = s->run->conf->servers[s->index].name;
	int64_t now = clock_wall();

	if (state == DHCPD_READY) {
		log_info("server %s: logged in", name);
		engine_server_state(s->run->engine, s->index, SERVER_UP, NULL, now);
		if (!s->run->stopping)
			run_reconcile_server(s->run, s->index);
	} else if (state == DHCPD_UNREACHABLE) {
		log_error("server %s: unreachable: %s", name, text);
		engine_server_state(s->run->engine, s->index, SERVER_UNREACHABLE, text, now);
	} else if (state == DHCPD_REFUSED_US) {
		log_error("server %s: login refused: %s", name, text);
		engine_server_state(s->run->engine, s->index, SERVER_REFUSED, text, now);
	}
}

static int load_key(struct run *run, size_t i)
{
	const struct conf_server *s = &run->conf->servers[i];
	int err;

	if (!s->key_name)
		return 0;
	err = dhcpd_key_load(s->key_file, s->key_name, s->key_algorithm, &run->servers[i].key);
	if (err < 0)
		log_error("%s: [server %s] key-file: %s: %s", run->conf->path, s->name, s->key_file,
			err == ERR_SYNTAX ? "is no base64" : secret_error_text(err));
	return err;
}

int run_servers_load_keys(struct run *run)
{
	int err = 0;

	run->servers = calloc(run->conf->server_count + 1, sizeof(*run->servers));
	if (!run->servers)
		return -ENOMEM;
	for (size_t i = 0; i < run->conf->server_count; i++) {
		int r = load_key(run, i);

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
	s->index = (uint8_t)i;
	err = dhcpd_new(run->loop, &config, &s->dhcpd);
	if (err < 0) {
		log_error("server %s: %s", conf->name, err_text(err));
		return err;
	}
	engine_server_room(run->engine, s->index, dhcpd_room(s->dhcpd) - 2 * RUN_RECONCILE_ROOM);
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
