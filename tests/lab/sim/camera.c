/* SPDX-License-Identifier: ISC
 *
 * Cameras: RFC 2131's client, driven by actions, behind a relay that adds option 82.
 */
#include <stdlib.h>

#include "sim.h"
#include "tap82/clock.h"

static struct camera *camera_get(struct sim *sim, const struct mac *mac)
{
	struct camera *c;

	HASH_FIND(hh, sim->cameras, mac, sizeof(*mac), c);
	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->mac = *mac;
	HASH_ADD(hh, sim->cameras, mac, sizeof(c->mac), c);
	return c;
}

static struct mac mac_add(struct mac mac, uint32_t n)
{
	uint64_t v = 0;

	for (int i = 0; i < 6; i++)
		v = v << 8 | mac.b[i];
	v += n;
	for (int i = 5; i >= 0; i--, v >>= 8)
		mac.b[i] = (uint8_t)v;
	return mac;
}

/* What is sent to the server directly, past the relay (RFC 2131 4.4.5, 4.4.6). */
static bool verb_is_unicast(enum verb verb)
{
	return verb == VERB_RENEW || verb == VERB_RELEASE;
}

static struct message camera_message(const struct task *t, uint8_t type)
{
	struct message m = {
		.type = type,
		.broadcast = t->action->broadcast,
		.mac = t->camera->mac,
		.xid = t->xid,
		.shape = t->action->shape,
	};

	snprintf(m.hostname, sizeof(m.hostname), "%s", t->action->hostname);
	snprintf(m.vendor_class, sizeof(m.vendor_class), "%s", t->action->vendor_class);
	return m;
}

/* The relay takes the broadcast and sends it on as its own (RFC 1542 4.1.1, RFC 3046 2.1). */
static struct envelope relay_forward(const struct task *t, struct message *m)
{
	struct envelope e = t->action->wrap;

	m->giaddr = t->action->relay;
	m->hops = 1;
	m->option82_len = (uint16_t)action_option82(t->action, t->i, &m->mac, m->option82);
	e.src_mac = t->sim->relay_mac;
	e.dst_mac = t->sim->server_mac;
	e.src = t->action->relay;
	e.dst = t->action->server;
	e.sport = e.dport = 67;
	return e;
}

static struct envelope camera_broadcast(const struct task *t, struct message *m)
{
	struct envelope e = t->action->wrap;

	if (t->action->l2)
		m->option82_len = (uint16_t)action_option82(t->action, t->i, &m->mac, m->option82);
	e.src_mac = m->mac;
	memset(e.dst_mac.b, 0xff, 6);
	e.src = m->ciaddr;
	e.dst = 0xffffffff;
	e.sport = 68;
	e.dport = 67;
	return e;
}

static struct envelope camera_unicast(const struct task *t, const struct message *m)
{
	struct envelope e = t->action->wrap;

	e.src_mac = t->action->relay ? t->sim->relay_mac : m->mac;
	e.dst_mac = t->sim->server_mac;
	e.src = m->ciaddr;
	e.dst = t->camera->server ? t->camera->server : t->action->server;
	e.sport = 68;
	e.dport = 67;
	return e;
}

static void camera_put(struct task *t, const struct message *m, const struct envelope *e)
{
	if (frame_send_dhcp(t->sim->wire, t->sim->now, e, m) < 0)
		exit(1);
	if (t->sim->model)
		server_answer(t, m);
}

static void camera_send(struct task *t, struct message *m)
{
	struct message copy = *m;
	bool unicast = verb_is_unicast(t->verb);
	struct envelope e = unicast	       ? camera_unicast(t, m)
			    : t->action->relay ? relay_forward(t, m)
					       : camera_broadcast(t, m);

	camera_put(t, m, &e);
	if (unicast && t->action->transit) {
		e = relay_forward(t, &copy);
		camera_put(t, &copy, &e);
	}
}

static void camera_discover(struct task *t)
{
	struct message m = camera_message(t, DHCP_DISCOVER);

	m.requested_ip = t->action->ip ? t->action->ip + t->i : 0;
	t->step = STEP_SELECTING;
	camera_send(t, &m);
}

/* RFC 2131 4.3.2: SELECTING, INIT-REBOOT, RENEWING and REBINDING differ in what is filled in. */
static void camera_request(struct task *t)
{
	struct message m = camera_message(t, DHCP_REQUEST);
	uint32_t ip = t->action->ip ? t->action->ip + t->i : t->camera->ip;

	if (t->verb == VERB_DORA) {
		m.requested_ip = t->offered;
		m.server_id = t->server;
	} else if (t->verb == VERB_REBOOT) {
		m.requested_ip = ip;
	} else {
		m.ciaddr = ip;
	}
	t->step = STEP_REQUESTING;
	camera_send(t, &m);
}

static void camera_inform(struct task *t)
{
	struct message m = camera_message(t, DHCP_INFORM);

	m.ciaddr = t->action->ip ? t->action->ip + t->i : t->camera->ip;
	t->step = STEP_REQUESTING;
	camera_send(t, &m);
}

static void camera_give_up_address(struct task *t, uint8_t type)
{
	struct message m = camera_message(t, type);
	uint32_t ip = t->action->ip ? t->action->ip + t->i : t->camera->ip;

	m.server_id = t->camera->server ? t->camera->server : t->action->server;
	if (type == DHCP_RELEASE)
		m.ciaddr = ip;
	else
		m.requested_ip = ip;
	camera_send(t, &m);
	t->camera->ip = 0;
	camera_finish(t, RESULT_SENT);
}

