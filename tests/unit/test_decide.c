/* SPDX-License-Identifier: ISC
 *
 * The decision table: row by row, and for every combination of its facts against the same rules
 * written a second time, as a person would read them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tap82/decide.h"

/* A camera without address that nothing stops. */
static struct match passes_all(void)
{
	return (struct match){
		.server_known = true,
		.in_group = true,
		.relay_listed = true,
		.relayed = true,
		.has_option82 = true,
		.auto_provisioning = true,
		.device_known = true,
		.group_fits = true,
		.on_address_change = CONF_ADDRESS_FOLLOW,
		.replacement = CONF_REPLACEMENT_REPORT,
	};
}

static struct decision decided(const struct match *m)
{
	struct decision d;

	decide(m, &d);
	return d;
}

static void assert_stops(const struct match *m, enum reason reason, unsigned number)
{
	struct decision d = decided(m);
	unsigned count;

	assert_string_equal(reason_text(d.reason), reason_text(reason));
	assert_int_equal(decide_rows(&count)[d.row].number, number);
}

static void nothing_stops_a_new_camera(void **state)
{
	struct match m = passes_all();

	(void)state;
	assert_stops(&m, REASON_PROVISIONED, 12);
	assert_true(decided(&m).allocated);
	assert_true(decided(&m).learns);
}

static void each_row_stops_with_its_reason(void **state)
{
	struct match m;

	(void)state;
	m = passes_all();
	m.server_known = false;
	assert_stops(&m, REASON_UNKNOWN_SERVER, 1);
	m = passes_all();
	m.in_group = false;
	assert_stops(&m, REASON_NO_GROUP, 2);
	m = passes_all();
	m.relay_listed = false;
	assert_stops(&m, REASON_UNKNOWN_RELAY, 3);
	m = passes_all();
	m.auto_provisioning = false;
	assert_stops(&m, REASON_AUTO_PROVISIONING_OFF, 4);
	assert_false(decided(&m).allocated);
	m = passes_all();
	m.device_known = false;
	assert_stops(&m, REASON_UNKNOWN_DEVICE, 6);
	assert_true(decided(&m).allocated);
	assert_false(decided(&m).learns);
	m = passes_all();
	m.group_fits = false;
	assert_stops(&m, REASON_WRONG_GROUP, 6);
	assert_true(decided(&m).learns);
	m = passes_all();
	m.first_address = true;
	assert_stops(&m, REASON_REPLACEMENT_PENDING, 7);
	m = passes_all();
	m.has_address = m.same_address = true;
	assert_stops(&m, REASON_ALREADY_PROVISIONED, 7);
	m.same_address = false;
	assert_stops(&m, REASON_PROVISIONED, 12);
	m.on_address_change = CONF_ADDRESS_REPORT;
	assert_stops(&m, REASON_ADDRESS_CHANGED, 7);
	m = passes_all();
	m.address_taken = true;
	assert_stops(&m, REASON_ADDRESS_TAKEN, 8);
}

static void the_first_row_that_stops_gives_the_reason(void **state)
{
	struct match m = {0};

	(void)state;
	assert_stops(&m, REASON_UNKNOWN_SERVER, 1);
	m.server_known = true;
	assert_stops(&m, REASON_NO_GROUP, 2);
	m.in_group = m.relayed = true;
	assert_stops(&m, REASON_UNKNOWN_RELAY, 3);
	m.relay_listed = true;
	assert_stops(&m, REASON_AUTO_PROVISIONING_OFF, 4);
	m.auto_provisioning = true;
	assert_stops(&m, REASON_UNKNOWN_DEVICE, 6);
	m.device_known = m.address_taken = m.first_address = true;
	assert_stops(&m, REASON_WRONG_GROUP, 6);
	m.group_fits = true;
	assert_stops(&m, REASON_REPLACEMENT_PENDING, 7);
	m.first_address = false;
	assert_stops(&m, REASON_ADDRESS_TAKEN, 8);
}

static void the_relay_is_judged_by_list_and_option_82(void **state)
{
	static const struct {
		bool any, relayed, listed, option82, l2, passes;
	} cases[] = {
		{true, true, false, true, false, true}, /* no list: any relay */
		{true, false, false, true, false, true}, /* no list: a snooping switch */
		{false, true, true, true, false, true},
		{false, true, false, true, true, false}, /* l2 is not for relays */
		{false, true, false, false, false, false},
		{false, false, false, false, false, true}, /* a renewal */
		{false, false, false, true, false, false}, /* forged, or an unlisted switch */
		{false, false, false, true, true, true},
		{false, false, true, true, false, false}, /* 0.0.0.0 is no relay */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct match m = passes_all();

		m.relay_any = cases[i].any;
		m.relayed = cases[i].relayed;
		m.relay_listed = cases[i].listed;
		m.has_option82 = cases[i].option82;
		m.l2 = cases[i].l2;
		assert_int_equal(decided(&m).reason != REASON_UNKNOWN_RELAY, cases[i].passes);
	}
}

