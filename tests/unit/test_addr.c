/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tap82/addr.h"
#include "tap82/err.h"

static void mac_is_read_in_every_usual_spelling(void **state)
{
	static const char *const good[] = {"aa:bb:cc:0d:ee:ff", "AA-BB-CC-0D-EE-FF",
		"aabb.cc0d.eeff", "aabb-cc0d-eeff", "AABBCC0DEEFF"};
	char text[MAC_TEXT];
	struct mac mac;

	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(mac_parse(good[i], strlen(good[i]), &mac), 0);
		assert_string_equal(mac_format(&mac, text), "aa:bb:cc:0d:ee:ff");
	}
}

static void what_is_no_mac_is_refused(void **state)
{
	static const char *const bad[] = {"", "aa:bb:cc:dd:ee", "aa:bb-cc:dd:ee:ff",
		"aa:bb:cc:dd:ee:fg", "aabbccddeef", "aabbccddeefff", "aa bb cc dd ee ff",
		"aabb.cc0d-eeff"};
	struct mac mac;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mac_parse(bad[i], strlen(bad[i]), &mac), ERR_SYNTAX);
}

static void ipv4_round_trips_and_refuses_nonsense(void **state)
{
	static const char *const bad[] = {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4",
		"1.2.3.4 ", "1..2.3", "a.b.c.d", "1.2.3.1234"};
	char text[IPV4_TEXT];
	uint32_t ip;

	(void)state;
	assert_int_equal(ipv4_parse("10.20.0.255", 11, &ip), 0);
	assert_int_equal(ip, 0x0a1400ff);
	assert_string_equal(ipv4_format(ip, text), "10.20.0.255");
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ipv4_parse(bad[i], strlen(bad[i]), &ip), ERR_SYNTAX);
}

static void prefix_knows_what_is_in_it(void **state)
{
	struct prefix p;

	(void)state;
	assert_int_equal(prefix_parse("10.20.0.0/16", 12, &p), 0);
	assert_true(prefix_has(&p, 0x0a14ffff));
	assert_false(prefix_has(&p, 0x0a150000));
	assert_int_equal(prefix_parse("10.20.0.1/16", 12, &p), ERR_RANGE);
	assert_int_equal(prefix_parse("10.20.0.0/33", 12, &p), ERR_SYNTAX);
	assert_int_equal(prefix_parse("0.0.0.0/0", 9, &p), 0);
	assert_true(prefix_has(&p, 0xffffffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mac_is_read_in_every_usual_spelling),
		cmocka_unit_test(what_is_no_mac_is_refused),
		cmocka_unit_test(ipv4_round_trips_and_refuses_nonsense),
		cmocka_unit_test(prefix_knows_what_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
