/* SPDX-License-Identifier: ISC
 *
 * A flow is a datagram under way. Its fragments' bytes lie one after the other as they came, with
 * a list of pieces that says where each belongs; they are put in their places once, at the end.
 * Flows live in sets of WAYS, found by a hash: a search looks at one set and no further.
 */
#include <stdlib.h>
#include <string.h>

#include "tap82/reassembly.h"

#include "packet_copy.h"

#define WAYS	   8
#define SETS	   (REASSEMBLY_FLOWS_MAX / WAYS)
#define PIECES_MAX 128 /* 64 KiB at an MTU of 576 */
#define IP_MAX	   65535
#define COPIES_MAX \
	(2 * PIECES_MAX) /* packets kept of a flow: repeated ones are none of its pieces */

struct piece {
	uint16_t at, len;
	uint32_t from; /* in the flow's bytes */
};

struct flow {
	bool used;
	uint8_t protocol;
	uint16_t id;
	struct datagram place; /* of the fragment seen last, with the damage of all */
	int64_t first; /* when it began */
	uint8_t *bytes; /* owned */
	uint32_t held; /* bytes in `bytes` */
	uint32_t sum; /* of the pieces' lengths: what is there if nothing overlaps */
	uint32_t total; /* 0 until the last fragment has come */
	uint16_t count;
	struct piece *pieces; /* owned, PIECES_MAX */
	struct packet_copy *packets; /* owned */
	size_t copied; /* bytes of `packets` */
	unsigned copies;
};

struct reassembly {
	struct flow flows[SETS][WAYS];
	uint32_t held; /* bytes of all flows */
	size_t copied; /* bytes of all flows' packets */
	struct packet_copy *given; /* owned: packets of the datagram given last */
	int64_t earliest; /* no flow began before: spares a search for each packet */
	uint8_t out[IP_MAX];
};

struct reassembly *reassembly_new(void)
{
	struct reassembly *r = calloc(1, sizeof(*r));

	if (r)
		r->earliest = INT64_MAX;
	return r;
}

static void flow_drop(struct reassembly *r, struct flow *f)
{
	r->held -= f->held;
	r->copied -= f->copied;
	packet_copy_free(f->packets);
	free(f->bytes);
	free(f->pieces);
	*f = (struct flow){0};
}

void reassembly_free(struct reassembly *r)
{
	if (!r)
		return;
	for (int set = 0; set < SETS; set++)
		for (int way = 0; way < WAYS; way++)
			flow_drop(r, &r->flows[set][way]);
	packet_copy_free(r->given);
	free(r);
}

/* Fragments belong together by RFC 791's four, and by where they were seen: the same datagram in
 * two VLANs of one mirror is two. */
static bool flow_is_of(const struct flow *f, const struct fragment *fragment)
{
	const struct datagram *a = &f->place, *b = fragment->place;

	return f->used && f->id == fragment->id && f->protocol == fragment->protocol &&
	       a->src == b->src && a->dst == b->dst && a->vlan_count == b->vlan_count &&
	       a->encap_count == b->encap_count &&
	       memcmp(a->vlans, b->vlans, a->vlan_count * sizeof(a->vlans[0])) == 0 &&
	       memcmp(a->encaps, b->encaps, a->encap_count) == 0;
}

static struct flow *set_of(struct reassembly *r, const struct fragment *fragment)
{
	uint32_t hash = fragment->place->src * 0x9e3779b1u;

	hash = (hash ^ fragment->place->dst) * 0x85ebca6bu;
	hash = (hash ^ fragment->id) * 0xc2b2ae35u;
	return r->flows[(hash >> 16) % SETS];
}

static bool is_old(const struct flow *f, int64_t now)
{
	return now - f->first > FRAME_FRAGMENT_TIME;
}

/* A free place in the set; if there is none, the one of the flow that began first. */
static struct flow *flow_make_room(struct reassembly *r, struct flow *set)
{
	struct flow *oldest = &set[0];

	for (int way = 0; way < WAYS; way++) {
		if (!set[way].used)
			return &set[way];
		if (set[way].first < oldest->first)
			oldest = &set[way];
	}
	flow_drop(r, oldest);
	return oldest;
}

