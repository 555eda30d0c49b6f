/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api_call.h"
#include "tap82/err.h"

#define SLICE 200 /* devices looked at before a stream's peer must take what was written */

/* A reply that waits for the turn's commit. */
struct pending {
	struct pending *next;
	struct http_exchange *x;
	int status;
	size_t len;
	char body[];
};

void call_reply(struct call *call, int status, const char *type)
{
	size_t len;
	const char *body = writer_bytes(&call->api->writer, &len);

	http_reply(call->x, status, type, NULL, body, len);
}

void call_error(struct call *call, int status, const char *field, const char *fmt, ...)
{
	struct writer *w = &call->api->writer;
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	writer_clear(w);
	writer_begin(w);
	writer_str(w, "error", text);
	if (field)
		writer_str(w, "field", field);
	writer_end(w);
	call_reply(call, status, "application/json");
}

void call_reply_committed(struct call *call, int status)
{
	struct api *api = call->api;
	size_t len;
	const char *body = writer_bytes(&api->writer, &len);
	struct pending *p = malloc(sizeof(*p) + len);

	if (!p) {
		call_error(call, 503, NULL, "no memory");
		return;
	}
	*p = (struct pending){.x = call->x, .status = status, .len = len};
	memcpy(p->body, body, len);
	*api->pending_last = p;
	api->pending_last = &p->next;
}

void api_committed(struct api *api, bool durable)
{
	static const char bad[] =
		"{\"error\":\"the store cannot be written: the change is in memory only\"}\n";
	struct pending *p = api->pending, *next;

	api->pending = NULL;
	api->pending_last = &api->pending;
	for (; p; p = next) {
		next = p->next;
		http_reply(p->x, durable ? p->status : 503, "application/json", NULL,
			durable ? p->body : bad, durable ? p->len : sizeof(bad) - 1);
		free(p);
	}
}

void api_free(struct api *api)
{
	struct pending *p, *next;

	if (!api)
		return;
	for (p = api->pending; p; p = next) {
		next = p->next;
		free(p);
	}
	api_events_done(api);
	writer_done(&api->writer);
	free(api);
}

/* --- Lists ----------------------------------------------------------------------------------- */

void call_put_elements(FILE *out, const char *lines, size_t len, bool *first)
{
	const char *end = lines + len;

	while (lines < end) {
		const char *newline = memchr(lines, '\n', (size_t)(end - lines));
		size_t n = (size_t)((newline ? newline : end) - lines);

		if (n > 0) {
			fputs(*first ? "\n" : ",\n", out);
			fwrite(lines, 1, n, out);
			*first = false;
		}
		lines += n + 1;
	}
}

struct list {
	struct api *api;
	call_slice_fn next;
	uint32_t cursor;
	bool first;
	char state[32];
};

static void list_gone(void *ctx, struct http_exchange *x)
{
	(void)x;
	free(ctx);
}

/* One slice: what is to be sent of it. True: there is more. */
static bool list_slice(struct list *list, FILE *out)
{
	size_t len;
	const char *lines;
	int more;

	writer_clear(&list->api->writer);
	more = list->next(list->api, list->state[0] ? list->state : NULL, &list->cursor);
	lines = writer_bytes(&list->api->writer, &len);
	call_put_elements(out, lines, len, &list->first);
	if (more <= 0)
		fputs("\n]\n", out);
	return more > 0;
}

static void list_more(void *ctx, struct http_exchange *x)
{
	struct list *list = ctx;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool more = out && list_slice(list, out);

	if (out)
		fclose(out);
	if (http_stream_send(x, text, len) < 0) {
		free(list);
	} else if (!more) {
		http_stream_end(x);
		free(list);
	}
	free(text);
}

void call_stream_list(struct call *call, call_slice_fn next, const char *state)
{
	struct list *list = calloc(1, sizeof(*list));

	if (list) {
		*list = (struct list){.api = call->api, .next = next, .first = true};
		snprintf(list->state, sizeof(list->state), "%s", state ? state : "");
	}
	if (!list ||
		http_stream_begin(call->x, "application/json", list_more, list_gone, list) < 0) {
		free(list);
		call_error(call, 503, NULL, "too many requests at once");
		return;
	}
	http_stream_send(call->x, "[", 1);
}

void call_reply_list(struct call *call)
{
	char *text = NULL;
	size_t len, size = 0;
	const char *lines = writer_bytes(&call->api->writer, &len);
	FILE *out = open_memstream(&text, &size);
	bool first = true;

	if (out) {
		fputs("[", out);
		call_put_elements(out, lines, len, &first);
		fputs("\n]\n", out);
	}
	if (out && fclose(out) == 0)
		http_reply(call->x, 200, "application/json", NULL, text, size);
	else
		call_error(call, 503, NULL, "no memory");
	free(text);
}

/* --- Queries --------------------------------------------------------------------------------- */

int64_t call_number(struct call *call, const char *name, int64_t fallback, int64_t max)
{
	char text[24], *end;
	long long n;
	int r = http_query_get(call->r->query, name, text, sizeof(text));

	if (r == ERR_NOT_FOUND)
		return fallback;
	n = r > 0 ? strtoll(text, &end, 10) : -1;
	if (r <= 0 || *end || n < 0 || n > max) {
		call_error(call, 400, name, "must be a number from 0 to %lld", (long long)max);
		return -1;
	}
	return n;
}

bool call_flag(const struct call *call, const char *name)
{
	char text[8];

	if (http_query_get(call->r->query, name, text, sizeof(text)) < 0)
		return false;
	return strcmp(text, "1") == 0 || strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
}
