/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tap82/err.h"
#include "tap82/layout.h"

static struct layouts *layouts;

static int set_up(void **state)
{
	(void)state;
	layouts = layouts_new();
	return layouts ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	layouts_free(layouts);
	return 0;
}

/* "=text" or hex. */
static struct buf bytes_of(const char *text, uint8_t out[256])
{
	int n;

	if (text[0] == '=')
		return buf_of(text + 1, strlen(text + 1));
	n = hex_parse(text, strlen(text), out, 256);
	assert_true(n >= 0);
	return buf_of(out, (size_t)n);
}

static int apply(const char *spec, const char *circuit, const char *remote, struct port_place *ret)
{
	uint8_t circuit_bytes[256], remote_bytes[256];
	const struct layout *layout;
	int offset;

	assert_int_equal(layout_find_offset(layouts, spec, &layout, &offset), 0);
	return layout_apply(layout, offset, bytes_of(circuit, circuit_bytes),
		bytes_of(remote, remote_bytes), ret);
}

struct example {
	const char *spec, *circuit, *remote;
	int vlan, slot, port;
	const char *switch_mac; /* NULL: none */
};

/* From the vendors' manuals. */
static const struct example examples[] = {
	{"cisco", "000400780105", "0006001122334455", 120, 1, 5, "00:11:22:33:44:55"},
	{"cisco-2", "00040078001b", "", 120, 0, 25, NULL},
	{"cisco+1", "000400780105", "", 120, 1, 6, NULL},
	{"CISCO", "000400780105", "", 120, 1, 5, NULL},
	{"cisco", "0105506f727435", "0103737731", -1, -1, -1, NULL},
	{"d-link", "000400020008", "000600aabbccddee", 2, 0, 8, "00:aa:bb:cc:dd:ee"},
	{"d-link-vendor1", "00060002000100050106020000000001", "", 2, 1, 5, "02:00:00:00:00:01"},
	{"tp-link", "000400020001", "0006001122334455", 2, -1, 1, "00:11:22:33:44:55"},
	{"tp-link-private", "00020001", "001122334455", 2, -1, 1, "00:11:22:33:44:55"},
	{"h3c", "000400020000", "", 2, -1, 1, NULL},
	{"h3c-standard", "00020017", "001122334455", 2, -1, 24, "00:11:22:33:44:55"},
	{"huawei", "=GigabitEthernet0/0/1:100.0 HUAWEI/0/0/0/0/0", "001122334455", 100, 0, 1,
		"00:11:22:33:44:55"},
	{"huawei-default", "=Eth-Trunk12:100.7 sw-1/0/0/0/0/0", "", 100, -1, 12, NULL},
	{"huawei-common", "=eth0/0/5:100.0 sw/0/0/0/0/0", "=0011-2233-4455", 100, 0, 5,
		"00:11:22:33:44:55"},
	{"huawei-common", "=trunk 3:7.0 sw0/0/0/0/0", "", 7, -1, 3, NULL},
	{"huawei-extend", "000400642805", "0006001122334455", 100, 5, 5, "00:11:22:33:44:55"},
	{"eltex", "=access-1 eth 1/0/7:120", "0089c1a8f94b000001", 120, 0, 7, "a8:f9:4b:00:00:01"},
	{"eltex-custom", "000400780007", "0006a8f94b000001", 120, 0, 7, "a8:f9:4b:00:00:01"},
	{"interlogix", "00030108", "001122334455", 3, 1, 8, "00:11:22:33:44:55"},
	{"moxa", "01000f03", "0a000001", 15, -1, 3, NULL},
	{"juniper", "=ge-1/0/1.0:43", "=cc:e1:7f:87:b2:00:172.17.21.13", 43, 1, 1,
		"cc:e1:7f:87:b2:00"},
	{"juniper", "=ge-4/1/1:122-500", "", 500, 4, 1, NULL},
	{"mikrotik", "=My Mikrotik eth 0/2", "", -1, 0, 2, NULL},
	{"tr101", "=NMBGHZ eth 0/1/42:101", "", 101, 1, 42, NULL},
	{"dcn", "=Vlan2+Ethernet1/1", "=00-02-d1-2e-3a-0d", 2, 1, 1, "00:02:d1:2e:3a:0d"},
	{"tr101", "=dslam-7 eth 1/0/7:120", "001122334455", 120, 0, 7, "00:11:22:33:44:55"},
	{"moxa", "01000f03", "0a000001001122334455", 15, -1, 3, "00:11:22:33:44:55"},
	{"d-link", "0105706f727435", "0104737731", -1, -1, -1, NULL},
	{"zte", "=eth 0/0/5:30.3611 0/0/0/0/0/0", "", 30, 0, 5, NULL},
	{"sonic", "=leaf-1:Ethernet24:Vlan100", "", 100, -1, 24, NULL},
	{"ascii", "=anything", "=at all", -1, -1, -1, NULL},
};

