/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../sniffer/queue.h"

static struct queue queue;
static uint32_t number; /* of the last observation that was made */

static struct observation ack(uint32_t ciaddr)
{
	struct observation o = {.version = OBSERVATION_VERSION, .kind = OBSERVATION_DHCP};

	o.dhcp.type = DHCP_ACK;
	o.dhcp.ciaddr = ciaddr;
	o.dhcp.xid = ++number;
	return o;
}

static bool add(uint32_t ciaddr)
{
	const struct observation o = ack(ciaddr);

	return queue_add(&queue, &o, true);
}

static uint32_t take(void)
{
	const struct observation *o = queue_first(&queue);
	uint32_t xid = o ? o->dhcp.xid : 0;

	if (o)
		queue_take(&queue);
	return xid;
}

static int begin(void **state)
{
	(void)state;
	number = 0;
	return queue_init(&queue);
}

static int end(void **state)
{
	(void)state;
	queue_done(&queue);
	return 0;
}

static void what_waits_leaves_in_the_order_in_which_it_came(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		const uint32_t from = number;

		for (uint32_t i = 0; i < 1000; i++)
			assert_true(add(i % 3));
		for (uint32_t i = 1; i <= 1000; i++)
			assert_int_equal(take(), from + i);
		assert_null(queue_first(&queue));
	}
	assert_int_equal(queue.shed, 0);
}

static void full_the_oldest_renewals_go_first(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		assert_true(add(i % 2)); /* xid 1, 3 …: first ACKs; 2, 4 …: renewals */
	for (int i = 0; i < 10; i++)
		assert_true(add(0));
	assert_int_equal(queue.shed, 10);
	for (uint32_t xid = 1; xid <= 21; xid += 2)
		assert_int_equal(take(), xid);
	assert_int_equal(take(), 22);
}

static void a_first_ack_is_never_let_go(void **state)
{
	const struct observation renewal = ack(7);

	(void)state;
	number = 0;
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		assert_true(add(0));
	assert_false(add(0));
	/* A renewal that finds no older one goes itself. */
	assert_true(queue_add(&queue, &renewal, true));
	assert_int_equal(queue.shed, 1);
	for (uint32_t xid = 1; xid <= QUEUE_SLOTS; xid++)
		assert_int_equal(take(), xid);
	assert_null(queue_first(&queue));
}

static void renewals_that_left_by_themselves_are_not_let_go_again(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		assert_true(add(i < 5));
	for (uint32_t xid = 1; xid <= 5; xid++)
		assert_int_equal(take(), xid);
	for (int i = 0; i < 5; i++)
		assert_true(add(0));
	assert_false(add(0));
	assert_int_equal(queue.shed, 0);
}

static void an_offer_or_an_inform_is_no_renewal(void **state)
{
	struct observation inform = ack(7);

	(void)state;
	inform.dhcp.type = DHCP_INFORM;
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		assert_true(queue_add(&queue, &inform, true));
	assert_false(queue_add(&queue, &inform, true));
}

static void a_source_that_can_wait_loses_nothing(void **state)
{
	const struct observation renewal = ack(7);

	(void)state;
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		assert_true(queue_add(&queue, &renewal, false));
	assert_false(queue_add(&queue, &renewal, false));
	assert_int_equal(queue.shed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_waits_leaves_in_the_order_in_which_it_came, begin, end),
		cmocka_unit_test_setup_teardown(full_the_oldest_renewals_go_first, begin, end),
		cmocka_unit_test_setup_teardown(a_first_ack_is_never_let_go, begin, end),
		cmocka_unit_test_setup_teardown(
			renewals_that_left_by_themselves_are_not_let_go_again, begin, end),
		cmocka_unit_test_setup_teardown(an_offer_or_an_inform_is_no_renewal, begin, end),
		cmocka_unit_test_setup_teardown(a_source_that_can_wait_loses_nothing, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
