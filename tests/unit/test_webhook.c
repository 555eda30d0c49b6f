/* SPDX-License-Identifier: ISC
 *
 * What waits for a receiver that does not answer is bounded: the oldest go, and it is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/store.h"
#include "tap82/webhook.h"

#define BACKLOG 5

static struct conf_webhook hook_conf = {
	.name = "vms", .url = (char *)"http://127.0.0.1:1/", .backlog = BACKLOG};
static struct conf conf = {.webhooks = &hook_conf, .webhook_count = 1};
static struct store *store;
static struct loop *loop;
static struct webhooks *webhooks;
static char folder[] = "/tmp/tap82-webhook-XXXXXX";
static int64_t gone[64];
static size_t gone_count;
static uint64_t told, reports;

static void on_done(void *ctx, int64_t seq)
{
	(void)ctx;
	gone[gone_count++] = seq;
	assert_int_equal(store_delete_outbox(store, seq), 0);
}

static void on_rejected(void *ctx, const struct conf_webhook *webhook, const struct outbox_row *row,
	const char *detail)
{
	(void)ctx;
	(void)webhook;
	(void)row;
	fail_msg("%s", detail);
}

static void on_dropped(void *ctx, const struct conf_webhook *webhook, uint64_t count)
{
	(void)ctx;
	assert_ptr_equal(webhook, &hook_conf);
	told += count;
	reports++;
}

static void on_problem(void *ctx, const char *text)
{
	(void)ctx;
	fail_msg("%s", text);
}

static const struct webhook_ops ops = {
	.done = on_done, .rejected = on_rejected, .dropped = on_dropped};

static int64_t put(void)
{
	struct outbox_row row = {.webhook = "vms", .body = "{}", .body_len = 2};

	assert_int_equal(store_put_outbox(store, &row, &row.seq), 0);
	if (webhooks)
		webhooks_add(webhooks, &row);
	return row.seq;
}

static void open_webhooks(void)
{
	assert_int_equal(webhooks_new(loop, &conf, &ops, NULL, on_problem, NULL, &webhooks), 0);
	assert_int_equal(webhooks_begin(webhooks, store), 0);
}

static int begin(void **state)
{
	char path[64], why[256];

	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/t.db", folder);
	assert_int_equal(store_open(path, why, sizeof(why), &store), 0);
	loop = loop_new();
	assert_non_null(loop);
	gone_count = told = reports = 0;
	webhooks = NULL;
	return 0;
}

static int finish(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-lock"};
	char path[96];

	(void)state;
	webhooks_free(webhooks);
	store_close(store);
	loop_free(loop);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/t.db%s", folder, ends[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static int count_one(void *ctx, const struct outbox_row *row)
{
	(void)row;
	++*(int *)ctx;
	return 0;
}

static int stored(void)
{
	int n = 0;

	assert_int_equal(store_each_outbox(store, count_one, &n), 0);
	return n;
}

static void the_oldest_are_dropped_beyond_the_backlog(void **state)
{
	struct webhook_stats stats;
	int64_t first;

	(void)state;
	open_webhooks();
	first = put();
	for (int i = 1; i < BACKLOG; i++)
		put();
	assert_int_equal(gone_count, 0);
	for (int i = 0; i < 3; i++)
		put();
	assert_int_equal(gone_count, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(gone[i], first + i);
	assert_int_equal(stored(), BACKLOG);
	webhooks_stats(webhooks, 0, &stats);
	assert_int_equal(stats.dropped, 3);
	assert_int_equal(stats.waiting, BACKLOG);
	/* At once for the first; the others with the next report, not each by itself. */
	assert_int_equal(reports, 1);
	assert_int_equal(told, 1);
}

static void rows_of_before_a_restart_count(void **state)
{
	(void)state;
	for (int i = 0; i < BACKLOG; i++)
		put();
	open_webhooks();
	put();
	assert_int_equal(gone_count, 1);
	assert_int_equal(stored(), BACKLOG);
}

/* Memory holds a part of what is owed: the figure is that of all, and follows what leaves. */
static void what_memory_has_no_room_for_counts(void **state)
{
	struct outbox_row row = {.webhook = "vms", .body = "{}", .body_len = 2};
	struct webhook_stats stats;

	(void)state;
	hook_conf.backlog = 2500;
	open_webhooks();
	for (row.seq = 1; row.seq <= 2500; row.seq++)
		webhooks_add(webhooks, &row);
	webhooks_stats(webhooks, 0, &stats);
	assert_int_equal(stats.waiting, 2500);
	assert_true(stats.queued < 2500);
	webhooks_add(webhooks, &row);
	webhooks_stats(webhooks, 0, &stats);
	assert_int_equal(gone_count, 1);
	assert_int_equal(stats.waiting, 2500);
	hook_conf.backlog = BACKLOG;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_oldest_are_dropped_beyond_the_backlog, begin, finish),
		cmocka_unit_test_setup_teardown(rows_of_before_a_restart_count, begin, finish),
		cmocka_unit_test_setup_teardown(what_memory_has_no_room_for_counts, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
