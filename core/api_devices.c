/* SPDX-License-Identifier: ISC */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_call.h"
#include "tap82/err.h"

#define SLICE 200 /* records written before the peer must take them */

/* --- A device as JSON text ------------------------------------------------------------------- */

/* A row that is being read: texts are borrowed from the JSON, bytes are kept here. */
struct reading {
	const struct conf *conf;
	struct inventory_row row;
	struct mac replaces;
	bool has_mac, has_replaces;
	uint8_t circuit_id[255], remote_id[255];
	const char *field; /* that is wrong */
	char why[256];
};

static int wrong(struct reading *r, const char *field, const char *why)
{
	r->field = field;
	snprintf(r->why, sizeof(r->why), "%s", why);
	return ERR_SYNTAX;
}

static int read_mac(struct reading *r, const char *text)
{
	r->has_mac = true;
	return mac_parse(text, strlen(text), &r->row.mac);
}

static int read_serial_number(struct reading *r, const char *text)
{
	r->row.serial_number = text;
	return 0;
}

static int read_uuid(struct reading *r, const char *text)
{
	r->row.uuid = text;
	return 0;
}

static int read_name(struct reading *r, const char *text)
{
	r->row.name = text;
	return 0;
}

static int read_group(struct reading *r, const char *text)
{
	r->row.group = text;
	return 0;
}

static int read_ip(struct reading *r, const char *text)
{
	return *text ? ipv4_parse(text, strlen(text), &r->row.ip) : 0;
}

static int read_id(const char *text, uint8_t *bytes, const uint8_t **ret, uint8_t *ret_len)
{
	int n = conf_id_parse(text, strlen(text), bytes, 255);

	if (n < 0)
		return n;
	*ret = *text ? bytes : NULL;
	*ret_len = (uint8_t)n;
	return 0;
}

static int read_circuit_id(struct reading *r, const char *text)
{
	return read_id(text, r->circuit_id, &r->row.circuit_id, &r->row.circuit_id_len);
}

static int read_remote_id(struct reading *r, const char *text)
{
	return read_id(text, r->remote_id, &r->row.remote_id, &r->row.remote_id_len);
}

static int read_replaces(struct reading *r, const char *text)
{
	r->has_replaces = true;
	return mac_parse(text, strlen(text), &r->replaces);
}

static const struct {
	const char *name;
	int (*read)(struct reading *r, const char *text);
} fields[] = {
	{"mac", read_mac},
	{"serial_number", read_serial_number},
	{"uuid", read_uuid},
	{"name", read_name},
	{"ip", read_ip},
	{"circuit_id", read_circuit_id},
	{"remote_id", read_remote_id},
	{"group", read_group},
	{"replaces", read_replaces},
};

static int read_field(struct reading *r, const char *name, const json_t *value)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(fields[i].name, name) != 0)
			continue;
		if (!json_is_string(value))
			return wrong(r, fields[i].name, "must be a text");
		if (fields[i].read(r, json_string_value(value)) < 0)
			return wrong(r, fields[i].name, "has a wrong form");
		return 0;
	}
	snprintf(r->why, sizeof(r->why), "%s: no such field", name);
	r->field = "body";
	return ERR_SYNTAX;
}

static void keep_problem(void *ctx, const char *text)
{
	struct reading *r = ctx;

	if (!r->why[0])
		snprintf(r->why, sizeof(r->why), "%s", text);
}

/* Which column a problem's text speaks of, for `field`. */
static const char *field_in(const char *text)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strstr(text, fields[i].name))
			return fields[i].name;
	return NULL;
}

static int read_device(struct reading *r, json_t *json)
{
	const char *name;
	json_t *value;

	r->row.serial_number = r->row.uuid = r->row.name = r->row.group = "";
	if (!json_is_object(json))
		return wrong(r, "body", "must be a JSON object");
	json_object_foreach(json, name, value)
	{
		if (read_field(r, name, value) < 0)
			return ERR_SYNTAX;
	}
	if (!r->row.serial_number[0])
		return wrong(r, "serial_number", "is required");
	if (inventory_row_check(&r->row, r->conf, keep_problem, r) < 0) {
		r->field = field_in(r->why);
		return ERR_SYNTAX;
	}
	return 0;
}

/* 1: new; 0: changed; negative: the call was answered. */
static int put_device(struct call *call, struct reading *r)
{
	const char *field = NULL;
	int n = engine_put_device(call->api->engine, &r->row, r->has_replaces ? &r->replaces : NULL,
		&field, call->now);

	if (n == ERR_DUPLICATE)
		call_error(call, 409, field, "another device has it");
	else if (n == ERR_NOT_FOUND)
		call_error(call, 409, "replaces", "no such device");
	else if (n < 0)
		call_error(call, 503, NULL, "%s", err_text(n));
	return n;
}

static void reply_device(struct call *call, int status)
{
	writer_clear(&call->api->writer);
	if (engine_device_write(call->api->engine, &call->mac, &call->api->writer) < 0)
		call_error(call, 404, "mac", "no such device");
	else
		call_reply_committed(call, status);
}

void api_device_put(struct call *call)
{
	struct reading r = {.conf = call->api->conf, .row.mac = call->mac};
	json_t *json = json_loadb(call->r->body, call->r->body_len, JSON_REJECT_DUPLICATES, NULL);
	int n;

	if (!json) {
		call_error(call, 400, "body", "is no JSON");
		return;
	}
	if (read_device(&r, json) < 0) {
		call_error(call, 400, r.field, "%s", r.why);
	} else if (r.has_mac && !mac_equal(&r.row.mac, &call->mac)) {
		call_error(call, 400, "mac", "is not the one of the path");
	} else {
		n = put_device(call, &r);
		if (n >= 0)
			reply_device(call, n == 1 ? 201 : 200);
	}
	json_decref(json);
}

