/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <nettle/sha2.h>

#include "tap82/clock.h"
#include "tap82/event.h"

struct event_kind {
	const char *code, *title;
	enum event_severity severity;
};

/*
 * What "the happening" of a code is, beside code, MAC and address, i.e. what makes its id:
 *
 *	dhcp.ip_allocation, dhcp.reservation_*, provision.handoff,
 *	camera.address_changed, camera.replaced, camera.declined,
 *	port.shared, device.unknown		the xid of the ACK (DECLINE) that caused it
 *	streams.hold_started, _ended		the xid of the ACK whose provisioning held them
 *	camera.moved				the xid, and the port it is at now
 *	location.mismatch			the two places
 *	dhcp.unknown_server, _relay		the xid, and the server or relay
 *	all others				this moment in this process: no other sidecar
 *						has the same trouble
 */
static const struct event_kind kinds[EVENT_CODES] = {
	[EVENT_NONE] = {"", "", EVENT_INFO},
	[EVENT_DHCP_IP_ALLOCATION] = {"dhcp.ip_allocation", "DHCP. IP Address Allocation",
		EVENT_INFO},
	[EVENT_DHCP_RESERVATION_CREATED] = {"dhcp.reservation_created", "DHCP. Reservation Created",
		EVENT_INFO},
	[EVENT_DHCP_RESERVATION_UPDATED] = {"dhcp.reservation_updated", "DHCP. Reservation Updated",
		EVENT_INFO},
	[EVENT_DHCP_RESERVATION_REMOVED] = {"dhcp.reservation_removed", "DHCP. Reservation Removed",
		EVENT_INFO},
	[EVENT_DHCP_RESERVATION_FAILED] = {"dhcp.reservation_failed",
		"DHCP. Failed to Create DHCP Reservation", EVENT_ERROR},
	[EVENT_DHCP_RESERVATION_UPDATE_FAILED] = {"dhcp.reservation_update_failed",
		"DHCP. Failed to Update DHCP Reservation", EVENT_ERROR},
	[EVENT_DHCP_UNKNOWN_SERVER] = {"dhcp.unknown_server", "DHCP. Unknown Server",
		EVENT_WARNING},
	[EVENT_DHCP_UNKNOWN_RELAY] = {"dhcp.unknown_relay", "DHCP. Unknown Relay", EVENT_WARNING},
	[EVENT_DEVICE_UNKNOWN] = {"device.unknown", "Device. Unknown MAC Address", EVENT_WARNING},
	[EVENT_CAMERA_ADDRESS_CHANGED] = {"camera.address_changed", "Camera. Address Changed",
		EVENT_WARNING},
	[EVENT_CAMERA_REPLACED] = {"camera.replaced", "Camera. Replaced", EVENT_WARNING},
	[EVENT_CAMERA_MOVED] = {"camera.moved", "Camera. Moved to Another Port", EVENT_WARNING},
	[EVENT_CAMERA_DECLINED] = {"camera.declined", "Camera. Address Declined", EVENT_WARNING},
	[EVENT_PORT_SHARED] = {"port.shared", "Port. Shared by Several Cameras", EVENT_WARNING},
	[EVENT_LOCATION_MISMATCH] = {"location.mismatch", "Location. Option 82 and RADIUS Disagree",
		EVENT_WARNING},
	[EVENT_STREAMS_HOLD_STARTED] = {"streams.hold_started",
		"Streams. Manual Addition Suspended", EVENT_INFO},
	[EVENT_STREAMS_HOLD_ENDED] = {"streams.hold_ended", "Streams. Manual Addition Allowed",
		EVENT_INFO},
	[EVENT_PROVISION_HANDOFF] = {"provision.handoff", "Provisioning. Hand-over to Stream Setup",
		EVENT_INFO},
	[EVENT_SERVER_UNREACHABLE] = {"server.unreachable", "Server. Unreachable", EVENT_ERROR},
	[EVENT_SERVER_REFUSED] = {"server.refused", "Server. Login Refused", EVENT_ERROR},
	[EVENT_SERVER_RECOVERED] = {"server.recovered", "Server. Recovered", EVENT_INFO},
	[EVENT_SNIFFER_RESTARTED] = {"sniffer.restarted", "Sniffer. Restarted", EVENT_WARNING},
	[EVENT_CAPTURE_LOSS] = {"capture.loss", "Capture. Packets Lost", EVENT_WARNING},
	[EVENT_INVENTORY_LOADED] = {"inventory.loaded", "Inventory. Loaded", EVENT_INFO},
	[EVENT_INVENTORY_REJECTED] = {"inventory.rejected", "Inventory. Rejected", EVENT_ERROR},
	[EVENT_WEBHOOK_REJECTED] = {"webhook.rejected", "Webhook. Rejected by the Receiver",
		EVENT_ERROR},
	[EVENT_WEBHOOK_DROPPED] = {"webhook.dropped", "Webhook. Messages Dropped", EVENT_ERROR},
	[EVENT_STORE_DEGRADED] = {"store.degraded", "Store. Degraded", EVENT_ERROR},
};