static struct flow *flow_find(struct flow *set, const struct fragment *fragment)
{
	for (int way = 0; way < WAYS; way++)
		if (flow_is_of(&set[way], fragment))
			return &set[way];
	return NULL;
}

/* The flow that the fragment is for; NULL without memory. */
static struct flow *flow_take(struct reassembly *r, const struct fragment *fragment)
{
	struct flow *set = set_of(r, fragment);
	struct flow *f = flow_find(set, fragment);

	if (f && !is_old(f, fragment->place->time))
		return f;
	if (f)
		flow_drop(r, f);
	else
		f = flow_make_room(r, set);
	f->pieces = malloc(PIECES_MAX * sizeof(f->pieces[0]));
	if (!f->pieces)
		return NULL;
	f->used = true;
	f->id = fragment->id;
	f->protocol = fragment->protocol;
	f->first = fragment->place->time;
	f->place = *fragment->place;
	if (f->first < r->earliest)
		r->earliest = f->first;
	return f;
}

/* How the fragment lies to those that came before. */
enum overlap { APART, REPEATED, OVERLAPPING };

static enum overlap overlap_of(const struct flow *f, const struct fragment *fragment, uint16_t len)
{
	uint32_t end = (uint32_t)fragment->at + len;

	for (unsigned i = 0; i < f->count; i++) {
		const struct piece *p = &f->pieces[i];

		if (p->at >= end || fragment->at >= p->at + p->len)
			continue;
		if (p->at == fragment->at && p->len == len &&
			memcmp(f->bytes + p->from, fragment->payload.p, len) == 0)
			return REPEATED;
		return OVERLAPPING;
	}
	return APART;
}

/* Keeps the bytes. False: no memory, or one of the bounds is reached. */
static bool flow_keep(
	struct reassembly *r, struct flow *f, const struct fragment *fragment, uint16_t len)
{
	uint8_t *grown;

	if (f->count == PIECES_MAX || f->held + len > 2 * IP_MAX)
		return false;
	grown = realloc(f->bytes, f->held + len);
	if (!grown)
		return false;
	memcpy(grown + f->held, fragment->payload.p, len);
	f->bytes = grown;
	f->pieces[f->count++] = (struct piece){.at = fragment->at, .len = len, .from = f->held};
	f->held += len;
	f->sum += len;
	r->held += len;
	return true;
}

/* Takes over the fragment's packets. More than COPIES_MAX are repetitions, and go. */
static void flow_keep_packets(struct reassembly *r, struct flow *f, struct packet_copy *packets)
{
	unsigned count;
	size_t size = packet_copy_size(packets, &count);

	if (f->copies + count > COPIES_MAX) {
		packet_copy_free(packets);
		return;
	}
	f->packets = packet_copy_merge(f->packets, packets);
	f->copies += count;
	f->copied += size;
	r->copied += size;
}

/* The flow's datagram is given: its packets can be had. */
static void flow_give_packets(struct reassembly *r, struct flow *f)
{
	packet_copy_free(r->given);
	r->given = f->packets;
	f->packets = NULL;
}

struct packet_copy *reassembly_take_packets(struct reassembly *r)
{
	struct packet_copy *packets = r->given;

	r->given = NULL;
	return packets;
}

/* How far the bytes go from `reach` on without a gap. Quadratic in a number that is bounded. */
static uint32_t flow_reach(const struct flow *f, uint32_t reach)
{
	uint32_t before;

	do {
		before = reach;
		for (unsigned i = 0; i < f->count; i++) {
			const struct piece *p = &f->pieces[i];

			if (p->at <= reach && (uint32_t)p->at + p->len > reach)
				reach = (uint32_t)p->at + p->len;
		}
	} while (reach != before);
	return reach;
}

/* Puts `total` bytes in their places. What came first is written last, and so stays. */
static struct buf flow_join(struct reassembly *r, const struct flow *f, uint32_t total)
{
	for (unsigned i = f->count; i-- > 0;) {
		const struct piece *p = &f->pieces[i];
		uint32_t room = p->at < total ? total - p->at : 0;

		memcpy(r->out + p->at, f->bytes + p->from, p->len < room ? p->len : room);
	}
	return buf_of(r->out, total);
}

