/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/csv.h"
#include "tap82/err.h"

static char path[] = "/tmp/tap82-csv-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static struct csv *open_bytes(const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");
	struct csv *csv = NULL;

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
	assert_int_equal(csv_open(path, &csv), 0);
	assert_int_equal(csv_file_size(csv), len);
	return csv;
}

/* "1<a|b>3<c>" for what is read: line<field|field>; errors as "line!error". */
static const char *read_all(const char *text)
{
	static char out[2048];
	struct csv *csv = open_bytes(text, strlen(text));
	struct csv_field *fields;
	size_t n = 0;
	uint32_t line;
	int count;

	while ((count = csv_next(csv, &fields, &line)) != 0) {
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%u", line);
		for (int i = 0; i < count; i++) {
			assert_int_equal(strlen(fields[i].text), fields[i].len);
			n += (size_t)snprintf(
				out + n, sizeof(out) - n, "%c%s", i ? '|' : '<', fields[i].text);
		}
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%c%s", count > 0 ? '>' : '!',
			count > 0 ? "" : csv_error(csv));
		if (count < 0 && count != ERR_SYNTAX)
			break;
	}
	out[n] = 0;
	csv_close(csv);
	return out;
}

static void records_end_with_lf_crlf_or_the_file(void **state)
{
	(void)state;
	assert_string_equal(read_all("a,b\nc,d\r\ne,f"), "1<a|b>2<c|d>3<e|f>");
	assert_string_equal(read_all(""), "");
	assert_string_equal(read_all("\n\r\n\n"), "");
	assert_string_equal(read_all("a\n\n\r\nb\n"), "1<a>4<b>");
	assert_string_equal(read_all(",\n"), "1<|>");
	assert_string_equal(read_all(" a , b\n"), "1< a | b>");
	assert_string_equal(read_all("\xef\xbb\xbf"
				     "a,b\n"),
		"1<a|b>");
}

static void quotes_hold_commas_line_ends_and_quotes(void **state)
{
	(void)state;
	assert_string_equal(read_all("\"a,b\",\"c\"\"d\"\nx,y\n"), "1<a,b|c\"d>2<x|y>");
	assert_string_equal(read_all("\"a\nb\r\nc\",d\nx,y\n"), "1<a\nb\r\nc|d>4<x|y>");
	assert_string_equal(read_all("\"\",\"\"\"\"\n"), "1<|\">");
	assert_string_equal(read_all("a,\"b\""), "1<a|b>");
	assert_string_equal(read_all("\"a\n\n\"\n\"b\n\""), "1<a\n\n>4<b\n>");
}

static void a_broken_record_is_named_and_the_next_is_read(void **state)
{
	(void)state;
	assert_string_equal(read_all("a,5\" disk\nb,c\n"),
		"1!a quote stands inside a field that does not begin with one2<b|c>");
	assert_string_equal(
		read_all("\"a\"b,c\nd,e\n"), "1!something stands behind a closing quote2<d|e>");
	assert_string_equal(
		read_all("a,b\n\"c,d\ne,f\n"), "1<a|b>2!a quote is opened here and never closed");
}

static void what_is_too_large_is_refused(void **state)
{
	char *text = malloc(CSV_RECORD_MAX + 10);
	struct csv_field *fields;
	struct csv *csv;
	uint32_t line;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', CSV_RECORD_MAX + 10);
	text[CSV_RECORD_MAX - 1] = '\n';
	csv = open_bytes(text, CSV_RECORD_MAX);
	assert_int_equal(csv_next(csv, &fields, &line), 1);
	assert_int_equal(fields[0].len, CSV_RECORD_MAX - 1);
	csv_close(csv);
	text[CSV_RECORD_MAX - 1] = 'x';
	csv = open_bytes(text, CSV_RECORD_MAX + 10);
	assert_int_equal(csv_next(csv, &fields, &line), ERR_FULL);
	assert_int_equal(csv_next(csv, &fields, &line), ERR_FULL);
	csv_close(csv);
	memset(text, ',', CSV_FIELDS_MAX);
	text[CSV_FIELDS_MAX] = 0;
	assert_string_equal(read_all(text), "1!the row has too many fields");
	free(text);
}

static void a_record_across_the_buffer_is_whole(void **state)
{
	enum { ROWS = 30000 };
	char *text = malloc(ROWS * 32), expected[32];
	struct csv_field *fields;
	struct csv *csv;
	size_t n = 0;
	uint32_t line;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < ROWS; i++)
		n += (size_t)sprintf(text + n, "%d,\"x\n%d\"\n", i, i);
	csv = open_bytes(text, n);
	free(text);
	for (int i = 0; i < ROWS; i++) {
		assert_int_equal(csv_next(csv, &fields, &line), 2);
		assert_int_equal(line, 2 * i + 1);
		sprintf(expected, "x\n%d", i);
		assert_string_equal(fields[1].text, expected);
	}
	assert_int_equal(csv_next(csv, &fields, &line), 0);
	csv_close(csv);
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const texts[] = {
		"plain", "", "a,b", "say \"x\"", "two\nlines", "\"", "\r"};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = csv_format(texts[i], strlen(texts[i]), out);
		char expected[80];

		memcpy(out + n, ",x\n", 4);
		snprintf(expected, sizeof(expected), "1<%s|x>", texts[i]);
		assert_string_equal(read_all(out), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_end_with_lf_crlf_or_the_file),
		cmocka_unit_test(quotes_hold_commas_line_ends_and_quotes),
		cmocka_unit_test(a_broken_record_is_named_and_the_next_is_read),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(a_record_across_the_buffer_is_whole),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
