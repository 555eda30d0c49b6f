/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/eventlog.h"
#include "tap82/turn.h"
#include "tap82/webhook.h"

static char handoff[] = "provision.handoff";
static char *handoff_only[] = {handoff};

struct world {
	char dir[32], db[64], log[64];
	struct conf_webhook hook;
	struct conf conf;
	struct store *store;
	struct turn *turn;
	struct eventlog *eventlog;
	char said[4096]; /* what was said after commits, in order */
	char body[512];
};

static void note(struct world *w, const char *word)
{
	snprintf(w->said + strlen(w->said), sizeof(w->said) - strlen(w->said), "%s ", word);
}

static void say_event(void *ctx, const struct event_row *row, const struct event *e)
{
	struct world *w = ctx;

	assert_string_equal(row->code, event_code_text(e->code));
	note(w, row->code);
	if (w->eventlog)
		eventlog_add(w->eventlog, row);
}

static void say_order(void *ctx, const struct order *order)
{
	(void)order;
	note(ctx, "order");
}

static void say_outbox(void *ctx, const struct outbox_row *row)
{
	struct world *w = ctx;

	assert_true(row->seq > 0);
	snprintf(w->body, sizeof(w->body), "%.*s", (int)row->body_len, row->body);
	note(w, row->webhook);
}

static const struct turn_ops ops = {.event = say_event, .order = say_order, .outbox = say_outbox};