static void camera_timer(void *ctx);

static void camera_act(struct task *t)
{
	t->tries++;
	t->asked = t->sim->now;
	switch (t->verb) {
	case VERB_DORA:
	case VERB_DISCOVER: camera_discover(t); break;
	case VERB_RENEW:
	case VERB_REBIND:
	case VERB_REBOOT: camera_request(t); break;
	case VERB_INFORM: camera_inform(t); break;
	case VERB_RELEASE: camera_give_up_address(t, DHCP_RELEASE); break;
	case VERB_DECLINE: camera_give_up_address(t, DHCP_DECLINE); break;
	case VERB_RADIUS: access_speak(t); break;
	}
	if (!t->finished)
		agenda_add(&t->sim->agenda, t->sim->now + t->action->retry, camera_timer, t);
}

/* No answer since the last attempt: again, as RFC 2131 4.1 asks (without its growing delays). */
static void camera_timer(void *ctx)
{
	struct task *t = ctx;

	if (t->finished || t->sim->now - t->asked < t->action->retry)
		return;
	if (t->tries >= t->action->tries)
		camera_finish(t, RESULT_NONE);
	else
		camera_act(t);
}

static void camera_start(
	struct sim *sim, const struct action *a, uint32_t i, enum verb verb, int64_t stay_until)
{
	struct task *t = calloc(1, sizeof(*t));
	struct mac mac = mac_add(a->mac, i);

	if (!t)
		abort();
	*t = (struct task){.next = sim->tasks,
		.sim = sim,
		.action = a,
		.i = i,
		.verb = verb,
		.camera = camera_get(sim, &mac),
		.xid = sim_random(sim),
		.began = sim->now,
		.stay_until = stay_until};
	sim->tasks = t;
	sim->open++;
	t->camera->task = t;
	camera_act(t);
}

/* The starter of an action: starts one camera and plans itself again for the next. */
struct starter {
	struct sim *sim;
	const struct action *action;
	uint32_t i;
	int64_t began;
};

static void starter_run(void *ctx)
{
	struct starter *s = ctx;
	const struct action *a = s->action;
	int64_t stay = a->stay ? s->sim->now + a->stay : 0;

	camera_start(s->sim, a, s->i, a->verb, stay);
	if (++s->i < a->count) {
		int64_t next = a->rate > 0 ? s->began + (int64_t)(s->i * 1e6 / a->rate) : s->began;

		sim_plan(s->sim, next - s->sim->now, starter_run, s);
	}
	sim_done(s->sim);
	if (s->i == a->count)
		free(s);
}

void camera_begin(struct sim *sim, const struct action *a)
{
	struct starter *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	*s = (struct starter){.sim = sim, .action = a, .began = sim->now + a->at};
	sim_plan(sim, a->at, starter_run, s);
}

/* ---- answers ---- */

static void camera_renew(void *ctx)
{
	struct task *t = ctx;

	if (t->camera->task == t)
		camera_start(t->sim, t->action, t->i, VERB_RENEW, t->stay_until);
	sim_done(t->sim);
}

void camera_finish(struct task *t, enum result result)
{
	int64_t half = t->camera->lease * USEC_PER_SEC / 2;

	t->finished = true;
	report_result(t, result);
	if (result == RESULT_ACK && t->sim->now + half < t->stay_until)
		sim_plan(t->sim, half, camera_renew, t);
	sim_done(t->sim);
}

static void camera_take_offer(struct task *t, const struct message *m)
{
	if (t->step != STEP_SELECTING || t->finished)
		return;
	t->offered = m->yiaddr;
	t->server = m->server_id;
	t->offered_at = t->sim->now;
	if (t->verb == VERB_DISCOVER) {
		camera_finish(t, RESULT_OFFER);
		return;
	}
	camera_request(t);
}

static void camera_take_ack(struct task *t, const struct message *m)
{
	uint8_t sent[SIM_OPTION82_MAX];
	size_t n = action_option82(t->action, t->i, &m->mac, sent);

	t->sim->acks++;
	t->acks++;
	if (t->finished || t->step != STEP_REQUESTING)
		return;
	t->echoed = n && n == m->option82_len && memcmp(sent, m->option82, n) == 0;
	if (m->yiaddr) {
		t->camera->ip = m->yiaddr;
		t->camera->server = m->server_id;
		t->camera->lease = m->lease_time;
	}
	camera_finish(t, RESULT_ACK);
}

void camera_receive(struct sim *sim, const struct message *m)
{
	struct camera *c;
	struct task *t;

	HASH_FIND(hh, sim->cameras, &m->mac, sizeof(m->mac), c);
	t = c ? c->task : NULL;
	if (!t || t->xid != m->xid) {
		sim->strays++;
		return;
	}
	if (m->type == DHCP_OFFER)
		camera_take_offer(t, m);
	else if (m->type == DHCP_ACK)
		camera_take_ack(t, m);
	else if (m->type == DHCP_NAK && !t->finished)
		camera_finish(t, RESULT_NAK);
}

void camera_free_all(struct sim *sim)
{
	struct camera *c, *next;

	HASH_ITER (hh, sim->cameras, c, next) {
		HASH_DEL(sim->cameras, c);
		free(c);
	}
	while (sim->tasks) {
		struct task *t = sim->tasks;

		sim->tasks = t->next;
		free(t);
	}
}
