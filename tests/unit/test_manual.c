/* SPDX-License-Identifier: ISC
 *
 * The manual pages describe what the program has, and nothing that it has not: they are compared
 * with its tables of commands, keys, events and reasons.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../core/cli/cli.h"
#include "tap82/conf.h"
#include "tap82/decide.h"
#include "tap82/dhcpd.h"
#include "tap82/event.h"

/* A page as a string; the end of the test program frees it. */
static char *page(const char *name)
{
	char path[128], *text = calloc(1, 1 << 17);
	FILE *f;

	snprintf(path, sizeof(path), "config/man/%s", name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 17) - 1, f) > 0);
	fclose(f);
	return text;
}

/* The text of a (sub)section as a string of its own, "" if there is none. */
static char *section_of(const char *text, const char *heading)
{
	char line[128];
	const char *from, *end, *sub;

	snprintf(line, sizeof(line), "\n.%s\n", heading);
	from = strstr(text, line);
	if (!from)
		return strdup("");
	from += strlen(line) - 1;
	end = strstr(from, "\n.Sh ");
	sub = strncmp(heading, "Ss", 2) == 0 ? strstr(from, "\n.Ss ") : NULL;
	if (!end)
		end = from + strlen(from);
	if (sub && sub < end)
		end = sub;
	return strndup(from, (size_t)(end - from));
}

static int count(const char *text, const char *what)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

/* Whether an item's head has the macro and word: "\n.It … Fl -json …". */
static bool has_item(const char *text, const char *macro, const char *word)
{
	size_t len = strlen(word);
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "%s %s", macro, word);
	len = strlen(wanted);
	for (const char *p = text; (p = strstr(p, "\n.It ")); p++) {
		size_t line = strcspn(p + 1, "\n") + 1;
		const char *at = memmem(p, line, wanted, len);

		if (at && (at[len] == ' ' || at[len] == '\n' || at[len] == '\0'))
			return true;
	}
	return false;
}

static void check_options(const char *name, const char *text, const struct cli_option *o)
{
	int options = 0;

	for (; o && o->name; o++, options++) {
		char flag[64], letter[2] = {o->letter, 0};

		snprintf(flag, sizeof(flag), "-%s", o->name);
		if (!has_item(text, "Fl", flag))
			fail_msg("config/man/tap82.8: %s: describe it: .It Fl %s", name, flag);
		if (o->letter && !has_item(text, "Fl", letter))
			fail_msg("tap82.8: %s: no .It Fl %s , Fl %s", name, letter, flag);
	}
	if (count(text, "\n.It Fl") != options)
		fail_msg("tap82.8: %s: describes options that do not exist", name);
}

static void every_command_and_option_is_in_the_manual(void **state)
{
	char *text = page("tap82.8"), *all = section_of(text, "Sh COMMANDS");
	char *common = section_of(text, "Sh OPTIONS");
	int shown = 0;

	(void)state;
	check_options("OPTIONS", common, cli_common_options);
	for (const struct command *c = commands; c->name; c++) {
		char heading[64], *part;

		if (!*c->summary)
			continue;
		snprintf(heading, sizeof(heading), "Ss %s", c->name);
		part = section_of(all, heading);
		if (!*part)
			fail_msg("config/man/tap82.8: COMMANDS: describe it: .Ss %s", c->name);
		check_options(c->name, part, c->options);
		free(part);
		shown++;
	}
	assert_int_equal(count(all, "\n.Ss "), shown);
	free(common);
	free(all);
	free(text);
}

static void every_key_is_in_the_manual(void **state)
{
	char *text = page("tap82.ini.5"), *all = section_of(text, "Sh SECTIONS");
	struct conf_key_info key;
	size_t keys = 0;

	(void)state;
	for (; conf_key_at(keys, &key) == 0; keys++) {
		bool unnamed = strcmp(key.section, "tap82") == 0;
		char heading[64], *part;

		snprintf(heading, sizeof(heading), "Ss Section %s%s", key.section,
			unnamed ? "" : " NAME");
		part = section_of(all, heading);
		if (!has_item(part, "Ic", key.key))
			fail_msg("config/man/tap82.ini.5: .%s: describe it: .It Ic %s", heading,
				key.key);
		if (key.fallback && *key.fallback && !strstr(part, key.fallback))
			fail_msg("tap82.ini.5: %s: %s: its default %s is not said", heading,
				key.key, key.fallback);
		free(part);
	}
	assert_int_equal(count(all, "\n.It Ic"), keys);
	free(all);
	free(text);
}

static void every_event_is_in_the_manual(void **state)
{
	char *text = page("tap82-events.7"), *all = section_of(text, "Sh EVENTS");

	(void)state;
	for (int code = EVENT_NONE + 1; code < EVENT_CODES; code++)
		if (!has_item(all, "Ic", event_code_text((enum event_code)code)))
			fail_msg("config/man/tap82-events.7: describe it: .It Ic %s",
				event_code_text((enum event_code)code));
	assert_int_equal(count(all, "\n.It Ic"), EVENT_CODES - 1);
	assert_int_equal(count(all, "\nFields:\n.Va "), EVENT_CODES - 1);
	free(all);
	free(text);
}

static void every_reason_is_in_the_manual(void **state)
{
	char *text = page("tap82-events.7"), *all = section_of(text, "Sh REASONS");
	int reasons = 1; /* "replacement" is in no table */

	(void)state;
	for (int r = REASON_NONE + 1; r < REASONS; r++, reasons++)
		if (!has_item(all, "Ic", reason_text((enum reason)r)))
			fail_msg("config/man/tap82-events.7: REASONS: describe it: .It Ic %s",
				reason_text((enum reason)r));
	for (int o = DHCPD_FOREIGN; o <= DHCPD_LATER; o++) {
		const char *word = dhcpd_outcome_text((enum dhcpd_outcome)o);

		if (!has_item(all, "Ic", word))
			fail_msg(
				"config/man/tap82-events.7: REASONS: describe it: .It Ic %s", word);
		reasons += strcmp(word, reason_text(REASON_ADDRESS_TAKEN)) != 0;
	}
	assert_int_equal(count(all, "\n.It Ic"), reasons);
	free(all);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_and_option_is_in_the_manual),
		cmocka_unit_test(every_key_is_in_the_manual),
		cmocka_unit_test(every_event_is_in_the_manual),
		cmocka_unit_test(every_reason_is_in_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
