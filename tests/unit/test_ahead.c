/* SPDX-License-Identifier: ISC
 *
 * What the engine looks at ahead changes nothing but speed.
 */
#include "world.h"

#define CAMERAS 24
#define STEPS	20000

static uint32_t seed;

static uint32_t chance(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static void remove_camera(struct world *w, unsigned n)
{
	struct mac mac = world_mac(n);

	engine_remove_device(w->engine, &mac, w->now);
}

static void a_device_that_went_meanwhile_is_not_looked_at(void **state)
{
	struct observation o, others;
	static struct world world, *w = &world;

	(void)state;
	world_init(w);
	world_camera(w, 1);
	world_camera(w, 2);
	o = world_ack(w, 1, IP(10, 20, 0, 1), "p1");
	others = world_ack(w, 2, IP(10, 20, 0, 2), "p2");
	engine_foresee(w->engine, &o);
	for (int i = 1; i < ENGINE_AHEAD; i++)
		engine_foresee(w->engine, &others);
	remove_camera(w, 1);
	world_camera(w, 3); /* where the other one was */
	world_see(w, &o);
	assert_told(w, "dhcp.ip_allocation", "device.unknown");
	assert_record(w, 3, "\"state\":\"new\"");
	world_done(w);
}

static struct observation random_ack(struct world *w)
{
	static const char *const ports[] = {"p1", "p2", "p3", "p4", "p5", "", NULL};

	w->now += chance(40) * USEC_PER_SEC / 10;
	w->xid = chance(4) ? w->xid + 1 : w->xid;
	return world_ack(w, chance(CAMERAS), IP(10, 20, 0, chance(CAMERAS)), ports[chance(7)]);
}

/* The same in two worlds, of which one foresees; it may foresee what does not come. */
static void both_tell_the_same(struct world *plain, struct world *ahead)
{
	struct observation ring[ENGINE_AHEAD];
	unsigned waiting = 1 + chance(ENGINE_AHEAD);

	for (unsigned i = 0; i < waiting; i++) {
		ring[i] = random_ack(plain);
		engine_foresee(ahead->engine, &ring[i]);
	}
	for (unsigned i = 0; i < waiting; i++) {
		struct world *both[] = {plain, ahead};
		unsigned camera = chance(3 * CAMERAS), shed = chance(20) == 0;

		for (int k = 0; k < 2; k++) {
			struct mac mac = world_mac(camera);

			both[k]->now = ring[i].time;
			if (camera < CAMERAS &&
				engine_remove_device(both[k]->engine, &mac, both[k]->now) < 0)
				world_camera(both[k], camera);
			if (!shed)
				world_see(both[k], &ring[i]);
			world_all_done(both[k]);
			both[k]->order_count = both[k]->answered = 0;
		}
	}
	plain->now = ahead->now = ring[waiting - 1].time;
}

static void with_and_without_it_the_same_is_told(void **state)
{
	static struct world plain, ahead;

	(void)state;
	for (seed = 1; seed < 20; seed++) {
		uint32_t first = seed;

		world_init(&plain);
		world_init(&ahead);
		for (unsigned i = 0; i < STEPS / 20 / ENGINE_AHEAD; i++)
			both_tell_the_same(&plain, &ahead);
		assert_true(plain.told_count > 100);
		assert_int_equal(plain.told_count, ahead.told_count);
		for (size_t i = 0; i < plain.told_count; i++)
			assert_string_equal(plain.told[i].line, ahead.told[i].line);
		world_done(&plain);
		world_done(&ahead);
		seed = first;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_that_went_meanwhile_is_not_looked_at),
		cmocka_unit_test(with_and_without_it_the_same_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
