/* SPDX-License-Identifier: ISC
 *
 * The model of a dhcpd: gives the address that the action names, and answers on the way that
 * RFC 2131 4.1 says, so that a capture's right reading is known by construction.
 */
#include <stdlib.h>

#include "sim.h"

/* An answer on its way. */
struct answer {
	struct task *task;
	struct message m;
	struct envelope e;
};

static void answer_arrive(void *ctx)
{
	struct answer *a = ctx;
	struct sim *sim = a->task->sim;

	if (frame_send_dhcp(sim->wire, sim->now, &a->e, &a->m) < 0)
		exit(1);
	camera_receive(sim, &a->m);
	sim_done(sim);
	free(a);
}

static uint32_t server_choose(const struct task *t, const struct message *request)
{
	const struct action *a = t->action;

	if (a->give)
		return a->give + t->i;
	if (request->ciaddr)
		return request->ciaddr;
	if (request->requested_ip)
		return request->requested_ip;
	return t->camera->ip ? t->camera->ip : t->sim->pool++;
}

/* RFC 2131 4.1: to the relay, to the client's address, or to everybody. */
static struct envelope server_address(const struct task *t, const struct message *request)
{
	const struct action *a = t->action;
	struct envelope e = a->wrap;

	e.src_mac = t->sim->server_mac;
	e.dst_mac = a->relay ? t->sim->relay_mac : request->mac;
	e.src = a->server_src ? a->server_src : a->server;
	e.sport = 67;
	e.dport = request->giaddr ? 67 : 68;
	e.dst = request->giaddr ? request->giaddr : request->ciaddr ? request->ciaddr : 0xffffffff;
	if (e.dst == 0xffffffff)
		memset(e.dst_mac.b, 0xff, 6);
	return e;
}

static void server_fill(const struct task *t, const struct message *request, struct message *m)
{
	if (m->type == DHCP_NAK)
		return;
	m->ciaddr = request->ciaddr;
	if (request->type == DHCP_INFORM)
		return;
	m->yiaddr = server_choose(t, request);
	m->lease_time = t->action->lease;
}

static void server_send(struct task *t, const struct message *request, uint8_t type, int64_t delay)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->task = t;
	a->m = *request;
	a->m.is_reply = true;
	a->m.type = type;
	a->m.hops = 0;
	a->m.ciaddr = a->m.yiaddr = a->m.requested_ip = 0;
	a->m.hostname[0] = a->m.vendor_class[0] = '\0';
	a->m.server_id = t->action->server_id ? t->action->server : 0;
	if (!t->action->echo)
		a->m.option82_len = 0;
	server_fill(t, request, &a->m);
	a->e = server_address(t, request);
	sim_plan(t->sim, delay, answer_arrive, a);
}

void server_answer(struct task *t, const struct message *request)
{
	const struct action *a = t->action;

	if (a->silent || request->type == DHCP_RELEASE || request->type == DHCP_DECLINE)
		return;
	if (request->type == DHCP_DISCOVER) {
		server_send(t, request, DHCP_OFFER, a->delay);
		return;
	}
	server_send(t, request, a->nak ? DHCP_NAK : DHCP_ACK, a->delay);
	for (uint32_t i = 1; i <= a->copies; i++)
		server_send(t, request, a->nak ? DHCP_NAK : DHCP_ACK, a->delay + i * 2000);
}
