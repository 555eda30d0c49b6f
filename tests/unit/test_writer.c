/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "tap82/clock.h"
#include "tap82/writer.h"

/* A record with a value of every kind. */
static void write_everything(struct writer *w)
{
	static const uint8_t bytes[] = {0, 0x7f, 0xff}, text[] = {'e', 't', 'h', '0'};
	static const struct mac mac = {{2, 0, 0xab, 0xcd, 0, 1}};

	writer_begin(w);
	writer_time(w, "time", INT64_C(1767225600000001));
	writer_str(w, "type", "ACK");
	writer_mac(w, "mac", &mac);
	writer_ipv4(w, "ip", 0x0a0c64ff);
	writer_u64(w, "n", UINT64_MAX);
	writer_i64(w, "i", INT64_MIN);
	writer_double(w, "d", 1.5);
	writer_bool(w, "yes", true);
	writer_null(w, "nothing");
	writer_hex32(w, "xid", 0xbeef);
	writer_hex(w, "raw", bytes, sizeof(bytes));
	writer_opaque(w, "id", text, sizeof(text));
	writer_object_begin(w, "in");
	writer_list_begin(w, "vlans");
	writer_u64(w, NULL, 0);
	writer_u64(w, NULL, 4095);
	writer_list_end(w);
	writer_list_begin(w, "none");
	writer_list_end(w);
	writer_list_begin(w, "of");
	writer_object_begin(w, NULL);
	writer_str(w, "x", "y");
	writer_object_end(w);
	writer_object_begin(w, NULL);
	writer_object_end(w);
	writer_list_end(w);
	writer_object_end(w);
	writer_raw(w, "json", "{\"a\":1}", 7);
	writer_end(w);
}

static char *taken(struct writer *w)
{
	size_t n;
	const char *bytes = writer_bytes(w, &n);
	char *text = strndup(bytes, n);

	writer_clear(w);
	return text;
}

static void check(enum writer_mode mode, const char *expected)
{
	struct writer w;
	char *text;

	assert_int_equal(writer_init(&w, -1, mode), 0);
	for (unsigned i = 0; i < 2; i++) {
		write_everything(&w);
		text = taken(&w);
		assert_string_equal(text, expected);
		free(text);
	}
	writer_done(&w);
}

static void a_record_is_one_json_object_and_a_newline(void **state)
{
	(void)state;
	check(WRITER_JSON,
		"{\"time\":\"2026-01-01T00:00:00.000001Z\",\"type\":\"ACK\",\"mac\":\"02:00:ab:cd:"
		"00:"
		"01\",\"ip\":\"10.12.100.255\",\"n\":18446744073709551615,\"i\":-"
		"9223372036854775808,\"d\":1.500,\"yes\":true,\"nothing\":null,\"xid\":"
		"\"0000beef\","
		"\"raw\":\"007fff\",\"id\":\"65746830\",\"id_text\":\"eth0\",\"in\":{\"vlans\":[0,"
		"4095],\"none\":[],\"of\":[{\"x\":\"y\"},{}]},\"json\":{\"a\":1}}\n");
}

static void or_one_line_of_words(void **state)
{
	(void)state;
	check(WRITER_LINE,
		"time=2026-01-01T00:00:00.000001Z type=ACK mac=02:00:ab:cd:00:01 ip=10.12.100.255 "
		"n=18446744073709551615 i=-9223372036854775808 d=1.500 yes=true nothing=null "
		"xid=0000beef raw=007fff id=65746830 id_text=eth0 in.vlans=0,4095 in.none= "
		"in.of=in.x=y json={\"a\":1}\n");
}

static void or_a_tree(void **state)
{
	(void)state;
	check(WRITER_TREE,
		"time: 2026-01-01T00:00:00.000001Z\ntype: ACK\nmac: 02:00:ab:cd:00:01\n"
		"ip: 10.12.100.255\nn: 18446744073709551615\ni: -9223372036854775808\nd: 1.500\n"
		"yes: true\nnothing: null\nxid: 0000beef\nraw: 007fff\nid: 65746830\n"
		"id_text: eth0\nin:\n  vlans:\n    - 0\n    - 4095\n  none:\n  of:\n    -\n"
		"      x: y\n    -\njson: {\"a\":1}\n\n");
}

