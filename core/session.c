/* SPDX-License-Identifier: ISC
 *
 * RADIUS sessions: the second witness of a MAC's place.
 */
#include <ctype.h>
#include <stdlib.h>

#include "tap82/correlate.h"

enum { NAS_PORT_ID, CIRCUIT_ID, REMOTE_ID, FIELDS = SESSION_ID + 1 };

void sessions_init(struct sessions *s, uint32_t max)
{
	*s = (struct sessions){.max = max};
	hash_init();
}

static void drop(struct sessions *s, struct session *session)
{
	HASH_DEL(s->by_mac, session);
	free(session->bytes);
	free(session);
	s->count--;
}

void sessions_done(struct sessions *s)
{
	while (s->by_mac)
		drop(s, s->by_mac);
}

void sessions_expire(struct sessions *s, int64_t now)
{
	while (s->by_mac && s->by_mac->seen_at <= now - SESSION_EXPIRY)
		drop(s, s->by_mac);
}

struct session *session_find(struct sessions *s, const struct mac *mac)
{
	struct session *session;

	if (!s->by_mac)
		return NULL;
	HASH_FIND(hh, s->by_mac, mac, sizeof(*mac), session);
	return session;
}

static const uint8_t *field(const struct session *session, int i)
{
	const uint8_t *p = session->bytes;

	for (int k = 0; k < i; k++)
		p += session->len[k];
	return p;
}

const uint8_t *session_field(const struct session *session, int i, uint8_t *ret_len)
{
	if (!(session->present & 1u << i))
		return NULL;
	*ret_len = session->len[i];
	return field(session, i);
}

static struct session *take(struct sessions *s, const struct mac *mac, int64_t now)
{
	struct session *session = session_find(s, mac);

	if (session) {
		HASH_DEL(s->by_mac, session);
	} else {
		if (s->count >= s->max) {
			drop(s, s->by_mac);
			s->dropped++;
		}
		session = calloc(1, sizeof(*session));
		if (!session)
			return NULL;
		session->mac = *mac;
		session->vlan = -1;
		session->since = now;
		s->count++;
	}
	HASH_ADD(hh, s->by_mac, mac, sizeof(session->mac), session);
	return session;
}

/* What a message does not say stays as an earlier one said it, except that another NAS port is
 * another place altogether. */
static bool is_another_place(const struct session *session, const struct observation_radius *r)
{
	uint8_t len;
	const uint8_t *port = session_field(session, NAS_PORT_ID, &len);

	if (r->nas_ip && session->nas_ip && r->nas_ip != session->nas_ip)
		return true;
	return port && r->nas_port_id.present &&
	       (len != r->nas_port_id.len || memcmp(port, r->nas_port_id.bytes, len) != 0);
}

static void keep_fields(
	struct session *session, const struct id_bytes *const fields[FIELDS], bool fresh)
{
	uint8_t bytes[FIELDS * OBSERVATION_ID_MAX], len[FIELDS], present = 0, n;
	size_t used = 0;

	for (int i = 0; i < FIELDS; i++) {
		const uint8_t *old = session_field(session, i, &n);

		len[i] = 0;
		if (!fields[i]->present && (fresh || !old))
			continue;
		present = (uint8_t)(present | 1u << i);
		len[i] = fields[i]->present ? fields[i]->len : n;
		memcpy(bytes + used, fields[i]->present ? fields[i]->bytes : old, len[i]);
		used += len[i];
	}
	free(session->bytes);
	session->bytes = malloc(used + 1);
	session->present = session->bytes ? present : 0;
	memcpy(session->len, len, sizeof(len));
	if (session->bytes)
		memcpy(session->bytes, bytes, used);
}

/* Accounting Stop of another session than the one known says nothing of this one. */
static bool is_stale_stop(struct sessions *s, const struct observation *o)
{
	const struct session *session = session_find(s, &o->mac);
	const uint8_t *id;
	uint8_t len;

	if (o->radius.acct_status != RADIUS_ACCT_STOP || !session)
		return false;
	id = session_field(session, SESSION_ID, &len);
	if (id && o->radius.session_id.present)
		return len != o->radius.session_id.len ||
		       memcmp(id, o->radius.session_id.bytes, len) != 0;
	return is_another_place(session, &o->radius);
}

