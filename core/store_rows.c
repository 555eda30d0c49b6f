/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "store_sql.h"
#include "tap82/err.h"

static void bind_optional(struct store_bind *b, bool present, const void *bytes, size_t len)
{
	if (present)
		bind_blob(b, bytes, len);
	else
		bind_null(b);
}

/* The columns of version 2, in three parts. */
static void bind_acked(struct store_bind *b, const struct device_row *row)
{
	bind_int(b, row->acked_at);
	bind_text(b, row->acked_server);
	bind_int(b, row->xid);
	bind_int(b, row->hold_xid);
}

static void bind_told(struct store_bind *b, const struct device_row *row)
{
	bind_int(b, row->told_ip);
	bind_int(b, row->failed_ip);
	bind_int(b, row->first_ip);
	bind_int(b, row->reason);
	bind_int(b, row->moved_at);
	bind_int(b, (int64_t)row->mismatch);
	bind_int(b, row->stopped_at);
	bind_int(b, row->stopped_ip);
	bind_int(b, row->stopped_server_id);
	bind_int(b, row->stopped_relay);
	bind_int(b, row->stopped_xid);
}

static void bind_place(struct store_bind *b, const struct port_place *place)
{
	bind_text(b, place->layout);
	bind_int(b, place->vlan);
	bind_int(b, place->slot);
	bind_int(b, place->port);
	bind_optional(b, place->has_switch_mac, place->switch_mac.b, sizeof(place->switch_mac.b));
}

int store_put_device(struct store *store, const struct device_row *row)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_PUT_DEVICE, &b);

	if (r < 0)
		return r;
	bind_mac(&b, &row->mac);
	bind_text(&b, row->serial_number);
	bind_text(&b, row->uuid);
	bind_text(&b, row->name);
	bind_text(&b, row->group);
	bind_int(&b, row->line);
	bind_int(&b, row->inventory_ip);
	bind_mac(&b, &row->replaces);
	bind_int(&b, row->ip);
	bind_int(&b, row->state);
	bind_int(&b, row->flags);
	bind_int(&b, row->lease_time);
	bind_int(&b, row->relay);
	bind_int(&b, row->last_seen);
	bind_int(&b, row->profile_seen_at);
	bind_int(&b, row->hold_until);
	bind_optional(&b, row->has_circuit_id, row->circuit_id, row->circuit_id_len);
	bind_optional(&b, row->has_remote_id, row->remote_id, row->remote_id_len);
	bind_optional(&b, row->option82_len > 0, row->option82, row->option82_len);
	bind_acked(&b, row);
	bind_told(&b, row);
	bind_place(&b, &row->place);
	return store_run(store, &b);
}

static uint32_t column_u32(struct store_columns *c)
{
	return (uint32_t)column_int(c, 0, UINT32_MAX);
}

static void read_acked(struct store_columns *c, struct device_row *row)
{
	row->acked_at = column_int(c, INT64_MIN, INT64_MAX);
	column_text(c, row->acked_server, sizeof(row->acked_server));
	row->xid = column_u32(c);
	row->hold_xid = column_u32(c);
}

static void read_told(struct store_columns *c, struct device_row *row)
{
	row->told_ip = column_u32(c);
	row->failed_ip = column_u32(c);
	row->first_ip = column_u32(c);
	row->reason = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->moved_at = column_int(c, INT64_MIN, INT64_MAX);
	row->mismatch = (uint64_t)column_int(c, INT64_MIN, INT64_MAX);
	row->stopped_at = column_int(c, INT64_MIN, INT64_MAX);
	row->stopped_ip = column_u32(c);
	row->stopped_server_id = column_u32(c);
	row->stopped_relay = column_u32(c);
	row->stopped_xid = column_u32(c);
}

static void read_place(struct store_columns *c, struct port_place *place)
{
	size_t len;

	column_text(c, place->layout, sizeof(place->layout));
	place->vlan = (int32_t)column_int(c, INT32_MIN, INT32_MAX);
	place->slot = (int32_t)column_int(c, INT32_MIN, INT32_MAX);
	place->port = (int32_t)column_int(c, INT32_MIN, INT32_MAX);
	len = column_blob(
		c, place->switch_mac.b, sizeof(place->switch_mac.b), &place->has_switch_mac);
	c->bad = c->bad || (place->has_switch_mac && len != sizeof(place->switch_mac.b));
}

void store_read_device(struct store_columns *c, struct device_row *row)
{
	bool present;

	column_mac(c, &row->mac);
	column_text(c, row->serial_number, sizeof(row->serial_number));
	column_text(c, row->uuid, sizeof(row->uuid));
	column_text(c, row->name, sizeof(row->name));
	column_text(c, row->group, sizeof(row->group));
	row->line = column_u32(c);
	row->inventory_ip = column_u32(c);
	column_mac(c, &row->replaces);
	row->ip = column_u32(c);
	row->state = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->flags = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->lease_time = column_u32(c);
	row->relay = column_u32(c);
	row->last_seen = column_int(c, INT64_MIN, INT64_MAX);
	row->profile_seen_at = column_int(c, INT64_MIN, INT64_MAX);
	row->hold_until = column_int(c, INT64_MIN, INT64_MAX);
	row->circuit_id_len = (uint8_t)column_blob(
		c, row->circuit_id, sizeof(row->circuit_id), &row->has_circuit_id);
	row->remote_id_len = (uint8_t)column_blob(
		c, row->remote_id, sizeof(row->remote_id), &row->has_remote_id);
	row->option82_len =
		(uint16_t)column_blob(c, row->option82, sizeof(row->option82), &present);
	read_acked(c, row);
	read_told(c, row);
	read_place(c, &row->place);
}

