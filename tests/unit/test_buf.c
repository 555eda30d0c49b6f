/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tap82/buf.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7};

static void integers_are_big_endian(void **state)
{
	struct buf b = buf_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(buf_u8(&b), 1);
	assert_int_equal(buf_u16(&b), 0x0203);
	assert_int_equal(buf_u32(&b), 0x04050607);
	assert_int_equal(buf_left(&b), 0);
	assert_false(b.bad);
}

static void a_read_past_the_end_empties_the_cursor_and_stays_bad(void **state)
{
	struct buf b = buf_of(bytes, 3);

	(void)state;
	assert_int_equal(buf_u32(&b), 0);
	assert_true(b.bad);
	assert_int_equal(buf_left(&b), 0);
	assert_int_equal(buf_u8(&b), 0);
	assert_null(buf_take(&b, 1));
}

static void a_child_holds_what_it_was_given_and_no_more(void **state)
{
	struct buf b = buf_of(bytes, sizeof(bytes)), child = buf_child(&b, 2);

	(void)state;
	assert_int_equal(buf_left(&child), 2);
	assert_int_equal(buf_left(&b), 5);
	buf_skip(&child, 3);
	assert_true(child.bad);
	assert_false(b.bad);
	child = buf_child(&b, 6);
	assert_true(child.bad);
	assert_true(b.bad);
	assert_int_equal(buf_left(&child), 0);
}

static void a_copy_that_is_not_there_is_zeros(void **state)
{
	struct buf b = buf_of(bytes, 2);
	uint8_t out[3] = {9, 9, 9};

	(void)state;
	assert_int_equal(buf_peek(&b, 1), 2);
	assert_int_equal(buf_peek(&b, 2), 0);
	buf_copy(&b, out, 3);
	assert_int_equal(out[0] | out[1] | out[2], 0);
	assert_true(b.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_big_endian),
		cmocka_unit_test(a_read_past_the_end_empties_the_cursor_and_stays_bad),
		cmocka_unit_test(a_child_holds_what_it_was_given_and_no_more),
		cmocka_unit_test(a_copy_that_is_not_there_is_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
