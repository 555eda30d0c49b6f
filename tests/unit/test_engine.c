/* SPDX-License-Identifier: ISC */
#include <malloc.h>

#include "world.h"

#include "tap82/err.h"

#define CAM(n) IP(10, 20, 0, n)

#define assert_unknown(text)                                                  \
	do {                                                                  \
		size_t len_;                                                  \
		const char *bytes_;                                           \
		writer_clear(&w->writer);                                     \
		engine_unknown_write(w->engine, &w->writer);                  \
		bytes_ = writer_bytes(&w->writer, &len_);                     \
		if (!memmem(bytes_, len_, (text), strlen(text)))              \
			fail_msg("no %s in %.*s", (text), (int)len_, bytes_); \
	} while (0)

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

/* --- Servers, relays, groups -------------------------------------------------------------------
 */

static void without_option_54_the_source_is_the_server(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	o = world_ack(w, 1, CAM(1), "p1");
	o.dhcp.server_id = 0;
	o.src = SOUTH;
	world_see(w, &o);
	assert_says(w, EVENT_DHCP_IP_ALLOCATION, "\"server\":\"south\"");
}

static void of_nested_subnets_the_longest_prefix_counts(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_start(w, 1, IP(10, 20, 99, 7), "p1");
	assert_says(w, EVENT_DHCP_IP_ALLOCATION, "\"group\":\"nested\"");
}

static void an_address_in_no_group_is_not_told(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_start(w, 1, IP(10, 99, 0, 1), "p1");
	assert_silent(w);
	assert_record(w, 1, "\"state\":\"new\"");
}

static void a_renewal_passes_the_question_about_the_relay(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_renew(w, 1, CAM(1));
	assert_told(w, "dhcp.ip_allocation", "dhcp.reservation_created", "streams.hold_started",
		"provision.handoff");
}

static struct observation snooped(unsigned camera, uint32_t ip)
{
	struct observation o = world_ack(w, camera, ip, "p1");

	w->xid++;
	o.dhcp.xid = w->xid;
	o.dhcp.giaddr = 0;
	return o;
}

static void option_82_with_giaddr_0_passes_only_without_a_list_or_with_l2(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	o = snooped(1, CAM(1));
	world_see(w, &o);
	assert_told(w, "dhcp.unknown_relay");
	world_forget(w);
	w->groups[0].l2 = true;
	o = snooped(1, CAM(1));
	world_see(w, &o);
	assert_told(w, "dhcp.ip_allocation");
	world_forget(w);
	o = snooped(1, IP(10, 30, 0, 1)); /* its group lists no relays */
	world_see(w, &o);
	assert_int_equal(world_count(w, EVENT_DHCP_IP_ALLOCATION), 1);
}

static void strangers_are_told_where_the_gate_is_off(void **state)
{
	struct observation o;

	(void)state;
	w->conf.auto_provisioning = false;
	o = world_ack(w, 1, CAM(1), "p1");
	o.dhcp.giaddr = IP(10, 20, 0, 66);
	world_see(w, &o);
	assert_told(w, "dhcp.unknown_relay");
	assert_says(w, EVENT_DHCP_UNKNOWN_RELAY, "\"relay\":\"10.20.0.66\"");
	o.dhcp.server_id = IP(10, 0, 0, 66);
	world_see(w, &o);
	assert_says(w, EVENT_DHCP_UNKNOWN_SERVER, "\"server\":\"10.0.0.66\"");
	assert_says(w, EVENT_DHCP_UNKNOWN_SERVER, "\"reason\":\"unknown-server\"");
}

static void see_stranger(uint32_t server)
{
	struct observation o;

	w->xid++;
	o = world_ack(w, 1, CAM(1), "p1");
	o.dhcp.server_id = server;
	world_see(w, &o);
}

static void a_stranger_is_told_once_in_any_hour(void **state)
{
	(void)state;
	see_stranger(IP(10, 0, 0, 66));
	world_wait(w, 59 * MINUTE);
	see_stranger(IP(10, 0, 0, 66));
	assert_int_equal(w->told_count, 1);
	see_stranger(IP(10, 0, 0, 67));
	assert_int_equal(w->told_count, 2);
	world_wait(w, 2 * MINUTE);
	see_stranger(IP(10, 0, 0, 66));
	assert_int_equal(w->told_count, 3);
}

static void the_gate_of_a_group_or_of_all_stops_in_silence(void **state)
{
	(void)state;
	world_camera(w, 1);
	w->groups[0].auto_provisioning = false;
	world_start(w, 1, CAM(1), "p1");
	assert_silent(w);
	w->groups[0].auto_provisioning = true;
	w->conf.auto_provisioning = false;
	world_start(w, 1, CAM(1), "p1");
	assert_silent(w);
}

static void an_unknown_camera_is_told_once_a_day(void **state)
{
	(void)state;
	world_start(w, 1, CAM(1), "p1");
	assert_told(w, "dhcp.ip_allocation", "device.unknown");
	world_wait(w, 23 * USEC_PER_HOUR);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(world_count(w, EVENT_DEVICE_UNKNOWN), 1);
	world_wait(w, 2 * USEC_PER_HOUR);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(world_count(w, EVENT_DEVICE_UNKNOWN), 2);
	assert_int_equal(world_count(w, EVENT_DHCP_IP_ALLOCATION), 3);
}

/* --- Once ---------------------------------------------------------------------------------------
 */

static void doubled_acks_tell_nothing_twice(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(w->told_count, 4);
	o = world_ack(w, 1, CAM(1), "p1");
	world_see(w, &o);
	w->now = o.time += 9 * MINUTE;
	world_see(w, &o);
	assert_int_equal(world_count(w, EVENT_DHCP_IP_ALLOCATION), 1);
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 1);
	o.time += 2 * MINUTE;
	world_see(w, &o);
	assert_int_equal(world_count(w, EVENT_DHCP_IP_ALLOCATION), 2);
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 2);
}

static void a_doubled_ack_after_a_restart_tells_nothing_either(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_restart(w);
	world_forget(w);
	o = world_ack(w, 1, CAM(1), "p1");
	world_see(w, &o);
	assert_silent(w);
}

static void restart_or_renewal_is_the_requests_ciaddr_when_it_was_seen(void **state)
{
	struct observation request, ack;

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_forget(w);
	w->xid++;
	request = world_dhcp(w, DHCP_REQUEST, 1);
	request.dhcp.ciaddr = CAM(1);
	world_see(w, &request);
	ack = world_ack(w, 1, CAM(1), NULL); /* a server that does not repeat ciaddr */
	world_see(w, &ack);
	assert_told(w, "dhcp.ip_allocation");
	world_forget(w);
	world_renew(w, 1, CAM(1));
	assert_told(w, "dhcp.ip_allocation");
	world_forget(w);
	world_start(w, 1, CAM(1), "p1");
	assert_told(w, "dhcp.ip_allocation", "provision.handoff");
}

static void ids_are_of_the_happening_not_of_the_moment(void **state)
{
	uint8_t ids[4][16];

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	for (int i = 0; i < 4; i++)
		memcpy(ids[i], w->told[i].event.id, 16);
	world_done(w);
	world_init(w);
	w->now += 1234;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(w->told_count, 4);
	for (int i = 0; i < 4; i++)
		assert_memory_equal(ids[i], w->told[i].event.id, 16);
}

/* --- Port ---------------------------------------------------------------------------------------
 */

static void an_empty_id_is_a_value_and_an_absent_one_another(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_forget(w);
	w->xid++;
	o = world_ack(w, 1, CAM(1), "p1");
	world_option82(&o.dhcp.option82, "p1", "");
	world_see(w, &o);
	assert_int_equal(world_count(w, EVENT_CAMERA_MOVED), 1);
	world_wait(w, 2 * USEC_PER_HOUR);
	w->xid++;
	o = world_ack(w, 1, CAM(1), "p1");
	world_option82(&o.dhcp.option82, "p1", NULL);
	world_see(w, &o);
	assert_int_equal(world_count(w, EVENT_CAMERA_MOVED), 2);
}

static void the_requests_option_82_counts_where_the_ack_has_none(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	o = world_dhcp(w, DHCP_REQUEST, 1);
	o.dhcp.giaddr = RELAY;
	world_option82(&o.dhcp.option82, "p1", "switch-1");
	world_see(w, &o);
	o = world_ack(w, 1, CAM(1), NULL);
	world_see(w, &o);
	world_all_done(w);
	assert_says(w, EVENT_DHCP_IP_ALLOCATION, "\"circuit_id_text\":\"p1\"");
	assert_record(w, 1, "\"circuit_id_text\":\"p1\"");
}

