/* SPDX-License-Identifier: ISC
 *
 * The ladder: each camera's transactions, step by step, with the delays between the steps, and how
 * each ended: what one looks for when a camera does not come up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "decode.h"
#include "tap82/clock.h"

#define SELECTING_TIME (60 * USEC_PER_SEC) /* a client chooses among offers for seconds */
/* RFC 2131 4.1: it waits up to 64 s between retransmissions. The same xid later is used again. */
#define SILENCE	   (150 * USEC_PER_SEC)
#define STEPS_MAX  256 /* of a transaction; more begin another: bounds what looking back costs */
#define RECENT_MAX 64 /* transactions of a camera that are looked through for an xid */

struct step {
	struct step *next;
	int64_t time;
	uint32_t src, dst, relay, server, ip;
	uint8_t type;
	uint8_t state; /* enum client_state, of a REQUEST */
	bool repeated; /* the same was on the same leg before: sent again */
};

struct transaction {
	struct transaction *next, *before; /* of the same camera */
	struct step *first, *last;
	unsigned steps;
	uint32_t xid, request_xid; /* some clients take another xid for the REQUEST */
};

struct camera {
	struct mac mac;
	struct transaction *first, *last;
	UT_hash_handle hh;
};

struct ladder {
	struct camera *cameras; /* in the order of appearance */
};

/* How a transaction stands at its end. */
struct outcome {
	const char *word, *text;
	uint32_t ip, server;
	unsigned tries, servers;
	uint64_t seen; /* a bit for each type */
	int64_t duration; /* from the first step to the last answer */
};

struct ladder *ladder_new(void)
{
	return calloc(1, sizeof(struct ladder));
}

static void free_transaction(struct transaction *t)
{
	while (t->first) {
		struct step *next = t->first->next;

		free(t->first);
		t->first = next;
	}
	free(t);
}

void ladder_free(struct ladder *ladder)
{
	struct camera *camera, *other;

	if (!ladder)
		return;
	HASH_ITER (hh, ladder->cameras, camera, other) {
		HASH_DEL(ladder->cameras, camera);
		while (camera->first) {
			struct transaction *next = camera->first->next;

			free_transaction(camera->first);
			camera->first = next;
		}
		free(camera);
	}
	free(ladder);
}

static struct camera *camera_of(struct ladder *ladder, const struct mac *mac)
{
	struct camera *camera;

	HASH_FIND(hh, ladder->cameras, mac, sizeof(*mac), camera);
	if (camera)
		return camera;
	camera = calloc(1, sizeof(*camera));
	if (!camera)
		return NULL;
	camera->mac = *mac;
	HASH_ADD(hh, ladder->cameras, mac, sizeof(camera->mac), camera);
	return camera;
}

static bool is_open(const struct transaction *t, int64_t now)
{
	return t->steps < STEPS_MAX && now - t->last->time <= SILENCE;
}

static struct transaction *find_transaction(
	const struct camera *camera, uint32_t xid, const struct step *step)
{
	struct transaction *t = camera->last;

	for (int i = 0; t && i < RECENT_MAX; i++, t = t->before)
		if (t->xid == xid || t->request_xid == xid)
			return is_open(t, step->time) ? t : NULL;
	return NULL;
}

/* A REQUEST with option 54 takes up an OFFER, whatever its xid (RFC 2131 4.4.1 allows another). */
static bool takes_up(const struct transaction *t, const struct step *step)
{
	return t && step->type == DHCP_REQUEST && step->server && t->last->type == DHCP_OFFER &&
	       t->steps < STEPS_MAX && step->time - t->last->time <= SELECTING_TIME;
}

static struct transaction *transaction_of(
	struct camera *camera, uint32_t xid, const struct step *step)
{
	struct transaction *t = find_transaction(camera, xid, step);

	if (!t && takes_up(camera->last, step)) {
		t = camera->last;
		t->request_xid = xid;
	}
	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->xid = t->request_xid = xid;
	t->before = camera->last;
	if (camera->last)
		camera->last->next = t;
	else
		camera->first = t;
	camera->last = t;
	return t;
}

static bool same_leg(const struct step *a, const struct step *b)
{
	return a->type == b->type && a->src == b->src && a->dst == b->dst && a->relay == b->relay &&
	       a->server == b->server;
}

