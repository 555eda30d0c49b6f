/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tap82/omapi_batch.h"

#define TIME 20000

static void a_batch_never_holds_more_than_a_buffer_of_requests(void **state)
{
	struct omapi_batch batch = {0};
	unsigned n = 0;

	(void)state;
	while (omapi_batch_take(&batch, TIME, 199, 150, 1))
		n++;
	assert_int_equal(n, 20);
	assert_true(batch.requests <= OMAPI_BUFFER_BYTES);
}

static void a_batch_never_asks_for_more_than_a_buffer_of_replies(void **state)
{
	struct omapi_batch batch = {0};
	unsigned n = 0;

	(void)state;
	while (omapi_batch_take(&batch, TIME, 100, 1000, 1))
		n++;
	assert_int_equal(n, 4);
	assert_true(batch.replies <= OMAPI_BUFFER_BYTES);
}

static void every_mix_of_sizes_keeps_each_reply_but_the_last_in_the_buffer(void **state)
{
	uint32_t random = 12345;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct omapi_batch batch = {0};
		size_t requests = 0, before_last = 0, replies = 0;

		for (;;) {
			size_t request, reply;

			random = random * 1103515245 + 12345;
			request = 80 + (random >> 16) % 900;
			random = random * 1103515245 + 12345;
			reply = (random >> 16) % 8 == 0 ? 0 : 60 + (random >> 16) % 700;
			if (!omapi_batch_take(&batch, TIME, request, reply, 1))
				break;
			requests += request;
			before_last = replies;
			replies += reply;
		}
		assert_true(requests <= OMAPI_BUFFER_BYTES);
		assert_true(replies <= OMAPI_BUFFER_BYTES);
		assert_true(before_last + 8 <= OMAPI_BUFFER_BYTES);
	}
}

static void a_reply_of_unknown_size_is_the_last_of_its_batch(void **state)
{
	struct omapi_batch batch = {0};

	(void)state;
	assert_true(omapi_batch_take(&batch, TIME, 100, 100, 1));
	assert_true(omapi_batch_take(&batch, TIME, 100, 0, 1));
	assert_false(omapi_batch_take(&batch, TIME, 100, 100, 1));
}

static void a_reply_of_unknown_size_must_begin_within_the_buffer(void **state)
{
	struct omapi_batch batch = {0};

	(void)state;
	assert_true(omapi_batch_take(&batch, TIME, 100, OMAPI_BUFFER_BYTES - 7, 1));
	assert_false(omapi_batch_take(&batch, TIME, 100, 0, 1));
}

static void a_request_as_large_as_the_buffer_goes_alone(void **state)
{
	struct omapi_batch batch = {0};

	(void)state;
	assert_true(omapi_batch_take(&batch, TIME, OMAPI_BUFFER_BYTES, 100, 1));
	assert_false(omapi_batch_take(&batch, TIME, 100, 100, 1));
	batch = (struct omapi_batch){0};
	assert_true(omapi_batch_take(&batch, TIME, 100, 100, 1));
	assert_false(omapi_batch_take(&batch, TIME, OMAPI_BUFFER_BYTES - 99, 100, 1));
}

static void a_slow_disk_makes_batches_smaller_and_a_fast_one_larger(void **state)
{
	struct omapi_pace pace;
	struct omapi_batch batch = {0};
	unsigned n = 0;

	(void)state;
	omapi_pace_init(&pace, TIME);
	for (int i = 0; i < 40; i++)
		omapi_pace_learn(&pace, 20 * 300, 0, 20);
	while (omapi_batch_take(&batch, TIME, 100, 100, omapi_pace_cost(&pace, 1)))
		n++;
	assert_in_range(n, 30, 40); /* a fsync of 0.3 ms: the buffer is the limit */
	omapi_pace_learn(&pace, 400000, 0, 20);
	omapi_pace_learn(&pace, 400000, 0, 20);
	batch = (struct omapi_batch){0};
	for (n = 0; omapi_batch_take(&batch, TIME, 100, 100, omapi_pace_cost(&pace, 1)); n++)
		;
	assert_in_range(n, 1, 2); /* one of 20 ms */
}

static void a_batch_is_at_least_one_however_slow_it_is(void **state)
{
	struct omapi_pace pace;
	struct omapi_batch batch = {0};

	(void)state;
	omapi_pace_init(&pace, TIME);
	omapi_pace_stalled(&pace, 5000000, 1);
	assert_true(omapi_batch_take(&batch, TIME, 100, 100, omapi_pace_cost(&pace, 4)));
	assert_false(omapi_batch_take(&batch, TIME, 100, 100, omapi_pace_cost(&pace, 4)));
}

static void lookups_do_not_change_what_a_write_is_thought_to_cost(void **state)
{
	struct omapi_pace pace;
	int64_t before;

	(void)state;
	omapi_pace_init(&pace, TIME);
	before = omapi_pace_cost(&pace, 1);
	omapi_pace_learn(&pace, 100, 4, 0);
	assert_int_equal(omapi_pace_cost(&pace, 1), before);
	assert_true(omapi_pace_cost(&pace, 0) < 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_never_holds_more_than_a_buffer_of_requests),
		cmocka_unit_test(a_batch_never_asks_for_more_than_a_buffer_of_replies),
		cmocka_unit_test(every_mix_of_sizes_keeps_each_reply_but_the_last_in_the_buffer),
		cmocka_unit_test(a_reply_of_unknown_size_is_the_last_of_its_batch),
		cmocka_unit_test(a_reply_of_unknown_size_must_begin_within_the_buffer),
		cmocka_unit_test(a_request_as_large_as_the_buffer_goes_alone),
		cmocka_unit_test(a_slow_disk_makes_batches_smaller_and_a_fast_one_larger),
		cmocka_unit_test(a_batch_is_at_least_one_however_slow_it_is),
		cmocka_unit_test(lookups_do_not_change_what_a_write_is_thought_to_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
