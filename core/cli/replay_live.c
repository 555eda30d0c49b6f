/* SPDX-License-Identifier: ISC
 *
 * replay --live: reservations are real. The engine stays on the packets' clock; an observation's
 * orders are answered before the next packet is looked at, so that the outcome does not depend on
 * how quick dhcpd is.
 */
#include <errno.h>
#include <stdlib.h>

#include "orders.h"
#include "replay.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/log.h"
#include "tap82/loop.h"

#define LOOK_AGAIN (USEC_PER_SEC / 5)

struct live_server {
	struct replay_live *live;
	struct order_server told;
	struct dhcpd_key *key;
	struct dhcpd *dhcpd;
};

struct replay_live {
	struct replay *replay;
	struct loop *loop;
	struct loop_timer *timer;
	struct live_server *servers;
	uint32_t under_way;
};

struct sent {
	struct replay_live *live;
	uint64_t ticket;
};

static void answered(void *ctx, const struct dhcpd_result *result)
{
	struct sent *sent = ctx;
	struct replay_live *live = sent->live;
	struct answer answer = order_answer(sent->ticket, result);

	live->under_way--;
	engine_answer(live->replay->engine, &answer, live->replay->now);
	free(sent);
	if (live->under_way == 0)
		loop_stop(live->loop);
}

int replay_live_order(struct replay_live *live, const struct order *order)
{
	struct sent *sent = malloc(sizeof(*sent));
	int err;

	if (!sent)
		return -ENOMEM;
	*sent = (struct sent){live, order->ticket};
	err = order_send(live->servers[order->server].dhcpd, order, answered, sent);
	if (err < 0)
		free(sent);
	else
		live->under_way++;
	return err;
}

static void state_changed(void *ctx, enum dhcpd_state state, const char *text)
{
	struct live_server *s = ctx;

	order_server_changed(&s->told, state, text, s->live->replay->now);
}

static int connect_server(struct replay_live *live, uint8_t i)
{
	const struct conf *conf = live->replay->conf;
	struct live_server *s = &live->servers[i];
	struct dhcpd_config config = {.name = conf->servers[i].name,
		.address = conf->servers[i].address,
		.port = conf->servers[i].port,
		.host_prefix = conf->host_prefix,
		.state_fn = state_changed,
		.state_ctx = s};
	int err = order_load_key(conf, &conf->servers[i], &s->key);

	if (err < 0)
		return err;
	s->live = live;
	s->told = (struct order_server){
		.engine = live->replay->engine, .name = conf->servers[i].name, .index = i};
	config.key = s->key;
	err = dhcpd_new(live->loop, &config, &s->dhcpd);
	if (err < 0)
		log_error("server %s: %s", config.name, err_text(err));
	else
		engine_server_room(live->replay->engine, i, dhcpd_room(s->dhcpd));
	return err;
}

static void wake(void *ctx)
{
	struct replay_live *live = ctx;

	loop_stop(live->loop);
}

int replay_live_begin(struct replay *r, struct replay_live **ret_live)
{
	struct replay_live *live = calloc(1, sizeof(*live));
	int err = 0;

	if (!live)
		return -ENOMEM;
	*ret_live = live;
	live->replay = r;
	live->loop = loop_new();
	live->servers = calloc(r->conf->server_count + 1, sizeof(*live->servers));
	live->timer = live->loop ? loop_timer_new(live->loop, wake, live) : NULL;
	if (!live->timer || !live->servers)
		return -ENOMEM;
	for (size_t i = 0; i < r->conf->server_count && err == 0; i++)
		err = connect_server(live, (uint8_t)i);
	return err;
}

void replay_live_wait(struct replay_live *live)
{
	while (live->under_way > 0 && loop_run(live->loop) == 0)
		;
}

/* Orders that wait for a server, or for its answer. */
static uint32_t open_orders(const struct replay *r)
{
	struct engine_server_stats stats;
	uint32_t n = 0;

	for (size_t i = 0; i < r->conf->server_count; i++) {
		engine_server_stats(r->engine, (uint8_t)i, &stats);
		n += stats.queued + stats.sent;
	}
	return n;
}

void replay_live_drain(struct replay_live *live)
{
	struct replay *r = live->replay;
	int64_t last = r->now, started = clock_mono(), passed = 0;

	while (open_orders(r) > 0 && passed <= r->conf->reservation_timeout) {
		int64_t wait = engine_tick(r->engine, r->now) - r->now;

		loop_timer_set(live->timer, wait < LOOK_AGAIN ? wait : LOOK_AGAIN);
		if (loop_run(live->loop) < 0)
			break;
		passed = clock_mono() - started;
		r->now = last + passed;
	}
	engine_tick(r->engine, r->now);
}

bool replay_live_failed(const struct replay_live *live)
{
	struct engine_stats stats;

	engine_stats(live->replay->engine, &stats);
	return stats.events[EVENT_DHCP_RESERVATION_FAILED] > 0 ||
	       stats.events[EVENT_DHCP_RESERVATION_UPDATE_FAILED] > 0 ||
	       open_orders(live->replay) > 0;
}

void replay_live_end(struct replay_live *live)
{
	if (!live)
		return;
	for (size_t i = 0; live->servers && i < live->replay->conf->server_count; i++) {
		dhcpd_free(live->servers[i].dhcpd);
		dhcpd_key_free(live->servers[i].key);
	}
	if (live->timer)
		loop_timer_free(live->timer);
	if (live->loop)
		loop_free(live->loop);
	free(live->servers);
	free(live);
}
