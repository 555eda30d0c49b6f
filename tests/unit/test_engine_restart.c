/* SPDX-License-Identifier: ISC
 *
 * What a restart must not change: which server has what, by its name, whatever the order in the
 * configuration; and what was told and is quiet for a while.
 */
#include "world.h"

#define CAM(n)	IP(10, 20, 0, n)
#define PAIR(n) IP(10, 30, 0, n)

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

static void configure(uint8_t count, uint8_t first, uint8_t second)
{
	w->groups[1].server_count = count;
	w->groups[1].servers[0] = first;
	w->groups[1].servers[1] = second;
}

#define ON_NORTH "{\"server\":\"north\",\"mode\":\"auto\",\"state\":\"confirmed\"}"
#define ON_SOUTH "{\"server\":\"south\",\"mode\":\"auto\",\"state\":\"confirmed\"}"

/* --- Servers by name ---------------------------------------------------------------------------
 */

static void a_server_before_the_one_that_has_it_has_nothing(void **state)
{
	(void)state;
	configure(1, 0, 0);
	world_camera(w, 1);
	world_start(w, 1, PAIR(1), "p1");
	configure(2, 1, 0); /* servers = south, north */
	world_restart(w);
	assert_record(w, 1, "\"reservation\":[" ON_NORTH "]");
	world_start(w, 1, PAIR(1), "p1");
	assert_int_equal(w->order_count, 1);
	assert_int_equal(w->orders[0].server, 1);
	assert_record(w, 1, "\"reservation\":[" ON_SOUTH "," ON_NORTH "]");
	world_restart(w);
	assert_record(w, 1, "\"reservation\":[" ON_SOUTH "," ON_NORTH "]");
}

static void the_one_that_is_left_keeps_it(void **state)
{
	(void)state;
	configure(1, 1, 0);
	world_camera(w, 1);
	world_start(w, 1, PAIR(1), "p1");
	configure(2, 0, 1); /* north is new */
	world_restart(w);
	assert_record(w, 1, "\"reservation\":[" ON_SOUTH "]");
	configure(1, 1, 0); /* and it goes again */
	world_restart(w);
	assert_record(w, 1, "\"reservation\":[" ON_SOUTH "]");
	world_start(w, 1, PAIR(1), "p1");
	assert_int_equal(w->order_count, 0);
}

/* One has it and the other one is away: the work goes on with the right one. */
static void what_is_under_way_goes_on_with_its_own_server(void **state)
{
	struct observation o;

	(void)state;
	world_camera(w, 1);
	w->xid++;
	o = world_ack(w, 1, PAIR(1), "p1");
	world_see(w, &o);
	for (size_t i = 0; i < 2; i++) {
		struct answer a = {.ticket = w->orders[i].ticket,
			.kind = w->orders[i].server == 0 ? ANSWER_DONE : ANSWER_NOT_NOW,
			.reason = "unreachable"};

		engine_answer(w->engine, &a, w->now);
	}
	configure(2, 1, 0);
	world_restart(w);
	assert_int_equal(w->order_count, 1);
	assert_int_equal(w->orders[0].server, 1);
	world_all_done(w);
	assert_record(w, 1, "\"reservation\":[" ON_SOUTH "," ON_NORTH "]");
}

/* A server that is in the configuration no more has rows in the store still. */
static void the_rows_of_a_server_that_has_gone_are_passed_over(void **state)
{
	(void)state;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 1, PAIR(1), "p1");
	world_start(w, 2, PAIR(2), "p2");
	snprintf(w->servers[1].name, sizeof(w->servers[1].name), "west");
	world_restart(w);
	assert_record(w, 1, "\"reservation\":[" ON_NORTH "]");
	assert_record(w, 2, "\"reservation\":[" ON_NORTH "]");
	world_start(w, 1, PAIR(1), "p1");
	assert_int_equal(w->order_count, 1);
	assert_int_equal(w->orders[0].server, 1);
	snprintf(w->servers[1].name, sizeof(w->servers[1].name), "south");
	world_restart(w);
	assert_record(w, 2, "\"reservation\":[" ON_NORTH "," ON_SOUTH "]");
}

static void assert_never_two(void)
{
	uint32_t hosts[2][3] = {{0, PAIR(1), PAIR(2)}, {0, PAIR(1), PAIR(2)}};

	assert_true(w->order_count > 0);
	for (; w->answered < w->order_count; w->answered++) {
		const struct order *o = &w->orders[w->answered];
		struct answer a = {.ticket = o->ticket, .kind = ANSWER_DONE};

		hosts[o->server][o->mac.b[5]] = o->kind == ORDER_RELEASE ? 0 : o->ip;
		assert_true(!hosts[o->server][1] || hosts[o->server][1] != hosts[o->server][2]);
		engine_answer(w->engine, &a, w->now);
	}
}

/* What was on its way, the old address pinned again, says nothing of the one that is wanted since:
 * the newcomer gets it where the old camera has lost it, not before. */
static void a_takeover_after_a_crash_waits_for_each_server(void **state)
{
	struct observation o;

	(void)state;
	w->conf.replacement = CONF_REPLACEMENT_TAKEOVER;
	world_camera(w, 1);
	world_camera(w, 2);
	world_start(w, 2, PAIR(2), "p2");
	world_wait(w, 11 * MINUTE);
	world_start(w, 1, PAIR(1), "p1");
	w->xid++;
	o = world_dhcp(w, DHCP_RELEASE, 1);
	o.dhcp.ciaddr = PAIR(1);
	world_see(w, &o);
	w->order_count = w->answered = 0;
	world_wait(w, 2 * USEC_PER_SEC);
	assert_int_equal(w->orders[0].kind, ORDER_REPIN);
	w->xid++;
	o = world_ack(w, 1, PAIR(9), "p2");
	world_see(w, &o);
	assert_int_equal(world_count(w, EVENT_CAMERA_REPLACED), 1);
	world_restart(w);
	assert_never_two();
	assert_record(w, 1, "\"ip\":\"10.30.0.2\"");
}

