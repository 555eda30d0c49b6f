/* SPDX-License-Identifier: ISC
 *
 * What a switch tells the RADIUS server about a camera: MAC authentication and accounting.
 */
#include <ctype.h>
#include <stdlib.h>

#include "sim.h"

enum { PORT_AUTH = 1812, PORT_ACCT = 1813 };

/* Calling-Station-Id in the spellings that switches use. */
static void station_write(const struct mac *mac, const char *style, char out[SIM_TEXT])
{
	const uint8_t *b = mac->b;

	if (strcmp(style, "cisco") == 0)
		snprintf(out, SIM_TEXT, "%02x%02x.%02x%02x.%02x%02x", b[0], b[1], b[2], b[3], b[4],
			b[5]);
	else if (strcmp(style, "bare") == 0)
		snprintf(out, SIM_TEXT, "%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
			b[5]);
	else if (strcmp(style, "colon") == 0)
		snprintf(out, SIM_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
			b[4], b[5]);
	else
		snprintf(out, SIM_TEXT, "%02X-%02X-%02X-%02X-%02X-%02X", b[0], b[1], b[2], b[3],
			b[4], b[5]);
}

static void text_fill(const struct task *t, const char *text, char out[SIM_TEXT])
{
	uint8_t bytes[SIM_TEXT - 1];
	int n = template_expand(
		text, t->action->first + t->i, &t->camera->mac, bytes, sizeof(bytes));

	if (n > 0)
		memcpy(out, bytes, (size_t)n);
	out[n > 0 ? n : 0] = '\0';
}

static uint8_t place_fill(const struct task *t, const char *text, uint8_t out[247])
{
	int n = template_expand(text, t->action->first + t->i, &t->camera->mac, out, 247);

	return n > 0 ? (uint8_t)n : 0;
}

static uint8_t acct_status(const char *code)
{
	if (strcmp(code, "start") == 0)
		return RADIUS_ACCT_START;
	if (strcmp(code, "stop") == 0)
		return RADIUS_ACCT_STOP;
	return strcmp(code, "interim") == 0 ? RADIUS_ACCT_INTERIM : 0;
}

static struct radius request_make(const struct task *t)
{
	const struct action *a = t->action;
	struct radius r = {
		.id = (uint8_t)t->xid,
		.nas_ip = a->radius.nas ? a->radius.nas : a->relay,
		.acct_status = acct_status(a->radius.code),
	};

	r.code = r.acct_status ? RADIUS_ACCOUNTING_REQUEST : RADIUS_ACCESS_REQUEST;
	station_write(&t->camera->mac, a->radius.style, r.station);
	text_fill(t, a->radius.user, r.user);
	text_fill(t, a->radius.port_id, r.port_id);
	r.circuit_len = place_fill(t, a->circuit, r.circuit);
	r.remote_len = place_fill(t, a->remote, r.remote);
	if (r.acct_status) {
		snprintf(r.session, sizeof(r.session), "%08x", a->first + t->i);
		r.framed_ip = t->camera->ip;
	} else {
		for (int i = 0; i < 16; i++)
			r.authenticator[i] = (uint8_t)(t->xid >> (i % 4 * 8)) ^ (uint8_t)(i * 37);
	}
	return r;
}

static struct envelope request_address(const struct task *t, const struct radius *r)
{
	struct envelope e = t->action->wrap;

	e.src_mac = t->sim->relay_mac;
	e.dst_mac = t->sim->server_mac;
	e.src = r->nas_ip;
	e.dst = t->action->server;
	e.sport = 49152;
	e.dport = r->acct_status ? PORT_ACCT : PORT_AUTH;
	return e;
}

struct reply {
	struct task *task;
	struct envelope e;
	struct radius r;
};

static void reply_arrive(void *ctx)
{
	struct reply *reply = ctx;
	struct sim *sim = reply->task->sim;
	uint8_t packet[1024];
	size_t n = radius_encode(&reply->r, packet, sizeof(packet));

	if (frame_send_udp(sim->wire, sim->now, &reply->e, packet, n) < 0)
		exit(1);
	sim_done(sim);
	free(reply);
}

/* The answer has no attributes: whose it is follows from the request (RFC 2865 section 3). */
static void reply_plan(struct task *t, const uint8_t authenticator[16], const struct envelope *e,
	const struct radius *request)
{
	struct reply *reply = calloc(1, sizeof(*reply));
	const char *code = t->action->radius.code;

	if (!reply)
		abort();
	reply->task = t;
	reply->e = *e;
	reply->e.src_mac = e->dst_mac;
	reply->e.dst_mac = e->src_mac;
	reply->e.src = e->dst;
	reply->e.dst = e->src;
	reply->e.sport = e->dport;
	reply->e.dport = e->sport;
	reply->r.id = request->id;
	reply->r.code = request->acct_status	      ? RADIUS_ACCOUNTING_RESPONSE
			: strcmp(code, "reject") == 0 ? RADIUS_ACCESS_REJECT
						      : RADIUS_ACCESS_ACCEPT;
	memcpy(reply->r.authenticator, authenticator, 16);
	sim_plan(t->sim, t->action->delay, reply_arrive, reply);
}

void access_speak(struct task *t)
{
	struct radius r = request_make(t);
	struct envelope e = request_address(t, &r);
	uint8_t packet[1024];
	size_t n = radius_encode(&r, packet, sizeof(packet));

	if (frame_send_udp(t->sim->wire, t->sim->now, &e, packet, n) < 0)
		exit(1);
	if (!t->action->silent)
		reply_plan(t, packet + 4, &e, &r);
	camera_finish(t, RESULT_SENT);
}
