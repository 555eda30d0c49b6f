/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "radius_pair.h"
#include "tap82/clock.h"

#define BUCKETS	 1024 /* a power of two */
#define WAYS	 4 /* requests of one bucket */
#define PAIR_AGE (30 * USEC_PER_SEC) /* a client has given up by then: RFC 5080 2.2.1 */

struct request {
	int64_t time; /* 0: free */
	uint32_t client, server, nas_ip;
	uint16_t client_port, server_port;
	uint8_t id, code;
	bool has_mac;
	struct mac mac;
};

struct radius_pairs {
	struct request table[BUCKETS][WAYS];
};

struct radius_pairs *radius_pairs_new(void)
{
	return calloc(1, sizeof(struct radius_pairs));
}

void radius_pairs_free(struct radius_pairs *pairs)
{
	free(pairs);
}

/* Who asked whom, as the request had it; a reply is turned round. */
static struct request key_of(const struct datagram *d, const struct radius *r)
{
	bool reply = radius_is_reply(r->code);

	return (struct request){
		.client = reply ? d->dst : d->src,
		.server = reply ? d->src : d->dst,
		.client_port = reply ? d->dport : d->sport,
		.server_port = reply ? d->sport : d->dport,
		.id = r->id,
	};
}

static struct request *bucket_of(struct radius_pairs *pairs, const struct request *key)
{
	uint64_t h = (uint64_t)key->client << 32 | key->server;

	h ^= ((uint64_t)key->client_port << 24 | (uint64_t)key->server_port << 8 | key->id) *
	     UINT64_C(0x9e3779b97f4a7c15);
	h *= UINT64_C(0xff51afd7ed558ccd);
	return pairs->table[h >> 54];
}

static bool is_of(const struct request *q, const struct request *key)
{
	return q->time != 0 && q->client == key->client && q->server == key->server &&
	       q->client_port == key->client_port && q->server_port == key->server_port &&
	       q->id == key->id;
}

/* The place of the same key, else a free one, else the oldest. The same key with another
 * authenticator is a new request, and only it can be answered: its id was free again (RFC 2865
 * section 3, 5080 2.1.1). With the same authenticator it is a retransmission and says the same. A
 * reply's authenticator is a hash with the secret in it and tells us nothing. */
static struct request *place_for(struct request *bucket, const struct request *key)
{
	struct request *best = &bucket[0];

	for (unsigned i = 0; i < WAYS; i++) {
		if (is_of(&bucket[i], key))
			return &bucket[i];
		if (bucket[i].time < best->time)
			best = &bucket[i];
	}
	return best;
}

static void keep_request(struct request *bucket, const struct request *key,
	const struct datagram *d, const struct radius *r, uint32_t nas_ip)
{
	struct request *q = place_for(bucket, key);

	*q = *key;
	q->time = d->time > 0 ? d->time : 1;
	q->nas_ip = nas_ip;
	q->code = r->code;
	q->has_mac = r->fields.has_mac;
	q->mac = r->fields.mac;
}

/* Which replies answer which request: RFC 2865 4, 2866 4, 5176 3. */
static bool answers(uint8_t reply, uint8_t request)
{
	switch (reply) {
	case 2:
	case 3:
	case 11: return request == 1 || request == 12;
	case 5: return request == 4 || request == 12;
	case 41:
	case 42: return request == 40;
	default: return request == 43;
	}
}

static const struct request *find_request(
	const struct request *bucket, const struct request *key, uint8_t code, int64_t now)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (is_of(&bucket[i], key) && answers(code, bucket[i].code) &&
			now - bucket[i].time <= PAIR_AGE)
			return &bucket[i];
	return NULL;
}

void radius_pair(
	struct radius_pairs *pairs, const struct datagram *d, struct radius *r, uint32_t *nas_ip)
{
	struct request key = key_of(d, r);
	struct request *bucket = bucket_of(pairs, &key);
	const struct request *request;

	if (!radius_is_reply(r->code)) {
		keep_request(bucket, &key, d, r, *nas_ip);
		return;
	}
	request = find_request(bucket, &key, r->code, d->time);
	if (request && !r->fields.nas_ip)
		*nas_ip = request->nas_ip;
	if (request && request->has_mac && !r->fields.has_mac) {
		r->fields.has_mac = true;
		r->fields.mac = request->mac;
	}
}
