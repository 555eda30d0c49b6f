/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <netinet/tcp.h>

#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/omapi_batch.h"
#include "tap82/omapi_conn.h"
#include "unit/fake_dhcpd.h"

#define DEADLINE (150 * USEC_PER_MSEC)

struct bench {
	struct loop *loop;
	struct fake *fake;
	struct omapi_conn *conn;
	struct loop_timer *limit;
	uint32_t wanted, sent, good, bad;
	int last_err;
	uint32_t states[5], changes;
	enum omapi_state told; /* as an engine is: what is on its way is no news */
	uint32_t ups, downs; /* … and what it was told */
	char text[160];
};

static void stop(void *loop)
{
	loop_stop(loop);
}

static void state_changed(void *ctx, enum omapi_state state, const char *text)
{
	struct bench *b = ctx;

	b->states[state]++;
	b->changes++;
	if (state != OMAPI_CONNECTING && state != OMAPI_TRIAL && state != b->told) {
		b->told = state;
		b->ups += state == OMAPI_READY;
		b->downs += state != OMAPI_READY;
	}
	snprintf(b->text, sizeof(b->text), "%s", text);
}

static void bench_begin_with(struct bench *b, const char *algorithm, enum fake_manner manner)
{
	*b = (struct bench){.loop = loop_new()};
	b->fake = fake_new_with(b->loop, algorithm, manner);
	struct omapi_conn_config config = {
		.address = 0x7f000001,
		.port = b->fake->port,
		.key = b->fake->key,
		.state_fn = state_changed,
		.ctx = b,
		.deadline = DEADLINE,
		.batch_time = 20 * USEC_PER_MSEC,
		.retry_min = 10 * USEC_PER_MSEC,
		.retry_max = 80 * USEC_PER_MSEC,
		.retry_refused = 100 * USEC_PER_MSEC,
		.queue_max = 1000,
	};
	assert_int_equal(omapi_conn_new(b->loop, &config, &b->conn), 0);
	b->limit = loop_timer_new(b->loop, stop, b->loop);
}

static void bench_begin(struct bench *b, bool is_signed, enum fake_manner manner)
{
	bench_begin_with(b, is_signed ? "hmac-sha256" : NULL, manner);
}

static void bench_end(struct bench *b)
{
	omapi_conn_free(b->conn);
	fake_free(b->fake);
	loop_timer_free(b->limit);
	loop_free(b->loop);
}

static void run_for(struct bench *b, int64_t time)
{
	loop_timer_set(b->limit, time);
	loop_run(b->loop);
	loop_timer_clear(b->limit);
}

static void replied(void *ctx, int err, const struct omapi_message *reply)
{
	struct bench *b = ctx;

	assert_true((err == 0) == (reply != NULL));
	b->good += err == 0;
	b->bad += err < 0;
	b->last_err = err;
	if (b->good + b->bad == b->wanted)
		loop_stop(b->loop);
}

static int send_one(struct bench *b, size_t reply_max)
{
	uint8_t memory[256];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "host");
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", "a-camera-with-a-name-of-some-length");
	return omapi_conn_send(b->conn, &out, reply_max, 1, replied, b);
}

static void send_many(struct bench *b, uint32_t count, size_t reply_max)
{
	b->wanted = count;
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(send_one(b, reply_max), 0);
}

static void signed_requests_go_in_batches_that_wait_for_each_other(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_GOOD);
	b.fake->delay = USEC_PER_MSEC;
	send_many(&b, 300, 100);
	run_for(&b, 5 * USEC_PER_SEC);
	assert_int_equal(b.good, 300);
	assert_false(b.fake->spoke_too_early);
	assert_true(b.fake->most_bytes <= OMAPI_BUFFER_BYTES);
	assert_true(b.fake->most_waiting > 1);
	bench_end(&b);
}

static void replies_of_unknown_size_are_asked_for_one_by_one(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_GOOD);
	b.fake->delay = USEC_PER_MSEC;
	send_many(&b, 20, 0);
	run_for(&b, 5 * USEC_PER_SEC);
	assert_int_equal(b.good, 20);
	assert_int_equal(b.fake->most_waiting, 1);
	bench_end(&b);
}

static void unsigned_requests_go_in_the_same_batches(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, false, FAKE_GOOD);
	b.fake->delay = USEC_PER_MSEC;
	send_many(&b, 300, 100);
	run_for(&b, 5 * USEC_PER_SEC);
	assert_int_equal(b.good, 300);
	assert_false(b.fake->spoke_too_early);
	assert_in_range(b.fake->most_bytes, 300, OMAPI_BUFFER_BYTES);
	bench_end(&b);
}