static void layout(struct port_place *port, int number)
{
	*port = (struct port_place){.layout = "cisco", .vlan = 120, .slot = 1, .port = number};
}

#define LAYOUT5 "\"port\":{\"layout\":\"cisco\",\"vlan\":120,\"slot\":1,\"port\":5}"

static void the_layouts_reading_goes_with_the_requests_option_82(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	o = world_dhcp(w, DHCP_REQUEST, 1);
	o.dhcp.giaddr = RELAY;
	world_option82(&o.dhcp.option82, "p1", "switch-1");
	layout(&o.dhcp.port, 5);
	world_see(w, &o);
	o = world_ack(w, 1, CAM(1), NULL);
	world_see(w, &o);
	world_all_done(w);
	assert_says(w, EVENT_DHCP_IP_ALLOCATION, LAYOUT5);
	assert_says(w, EVENT_PROVISION_HANDOFF, LAYOUT5);
}

static void the_layouts_reading_goes_with_the_profile(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	o = world_ack(w, 1, CAM(1), "p1");
	layout(&o.dhcp.port, 5);
	world_see(w, &o);
	world_all_done(w);
	assert_says(w, EVENT_DHCP_RESERVATION_CREATED, LAYOUT5);
	assert_record(w, 1, LAYOUT5);
	world_restart(w);
	assert_record(w, 1, LAYOUT5);
	world_wait(w, 10 * MINUTE);
	assert_says(w, EVENT_STREAMS_HOLD_ENDED, LAYOUT5);
	w->xid++;
	o = world_ack(w, 1, CAM(1), "p1");
	layout(&o.dhcp.port, 6); /* the configuration reads it otherwise now */
	world_see(w, &o);
	assert_record(w, 1, "\"port\":6");
	assert_int_equal(world_count(w, EVENT_CAMERA_MOVED), 0);
	w->xid++;
	o = world_ack(w, 1, CAM(1), "p2");
	world_see(w, &o);
	assert_says(w, EVENT_CAMERA_MOVED,
		"\"port\":{\"layout\":\"cisco\",\"vlan\":120,\"slot\":1,\"port\":6}");
	assert_null(strstr(world_record(w, 1), "layout"));
	o = world_ack(w, 9, CAM(9), "p9");
	layout(&o.dhcp.port, 5);
	world_see(w, &o);
	assert_unknown(LAYOUT5);
}

static void a_bare_happening_never_erases_or_changes_a_known_port(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_renew(w, 1, CAM(1));
	assert_record(w, 1, "\"circuit_id_text\":\"p1\"");
	w->xid++;
	o = world_ack(w, 1, CAM(1), NULL);
	o.dhcp.option82 = (struct option82){.len = 3,
		.raw = {6, 1, 'x'},
		.subscriber_id = {.at = 2, .len = 1, .present = true}};
	world_see(w, &o);
	assert_record(w, 1, "\"circuit_id_text\":\"p1\"");
	assert_int_equal(world_count(w, EVENT_CAMERA_MOVED), 0);
}

static void a_port_is_learnt_also_from_an_ack_that_is_stopped_later(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_start(w, 2, CAM(1), "p2"); /* address-taken */
	assert_record(w, 2, "\"circuit_id_text\":\"p2\"");
	assert_record(w, 2, "\"state\":\"failed\"");
}

static void a_move_is_told_at_once_and_then_at_most_once_an_hour(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(world_count(w, EVENT_CAMERA_MOVED), 0);
	for (int i = 0; i < 10; i++)
		world_start(w, 1, CAM(1), i % 2 ? "p1" : "p2");
	assert_int_equal(world_count(w, EVENT_CAMERA_MOVED), 1);
	assert_says(w, EVENT_CAMERA_MOVED, "\"old\":{\"option82\":");
	assert_record(w, 1, "\"circuit_id_text\":\"p1\"");
	world_wait(w, 61 * MINUTE);
	world_start(w, 1, CAM(1), "p3");
	assert_int_equal(world_count(w, EVENT_CAMERA_MOVED), 2);
	assert_says(w, EVENT_CAMERA_MOVED, "\"circuit_id_text\":\"p3\"");
}

/* --- Inventory columns --------------------------------------------------------------------------
 */

static void put(unsigned camera, uint32_t ip, const char *group, const char *circuit)
{
	char serial[16];
	struct inventory_row row = {.mac = world_mac(camera), .ip = ip, .uuid = "", .name = ""};
	const char *field;

	snprintf(serial, sizeof(serial), "SN%u", camera);
	row.serial_number = serial;
	row.group = group;
	row.circuit_id = (const uint8_t *)circuit;
	row.circuit_id_len = circuit ? (uint8_t)strlen(circuit) : 0;
	row.remote_id = circuit ? (const uint8_t *)"switch-1" : NULL;
	row.remote_id_len = circuit ? 8 : 0;
	assert_int_equal(engine_put_device(w->engine, &row, NULL, &field, w->now), 1);
}

static void an_address_of_the_inventory_is_reserved_when_an_ack_first_shows_it(void **state)
{
	(void)state;
	put(1, CAM(1), "", NULL);
	assert_record(w, 1, "\"ip\":\"10.20.0.1\"");
	assert_int_equal(w->order_count, 0);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(w->order_count, 1);
	assert_told(w, "dhcp.ip_allocation", "provision.handoff", "dhcp.reservation_created");
	assert_record(w, 1, "\"state\":\"provisioned\"");
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(w->order_count, 1);
}

static void an_ack_in_another_group_than_the_inventorys_stops(void **state)
{
	(void)state;
	put(1, 0, "pair", NULL);
	world_start(w, 1, CAM(1), "p1");
	assert_told(w, "dhcp.ip_allocation");
	assert_record(w, 1, "\"state\":\"new\"");
	world_start(w, 1, IP(10, 30, 0, 1), "p1");
	assert_record(w, 1, "\"state\":\"provisioned\"");
}

static void a_port_of_the_inventory_is_known_from_the_start(void **state)
{
	(void)state;
	put(1, 0, "", "p1");
	world_start(w, 1, CAM(1), "p2");
	assert_int_equal(world_count(w, EVENT_CAMERA_MOVED), 1);
	put(2, 0, "", "p9");
	world_start(w, 2, CAM(2), "p9");
	assert_int_equal(world_count(w, EVENT_CAMERA_MOVED), 1);
}

/* --- Address change -----------------------------------------------------------------------------
 */

static void a_reservation_follows_another_address(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, MINUTE);
	world_forget(w);
	world_start(w, 1, CAM(2), "p1");
	assert_told(w, "dhcp.ip_allocation", "dhcp.reservation_updated", "streams.hold_started",
		"provision.handoff");
	assert_says(w, EVENT_DHCP_RESERVATION_UPDATED, "\"old\":{\"ip\":\"10.20.0.1\"}");
	assert_int_equal(w->orders[1].kind, ORDER_ENSURE);
	assert_int_equal(w->orders[1].old_ip, CAM(1));
	assert_record(w, 1, "\"ip\":\"10.20.0.2\"");
	world_wait(w, 10 * MINUTE);
	assert_int_equal(world_count(w, EVENT_STREAMS_HOLD_ENDED), 1);
	world_forget(w);
	world_start(w, 1, CAM(1), "p1"); /* back again: another happening */
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_UPDATED), 1);
}

static void an_address_change_is_only_reported_once_per_address(void **state)
{
	(void)state;
	w->conf.on_address_change = CONF_ADDRESS_REPORT;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_forget(w);
	world_start(w, 1, CAM(2), "p1");
	world_start(w, 1, CAM(2), "p1");
	assert_told(w, "dhcp.ip_allocation", "camera.address_changed", "dhcp.ip_allocation");
	world_start(w, 1, CAM(3), "p1");
	assert_int_equal(world_count(w, EVENT_CAMERA_ADDRESS_CHANGED), 2);
	assert_int_equal(w->order_count, 1);
	assert_record(w, 1, "\"ip\":\"10.20.0.1\"");
}

static void see_start(unsigned camera, uint32_t ip)
{
	struct observation o;

	w->xid++;
	o = world_ack(w, camera, ip, "p1");
	world_see(w, &o);
}

