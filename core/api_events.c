/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "api_call.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#define LIMIT	  10000 /* events of one answer, if the question does not say */
#define LIMIT_MAX 100000
#define SLICE	  500 /* events looked at before a stream's peer must take what was written */

/* Which events are wanted. */
struct wish {
	int64_t since; /* 0: none given */
	bool has_mac, has_code, has_after, has_limit;
	struct mac mac;
	char code[64];
	bool from_start; /* after= without an id */
	uint8_t after[EVENT_ID_BYTES];
	size_t limit;
};

/* Somebody who reads the past slice by slice and, if a follower, then hears what happens. */
struct reader {
	struct reader *prev, *next;
	struct api *api;
	struct http_exchange *x;
	struct wish wish;
	struct event_walk walk;
	bool follows; /* else: a list */
	bool live; /* has all of the past */
	bool first; /* nothing of the list was written */
	size_t left; /* 0: no end */
};

static int read_since(struct call *call, struct wish *wish)
{
	char text[48];
	int r = http_query_get(call->r->query, "since", text, sizeof(text));

	if (r == ERR_NOT_FOUND)
		return 0;
	if (r <= 0 || time_parse(text, &wish->since) < 0) {
		call_error(call, 400, "since", "must be a time as 2026-01-02T03:04:05Z");
		return ERR_SYNTAX;
	}
	return 0;
}

/* An event's id, or nothing: from the oldest on. */
static int read_after(struct call *call, struct wish *wish)
{
	char text[2 * EVENT_ID_BYTES + 2];
	int r = http_query_get(call->r->query, "after", text, sizeof(text));

	if (r == ERR_NOT_FOUND)
		return 0;
	wish->has_after = true;
	wish->from_start = r == 0;
	if (r != 0 && (r != 2 * EVENT_ID_BYTES || hex_parse(text, (size_t)r, wish->after,
							  EVENT_ID_BYTES) != EVENT_ID_BYTES)) {
		call_error(call, 400, "after", "must be the id of an event, or empty");
		return ERR_SYNTAX;
	}
	return 0;
}

static int read_mac(struct call *call, struct wish *wish)
{
	char text[48];
	int r = http_query_get(call->r->query, "mac", text, sizeof(text));

	if (r == ERR_NOT_FOUND)
		return 0;
	wish->has_mac = true;
	if (r <= 0 || mac_parse(text, (size_t)r, &wish->mac) < 0) {
		call_error(call, 400, "mac", "is no MAC address");
		return ERR_SYNTAX;
	}
	return 0;
}

static int read_code(struct call *call, struct wish *wish)
{
	int r = http_query_get(call->r->query, "event", wish->code, sizeof(wish->code));

	if (r == ERR_NOT_FOUND)
		return 0;
	wish->has_code = true;
	if (r <= 0 || event_code_parse(wish->code) == EVENT_NONE) {
		call_error(call, 400, "event", "no such event");
		return ERR_SYNTAX;
	}
	return 0;
}

static int read_wish(struct call *call, struct wish *wish)
{
	int64_t limit;

	char text[2];

	if (read_since(call, wish) < 0 || read_after(call, wish) < 0 || read_mac(call, wish) < 0 ||
		read_code(call, wish) < 0)
		return ERR_SYNTAX;
	wish->has_limit =
		http_query_get(call->r->query, "limit", text, sizeof(text)) != ERR_NOT_FOUND;
	limit = call_number(call, "limit", LIMIT, LIMIT_MAX);
	if (limit < 0)
		return ERR_SYNTAX;
	wish->limit = (size_t)limit;
	return 0;
}

static int write_row(void *ctx, const struct event_row *row)
{
	struct writer *w = ctx;

	/* A record of its own: nothing is open, nothing is added. */
	w->comma = false;
	writer_raw(w, NULL, row->json, row->json_len);
	w->comma = false;
	writer_raw(w, NULL, "\n", 1);
	return 0;
}

/* The newest `limit`, in one piece. */
static int write_newest(struct api *api, const struct wish *wish, size_t limit)
{
	return store_each_event(api->store, wish->since, wish->has_mac ? &wish->mac : NULL,
		wish->has_code ? wish->code : NULL, limit ? limit : LIMIT_MAX, write_row,
		&api->writer);
}

/* --- Reading slice by slice ------------------------------------------------------------------ */

static void reader_free(struct reader *reader)
{
	DL_DELETE(reader->api->readers, reader);
	free(reader);
}

static void reader_gone(void *ctx, struct http_exchange *x)
{
	(void)x;
	reader_free(ctx);
}

/* Stops the slice when the list is full. */
static int write_counted(void *ctx, const struct event_row *row)
{
	struct reader *reader = ctx;

	write_row(&reader->api->writer, row);
	return reader->left > 0 && --reader->left == 0;
}

static int send_written(struct reader *reader)
{
	size_t len;
	const char *lines = writer_bytes(&reader->api->writer, &len);

	return http_stream_send(reader->x, lines, len);
}

/* Everything that is in the store was sent: what comes now is told when it happens. */
static void follow_on(struct reader *reader)
{
	reader->live = true;
	http_stream_wait(reader->x);
}