static void append(struct transaction *t, struct step *step)
{
	for (const struct step *s = t->first; s && !step->repeated; s = s->next)
		step->repeated = same_leg(s, step);
	if (t->last)
		t->last->next = step;
	else
		t->first = step;
	t->last = step;
	t->steps++;
}

static enum client_state state_of(const struct message *m)
{
	struct observation o = {.kind = OBSERVATION_DHCP, .dst = m->datagram->dst};

	if (m->dhcp.type != DHCP_REQUEST)
		return CLIENT_UNKNOWN;
	o.dhcp.type = m->dhcp.type;
	o.dhcp.ciaddr = m->dhcp.ciaddr;
	o.dhcp.giaddr = m->dhcp.giaddr;
	o.dhcp.server_id = m->dhcp.server_id;
	o.dhcp.requested_ip = m->dhcp.requested_ip;
	if (m->dhcp.has_option82)
		option82_observe(&m->dhcp.option82, &o.dhcp.option82);
	return client_state_of(&o);
}

static struct step step_of(const struct message *m)
{
	const struct dhcp *d = &m->dhcp;

	return (struct step){.time = m->datagram->time,
		.src = m->datagram->src,
		.dst = m->datagram->dst,
		.relay = d->giaddr,
		.server = d->server_id,
		.ip = d->yiaddr		? d->yiaddr
		      : d->requested_ip ? d->requested_ip
					: d->ciaddr,
		.type = d->type,
		.state = (uint8_t)state_of(m)};
}

int ladder_add(struct ladder *ladder, const struct message *m)
{
	struct camera *camera;
	struct transaction *t;
	struct step *step;

	if (m->kind != MESSAGE_DHCP || !m->dhcp.has_mac || m->dhcp.type == 0)
		return 0;
	step = malloc(sizeof(*step));
	if (!step)
		return -ENOMEM;
	*step = step_of(m);
	camera = camera_of(ladder, &m->dhcp.mac);
	t = camera ? transaction_of(camera, m->dhcp.xid, step) : NULL;
	if (!t) {
		free(step);
		return -ENOMEM;
	}
	append(t, step);
	return 0;
}

static bool is_answer(uint8_t type)
{
	return type == DHCP_OFFER || type == DHCP_ACK || type == DHCP_NAK;
}

/* How many servers answered: option 54 of each answer, counted once. */
static unsigned count_servers(const struct transaction *t)
{
	unsigned n = 0;

	for (const struct step *s = t->first; s; s = s->next) {
		const struct step *before = t->first;

		if (!is_answer(s->type))
			continue;
		while (before != s && !(is_answer(before->type) && before->server == s->server))
			before = before->next;
		n += before == s;
	}
	return n;
}

/* How it ended, by what was seen: the first row whose type was. */
static const struct {
	uint8_t type;
	const char *word, *text;
} endings[] = {
	{DHCP_DECLINE, "declined", "the client declined the address: somebody else uses it"},
	{DHCP_ACK, "ack", "ok"},
	{DHCP_NAK, "nak", "refused"},
	{DHCP_REQUEST, "no-answer", "the request was not answered"},
	{DHCP_OFFER, "no-request", "offered, and the client did not ask for it"},
	{DHCP_DISCOVER, "no-offer", "no server answered"},
	{DHCP_RELEASE, "released", "the client gave its address back"},
	{DHCP_INFORM, "no-answer", "the question was not answered"},
	{0, "other", "no lease was asked for"},
};

static struct outcome outcome_of(const struct transaction *t)
{
	struct outcome o = {.servers = count_servers(t)};
	unsigned i = 0;

	for (const struct step *s = t->first; s; s = s->next) {
		o.seen |= UINT64_C(1) << s->type;
		o.tries += !is_answer(s->type) && s->repeated;
		if (!is_answer(s->type))
			continue;
		o.duration = s->time - t->first->time;
		o.ip = s->type == DHCP_NAK ? 0 : s->ip;
		o.server = s->server;
	}
	while (endings[i].type && !(o.seen >> endings[i].type & 1))
		i++;
	o.word = endings[i].word;
	o.text = endings[i].text;
	return o;
}

static void write_ip(struct writer *w, const char *key, uint32_t ip)
{
	if (ip)
		writer_ipv4(w, key, ip);
}

static const char *type_text(const struct step *s)
{
	struct dhcp named = {.type = s->type};

	return dhcp_type_text(&named);
}

static const char *state_text(const struct step *s)
{
	return client_state_text((enum client_state)s->state);
}

