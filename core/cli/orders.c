/* SPDX-License-Identifier: ISC */
#include "orders.h"
#include "tap82/err.h"
#include "tap82/log.h"
#include "tap82/secret.h"

static enum answer_kind kind_of(enum dhcpd_outcome outcome)
{
	if (dhcpd_outcome_is_good(outcome))
		return ANSWER_DONE;
	return outcome == DHCPD_LATER ? ANSWER_NOT_NOW : ANSWER_REFUSED;
}

struct answer order_answer(uint64_t ticket, const struct dhcpd_result *result)
{
	return (struct answer){.ticket = ticket,
		.kind = kind_of(result->outcome),
		.reason = dhcpd_outcome_text(result->outcome),
		.detail = result->text,
		.changed = result->outcome != DHCPD_FOREIGN};
}

enum dhcpd_mode order_mode(enum conf_reservation mode)
{
	return mode == CONF_RESERVATION_HOST  ? DHCPD_HOST
	       : mode == CONF_RESERVATION_PIN ? DHCPD_PIN
					      : DHCPD_AUTO;
}

int order_send(struct dhcpd *dhcpd, const struct order *o, dhcpd_fn fn, void *ctx)
{
	struct dhcpd_want want = {.mac = o->mac,
		.ip = o->ip,
		.old_ip = o->old_ip,
		.mode = order_mode(o->mode),
		.may_pin = o->acked_here};
	struct dhcpd_unwant unwant = {.mac = o->mac, .ip = o->ip, .in_use = o->in_use};

	switch (o->kind) {
	case ORDER_ENSURE: return dhcpd_ensure(dhcpd, &want, fn, ctx);
	case ORDER_RELEASE: return dhcpd_release(dhcpd, &unwant, fn, ctx);
	case ORDER_REPIN: return dhcpd_repin(dhcpd, &o->mac, o->ip, fn, ctx);
	}
	return ERR_RANGE;
}

/* CONNECTING is no news: what comes of it is. */
void order_server_changed(
	struct order_server *s, enum dhcpd_state state, const char *text, int64_t now)
{
	static const enum server_state states[] = {[DHCPD_READY] = SERVER_UP,
		[DHCPD_UNREACHABLE] = SERVER_UNREACHABLE,
		[DHCPD_REFUSED_US] = SERVER_REFUSED};
	bool news = state != s->told;

	if (state == DHCPD_TRIAL)
		engine_server_trial(s->engine, s->index, now);
	if (state == DHCPD_TRIAL || state == DHCPD_CONNECTING)
		return;
	s->told = state;
	if (news && state == DHCPD_READY)
		log_info("server %s: logged in", s->name);
	else if (news)
		log_error("server %s: %s: %s", s->name,
			state == DHCPD_REFUSED_US ? "login refused" : "unreachable", text);
	engine_server_state(
		s->engine, s->index, states[state], state == DHCPD_READY ? NULL : text, now);
}

int order_load_key(
	const struct conf *conf, const struct conf_server *server, struct dhcpd_key **ret_key)
{
	int err;

	*ret_key = NULL;
	if (!server->key_name)
		return 0;
	err = dhcpd_key_load(server->key_file, server->key_name, server->key_algorithm, ret_key);
	if (err < 0)
		log_error("%s: [server %s] key-file: %s: %s", conf->path, server->name,
			server->key_file,
			err == ERR_SYNTAX ? "is no base64" : secret_error_text(err));
	return err;
}