const char *event_code_text(enum event_code code)
{
	return code < EVENT_CODES ? kinds[code].code : "";
}

const char *event_title(enum event_code code)
{
	return code < EVENT_CODES ? kinds[code].title : "";
}

enum event_severity event_severity(enum event_code code)
{
	return code < EVENT_CODES ? kinds[code].severity : EVENT_INFO;
}

const char *event_severity_text(enum event_severity severity)
{
	static const char *const words[] = {"info", "warning", "error"};

	return words[severity];
}

enum event_code event_code_parse(const char *text)
{
	for (int i = EVENT_NONE + 1; i < EVENT_CODES; i++)
		if (strcmp(kinds[i].code, text) == 0)
			return (enum event_code)i;
	return EVENT_NONE;
}

#define IDENTITY_MAX (64 + 10 + 4 + OBSERVATION_OPTION82_MAX)

void event_identify(struct event *e, const void *happening, size_t len)
{
	const char *code = event_code_text(e->code);
	size_t n = strlen(code) + 1;
	uint8_t bytes[IDENTITY_MAX];
	struct sha256_ctx sha;

	memcpy(bytes, code, n);
	memcpy(bytes + n, e->mac.b, 6);
	for (int shift = 24, i = 0; i < 4; i++, shift -= 8)
		bytes[n + 6 + (size_t)i] = (uint8_t)(e->ip >> shift);
	n += 10;
	if (len > sizeof(bytes) - n)
		len = sizeof(bytes) - n;
	if (len)
		memcpy(bytes + n, happening, len);
	sha256_init(&sha);
	sha256_update(&sha, n + len, bytes);
	sha256_digest(&sha, sizeof(e->id), e->id);
}

void event_identify_again(uint8_t id[16], int64_t time)
{
	uint8_t bytes[16 + sizeof(time)];
	struct sha256_ctx sha;

	memcpy(bytes, id, 16);
	time /= EVENT_HAPPENING;
	for (size_t i = 0; i < sizeof(time); i++)
		bytes[16 + i] = (uint8_t)(time >> 8 * i);
	sha256_init(&sha);
	sha256_update(&sha, sizeof(bytes), bytes);
	sha256_digest(&sha, 16, id);
}

static void write_span(
	struct writer *w, const char *key, const struct option82 *o, const struct span *span)
{
	if (span->present)
		writer_opaque(w, key, o->raw + span->at, span->len);
}

static void write_number(struct writer *w, const char *key, int32_t v)
{
	if (v >= 0)
		writer_i64(w, key, v);
}

static void write_port(struct writer *w, const struct port_place *port)
{
	if (!port || !*port->layout)
		return;
	writer_object_begin(w, "port");
	writer_str(w, "layout", port->layout);
	write_number(w, "vlan", port->vlan);
	write_number(w, "slot", port->slot);
	write_number(w, "port", port->port);
	if (port->has_switch_mac)
		writer_mac(w, "switch_mac", &port->switch_mac);
	writer_object_end(w);
}

