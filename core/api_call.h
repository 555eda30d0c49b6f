/* SPDX-License-Identifier: ISC
 *
 * Inside the API: one call, and how it is answered. Each function of a route answers exactly once.
 */
#ifndef TAP82_API_CALL_H
#define TAP82_API_CALL_H

#include "tap82/api.h"

struct reader;
struct pending;

struct api {
	const struct conf *conf;
	struct engine *engine;
	struct store *store;
	const struct secret *token;
	const struct api_ops *ops;
	void *ctx;
	struct writer writer; /* of the call that is being answered; JSON, memory */
	struct reader *readers; /* of events */
	struct pending *pending, **pending_last;
	struct http_exchange *reloading; /* waits for the inventory */
};

struct call {
	struct api *api;
	struct http_exchange *x;
	const struct http_request *r;
	int64_t now;
	bool has_mac;
	struct mac mac; /* {mac} of the path */
};

/* The one record, or lines, that were written to api->writer. */
void call_reply(struct call *call, int status, const char *type);
/* The same, but after the turn's commit. */
void call_reply_committed(struct call *call, int status);
/* {"error", "field"}; field NULL: none. */
void call_error(struct call *call, int status, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The records in api->writer as a JSON array, one a line. */
void call_reply_list(struct call *call);
/* The same for a list that is written in slices: `next` writes some records to api->writer and
 * returns 1 while there are more. `state` (or NULL) is copied. */
typedef int (*call_slice_fn)(struct api *api, const char *state, uint32_t *cursor);
void call_stream_list(struct call *call, call_slice_fn next, const char *state);
/* Lines as elements of an array: a comma before each but the first. */
void call_put_elements(FILE *out, const char *lines, size_t len, bool *first);
/* A number in the query. The fallback if it is not there; negative after an error was replied. */
int64_t call_number(struct call *call, const char *name, int64_t fallback, int64_t max);
/* Whether the query has name=1, true or yes. */
bool call_flag(const struct call *call, const char *name);

/* Routes, by file. */
void api_devices_list(struct call *call);
void api_devices_import(struct call *call);
void api_device_get(struct call *call);
void api_device_put(struct call *call);
void api_device_delete(struct call *call);
void api_device_explain(struct call *call);
void api_unknown_list(struct call *call);
void api_reservations_list(struct call *call);
void api_reservation_retry(struct call *call);
void api_reservation_release(struct call *call);
void api_reconcile(struct call *call);
void api_events_list(struct call *call);
void api_events_done(struct api *api);

#endif
