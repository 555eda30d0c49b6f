/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "conn.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#define TRIAL_ANSWERS  64 /* a trial has as many at least */
#define TRIAL_STEPS    80 /* of a first trial: how often we look, and ask where nobody does */
#define TRIAL_GROWTH   64 /* the longest trial: so many times the first */
#define WRITE_PATIENCE 6 /* how long, in retry_max, a trial waits for a write to be answered */

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

/* A trial is passed by TRIAL_ANSWERS answers over a while: its owner's questions are the best
 * proof, where there are none we ask. Whoever is ill again as soon as it was believed has a trial
 * twice as long the next time: a peer that comes and goes is told a few times, not for ever. */

static int64_t trial_step(const struct omapi_conn *c)
{
	return c->config.retry_max / TRIAL_STEPS;
}

void conn_trial_plan(struct omapi_conn *c)
{
	int64_t least = c->config.retry_max, most = TRIAL_GROWTH * least, time = c->trial_of.time;
	bool again = c->up_at > 0 && clock_mono() - c->up_at < time;

	c->trial_of.time = !again ? least : 2 * time < most ? 2 * time : most;
}

static void trial_begin(struct omapi_conn *c)
{
	char text[CONN_TEXT_BYTES];

	c->trial_of.began = clock_mono();
	c->trial_of.answers = c->trial_of.writes = c->trial_of.answers_before = 0;
	if (c->trial_of.time == 0)
		c->trial_of.time = c->config.retry_max;
	loop_timer_set(c->trial, trial_step(c));
	memcpy(text, c->text, sizeof(text));
	conn_tell(c, OMAPI_TRIAL, text);
}

/* A lookup says little of a server that hangs when it is to write: for a write we wait longer. */
static bool trial_is_passed(const struct omapi_conn *c)
{
	int64_t took = clock_mono() - c->trial_of.began;
	bool write = !c->doubted_write || c->trial_of.writes > 0 ||
		     took >= WRITE_PATIENCE * c->config.retry_max;

	return write && took >= c->trial_of.time && c->trial_of.answers >= TRIAL_ANSWERS &&
	       c->trial_of.answers > c->trial_of.answers_before;
}

static void ready(struct omapi_conn *c)
{
	c->ready_at = clock_mono();
	if (c->down)
		c->up_at = c->ready_at;
	c->doubted = c->doubted_write = c->down = false;
	conn_tell(c, OMAPI_READY, "");
}

static void trial_answered(void *ctx, int err, const struct omapi_message *reply)
{
	(void)ctx; /* any answer will do, and conn_receive.c has counted it */
	(void)err;
	(void)reply;
}

/* A host that nobody has: 00:00:00:00:00:00. */
static void trial_ask(struct omapi_conn *c)
{
	static const uint8_t no_mac[6] = {0};
	uint8_t memory[128];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "host");
	omapi_out_object(&out);
	omapi_out_put(&out, "hardware-address", no_mac, sizeof(no_mac));
	omapi_out_put_u32(&out, "hardware-type", 1);
	login_send(c, &out, trial_answered);
}

void conn_trial_due(void *ctx)
{
	struct omapi_conn *c = ctx;

	if (trial_is_passed(c)) {
		ready(c);
		return;
	}
	c->trial_of.answers_before = c->trial_of.answers;
	loop_timer_set(c->trial, trial_step(c));
	if (!c->flight.head && !c->queue.head)
		trial_ask(c);
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
	if (c->doubted)
		trial_begin(c);
	else
		ready(c);
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
