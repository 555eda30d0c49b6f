/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "store_sql.h"
#include "tap82/err.h"

int store_put_event(struct store *store, const struct event_row *row)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_PUT_EVENT, &b);

	if (r < 0)
		return r;
	bind_blob(&b, row->id, sizeof(row->id));
	bind_int(&b, row->time);
	bind_mac(&b, &row->mac);
	bind_text(&b, row->code);
	b.code = b.code ? b.code
			: sqlite3_bind_text64(b.stmt, b.next, row->json, row->json_len,
				  SQLITE_STATIC, SQLITE_UTF8);
	r = store_run(store, &b);
	return r < 0 ? r : sqlite3_changes(store->db) > 0;
}

int store_event_time(struct store *store, const uint8_t id[EVENT_ID_BYTES], int64_t *ret_time)
{
	struct store_columns c;
	struct store_bind b;
	int r = store_prepare(store, STORE_EVENT_TIME, &b);

	if (r < 0)
		return r;
	bind_blob(&b, id, EVENT_ID_BYTES);
	r = store_next(store, &b);
	if (r != 1)
		return r < 0 ? r : ERR_NOT_FOUND;
	c = (struct store_columns){.stmt = b.stmt};
	*ret_time = column_int(&c, INT64_MIN, INT64_MAX);
	store_stop(&b);
	return 0;
}

void store_read_event(struct store_columns *c, struct event_row *row)
{
	bool present;

	if (column_blob(c, row->id, sizeof(row->id), &present) != sizeof(row->id))
		c->bad = true;
	row->time = column_int(c, INT64_MIN, INT64_MAX);
	column_mac(c, &row->mac);
	row->code = (const char *)sqlite3_column_text(c->stmt, c->next++);
	row->json = (const char *)sqlite3_column_text(c->stmt, c->next);
	row->json_len = (size_t)sqlite3_column_bytes(c->stmt, c->next++);
	if (!row->code || !row->json)
		c->bad = true;
}

static int prepare_walk(struct store *store, int64_t since, const struct mac *mac, const char *code,
	size_t limit, struct store_bind *b)
{
	int r = store_prepare(store,
		mac	? limit ? STORE_LAST_EVENTS_OF_MAC : STORE_EACH_EVENT_OF_MAC
		: limit ? STORE_LAST_EVENTS
			: STORE_EACH_EVENT,
		b);

	if (r < 0)
		return r;
	bind_int(b, since);
	if (code)
		bind_text(b, code);
	else
		bind_null(b);
	if (limit)
		bind_int(b, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	b->next = 4;
	if (mac)
		bind_mac(b, mac);
	return 0;
}

static int walk_rows(struct store *store, struct store_bind *b, store_event_fn fn, void *ctx)
{
	struct event_row row = {0};
	int r;

	while ((r = store_next(store, b)) == 1) {
		struct store_columns c = {.stmt = b->stmt};

		store_read_event(&c, &row);
		r = c.bad ? store_bad_row(store, "event") : fn(ctx, &row);
		if (r == 0)
			continue;
		store_stop(b);
		break;
	}
	return r;
}

int store_each_told(struct store *store, const char *code, int64_t since, size_t limit,
	store_event_fn fn, void *ctx)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_EACH_TOLD, &b);

	if (r < 0)
		return r;
	bind_text(&b, code);
	bind_int(&b, since);
	bind_int(&b, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	return walk_rows(store, &b, fn, ctx);
}

int store_each_event(struct store *store, int64_t since, const struct mac *mac, const char *code,
	size_t limit, store_event_fn fn, void *ctx)
{
	struct store_bind b;
	int r = prepare_walk(store, since, mac, code, limit, &b);

	return r < 0 ? r : walk_rows(store, &b, fn, ctx);
}

int store_walk_behind(
	struct store *store, const uint8_t id[EVENT_ID_BYTES], struct event_walk *walk)
{
	struct store_columns c;
	struct store_bind b;
	int r = store_prepare(store, STORE_EVENT_SEQ, &b);

	if (r < 0)
		return r;
	bind_blob(&b, id, EVENT_ID_BYTES);
	r = store_next(store, &b);
	if (r != 1)
		return r < 0 ? r : ERR_NOT_FOUND;
	c = (struct store_columns){.stmt = b.stmt};
	walk->seq = column_int(&c, 1, INT64_MAX);
	store_stop(&b);
	return 0;
}

/* No event is that young: min() is NULL, which reads as 0, and the walk passes over all. */
int store_walk_begin(struct store *store, struct event_walk *walk)
{
	struct store_columns c;
	struct store_bind b;
	int r;

	walk->seq = 0;
	if (walk->since == 0)
		return 0;
	r = store_prepare(store, STORE_FIRST_SEQ, &b);
	if (r < 0)
		return r;
	bind_int(&b, walk->since);
	r = store_next(store, &b);
	if (r != 1)
		return r;
	c = (struct store_columns){.stmt = b.stmt};
	walk->seq = column_int(&c, 0, INT64_MAX);
	walk->seq -= walk->seq > 0;
	store_stop(&b);
	return 0;
}

