/* SPDX-License-Identifier: ISC
 *
 * The table of reservations that are not final, and a queue for each server. A server that does
 * not answer is asked with one order at a time, ever more seldom; the others go on.
 */
#include <stdlib.h>

#include "tap82/clock.h"
#include "tap82/reservation.h"

#define ROOM_AT_START 64
#define BACKOFF_FIRST (USEC_PER_SEC / 2)
#define BACKOFF_MOST  (30 * USEC_PER_SEC)

void reservations_init(struct reservations *s, order_fn order, part_fn changed, void *ctx)
{
	*s = (struct reservations){.order = order, .changed = changed, .ctx = ctx};
	for (unsigned i = 0; i < ENGINE_SERVERS_MAX; i++)
		s->queues[i].room = ROOM_AT_START;
	hash_init();
}

/* --- Claims ------------------------------------------------------------------------------------
 */

static struct claim *find_claim(struct reservations *s, uint8_t server, uint32_t ip)
{
	struct claim_key key = {.ip = ip, .server = server};
	struct claim *c;

	HASH_FIND(hh, s->claims, &key, sizeof(key), c);
	return c;
}

static void claim(struct reservations *s, const struct reservation_part *part, uint32_t ip)
{
	struct claim *c = ip ? find_claim(s, part->server, ip) : NULL;

	if (!ip || (c && !mac_equal(&c->mac, &part->of->mac)))
		return; /* a second one only comes out of a store that contradicts itself */
	if (!c) {
		c = malloc(sizeof(*c));
		if (!c)
			return;
		*c = (struct claim){
			.key = {.ip = ip, .server = part->server}, .mac = part->of->mac};
		HASH_ADD(hh, s->claims, key, sizeof(c->key), c);
	}
	c->count++;
}

static void unblock(struct reservations *s);

static void unclaim(struct reservations *s, const struct reservation_part *part, uint32_t ip)
{
	struct claim *c = ip ? find_claim(s, part->server, ip) : NULL;

	if (!c || !mac_equal(&c->mac, &part->of->mac) || --c->count > 0)
		return;
	HASH_DEL(s->claims, c);
	free(c);
	unblock(s);
}

static void free_claims(struct reservations *s)
{
	struct claim *c, *next;

	HASH_ITER (hh, s->claims, c, next) {
		HASH_DEL(s->claims, c);
		free(c);
	}
}

/* What a part claims: what is there, what may be there, what is on its way. */
struct claimed {
	uint32_t ip[3];
};

static struct claimed claimed_by(const struct reservation_part *part)
{
	return (struct claimed){
		{part->have, part->maybe, part->state == RESERVATION_SENT ? part->sent : 0}};
}

static void change_claims(
	struct reservations *s, const struct reservation_part *part, const struct claimed *before)
{
	struct claimed now = claimed_by(part);

	if (memcmp(before, &now, sizeof(now)) == 0)
		return;
	for (int i = 0; i < 3; i++)
		claim(s, part, now.ip[i]);
	for (int i = 0; i < 3; i++)
		unclaim(s, part, before->ip[i]);
}

void reservations_believe(
	struct reservations *s, struct reservation_part *part, uint32_t have, uint32_t maybe)
{
	struct claimed before = claimed_by(part);

	part->have = have;
	part->maybe = maybe;
	change_claims(s, part, &before);
}

void reservations_inherit(
	struct reservations *s, struct reservation_part *part, const struct reservation_part *old)
{
	struct claimed before = claimed_by(part);

	reservation_inherit(part, old);
	change_claims(s, part, &before);
}

/* --- The table ---------------------------------------------------------------------------------
 */

static void free_reservation(struct reservation *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		free(r->parts[i].reason);
		free(r->parts[i].detail);
	}
	free(r);
}

void reservations_done(struct reservations *s)
{
	struct reservation *r, *next;

	free_claims(s);
	HASH_CLEAR(by_ip, s->by_ip);
	HASH_ITER (hh, s->by_mac, r, next) {
		HASH_DEL(s->by_mac, r);
		free_reservation(r);
	}
	free(s->all);
	free(s->free_list);
}

struct reservation *reservations_find(struct reservations *s, const struct mac *mac)
{
	struct reservation *r;

	HASH_FIND(hh, s->by_mac, mac, sizeof(*mac), r);
	return r;
}