static void another_camera_on_the_port_is_shared_replaced_or_taken_over(void **state)
{
	struct match m = passes_all();

	(void)state;
	m.port = PORT_OTHER_ALIVE;
	m.replacement = CONF_REPLACEMENT_TAKEOVER;
	m.old_has_address = true;
	assert_true(decided(&m).shares);
	assert_false(decided(&m).replaces);
	m.port = PORT_OTHER_SILENT;
	assert_true(decided(&m).replaces);
	assert_true(decided(&m).takes_over);
	m.address_taken = true; /* its first address is not what it is to have */
	assert_true(decided(&m).takes_over);
	m.address_taken = m.old_has_address = false;
	assert_true(decided(&m).replaces);
	assert_false(decided(&m).takes_over);
	m.replacement = CONF_REPLACEMENT_OFF;
	assert_false(decided(&m).replaces);
	m.port = PORT_ANNOUNCED;
	assert_true(decided(&m).replaces);
	assert_false(decided(&m).takes_over);
	m.replacement = CONF_REPLACEMENT_TAKEOVER;
	m.old_has_address = m.has_address = m.same_address = true;
	assert_true(decided(&m).takes_over); /* announced for a camera that has an address */
}

/* The README's table, once more. */
static enum reason reason_by_reading(const struct match *m)
{
	bool silent = m->port == PORT_OTHER_SILENT || m->port == PORT_ANNOUNCED;
	bool takeover = silent && m->replacement == CONF_REPLACEMENT_TAKEOVER && m->old_has_address;

	if (!m->server_known)
		return REASON_UNKNOWN_SERVER;
	if (!m->in_group)
		return REASON_NO_GROUP;
	if (!m->relay_any) {
		if (m->relayed && !m->relay_listed)
			return REASON_UNKNOWN_RELAY;
		if (!m->relayed && m->has_option82 && !m->l2)
			return REASON_UNKNOWN_RELAY;
	}
	if (!m->auto_provisioning)
		return REASON_AUTO_PROVISIONING_OFF;
	if (!m->device_known)
		return REASON_UNKNOWN_DEVICE;
	if (!m->group_fits)
		return REASON_WRONG_GROUP;
	if (m->first_address)
		return REASON_REPLACEMENT_PENDING;
	if (m->has_address && m->same_address && !(m->port == PORT_ANNOUNCED && takeover))
		return REASON_ALREADY_PROVISIONED;
	if (m->has_address && !m->same_address && m->on_address_change == CONF_ADDRESS_REPORT)
		return REASON_ADDRESS_CHANGED;
	if (m->address_taken && !takeover)
		return REASON_ADDRESS_TAKEN;
	return REASON_PROVISIONED;
}

static struct match numbered(unsigned n)
{
	return (struct match){
		.server_known = n & 1,
		.in_group = n >> 1 & 1,
		.relay_listed = n >> 2 & 1,
		.relay_any = n >> 3 & 1,
		.relayed = n >> 4 & 1,
		.has_option82 = n >> 5 & 1,
		.l2 = n >> 6 & 1,
		.auto_provisioning = n >> 7 & 1,
		.device_known = n >> 8 & 1,
		.group_fits = n >> 9 & 1,
		.has_address = n >> 10 & 1,
		.same_address = n >> 11 & 1,
		.first_address = n >> 12 & 1,
		.address_taken = n >> 13 & 1,
		.old_has_address = n >> 14 & 1,
		.on_address_change = n >> 15 & 1 ? CONF_ADDRESS_REPORT : CONF_ADDRESS_FOLLOW,
		.port = (enum port_claim)(n >> 16 & 3),
		.replacement = (enum conf_replacement)((n >> 18 & 3) % 3),
	};
}

/* All of them, not only the pairs: a million are decided in the blink of an eye. */
static void every_combination_is_decided_as_the_table_reads(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 1u << 20; n++) {
		struct match m = numbered(n);
		struct decision d = decided(&m);

		if (d.reason != reason_by_reading(&m))
			fail_msg("combination %x: %s, not %s", n, reason_text(d.reason),
				reason_text(reason_by_reading(&m)));
		if (d.takes_over && !d.replaces)
			fail_msg("combination %x takes over without replacing", n);
		if (d.shares && d.replaces)
			fail_msg("combination %x is shared and replaced", n);
		if (d.learns && !d.allocated)
			fail_msg("combination %x learns from a stranger", n);
	}
}

static void every_stop_has_a_next_step(void **state)
{
	unsigned count;
	const struct decide_row *rows = decide_rows(&count);

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		assert_true(*rows[i].question);
		if (rows[i].stop != REASON_NONE) {
			assert_true(*rows[i].next_step);
			assert_true(*reason_text(rows[i].stop));
			assert_ptr_equal(decide_row_of(rows[i].stop), &rows[i]);
		}
		if (i > 0)
			assert_true(rows[i].number >= rows[i - 1].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_stops_a_new_camera),
		cmocka_unit_test(each_row_stops_with_its_reason),
		cmocka_unit_test(the_first_row_that_stops_gives_the_reason),
		cmocka_unit_test(the_relay_is_judged_by_list_and_option_82),
		cmocka_unit_test(another_camera_on_the_port_is_shared_replaced_or_taken_over),
		cmocka_unit_test(every_combination_is_decided_as_the_table_reads),
		cmocka_unit_test(every_stop_has_a_next_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
