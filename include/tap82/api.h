/* SPDX-License-Identifier: ISC
 *
 * The HTTP API (README, «HTTP API»): a table of routes over the engine and the store. Three doors
 * lead to it: the Unix socket (whoever can open it may write), TCP on loopback (writing needs the
 * bearer token), and the metrics' own, which has /metrics and /healthz only.
 */
#ifndef TAP82_API_H
#define TAP82_API_H

#include <stdbool.h>
#include <stdio.h>

#include "tap82/conf.h"
#include "tap82/engine.h"
#include "tap82/http.h"
#include "tap82/secret.h"
#include "tap82/store.h"
#include "tap82/writer.h"

/* Told once, from a later turn or at once. err 0: done; else `text` says why not. */
typedef void (*api_done_fn)(void *ctx, int err, const char *text);

struct api_ops {
	/* The fields of /v1/status, into an open record. */
	void (*status)(void *ctx, struct writer *w);
	/* What is not well, into an open list of texts; nothing if all is. */
	void (*health)(void *ctx, struct writer *w);
	void (*metrics)(void *ctx, FILE *out);
	/* Loads the inventory again. 0, or ERR_DUPLICATE: one is under way. */
	int (*reload)(void *ctx, bool force, api_done_fn done, void *done_ctx);
	/* Streams the findings to `x`. 0; ERR_DUPLICATE: one is under way; ERR_FULL: no room. */
	int (*reconcile)(void *ctx, struct http_exchange *x, bool fix, bool progress,
		const struct mac *macs, size_t count);
	/* Somebody wants it now: no server waits for the end of its back-off. */
	void (*retry)(void *ctx);
};

struct api;

/* All borrowed; token NULL: nobody may write over TCP. NULL without memory. */
struct api *api_new(const struct conf *conf, struct engine *engine, struct store *store,
	const struct secret *token, const struct api_ops *ops, void *ctx);
/* After the servers that call it have ended. */
void api_free(struct api *api);

/* The doors, for http_server_listen(): ctx is the api. */
void api_local(void *ctx, struct http_exchange *x, const struct http_request *r);
void api_tcp(void *ctx, struct http_exchange *x, const struct http_request *r);
void api_metrics(void *ctx, struct http_exchange *x, const struct http_request *r);

/* A new event, after its commit: followers get it. */
void api_event(struct api *api, const struct event_row *row);
/* The turn is over: replies that waited for it go out; not `durable`: they say so (503). */
void api_committed(struct api *api, bool durable);

#endif
