/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../core/cli/progress.h"
#include "../../core/cli/table.h"

static const char *const titles[] = {"MAC", "NAME", "ERROR"};

static char *printed(const struct table *table, size_t width)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	table_print(table, out, width, false);
	fclose(out);
	return text;
}

static void columns_are_as_wide_as_what_is_in_them_and_empty_ones_are_left_out(void **state)
{
	struct table *table = table_new(titles, 3);
	char *text;

	(void)state;
	table_add(table, (const char *const[]){"aa:bb", "Tür", NULL});
	table_add(table, (const char *const[]){"cc", "Gate 2", ""});
	text = printed(table, 0);
	assert_string_equal(text, "MAC    NAME\naa:bb  Tür\ncc     Gate 2\n");
	assert_int_equal(table_rows(table), 2);
	free(text);
	table_free(table);
}

static void a_line_fits_the_terminal_and_what_was_cut_shows(void **state)
{
	struct table *table = table_new(titles, 3);
	char *text;

	(void)state;
	table_add(table, (const char *const[]){"aa:bb:cc:dd:ee:ff", "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ", "no"});
	text = printed(table, 36);
	assert_string_equal(text, "MAC                NAME        ERROR\n"
				  "aa:bb:cc:dd:ee:ff  "
				  "ÄÄÄÄÄÄÄÄÄ\xe2\x80\xa6  no\n");
	free(text);
	table_free(table);
}

/* Below that, half of an address would be of no use. */
static void a_terminal_too_narrow_for_a_table_gets_blocks(void **state)
{
	struct table *table = table_new(titles, 3);
	char *text;

	(void)state;
	table_add(table,
		(const char *const[]){"aa:bb:cc:dd:ee:ff", "a gate with a long name", "no answer"});
	table_add(table, (const char *const[]){"aa:bb:cc:dd:ee:00", NULL, "no"});
	text = printed(table, 30);
	assert_string_equal(text, "MAC    aa:bb:cc:dd:ee:ff\nNAME   a gate with a long name\n"
				  "ERROR  no answer\n\n"
				  "MAC    aa:bb:cc:dd:ee:00\nERROR  no\n");
	free(text);
	table_free(table);
}

static void wide_characters_take_two_places_and_marks_none(void **state)
{
	struct table *table = table_new(titles, 3);
	char *text;

	(void)state;
	table_add(table, (const char *const[]){"a", "北門カメラ", "x"});
	table_add(table, (const char *const[]){"b", "Tu\xcc\x88r", "y"});
	text = printed(table, 0);
	assert_string_equal(text, "MAC  NAME        ERROR\n"
				  "a    北門カメラ  x\n"
				  "b    Tu\xcc\x88r         y\n");
	free(text);
	text = printed(table, 21);
	assert_string_equal(text, "MAC  NAME       ERROR\n"
				  "a    北門カメ\xe2\x80\xa6  x\n"
				  "b    Tu\xcc\x88r        y\n");
	free(text);
	table_free(table);
}

static struct progress_state at(uint64_t done, uint64_t total, uint64_t count)
{
	return (struct progress_state){.done = done, .total = total, .count = count};
}

static void progress_tells_rate_and_time_left(void **state)
{
	struct progress p = {.what = "a\033b.pcap", .unit = "packets"};
	struct progress_state none = at(0, 100, 0), half = at(50, 100, 3000),
			      pipe = at(7, 0, 5000000), over = at(300, 100, 60000);
	char text[128];

	(void)state;
	progress_text(&p, &none, 0, 0, text, sizeof(text));
	assert_string_equal(text, "0 %, 0 packets, 0/s: a\\x1bb.pcap");
	progress_text(&p, &half, 3000000, 0, text, sizeof(text));
	assert_string_equal(text, "50 %, 3000 packets, 1000/s, 3 s left: a\\x1bb.pcap");
	progress_text(&p, &half, 600000000, 20, text, sizeof(text));
	assert_string_equal(text, "50 %, 3000 packets, ");
	progress_text(&p, &half, 600000000, 0, text, sizeof(text));
	assert_string_equal(text, "50 %, 3000 packets, 5/s, 10 min left: a\\x1bb.pcap");
	progress_text(&p, &pipe, 2000000, 0, text, sizeof(text));
	assert_string_equal(text, "5000000 packets, 2.5 M/s: a\\x1bb.pcap");
	progress_text(&p, &over, 2000000, 0, text, sizeof(text));
	assert_string_equal(text, "100 %, 60000 packets, 30 k/s, 0 s left: a\\x1bb.pcap");
}

static void text_from_the_wire_cannot_move_the_cursor(void **state)
{
	char *text = table_clean("a\033[2Jb\x7f\xc2\x9b"
				 "c\td\xc3\xa9");

	(void)state;
	assert_string_equal(text, "a\\x1b[2Jb\\x7f\\x9bc\\x09d\xc3\xa9");
	free(text);
	/* Writing from right to left, a place of no width, bytes that are no UTF-8. */
	text = table_clean("a\xe2\x80\xae"
			   "b\xe2\x80\x8b"
			   "c\xff\xc3(\xe2\x82");
	assert_string_equal(text, "a\\u202eb\\u200bc\\xff\\xc3(\\xe2\\x82");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			columns_are_as_wide_as_what_is_in_them_and_empty_ones_are_left_out),
		cmocka_unit_test(a_line_fits_the_terminal_and_what_was_cut_shows),
		cmocka_unit_test(a_terminal_too_narrow_for_a_table_gets_blocks),
		cmocka_unit_test(wide_characters_take_two_places_and_marks_none),
		cmocka_unit_test(progress_tells_rate_and_time_left),
		cmocka_unit_test(text_from_the_wire_cannot_move_the_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
