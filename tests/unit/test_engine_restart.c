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

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_server_before_the_one_that_has_it_has_nothing),
		T(the_one_that_is_left_keeps_it),
		T(the_rows_of_a_server_that_has_gone_are_passed_over),
		T(what_is_under_way_goes_on_with_its_own_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
