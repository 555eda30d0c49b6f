/* SPDX-License-Identifier: ISC
 *
 * Out of the store's events: what was told and is quiet for a while. A MAC in no table is known
 * again as far as its event says what was seen of it.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine_self.h"

const struct engine_quiet engine_quiets[ENGINE_QUIETS] = {
	{EVENT_DHCP_UNKNOWN_SERVER, STRANGER_QUIET, STRANGERS_MAX},
	{EVENT_DHCP_UNKNOWN_RELAY, STRANGER_QUIET, STRANGERS_MAX},
	{EVENT_DEVICE_UNKNOWN, UNKNOWN_QUIET, UNKNOWN_MAX},
};

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static uint32_t ip_of(const json_t *json, const char *key)
{
	const char *text = text_of(json, key);
	uint32_t ip = 0;

	(void)ipv4_parse(text, strlen(text), &ip);
	return ip;
}

/* The section's name, or a stranger's address. */
static uint32_t server_of(const struct engine *e, const json_t *json)
{
	int server = conf_server_by_name(e->conf, text_of(json, "server"));

	return server >= 0 ? e->conf->servers[server].server_id : ip_of(json, "server");
}

static void read_id(const json_t *json, const char *key, struct option82 *o, struct span *span)
{
	const char *text = json_string_value(json_object_get(json, key));
	uint8_t bytes[OBSERVATION_OPTION82_MAX];
	const uint8_t *at;
	int n = text ? hex_parse(text, strlen(text), bytes, sizeof(bytes)) : -1;

	if (n < 0)
		return;
	at = memmem(o->raw, o->len, bytes, (size_t)n);
	if (at)
		*span = (struct span){
			.at = (uint16_t)(at - o->raw), .len = (uint16_t)n, .present = true};
}

static void read_option82(const json_t *json, struct option82 *o)
{
	const char *raw = text_of(json, "raw");
	int n = hex_parse(raw, strlen(raw), o->raw, sizeof(o->raw));

	if (n <= 0)
		return;
	o->len = (uint16_t)n;
	read_id(json, "circuit_id", o, &o->circuit_id);
	read_id(json, "remote_id", o, &o->remote_id);
	read_id(json, "subscriber_id", o, &o->subscriber_id);
}

static int by_time(const struct stranger *a, const struct stranger *b)
{
	return a->told_at < b->told_at ? -1 : a->told_at > b->told_at;
}

/* The oldest stays the first, though one kind comes behind the other. */
static void restore_stranger(struct engine *e, enum reason kind, uint32_t ip, int64_t time)
{
	struct stranger_key key = {.ip = ip, .kind = kind};
	struct stranger *s;

	HASH_FIND(hh, e->strangers, &key, sizeof(key), s);
	if (s) {
		s->told_at = s->told_at > time ? s->told_at : time;
		return;
	}
	s = HASH_COUNT(e->strangers) < STRANGERS_MAX ? malloc(sizeof(*s)) : NULL;
	if (!s)
		return;
	*s = (struct stranger){.key = key, .told_at = time};
	HASH_ADD_INORDER(hh, e->strangers, key, sizeof(s->key), s, by_time);
}

static void restore_unknown(
	struct engine *e, const struct mac *mac, const json_t *json, int64_t time)
{
	struct observation o = {.kind = OBSERVATION_DHCP, .mac = *mac};
	struct unknown *u;

	if (mac_is_zero(mac) || device_find(&e->devices, mac))
		return;
	o.dhcp.is_reply = true;
	o.dhcp.yiaddr = ip_of(json, "ip");
	o.dhcp.server_id = server_of(e, json);
	o.dhcp.giaddr = ip_of(json, "relay");
	read_option82(json_object_get(json, "option82"), &o.dhcp.option82);
	u = unknown_observe(&e->unknowns, &o, time);
	if (!u)
		return;
	unknown_acked(&e->unknowns, u, &o, o.dhcp.option82.len ? &o.dhcp.option82 : NULL, NULL);
	u->reason = REASON_UNKNOWN_DEVICE;
	u->told_at = time;
}

void engine_restore_event(struct engine *e, const struct event_row *row)
{
	json_t *json = json_loadb(row->json, row->json_len, 0, NULL);
	int64_t time = restored_time(e, row->time);

	if (!json)
		return;
	switch (event_code_parse(row->code)) {
	case EVENT_DHCP_UNKNOWN_SERVER:
		restore_stranger(e, REASON_UNKNOWN_SERVER, server_of(e, json), time);
		break;
	case EVENT_DHCP_UNKNOWN_RELAY:
		restore_stranger(e, REASON_UNKNOWN_RELAY, ip_of(json, "relay"), time);
		break;
	case EVENT_DEVICE_UNKNOWN: restore_unknown(e, &row->mac, json, time); break;
	default: break;
	}
	json_decref(json);
}