static void a_request_that_dhcpd_could_choke_on_is_not_sent(void **state)
{
	static uint8_t memory[8192], value[8192];
	struct omapi_out out;
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_GOOD);
	for (size_t len = OMAPI_BUFFER_BYTES - 65; len < OMAPI_BUFFER_BYTES; len++) {
		bool fits = OMAPI_HEADER_BYTES + 4 + 7 + len + 32 <= OMAPI_BUFFER_BYTES;

		omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, 1);
		omapi_out_object(&out);
		omapi_out_put(&out, "x", value, len);
		assert_int_equal(
			omapi_conn_send(b.conn, &out, 100, 1, replied, &b), fits ? 0 : ERR_RANGE);
	}
	bench_end(&b);
}

/* The Makefile lets the linker put this in between. */
static uint32_t nodelays, quick_acks;
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	nodelays += level == IPPROTO_TCP && name == TCP_NODELAY && *(const int *)value == 1;
	quick_acks += level == IPPROTO_TCP && name == TCP_QUICKACK && *(const int *)value == 1;
	return __real_setsockopt(fd, level, name, value, len);
}

/* dhcpd leaves Nagle on: it holds its next bytes until we acknowledged the last, for 40 ms if we
 * do not hurry (the kernel forgets TCP_QUICKACK by itself). */
static void nothing_waits_for_nagle_or_a_delayed_acknowledgement(void **state)
{
	struct bench b;

	(void)state;
	nodelays = quick_acks = 0;
	bench_begin(&b, true, FAKE_GOOD);
	send_many(&b, 20, 0); /* one at a time: a read for each */
	run_for(&b, 5 * USEC_PER_SEC);
	assert_int_equal(b.good, 20);
	assert_int_equal(nodelays, 1);
	assert_true(quick_acks >= 20 + 3);
	bench_end(&b);
}

static void an_answer_that_comes_byte_by_byte_is_understood(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_BYTEWISE);
	send_many(&b, 3, 100);
	run_for(&b, 5 * USEC_PER_SEC);
	assert_int_equal(b.good, 3);
	bench_end(&b);
}

/* Whatever the peer does: each request has one answer, and the state is told once. */
static void fails(enum fake_manner manner, int err, bool told, const char *words)
{
	struct bench b;

	bench_begin(&b, true, manner);
	send_many(&b, 10, 100);
	run_for(&b, 2 * USEC_PER_SEC);
	assert_int_equal(b.good, 0);
	assert_int_equal(b.bad, 10);
	assert_int_equal(b.last_err, err);
	assert_int_equal(b.states[OMAPI_UNREACHABLE], told);
	assert_non_null(strstr(omapi_conn_text(b.conn), words));
	bench_end(&b);
}

static void no_answer_in_time_ends_the_connection(void **state)
{
	(void)state;
	fails(FAKE_SILENT, ERR_TIMEOUT, true, "no answer for 150ms");
}

static void no_hello_in_time_ends_the_connection(void **state)
{
	(void)state;
	fails(FAKE_MUTE, ERR_TIMEOUT, true, "no answer for 150ms");
}

static void a_connection_that_closes_fails_what_was_asked(void **state)
{
	(void)state;
	fails(FAKE_CLOSES, ERR_CLOSED, false, "closed the connection");
	fails(FAKE_RESETS, ERR_CLOSED, false, "reset");
}

static void what_is_no_omapi_is_not_believed(void **state)
{
	(void)state;
	fails(FAKE_GARBAGE, ERR_CLOSED, true, "no OMAPI");
	fails(FAKE_HUGE, ERR_CLOSED, true, "no OMAPI");
	fails(FAKE_STRANGER, ERR_CLOSED, true, "no OMAPI");
}

static void success_without_the_right_signature_is_not_believed(void **state)
{
	struct bench b;

	(void)state;
	for (enum fake_manner m = FAKE_UNSIGNED; m <= FAKE_FORGED; m++) {
		bench_begin(&b, true, m);
		send_many(&b, 1, 100);
		run_for(&b, USEC_PER_SEC);
		assert_int_equal(b.good, 0);
		assert_int_equal(b.bad, 1);
		assert_int_equal(b.states[OMAPI_READY], 0);
		bench_end(&b);
	}
}