static void every_vendor_is_read_as_his_manual_says(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *e = &examples[i];
		struct port_place place;
		char mac[MAC_TEXT];

		if (apply(e->spec, e->circuit, e->remote, &place) < 0 || place.vlan != e->vlan ||
			place.slot != e->slot || place.port != e->port)
			fail_msg("%s: %s: vlan %d slot %d port %d", e->spec, e->circuit, place.vlan,
				place.slot, place.port);
		assert_int_equal(place.has_switch_mac, e->switch_mac != NULL);
		if (e->switch_mac)
			assert_string_equal(mac_format(&place.switch_mac, mac), e->switch_mac);
	}
}

/* A changed id by every layout there is, from memory of its exact size: as circuit-id, and as the
 * remote-id beside a circuit-id that may fit. */
static void apply_all(const uint8_t *bytes, size_t len, struct buf circuit)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct buf id = buf_of(exact, len);
	struct port_place place;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	for (size_t i = 0; i < 2 * layouts_count(layouts); i++)
		if (layout_apply(layouts_at(layouts, i / 2), 0, i % 2 ? id : circuit, id, &place) ==
			0)
			assert_true(place.vlan <= 4095 && place.vlan >= -1 && place.slot >= -1 &&
				    place.port >= -1);
	free(exact);
}

static void hurt_id(struct buf id, struct buf circuit)
{
	size_t len = buf_left(&id);
	uint8_t bytes[256];

	memcpy(bytes, id.p, len);
	for (size_t n = 0; n <= len; n++)
		apply_all(bytes, n, circuit);
	for (size_t at = 0; at < len; at++)
		for (unsigned v = 1; v < 256; v += 3) {
			bytes[at] ^= (uint8_t)v;
			apply_all(bytes, len, circuit);
			bytes[at] ^= (uint8_t)v;
		}
}

static void no_truncation_and_no_corrupt_byte_of_an_id_does_harm(void **state)
{
	uint8_t circuit_bytes[256], remote_bytes[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct buf circuit = bytes_of(examples[i].circuit, circuit_bytes);

		hurt_id(circuit, circuit);
		hurt_id(bytes_of(examples[i].remote, remote_bytes), circuit);
	}
}

static void what_does_not_fit_is_not_guessed(void **state)
{
	static const struct example bad[] = {
		{"cisco", "0004007801", "", 0, 0, 0, NULL}, /* too short */
		{"cisco", "00040078010500", "", 0, 0, 0, NULL}, /* too long */
		{"cisco", "000500780105", "", 0, 0, 0, NULL},
		{"cisco", "0004ffff0105", "", 0, 0, 0, NULL}, /* no VLAN */
		{"cisco", "0106506f727435", "", 0, 0, 0, NULL}, /* the inner length lies */
		{"cisco", "0101ff", "", 0, 0, 0, NULL}, /* no text */
		{"cisco", "", "", 0, 0, 0, NULL},
		{"cisco-9", "000400780105", "", 0, 0, 0, NULL}, /* no port below 0 */
		{"juniper", "=ge-1/0/1.0", "", 0, 0, 0, NULL},
		{"juniper", "=ge-1/0/12345678901:4", "", 0, 0, 0, NULL},
		{"mikrotik", "= eth 0/2", "", 0, 0, 0, NULL}, /* {} is at least one character */
		{"ascii", "610062", "", 0, 0, 0, NULL},
	};
	struct port_place place;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (apply(bad[i].spec, bad[i].circuit, bad[i].remote, &place) != ERR_SYNTAX)
			fail_msg("%s: %s fits", bad[i].spec, bad[i].circuit);
}

static void a_user_defines_layouts_of_his_own(void **state)
{
	struct port_place place;
	char why[128];

	(void)state;
	assert_int_equal(layouts_add(layouts, "acme", "0xac vlan:12 slot:4 port:8-1 rest", "mac:48",
				 why, sizeof(why)),
		0);
	assert_int_equal(apply("acme", "ac0785077777", "001122334455", &place), 0);
	assert_int_equal(place.vlan, 120);
	assert_int_equal(place.slot, 5);
	assert_int_equal(place.port, 6);
	assert_int_equal(
		layouts_add(layouts, "acme-2", "text P{port}V{vlan}", NULL, why, sizeof(why)), 0);
	assert_int_equal(apply("acme-2", "=P7V30", "", &place), 0);
	assert_int_equal(place.port, 7);
	assert_int_equal(apply("acme-2+3", "=P7V30", "", &place), 0);
	assert_int_equal(place.port, 10);
	assert_int_equal(
		layouts_add(layouts, "ACME", "port:8", NULL, why, sizeof(why)), ERR_DUPLICATE);
}