/* Many devices: a JSON array. The first one that is wrong ends it; those before it stay. */
void api_devices_import(struct call *call)
{
	json_t *json = json_loadb(call->r->body, call->r->body_len, JSON_REJECT_DUPLICATES, NULL);
	size_t i, made = 0;
	json_t *one;
	int n = 0;

	if (!json_is_array(json)) {
		call_error(call, 400, "body", "must be a JSON array of devices");
		json_decref(json);
		return;
	}
	json_array_foreach(json, i, one)
	{
		struct reading r = {.conf = call->api->conf};

		n = read_device(&r, one);
		if (n == 0 && !r.has_mac)
			n = wrong(&r, "mac", "is required");
		if (n < 0)
			call_error(call, 400, r.field, "device %zu: %s", i + 1, r.why);
		else
			n = put_device(call, &r);
		if (n < 0)
			break;
		made += n == 1;
	}
	if (n >= 0) {
		writer_begin(&call->api->writer);
		writer_u64(&call->api->writer, "created", made);
		writer_u64(&call->api->writer, "changed", json_array_size(json) - made);
		writer_end(&call->api->writer);
		call_reply_committed(call, 200);
	}
	json_decref(json);
}

/* --- The other device routes ----------------------------------------------------------------- */

static int devices_slice(struct api *api, const char *state, uint32_t *cursor)
{
	return engine_devices_write(api->engine, state, cursor, SLICE, &api->writer);
}

void api_devices_list(struct call *call)
{
	static const char *const states[] = {"new", "reserving", "provisioned", "failed"};
	char state[32];
	int r = http_query_get(call->r->query, "state", state, sizeof(state));

	if (r == ERR_NOT_FOUND) {
		call_stream_list(call, devices_slice, NULL);
		return;
	}
	for (size_t i = 0; r > 0 && i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(state, states[i]) == 0) {
			call_stream_list(call, devices_slice, state);
			return;
		}
	}
	call_error(call, 400, "state", "must be new, reserving, provisioned or failed");
}

void api_device_get(struct call *call)
{
	if (engine_device_write(call->api->engine, &call->mac, &call->api->writer) < 0)
		call_error(call, 404, "mac", "no such device");
	else
		call_reply(call, 200, "application/json");
}

void api_device_delete(struct call *call)
{
	if (engine_remove_device(call->api->engine, &call->mac, call->now) < 0) {
		call_error(call, 404, "mac", "no such device");
		return;
	}
	writer_begin(&call->api->writer);
	writer_mac(&call->api->writer, "mac", &call->mac);
	writer_bool(&call->api->writer, "removed", true);
	writer_end(&call->api->writer);
	call_reply_committed(call, 200);
}

void api_device_explain(struct call *call)
{
	struct api *api = call->api;

	if (engine_explain_write(api->engine, &call->mac, &api->writer, call->now) < 0)
		call_error(call, 404, "mac", "never seen, and in no table");
	else
		call_reply(call, 200, "application/json");
}

void api_unknown_list(struct call *call)
{
	engine_unknown_write(call->api->engine, &call->api->writer);
	call_reply_list(call);
}

static int reservations_slice(struct api *api, const char *state, uint32_t *cursor)
{
	(void)state;
	return engine_reservations_write(api->engine, cursor, SLICE, &api->writer);
}

void api_reservations_list(struct call *call)
{
	call_stream_list(call, reservations_slice, NULL);
}

static void reply_reservation(struct call *call, int err)
{
	if (err == ERR_NOT_FOUND)
		call_error(call, 404, "mac", "no such device");
	else if (err == ERR_MISSING)
		call_error(call, 409, "ip", "the device has no address to reserve");
	else if (err < 0)
		call_error(call, 503, NULL, "%s", err_text(err));
	else
		reply_device(call, 202);
}

void api_reservation_retry(struct call *call)
{
	reply_reservation(call, engine_retry(call->api->engine, &call->mac, call->now));
	call->api->ops->retry(call->api->ctx);
}

void api_reservation_release(struct call *call)
{
	reply_reservation(call, engine_release(call->api->engine, &call->mac, call->now));
}

/* --- Reconciling ----------------------------------------------------------------------------- */

/* The body, if there is one: an array of MACs that may have a host of ours. */
static int read_macs(struct call *call, const json_t *json, struct mac *macs)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json, i, one)
	{
		const char *text = json_string_value(one);

		if (!text || mac_parse(text, strlen(text), &macs[i]) < 0) {
			call_error(call, 400, "body", "element %zu is no MAC address", i + 1);
			return ERR_SYNTAX;
		}
	}
	return 0;
}

void api_reconcile(struct call *call)
{
	struct api *api = call->api;
	json_t *json = json_loadb(call->r->body, call->r->body_len, 0, NULL);
	size_t count = json_array_size(json);
	struct mac *macs = calloc(count + 1, sizeof(*macs));
	int err = ERR_FULL;

	if (call->r->body_len > 0 && !json_is_array(json)) {
		call_error(call, 400, "body", "must be a JSON array of MAC addresses");
	} else if (!macs || read_macs(call, json, macs) == 0) {
		if (macs)
			err = api->ops->reconcile(api->ctx, call->x, call_flag(call, "fix"),
				call_flag(call, "progress"), macs, count);
		if (err == ERR_DUPLICATE)
			call_error(call, 409, NULL, "reservations are being reconciled already");
		else if (err < 0)
			call_error(call, 503, NULL, "too many requests at once");
	}
	free(macs);
	json_decref(json);
}