static void what_fails_is_told_once_and_the_next_ack_tries_again(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	see_start(1, CAM(1));
	world_answer(w, ANSWER_REFUSED, "foreign-reservation");
	assert_told(w, "dhcp.ip_allocation", "dhcp.reservation_failed");
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "\"reason\":\"foreign-reservation\"");
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "DHCP. Failed to Create DHCP Reservation");
	assert_record(w, 1, "\"state\":\"failed\"");
	assert_record(w, 1, "\"error\":\"foreign-reservation\"");
	o = world_ack(w, 1, CAM(1), "p1");
	world_see(w, &o);
	assert_int_equal(w->order_count, 1);
	see_start(1, CAM(1));
	assert_int_equal(w->order_count, 2);
	world_answer(w, ANSWER_REFUSED, "foreign-reservation");
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 1);
	see_start(1, CAM(1));
	world_all_done(w);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_CREATED), 1);
	assert_record(w, 1, "\"state\":\"provisioned\"");
}

static void what_fails_for_a_device_with_an_address_is_an_update(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	see_start(1, CAM(2));
	world_answer(w, ANSWER_REFUSED, "foreign-reservation");
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 0);
	assert_says(
		w, EVENT_DHCP_RESERVATION_UPDATE_FAILED, "DHCP. Failed to Update DHCP Reservation");
	assert_record(w, 1, "\"ip\":\"10.20.0.1\"");
	assert_record(w, 1, "\"state\":\"provisioned\"");
}

static void the_address_of_another_device_is_never_reserved(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	see_start(1, CAM(1)); /* on its way */
	see_start(2, CAM(1));
	assert_int_equal(w->order_count, 1);
	world_all_done(w);
	see_start(2, CAM(1));
	assert_int_equal(w->order_count, 1);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 1);
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "\"reason\":\"address-taken\"");
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "belongs to");
}

/* --- Replacement --------------------------------------------------------------------------------
 */

static void while_the_old_camera_is_alive_the_port_is_only_shared(void **state)
{
	(void)state;
	w->conf.replacement = CONF_REPLACEMENT_TAKEOVER;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 9 * MINUTE);
	world_forget(w);
	world_start(w, 2, CAM(2), "p1");
	assert_told(w, "dhcp.ip_allocation", "port.shared", "dhcp.reservation_created",
		"streams.hold_started", "provision.handoff");
	assert_says(w, EVENT_PORT_SHARED, "\"old\":{\"mac\":\"02:00:00:00:00:01\"");
	assert_record(w, 2, "\"ip\":\"10.20.0.2\"");
}

static void a_camera_whose_renewal_is_not_due_is_alive(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	w->xid++;
	o = world_ack(w, 1, CAM(1), "p1");
	o.dhcp.lease_time = 7200;
	world_see(w, &o);
	world_all_done(w);
	world_wait(w, 59 * MINUTE);
	world_start(w, 2, CAM(2), "p1");
	assert_int_equal(world_count(w, EVENT_PORT_SHARED), 1);
	assert_int_equal(world_count(w, EVENT_CAMERA_REPLACED), 0);
}

static struct observation radius(unsigned camera, const char *port)
{
	struct observation o = {
		.version = OBSERVATION_VERSION,
		.kind = OBSERVATION_RADIUS,
		.time = w->now,
		.mac = world_mac(camera),
	};

	o.radius.code = RADIUS_ACCOUNTING_REQUEST;
	o.radius.acct_status = RADIUS_ACCT_INTERIM;
	o.radius.has_mac = true;
	o.radius.vlan = -1;
	o.radius.nas_ip = IP(10, 1, 1, 1);
	o.radius.nas_port_id.present = true;
	o.radius.nas_port_id.len = (uint8_t)strlen(port);
	memcpy(o.radius.nas_port_id.bytes, port, strlen(port));
	return o;
}

static void radius_keeps_a_camera_alive(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 60 * MINUTE);
	o = radius(1, "p1");
	world_see(w, &o);
	world_wait(w, 9 * MINUTE);
	world_start(w, 2, CAM(2), "p1");
	assert_int_equal(world_count(w, EVENT_PORT_SHARED), 1);
	assert_int_equal(world_count(w, EVENT_CAMERA_REPLACED), 0);
}

static void a_silent_cameras_replacement_is_reported_and_both_keep_their_own(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 11 * MINUTE);
	world_forget(w);
	world_start(w, 2, CAM(2), "p1");
	assert_told(w, "dhcp.ip_allocation", "camera.replaced", "dhcp.reservation_created",
		"streams.hold_started", "provision.handoff");
	assert_record(w, 1, "\"ip\":\"10.20.0.1\"");
	assert_record(w, 2, "\"ip\":\"10.20.0.2\"");
}

static void replacement_off_says_nothing_of_silent_cameras(void **state)
{
	(void)state;
	w->conf.replacement = CONF_REPLACEMENT_OFF;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 11 * MINUTE);
	world_start(w, 2, CAM(2), "p1");
	assert_int_equal(world_count(w, EVENT_CAMERA_REPLACED), 0);
	assert_record(w, 2, "\"state\":\"provisioned\"");
}

static void answer(size_t i, enum answer_kind kind, const char *reason)
{
	struct answer a = {.ticket = w->orders[i].ticket, .kind = kind, .reason = reason};

	engine_answer(w->engine, &a, w->now);
	w->answered = i + 1;
}

static void begin_takeover(void)
{
	w->conf.replacement = CONF_REPLACEMENT_TAKEOVER;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 11 * MINUTE);
	world_forget(w);
	see_start(2, CAM(2));
}

static void takeover_gives_the_old_address_to_the_newcomer(void **state)
{
	(void)state;
	begin_takeover();
	assert_told(w, "dhcp.ip_allocation", "camera.replaced");
	assert_int_equal(w->order_count, 2);
	assert_int_equal(w->orders[1].kind, ORDER_RELEASE);
	assert_true(mac_equal(&w->orders[1].mac, &(struct mac){{2, 0, 0, 0, 0, 1}}));
	world_answer(w, ANSWER_DONE, NULL);
	assert_int_equal(w->order_count, 3);
	assert_int_equal(w->orders[2].kind, ORDER_ENSURE);
	assert_int_equal(w->orders[2].ip, CAM(1));
	world_all_done(w);
	assert_told(w, "dhcp.ip_allocation", "camera.replaced", "dhcp.reservation_removed",
		"dhcp.reservation_created", "streams.hold_started");
	assert_record(w, 2, "\"ip\":\"10.20.0.1\"");
	assert_null(strstr(world_record(w, 1), "\"ip\""));
	assert_null(strstr(world_record(w, 1), "\"profile\""));
	world_forget(w);
	world_renew(w, 2, CAM(2)); /* it still uses its first address */
	assert_told(w, "dhcp.ip_allocation");
	world_start(w, 2, CAM(1), "p1");
	assert_told(w, "dhcp.ip_allocation", "dhcp.ip_allocation", "provision.handoff");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"reason\":\"replacement\"");
	world_forget(w);
	world_start(w, 2, CAM(1), "p1");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"ip\":\"10.20.0.1\"");
	assert_null(strstr(world_last(w, EVENT_PROVISION_HANDOFF)->line, "reason"));
}

static void a_takeover_that_fails_gives_the_address_back(void **state)
{
	(void)state;
	begin_takeover();
	world_answer(w, ANSWER_DONE, NULL); /* the old host is gone */
	world_answer(w, ANSWER_REFUSED, "foreign-reservation");
	assert_int_equal(w->order_count, 4);
	assert_int_equal(w->orders[3].kind, ORDER_ENSURE);
	assert_int_equal(w->orders[3].ip, CAM(1));
	assert_true(mac_equal(&w->orders[3].mac, &(struct mac){{2, 0, 0, 0, 0, 1}}));
	world_all_done(w);
	assert_told(w, "dhcp.ip_allocation", "camera.replaced", "dhcp.reservation_failed");
	assert_record(w, 1, "\"ip\":\"10.20.0.1\"");
	assert_record(w, 1, "\"state\":\"confirmed\"");
	assert_record(w, 2, "\"state\":\"failed\"");
}

static void a_takeover_without_answer_ends_at_the_deadline_and_is_undone(void **state)
{
	(void)state;
	begin_takeover();
	world_answer(w, ANSWER_DONE, NULL);
	world_answer(w, ANSWER_NOT_NOW, "unreachable");
	for (int i = 0; i < 20; i++) {
		world_wait(w, 20 * USEC_PER_SEC);
		world_answer(w, ANSWER_NOT_NOW, "unreachable");
	}
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 1);
	for (int i = 0; i < 10; i++) {
		world_wait(w, 40 * USEC_PER_SEC);
		world_all_done(w);
	}
	/* First the newcomer lost what it perhaps had, then the old one got it back. */
	assert_int_equal(w->orders[w->order_count - 2].kind, ORDER_RELEASE);
	assert_int_equal(w->orders[w->order_count - 1].kind, ORDER_ENSURE);
	assert_true(
		mac_equal(&w->orders[w->order_count - 1].mac, &(struct mac){{2, 0, 0, 0, 0, 1}}));
	assert_record(w, 1, "\"ip\":\"10.20.0.1\"");
}