void option82_record(
	struct writer *w, const char *key, const struct option82 *o, const struct port_place *port)
{
	writer_object_begin(w, key);
	writer_hex(w, "raw", o->raw, o->len);
	write_span(w, "circuit_id", o, &o->circuit_id);
	write_span(w, "remote_id", o, &o->remote_id);
	write_span(w, "subscriber_id", o, &o->subscriber_id);
	write_port(w, port);
	writer_object_end(w);
}

static void write_text(struct writer *w, const char *key, const char *text)
{
	if (text && *text)
		writer_str(w, key, text);
}

static void write_ip(struct writer *w, const char *key, uint32_t ip)
{
	if (ip)
		writer_ipv4(w, key, ip);
}

static void write_identity(struct writer *w, const char *key, const struct identity *id)
{
	if (!id->uuid && !id->serial_number && !id->name)
		return;
	writer_object_begin(w, key);
	write_text(w, "uuid", id->uuid);
	write_text(w, "serial_number", id->serial_number);
	write_text(w, "name", id->name);
	writer_object_end(w);
}

static void write_id_bytes(struct writer *w, const char *key, const struct id_bytes *id)
{
	if (id->present)
		writer_opaque(w, key, id->bytes, id->len);
}

void place_record(struct writer *w, const char *key, const struct place *place)
{
	writer_object_begin(w, key);
	write_ip(w, "nas_ip", place->nas_ip);
	if (place->nas_port_id.present)
		writer_text(w, "nas_port_id", place->nas_port_id.bytes, place->nas_port_id.len);
	write_id_bytes(w, "circuit_id", &place->circuit_id);
	write_id_bytes(w, "remote_id", &place->remote_id);
	writer_object_end(w);
}

static void write_old(struct writer *w, const struct event *e)
{
	if (!e->old.has_mac && !e->old.ip && !e->old.option82)
		return;
	writer_object_begin(w, "old");
	if (e->old.has_mac)
		writer_mac(w, "mac", &e->old.mac);
	write_ip(w, "ip", e->old.ip);
	if (e->old.option82)
		option82_record(w, "option82", e->old.option82, e->old.port);
	write_identity(w, "device", &e->old.device);
	writer_object_end(w);
}

/* --- The record, in the contract's order ---------------------------------------------------------
 */

static void write_code(struct writer *w, const struct event *e)
{
	writer_str(w, "event", event_code_text(e->code));
	writer_str(w, "title", event_title(e->code));
	writer_str(w, "severity", event_severity_text(event_severity(e->code)));
}

static void write_whom(struct writer *w, const struct event *e)
{
	if (e->has_mac)
		writer_mac(w, "mac", &e->mac);
	write_ip(w, "ip", e->ip);
	write_text(w, "server", e->server);
	write_ip(w, "relay", e->relay);
	write_text(w, "group", e->group);
}

static void write_where(struct writer *w, const struct event *e)
{
	write_identity(w, "device", &e->device);
	if (e->option82 && e->option82->len > 0)
		option82_record(w, "option82", e->option82, e->port);
}

/*
 * A happening is told in several events that differ in few fields: what they have in common is put
 * into JSON once and kept until another one comes. (One thread; memory of a record's size.)
 */
struct kept {
	struct writer w; /* the fields as JSON */
	bool ready;
};

static struct {
	struct kept codes[EVENT_CODES], whom, where;
	struct event event; /* whose fields `whom` and `where` hold; texts are in `texts` */
	char texts[5][256]; /* server, group, uuid, serial_number, name */
	struct option82 option82;
	struct port_place port;
	char time[TIME_TEXT];
	int64_t time_of;
} kept;

static struct writer *keep_anew(struct kept *k)
{
	if (!k->w.base && writer_init(&k->w, -1, WRITER_JSON) < 0)
		return NULL;
	writer_clear(&k->w);
	k->w.comma = false;
	k->w.depth = 0;
	k->ready = true;
	return &k->w;
}

static void put_kept(struct writer *w, const struct kept *k)
{
	size_t len;
	const char *bytes = writer_bytes(&k->w, &len);

	writer_fields(w, bytes, len);
}

static bool text_is(const char *kept_text, const char *text)
{
	return strcmp(kept_text, text ? text : "") == 0;
}