struct reservation *reservations_find_ip(struct reservations *s, uint32_t ip)
{
	struct reservation *r;

	HASH_FIND(by_ip, s->by_ip, &ip, sizeof(ip), r);
	return r;
}

struct reservation *reservations_at(struct reservations *s, uint32_t index)
{
	return index < s->all_room ? s->all[index] : NULL;
}

static int grow(struct reservations *s)
{
	uint32_t room = s->all_room ? 2 * s->all_room : 64;
	struct reservation **all = realloc(s->all, room * sizeof(*all));
	uint32_t *list;

	if (!all)
		return -1;
	s->all = all;
	list = realloc(s->free_list, room * sizeof(*list));
	if (!list)
		return -1;
	s->free_list = list;
	for (uint32_t i = room; i > s->all_room; i--) {
		s->all[i - 1] = NULL;
		s->free_list[s->free_count++] = i - 1;
	}
	s->all_room = room;
	return 0;
}

static void append_deadline(struct reservations *s, struct reservation *r)
{
	r->timed = true;
	r->older = s->newest;
	r->newer = NULL;
	if (s->newest)
		s->newest->newer = r;
	else
		s->oldest = r;
	s->newest = r;
}

static int by_since(const void *a, const void *b)
{
	const struct reservation *x = *(struct reservation *const *)a,
				 *y = *(struct reservation *const *)b;

	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	return x->serial < y->serial ? -1 : 1;
}

void reservations_sort(struct reservations *s)
{
	struct reservation **timed = malloc((s->count + 1) * sizeof(struct reservation *));
	uint32_t n = 0;

	for (struct reservation *r = s->oldest; timed && r; r = r->newer)
		timed[n++] = r;
	if (!timed)
		return;
	qsort(timed, n, sizeof(timed[0]), by_since);
	s->oldest = s->newest = NULL;
	for (uint32_t i = 0; i < n; i++)
		append_deadline(s, timed[i]);
	free(timed);
}

void reservations_untime(struct reservations *s, struct reservation *r)
{
	if (!r->timed)
		return;
	r->timed = false;
	if (r->older)
		r->older->newer = r->newer;
	else
		s->oldest = r->newer;
	if (r->newer)
		r->newer->older = r->older;
	else
		s->newest = r->older;
}

struct reservation *reservations_add(struct reservations *s, const struct mac *mac,
	const uint8_t *servers, uint8_t count, int64_t now)
{
	struct reservation *r;

	if (s->free_count == 0 && grow(s) < 0)
		return NULL;
	r = calloc(1, sizeof(*r) + count * sizeof(r->parts[0]));
	if (!r)
		return NULL;
	r->mac = *mac;
	r->count = count;
	r->since = now;
	r->serial = ++s->serials;
	r->index = s->free_list[--s->free_count];
	s->all[r->index] = r;
	for (uint8_t i = 0; i < count; i++)
		r->parts[i] = (struct reservation_part){
			.server = servers[i], .state = RESERVATION_CONFIRMED, .of = r};
	HASH_ADD(hh, s->by_mac, mac, sizeof(r->mac), r);
	append_deadline(s, r);
	s->count++;
	return r;
}

static struct server_queue *queue_of(struct reservations *s, const struct reservation_part *part)
{
	if (part->queued == PART_BLOCKED)
		return &s->blocked;
	return part->queued == PART_AWAY ? &s->away : &s->queues[part->server];
}

static void unqueue(struct reservations *s, struct reservation_part *part)
{
	struct server_queue *q = queue_of(s, part);

	if (part->queued == PART_IDLE)
		return;
	if (part->prev)
		part->prev->next = part->next;
	else
		q->first = part->next;
	if (part->next)
		part->next->prev = part->prev;
	else
		q->last = part->prev;
	part->queued = PART_IDLE;
	q->queued--;
}

static void enqueue(struct reservations *s, struct reservation_part *part, enum part_queue where)
{
	struct server_queue *q;

	if (part->queued != PART_IDLE)
		return;
	part->queued = (uint8_t)where;
	q = queue_of(s, part);
	part->next = NULL;
	part->prev = q->last;
	if (q->last)
		q->last->next = part;
	else
		q->first = part;
	q->last = part;
	q->queued++;
	if (part->server >= s->servers)
		s->servers = part->server + 1u;
}

