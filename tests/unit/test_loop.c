/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/loop.h"

struct world {
	struct loop *loop;
	char said[64];
	int pipe[2];
};

static void say(struct world *w, const char *word)
{
	strncat(w->said, word, sizeof(w->said) - strlen(w->said) - 1);
}

static void on_timer(void *ctx)
{
	say(ctx, "timer ");
}

static void on_stop(void *ctx)
{
	struct world *w = ctx;

	say(w, "stop ");
	loop_stop(w->loop);
}

static void on_turn(void *ctx)
{
	say(ctx, "| ");
}

static void on_read(void *ctx, int fd, int what)
{
	char byte;

	assert_int_equal(what, LOOP_READ);
	assert_int_equal(read(fd, &byte, 1), 1);
	say(ctx, "read ");
}

static int setup(void **state)
{
	static struct world w;

	w = (struct world){.loop = loop_new()};
	*state = &w;
	return w.loop && pipe(w.pipe) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;

	close(w->pipe[0]);
	close(w->pipe[1]);
	loop_free(w->loop);
	return 0;
}

static void timers_are_due_in_order_and_each_turn_ends_with_its_hook(void **state)
{
	struct world *w = *state;
	struct loop_timer *first = loop_timer_new(w->loop, on_timer, w);
	struct loop_timer *last = loop_timer_new(w->loop, on_stop, w);

	loop_after_turn(w->loop, on_turn, w);
	loop_timer_set(last, 20000);
	loop_timer_set(first, 1000);
	assert_true(loop_timer_is_set(first));
	assert_int_equal(loop_run(w->loop), 0);
	assert_string_equal(w->said, "timer | stop | ");
	assert_false(loop_timer_is_set(first));
	loop_timer_free(first);
	loop_timer_free(last);
}

static void a_cleared_timer_is_not_due(void **state)
{
	struct world *w = *state;
	struct loop_timer *never = loop_timer_new(w->loop, on_timer, w);
	struct loop_timer *last = loop_timer_new(w->loop, on_stop, w);

	loop_timer_set(never, 1000);
	loop_timer_clear(never);
	loop_timer_set(last, 5000);
	assert_int_equal(loop_run(w->loop), 0);
	assert_string_equal(w->said, "stop ");
	loop_timer_free(never);
	loop_timer_free(last);
}

static void a_paused_descriptor_waits_until_it_is_watched_again(void **state)
{
	struct world *w = *state;
	struct loop_io *io = loop_io_new(w->loop, w->pipe[0], 0, on_read, w);
	struct loop_timer *last = loop_timer_new(w->loop, on_stop, w);

	assert_int_equal(write(w->pipe[1], "x", 1), 1);
	loop_timer_set(last, 2000);
	assert_int_equal(loop_run(w->loop), 0);
	assert_string_equal(w->said, "stop ");
	assert_int_equal(loop_io_set(io, LOOP_READ), 0);
	loop_timer_set(last, 5000);
	assert_int_equal(loop_run(w->loop), 0);
	assert_string_equal(w->said, "stop read stop ");
	loop_io_free(io);
	loop_timer_free(last);
}

static void a_signal_is_told_in_the_loop(void **state)
{
	struct world *w = *state;
	struct loop_signal *s = loop_signal_new(w->loop, SIGUSR1, on_stop, w);

	raise(SIGUSR1);
	assert_string_equal(w->said, "");
	assert_int_equal(loop_run(w->loop), 0);
	assert_string_equal(w->said, "stop ");
	loop_signal_free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timers_are_due_in_order_and_each_turn_ends_with_its_hook),
		TEST(a_cleared_timer_is_not_due),
		TEST(a_paused_descriptor_waits_until_it_is_watched_again),
		TEST(a_signal_is_told_in_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
