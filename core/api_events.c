/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "api_call.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#define LIMIT	     10000 /* events of one answer, if the question does not say */
#define LIMIT_MAX    100000
#define FOLLOW_FIRST 1000 /* events of the past that a follower gets first */

/* Which events are wanted. */
struct wish {
	int64_t since; /* 0: none given */
	bool has_mac, has_code;
	struct mac mac;
	char code[64];
	size_t limit;
};

struct follower {
	struct follower *prev, *next;
	struct api *api;
	struct http_exchange *x;
	struct wish wish;
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

	if (read_since(call, wish) < 0 || read_mac(call, wish) < 0 || read_code(call, wish) < 0)
		return ERR_SYNTAX;
	limit = call_number(call, "limit", LIMIT, LIMIT_MAX);
	if (limit < 0)
		return ERR_SYNTAX;
	wish->limit = limit ? (size_t)limit : LIMIT_MAX;
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

static int write_past(struct api *api, const struct wish *wish, size_t limit)
{
	return store_each_event(api->store, wish->since, wish->has_mac ? &wish->mac : NULL,
		wish->has_code ? wish->code : NULL, limit, write_row, &api->writer);
}

/* --- Following ------------------------------------------------------------------------------- */

static void follower_gone(void *ctx, struct http_exchange *x)
{
	struct follower *f = ctx;

	(void)x;
	DL_DELETE(f->api->followers, f);
	free(f);
}

static bool wants(const struct wish *wish, const struct event_row *row)
{
	return (!wish->has_mac || mac_equal(&wish->mac, &row->mac)) &&
	       (!wish->has_code || strcmp(wish->code, row->code) == 0);
}

void api_event(struct api *api, const struct event_row *row)
{
	struct follower *f, *next;

	if (!api->followers)
		return;
	writer_clear(&api->writer);
	write_row(&api->writer, row);
	DL_FOREACH_SAFE(api->followers, f, next)
	{
		size_t len;
		const char *line = writer_bytes(&api->writer, &len);

		if (wants(&f->wish, row) && http_stream_send(f->x, line, len) < 0)
			follower_gone(f, NULL);
	}
}

static void follow(struct call *call, const struct wish *wish)
{
	struct api *api = call->api;
	struct follower *f = calloc(1, sizeof(*f));
	const char *past;
	size_t len;

	if (f)
		*f = (struct follower){.api = api, .x = call->x, .wish = *wish};
	if (!f || http_stream_begin(call->x, "application/x-ndjson", NULL, follower_gone, f) < 0) {
		free(f);
		call_error(call, 503, NULL, "too many followers");
		return;
	}
	DL_APPEND(api->followers, f);
	if (wish->since && write_past(api, wish, FOLLOW_FIRST) == 0) {
		past = writer_bytes(&api->writer, &len);
		if (http_stream_send(call->x, past, len) < 0)
			follower_gone(f, NULL);
	}
}

void api_events_list(struct call *call)
{
	struct wish wish = {0};
	int err;

	if (read_wish(call, &wish) < 0)
		return;
	if (call_flag(call, "follow") && call->r->method != HTTP_HEAD) {
		follow(call, &wish);
		return;
	}
	err = write_past(call->api, &wish, wish.limit);
	if (err < 0)
		call_error(call, 503, NULL, "%s", store_error(call->api->store));
	else
		call_reply_list(call);
}

/* Their streams ended with the server. */
void api_events_done(struct api *api)
{
	struct follower *f, *next;

	DL_FOREACH_SAFE(api->followers, f, next)
	free(f);
	api->followers = NULL;
}
