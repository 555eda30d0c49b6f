/* SPDX-License-Identifier: ISC
 *
 * The engine's orders in dhcpd's words, for `run` and `replay --live`.
 */
#ifndef TAP82_CLI_ORDERS_H
#define TAP82_CLI_ORDERS_H

#include "tap82/conf.h"
#include "tap82/dhcpd.h"
#include "tap82/engine.h"

enum dhcpd_mode order_mode(enum conf_reservation mode);
/* Passes it on: 0, and `fn` will be called; or negative, and it will not. */
int order_send(struct dhcpd *dhcpd, const struct order *order, dhcpd_fn fn, void *ctx);
/* What came of it, for the engine; texts are the result's. */
struct answer order_answer(uint64_t ticket, const struct dhcpd_result *result);
/* A server's connection as engine and log were told of it. */
struct order_server {
	struct engine *engine;
	const char *name; /* of the [server], the configuration's */
	uint8_t index;
	enum dhcpd_state told; /* CONNECTING: nothing yet */
};
/* Tells them of a change, however often it is tried only once. */
void order_server_changed(
	struct order_server *server, enum dhcpd_state state, const char *text, int64_t now);
/* The key of a [server]: 0 (*ret_key NULL if it has none), or negative, logged. */
int order_load_key(
	const struct conf *conf, const struct conf_server *server, struct dhcpd_key **ret_key);

#endif
