/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/log.h"

/* What stderr gets while fn runs. */
static void catch_line(void (*fn)(void), char *out, size_t size)
{
	int fds[2], kept = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	fn();
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fds[1]);
	n = read(fds[0], out, size - 1);
	out[n > 0 ? n : 0] = 0;
	close(fds[0]);
}

static void hostile(void)
{
	log_error("circuit \"%s\": odd", "a\x1b[2J\nb");
}

static void chatter(void)
{
	log_debug("nobody asked");
}

static void a_line_cannot_move_a_terminals_cursor(void **state)
{
	char line[256];

	(void)state;
	unsetenv("JOURNAL_STREAM");
	catch_line(hostile, line, sizeof(line));
	assert_string_equal(line, "tap82: circuit \"a\\x1b[2J\\x0ab\": odd\n");
}

static void under_systemd_a_line_has_its_priority(void **state)
{
	char line[256];

	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	catch_line(hostile, line, sizeof(line));
	unsetenv("JOURNAL_STREAM");
	assert_memory_equal(line, "<3>tap82: ", 10);
}

static void a_level_that_is_off_says_nothing(void **state)
{
	char line[256];

	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	catch_line(chatter, line, sizeof(line));
	assert_string_equal(line, "");
	log_set_level(LOG_LEVEL_DEBUG);
	catch_line(chatter, line, sizeof(line));
	assert_string_equal(line, "tap82: nobody asked\n");
	log_set_level(LOG_LEVEL_INFO);
}

static void a_limit_lets_a_burst_pass_and_counts_the_rest(void **state)
{
	struct log_limit limit = {.interval = 1000, .burst = 2};

	(void)state;
	assert_int_equal(log_limit_pass(&limit, 10), 1);
	assert_int_equal(log_limit_pass(&limit, 20), 1);
	assert_int_equal(log_limit_pass(&limit, 30), 0);
	assert_int_equal(log_limit_pass(&limit, 40), 0);
	assert_int_equal(limit.suppressed, 2);
	assert_int_equal(log_limit_pass(&limit, 1010), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_cannot_move_a_terminals_cursor),
		cmocka_unit_test(under_systemd_a_line_has_its_priority),
		cmocka_unit_test(a_level_that_is_off_says_nothing),
		cmocka_unit_test(a_limit_lets_a_burst_pass_and_counts_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
