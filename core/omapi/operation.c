/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "tap82/err.h"
#include "tap82/omapi_conn.h"
#include "operation.h"

/* --- Life ------------------------------------------------------------------------------------ */

struct operation *operation_new(struct dhcpd *d, dhcpd_fn fn, void *ctx)
{
	struct operation *op;

	if (dhcpd_room(d) == 0)
		return NULL;
	op = calloc(1, sizeof(*op));
	if (!op)
		return NULL;
	op->dhcpd = d;
	op->fn = fn;
	op->ctx = ctx;
	DL_APPEND(d->operations, op);
	d->active++;
	return op;
}

static void operation_tell(struct operation *op)
{
	struct dhcpd_result *r = &op->result;

	DL_DELETE(op->dhcpd->operations, op);
	op->dhcpd->active--;
	r->mac = op->want.mac;
	r->ip = op->want.ip;
	r->text = op->text;
	op->fn(op->ctx, r);
	free(op);
}

void operation_end(struct operation *op, enum dhcpd_outcome outcome)
{
	op->result.outcome = outcome;
	operation_tell(op);
}

void operation_end_within(struct operation *op, enum dhcpd_outcome outcome)
{
	op->result.outcome = outcome;
	op->ended = true;
	loop_timer_set(op->dhcpd->timer, 0);
}

/* A callback may give new operations, which may end within that call too: they go to the end of
 * the list and have their own turn. */
void operations_due(void *dhcpd)
{
	struct dhcpd *d = dhcpd;
	struct operation *op, *next;
	uint32_t count = d->active;

	DL_FOREACH_SAFE(d->operations, op, next)
	{
		if (count-- == 0)
			break;
		if (op->ended)
			operation_tell(op);
	}
}

void operations_free(struct dhcpd *d)
{
	struct operation *op, *next;

	DL_FOREACH_SAFE(d->operations, op, next)
	free(op);
	d->operations = NULL;
}

void operation_say(struct operation *op, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(op->text, sizeof(op->text), fmt, args);
	va_end(args);
}

void operation_refused(
	struct operation *op, const char *what, const struct omapi_message *reply, uint32_t result)
{
	const struct omapi_pair *why = omapi_find(&reply->message, "message");
	char word[OMAPI_RESULT_TEXT];
	bool disk = result == OMAPI_IOERROR || result == OMAPI_NOSPACE;

	op->result.code = result;
	if (disk)
		doubt_add(op->dhcpd, &op->want.mac);
	if (disk)
		operation_say(op, "%s: dhcpd could not write its leases file", what);
	else
		operation_say(op, "%s: %s%s%.*s", what, omapi_result_text(result, word),
			why ? ": " : "", why ? (int)(why->value_len < 80 ? why->value_len : 80) : 0,
			why ? (const char *)why->value : "");
	operation_end(op, disk ? DHCPD_LATER : DHCPD_REFUSED);
}

/* --- Asking ---------------------------------------------------------------------------------- */

static void answered(void *ctx, int err, const struct omapi_message *reply)
{
	struct operation *op = ctx;
	uint32_t result;

	if (err < 0 || omapi_status(reply, &result) < 0) {
		if (op->writes)
			doubt_add(op->dhcpd, &op->want.mac);
		operation_say(op, "%s",
			err < 0 ? omapi_conn_text(op->dhcpd->conn) : "a status without a result");
		operation_end(op, DHCPD_LATER);
		return;
	}
	op->step(op, reply, result);
}

void ask(struct operation *op, struct omapi_out *out, size_t reply_max, unsigned writes,
	step_fn step)
{
	int err;

	op->step = step;
	op->writes = writes > 0;
	err = omapi_conn_send(op->dhcpd->conn, out, reply_max, writes, answered, op);
	if (err == 0)
		return;
	operation_say(
		op, "%s", err == ERR_CLOSED ? omapi_conn_text(op->dhcpd->conn) : err_text(err));
	operation_end_within(op, DHCPD_LATER);
}
