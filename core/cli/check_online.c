/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "check_online.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#define LOGIN_TIME (5 * USEC_PER_SEC)

/* Nothing more is to be learnt when every capture has seen option 82. */
static bool all_seen(const struct online *o)
{
	for (size_t i = 0; i < o->check->conf->capture_count; i++)
		if (o->captures[i].capture && o->captures[i].traffic.option82 == 0)
			return false;
	return true;
}

static bool all_answered(const struct online *o)
{
	for (size_t i = 0; i < o->check->conf->server_count; i++)
		if (!doctor_server_is_done(&o->servers[i]))
			return false;
	return true;
}

void online_stop_if_done(struct online *o)
{
	if (all_answered(o) && (o->listened || all_seen(o)))
		loop_stop(o->loop);
}

static void login_over(void *ctx)
{
	struct online *o = ctx;

	for (size_t i = 0; i < o->check->conf->server_count; i++)
		doctor_server_late(&o->servers[i]);
	online_stop_if_done(o);
}

static void listen_over(void *ctx)
{
	struct online *o = ctx;

	o->listened = true;
	online_stop_if_done(o);
}

static void ignore(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* The rows were checked before: here they are only wanted. */
static void load_inventory(struct online *o)
{
	const struct conf *conf = o->check->conf;
	int r = 1;

	if (!conf->devices || inventory_open(conf->devices, conf, ignore, NULL, &o->inventory) < 0)
		return;
	while (r == 1)
		r = inventory_step(o->inventory, 10000);
}

static void start(struct online *o)
{
	const struct conf *conf = o->check->conf;

	for (size_t i = 0; i < conf->capture_count; i++) {
		o->captures[i] = (struct doctor_capture){.online = o, .conf = &conf->captures[i]};
		doctor_capture_open(&o->captures[i]);
	}
	for (size_t i = 0; i < conf->server_count; i++) {
		o->servers[i] = (struct doctor_server){.online = o, .conf = &conf->servers[i]};
		doctor_server_open(&o->servers[i], (int)i);
	}
}

static void finish(struct online *o)
{
	const struct conf *conf = o->check->conf;

	for (size_t i = 0; i < conf->server_count; i++)
		doctor_server_tell(&o->servers[i], (int)i);
	for (size_t i = 0; i < conf->capture_count; i++)
		doctor_capture_tell(&o->captures[i]);
	doctor_webhooks(o->check);
	doctor_host(o->check);
}

static int prepare(struct online *o)
{
	const struct conf *conf = o->check->conf;

	o->loop = loop_new();
	o->captures = calloc(conf->capture_count + 1, sizeof(*o->captures));
	o->servers = calloc(conf->server_count + 1, sizeof(*o->servers));
	if (!o->loop || !o->captures || !o->servers)
		return -ENOMEM;
	o->login = loop_timer_new(o->loop, login_over, o);
	o->listen = loop_timer_new(o->loop, listen_over, o);
	return o->login && o->listen ? 0 : -ENOMEM;
}

static void discard(struct online *o)
{
	for (size_t i = 0; o->servers && i < o->check->conf->server_count; i++)
		doctor_server_close(&o->servers[i]);
	for (size_t i = 0; o->captures && i < o->check->conf->capture_count; i++)
		doctor_capture_close(&o->captures[i]);
	inventory_free(o->inventory);
	loop_timer_free(o->login);
	loop_timer_free(o->listen);
	free(o->servers);
	free(o->captures);
	if (o->loop)
		loop_free(o->loop);
}

void check_online(struct check *check, int64_t listen)
{
	struct online o = {.check = check};

	if (prepare(&o) < 0) {
		check_tell(check, CHECK_WRONG, "check", "online", err_text(-ENOMEM), NULL);
		discard(&o);
		return;
	}
	load_inventory(&o);
	start(&o);
	loop_timer_set(o.login, LOGIN_TIME);
	loop_timer_set(o.listen, listen);
	if (!(all_answered(&o) && all_seen(&o)))
		loop_run(o.loop);
	finish(&o);
	discard(&o);
}
