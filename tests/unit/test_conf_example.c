/* SPDX-License-Identifier: ISC
 *
 * The example that is shipped: it loads, names every key, and what it says about defaults is true.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tap82/conf.h"
#include "tap82/inventory.h"

#define EXAMPLE "config/tap82.ini"
#define MANUAL	"config/man/tap82.ini.5"

static void fail_with(void *ctx, const char *text)
{
	(void)ctx;
	fail_msg("%s", text);
}

static char *read_whole(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

/* The part of the example from "[section" to the next. The caller frees it. */
static char *section_of(const char *text, const char *section)
{
	char start[64];
	const char *from, *to;

	snprintf(start, sizeof(start), "\n[%s", section);
	from = strstr(text, start);
	if (!from) {
		snprintf(start, sizeof(start), "\n# [%s", section);
		from = strstr(text, start);
	}
	assert_non_null(from);
	from++;
	to = strstr(from, "\n[");
	return strndup(from, to ? (size_t)(to - from) : strlen(from));
}

/* Whether a line of `text` is PREFIX KEY [=]… */
static bool has_line(const char *text, const char *prefix, const char *key, const char *rest)
{
	char line[256];
	size_t n = (size_t)snprintf(line, sizeof(line), "\n%s%s%s", prefix, key, rest);
	const char *p = strstr(text, line);

	return p && (!*rest || p[n] == '\n');
}

static void the_example_loads(void **state)
{
	struct conf *conf;

	(void)state;
	assert_int_equal(conf_load(EXAMPLE, fail_with, NULL, &conf), 0);
	assert_int_equal(conf->capture_count, 1);
	assert_int_equal(conf->server_count, 1);
	assert_int_equal(conf->group_count, 1);
	assert_int_equal(conf->switch_count, 1);
	conf_free(conf);
}

static void the_example_of_devices_loads(void **state)
{
	struct inventory *inventory;
	struct conf *conf;
	size_t count;

	(void)state;
	assert_int_equal(conf_load(EXAMPLE, fail_with, NULL, &conf), 0);
	assert_int_equal(
		inventory_open("config/devices.csv", conf, fail_with, NULL, &inventory), 0);
	assert_int_equal(inventory_step(inventory, 100), 0);
	inventory_rows(inventory, &count);
	assert_int_equal(count, 3);
	inventory_free(inventory);
	conf_free(conf);
}

/* A key with a default stands as ";key = default", or not as a default at all. */
static void every_key_stands_there_with_its_default(void **state)
{
	struct conf_key_info info;
	char *text = read_whole(EXAMPLE);

	(void)state;
	for (size_t i = 0; conf_key_at(i, &info) == 0; i++) {
		char *section = section_of(text, info.section), value[128];
		bool commented;

		snprintf(value, sizeof(value), " =%s%s", info.fallback && *info.fallback ? " " : "",
			info.fallback ? info.fallback : "");
		commented = has_line(section, ";", info.key, value);
		if (!commented && has_line(section, ";", info.key, ""))
			fail_msg("[%s] %s: the default is '%s'", info.section, info.key, value);
		if (!commented && !has_line(section, "", info.key, " ") &&
			!has_line(section, "# ", info.key, " ") && !strstr(section, info.key))
			fail_msg("[%s] %s: is not there", info.section, info.key);
		free(section);
	}
	free(text);
}

static void every_commented_default_is_a_key(void **state)
{
	char *text = read_whole(EXAMPLE), *rest = text, *line, section[64] = "";
	size_t defaults = 0;

	(void)state;
	while ((line = strsep(&rest, "\n"))) {
		struct conf_key_info info;
		bool found = false;
		char *end;

		if (*line == '[')
			snprintf(section, sizeof(section), "%.*s", (int)strcspn(line + 1, " ]"),
				line + 1);
		if (*line != ';')
			continue;
		end = strchr(line, ' ');
		assert_non_null(end);
		*end = 0;
		for (size_t i = 0; !found && conf_key_at(i, &info) == 0; i++)
			found = strcmp(info.key, line + 1) == 0 &&
				strcmp(info.section, section) == 0;
		if (!found)
			fail_msg("[%s] has no key %s", section, line + 1);
		defaults++;
	}
	assert_true(defaults > 20);
	free(text);
}

static void the_manual_names_every_key(void **state)
{
	struct conf_key_info info;
	char *text = read_whole(MANUAL), key[64];

	(void)state;
	for (size_t i = 0; conf_key_at(i, &info) == 0; i++) {
		snprintf(key, sizeof(key), "%s", info.key);
		if (!strstr(text, key))
			fail_msg(MANUAL ": %s is not there", key);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_loads),
		cmocka_unit_test(the_example_of_devices_loads),
		cmocka_unit_test(every_key_stands_there_with_its_default),
		cmocka_unit_test(every_commented_default_is_a_key),
		cmocka_unit_test(the_manual_names_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