/* An address is nobody's any more: those who wait look again. */
static bool is_away(const struct server_queue *q)
{
	return q->state != SERVER_UP && !q->trial;
}

/* A new wish for a server that is away is sent all the same, and answered at once: it is away. So
 * nobody waits for a server of which nothing can be expected. */
static void enqueue_wish(struct reservations *s, struct reservation_part *part)
{
	bool fresh = part->state == RESERVATION_WANTED && is_away(&s->queues[part->server]);

	enqueue(s, part, fresh ? PART_AWAY : PART_QUEUED);
}

static void unblock(struct reservations *s)
{
	while (s->blocked.first) {
		struct reservation_part *part = s->blocked.first;

		unqueue(s, part);
		enqueue_wish(s, part);
	}
}

void reservations_remove(struct reservations *s, struct reservation *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		struct reservation_part *part = &r->parts[i];
		struct claimed claimed = claimed_by(part);

		unqueue(s, part);
		if (part->state == RESERVATION_SENT)
			s->queues[part->server].sent--;
		for (int k = 0; k < 3; k++)
			unclaim(s, part, claimed.ip[k]);
	}
	reservations_set_ip(s, r, 0);
	HASH_DEL(s->by_mac, r);
	reservations_untime(s, r);
	s->all[r->index] = NULL;
	s->free_list[s->free_count++] = r->index;
	s->count--;
	free_reservation(r);
}

void reservations_restart(struct reservations *s, struct reservation *r, int64_t now)
{
	reservations_untime(s, r);
	r->since = now;
	append_deadline(s, r);
}

void reservations_set_ip(struct reservations *s, struct reservation *r, uint32_t ip)
{
	if (r->by_ip.tbl)
		HASH_DELETE(by_ip, s->by_ip, r);
	r->by_ip.tbl = NULL;
	r->ip = ip;
	if (ip && !reservations_find_ip(s, ip))
		HASH_ADD(by_ip, s->by_ip, ip, sizeof(r->ip), r);
}

static void step(
	struct reservations *s, struct reservation_part *part, struct reservation_input *in)
{
	struct claimed before = claimed_by(part);

	in->part = (uint8_t)(part - part->of->parts);
	if (reservation_step(part->of, in) && s->changed)
		s->changed(s->ctx, part->of, part);
	change_claims(s, part, &before);
	if (part->state == RESERVATION_WANTED || part->state == RESERVATION_WAITING)
		enqueue_wish(s, part);
}

void reservations_want(
	struct reservations *s, struct reservation *r, struct reservation_part *part, uint32_t ip)
{
	struct reservation_input in = {.kind = INPUT_WANT, .ip = ip};

	(void)r;
	step(s, part, &in);
}

void reservations_repin(
	struct reservations *s, struct reservation *r, struct reservation_part *part)
{
	struct reservation_input in = {.kind = INPUT_REPIN};

	(void)r;
	step(s, part, &in);
}

/* An address is nowhere reserved for two: who is to get it waits until the other has lost it. */
static bool may_be_sent(struct reservations *s, const struct reservation_part *part)
{
	uint32_t ip = reservation_next(part);
	const struct claim *c = ip ? find_claim(s, part->server, ip) : NULL;

	return !c || mac_equal(&c->mac, &part->of->mac);
}

static uint64_t ticket_of(const struct reservation_part *part)
{
	const struct reservation *r = part->of;

	return (uint64_t)r->serial << 32 | (uint64_t)r->index << 4 | (uint64_t)(part - r->parts);
}

static void send(struct reservations *s, struct reservation_part *part)
{
	const struct reservation *r = part->of;
	struct reservation_input in = {.kind = INPUT_SEND};
	uint32_t ip = reservation_next(part);
	uint32_t there = part->maybe && part->maybe != ip ? part->maybe : part->have;
	struct order order = {
		.kind = ip == 0 ? ORDER_RELEASE : ORDER_ENSURE,
		.ticket = ticket_of(part),
		.server = part->server,
		.mac = r->mac,
		.ip = ip,
		.mode = (enum conf_reservation)r->mode,
		.acked_here = r->acked_server == part->server,
	};

	if (part->repin && part->have == part->want && !part->maybe && part->want)
		order.kind = ORDER_REPIN;
	if (ip == 0) {
		order.ip = there;
		order.in_use = r->purpose != PURPOSE_YIELD;
	} else if (there != ip) {
		order.old_ip = there;
	}
	s->queues[part->server].sent++;
	step(s, part, &in);
	s->order(s->ctx, &order);
}