static void open_store(struct world *w)
{
	char why[256];

	assert_int_equal(store_open(w->db, why, sizeof(why), &w->store), 0);
	w->turn = turn_new(&w->conf, w->store, &ops, w);
	assert_non_null(w->turn);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->dir, "/tmp/tap82-turn-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->db, sizeof(w->db), "%s/db", w->dir);
	snprintf(w->log, sizeof(w->log), "%s/log", w->dir);
	w->hook = (struct conf_webhook){.name = "vms",
		.events = handoff_only,
		.event_count = 1,
		.format = CONF_WEBHOOK_AIPIX};
	w->conf = (struct conf){.webhooks = &w->hook, .webhook_count = 1};
	open_store(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[64];

	eventlog_close(w->eventlog);
	turn_free(w->turn);
	store_close(w->store);
	snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void tell_at(struct world *w, enum event_code code, uint32_t happening, int64_t time)
{
	struct event e = {.time = time,
		.code = code,
		.has_mac = true,
		.mac = {{2, 0, 0, 0, 0, 1}},
		.ip = 0x0a320015};

	event_identify(&e, &happening, sizeof(happening));
	turn_event(w->turn, &e);
}

static void tell(struct world *w, enum event_code code, uint32_t happening)
{
	tell_at(w, code, happening, 1000000);
}

static void order(struct world *w)
{
	struct order o = {.kind = ORDER_ENSURE};

	turn_engine_ops.order(w->turn, &o);
}

static int count_rows(void *ctx, const struct event_row *row)
{
	(void)row;
	++*(int *)ctx;
	return 0;
}

static int stored(struct world *w)
{
	int n = 0;

	assert_int_equal(store_each_event(w->store, 0, NULL, NULL, 0, count_rows, &n), 0);
	return n;
}

static void nothing_is_said_before_the_commit_and_all_in_order_after_it(void **state)
{
	struct world *w = *state;

	tell(w, EVENT_DHCP_IP_ALLOCATION, 1);
	order(w);
	tell(w, EVENT_PROVISION_HANDOFF, 1);
	assert_string_equal(w->said, "");
	assert_true(turn_waiting(w->turn) > 0);
	assert_int_equal(turn_commit(w->turn), 0);
	assert_string_equal(w->said, "dhcp.ip_allocation order provision.handoff vms ");
	assert_string_equal(w->body, "{\"mac\":\"02:00:00:00:00:01\",\"ip\":\"10.50.0.21\","
				     "\"skip_dhcp_reservation\":true}\n");
	assert_int_equal(turn_waiting(w->turn), 0);
	assert_int_equal(stored(w), 2);
}

static void a_happening_that_was_told_is_not_told_again(void **state)
{
	struct world *w = *state;

	tell(w, EVENT_PROVISION_HANDOFF, 1);
	assert_int_equal(turn_commit(w->turn), 0);
	w->said[0] = 0;
	tell(w, EVENT_PROVISION_HANDOFF, 1);
	tell(w, EVENT_PROVISION_HANDOFF, 2);
	assert_int_equal(turn_commit(w->turn), 0);
	assert_string_equal(w->said, "provision.handoff vms ");
	assert_int_equal(stored(w), 2);
}

static int ids_are_in_the_records(void *ctx, const struct event_row *row)
{
	char hex[2 * EVENT_ID_BYTES + 1];

	*(int *)ctx += strstr(row->json, hex_format(row->id, EVENT_ID_BYTES, hex)) != NULL;
	return 0;
}

/* A camera that has one xid for ever: the same MAC, address and xid at its next boot. */
/* The same camera, after somebody has set the clock back. */
static void what_is_told_again_by_an_earlier_clock_is_another_happening(void **state)
{
	struct world *w = *state;

	tell_at(w, EVENT_PROVISION_HANDOFF, 1, 1000000 + 5 * EVENT_HAPPENING);
	assert_int_equal(turn_commit(w->turn), 0);
	tell_at(w, EVENT_PROVISION_HANDOFF, 1, 1000000);
	assert_int_equal(turn_commit(w->turn), 0);
	assert_int_equal(stored(w), 2);
}

static void what_is_told_again_long_after_is_another_happening(void **state)
{
	struct world *w = *state;
	int n = 0;

	for (int boot = 0; boot < 3; boot++) {
		tell_at(w, EVENT_PROVISION_HANDOFF, 1, 1000000 + boot * 3 * EVENT_HAPPENING);
		tell_at(w, EVENT_PROVISION_HANDOFF, 1, 1000000 + boot * 3 * EVENT_HAPPENING + 5);
		assert_int_equal(turn_commit(w->turn), 0);
	}
	assert_int_equal(stored(w), 3);
	assert_string_equal(
		w->said, "provision.handoff vms provision.handoff vms provision.handoff vms ");
	assert_int_equal(
		store_each_event(w->store, 0, NULL, NULL, 0, ids_are_in_the_records, &n), 0);
	assert_int_equal(n, 3);
}

/* No file may grow: what a full disk says, said to this process alone. */
static void with_full_disk(bool full)
{
	struct rlimit r = {full ? 0 : RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_FSIZE, &r);
}

static void a_store_that_fails_makes_everything_wait_in_order(void **state)
{
	struct world *w = *state;
	size_t waiting;

	with_full_disk(true);
	tell(w, EVENT_DHCP_IP_ALLOCATION, 1);
	order(w);
	assert_true(turn_commit(w->turn) < 0);
	waiting = turn_waiting(w->turn);
	tell(w, EVENT_PROVISION_HANDOFF, 1);
	assert_true(turn_commit(w->turn) < 0);
	assert_true(turn_waiting(w->turn) > waiting);
	assert_string_equal(w->said, "");
	with_full_disk(false);
	assert_int_equal(turn_commit(w->turn), 0);
	assert_string_equal(w->said, "dhcp.ip_allocation order provision.handoff vms ");
	assert_int_equal(stored(w), 2);
}

/* --- The event log --- */

static int lines_of(const char *path)
{
	FILE *f = fopen(path, "r");
	int c, n = 0;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void flush(struct world *w)
{
	struct eventlog_mark mark;

	assert_int_equal(eventlog_flush(w->eventlog, &mark), 1);
	turn_fact(w->turn, EVENTLOG_FACT, &mark, sizeof(mark));
}

static void what_a_crash_kept_from_the_log_is_written_at_the_next_start(void **state)
{
	struct world *w = *state;

	assert_int_equal(eventlog_open(w->log, &w->eventlog), 0);
	tell(w, EVENT_DHCP_IP_ALLOCATION, 1);
	assert_int_equal(turn_commit(w->turn), 0);
	flush(w);
	tell(w, EVENT_DHCP_IP_ALLOCATION, 2); /* with the mark of the first */
	assert_int_equal(turn_commit(w->turn), 0);
	flush(w); /* whose mark is never committed */
	tell(w, EVENT_DHCP_IP_ALLOCATION, 3);
	turn_free(w->turn);
	w->turn = turn_new(&w->conf, w->store, &ops, w);
	tell(w, EVENT_DHCP_IP_ALLOCATION, 3);
	assert_int_equal(turn_commit(w->turn), 0); /* and no flush: the crash */
	eventlog_close(w->eventlog);
	assert_int_equal(lines_of(w->log), 2);
	assert_int_equal(eventlog_open(w->log, &w->eventlog), 0);
	assert_int_equal(eventlog_catch_up(w->eventlog, w->store), 1);
	assert_int_equal(eventlog_catch_up(w->eventlog, w->store), 0);
	assert_int_equal(lines_of(w->log), 3);
}

static void a_line_that_was_cut_by_a_crash_is_written_whole(void **state)
{
	struct world *w = *state;
	FILE *f;

	assert_int_equal(eventlog_open(w->log, &w->eventlog), 0);
	tell(w, EVENT_DHCP_IP_ALLOCATION, 1);
	assert_int_equal(turn_commit(w->turn), 0);
	eventlog_close(w->eventlog);
	f = fopen(w->log, "w");
	fputs("{\"time\":\"x\",\"id\":\"0000", f);
	fclose(f);
	assert_int_equal(eventlog_open(w->log, &w->eventlog), 0);
	assert_int_equal(lines_of(w->log), 0);
	assert_int_equal(eventlog_catch_up(w->eventlog, w->store), 1);
	assert_int_equal(lines_of(w->log), 1);
}

static void a_rotated_log_does_not_get_old_events_again(void **state)
{
	struct world *w = *state;
	char old[80];

	assert_int_equal(eventlog_open(w->log, &w->eventlog), 0);
	tell(w, EVENT_DHCP_IP_ALLOCATION, 1);
	assert_int_equal(turn_commit(w->turn), 0);
	flush(w);
	snprintf(old, sizeof(old), "%s.1", w->log);
	assert_int_equal(rename(w->log, old), 0);
	assert_int_equal(eventlog_reopen(w->eventlog), 0);
	assert_int_equal(eventlog_catch_up(w->eventlog, w->store), 0);
	assert_int_equal(lines_of(w->log), 0);
}

static void a_full_disk_leaves_no_half_line_in_the_log(void **state)
{
	struct world *w = *state;
	struct eventlog_mark mark;
	struct rlimit most = {100, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};

	assert_int_equal(eventlog_open(w->log, &w->eventlog), 0);
	tell(w, EVENT_DHCP_IP_ALLOCATION, 1);
	assert_int_equal(turn_commit(w->turn), 0);
	setrlimit(RLIMIT_FSIZE, &most);
	assert_int_equal(eventlog_flush(w->eventlog, &mark), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &none);
	assert_int_equal(lines_of(w->log), 0);
	assert_int_equal(eventlog_catch_up(w->eventlog, w->store), 1);
	assert_int_equal(lines_of(w->log), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			nothing_is_said_before_the_commit_and_all_in_order_after_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_happening_that_was_told_is_not_told_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_told_again_by_an_earlier_clock_is_another_happening, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_is_told_again_long_after_is_another_happening, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_store_that_fails_makes_everything_wait_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_a_crash_kept_from_the_log_is_written_at_the_next_start, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_line_that_was_cut_by_a_crash_is_written_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_rotated_log_does_not_get_old_events_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_full_disk_leaves_no_half_line_in_the_log, setup, teardown),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
