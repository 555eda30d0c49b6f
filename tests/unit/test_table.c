/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

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
	assert_string_equal(text, "MAC            NAME            ERROR\n"
				  "aa:bb:cc:dd:\xe2\x80\xa6  "
				  "ÄÄÄÄÄÄÄÄÄÄÄÄÄ\xe2\x80\xa6  no\n");
	free(text);
	table_free(table);
}

static void text_from_the_wire_cannot_move_the_cursor(void **state)
{
	char *text = table_clean("a\033[2Jb\x7f\xc2\x9b"
				 "c\td\xc3\xa9");

	(void)state;
	assert_string_equal(text, "a\\x1b[2Jb\\x7f\\x9bc\\x09d\xc3\xa9");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			columns_are_as_wide_as_what_is_in_them_and_empty_ones_are_left_out),
		cmocka_unit_test(a_line_fits_the_terminal_and_what_was_cut_shows),
		cmocka_unit_test(text_from_the_wire_cannot_move_the_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