static void a_login_that_is_refused_is_told_once_and_tried_slowly(void **state)
{
	static const struct {
		enum fake_manner manner;
		const char *words;
	} rows[] = {{FAKE_NO_SUCH_KEY, "no key \"k\" with hmac-sha256"},
		{FAKE_WRONG_SECRET, "secret of key \"k\""}};
	struct bench b;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		bench_begin(&b, true, rows[i].manner);
		run_for(&b, 400 * USEC_PER_MSEC);
		assert_int_equal(b.states[OMAPI_REFUSED], 1);
		assert_int_equal(b.changes, 1);
		assert_non_null(strstr(b.text, rows[i].words));
		assert_in_range(b.fake->connects, 2, 8);
		assert_int_equal(send_one(&b, 100), ERR_CLOSED);
		b.fake->manner = FAKE_GOOD;
		run_for(&b, 400 * USEC_PER_MSEC);
		assert_int_equal(b.states[OMAPI_READY], 1);
		bench_end(&b);
	}
}

static void an_old_dhcpd_takes_hmac_md5_and_says_of_others_what_is_wrong(void **state)
{
	static const char *const others[] = {
		"hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"};
	struct bench b;

	(void)state;
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		bench_begin_with(&b, others[i], FAKE_OLD);
		run_for(&b, 400 * USEC_PER_MSEC);
		assert_int_equal(b.states[OMAPI_REFUSED], 1);
		assert_int_equal(b.changes, 1);
		assert_non_null(strstr(b.text, "hmac-md5"));
		assert_in_range(b.fake->connects, 2, 8);
		assert_int_equal(send_one(&b, 100), ERR_CLOSED);
		bench_end(&b);
	}
	bench_begin_with(&b, "hmac-md5", FAKE_OLD);
	send_many(&b, 50, 100);
	run_for(&b, 5 * USEC_PER_SEC);
	assert_int_equal(b.good, 50);
	bench_end(&b);
}

/* dhcpd was killed in the very moment of the login: that is no refusal. */
static void closing_once_at_the_first_signed_question_is_no_refusal(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_OLD);
	while (b.fake->connects == 0 || b.fake->fd >= 0)
		run_for(&b, USEC_PER_MSEC / 2);
	b.fake->manner = FAKE_GOOD;
	run_for(&b, 300 * USEC_PER_MSEC);
	assert_int_equal(b.states[OMAPI_REFUSED], 0);
	assert_int_equal(b.states[OMAPI_UNREACHABLE], 0);
	assert_int_equal(b.states[OMAPI_READY], 1);
	bench_end(&b);
}

static void ask_again(void *ctx, int err, const struct omapi_message *reply)
{
	struct bench *b = ctx;
	uint8_t memory[256];
	struct omapi_out out;

	(void)reply;
	b->bad += err < 0;
	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_REFRESH, 1);
	omapi_out_object(&out);
	omapi_conn_send(b->conn, &out, 100, 0, ask_again, b);
}

static void a_peer_that_always_closes_makes_no_hot_loop(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_CLOSES);
	for (int i = 0; i < 10; i++) {
		ask_again(&b, 0, NULL);
		run_for(&b, 100 * USEC_PER_MSEC);
	}
	assert_in_range(b.fake->connects, 3, 40);
	assert_int_equal(b.states[OMAPI_UNREACHABLE] <= b.fake->connects, 1);
	bench_end(&b);
}

/* Ten times a second: as the engine would, if it had much to do. */
static void ask_now_and_then(struct bench *b)
{
	for (int i = 0; i < 3; i++) {
		if (omapi_conn_state(b->conn) != OMAPI_UNREACHABLE)
			(void)send_one(b, 100);
		run_for(b, 100 * USEC_PER_MSEC);
	}
}

static void ask_until_ready(struct bench *b)
{
	for (int i = 0; i < 20 && omapi_conn_state(b->conn) != OMAPI_READY; i++)
		ask_now_and_then(b);
	assert_int_equal(omapi_conn_state(b->conn), OMAPI_READY);
}

