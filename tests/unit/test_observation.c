/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/observation.h"

static struct observation good_ack(void)
{
	struct observation o = {.version = OBSERVATION_VERSION, .kind = OBSERVATION_DHCP};

	o.time = 1;
	o.dhcp.type = DHCP_ACK;
	o.dhcp.option82.len = 4;
	o.dhcp.option82.circuit_id = (struct span){.at = 2, .len = 2, .present = true};
	return o;
}

static int check(const struct observation *o)
{
	return observation_check(o, observation_size(o));
}

static void a_good_observation_passes(void **state)
{
	struct observation o = good_ack();

	(void)state;
	assert_int_equal(check(&o), 0);
}

static void a_size_that_is_not_its_kinds_is_refused(void **state)
{
	struct observation o = good_ack();

	(void)state;
	assert_int_equal(observation_check(&o, 3), ERR_TRUNCATED);
	assert_int_equal(observation_check(&o, observation_size(&o) - 1), ERR_TRUNCATED);
	assert_int_equal(observation_check(&o, observation_size(&o) + 1), ERR_RANGE);
	o.kind = 77;
	assert_int_not_equal(observation_check(&o, observation_size(&o)), 0);
}

static void another_version_is_refused(void **state)
{
	struct observation o = good_ack();

	(void)state;
	o.version++;
	assert_int_equal(check(&o), ERR_VERSION);
}

static void no_length_and_no_span_is_believed(void **state)
{
	struct observation o = good_ack();

	(void)state;
	o.dhcp.option82.circuit_id.at = OBSERVATION_OPTION82_MAX;
	assert_int_equal(check(&o), ERR_RANGE);
	o = good_ack();
	o.dhcp.option82.circuit_id.len = 3; /* one byte more than option 82 has */
	assert_int_equal(check(&o), ERR_RANGE);
	o = good_ack();
	o.dhcp.option82.remote_id.at = 4096; /* absent, but somebody may look where it begins */
	assert_int_equal(check(&o), ERR_RANGE);
	o = good_ack();
	o.dhcp.option82.len = OBSERVATION_OPTION82_MAX + 1;
	assert_int_equal(check(&o), ERR_RANGE);
	o = good_ack();
	o.dhcp.hostname_len = OBSERVATION_TEXT_MAX + 1;
	assert_int_equal(check(&o), ERR_RANGE);
	o = good_ack();
	o.vlan_count = 5;
	assert_int_equal(check(&o), ERR_RANGE);
}

static void a_byte_that_is_no_bool_is_refused(void **state)
{
	struct observation o = good_ack();

	(void)state;
	memset(&o.dhcp.has_mac, 11, 1);
	assert_int_equal(check(&o), ERR_RANGE);
	o = good_ack();
	memset(&o.dhcp.option82.remote_id.present, 2, 1);
	assert_int_equal(check(&o), ERR_RANGE);
	o = (struct observation){
		.version = OBSERVATION_VERSION, .kind = OBSERVATION_RADIUS, .time = 1};
	assert_int_equal(check(&o), 0);
	memset(&o.radius.circuit_id.present, 255, 1);
	assert_int_equal(check(&o), ERR_RANGE);
}

/* The engine waits for points in time: INT64_MAX is its "never". */
static void a_time_that_is_none_is_refused(void **state)
{
	struct observation o = good_ack();

	(void)state;
	o.time = INT64_MAX;
	assert_int_equal(check(&o), ERR_RANGE);
	o.time = -1;
	assert_int_equal(check(&o), ERR_RANGE);
	o.time = TIME_LAST;
	assert_int_equal(check(&o), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_observation_passes),
		cmocka_unit_test(a_size_that_is_not_its_kinds_is_refused),
		cmocka_unit_test(another_version_is_refused),
		cmocka_unit_test(no_length_and_no_span_is_believed),
		cmocka_unit_test(a_byte_that_is_no_bool_is_refused),
		cmocka_unit_test(a_time_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