static void a_takeover_goes_on_after_a_crash(void **state)
{
	(void)state;
	begin_takeover();
	world_answer(w, ANSWER_DONE, NULL);
	world_restart(w);
	world_all_done(w);
	assert_record(w, 2, "\"ip\":\"10.20.0.1\"");
	assert_null(strstr(world_record(w, 1), "\"ip\""));
	world_forget(w);
	world_start(w, 2, CAM(1), "p1");
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"reason\":\"replacement\"");
}

/* Both have their own address in the end, and no server ever had one for both. */
static void assert_recalled(size_t first)
{
	uint32_t hosts[3] = {0, 0, 0};

	while (w->answered < w->order_count) {
		const struct order *o = &w->orders[w->answered];

		hosts[o->mac.b[5]] = o->kind == ORDER_RELEASE ? 0 : o->ip;
		answer(w->answered, ANSWER_DONE, NULL);
		assert_true(!hosts[1] || hosts[1] != hosts[2]);
	}
	assert_true(w->order_count > first);
	assert_int_equal(hosts[1], CAM(1));
	assert_int_equal(hosts[2], CAM(2));
	assert_record(w, 1, "\"ip\":\"10.20.0.1\",\"state\":\"provisioned\"");
	assert_record(w, 1, "\"state\":\"confirmed\"");
	assert_record(w, 1, "\"circuit_id_text\":\"p1\"");
	assert_record(w, 2, "\"ip\":\"10.20.0.2\",\"state\":\"provisioned\"");
	assert_says(w, EVENT_PORT_SHARED, "\"mac\":\"02:00:00:00:00:02\",\"ip\":\"10.20.0.2\"");
	assert_says(w, EVENT_PORT_SHARED, "\"old\":{\"mac\":\"02:00:00:00:00:01\"");
	assert_int_equal(world_count(w, EVENT_PORT_SHARED), 1);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_REMOVED), 0);
	assert_says(w, EVENT_PROVISION_HANDOFF, "\"mac\":\"02:00:00:00:00:02\"");
	assert_null(strstr(world_last(w, EVENT_PROVISION_HANDOFF)->line, "\"reason\""));
}

static struct observation radius(unsigned camera, const char *port);

/* How the old camera shows itself: a renewal, a DISCOVER, RADIUS. */
static void old_camera_shows_itself(int how)
{
	struct observation o;

	w->xid++;
	if (how == 0) {
		o = world_ack(w, 1, CAM(1), NULL);
		o.dhcp.giaddr = 0;
		o.dhcp.ciaddr = CAM(1);
	} else if (how == 1) {
		o = world_dhcp(w, DHCP_DISCOVER, 1);
	} else {
		o = radius(1, "p1");
	}
	world_see(w, &o);
}

static void an_old_camera_that_shows_itself_ends_a_takeover(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++)
		for (int answers = 0; answers < 2; answers++) {
			world_done(w);
			world_init(w);
			begin_takeover();
			if (answers)
				answer(1, ANSWER_DONE, NULL); /* its host is gone */
			old_camera_shows_itself(how);
			assert_recalled(2);
		}
}

static void an_old_camera_that_shows_itself_after_a_crash_ends_a_takeover(void **state)
{
	(void)state;
	begin_takeover();
	answer(1, ANSWER_DONE, NULL);
	world_restart(w);
	old_camera_shows_itself(0);
	assert_recalled(0);
}

static void a_lease_query_about_the_old_camera_is_no_sign_of_it(void **state)
{
	struct observation o;

	(void)state;
	begin_takeover();
	o = world_dhcp(w, DHCP_LEASEACTIVE, 1);
	world_see(w, &o);
	world_all_done(w);
	assert_record(w, 2, "\"ip\":\"10.20.0.1\"");
	assert_int_equal(world_count(w, EVENT_PORT_SHARED), 0);
}

/* Its old address lies with a server that the newcomer's group does not have. */
static void a_takeover_across_groups_that_fails_gives_the_address_back(void **state)
{
	(void)state;
	w->groups[1].servers[0] = 1;
	w->groups[1].server_count = 1;
	w->conf.replacement = CONF_REPLACEMENT_TAKEOVER;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 11 * MINUTE);
	see_start(2, IP(10, 30, 0, 2));
	assert_int_equal(w->orders[1].kind, ORDER_RELEASE);
	assert_int_equal(w->orders[1].server, 0);
	while (w->answered < w->order_count) {
		bool newcomers = w->orders[w->answered].mac.b[5] == 2;

		answer(w->answered, newcomers ? ANSWER_REFUSED : ANSWER_DONE,
			"foreign-reservation");
	}
	assert_int_equal(w->orders[w->order_count - 1].kind, ORDER_ENSURE);
	assert_int_equal(w->orders[w->order_count - 1].server, 0);
	assert_int_equal(w->orders[w->order_count - 1].ip, CAM(1));
	assert_record(w, 1, "\"state\":\"confirmed\"");
}

static void an_address_that_cannot_be_given_back_is_told_and_tried_again(void **state)
{
	(void)state;
	begin_takeover();
	answer(1, ANSWER_DONE, NULL);
	answer(2, ANSWER_REFUSED, "foreign-reservation");
	answer(3, ANSWER_REFUSED, "foreign-reservation"); /* somebody else was faster */
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_UPDATE_FAILED), 1);
	assert_says(w, EVENT_DHCP_RESERVATION_UPDATE_FAILED, "\"mac\":\"02:00:00:00:00:01\"");
	assert_record(w, 1, "\"state\":\"refused\"");
	world_renew(w, 1, CAM(1));
	assert_int_equal(w->orders[w->order_count - 1].kind, ORDER_ENSURE);
	assert_record(w, 1, "\"state\":\"confirmed\"");
}

static void announce(void)
{
	struct mac old = world_mac(1);
	struct inventory_row row = {
		.mac = world_mac(2), .serial_number = "SN2", .uuid = "", .name = "", .group = ""};
	const char *field;

	w->conf.replacement = CONF_REPLACEMENT_TAKEOVER;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(engine_put_device(w->engine, &row, &old, &field, w->now), 1);
}

static void an_announced_takeover_goes_on_though_the_old_camera_is_alive(void **state)
{
	(void)state;
	announce();
	see_start(2, CAM(2));
	world_restart(w);
	old_camera_shows_itself(1);
	world_all_done(w);
	assert_record(w, 2, "\"ip\":\"10.20.0.1\"");
	assert_int_equal(world_count(w, EVENT_PORT_SHARED), 0);
}

static void an_announced_replacement_does_not_wait(void **state)
{
	(void)state;
	announce();
	world_start(w, 2, CAM(2), "p1");
	assert_int_equal(world_count(w, EVENT_CAMERA_REPLACED), 1);
	assert_record(w, 2, "\"ip\":\"10.20.0.1\"");
}

static void a_taken_address_stops_even_where_the_port_is_free(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 11 * MINUTE);
	world_start(w, 2, CAM(1), "p2");
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "\"reason\":\"address-taken\"");
}

/* --- RADIUS -------------------------------------------------------------------------------------
 */

static void radius_is_the_place_where_option_82_is_missing(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	o = radius(1, "Gi1/0/3");
	world_see(w, &o);
	world_start(w, 1, CAM(1), NULL);
	assert_says(w, EVENT_PROVISION_HANDOFF,
		"\"place\":{\"nas_ip\":\"10.1.1.1\",\"nas_port_id\":\"Gi1/0/3\"}");
}

static void two_places_that_disagree_are_told_once_a_pair(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	o = radius(1, "eth0/9");
	world_see(w, &o);
	world_start(w, 1, CAM(1), "eth0/1");
	world_start(w, 1, CAM(1), "eth0/1");
	assert_int_equal(world_count(w, EVENT_LOCATION_MISMATCH), 1);
	assert_record(w, 1, "\"state\":\"provisioned\"");
	o = radius(1, "eth0/1");
	world_see(w, &o);
	world_start(w, 1, CAM(1), "eth0/1");
	assert_int_equal(world_count(w, EVENT_LOCATION_MISMATCH), 1);
	o = radius(1, "eth0/8"); /* RADIUS comes later than DHCP */
	world_see(w, &o);
	assert_int_equal(world_count(w, EVENT_LOCATION_MISMATCH), 2);
}