static void write_step(struct writer *w, const struct step *s, int64_t before)
{
	writer_object_begin(w, NULL);
	writer_time(w, "time", s->time);
	writer_double(w, "delay_ms", (double)(s->time - before) / 1000);
	writer_str(w, "type", type_text(s));
	if (s->state)
		writer_str(w, "client_state", state_text(s));
	write_ip(w, "src", s->src);
	write_ip(w, "dst", s->dst);
	write_ip(w, "giaddr", s->relay);
	write_ip(w, "server_id", s->server);
	write_ip(w, "ip", s->ip);
	if (s->repeated)
		writer_bool(w, "repeated", true);
	writer_object_end(w);
}

static void write_json(struct writer *w, const struct camera *c, const struct transaction *t)
{
	struct outcome o = outcome_of(t);
	int64_t before = t->first->time;

	writer_begin(w);
	writer_time(w, "time", t->first->time);
	writer_mac(w, "mac", &c->mac);
	writer_hex32(w, "xid", t->xid);
	writer_str(w, "outcome", o.word);
	write_ip(w, "ip", o.ip);
	write_ip(w, "server_id", o.server);
	writer_u64(w, "servers", o.servers);
	writer_u64(w, "retransmissions", o.tries);
	writer_double(w, "duration_ms", (double)o.duration / 1000);
	writer_list_begin(w, "steps");
	for (const struct step *s = t->first; s; s = s->next) {
		write_step(w, s, before);
		before = s->time;
	}
	writer_list_end(w);
	writer_end(w);
}

static void put(struct writer *w, const char *text)
{
	writer_raw(w, NULL, text, strlen(text));
}

static void line_step(struct writer *w, const struct step *s, int64_t before)
{
	char time[TIME_TEXT], ip[IPV4_TEXT], server[IPV4_TEXT], relay[IPV4_TEXT], text[192];
	bool answer = is_answer(s->type);

	time_format(s->time, time);
	snprintf(text, sizeof(text), "  %.15s  %+10.1f ms  %s %-9s%s%s%s%s%s%s%s%s%s%s", time + 11,
		(double)(s->time - before) / 1000, answer ? "<-" : "->", type_text(s),
		s->ip ? " " : "", s->ip ? ipv4_format(s->ip, ip) : "",
		s->server ? (answer ? " from " : " to ") : "",
		s->server ? ipv4_format(s->server, server) : "", s->relay ? " via " : "",
		s->relay ? ipv4_format(s->relay, relay) : "", s->state ? "  (" : "",
		s->state ? state_text(s) : "", s->state ? ")" : "", s->repeated ? "  (again)" : "");
	writer_begin(w);
	put(w, text);
	writer_end(w);
}

static void line_outcome(struct writer *w, const struct outcome *o)
{
	char ip[IPV4_TEXT], server[IPV4_TEXT], text[200];
	int n;

	n = snprintf(text, sizeof(text), "  = %s", o->text);
	if (o->ip)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ": %s", ipv4_format(o->ip, ip));
	if (o->server)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " by %s",
			ipv4_format(o->server, server));
	if (o->duration)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " in %.1f ms",
			(double)o->duration / 1000);
	if (o->tries)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ", %u retransmission%s", o->tries,
			o->tries == 1 ? "" : "s");
	if (o->servers > 1)
		snprintf(text + n, sizeof(text) - (size_t)n, ", %u servers answered", o->servers);
	writer_begin(w);
	put(w, text);
	writer_end(w);
}

static void write_lines(struct writer *w, const struct camera *c, const struct transaction *t)
{
	struct outcome o = outcome_of(t);
	int64_t before = t->first->time;
	char mac[MAC_TEXT], time[TIME_TEXT], text[80];

	time_format(t->first->time, time);
	snprintf(text, sizeof(text), "%s  xid %08x  %.10s", mac_format(&c->mac, mac), t->xid, time);
	writer_begin(w);
	put(w, text);
	writer_end(w);
	for (const struct step *s = t->first; s; s = s->next) {
		line_step(w, s, before);
		before = s->time;
	}
	line_outcome(w, &o);
}

void ladder_write(struct ladder *ladder, struct writer *w, bool json)
{
	struct camera *camera, *next;

	HASH_ITER (hh, ladder->cameras, camera, next)
		for (const struct transaction *t = camera->first; t; t = t->next) {
			if (json)
				write_json(w, camera, t);
			else
				write_lines(w, camera, t);
		}
}
