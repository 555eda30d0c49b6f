/* SPDX-License-Identifier: ISC
 *
 * Sub-options of option 82 as a table: RFC 3046, 3256, 3527, 3993, 4014, 4030, 4243, 5010, 5107,
 * 6607, 6925, 7839, 8357, and Cisco's of the time before.
 */
#include <stdio.h>

#include "tap82/layout.h"
#include "tap82/option82.h"

#define ANY UINT16_MAX /* no limit: a message is not longer */

struct row {
	const char *name;
	uint16_t min, max; /* bytes */
	/* NULL: opaque bytes, as hex and as text */
	void (*show)(struct writer *w, const char *key, struct buf value);
	/* What the length alone does not say, e.g. records inside; notes problems. */
	void (*check)(struct option82_info *o, struct buf value);
};

static void show_u8(struct writer *w, const char *key, struct buf value)
{
	writer_u64(w, key, buf_u8(&value));
}

static void show_u32(struct writer *w, const char *key, struct buf value)
{
	writer_u64(w, key, buf_u32(&value));
}

static void show_ipv4(struct writer *w, const char *key, struct buf value)
{
	writer_ipv4(w, key, buf_u32(&value));
}

static void show_text(struct writer *w, const char *key, struct buf value)
{
	writer_text(w, key, value.p, buf_left(&value));
}

static void show_mac(struct writer *w, const char *key, struct buf value)
{
	struct mac mac;

	buf_copy(&value, mac.b, sizeof(mac.b));
	writer_mac(w, key, &mac);
}

/* RFC 4030 section 3: what is signed, how, by which relay. */
static void show_authentication(struct writer *w, const char *key, struct buf value)
{
	writer_object_begin(w, key);
	writer_u64(w, "algorithm", buf_u8(&value));
	writer_u64(w, "rdm", buf_u8(&value) & 15);
	writer_hex(w, "replay_detection", buf_take(&value, 8), 8);
	writer_hex32(w, "relay_id", buf_u32(&value));
	writer_hex(w, "information", value.p, buf_left(&value));
	writer_object_end(w);
}

/* RFC 4243 section 4: enterprise number, length, data; repeated. */
static bool next_vendor(struct buf *value, uint32_t *ret_enterprise, struct buf *ret_data)
{
	*ret_enterprise = buf_u32(value);
	*ret_data = buf_child(value, buf_u8(value));
	return !value->bad;
}

static void show_vendor(struct writer *w, const char *key, struct buf value)
{
	uint32_t enterprise;
	struct buf data;

	writer_list_begin(w, key);
	while (buf_left(&value) > 0 && next_vendor(&value, &enterprise, &data)) {
		writer_object_begin(w, NULL);
		writer_u64(w, "enterprise", enterprise);
		writer_opaque(w, "data", data.p, buf_left(&data));
		writer_object_end(w);
	}
	writer_list_end(w);
}

static void check_vendor(struct option82_info *o, struct buf value)
{
	uint32_t enterprise;
	struct buf data;

	while (buf_left(&value) > 0)
		next_vendor(&value, &enterprise, &data);
	if (value.bad)
		problem_add(o->problems, "option 82: sub-option 9 overruns", 0, 0, 0);
}

static void check_radius(struct option82_info *o, struct buf value)
{
	radius_read_attributes(&o->radius, value, o->problems);
}

/* RFC 7839 4.5: eight reserved bits, then the type. */
static void show_access_technology(struct writer *w, const char *key, struct buf value)
{
	writer_u64(w, key, buf_u16(&value) & 255);
}

/* RFC 6607 section 3.5: type 0 a name, 1 an RFC 2685 VPN-ID, 255 the global one. */
static void show_vss(struct writer *w, const char *key, struct buf value)
{
	writer_object_begin(w, key);
	writer_u64(w, "type", buf_u8(&value));
	if (buf_left(&value) > 0)
		writer_opaque(w, "vpn", value.p, buf_left(&value));
	writer_object_end(w);
}

/* Sub-option 7 has been read by check_radius(); the writer of the whole has it. */
static const struct row rows[256] = {
	[1] = {"circuit_id", 0, ANY, NULL, NULL},
	[2] = {"remote_id", 0, ANY, NULL, NULL},
	[4] = {"docsis_device_class", 4, 4, show_u32, NULL},
	[5] = {"link_selection", 4, 4, show_ipv4, NULL},
	[6] = {"subscriber_id", 0, ANY, NULL, NULL},
	[7] = {"radius", 2, ANY, NULL, check_radius},
	[8] = {"authentication", 14, ANY, show_authentication, NULL},
	[9] = {"vendor", 5, ANY, show_vendor, check_vendor},
	[10] = {"flags", 1, 1, show_u8, NULL},
	[11] = {"server_override", 4, 4, show_ipv4, NULL},
	[12] = {"relay_id", 0, ANY, NULL, NULL},
	[13] = {"access_technology", 2, 2, show_access_technology, NULL},
	[14] = {"network_name", 0, ANY, show_text, NULL},
	[15] = {"access_point_name", 0, ANY, show_text, NULL},
	[16] = {"access_point_bssid", 6, 6, show_mac, NULL},
	[17] = {"operator_id", 4, 4, show_u32, NULL},
	[18] = {"operator_realm", 0, ANY, show_text, NULL},
	[19] = {"relay_port", 0, 0, NULL, NULL},
	[150] = {"cisco_link_selection", 4, 4, show_ipv4, NULL},
	[151] = {"vss", 1, ANY, show_vss, NULL},
	[152] = {"vss_control", 0, 0, NULL, NULL},
};

