/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "conn.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#define OLD_DHCPD " (dhcpd before 4.4.3 takes hmac-md5 only)"

static void login_send(struct omapi_conn *c, struct omapi_out *out, omapi_reply_fn fn)
{
	struct request *r;

	if (request_new(out, fn, c, &r) < 0) {
		conn_lose(c, OMAPI_UNREACHABLE, ERR_CLOSED, "out of memory");
		return;
	}
	conn_put(c, r, clock_mono());
	conn_push(c);
}

void conn_refuse(struct omapi_conn *c, uint32_t result)
{
	const struct dhcpd_key *key = c->config.key;
	const char *name = key ? dhcpd_key_name(key) : "";
	char text[CONN_TEXT_BYTES], word[OMAPI_RESULT_TEXT];

	if (!key)
		snprintf(text, sizeof(text), "it wants a key, and none is configured");
	else if (c->phase == PHASE_LOGIN)
		snprintf(text, sizeof(text), "it has no key \"%s\" with %s", name,
			dhcpd_key_algorithm(key));
	else if (result == OMAPI_INVALIDKEY)
		snprintf(text, sizeof(text), "the secret of key \"%s\" is not its own%s", name,
			strcmp(dhcpd_key_algorithm(key), "hmac-md5") == 0 ? "" : OLD_DHCPD);
	else
		snprintf(text, sizeof(text),
			"it lets key \"%s\" log in but does not answer it: %s%s", name,
			omapi_result_text(result, word), OLD_DHCPD);
	conn_lose(c, OMAPI_REFUSED, ERR_REFUSED, text);
}

/* dhcpd up to 4.4.2 lets any key log in, and closes at the first message that is signed otherwise
 * than with hmac-md5. Once that may be chance: it may have been killed in that moment. */
bool conn_login_dropped(struct omapi_conn *c)
{
	bool again = c->dropped;
	char text[CONN_TEXT_BYTES];

	if (!c->config.key || strcmp(dhcpd_key_algorithm(c->config.key), "hmac-md5") == 0)
		return false;
	snprintf(text, sizeof(text),
		"it lets key \"%s\" log in and closes when it sees its signature" OLD_DHCPD,
		dhcpd_key_name(c->config.key));
	c->dropped = true;
	conn_lose(c, again ? OMAPI_REFUSED : c->state, again ? ERR_REFUSED : ERR_CLOSED, text);
	return true;
}

bool conn_is_login_error(uint32_t result)
{
	return result == OMAPI_NOKEYS || result == OMAPI_KEY_UNKNOWN || result == OMAPI_INVALIDKEY;
}

/* --- Trial ----------------------------------------------------------------------------------- */

/* Its owner's questions are the best proof: a lookup of ours says little of a server that hangs
 * when it is to write. So we wait for them, and longer in that case. */
static void trial_begin(struct omapi_conn *c)
{
	char text[CONN_TEXT_BYTES];

	loop_timer_set(
		c->trial, c->doubted_write ? 6 * c->config.retry_max : c->config.retry_max / 4);
	memcpy(text, c->text, sizeof(text));
	conn_tell(c, OMAPI_TRIAL, text);
}

void conn_trial_passed(struct omapi_conn *c)
{
	c->doubted = c->doubted_write = false;
	loop_timer_clear(c->trial);
	conn_tell(c, OMAPI_READY, "");
}

static void trial_answered(void *ctx, int err, const struct omapi_message *reply)
{
	(void)ctx; /* any answer will do, and conn_receive.c has seen it */
	(void)err;
	(void)reply;
}

/* A host that nobody has: 00:00:00:00:00:00. */
void conn_trial_due(void *ctx)
{
	static const uint8_t no_mac[6] = {0};
	struct omapi_conn *c = ctx;
	uint8_t memory[128];
	struct omapi_out out;

	if (c->flight.head || c->queue.head)
		return;
	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "host");
	omapi_out_object(&out);
	omapi_out_put(&out, "hardware-address", no_mac, sizeof(no_mac));
	omapi_out_put_u32(&out, "hardware-type", 1);
	login_send(c, &out, trial_answered);
}

/* --- Login ----------------------------------------------------------------------------------- */

/* The secret is tried by the first signed question only: one that changes nothing. */
static void probe_answered(void *ctx, int err, const struct omapi_message *reply)
{
	struct omapi_conn *c = ctx;
	uint32_t result;

	if (err < 0)
		return;
	if (omapi_status(reply, &result) < 0 || result != OMAPI_SUCCESS) {
		conn_refuse(c, result);
		return;
	}
	c->dropped = false;
	c->phase = PHASE_READY;
	c->ready_at = clock_mono();
	if (c->doubted)
		trial_begin(c);
	else
		conn_tell(c, OMAPI_READY, "");
}

static void probe(struct omapi_conn *c)
{
	uint8_t memory[64];
	struct omapi_out out;

	c->phase = PHASE_PROBE;
	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "control");
	omapi_out_object(&out);
	login_send(c, &out, probe_answered);
}

static void login_answered(void *ctx, int err, const struct omapi_message *reply)
{
	struct omapi_conn *c = ctx;
	uint32_t result;

	if (err < 0)
		return;
	if (omapi_status(reply, &result) < 0 || result != OMAPI_SUCCESS || reply->handle == 0) {
		conn_refuse(c, result);
		return;
	}
	c->authid = reply->handle;
	probe(c);
}

void conn_login(struct omapi_conn *c)
{
	uint8_t memory[512];
	struct omapi_out out;

	if (!c->config.key) {
		probe(c);
		return;
	}
	c->phase = PHASE_LOGIN;
	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "authenticator");
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", dhcpd_key_name(c->config.key));
	omapi_out_put_text(&out, "algorithm", dhcpd_key_wire_algorithm(c->config.key));
	login_send(c, &out, login_answered);
}
