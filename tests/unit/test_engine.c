/* SPDX-License-Identifier: ISC */
#include "world.h"

#define CAM(n) IP(10, 20, 0, n)

static struct world world, *const w = &world;

static int begin(void **state)
{
	(void)state;
	world_init(w);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_done(w);
	return 0;
}

static void a_known_camera_is_provisioned_step_by_step(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 7);
	o = world_ack(w, 7, CAM(7), "port-7");
	world_see(w, &o);
	assert_told(w, "dhcp.ip_allocation");
	assert_int_equal(w->order_count, 1);
	assert_int_equal(w->orders[0].kind, ORDER_ENSURE);
	assert_int_equal(w->orders[0].ip, CAM(7));
	assert_record(w, 7, "\"state\":\"reserving\"");
	world_all_done(w);
	assert_told(w, "dhcp.ip_allocation", "dhcp.reservation_created", "streams.hold_started",
		"provision.handoff");
	assert_says(w, EVENT_DHCP_IP_ALLOCATION, "\"title\":\"DHCP. IP Address Allocation\"");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"circuit_id_text\":\"port-7\"");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"serial_number\":\"SN7\"");
	assert_record(w, 7, "\"ip\":\"10.20.0.7\"");
	assert_record(w, 7, "\"state\":\"provisioned\"");
	assert_record(w, 7, "\"manual_streams\":\"held\"");
}

static void the_hold_ends_once_and_when_it_is_due(void **state)
{
	(void)state;
	world_camera(w, 7);
	world_start(w, 7, CAM(7), "port-7");
	world_forget(w);
	world_wait(w, 299 * USEC_PER_SEC);
	assert_silent(w);
	world_wait(w, 100 * USEC_PER_SEC);
	assert_told(w, "streams.hold_ended");
	assert_int_equal(w->told[0].event.time, START + 300 * USEC_PER_SEC);
	world_wait(w, 100 * USEC_PER_SEC);
	assert_told(w, "streams.hold_ended");
	assert_record(w, 7, "\"manual_streams\":\"allowed\"");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_known_camera_is_provisioned_step_by_step),
		T(the_hold_ends_once_and_when_it_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