static void a_layouts_port_is_compared_with_radius_that_comes_later(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	o = world_ack(w, 1, CAM(1), "\x01\x02\x03");
	layout(&o.dhcp.port, 5);
	world_see(w, &o);
	o = radius(1, "Gi1/0/5");
	world_see(w, &o);
	assert_int_equal(world_count(w, EVENT_LOCATION_MISMATCH), 0);
	o = radius(1, "Gi1/0/6");
	world_see(w, &o);
	assert_int_equal(world_count(w, EVENT_LOCATION_MISMATCH), 1);
	assert_says(w, EVENT_LOCATION_MISMATCH, LAYOUT5);
}

/* --- Keeping ------------------------------------------------------------------------------------
 */

static void a_release_is_pinned_again_within_five_seconds(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	w->groups[0].auto_provisioning = false; /* keeping goes on */
	world_forget(w);
	w->xid++;
	o = world_dhcp(w, DHCP_RELEASE, 1);
	o.dhcp.ciaddr = CAM(1);
	o.dhcp.server_id = NORTH;
	world_see(w, &o);
	world_wait(w, 4 * USEC_PER_SEC);
	assert_int_equal(w->order_count, 2);
	assert_int_equal(w->orders[1].kind, ORDER_REPIN);
	assert_int_equal(w->orders[1].ip, CAM(1));
	world_all_done(w);
	assert_silent(w);
	assert_record(w, 1, "\"state\":\"provisioned\"");
}

static void a_declined_address_is_told_and_stays_reserved(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_forget(w);
	w->xid++;
	o = world_dhcp(w, DHCP_DECLINE, 1);
	o.dhcp.requested_ip = CAM(1);
	world_see(w, &o);
	world_see(w, &o);
	assert_told(w, "camera.declined");
	assert_int_equal(w->order_count, 1);
	assert_record(w, 1, "\"state\":\"confirmed\"");
}

static void a_silent_camera_keeps_its_reservation_and_its_place(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 400 * USEC_PER_DAY);
	assert_int_equal(w->order_count, 1);
	assert_record(w, 1, "\"circuit_id_text\":\"p1\"");
	assert_record(w, 1, "\"state\":\"confirmed\"");
}

static void an_ack_to_an_inform_is_no_allocation(void **state)
{
	struct observation o = world_ack(w, 1, 0, "p1");

	(void)state;
	o.dhcp.ciaddr = CAM(1);
	world_see(w, &o);
	assert_silent(w);
}

/* --- Servers -------------------------------------------------------------------------------------
 */

#define PAIR(n) IP(10, 30, 0, n)

static void a_reservation_goes_to_every_server_of_the_group(void **state)
{
	(void)state;
	world_camera(w, 1);
	see_start(1, PAIR(1));
	assert_int_equal(w->order_count, 2);
	assert_true(w->orders[0].acked_here != w->orders[1].acked_here);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_CREATED), 0);
	world_all_done(w);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_CREATED), 1);
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 1);
}

static void one_server_down_is_completed_when_it_comes_back(void **state)
{
	(void)state;
	world_camera(w, 1);
	see_start(1, PAIR(1));
	answer(0, ANSWER_DONE, NULL);
	answer(1, ANSWER_NOT_NOW, "unreachable");
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 1);
	assert_record(w, 1, "\"state\":\"waiting\",\"error\":\"unreachable\"");
	engine_server_state(w->engine, 1, SERVER_UNREACHABLE, "connection refused", w->now);
	world_wait(w, 60 * MINUTE);
	assert_int_equal(w->order_count, 2);
	assert_int_equal(world_count(w, EVENT_SERVER_UNREACHABLE), 1);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_UPDATE_FAILED), 1);
	engine_server_state(w->engine, 1, SERVER_UP, NULL, w->now);
	assert_int_equal(w->order_count, 3);
	assert_int_equal(w->orders[2].server, 1);
	world_all_done(w);
	assert_null(strstr(world_record(w, 1), "waiting"));
	assert_int_equal(world_count(w, EVENT_SERVER_RECOVERED), 1);
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 1);
}

/* It was known to be down before the camera came: nobody waits for it. */
static void one_server_known_to_be_down_keeps_no_camera_waiting(void **state)
{
	(void)state;
	world_camera(w, 1);
	engine_server_state(w->engine, 1, SERVER_UNREACHABLE, "connection refused", w->now);
	see_start(1, PAIR(1));
	assert_int_equal(w->order_count, 2);
	assert_int_equal(w->orders[0].server, 1);
	answer(0, ANSWER_NOT_NOW, "unreachable"); /* what core/omapi says at once */
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 0);
	answer(1, ANSWER_DONE, NULL);
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 1);
	world_wait(w, 60 * MINUTE);
	assert_int_equal(w->order_count, 2);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 0);
	engine_server_state(w->engine, 1, SERVER_UP, NULL, w->now);
	assert_int_equal(w->order_count, 3);
	assert_int_equal(w->orders[2].server, 1);
	world_all_done(w);
	assert_null(strstr(world_record(w, 1), "waiting"));
	assert_int_equal(world_count(w, EVENT_PROVISION_HANDOFF), 1);
}

static void a_refusal_of_one_server_takes_back_what_the_other_has(void **state)
{
	(void)state;
	world_camera(w, 1);
	see_start(1, PAIR(1));
	answer(0, ANSWER_DONE, NULL);
	answer(1, ANSWER_REFUSED, "foreign-reservation");
	assert_int_equal(w->order_count, 3);
	assert_int_equal(w->orders[2].kind, ORDER_RELEASE);
	assert_int_equal(w->orders[2].server, 0);
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "\"server\":\"south\"");
	world_all_done(w);
	assert_int_equal(w->part_count, 1); /* the refused one stays to be seen */
}

static void ten_acks_of_one_camera_are_one_reservation(void **state)
{
	(void)state;
	world_camera(w, 1);
	for (int i = 0; i < 10; i++)
		see_start(1, CAM(1));
	assert_int_equal(w->order_count, 1);
	world_all_done(w);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_CREATED), 1);
}

static void the_newest_wish_wins_and_a_server_has_one_order_of_a_mac_at_a_time(void **state)
{
	(void)state;
	world_camera(w, 1);
	see_start(1, CAM(1));
	see_start(1, CAM(2));
	see_start(1, CAM(3));
	assert_int_equal(w->order_count, 1);
	world_answer(w, ANSWER_DONE, NULL);
	assert_int_equal(w->order_count, 2);
	assert_int_equal(w->orders[1].ip, CAM(3));
	assert_int_equal(w->orders[1].old_ip, CAM(1));
	world_all_done(w);
	assert_record(w, 1, "\"ip\":\"10.20.0.3\"");
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_CREATED), 1);
}

static void a_dead_server_is_asked_ever_more_seldom_and_then_it_failed(void **state)
{
	(void)state;
	world_camera(w, 1);
	see_start(1, CAM(1));
	for (int i = 0; i < 600; i++) {
		world_answer(w, ANSWER_NOT_NOW, "unreachable");
		world_wait(w, USEC_PER_SEC / 2);
	}
	assert_true(w->order_count < 30);
	world_wait(w, USEC_PER_SEC);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 1);
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "\"reason\":\"reservation-failed\"");
	assert_int_equal(world_last(w, EVENT_DHCP_RESERVATION_FAILED)->event.time - START,
		300 * USEC_PER_SEC);
	assert_record(w, 1, "\"state\":\"failed\"");
}

static void a_dead_server_does_not_slow_the_others(void **state)
{
	(void)state;
	w->groups[0].servers[0] = 1; /* cams on south, pair on both */
	w->groups[1].servers[0] = 0;
	w->groups[1].server_count = 1;
	engine_server_state(w->engine, 1, SERVER_UNREACHABLE, NULL, w->now);
	for (unsigned i = 1; i < 40; i++) {
		world_camera(w, i);
		see_start(i, i % 2 ? CAM(i) : PAIR(i));
	}
	assert_int_equal(w->order_count, 39); /* 20 to be told that it is down */
	for (size_t i = 0, to_first = 0; i < w->order_count; i++) {
		to_first += w->orders[i].server == 0;
		assert_true(i < 38 || to_first == 19);
	}
}

