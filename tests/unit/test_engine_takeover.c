/* SPDX-License-Identifier: ISC
 *
 * A takeover that is settled in dhcpd: what follows until, and after, the newcomer has the address.
 */
#include "world.h"

#define CAM(n) IP(10, 20, 0, n)

static struct world world, *const w = &world;

static int begin(void **state)
{
	(void)state;
	world_init(w);
	w->conf.replacement = CONF_REPLACEMENT_TAKEOVER;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 11 * MINUTE);
	world_forget(w);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_done(w);
	return 0;
}

/* Camera 2 has camera 1's address in dhcpd, and still uses its own. */
static void take_over(void)
{
	world_start(w, 2, CAM(2), "p1");
	assert_record(w, 2, "\"ip\":\"10.20.0.1\"");
	world_wait(w, MINUTE);
	world_forget(w);
}

/* camera.replaced was told, dhcpd has the address for the newcomer, and only a taken address stops:
 * this one is. To give it back on the word of an ACK would make two cameras that are there in turn
 * take it from each other; who is to have it, a person says, who is told so. */
static void the_old_camera_does_not_get_its_address_back_by_coming_again(void **state)
{
	size_t orders;

	(void)state;
	take_over();
	orders = w->order_count;
	world_start(w, 1, CAM(1), "p1");
	assert_told(w, "dhcp.ip_allocation", "port.shared", "dhcp.reservation_failed");
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "\"reason\":\"address-taken\"");
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "belongs to 02:00:00:00:00:02");
	assert_says(w, EVENT_PORT_SHARED, "\"old\":{\"mac\":\"02:00:00:00:00:02\"");
	assert_int_equal(w->order_count, orders);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 1);
	world_forget(w);
	world_start(w, 2, CAM(1), "p1");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"reason\":\"replacement\"");
	assert_record(w, 2, "\"ip\":\"10.20.0.1\"");
	assert_null(strstr(world_record(w, 1), "\"ip\""));
}

/* What dhcpd does, where the lease is pinned for the newcomer: it gives the old one another. The
 * newcomer was heard of a minute ago, so the port is shared, and both are provisioned. */
static void the_old_camera_is_provisioned_with_another_address(void **state)
{
	(void)state;
	take_over();
	world_start(w, 1, CAM(9), "p1");
	assert_told(w, "dhcp.ip_allocation", "port.shared", "dhcp.reservation_created",
		"streams.hold_started", "provision.handoff");
	assert_record(w, 1, "\"ip\":\"10.20.0.9\",\"state\":\"provisioned\"");
	world_forget(w);
	world_start(w, 2, CAM(1), "p1");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"reason\":\"replacement\"");
	assert_record(w, 1, "\"ip\":\"10.20.0.9\"");
}

/* The newcomer was there for a test and is gone: then the old one replaces it, and has the address
 * with the ACK that showed it. */
static void the_old_camera_replaces_a_newcomer_that_has_gone(void **state)
{
	(void)state;
	take_over();
	world_wait(w, 11 * MINUTE);
	world_forget(w);
	world_start(w, 1, CAM(1), "p1");
	assert_told(w, "dhcp.ip_allocation", "camera.replaced", "dhcp.reservation_removed",
		"dhcp.reservation_created", "streams.hold_started", "provision.handoff");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"reason\":\"replacement\"");
	assert_record(w, 1, "\"ip\":\"10.20.0.1\",\"state\":\"provisioned\"");
	assert_null(strstr(world_record(w, 2), "\"ip\""));
}

/* The old camera's lease had ended, and dhcpd gave its address to the newcomer by itself: it has
 * the taken address, and waits for no other ACK. */
static void a_newcomer_that_has_the_address_already_is_handed_over_at_once(void **state)
{
	(void)state;
	world_start(w, 2, CAM(1), "p1");
	assert_told(w, "dhcp.ip_allocation", "camera.replaced", "dhcp.reservation_removed",
		"dhcp.reservation_created", "streams.hold_started", "provision.handoff");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"reason\":\"replacement\"");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"hold_until\"");
	world_forget(w);
	world_renew(w, 2, CAM(1));
	assert_told(w, "dhcp.ip_allocation");
}

static void also_after_a_restart_in_the_middle(void **state)
{
	struct observation o;

	(void)state;
	w->xid++;
	o = world_ack(w, 2, CAM(1), "p1");
	world_see(w, &o);
	world_answer(w, ANSWER_DONE, NULL);
	world_restart(w);
	world_all_done(w);
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"reason\":\"replacement\"");
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 1);
	world_forget(w);
	world_renew(w, 2, CAM(1));
	assert_told(w, "dhcp.ip_allocation");
}

/* One server of the pair has the newcomer's host already and gives it the address, the other one is
 * slow: nothing is wrong, and nothing is left to wait for when it has answered. */
static void a_newcomer_may_show_the_address_before_the_last_server_answered(void **state)
{
	struct observation o;

	(void)state;
	world_start(w, 1, IP(10, 30, 0, 1), "p1");
	world_wait(w, 11 * MINUTE);
	world_forget(w);
	w->xid++;
	o = world_ack(w, 2, IP(10, 30, 0, 2), "p1");
	world_see(w, &o);
	world_answer(w, ANSWER_DONE, NULL); /* the old hosts are gone */
	for (int i = 0; i < 2; i++) {
		w->xid++;
		o = world_ack(w, 2, IP(10, 30, 0, 1), "p1");
		world_see(w, &o);
	}
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 0);
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 0);
	assert_record(w, 2, "\"state\":\"reserving\"");
	world_all_done(w);
	assert_told(w, "dhcp.ip_allocation", "camera.replaced", "dhcp.ip_allocation",
		"dhcp.ip_allocation", "dhcp.reservation_removed", "dhcp.reservation_created",
		"streams.hold_started", "provision.handoff");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"reason\":\"replacement\"");
	assert_record(w, 2, "\"ip\":\"10.30.0.1\",\"state\":\"provisioned\"");
	world_forget(w);
	world_renew(w, 2, IP(10, 30, 0, 1));
	assert_told(w, "dhcp.ip_allocation");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_old_camera_does_not_get_its_address_back_by_coming_again),
		T(the_old_camera_is_provisioned_with_another_address),
		T(the_old_camera_replaces_a_newcomer_that_has_gone),
		T(a_newcomer_that_has_the_address_already_is_handed_over_at_once),
		T(also_after_a_restart_in_the_middle),
		T(a_newcomer_may_show_the_address_before_the_last_server_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