/* --- What is quiet -----------------------------------------------------------------------------
 */

static void see_stranger(uint32_t server, uint32_t relay)
{
	struct observation o;

	w->xid++;
	o = world_ack(w, 1, CAM(1), "p1");
	o.dhcp.server_id = server;
	o.dhcp.giaddr = relay;
	world_see(w, &o);
}

static void strangers_are_told_once_in_any_hour_also_over_a_restart(void **state)
{
	(void)state;
	world_camera(w, 1);
	see_stranger(IP(10, 0, 0, 66), RELAY);
	see_stranger(NORTH, IP(10, 20, 0, 66));
	world_wait(w, 30 * MINUTE);
	see_stranger(NORTH, 0); /* option 82 with giaddr 0 */
	assert_told(w, "dhcp.unknown_server", "dhcp.unknown_relay", "dhcp.unknown_relay");
	for (int restarts = 0; restarts < 2; restarts++) {
		world_restart(w);
		see_stranger(IP(10, 0, 0, 66), RELAY);
		see_stranger(NORTH, IP(10, 20, 0, 66));
		see_stranger(NORTH, 0);
		assert_int_equal(w->told_count, 3);
	}
	see_stranger(IP(10, 0, 0, 67), RELAY); /* another one is */
	assert_int_equal(w->told_count, 4);
	world_wait(w, 31 * MINUTE);
	see_stranger(IP(10, 0, 0, 66), RELAY);
	see_stranger(NORTH, IP(10, 20, 0, 66));
	assert_int_equal(w->told_count, 6);
	see_stranger(NORTH, 0);
	assert_int_equal(w->told_count, 6);
}

static const char *unknowns(void)
{
	static char text[4096];
	const char *bytes;
	size_t len;

	writer_clear(&w->writer);
	engine_unknown_write(w->engine, &w->writer);
	bytes = writer_bytes(&w->writer, &len);
	assert_true(len < sizeof(text));
	memcpy(text, bytes, len);
	text[len] = 0;
	return text;
}

static void a_mac_in_no_table_is_told_once_a_day_also_over_a_restart(void **state)
{
	(void)state;
	world_start(w, 7, CAM(7), "p7");
	assert_int_equal(world_count(w, EVENT_DEVICE_UNKNOWN), 1);
	world_wait(w, 23 * USEC_PER_HOUR);
	world_restart(w);
	assert_string_equal(unknowns(),
		"{\"mac\":\"02:00:00:00:00:07\",\"first_seen\":\"2023-11-14T22:13:20.000000Z\","
		"\"last_seen\":\"2023-11-14T22:13:20.000000Z\",\"ip\":\"10.20.0.7\","
		"\"server\":\"north\",\"relay\":\"10.20.0.1\",\"group\":\"cams\",\"option82\":{"
		"\"raw\":\"0102703702087377697463682d31\",\"circuit_id\":\"7037\","
		"\"circuit_id_text\":\"p7\",\"remote_id\":\"7377697463682d31\","
		"\"remote_id_text\":\"switch-1\"},\"reason\":\"unknown-device\"}\n");
	world_start(w, 7, CAM(7), "p7");
	assert_int_equal(world_count(w, EVENT_DEVICE_UNKNOWN), 1);
	world_wait(w, 61 * MINUTE);
	world_start(w, 7, CAM(7), "p7");
	assert_int_equal(world_count(w, EVENT_DEVICE_UNKNOWN), 2);
}

static void one_that_is_in_the_table_now_is_no_unknown_one(void **state)
{
	(void)state;
	world_start(w, 7, CAM(7), "p7");
	world_camera(w, 7);
	world_restart(w);
	assert_string_equal(unknowns(), "");
}

/* Whoever wrote it: a line that is none of ours is passed over. */
static void an_event_that_says_nothing_is_passed_over(void **state)
{
	static const char *const lines[] = {"", "{", "[]", "{\"mac\":1,\"option82\":[]}",
		"{\"option82\":{\"raw\":\"zz\",\"circuit_id\":\"0\"},\"ip\":7}",
		"{\"option82\":{\"raw\":\"0101\",\"circuit_id\":\"ff\"}}"};
	struct event_row row = {.time = START, .mac = world_mac(7)};

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(lines) / sizeof(lines[0]); i++) {
		row.code = event_code_text(engine_quiets[i % 3].code);
		row.json = lines[i / 3];
		row.json_len = strlen(row.json);
		engine_restore_event(w->engine, &row);
	}
	world_start(w, 8, CAM(8), "p8");
	assert_int_equal(world_count(w, EVENT_DEVICE_UNKNOWN), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_server_before_the_one_that_has_it_has_nothing),
		T(the_one_that_is_left_keeps_it),
		T(the_rows_of_a_server_that_has_gone_are_passed_over),
		T(what_is_under_way_goes_on_with_its_own_server),
		T(a_takeover_after_a_crash_waits_for_each_server),
		T(strangers_are_told_once_in_any_hour_also_over_a_restart),
		T(a_mac_in_no_table_is_told_once_a_day_also_over_a_restart),
		T(one_that_is_in_the_table_now_is_no_unknown_one),
		T(an_event_that_says_nothing_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
