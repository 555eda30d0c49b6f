/* SPDX-License-Identifier: ISC
 *
 * Tables of what is seen are bounded: when one is full, what was not heard of for longest goes, and
 * is counted.
 */
#include "world.h"

#include "tap82/correlate.h"

static struct observation message(uint8_t type, unsigned camera, uint32_t xid)
{
	struct observation o = {
		.version = OBSERVATION_VERSION, .kind = OBSERVATION_DHCP, .mac = world_mac(camera)};

	o.dhcp.type = type;
	o.dhcp.has_mac = true;
	o.dhcp.xid = xid;
	return o;
}

static bool has_exchange(struct transactions *t, unsigned camera)
{
	struct mac mac = world_mac(camera);

	return transaction_find(t, &mac, camera) != NULL;
}

static void hear(struct transactions *t, uint8_t type, unsigned camera, int64_t now)
{
	struct observation o = message(type, camera, camera);

	world_option82(&o.dhcp.option82, "p1", NULL);
	assert_non_null(transaction_observe(t, &o, now));
}

static void of_exchanges_the_one_not_heard_of_for_longest_goes_first(void **state)
{
	struct transactions t;

	(void)state;
	transactions_init(&t, 4);
	for (unsigned i = 1; i <= 4; i++)
		hear(&t, DHCP_REQUEST, i, i);
	hear(&t, DHCP_ACK, 1, 5); /* heard of again: no longer the oldest */
	assert_int_equal(t.dropped, 0);
	hear(&t, DHCP_REQUEST, 5, 6);
	assert_false(has_exchange(&t, 2));
	assert_true(has_exchange(&t, 1));
	hear(&t, DHCP_REQUEST, 6, 7);
	assert_false(has_exchange(&t, 3));
	for (unsigned i = 4; i <= 6; i++)
		assert_true(has_exchange(&t, i));
	assert_int_equal(t.count, 4);
	assert_int_equal(t.dropped, 2);
	transactions_done(&t);
}

static void exchanges_expire_after_ten_minutes_and_are_not_counted_as_dropped(void **state)
{
	struct transactions t;

	(void)state;
	transactions_init(&t, 4);
	hear(&t, DHCP_REQUEST, 1, 0);
	hear(&t, DHCP_REQUEST, 2, MINUTE);
	transactions_expire(&t, 10 * MINUTE - 1);
	assert_int_equal(t.count, 2);
	transactions_expire(&t, 10 * MINUTE);
	assert_false(has_exchange(&t, 1));
	assert_true(has_exchange(&t, 2));
	assert_int_equal(t.dropped, 0);
	transactions_done(&t);
}

static void of_radius_sessions_the_oldest_goes_first_and_all_after_a_day(void **state)
{
	struct sessions s;
	bool moved;

	(void)state;
	sessions_init(&s, 3);
	for (unsigned i = 1; i <= 5; i++) {
		struct observation o = {.kind = OBSERVATION_RADIUS, .mac = world_mac(i)};

		o.radius.code = RADIUS_ACCOUNTING_REQUEST;
		o.radius.has_mac = true;
		assert_non_null(session_observe(&s, &o, i, &moved));
	}
	for (unsigned i = 1; i <= 5; i++) {
		struct mac mac = world_mac(i);

		assert_int_equal(session_find(&s, &mac) != NULL, i > 2);
	}
	assert_int_equal(s.dropped, 2);
	sessions_expire(&s, USEC_PER_DAY + 4);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.dropped, 2);
	sessions_done(&s);
}

static void a_flood_of_strangers_pushes_out_none_that_got_an_address(void **state)
{
	struct observation ack = message(DHCP_ACK, 1, 1);
	struct mac mac = world_mac(1);
	struct unknowns u;

	(void)state;
	unknowns_init(&u, 8);
	ack.dhcp.yiaddr = 7;
	unknown_acked(&u, unknown_observe(&u, &ack, 1), &ack, NULL, NULL);
	for (unsigned i = 2; i < 1000; i++) {
		struct observation o = message(DHCP_DISCOVER, i, i);

		unknown_observe(&u, &o, i);
	}
	assert_non_null(unknown_find(&u, &mac));
	assert_int_equal(HASH_COUNT(u.heard), 8);
	mac = world_mac(999);
	assert_non_null(unknown_find(&u, &mac));
	mac = world_mac(991);
	assert_null(unknown_find(&u, &mac));
	assert_int_equal(u.dropped, 998 - 8);
	unknowns_done(&u);
}

/* In the engine: a flood between REQUEST and ACK costs the REQUEST's option 82, never a wrong port,
 * and is seen in the figures. */
static void a_flood_costs_evidence_and_is_counted(void **state)
{
	static struct world world, *const w = &world;
	struct engine_stats stats;
	struct observation o;

	(void)state;
	world_init(w);
	world_camera(w, 1);
	o = world_dhcp(w, DHCP_REQUEST, 1);
	o.dhcp.giaddr = RELAY;
	world_option82(&o.dhcp.option82, "p1", NULL);
	world_see(w, &o);
	for (unsigned i = 0; i < TRANSACTIONS_MAX; i++) {
		o = world_dhcp(w, DHCP_DISCOVER, 1000 + i);
		world_see(w, &o);
	}
	o = world_ack(w, 1, IP(10, 20, 0, 1), NULL);
	world_see(w, &o);
	world_all_done(w);
	assert_record(w, 1, "\"state\":\"provisioned\"");
	assert_null(strstr(world_record(w, 1), "profile"));
	engine_stats(w->engine, &stats);
	assert_int_equal(stats.transactions, TRANSACTIONS_MAX);
	assert_int_equal(stats.transactions_dropped, 2);
	assert_int_equal(stats.unknown_dropped, TRANSACTIONS_MAX - UNKNOWN_MAX);
	assert_int_equal(stats.sessions_dropped, 0);
	world_done(w);
}

/* Chains that are long by luck come again and again, and each would double the buckets. */
static void a_full_table_has_its_buckets(void **state)
{
	struct transactions t;
	struct observation o = {.kind = OBSERVATION_DHCP, .dhcp.type = DHCP_DISCOVER};

	(void)state;
	transactions_init(&t, 256);
	for (uint32_t n = 1; n <= 300000; n++) {
		o.dhcp.xid = n;
		assert_non_null(transaction_observe(&t, &o, n));
	}
	assert_int_equal(t.count, 256);
	assert_true(t.by_key->hh.tbl->num_buckets <= 4 * 256);
	transactions_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_exchanges_the_one_not_heard_of_for_longest_goes_first),
		cmocka_unit_test(exchanges_expire_after_ten_minutes_and_are_not_counted_as_dropped),
		cmocka_unit_test(of_radius_sessions_the_oldest_goes_first_and_all_after_a_day),
		cmocka_unit_test(a_flood_of_strangers_pushes_out_none_that_got_an_address),
		cmocka_unit_test(a_flood_costs_evidence_and_is_counted),
		cmocka_unit_test(a_full_table_has_its_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