static bool walk_wants(const struct event_walk *walk, const struct event_row *row)
{
	return row->time >= walk->since && (!walk->code || strcmp(walk->code, row->code) == 0);
}

static int walk_prepare(
	struct store *store, const struct event_walk *walk, size_t limit, struct store_bind *b)
{
	int r = store_prepare(
		store, walk->mac ? STORE_EVENTS_BEHIND_OF_MAC : STORE_EVENTS_BEHIND, b);

	if (r < 0)
		return r;
	bind_int(b, walk->seq);
	bind_int(b, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	if (walk->mac)
		bind_mac(b, walk->mac);
	return 0;
}

int store_walk_events(
	struct store *store, struct event_walk *walk, size_t limit, store_event_fn fn, void *ctx)
{
	struct event_row row = {0};
	size_t looked = 0;
	struct store_bind b;
	int r = walk_prepare(store, walk, limit, &b);

	while (r == 0 && (r = store_next(store, &b)) == 1) {
		struct store_columns c = {.stmt = b.stmt};
		int64_t seq = column_int(&c, 1, INT64_MAX);

		store_read_event(&c, &row);
		r = c.bad ? store_bad_row(store, "event") : 0;
		if (r == 0) {
			walk->seq = seq;
			looked++;
			r = walk_wants(walk, &row) && fn(ctx, &row) != 0;
		}
		if (r != 0)
			store_stop(&b);
	}
	return r == 0 ? looked == limit : r;
}

/* The file gives its free pages back bit by bit, as each of its steps frees one. */
static int give_back(struct store *store)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_VACUUM, &b);

	while (r == 0 && (r = store_next(store, &b)) == 1)
		r = 0;
	return r;
}

/* Runs a statement that deletes by one value, at most `limit` rows: how many, or negative. */
static int delete_some(struct store *store, enum store_statement which, int64_t value, size_t limit)
{
	struct store_bind b;
	int r = store_prepare(store, which, &b);

	if (r < 0)
		return r;
	bind_int(&b, value);
	bind_int(&b, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	r = store_run(store, &b);
	return r < 0 ? r : sqlite3_changes(store->db);
}

int store_expire_events(struct store *store, int64_t before, size_t keep, size_t limit)
{
	int old = delete_some(store, STORE_EXPIRE_EVENTS, before, limit), many, r = 0;

	if (old < 0)
		return old;
	many = delete_some(store, STORE_LIMIT_EVENTS, (int64_t)keep, limit);
	if (many < 0)
		return many;
	if (old + many > 0)
		r = give_back(store);
	return r < 0 ? r : old + many;
}

static int put_new(struct store *store, const struct outbox_row *row, int64_t *ret_seq)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_PUT_OUTBOX, &b);

	if (r < 0)
		return r;
	bind_text(&b, row->webhook);
	bind_mac(&b, &row->mac);
	bind_blob(&b, row->body, row->body_len);
	bind_int(&b, row->tries);
	bind_int(&b, row->next_at);
	r = store_run(store, &b);
	if (r == 0)
		*ret_seq = sqlite3_last_insert_rowid(store->db);
	return r;
}

int store_put_outbox(struct store *store, const struct outbox_row *row, int64_t *ret_seq)
{
	struct store_bind b;
	int r;

	if (row->seq == 0)
		return put_new(store, row, ret_seq);
	r = store_prepare(store, STORE_UPDATE_OUTBOX, &b);
	if (r < 0)
		return r;
	bind_int(&b, row->tries);
	bind_int(&b, row->next_at);
	bind_int(&b, row->seq);
	r = store_run(store, &b);
	if (r == 0 && sqlite3_changes(store->db) == 0)
		return ERR_NOT_FOUND;
	if (r == 0)
		*ret_seq = row->seq;
	return r;
}

int store_delete_outbox(struct store *store, int64_t seq)
{
	struct store_bind b;
	int r = store_prepare(store, STORE_DELETE_OUTBOX, &b);

	if (r < 0)
		return r;
	bind_int(&b, seq);
	return store_run(store, &b);
}

void store_read_outbox(struct store_columns *c, struct outbox_row *row)
{
	row->seq = column_int(c, 1, INT64_MAX);
	column_text(c, row->webhook, sizeof(row->webhook));
	column_mac(c, &row->mac);
	row->body = sqlite3_column_blob(c->stmt, c->next);
	row->body_len = (size_t)sqlite3_column_bytes(c->stmt, c->next++);
	row->tries = (uint32_t)column_int(c, 0, UINT32_MAX);
	row->next_at = column_int(c, INT64_MIN, INT64_MAX);
}

int store_each_outbox(struct store *store, store_outbox_fn fn, void *ctx)
{
	struct outbox_row row = {0};
	struct store_bind b;
	int r = store_prepare(store, STORE_EACH_OUTBOX, &b);

	if (r < 0)
		return r;
	while ((r = store_next(store, &b)) == 1) {
		struct store_columns c = {.stmt = b.stmt};

		store_read_outbox(&c, &row);
		r = c.bad ? store_bad_row(store, "outbox") : fn(ctx, &row);
		if (r == 0)
			continue;
		store_stop(&b);
		break;
	}
	return r;
}