/* A login alone is no recovery: it takes an answer to what was asked. */
static void a_peer_that_logs_in_and_never_answers_is_not_ready_again(void **state)
{
	static const enum fake_manner manners[] = {
		FAKE_SILENT, FAKE_CLOSES, FAKE_RESETS, FAKE_GARBAGE, FAKE_HUGE, FAKE_STRANGER};
	struct bench b;

	(void)state;
	for (unsigned i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		bench_begin(&b, true, manners[i]);
		b.wanted = UINT32_MAX;
		while (b.states[OMAPI_TRIAL] < 2)
			ask_now_and_then(&b);
		assert_int_equal(b.good, 0);
		assert_int_equal(b.ups, 1);
		assert_int_equal(b.downs, 1);
		assert_true(b.states[OMAPI_READY] <= 2); /* a first close may be a restart */
		assert_true(b.fake->connects <= 40);
		b.states[OMAPI_READY] = 0;
		b.fake->manner = FAKE_GOOD;
		ask_until_ready(&b);
		assert_true(b.good > 0);
		assert_int_equal(b.states[OMAPI_READY], 1);
		bench_end(&b);
	}
}

/* As soon as there is an answer: as a reconcile would. */
static void ask_without_a_pause(struct bench *b)
{
	for (int i = 0; i < 50; i++) {
		while (omapi_conn_state(b->conn) != OMAPI_UNREACHABLE &&
			b->good + b->bad + 2 > b->sent && send_one(b, 100) == 0)
			b->sent++;
		run_for(b, 5 * USEC_PER_MSEC);
	}
}

static void run_until_ready(struct bench *b)
{
	for (int i = 0; i < 500 && omapi_conn_state(b->conn) != OMAPI_READY; i++)
		run_for(b, 10 * USEC_PER_MSEC);
	assert_int_equal(omapi_conn_state(b->conn), OMAPI_READY);
}

/* Answers are no recovery as long as the next question is not answered: one fault is told once,
 * and its end once, however many it answers in between and whoever asks. */
static void answers_some_and_closes(uint32_t patience, void (*ask)(struct bench *b))
{
	struct bench b;

	bench_begin(&b, true, FAKE_CLOSES);
	b.wanted = UINT32_MAX;
	b.fake->patience = patience;
	while (b.fake->connects < 4)
		ask(&b);
	assert_int_equal(b.downs, 1);
	assert_int_equal(b.ups, 1);
	assert_true(b.fake->connects <= 40);
	b.fake->manner = FAKE_GOOD;
	run_until_ready(&b);
	assert_int_equal(b.downs, 1);
	assert_int_equal(b.ups, 2);
	bench_end(&b);
}

static void a_peer_that_answers_some_and_closes_is_told_once(void **state)
{
	(void)state;
	for (uint32_t patience = 0; patience < 4; patience++)
		answers_some_and_closes(patience, ask_without_a_pause);
	answers_some_and_closes(60, ask_without_a_pause);
}

/* What passes its trial and falls ill at once is told, but ever more seldom: the trials of two
 * seconds (80 ms and twice as long each time) are five at most. */
static void a_peer_that_falls_ill_again_is_watched_for_longer(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_GOOD);
	for (int i = 0; i < 400; i++) {
		if (omapi_conn_state(b.conn) == OMAPI_READY)
			fake_hang_up(b.fake);
		run_for(&b, 5 * USEC_PER_MSEC);
	}
	assert_in_range(b.downs, 1, 6);
	assert_in_range(b.ups, 2, 6);
	bench_end(&b);
}

static void look(struct bench *b)
{
	uint8_t memory[256];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_REFRESH, 1);
	omapi_out_object(&out);
	(void)omapi_conn_send(b->conn, &out, 100, 0, replied, b);
}

static int hang_at_writes(struct fake *f, const struct omapi_message *m, struct omapi_out *out)
{
	(void)f;
	omapi_out_put_text(out, "name", "x");
	return m->op == OMAPI_OPEN && omapi_find(&m->object, "name");
}

/* Its lookups are answered, its writes are not: a lookup is no recovery. */
static void a_peer_that_hangs_at_writes_is_told_once(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_GOOD);
	b.wanted = UINT32_MAX;
	b.fake->answer = hang_at_writes;
	for (int i = 0; i < 100; i++) {
		look(&b);
		if (i % 10 == 9 && omapi_conn_state(b.conn) != OMAPI_UNREACHABLE)
			(void)send_one(&b, 100);
		run_for(&b, 20 * USEC_PER_MSEC);
	}
	assert_int_equal(b.downs, 1);
	assert_int_equal(b.ups, 1);
	b.fake->answer = NULL;
	ask_until_ready(&b);
	assert_int_equal(b.ups, 2);
	bench_end(&b);
}