/* A text of any bytes comes back as itself where it is UTF-8, and is always JSON. */
static void any_bytes_become_json(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"plain", "plain"},
		{"", ""},
		{"a\"b\\c", "a\\\"b\\\\c"},
		{"\n\t\033[31m\177", "\\u000a\\u0009\\u001b[31m\\u007f"},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"\xc2\x9b", "\\\\xc2\\\\x9b"}, /* a C1 control */
		{"\xff\xc3", "\\\\xff\\\\xc3"},
		{"\xed\xa0\x80", "\\\\xed\\\\xa0\\\\x80"}, /* a surrogate */
		{"\xc0\x80\xe0\x80\x80\xf4\x90\x80\x80", /* too long, too high */
			"\\\\xc0\\\\x80\\\\xe0\\\\x80\\\\x80\\\\xf4\\\\x90\\\\x80\\\\x80"},
	};
	char expected[256];
	struct writer w;

	(void)state;
	assert_int_equal(writer_init(&w, -1, WRITER_JSON), 0);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json;
		char *text;

		writer_begin(&w);
		writer_str(&w, "t", cases[i].text);
		writer_end(&w);
		text = taken(&w);
		snprintf(expected, sizeof(expected), "{\"t\":\"%s\"}\n", cases[i].expected);
		assert_string_equal(text, expected);
		json = json_loads(text, 0, NULL);
		assert_non_null(json);
		json_decref(json);
		free(text);
	}
	writer_done(&w);
}

static void words_of_a_line_are_quoted_where_they_must(void **state)
{
	struct writer w;
	char *text;

	(void)state;
	assert_int_equal(writer_init(&w, -1, WRITER_LINE), 0);
	writer_begin(&w);
	writer_str(&w, "a", "two words");
	writer_str(&w, "b", "x=y");
	writer_str(&w, "c", "");
	writer_str(&w, "d", "\"");
	writer_str(&w, NULL, "bare");
	writer_end(&w);
	text = taken(&w);
	assert_string_equal(text, "a=\"two words\" b=\"x=y\" c=\"\" d=\"\\\"\" bare\n");
	free(text);
	writer_done(&w);
}

/* Values at every distance from the end of the buffer, each of which makes it grow. */
static void memory_grows_with_what_is_written(void **state)
{
	static uint8_t bytes[9000];
	struct writer w;
	char *text;

	(void)state;
	for (size_t n = 3900; n < 4200; n++) {
		assert_int_equal(writer_init(&w, -1, WRITER_JSON), 0);
		writer_begin(&w);
		memset(bytes, 'x', sizeof(bytes));
		writer_text(&w, "pad", bytes, n);
		writer_ipv4(&w, "ip", 1);
		writer_time(&w, "time", 0);
		writer_opaque(&w, "id", bytes, n % 7);
		memset(bytes, 1, sizeof(bytes));
		writer_text(&w, "escaped", bytes, n % 50 == 0 ? sizeof(bytes) : n % 9);
		writer_end(&w);
		text = taken(&w);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		if (n % 50 == 0) {
			json_t *json = json_loads(text, 0, NULL);

			assert_non_null(json);
			json_decref(json);
		}
		free(text);
		writer_done(&w);
	}
}

static void a_broken_pipe_is_seen_and_stays(void **state)
{
	struct writer w;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(writer_init(&w, fds[1], WRITER_JSON), 0);
	w.eager = true;
	write_everything(&w);
	assert_int_equal(writer_error(&w), 0);
	close(fds[0]);
	write_everything(&w);
	assert_int_equal(writer_error(&w), -EPIPE);
	assert_int_equal(writer_flush(&w), -EPIPE);
	close(fds[1]);
	writer_done(&w);
}

static void many_records_reach_the_file_whole(void **state)
{
	FILE *f = tmpfile();
	char line[1024];
	struct writer w;
	int lines = 0;

	(void)state;
	assert_non_null(f);
	assert_int_equal(writer_init(&w, fileno(f), WRITER_JSON), 0);
	for (int i = 0; i < 2000; i++)
		write_everything(&w);
	assert_int_equal(writer_flush(&w), 0);
	rewind(f);
	while (fgets(line, sizeof(line), f))
		lines += line[0] == '{' && strstr(line, "}}\n") != NULL;
	assert_int_equal(lines, 2000);
	fclose(f);
	writer_done(&w);
}

/* The second that was formatted last is remembered: another one must not be taken for it. */
static void times_are_right_in_any_order(void **state)
{
	static const int64_t times[] = {0, 1, 999999, 1000000, 999999, INT64_C(1767225599999999),
		INT64_C(1767225600000000), -5, INT64_MAX, 0};
	struct writer w;
	char expected[64], stamp[TIME_TEXT], *text;

	(void)state;
	assert_int_equal(writer_init(&w, -1, WRITER_JSON), 0);
	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		writer_begin(&w);
		writer_time(&w, "t", times[i]);
		writer_end(&w);
		text = taken(&w);
		snprintf(expected, sizeof(expected), "{\"t\":\"%s\"}\n",
			time_format(times[i], stamp));
		assert_string_equal(text, expected);
		free(text);
	}
	writer_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_one_json_object_and_a_newline),
		cmocka_unit_test(or_one_line_of_words),
		cmocka_unit_test(or_a_tree),
		cmocka_unit_test(any_bytes_become_json),
		cmocka_unit_test(words_of_a_line_are_quoted_where_they_must),
		cmocka_unit_test(memory_grows_with_what_is_written),
		cmocka_unit_test(a_broken_pipe_is_seen_and_stays),
		cmocka_unit_test(many_records_reach_the_file_whole),
		cmocka_unit_test(times_are_right_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