static void a_server_on_trial_gets_one_order_and_is_not_told_as_recovered(void **state)
{
	(void)state;
	engine_server_state(w->engine, 0, SERVER_UNREACHABLE, "no answer", w->now);
	for (unsigned i = 1; i < 20; i++) {
		world_camera(w, i);
		see_start(i, CAM(i));
	}
	for (size_t i = 0; i < 19; i++)
		answer(i, ANSWER_NOT_NOW, "unreachable");
	for (size_t i = 19; i < 29; i++) {
		engine_server_trial(w->engine, 0, w->now);
		assert_int_equal(w->order_count, i + 1);
		engine_server_state(w->engine, 0, SERVER_UNREACHABLE, "no answer", w->now);
		answer(i, ANSWER_NOT_NOW, "unreachable");
		world_wait(w, USEC_PER_SEC);
	}
	assert_int_equal(w->order_count, 29);
	assert_int_equal(world_count(w, EVENT_SERVER_UNREACHABLE), 1);
	assert_int_equal(world_count(w, EVENT_SERVER_RECOVERED), 0);
	engine_server_trial(w->engine, 0, w->now);
	engine_server_state(w->engine, 0, SERVER_UP, NULL, w->now);
	answer(29, ANSWER_DONE, NULL);
	assert_int_equal(world_count(w, EVENT_SERVER_RECOVERED), 1);
	assert_int_equal(w->order_count, 30 + 18); /* all that were told "later" */
}

/* The trial goes on; whoever waits for the server does not wait for its end. */
static void a_server_on_trial_gets_all_orders_when_it_answered_one(void **state)
{
	(void)state;
	engine_server_state(w->engine, 0, SERVER_UNREACHABLE, "no answer", w->now);
	for (unsigned i = 1; i < 20; i++) {
		world_camera(w, i);
		see_start(i, CAM(i));
	}
	for (size_t i = 0; i < 19; i++)
		answer(i, ANSWER_NOT_NOW, "unreachable");
	engine_server_trial(w->engine, 0, w->now);
	assert_int_equal(w->order_count, 20);
	answer(19, ANSWER_DONE, NULL);
	assert_int_equal(w->order_count, 20 + 18);
	assert_int_equal(world_count(w, EVENT_SERVER_RECOVERED), 0);
}

static void a_server_gets_as_many_orders_as_it_has_room_for(void **state)
{
	(void)state;
	engine_server_room(w->engine, 0, 3);
	for (unsigned i = 1; i < 20; i++) {
		world_camera(w, i);
		see_start(i, CAM(i));
	}
	assert_int_equal(w->order_count, 3);
	answer(0, ANSWER_DONE, NULL);
	assert_int_equal(w->order_count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(w->orders[i].ip, CAM(i + 1));
}

/* --- Restart ------------------------------------------------------------------------------------
 */

static void what_is_not_final_is_gone_on_with_after_a_crash(void **state)
{
	(void)state;
	world_camera(w, 1);
	see_start(1, CAM(1));
	world_restart(w);
	assert_int_equal(w->order_count, 1);
	assert_int_equal(w->orders[0].ip, CAM(1));
	assert_true(w->orders[0].acked_here);
	world_forget(w);
	world_all_done(w);
	assert_told(w, "dhcp.reservation_created", "streams.hold_started", "provision.handoff");
}

static void learned_state_and_holds_survive_a_restart(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_restart(w);
	assert_int_equal(w->order_count, 0);
	assert_record(w, 1, "\"circuit_id_text\":\"p1\"");
	assert_record(w, 1, "\"manual_streams\":\"held\"");
	assert_record(w, 1, "\"state\":\"confirmed\"");
	world_forget(w);
	world_wait(w, 10 * MINUTE);
	assert_told(w, "streams.hold_ended");
	assert_int_equal(w->told[0].event.time, START + 300 * USEC_PER_SEC);
}

static void what_one_server_has_already_is_known_after_a_crash(void **state)
{
	(void)state;
	world_camera(w, 1);
	see_start(1, PAIR(1));
	answer(0, ANSWER_DONE, NULL);
	world_restart(w);
	assert_int_equal(w->order_count, 1);
	assert_int_equal(w->orders[0].server, 1);
	world_all_done(w);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_CREATED), 1);
	world_start(w, 1, PAIR(1), "p1");
	assert_int_equal(w->order_count, 1);
	see_start(1, PAIR(2)); /* and it is known when it is to be taken back */
	world_restart(w);
	w->order_count = w->answered = 0;
	world_wait(w, 6 * MINUTE);
	world_all_done(w);
	assert_record(w, 1, "\"ip\":\"10.30.0.1\"");
}

static void a_way_from_one_groups_server_to_anothers_goes_on_after_a_crash(void **state)
{
	(void)state;
	w->groups[1].servers[0] = 1;
	w->groups[1].server_count = 1;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	see_start(1, PAIR(1));
	assert_int_equal(w->order_count, 3);
	world_restart(w);
	assert_int_equal(w->order_count, 2);
	assert_int_equal(w->orders[0].kind, ORDER_RELEASE);
	assert_int_equal(w->orders[0].server, 0);
	assert_int_equal(w->orders[0].ip, CAM(1));
	assert_int_equal(w->orders[1].kind, ORDER_ENSURE);
	assert_int_equal(w->orders[1].server, 1);
	assert_int_equal(w->orders[1].ip, PAIR(1));
	world_forget(w);
	world_all_done(w);
	assert_told(w, "dhcp.reservation_updated", "streams.hold_started", "provision.handoff");
	assert_record(w, 1, "\"ip\":\"10.30.0.1\"");
}

static void deadlines_of_before_a_crash_are_kept(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	see_start(2, CAM(2));
	world_wait(w, 4 * MINUTE);
	see_start(1, CAM(1)); /* comes first out of the store */
	world_restart(w);
	engine_server_state(w->engine, 0, SERVER_UNREACHABLE, NULL, w->now);
	world_wait(w, 2 * MINUTE);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_FAILED), 1);
	assert_record(w, 2, "\"state\":\"failed\"");
	assert_record(w, 1, "\"state\":\"reserving\"");
}

static void events_have_the_same_id_after_a_restart(void **state)
{
	uint8_t id[16];

	(void)state;
	world_camera(w, 1);
	see_start(1, CAM(1));
	world_all_done(w);
	memcpy(id, world_last(w, EVENT_DHCP_RESERVATION_CREATED)->event.id, 16);
	world_done(w);
	world_init(w);
	world_camera(w, 1);
	see_start(1, CAM(1));
	world_restart(w);
	world_all_done(w);
	assert_memory_equal(world_last(w, EVENT_DHCP_RESERVATION_CREATED)->event.id, id, 16);
	assert_says(w, EVENT_DHCP_RESERVATION_CREATED, "\"relay\":\"10.20.0.1\"");
}

static void what_was_told_is_not_told_again_after_a_restart(void **state)
{
	(void)state;
	w->conf.on_address_change = CONF_ADDRESS_REPORT;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	world_start(w, 1, CAM(2), "p2"); /* moved, and another address */
	world_forget(w);
	world_restart(w);
	world_start(w, 1, CAM(2), "p3");
	assert_told(w, "dhcp.ip_allocation");
}

static void the_pin_goes_to_the_server_that_acked_also_after_a_restart(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	w->xid++;
	o = world_ack(w, 1, PAIR(1), "p1");
	o.dhcp.server_id = SOUTH;
	world_see(w, &o);
	world_all_done(w);
	world_restart(w);
	w->xid++;
	o = world_dhcp(w, DHCP_RELEASE, 1);
	o.dhcp.ciaddr = PAIR(1);
	world_see(w, &o);
	world_wait(w, 4 * USEC_PER_SEC);
	assert_int_equal(w->order_count, 2);
	for (size_t i = 0; i < w->order_count; i++)
		assert_int_equal(w->orders[i].acked_here, w->orders[i].server == 1);
}

/* Anybody can write RELEASEs of a camera: they cost no memory, and those to a server that has no
 * lease of it do not hide the one to the server that has. */
static void a_flood_of_releases_is_one_repin(void **state)
{
	struct observation o;
	size_t before;

	(void)state;
	world_camera(w, 1);
	w->xid++;
	o = world_ack(w, 1, PAIR(1), "p1");
	o.dhcp.server_id = SOUTH;
	world_see(w, &o);
	world_all_done(w);
	world_forget(w);
	w->xid++;
	o = world_dhcp(w, DHCP_RELEASE, 1);
	o.dhcp.ciaddr = PAIR(1);
	o.dhcp.server_id = NORTH;
	world_see(w, &o);
	o.dhcp.server_id = SOUTH;
	before = mallinfo2().uordblks;
	for (int i = 0; i < 100000; i++)
		world_see(w, &o);
	assert_true(mallinfo2().uordblks < before + 100000);
	world_wait(w, 4 * USEC_PER_SEC);
	assert_int_equal(w->order_count, 4);
	assert_int_equal(w->orders[2].kind, ORDER_REPIN);
	assert_int_equal(w->orders[3].kind, ORDER_REPIN);
	world_all_done(w);
	world_wait(w, 60 * USEC_PER_SEC);
	assert_int_equal(w->order_count, 4);
}

