/* SPDX-License-Identifier: ISC
 *
 * The engine while somebody sets the wall clock, and after a restart under another one.
 */
#include "world.h"

#define CAM(n) IP(10, 20, 0, n)
#define HOLD   (300 * USEC_PER_SEC)

static struct world world, *w = &world;

static int begin(void **state)
{
	(void)state;
	world_init(w);
	engine_clock(w->engine, w->now, 0);
	world_camera(w, 7);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	world_done(w);
	return 0;
}

/* Ends the engine; the next one starts by a wall clock that shows `wall`. */
static void restart_at(int64_t wall)
{
	engine_free(w->engine);
	w->engine = engine_new(&w->conf, world_ops(), w);
	w->now = wall;
	w->order_count = w->answered = 0;
	engine_clock(w->engine, w->now, 0);
	for (size_t i = 0; i < w->row_count; i++)
		assert_int_equal(engine_restore_device(w->engine, &w->rows[i]), 0);
	for (size_t i = 0; i < w->part_count; i++)
		assert_int_equal(engine_restore_reservation(w->engine, &w->parts[i]), 0);
	engine_tick(w->engine, w->now);
	world_forget(w);
}

/* The time of a field of the camera's record. */
static int64_t recorded(const char *field)
{
	const char *at = strstr(world_record(w, 7), field);
	char text[TIME_TEXT];
	int64_t time;

	assert_non_null(at);
	snprintf(text, sizeof(text), "%s", at + strlen(field) + 3);
	assert_int_equal(time_parse(text, &time), 0);
	return time;
}

static void a_hold_keeps_what_is_left_of_it(int64_t step)
{
	world_start(w, 7, CAM(7), "p7");
	world_forget(w);
	world_wait(w, 100 * USEC_PER_SEC);
	engine_clock(w->engine, w->now, step);
	engine_tick(w->engine, w->now);
	assert_silent(w);
	/* Shown and stored is when it will end by the clock on the wall. */
	assert_true(recorded("hold_until") == START + HOLD + step);
	assert_true(recorded("last_seen") == START + step);
	assert_true(w->rows[0].hold_until == START + HOLD + step);
	world_wait(w, 199 * USEC_PER_SEC);
	assert_silent(w);
	world_wait(w, USEC_PER_SEC);
	assert_told(w, "streams.hold_ended");
	assert_true(w->told[0].event.time == START + HOLD + step);
}

static void a_clock_set_forward_ends_no_hold(void **state)
{
	(void)state;
	a_hold_keeps_what_is_left_of_it(5 * USEC_PER_HOUR);
}

static void a_clock_set_back_makes_no_hold_longer(void **state)
{
	(void)state;
	a_hold_keeps_what_is_left_of_it(-5 * USEC_PER_HOUR);
}

static void a_deadline_keeps_what_is_left_of_it(void **state)
{
	struct observation o = world_ack(w, 7, CAM(7), "p7");

	(void)state;
	world_see(w, &o);
	world_answer(w, ANSWER_NOT_NOW, "unreachable");
	world_forget(w);
	engine_clock(w->engine, w->now, 5 * USEC_PER_HOUR);
	world_wait(w, 299 * USEC_PER_SEC);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 0);
	assert_true(w->parts[0].since == START + 5 * USEC_PER_HOUR);
	world_wait(w, USEC_PER_SEC);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 1);
	assert_true(world_last(w, EVENT_DHCP_RESERVATION_FAILED)->event.time ==
		    START + HOLD + 5 * USEC_PER_HOUR);
}

static void a_restart_after_a_step_goes_on_with_what_was_left(void **state)
{
	(void)state;
	world_start(w, 7, CAM(7), "p7");
	world_wait(w, 100 * USEC_PER_SEC);
	engine_clock(w->engine, w->now, 5 * USEC_PER_HOUR);
	restart_at(w->now + 5 * USEC_PER_HOUR);
	world_wait(w, 199 * USEC_PER_SEC);
	assert_silent(w);
	world_wait(w, USEC_PER_SEC);
	assert_told(w, "streams.hold_ended");
}

static void a_clock_set_back_before_a_restart_holds_for_stream_hold_at_most(void **state)
{
	(void)state;
	world_start(w, 7, CAM(7), "p7");
	world_wait(w, 100 * USEC_PER_SEC);
	restart_at(w->now - 5 * USEC_PER_HOUR);
	assert_true(recorded("hold_until") == w->now + HOLD);
	assert_true(recorded("last_seen") == w->now);
	world_wait(w, HOLD - USEC_PER_SEC);
	assert_silent(w);
	world_wait(w, USEC_PER_SEC);
	assert_told(w, "streams.hold_ended");
}

static void work_of_the_future_has_its_whole_deadline_after_a_restart(void **state)
{
	struct observation o = world_ack(w, 7, CAM(7), "p7");

	(void)state;
	world_see(w, &o);
	world_answer(w, ANSWER_NOT_NOW, "unreachable");
	restart_at(w->now - 5 * USEC_PER_HOUR);
	for (int i = 0; i < 299; i++) {
		world_wait(w, USEC_PER_SEC);
		world_answer(w, ANSWER_NOT_NOW, "unreachable");
	}
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 0);
	world_wait(w, USEC_PER_SEC);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_clock_set_forward_ends_no_hold),
		T(a_clock_set_back_makes_no_hold_longer),
		T(a_deadline_keeps_what_is_left_of_it),
		T(a_restart_after_a_step_goes_on_with_what_was_left),
		T(a_clock_set_back_before_a_restart_holds_for_stream_hold_at_most),
		T(work_of_the_future_has_its_whole_deadline_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
