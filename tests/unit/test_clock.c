/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "tap82/clock.h"
#include "tap82/err.h"

static int64_t wall, boot; /* what the clocks show, microseconds */

int __wrap_clock_gettime(clockid_t id, struct timespec *ts);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t t = id == CLOCK_REALTIME ? wall : boot;

	ts->tv_sec = t / USEC_PER_SEC;
	ts->tv_nsec = t % USEC_PER_SEC * 1000;
	return 0;
}

static void pass(int64_t usec)
{
	wall += usec;
	boot += usec;
}

static void the_engines_time_goes_on_whoever_sets_the_clock(void **state)
{
	int64_t start = 1800000000 * USEC_PER_SEC, ahead = 0;

	(void)state;
	wall = start;
	boot = 5 * USEC_PER_SEC;
	assert_true(clock_onward() == start);
	assert_true(clock_ahead() == 0);
	pass(USEC_PER_SEC);
	assert_true(clock_onward() == start + USEC_PER_SEC);
	for (int i = 0; i < 4; i++) {
		static const int64_t steps[] = {
			-3 * USEC_PER_HOUR, 5 * USEC_PER_HOUR, USEC_PER_SEC / 2, -USEC_PER_DAY};

		wall += steps[i];
		ahead += steps[i];
		assert_true(clock_onward() == start + USEC_PER_SEC + i * 300 * USEC_PER_SEC);
		assert_true(clock_ahead() == ahead);
		pass(300 * USEC_PER_SEC);
	}
	/* Between the two readings of it: no step. */
	wall += USEC_PER_MSEC;
	assert_true(clock_ahead() == ahead);
	wall -= USEC_PER_MSEC;
	/* Suspended for a day: both clocks went on. */
	pass(USEC_PER_DAY);
	assert_true(clock_onward() == start + 1201 * USEC_PER_SEC + USEC_PER_DAY);
	assert_true(clock_onward() + clock_ahead() == wall);
}

static void a_packets_stamp_is_on_the_engines_time(void **state)
{
	int64_t before, now = clock_onward();

	(void)state;
	assert_true(clock_onward_of(wall) == now);
	assert_true(clock_onward_of(wall - 20 * USEC_PER_SEC) == now - 20 * USEC_PER_SEC);
	/* Stamped, then the clock was set forward, then looked at; and back. */
	before = wall;
	wall += 5 * USEC_PER_HOUR;
	assert_true(clock_onward_of(before) <= now);
	assert_true(clock_onward_of(before) >= now - 60 * USEC_PER_SEC);
	assert_true(clock_onward_of(wall) == now);
	before = wall;
	wall -= 7 * USEC_PER_HOUR;
	assert_true(clock_onward_of(wall) == now);
	assert_true(clock_onward_of(before) == now);
	pass(USEC_PER_SEC);
	assert_true(clock_onward_of(wall) == now + USEC_PER_SEC);
}

static void times_are_written_and_read(void **state)
{
	static const char *const bad[] = {"", "yesterday", "2026-13-01T00:00:00Z",
		"2026-01-02T03:04:05", "2026-01-02T03:04:05.Z", "12x", "2026-01-02 03:04:05Z"};
	char text[TIME_TEXT];
	int64_t time;

	(void)state;
	assert_int_equal(time_parse("2026-01-02T03:04:05.678901Z", &time), 0);
	assert_string_equal(time_format(time, text), "2026-01-02T03:04:05.678901Z");
	assert_int_equal(time_parse("2026-01-02T05:34:05.678901+02:30", &time), 0);
	assert_string_equal(time_format(time, text), "2026-01-02T03:04:05.678901Z");
	assert_int_equal(time_parse("0.25", &time), 0);
	assert_int_equal(time, 250000);
	assert_string_equal(time_format(-1, text), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(time_format(INT64_MAX, text), "9999-12-31T23:59:59.775807Z");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(time_parse(bad[i], &time), ERR_SYNTAX);
}

static void durations_and_sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t usec;
	} good[] = {{"250ms", 250000}, {"300s", 300000000}, {"10m", 600000000},
		{"6h", 6 * USEC_PER_HOUR}, {"90d", 90 * USEC_PER_DAY}, {"0s", 0}};
	static const char *const bad[] = {"", "s", "5", "5 s", "-5s", "5sec", "1.5h", "5S"};
	char text[32];
	uint64_t bytes;
	int64_t usec;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(duration_parse(good[i].text, &usec), 0);
		assert_true(usec == good[i].usec);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(bad[i], &usec), ERR_SYNTAX);
	assert_int_equal(duration_parse("99999999999999999999d", &usec), ERR_RANGE);
	assert_int_equal(duration_parse("999999999999d", &usec), ERR_RANGE);
	assert_string_equal(duration_format(300 * USEC_PER_SEC, text, sizeof(text)), "5m");
	assert_string_equal(duration_format(1500000, text, sizeof(text)), "1500ms");
	assert_int_equal(size_parse("32M", &bytes), 0);
	assert_int_equal(bytes, 32 << 20);
	assert_int_equal(size_parse("32m", &bytes), ERR_SYNTAX);
	assert_int_equal(size_parse("99999999999G", &bytes), ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_engines_time_goes_on_whoever_sets_the_clock),
		cmocka_unit_test(a_packets_stamp_is_on_the_engines_time),
		cmocka_unit_test(times_are_written_and_read),
		cmocka_unit_test(durations_and_sizes_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