/* A wish that came true by itself, or was taken back, leaves the queue unsent. */
static bool is_due(const struct reservation_part *part)
{
	return part->state == RESERVATION_WANTED || part->state == RESERVATION_WAITING;
}

static int64_t pump_server(struct reservations *s, struct server_queue *q, int64_t now)
{
	uint32_t room = q->fails && q->room > 1 ? 1 : q->room;

	if (!q->first)
		return INT64_MAX;
	if (is_away(q))
		return INT64_MAX;
	if (q->blocked_until > now)
		return q->blocked_until;
	for (uint32_t n = q->queued; n > 0 && q->sent < room; n--) {
		struct reservation_part *part = q->first;

		unqueue(s, part);
		if (is_due(part) && may_be_sent(s, part))
			send(s, part);
		else if (is_due(part))
			enqueue(s, part, PART_BLOCKED);
	}
	return INT64_MAX;
}

static void pump_away(struct reservations *s)
{
	for (uint32_t n = s->away.queued; n > 0 && s->away.first; n--) {
		struct reservation_part *part = s->away.first;

		unqueue(s, part);
		if (!is_away(&s->queues[part->server]))
			enqueue(s, part, PART_QUEUED);
		else if (is_due(part) && may_be_sent(s, part))
			send(s, part);
		else if (is_due(part))
			enqueue(s, part, PART_BLOCKED);
	}
}

int64_t reservations_pump(struct reservations *s, int64_t now)
{
	int64_t next = INT64_MAX;

	if (!s->order)
		return next;
	pump_away(s);
	for (unsigned i = 0; i < s->servers; i++) {
		int64_t t;

		if (!s->queues[i].first)
			continue;
		t = pump_server(s, &s->queues[i], now);
		if (t < next)
			next = t;
	}
	return next;
}

static void note_answer(struct server_queue *q, enum answer_kind kind, int64_t now)
{
	int64_t wait = BACKOFF_FIRST << (q->fails < 6 ? q->fails : 6);

	q->sent--;
	if (kind == ANSWER_NOT_NOW) {
		q->not_now++;
		q->fails++;
		q->blocked_until = now + (wait < BACKOFF_MOST ? wait : BACKOFF_MOST);
		return;
	}
	q->fails = 0;
	q->blocked_until = 0;
	if (kind == ANSWER_DONE)
		q->done++;
	else
		q->refused++;
}

struct reservation *reservations_answer(
	struct reservations *s, const struct answer *answer, int64_t now)
{
	static const enum reservation_input_kind kinds[] = {
		[ANSWER_DONE] = INPUT_DONE,
		[ANSWER_REFUSED] = INPUT_REFUSED,
		[ANSWER_NOT_NOW] = INPUT_NOT_NOW,
	};
	struct reservation_input in = {.kind = kinds[answer->kind],
		.reason = answer->reason,
		.detail = answer->detail,
		.changed = answer->changed};
	struct reservation *r = reservations_at(s, (uint32_t)answer->ticket >> 4);
	uint8_t i = answer->ticket & 15;

	if (!r || r->serial != answer->ticket >> 32 || i >= r->count ||
		r->parts[i].state != RESERVATION_SENT)
		return NULL;
	note_answer(&s->queues[r->parts[i].server], answer->kind, now);
	step(s, &r->parts[i], &in);
	return r;
}

void reservations_server(
	struct reservations *s, uint8_t server, enum server_state state, int64_t now)
{
	struct server_queue *q = &s->queues[server];

	if (state == SERVER_UP && q->state != SERVER_UP) {
		q->fails = 0;
		q->blocked_until = now;
	}
	q->state = state;
}

void reservations_server_trial(struct reservations *s, uint8_t server, int64_t now)
{
	struct server_queue *q = &s->queues[server];

	q->trial = q->state != SERVER_UP;
	if (q->trial && q->fails == 0)
		q->fails = 1; /* one order, until it was answered */
	q->blocked_until = now;
}