static int send_elements(struct reader *reader, bool last)
{
	char *text = NULL;
	size_t len, size = 0;
	const char *lines = writer_bytes(&reader->api->writer, &len);
	FILE *out = open_memstream(&text, &size);
	int r = -ENOMEM;

	if (out) {
		call_put_elements(out, lines, len, &reader->first);
		if (last)
			fputs("\n]\n", out);
	}
	if (out && fclose(out) == 0)
		r = http_stream_send(reader->x, text, size);
	else
		http_stream_break(reader->x);
	free(text);
	return r;
}

/* A connection that could not be written to is gone; reader_gone() did not hear of that. */
static void read_slice(void *ctx, struct http_exchange *x)
{
	struct reader *reader = ctx;
	bool bounded = reader->left > 0, last;
	int more;

	writer_clear(&reader->api->writer);
	more = store_walk_events(reader->api->store, &reader->walk, SLICE, write_counted, reader);
	last = more == 0 || (bounded && reader->left == 0);
	if (more < 0) {
		http_stream_break(x);
		reader_free(reader);
	} else if ((reader->follows ? send_written(reader) : send_elements(reader, last)) < 0) {
		reader_free(reader);
	} else if (last && reader->follows) {
		follow_on(reader);
	} else if (last) {
		http_stream_end(x);
		reader_free(reader);
	}
}

static struct reader *reader_new(struct call *call, const struct wish *wish)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	*reader = (struct reader){.api = call->api, .x = call->x, .wish = *wish, .first = true};
	reader->walk = (struct event_walk){.since = wish->since,
		.mac = wish->has_mac ? &reader->wish.mac : NULL,
		.code = wish->has_code ? reader->wish.code : NULL};
	DL_APPEND(call->api->readers, reader);
	return reader;
}

/* Where the reader begins. 0, or negative and the question is answered. */
static int reader_place(struct call *call, struct reader *reader)
{
	const struct wish *wish = &reader->wish;
	int err = wish->has_after && !wish->from_start
			  ? store_walk_behind(call->api->store, wish->after, &reader->walk)
			  : store_walk_begin(call->api->store, &reader->walk);

	if (err == ERR_NOT_FOUND)
		call_error(call, 404, "after",
			"no such event, or it is too old to be kept: go on with since=");
	else if (err < 0)
		call_error(call, 503, NULL, "%s", store_error(call->api->store));
	return err;
}

static bool reader_begin(struct call *call, struct reader *reader, const char *type)
{
	if (http_stream_begin(
		    call->x, type, reader->live ? NULL : read_slice, reader_gone, reader) == 0)
		return true;
	reader_free(reader);
	call_error(call, 503, NULL, "too many followers");
	return false;
}

/* --- Following ------------------------------------------------------------------------------- */

static bool wants(const struct wish *wish, const struct event_row *row)
{
	return (!wish->has_mac || mac_equal(&wish->mac, &row->mac)) &&
	       (!wish->has_code || strcmp(wish->code, row->code) == 0);
}

/* Those who are still reading the past will find it there. */
void api_event(struct api *api, const struct event_row *row)
{
	struct reader *reader, *next;

	if (!api->readers)
		return;
	writer_clear(&api->writer);
	write_row(&api->writer, row);
	DL_FOREACH_SAFE(api->readers, reader, next)
	{
		if (reader->live && wants(&reader->wish, row) && send_written(reader) < 0)
			reader_free(reader);
	}
}

/* With a limit, of the past only the newest: those who look, not those who keep. */
static void follow(struct call *call, const struct wish *wish)
{
	bool newest = wish->since && wish->has_limit && !wish->has_after;
	struct reader *reader = reader_new(call, wish);

	if (!reader) {
		call_error(call, 503, NULL, "no memory");
		return;
	}
	reader->follows = true;
	reader->live = newest || (!wish->since && !wish->has_after);
	if (!reader->live && reader_place(call, reader) < 0) {
		reader_free(reader);
		return;
	}
	if (reader_begin(call, reader, "application/x-ndjson") && newest &&
		write_newest(call->api, wish, wish->limit) == 0 && send_written(reader) < 0)
		reader_free(reader);
}

/* The oldest behind a place, as many as are wanted. */
static void list_behind(struct call *call, const struct wish *wish)
{
	struct reader *reader = reader_new(call, wish);

	if (!reader) {
		call_error(call, 503, NULL, "no memory");
		return;
	}
	reader->left = wish->limit;
	if (reader_place(call, reader) < 0) {
		reader_free(reader);
		return;
	}
	if (reader_begin(call, reader, "application/json"))
		http_stream_send(call->x, "[", 1);
}

void api_events_list(struct call *call)
{
	struct wish wish = {0};
	bool head = call->r->method == HTTP_HEAD;
	int err;

	if (read_wish(call, &wish) < 0)
		return;
	if (call_flag(call, "follow") && !head) {
		follow(call, &wish);
	} else if (wish.has_after && !head) {
		list_behind(call, &wish);
	} else {
		err = write_newest(call->api, &wish, wish.limit);
		if (err < 0)
			call_error(call, 503, NULL, "%s", store_error(call->api->store));
		else
			call_reply_list(call);
	}
}

/* Their streams ended with the server. */
void api_events_done(struct api *api)
{
	struct reader *reader, *next;

	DL_FOREACH_SAFE(api->readers, reader, next)
	free(reader);
	api->readers = NULL;
}