int store_each_device(struct store *store, store_device_fn fn, void *ctx)
{
	struct device_row row;
	struct store_bind b;
	int r = store_prepare(store, STORE_EACH_DEVICE, &b);

	if (r < 0)
		return r;
	memset(&row, 0, sizeof(row));
	while ((r = store_next(store, &b)) == 1) {
		struct store_columns c = {.stmt = b.stmt};

		store_read_device(&c, &row);
		r = c.bad ? store_bad_row(store, "device") : fn(ctx, &row);
		if (r == 0)
			continue;
		store_stop(&b);
		break;
	}
	return r;
}

int store_count_devices(struct store *store, uint32_t *ret_count)
{
	struct store_columns c;
	struct store_bind b;
	int r = store_prepare(store, STORE_COUNT_DEVICES, &b);

	if (r < 0)
		return r;
	r = store_next(store, &b);
	if (r != 1)
		return r < 0 ? r : ERR_NOT_FOUND;
	c = (struct store_columns){.stmt = b.stmt};
	*ret_count = column_u32(&c);
	store_stop(&b);
	return 0;
}

int store_delete_device(struct store *store, const struct mac *mac)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_DELETE_DEVICE, &b);

	if (r < 0)
		return r;
	bind_mac(&b, mac);
	return store_run(store, &b);
}

int store_put_reservation(struct store *store, const struct reservation_row *row)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_PUT_RESERVATION, &b);

	if (r < 0)
		return r;
	bind_mac(&b, &row->mac);
	bind_text(&b, row->server);
	bind_int(&b, row->ip);
	bind_int(&b, row->old_ip);
	bind_mac(&b, &row->old_mac);
	bind_int(&b, row->mode);
	bind_int(&b, row->state);
	bind_int(&b, row->purpose);
	bind_int(&b, row->flags);
	bind_int(&b, row->tries);
	bind_int(&b, row->since);
	bind_int(&b, row->next_at);
	bind_text(&b, row->error);
	bind_int(&b, row->xid);
	bind_int(&b, row->relay);
	bind_int(&b, row->maybe_ip);
	bind_int(&b, row->sent_ip);
	return store_run(store, &b);
}

void store_read_reservation(struct store_columns *c, struct reservation_row *row)
{
	column_mac(c, &row->mac);
	column_text(c, row->server, sizeof(row->server));
	row->ip = column_u32(c);
	row->old_ip = column_u32(c);
	column_mac(c, &row->old_mac);
	row->mode = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->state = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->purpose = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->flags = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->tries = column_u32(c);
	row->since = column_int(c, INT64_MIN, INT64_MAX);
	row->next_at = column_int(c, INT64_MIN, INT64_MAX);
	column_text(c, row->error, sizeof(row->error));
	row->xid = column_u32(c);
	row->relay = column_u32(c);
	row->maybe_ip = column_u32(c);
	row->sent_ip = column_u32(c);
}

int store_each_reservation(struct store *store, store_reservation_fn fn, void *ctx)
{
	struct reservation_row row;
	struct store_bind b;
	int r = store_prepare(store, STORE_EACH_RESERVATION, &b);

	if (r < 0)
		return r;
	memset(&row, 0, sizeof(row));
	while ((r = store_next(store, &b)) == 1) {
		struct store_columns c = {.stmt = b.stmt};

		store_read_reservation(&c, &row);
		r = c.bad ? store_bad_row(store, "reservation") : fn(ctx, &row);
		if (r == 0)
			continue;
		store_stop(&b);
		break;
	}
	return r;
}

int store_delete_reservation(struct store *store, const struct mac *mac, const char *server)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_DELETE_RESERVATION, &b);

	if (r < 0)
		return r;
	bind_mac(&b, mac);
	bind_text(&b, server);
	return store_run(store, &b);
}

int store_put_fact(struct store *store, const char *key, const void *value, size_t len)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_PUT_FACT, &b);

	if (r < 0)
		return r;
	bind_text(&b, key);
	bind_blob(&b, value, len);
	return store_run(store, &b);
}

int store_get_fact(struct store *store, const char *key, void *value, size_t size)
{
	struct store_columns c;
	struct store_bind b;
	bool present;
	int r = store_prepare(store, STORE_GET_FACT, &b);

	if (r < 0)
		return r;
	bind_text(&b, key);
	r = store_next(store, &b);
	if (r <= 0)
		return r < 0 ? r : ERR_NOT_FOUND;
	c = (struct store_columns){.stmt = b.stmt};
	r = (int)column_blob(&c, value, size, &present);
	store_stop(&b);
	return c.bad ? ERR_FULL : r;
}