static void a_peer_on_trial_that_nobody_asks_is_asked_all_the_same(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_SILENT);
	b.wanted = UINT32_MAX;
	send_one(&b, 100);
	run_for(&b, USEC_PER_SEC);
	assert_int_equal(b.states[OMAPI_READY], 1);
	assert_int_equal(b.states[OMAPI_TRIAL] > 0, 1);
	b.fake->manner = FAKE_GOOD;
	run_for(&b, 2 * USEC_PER_SEC);
	assert_int_equal(omapi_conn_state(b.conn), OMAPI_READY);
	assert_int_equal(b.states[OMAPI_READY], 2);
	bench_end(&b);
}

/* Our own questions, of a trial, name nobody. */
static int count_names(struct fake *f, const struct omapi_message *m, struct omapi_out *out)
{
	uint32_t *names = f->ctx;

	*names += omapi_find(&m->object, "name") != NULL;
	omapi_out_put_text(out, "name", "x");
	return 0;
}

static void nothing_that_was_asked_of_one_connection_reaches_the_next(void **state)
{
	uint32_t names = 0;
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_CLOSES);
	send_many(&b, 100, 100);
	run_for(&b, USEC_PER_SEC);
	assert_int_equal(b.bad, 100);
	b.fake->manner = FAKE_GOOD;
	b.fake->answer = count_names;
	b.fake->ctx = &names;
	run_until_ready(&b);
	assert_int_equal(names, 0);
	send_many(&b, 1, 100);
	b.wanted = 101;
	run_for(&b, USEC_PER_SEC);
	assert_int_equal(b.good, 1);
	assert_int_equal(names, 1);
	bench_end(&b);
}

static void a_queue_that_is_full_says_so(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_GOOD);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(send_one(&b, 100), 0);
	assert_int_equal(send_one(&b, 100), ERR_FULL);
	b.wanted = 1000;
	run_for(&b, 5 * USEC_PER_SEC);
	assert_int_equal(b.good, 1000);
	bench_end(&b);
}

static void nobody_there_is_unreachable_and_told_once(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, true, FAKE_GOOD);
	loop_io_free(b.fake->listening);
	b.fake->listening = NULL;
	close(b.fake->listener);
	b.fake->listener = -1;
	run_for(&b, 500 * USEC_PER_MSEC);
	assert_int_equal(b.changes, 1);
	assert_int_equal(b.states[OMAPI_UNREACHABLE], 1);
	assert_non_null(strstr(b.text, "Connection refused"));
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signed_requests_go_in_batches_that_wait_for_each_other),
		cmocka_unit_test(replies_of_unknown_size_are_asked_for_one_by_one),
		cmocka_unit_test(unsigned_requests_go_in_the_same_batches),
		cmocka_unit_test(a_request_that_dhcpd_could_choke_on_is_not_sent),
		cmocka_unit_test(nothing_waits_for_nagle_or_a_delayed_acknowledgement),
		cmocka_unit_test(an_answer_that_comes_byte_by_byte_is_understood),
		cmocka_unit_test(no_answer_in_time_ends_the_connection),
		cmocka_unit_test(no_hello_in_time_ends_the_connection),
		cmocka_unit_test(a_connection_that_closes_fails_what_was_asked),
		cmocka_unit_test(what_is_no_omapi_is_not_believed),
		cmocka_unit_test(success_without_the_right_signature_is_not_believed),
		cmocka_unit_test(a_login_that_is_refused_is_told_once_and_tried_slowly),
		cmocka_unit_test(an_old_dhcpd_takes_hmac_md5_and_says_of_others_what_is_wrong),
		cmocka_unit_test(closing_once_at_the_first_signed_question_is_no_refusal),
		cmocka_unit_test(a_peer_that_always_closes_makes_no_hot_loop),
		cmocka_unit_test(a_peer_that_logs_in_and_never_answers_is_not_ready_again),
		cmocka_unit_test(a_peer_that_answers_some_and_closes_is_told_once),
		cmocka_unit_test(a_peer_that_falls_ill_again_is_watched_for_longer),
		cmocka_unit_test(a_peer_that_hangs_at_writes_is_told_once),
		cmocka_unit_test(a_peer_on_trial_that_nobody_asks_is_asked_all_the_same),
		cmocka_unit_test(nothing_that_was_asked_of_one_connection_reaches_the_next),
		cmocka_unit_test(a_queue_that_is_full_says_so),
		cmocka_unit_test(nobody_there_is_unreachable_and_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
