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
	return store_run(store, &b);
}

void store_read_device(struct store_columns *c, struct device_row *row)
{
	bool present;

	column_mac(c, &row->mac);
	column_text(c, row->serial_number, sizeof(row->serial_number));
	column_text(c, row->uuid, sizeof(row->uuid));
	column_text(c, row->name, sizeof(row->name));
	column_text(c, row->group, sizeof(row->group));
	row->line = (uint32_t)column_int(c, 0, UINT32_MAX);
	row->inventory_ip = (uint32_t)column_int(c, 0, UINT32_MAX);
	column_mac(c, &row->replaces);
	row->ip = (uint32_t)column_int(c, 0, UINT32_MAX);
	row->state = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->flags = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->lease_time = (uint32_t)column_int(c, 0, UINT32_MAX);
	row->relay = (uint32_t)column_int(c, 0, UINT32_MAX);
	row->last_seen = column_int(c, INT64_MIN, INT64_MAX);
	row->profile_seen_at = column_int(c, INT64_MIN, INT64_MAX);
	row->hold_until = column_int(c, INT64_MIN, INT64_MAX);
	row->circuit_id_len = (uint8_t)column_blob(
		c, row->circuit_id, sizeof(row->circuit_id), &row->has_circuit_id);
	row->remote_id_len = (uint8_t)column_blob(
		c, row->remote_id, sizeof(row->remote_id), &row->has_remote_id);
	row->option82_len =
		(uint16_t)column_blob(c, row->option82, sizeof(row->option82), &present);
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
	return store_run(store, &b);
}

void store_read_reservation(struct store_columns *c, struct reservation_row *row)
{
	column_mac(c, &row->mac);
	column_text(c, row->server, sizeof(row->server));
	row->ip = (uint32_t)column_int(c, 0, UINT32_MAX);
	row->old_ip = (uint32_t)column_int(c, 0, UINT32_MAX);
	column_mac(c, &row->old_mac);
	row->mode = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->state = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->purpose = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->flags = (uint8_t)column_int(c, 0, UINT8_MAX);
	row->tries = (uint32_t)column_int(c, 0, UINT32_MAX);
	row->since = column_int(c, INT64_MIN, INT64_MAX);
	row->next_at = column_int(c, INT64_MIN, INT64_MAX);
	column_text(c, row->error, sizeof(row->error));
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