/* The last fragment says how long the datagram is, once and for all. */
static void flow_learn_total(struct flow *f, const struct fragment *fragment)
{
	uint32_t end = (uint32_t)fragment->at + fragment->claimed;

	if (!fragment->more && f->total == 0)
		f->total = end;
	else if (!fragment->more ? end != f->total : f->total && end > f->total)
		f->place.damaged |= FRAME_FRAGMENTS;
}

/* What every fragment adds to what is known of its datagram. */
static void flow_note(struct flow *f, const struct fragment *fragment)
{
	f->place.time = fragment->place->time;
	f->place.damaged |= fragment->place->damaged;
	if (fragment->more && fragment->claimed % 8)
		f->place.damaged |= FRAME_FRAGMENTS;
	flow_learn_total(f, fragment);
}

/* More than may be held by all: the flow that began first goes, but not the one in hand. */
static void shed(struct reassembly *r, const struct flow *keep)
{
	while (r->held > REASSEMBLY_BYTES_MAX || r->copied > REASSEMBLY_PACKETS_MAX) {
		struct flow *oldest = NULL;

		for (int i = 0; i < SETS * WAYS; i++) {
			struct flow *f = &r->flows[i / WAYS][i % WAYS];

			if (f->used && f != keep && (!oldest || f->first < oldest->first))
				oldest = f;
		}
		if (!oldest)
			return;
		flow_drop(r, oldest);
	}
}

int reassembly_add(struct reassembly *r, const struct fragment *fragment, struct buf *ret_payload,
	uint8_t *ret_damaged)
{
	size_t left = buf_left(&fragment->payload);
	uint16_t len = (uint16_t)(left < fragment->claimed ? left : fragment->claimed);
	struct flow *f;
	enum overlap overlap;

	f = len == 0 || (uint32_t)fragment->at + fragment->claimed > IP_MAX
		    ? NULL
		    : flow_take(r, fragment);
	if (!f) {
		packet_copy_free(fragment->packets);
		return 0;
	}
	flow_keep_packets(r, f, fragment->packets);
	overlap = overlap_of(f, fragment, len);
	if (overlap == OVERLAPPING)
		f->place.damaged |= FRAME_FRAGMENTS;
	flow_note(f, fragment);
	if (overlap != REPEATED && !flow_keep(r, f, fragment, len))
		return 0;
	shed(r, f);
	if (f->total == 0 || f->sum < f->total || flow_reach(f, 0) < f->total)
		return 0;
	*ret_payload = flow_join(r, f, f->total);
	*ret_damaged = f->place.damaged;
	flow_give_packets(r, f);
	flow_drop(r, f);
	return 1;
}

/* The flow to give up next: the oldest of those that began before `before`. */
static struct flow *flow_find_stale(struct reassembly *r, int64_t before)
{
	struct flow *oldest = NULL;

	if (r->earliest >= before)
		return NULL;
	for (int i = 0; i < SETS * WAYS; i++) {
		struct flow *f = &r->flows[i / WAYS][i % WAYS];

		if (f->used && (!oldest || f->first < oldest->first))
			oldest = f;
	}
	r->earliest = oldest ? oldest->first : INT64_MAX;
	return oldest && oldest->first < before ? oldest : NULL;
}

int reassembly_flush(struct reassembly *r, int64_t before, struct datagram *ret_place,
	uint8_t *ret_protocol, struct buf *ret_payload)
{
	struct flow *f;
	uint32_t reach;

	while ((f = flow_find_stale(r, before))) {
		reach = flow_reach(f, 0);
		*ret_payload = flow_join(r, f, reach);
		*ret_protocol = f->protocol;
		*ret_place = f->place;
		ret_place->damaged |= FRAME_FRAGMENTS;
		flow_give_packets(r, f);
		flow_drop(r, f);
		if (reach > 0)
			return 1;
	}
	return 0;
}