static void a_camera_whose_renewal_is_not_due_is_alive_after_a_restart(void **state)
{
	struct observation o;

	(void)state;
	w->conf.replacement = CONF_REPLACEMENT_TAKEOVER;
	world_camera(w, 1);
	world_camera(w, 2);
	w->xid++;
	o = world_ack(w, 1, CAM(1), "p1");
	o.dhcp.lease_time = 24 * 3600;
	world_see(w, &o);
	world_all_done(w);
	world_restart(w);
	world_wait(w, 11 * USEC_PER_HOUR);
	world_start(w, 2, CAM(2), "p1");
	assert_int_equal(world_count(w, EVENT_PORT_SHARED), 1);
	assert_record(w, 1, "\"ip\":\"10.20.0.1\"");
}

/* What it did while nobody listened is not known: its silence counts from the start. */
static void silence_counts_from_when_somebody_listens(void **state)
{
	(void)state;
	w->conf.replacement = CONF_REPLACEMENT_TAKEOVER;
	for (unsigned camera = 1; camera <= 3; camera++)
		world_camera(w, camera);
	world_start(w, 1, CAM(1), "p1");
	w->now += 60 * MINUTE;
	world_restart(w);
	world_wait(w, 9 * MINUTE);
	world_start(w, 2, CAM(2), "p1");
	assert_int_equal(world_count(w, EVENT_PORT_SHARED), 1);
	world_wait(w, 11 * MINUTE);
	world_start(w, 3, CAM(3), "p1");
	assert_record(w, 3, "\"ip\":\"10.20.0.2\"");
}

static void time_never_runs_back(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	w->xid++;
	o = world_ack(w, 2, CAM(2), "p2");
	o.time -= MINUTE;
	world_see(w, &o);
	world_all_done(w);
	for (size_t i = 1; i < w->told_count; i++)
		assert_true(w->told[i].event.time >= w->told[i - 1].event.time);
}

/* --- Inventory life -----------------------------------------------------------------------------
 */

static void two_cameras_with_one_serial_number_are_refused(void **state)
{
	struct inventory_row row = {
		.mac = world_mac(2), .serial_number = "SN1", .uuid = "", .name = "", .group = ""};
	const char *field;

	(void)state;
	world_camera(w, 1);
	assert_int_equal(engine_put_device(w->engine, &row, NULL, &field, w->now), ERR_DUPLICATE);
	assert_string_equal(field, "serial_number");
	row.serial_number = "SN2";
	row.ip = CAM(1);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(engine_put_device(w->engine, &row, NULL, &field, w->now), ERR_DUPLICATE);
	assert_string_equal(field, "ip");
}

static void a_removed_camera_keeps_its_reservation_or_not_as_configured(void **state)
{
	struct mac mac = world_mac(1);

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(engine_remove_device(w->engine, &mac, w->now), 0);
	assert_int_equal(w->order_count, 1);
	assert_int_equal(w->row_count, 0);
	w->conf.on_removal = CONF_REMOVAL_RELEASE;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(engine_remove_device(w->engine, &mac, w->now), 0);
	assert_int_equal(w->orders[w->order_count - 1].kind, ORDER_RELEASE);
	assert_int_equal(w->orders[w->order_count - 1].ip, CAM(1));
	world_all_done(w);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_REMOVED), 1);
	assert_int_equal(w->part_count, 0);
	assert_int_equal(engine_remove_device(w->engine, &mac, w->now), ERR_NOT_FOUND);
}

static void releasing_by_hand_leaves_the_device_without_address(void **state)
{
	struct mac mac = world_mac(1);

	(void)state;
	world_camera(w, 1);
	assert_int_equal(engine_release(w->engine, &mac, w->now), ERR_MISSING);
	world_start(w, 1, CAM(1), "p1");
	assert_int_equal(engine_release(w->engine, &mac, w->now), 0);
	world_all_done(w);
	assert_record(w, 1, "\"state\":\"new\"");
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_REMOVED), 1);
	world_start(w, 1, CAM(2), "p1");
	assert_record(w, 1, "\"ip\":\"10.20.0.2\"");
}

static void retrying_by_hand_asks_every_server_again(void **state)
{
	struct mac mac = world_mac(1);

	(void)state;
	world_camera(w, 1);
	see_start(1, CAM(1));
	world_answer(w, ANSWER_REFUSED, "foreign-reservation");
	assert_int_equal(engine_retry(w->engine, &mac, w->now), 0);
	world_all_done(w);
	assert_record(w, 1, "\"state\":\"provisioned\"");
	assert_int_equal(engine_retry(w->engine, &mac, w->now), 0);
	assert_int_equal(w->order_count, 3);
	world_all_done(w);
	assert_int_equal(world_count(w, EVENT_DHCP_RESERVATION_CREATED), 1);
}

/* --- explain ------------------------------------------------------------------------------------
 */

static const char *explain(unsigned camera)
{
	static char text[16384];
	struct mac mac = world_mac(camera);
	const char *bytes;
	size_t len;

	writer_clear(&w->writer);
	assert_int_equal(engine_explain_write(w->engine, &mac, &w->writer, w->now), 0);
	bytes = writer_bytes(&w->writer, &len);
	assert_true(len < sizeof(text));
	memcpy(text, bytes, len);
	text[len] = 0;
	return text;
}

#define assert_explains(camera, text)                            \
	do {                                                     \
		const char *story_ = explain(camera);            \
		if (!strstr(story_, (text)))                     \
			fail_msg("no %s in %s", (text), story_); \
	} while (0)

static void explain_says_why_and_what_to_do(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	assert_explains(1, "no DHCP from it on these captures");
	world_start(w, 1, CAM(1), "p1");
	assert_explains(1, "\"verdict\":\"provisioned\"");
	assert_explains(2, "no DHCP from it on these captures since");
	o = radius(2, "p1");
	world_see(w, &o);
	assert_explains(2, "last RADIUS 20");
	o = world_dhcp(w, DHCP_DISCOVER, 2);
	world_see(w, &o);
	assert_explains(2, "no server's ACK was seen");
	world_start(w, 2, CAM(2), "p2");
	assert_explains(2, "\"verdict\":\"unknown-device\"");
	assert_explains(2, "devices.csv");
	world_camera(w, 3);
	see_start(3, CAM(3));
	assert_explains(3, "\"verdict\":\"reserving\"");
	world_answer(w, ANSWER_REFUSED, "foreign-reservation");
	assert_explains(3, "\"verdict\":\"foreign-reservation\"");
}

static void a_camera_that_comes_back_while_it_is_being_released_is_one_reservation(void **state)
{
	struct mac mac = world_mac(1);

	(void)state;
	w->conf.on_removal = CONF_REMOVAL_RELEASE;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	engine_remove_device(w->engine, &mac, w->now);
	world_camera(w, 1);
	see_start(1, CAM(2));
	world_all_done(w);
	assert_record(w, 1, "\"ip\":\"10.20.0.2\"");
	assert_int_equal(w->orders[w->order_count - 1].kind, ORDER_ENSURE);
	assert_int_equal(w->orders[w->order_count - 1].ip, CAM(2));
}

/* A stranger's words are shown, and nothing else is done with them. */
static void explain_shows_the_ack_that_was_not_acted_upon(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_start(w, 1, CAM(1), "p1");
	w->xid = 0xabcd;
	o = world_ack(w, 1, IP(10, 20, 0, 77), "p1");
	o.dhcp.server_id = IP(10, 0, 0, 66);
	world_see(w, &o);
	for (int restarts = 0; restarts < 2; restarts++) {
		assert_explains(1, "\"verdict\":\"unknown-server\"");
		assert_explains(1, "\"evidence\":{\"server\":\"10.0.0.66\",\"time\":\"2023-11-"
				   "14T22:13:20.000000Z\",\"xid\":\"0000abcd\"}");
		world_restart(w);
	}
	w->xid++;
	o = world_ack(w, 1, CAM(77), "p1");
	o.dhcp.giaddr = IP(10, 20, 0, 66);
	world_see(w, &o);
	assert_explains(1, "\"verdict\":\"unknown-relay\"");
	assert_explains(1, "\"answer\":\"yes\",\"evidence\":{\"server\":\"north\"");
	assert_explains(1, "\"evidence\":{\"ip\":\"10.20.0.77\",\"group\":\"cams\"}");
	assert_explains(1, "\"answer\":\"no\",\"evidence\":{\"relay\":\"10.20.0.66\"}");
	world_start(w, 1, CAM(1), "p1");
	assert_explains(1, "\"verdict\":\"already-provisioned\"");
	assert_explains(1, "\"relay\":\"10.20.0.1\"");
}