static bool keep_text(char out[256], const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len >= 256)
		return false;
	memcpy(out, text ? text : "", len + 1);
	return true;
}

static bool whom_is_kept(const struct event *e)
{
	const struct event *k = &kept.event;

	return kept.whom.ready && k->has_mac == e->has_mac && mac_equal(&k->mac, &e->mac) &&
	       k->ip == e->ip && k->relay == e->relay && text_is(kept.texts[0], e->server) &&
	       text_is(kept.texts[1], e->group);
}

static bool keep_whom(const struct event *e)
{
	struct writer *w = keep_anew(&kept.whom);

	if (!w || !keep_text(kept.texts[0], e->server) || !keep_text(kept.texts[1], e->group))
		return kept.whom.ready = false;
	kept.event.has_mac = e->has_mac;
	kept.event.mac = e->mac;
	kept.event.ip = e->ip;
	kept.event.relay = e->relay;
	write_whom(w, e);
	return true;
}

static bool option82_is_kept(const struct option82 *o)
{
	const struct option82 *k = &kept.option82;

	return k->len == o->len &&
	       memcmp(&k->circuit_id, &o->circuit_id,
		       offsetof(struct option82, raw) - offsetof(struct option82, circuit_id)) ==
		       0 &&
	       memcmp(k->raw, o->raw, o->len) == 0;
}

static bool has_port(const struct event *e)
{
	return e->port && *e->port->layout;
}

static bool where_is_kept(const struct event *e)
{
	return kept.where.ready && e->option82 && !has_port(e) && option82_is_kept(e->option82) &&
	       text_is(kept.texts[2], e->device.uuid) &&
	       text_is(kept.texts[3], e->device.serial_number) &&
	       text_is(kept.texts[4], e->device.name);
}

static bool keep_where(const struct event *e)
{
	struct writer *w = keep_anew(&kept.where);

	if (!w || !e->option82 || has_port(e) || !keep_text(kept.texts[2], e->device.uuid) ||
		!keep_text(kept.texts[3], e->device.serial_number) ||
		!keep_text(kept.texts[4], e->device.name))
		return kept.where.ready = false;
	memcpy(&kept.option82, e->option82, offsetof(struct option82, raw) + e->option82->len);
	write_where(w, e);
	return true;
}

static void put_time(struct writer *w, int64_t time)
{
	if (kept.time_of != time || !*kept.time)
		time_format(time, kept.time);
	kept.time_of = time;
	writer_fields(w, "\"time\":\"", 8);
	writer_more(w, kept.time, TIME_TEXT - 1);
	writer_more(w, "\"", 1);
}

static void put_code(struct writer *w, const struct event *e)
{
	struct kept *k = &kept.codes[e->code];

	if (!k->ready) {
		struct writer *own = keep_anew(k);

		if (own)
			write_code(own, e);
	}
	put_kept(w, k);
}

static void write_head_json(struct writer *w, const struct event *e)
{
	put_time(w, e->time);
	writer_hex(w, "id", e->id, sizeof(e->id));
	put_code(w, e);
	if (whom_is_kept(e) || keep_whom(e))
		put_kept(w, &kept.whom);
	else
		write_whom(w, e);
	write_text(w, "client_state", e->client_state);
	write_text(w, "reason", e->reason);
	if (where_is_kept(e) || keep_where(e))
		put_kept(w, &kept.where);
	else
		write_where(w, e);
}

static void write_head(struct writer *w, const struct event *e)
{
	writer_time(w, "time", e->time);
	writer_hex(w, "id", e->id, sizeof(e->id));
	write_code(w, e);
	write_whom(w, e);
	write_text(w, "client_state", e->client_state);
	write_text(w, "reason", e->reason);
	write_where(w, e);
}

void event_write(struct writer *w, const struct event *e)
{
	writer_begin(w);
	if (w->mode == WRITER_JSON)
		write_head_json(w, e);
	else
		write_head(w, e);
	if (e->place)
		place_record(w, "place", e->place);
	if (e->hold_until)
		writer_time(w, "hold_until", e->hold_until);
	write_old(w, e);
	write_text(w, "detail", e->detail);
	writer_end(w);
}