static void a_users_layout_refuses_what_cannot_be(void **state)
{
	struct port_place place;
	char why[128];

	(void)state;
	assert_int_equal(layouts_add(layouts, "less", "port:8-1", NULL, why, sizeof(why)), 0);
	assert_int_equal(apply("less", "01", "", &place), 0);
	assert_int_equal(place.port, 0);
	assert_int_equal(apply("less", "00", "", &place), ERR_SYNTAX); /* no port below 0 */
	assert_int_equal(
		layouts_add(layouts, "worded", "text {mac}/{port}", NULL, why, sizeof(why)), 0);
	assert_int_equal(apply("worded", "=0011.2233.4455/3", "", &place), 0);
	assert_true(place.has_switch_mac);
	assert_int_equal(place.port, 3);
	assert_int_equal(apply("worded", "=00:11:22:33:44:5x/3", "", &place), ERR_SYNTAX);
	assert_int_equal(apply("worded", "=0011/3", "", &place), ERR_SYNTAX);
}

static void a_users_layout_hides_a_built_in_one(void **state)
{
	struct port_place place;
	char why[128];

	(void)state;
	assert_int_equal(layouts_add(layouts, "moxa", "port:8 vlan:16", NULL, why, sizeof(why)), 0);
	assert_int_equal(apply("moxa", "010002", "", &place), 0);
	assert_int_equal(place.port, 1);
	assert_int_equal(place.vlan, 2);
}

static void a_spec_that_says_nothing_is_refused_with_the_reason(void **state)
{
	static const char *const bad[][2] = {
		{"", "nothing there"},
		{"port:8 | ", "nothing there"},
		{"vlan", "no word of a layout"},
		{"vlan:0", "no word of a layout"},
		{"vlan:33", "no word of a layout"},
		{"vlan:16x", "no word of a layout"},
		{"vlan:16+", "no word of a layout"},
		{"mac:47", "no word of a layout"},
		{"len:16", "no word of a layout"},
		{"colour:8", "no word of a layout"},
		{"0x", "no word of a layout"},
		{"0x1", "no word of a layout"},
		{"vlan:12", "whole bytes"},
		{"vlan:12 0x00 port:4", "whole bytes"},
		{"text port:8", NULL}, /* a pattern without fields */
		{"rest port:8", "whole bytes"},
		{"text {vlan", "'{' without '}'"},
		{"text {colour}", "no field of a layout"},
		{"text {len}", "no field of a layout"},
		{"port:8 | port:8 | port:8 | port:8 | port:8", "alternatives"},
		{"_:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8 _:8", "words"},
		{"text {}1{}2{}3{}4{}5{}6{}7{}8{}9", "words"},
		{"text 0123456789012345678901234567890123456789012345678", "in a row"},
	};
	struct layout layout;
	char why[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int err = layout_parse("x", bad[i][0], NULL, &layout, why, sizeof(why));

		if (bad[i][1] ? err == 0 || !strstr(why, bad[i][1]) : err != 0)
			fail_msg("'%s': %d %s", bad[i][0], err, why);
	}
	assert_true(layout_parse("x", "port:8", "mac:1", &layout, why, sizeof(why)) < 0);
}

static void a_name_is_a_word(void **state)
{
	static const char *const bad[] = {"", "1st", "a b", "a+1", "abcdefghijklmnopqrstuvwxyz"};
	struct layout layout;
	char why[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(layout_parse(bad[i], "port:8", NULL, &layout, why, sizeof(why)),
			ERR_SYNTAX);
}

static void names_that_do_not_exist_and_offsets_too_large_are_told_apart(void **state)
{
	const struct layout *layout;
	int offset;

	(void)state;
	assert_int_equal(layout_find_offset(layouts, "nokia", &layout, &offset), ERR_NOT_FOUND);
	assert_int_equal(layout_find_offset(layouts, "nokia+2", &layout, &offset), ERR_NOT_FOUND);
	assert_int_equal(layout_find_offset(layouts, "cisco+", &layout, &offset), ERR_NOT_FOUND);
	assert_int_equal(layout_find_offset(layouts, "cisco+1000", &layout, &offset), ERR_RANGE);
	assert_null(layouts_at(layouts, layouts_count(layouts)));
}

/* A pattern of many gaps over a long text: were it tried in all ways, this would not end. */
static void matching_takes_bounded_time(void **state)
{
	struct port_place place;
	char why[128], text[256];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = '=';
	text[255] = 0;
	assert_int_equal(layouts_add(layouts, "gaps", "text {}a{}a{}a{}a{}a{}a{}a{}b", NULL, why,
				 sizeof(why)),
		0);
	assert_int_equal(apply("gaps", text, "", &place), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_vendor_is_read_as_his_manual_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			no_truncation_and_no_corrupt_byte_of_an_id_does_harm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_does_not_fit_is_not_guessed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_user_defines_layouts_of_his_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_users_layout_refuses_what_cannot_be, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_users_layout_hides_a_built_in_one, set_up, tear_down),
		cmocka_unit_test(a_spec_that_says_nothing_is_refused_with_the_reason),
		cmocka_unit_test(a_name_is_a_word),
		cmocka_unit_test_setup_teardown(
			names_that_do_not_exist_and_offsets_too_large_are_told_apart, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(matching_takes_bounded_time, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
