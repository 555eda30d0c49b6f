/* SPDX-License-Identifier: ISC
 *
 * Webhooks: events sent to other systems over HTTP. The store's outbox holds what is owed, so each
 * is delivered at least once; those of one camera go in order. What fails is tried again with
 * back-off; 400 and 422 are final: the peer has understood and does not want it.
 */
#ifndef TAP82_WEBHOOK_H
#define TAP82_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/conf.h"
#include "tap82/event.h"
#include "tap82/loop.h"
#include "tap82/store.h"
#include "tap82/writer.h"

/* Whether this webhook wants events of this code. */
bool webhook_wants(const struct conf_webhook *conf, enum event_code code);
/* Writes the body for an event into a JSON writer. False: the format has none for it (aipix needs
 * a MAC and an address). */
bool webhook_write(struct writer *w, const struct conf_webhook *conf, const struct event *e);

struct webhooks;

struct webhook_ops {
	/* Delivered, or refused for good: it can leave the outbox. */
	void (*done)(void *ctx, int64_t seq);
	/* Refused for good, told before `done`: `detail` has the peer's own message. */
	void (*rejected)(void *ctx, const struct conf_webhook *conf, const struct outbox_row *row,
		const char *detail);
	/* So many were dropped, the oldest first, because more than `backlog` waited; told once a
	 * minute. */
	void (*dropped)(void *ctx, const struct conf_webhook *conf, uint64_t count);
};

struct webhook_stats {
	uint64_t sent, retries, rejected, dropped;
	uint64_t waiting; /* rows of the outbox: all that is owed, in memory or not */
	uint32_t queued, in_flight; /* of these: in memory, on the wire */
	char error[160]; /* why the last request came to nothing; "" if it was answered */
};

/* Reads the token files, while there is the privilege to. conf and ops are borrowed. 0; or
 * negative, and `problem` was told. */
int webhooks_new(struct loop *loop, const struct conf *conf, const struct webhook_ops *ops,
	void *ctx, problem_fn problem, void *problem_ctx, struct webhooks **ret_webhooks);
/* What is under way is given up; it is in the outbox still. NULL is fine. */
void webhooks_free(struct webhooks *webhooks);

/* Begins with what the outbox holds; it looks there again when memory has room for more. 0 or
 * negative. */
int webhooks_begin(struct webhooks *webhooks, struct store *store);
/* A new row of the outbox, after its commit. */
void webhooks_add(struct webhooks *webhooks, const struct outbox_row *row);
/* Sets ca-file, if there is one, on a CURL handle. */
void webhook_set_ca(void *easy, const struct conf_webhook *conf);
/* Of the webhook with this index in conf. */
void webhooks_stats(
	const struct webhooks *webhooks, size_t webhook, struct webhook_stats *ret_stats);

#endif
