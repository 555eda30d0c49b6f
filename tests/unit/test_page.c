/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "tap82/page.h"

static int count(const char *what)
{
	size_t len;
	int n = 0;

	for (const char *p = page_html(&len); (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

static void page_is_whole_and_ends_with_nul(void **state)
{
	size_t len;
	const char *html = page_html(&len);

	(void)state;
	assert_int_equal(strlen(html), len);
	assert_memory_equal(html, "<!doctype html>", 15);
	assert_string_equal(html + len - 8, "</html>\n");
}

static void page_loads_nothing_and_makes_no_markup_of_data(void **state)
{
	static const char *const banned[] = {"http://", "https://", "src=", "innerHTML",
		"outerHTML", "insertAdjacentHTML", "document.write", "eval(",
		" style=", " onclick="};

	(void)state;
	for (size_t i = 0; i < sizeof(banned) / sizeof(*banned); i++)
		if (count(banned[i]) != 0)
			fail_msg("the page contains %s", banned[i]);
}

static void the_description_is_json_of_openapi(void **state)
{
	size_t len;
	const char *text = page_openapi(&len);
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	(void)state;
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "openapi")), "3.0.3");
	json_decref(json);
}

static void policy_hashes_the_one_style_and_the_one_script(void **state)
{
	const char *policy = page_csp();

	(void)state;
	assert_int_equal(count("<style"), 1);
	assert_int_equal(count("<script"), 1);
	assert_non_null(strstr(policy, "default-src 'none'"));
	assert_non_null(strstr(policy, "style-src 'sha256-"));
	assert_non_null(strstr(policy, "script-src 'sha256-"));
	assert_null(strstr(policy, "unsafe"));
	assert_ptr_equal(policy, page_csp());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_is_whole_and_ends_with_nul),
		cmocka_unit_test(page_loads_nothing_and_makes_no_markup_of_data),
		cmocka_unit_test(the_description_is_json_of_openapi),
		cmocka_unit_test(policy_hashes_the_one_style_and_the_one_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