struct session *session_observe(
	struct sessions *s, const struct observation *o, int64_t now, bool *ret_moved)
{
	const struct observation_radius *r = &o->radius;
	const struct id_bytes *const fields[FIELDS] = {
		&r->nas_port_id, &r->circuit_id, &r->remote_id, &r->user, &r->session_id};
	struct session *session;

	if (!r->has_mac || r->code == RADIUS_ACCESS_REJECT ||
		r->code > RADIUS_ACCOUNTING_RESPONSE || is_stale_stop(s, o))
		return NULL;
	session = take(s, &o->mac, now);
	if (!session)
		return NULL;
	*ret_moved = session->seen_at == 0 || is_another_place(session, r);
	keep_fields(session, fields, *ret_moved);
	if (*ret_moved)
		session->since = now;
	if (r->nas_ip)
		session->nas_ip = r->nas_ip;
	if (r->framed_ip)
		session->framed_ip = r->framed_ip;
	if (r->vlan >= 0)
		session->vlan = r->vlan;
	session->code = r->code;
	session->acct_status = r->acct_status;
	session->ended = r->acct_status == RADIUS_ACCT_STOP;
	session->seen_at = now;
	return session;
}

static void get_id(const struct session *session, int i, struct id_bytes *ret)
{
	const uint8_t *p = session_field(session, i, &ret->len);

	ret->present = p != NULL;
	if (p)
		memcpy(ret->bytes, p, ret->len);
}

bool session_place(const struct session *session, struct place *ret)
{
	if (session->ended || (!session->nas_ip && !(session->present & 7)))
		return false;
	ret->nas_ip = session->nas_ip;
	get_id(session, NAS_PORT_ID, &ret->nas_port_id);
	get_id(session, CIRCUIT_ID, &ret->circuit_id);
	get_id(session, REMOTE_ID, &ret->remote_id);
	return true;
}

static bool span_differs(
	const struct id_bytes *id, const struct option82 *o, const struct span *span)
{
	return id->present && span->present &&
	       (id->len != span->len || memcmp(id->bytes, o->raw + span->at, span->len) != 0);
}

/* The last number of a text, -1 for none: the port in "Gi1/0/3" and in "eth 0/1/3:100" (a VLAN
 * after ':' or '.' is no port). */
static long last_number(const uint8_t *text, size_t len)
{
	long n = -1;

	for (size_t i = 0; i < len && text[i] != ':' && text[i] != '.'; i++) {
		if (!isdigit(text[i]))
			continue;
		n = i > 0 && isdigit(text[i - 1]) ? n * 10 + (text[i] - '0') : text[i] - '0';
		if (n > 1000000)
			return -1;
	}
	return n;
}

static bool contains(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	return blen == 0 || memmem(a, alen, b, blen) != NULL;
}

/* NAS-Port-Id is text of the switch's own; circuit-id, where it is text, names the same port if one
 * contains the other or both end in the same port number. */
static bool text_differs(const struct id_bytes *id, const struct option82 *o)
{
	const uint8_t *text = o->raw + o->circuit_id.at;
	size_t len = o->circuit_id.len;

	if (contains(id->bytes, id->len, text, len) || contains(text, len, id->bytes, id->len))
		return false;
	return last_number(id->bytes, id->len) != last_number(text, len);
}

bool place_contradicts(
	const struct place *place, const struct option82 *o, const struct port_place *port)
{
	const struct id_bytes *id = &place->nas_port_id;
	long n = last_number(id->bytes, id->present ? id->len : 0);

	if (span_differs(&place->circuit_id, o, &o->circuit_id) ||
		span_differs(&place->remote_id, o, &o->remote_id))
		return true;
	if ((place->circuit_id.present && o->circuit_id.present) || !id->present ||
		!bytes_are_text(id->bytes, id->len))
		return false;
	if (port && *port->layout && port->port >= 0)
		return n >= 0 && n != port->port;
	if (!o->circuit_id.present || !bytes_are_text(o->raw + o->circuit_id.at, o->circuit_id.len))
		return false;
	return text_differs(id, o);
}