/* Cisco's server override came before RFC 6607 gave its code to an empty sub-option. */
static const struct row cisco_server_override = {"cisco_server_override", 4, 4, show_ipv4, NULL};

static inline bool row_fits(const struct row *row, uint32_t len)
{
	return !row->name || (len >= row->min && len <= row->max);
}

/* The row that fits code and length, or NULL: the length is wrong. */
static const struct row *row_of(const struct option *o)
{
	const struct row *row = &rows[o->code];

	if (row_fits(row, o->len))
		return row;
	return o->code == 152 && o->len == 4 ? &cisco_server_override : NULL;
}

static void check(struct option82_info *o, const struct option *sub)
{
	const struct row *row = row_of(sub);

	if (!row)
		problem_add(
			o->problems, "option 82: sub-option %u: length %u", sub->code, sub->len, 0);
	else if (row->check)
		row->check(o, buf_of(sub->bytes, sub->len));
}

void option82_decode(struct option82_info *o, struct buf raw, struct problems *problems)
{
	uint8_t code = 0;

	o->raw = raw;
	o->problems = problems;
	options_reset(&o->subs);
	if (options_gather_sub(&o->subs, &raw, &code) == OPTIONS_OVERRUN)
		problem_add(problems, "option 82: sub-option %u overruns", code, 0, 0);
	if (o->subs.repeats) {
		options_place(&o->subs, o->joined);
		options_copy_sub(&o->subs, &raw, o->joined);
	}
	for (unsigned i = 0; i < o->subs.count; i++)
		check(o, &o->subs.item[i]);
}

struct buf option82_find(const struct option82_info *o, uint8_t code)
{
	const struct option *sub = options_find(&o->subs, code);

	if (!sub || !row_of(sub))
		return (struct buf){.bad = true};
	return buf_of(sub->bytes, sub->len);
}

static void write_unknown(struct writer *w, const struct option *sub)
{
	char key[16];

	snprintf(key, sizeof(key), "sub_%u", sub->code);
	writer_opaque(w, key, sub->bytes, sub->len);
}

static void write_sub(struct writer *w, const struct option82_info *o, const struct option *sub)
{
	const struct row *row = row_of(sub);

	if (!row)
		return;
	if (!row->name) {
		write_unknown(w, sub);
	} else if (sub->code == OPTION82_RADIUS) {
		writer_object_begin(w, row->name);
		radius_write(w, &o->radius);
		writer_object_end(w);
	} else if (row->show) {
		row->show(w, row->name, buf_of(sub->bytes, sub->len));
	} else {
		writer_opaque(w, row->name, sub->bytes, sub->len);
	}
}

static void write_place(struct writer *w, const struct port_place *place)
{
	writer_object_begin(w, "port");
	port_place_write(w, place);
	writer_object_end(w);
}

void option82_write(struct writer *w, const struct option82_info *o, const struct port_place *place)
{
	writer_hex(w, "raw", o->raw.p, buf_left(&o->raw));
	for (unsigned i = 0; i < o->subs.count; i++)
		write_sub(w, o, &o->subs.item[i]);
	if (place && place->layout[0])
		write_place(w, place);
}

/* An id in several pieces is no switch's way to name a port: decode shows it joined, the engine
 * gets the raw value and no id. */
static void observe_span(
	const struct option82_info *o, uint8_t code, struct option82 *out, struct span *span)
{
	const struct option *sub = options_find(&o->subs, code);
	size_t at;

	if (!sub)
		return;
	at = sub->repeated ? 0 : (size_t)(sub->bytes - o->raw.p);
	if (sub->repeated || at + sub->len > out->len) {
		out->cut = true;
		return;
	}
	*span = (struct span){.at = (uint16_t)at, .len = (uint16_t)sub->len, .present = true};
}

void option82_observe(const struct option82_info *o, struct option82 *out)
{
	size_t len = buf_left(&o->raw);

	*out = (struct option82){.cut = len > sizeof(out->raw)};
	out->len = (uint16_t)(out->cut ? sizeof(out->raw) : len);
	if (len > 0)
		memcpy(out->raw, o->raw.p, out->len);
	observe_span(o, OPTION82_CIRCUIT_ID, out, &out->circuit_id);
	observe_span(o, OPTION82_REMOTE_ID, out, &out->remote_id);
	observe_span(o, OPTION82_SUBSCRIBER_ID, out, &out->subscriber_id);
}