static void explain_says_whose_address_it_is(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_start(w, 2, CAM(1), "p2");
	assert_explains(2, "\"taken\":\"02:00:00:00:00:01\"");
	assert_explains(2, "\"ip\":\"10.20.0.1\"");
	assert_null(strstr(explain(1), "taken"));
}

static void a_strangers_ack_does_not_keep_a_camera_alive_for_its_lease(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	w->xid++;
	o = world_ack(w, 1, CAM(1), "p1");
	o.dhcp.server_id = IP(10, 0, 0, 66);
	o.dhcp.lease_time = UINT32_MAX;
	world_see(w, &o);
	world_wait(w, 11 * MINUTE);
	world_start(w, 2, CAM(2), "p1");
	assert_int_equal(world_count(w, EVENT_CAMERA_REPLACED), 1);
}

static void explain_knows_the_reason_after_a_restart(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, CAM(1), "p1");
	world_start(w, 2, CAM(1), "p2");
	assert_explains(2, "\"verdict\":\"address-taken\"");
	world_restart(w);
	assert_explains(2, "\"verdict\":\"address-taken\"");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* The world keeps every event; here only their number matters. */
static size_t told_of_flood;

static void count_told(void *ctx, const struct event *e)
{
	(void)ctx;
	(void)e;
	told_of_flood++;
}

static void a_flood_of_invented_macs_is_counted_and_not_told_one_by_one(void **state)
{
	const struct engine_ops ops = {.event = count_told};
	struct engine *engine = engine_new(&world.conf, &ops, NULL);
	struct observation o = world_ack(&world, 1, IP(10, 20, 1, 1), "eth0/1");
	struct engine_stats stats;

	(void)state;
	told_of_flood = 0;
	for (uint32_t i = 0; i < 100000; i++) {
		o.mac = (struct mac){{6, 1, (uint8_t)(i >> 24), (uint8_t)(i >> 16),
			(uint8_t)(i >> 8), (uint8_t)i}};
		o.dhcp.xid = i;
		o.time += 10;
		engine_observe(engine, &o);
	}
	engine_stats(engine, &stats);
	assert_in_range(told_of_flood, 2 * 16384, 2 * 16384 + 2 * 10);
	assert_int_equal(stats.untold, 100000 - told_of_flood / 2);
	assert_in_range(stats.unknown, 16384, 2 * 16384);
	/* An hour later there is room for others again. */
	o.time += USEC_PER_HOUR;
	o.mac.b[0] = 2;
	engine_observe(engine, &o);
	engine_stats(engine, &stats);
	assert_int_equal(stats.events[EVENT_DEVICE_UNKNOWN], told_of_flood / 2);
	assert_int_equal(stats.untold, 100001 - told_of_flood / 2);
	engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_known_camera_is_provisioned_step_by_step),
		T(the_hold_ends_once_and_when_it_is_due),
		T(without_option_54_the_source_is_the_server),
		T(of_nested_subnets_the_longest_prefix_counts),
		T(an_address_in_no_group_is_not_told),
		T(a_renewal_passes_the_question_about_the_relay),
		T(option_82_with_giaddr_0_passes_only_without_a_list_or_with_l2),
		T(strangers_are_told_where_the_gate_is_off),
		T(a_stranger_is_told_once_in_any_hour),
		T(the_gate_of_a_group_or_of_all_stops_in_silence),
		T(an_unknown_camera_is_told_once_a_day),
		T(a_flood_of_invented_macs_is_counted_and_not_told_one_by_one),
		T(doubled_acks_tell_nothing_twice),
		T(a_doubled_ack_after_a_restart_tells_nothing_either),
		T(restart_or_renewal_is_the_requests_ciaddr_when_it_was_seen),
		T(ids_are_of_the_happening_not_of_the_moment),
		T(an_empty_id_is_a_value_and_an_absent_one_another),
		T(the_requests_option_82_counts_where_the_ack_has_none),
		T(the_layouts_reading_goes_with_the_requests_option_82),
		T(the_layouts_reading_goes_with_the_profile),
		T(a_layouts_port_is_compared_with_radius_that_comes_later),
		T(a_bare_happening_never_erases_or_changes_a_known_port),
		T(a_port_is_learnt_also_from_an_ack_that_is_stopped_later),
		T(a_move_is_told_at_once_and_then_at_most_once_an_hour),
		T(an_address_of_the_inventory_is_reserved_when_an_ack_first_shows_it),
		T(an_ack_in_another_group_than_the_inventorys_stops),
		T(a_port_of_the_inventory_is_known_from_the_start),
		T(a_reservation_follows_another_address),
		T(an_address_change_is_only_reported_once_per_address),
		T(what_fails_is_told_once_and_the_next_ack_tries_again),
		T(what_fails_for_a_device_with_an_address_is_an_update),
		T(the_address_of_another_device_is_never_reserved),
		T(while_the_old_camera_is_alive_the_port_is_only_shared),
		T(a_camera_whose_renewal_is_not_due_is_alive),
		T(radius_keeps_a_camera_alive),
		T(a_silent_cameras_replacement_is_reported_and_both_keep_their_own),
		T(replacement_off_says_nothing_of_silent_cameras),
		T(takeover_gives_the_old_address_to_the_newcomer),
		T(a_takeover_that_fails_gives_the_address_back),
		T(a_takeover_without_answer_ends_at_the_deadline_and_is_undone),
		T(a_takeover_goes_on_after_a_crash),
		T(an_old_camera_that_shows_itself_ends_a_takeover),
		T(an_old_camera_that_shows_itself_after_a_crash_ends_a_takeover),
		T(a_lease_query_about_the_old_camera_is_no_sign_of_it),
		T(a_takeover_across_groups_that_fails_gives_the_address_back),
		T(an_address_that_cannot_be_given_back_is_told_and_tried_again),
		T(an_announced_takeover_goes_on_though_the_old_camera_is_alive),
		T(an_announced_replacement_does_not_wait),
		T(a_taken_address_stops_even_where_the_port_is_free),
		T(radius_is_the_place_where_option_82_is_missing),
		T(two_places_that_disagree_are_told_once_a_pair),
		T(a_release_is_pinned_again_within_five_seconds),
		T(a_flood_of_releases_is_one_repin),
		T(a_declined_address_is_told_and_stays_reserved),
		T(a_silent_camera_keeps_its_reservation_and_its_place),
		T(an_ack_to_an_inform_is_no_allocation),
		T(a_reservation_goes_to_every_server_of_the_group),
		T(one_server_down_is_completed_when_it_comes_back),
		T(one_server_known_to_be_down_keeps_no_camera_waiting),
		T(a_refusal_of_one_server_takes_back_what_the_other_has),
		T(ten_acks_of_one_camera_are_one_reservation),
		T(the_newest_wish_wins_and_a_server_has_one_order_of_a_mac_at_a_time),
		T(a_dead_server_is_asked_ever_more_seldom_and_then_it_failed),
		T(a_dead_server_does_not_slow_the_others),
		T(a_server_on_trial_gets_one_order_and_is_not_told_as_recovered),
		T(a_server_on_trial_gets_all_orders_when_it_answered_one),
		T(a_server_gets_as_many_orders_as_it_has_room_for),
		T(what_is_not_final_is_gone_on_with_after_a_crash),
		T(learned_state_and_holds_survive_a_restart),
		T(what_one_server_has_already_is_known_after_a_crash),
		T(a_way_from_one_groups_server_to_anothers_goes_on_after_a_crash),
		T(deadlines_of_before_a_crash_are_kept),
		T(events_have_the_same_id_after_a_restart),
		T(what_was_told_is_not_told_again_after_a_restart),
		T(the_pin_goes_to_the_server_that_acked_also_after_a_restart),
		T(a_camera_whose_renewal_is_not_due_is_alive_after_a_restart),
		T(silence_counts_from_when_somebody_listens),
		T(time_never_runs_back),
		T(two_cameras_with_one_serial_number_are_refused),
		T(a_removed_camera_keeps_its_reservation_or_not_as_configured),
		T(releasing_by_hand_leaves_the_device_without_address),
		T(retrying_by_hand_asks_every_server_again),
		T(explain_says_why_and_what_to_do),
		T(explain_shows_the_ack_that_was_not_acted_upon),
		T(explain_says_whose_address_it_is),
		T(a_strangers_ack_does_not_keep_a_camera_alive_for_its_lease),
		T(explain_knows_the_reason_after_a_restart),
		T(a_camera_that_comes_back_while_it_is_being_released_is_one_reservation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
