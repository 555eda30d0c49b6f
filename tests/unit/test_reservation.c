/* SPDX-License-Identifier: ISC
 *
 * One camera's part on one server, against a dhcpd whose answers get lost: whatever is wished for
 * and however often the outcome is unknown, what dhcpd may have is claimed, and the order that is
 * sent names it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tap82/clock.h"
#include "tap82/reservation.h"

enum { STEPS = 400, ADDRESSES = 4 };

static struct scene {
	struct reservations s;
	struct reservation *r;
	struct order order; /* on its way */
	bool sent;
	uint32_t host; /* what dhcpd has, 0: none */
	uint64_t random, seed;
	int64_t now;
} scene, *const c = &scene;

static uint32_t draw(uint32_t n)
{
	c->random = c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(c->random >> 33) % n;
}

/* Our ensure changes a host from old_ip, our release removes the address that it names; another
 * address in the host would stay there. */
static void give(void *ctx, const struct order *o)
{
	(void)ctx;
	assert_false(c->sent);
	c->order = *o;
	c->sent = true;
	if (c->host && c->host != o->ip && (o->kind == ORDER_RELEASE || c->host != o->old_ip))
		fail_msg("seed %llu: the host has %u, and is not told: kind %d, ip %u, old %u",
			(unsigned long long)c->seed, c->host, o->kind, o->ip, o->old_ip);
}

static void begin(uint64_t seed)
{
	static const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	static const uint8_t servers[] = {0};

	memset(c, 0, sizeof(*c));
	c->random = c->seed = seed;
	reservations_init(&c->s, give, NULL, NULL);
	c->r = reservations_add(&c->s, &mac, servers, 1, 0);
	assert_non_null(c->r);
}

static void carry_out(void)
{
	c->host = c->order.kind == ORDER_RELEASE ? 0 : c->order.ip;
}

static void answer(enum answer_kind kind)
{
	struct answer a = {.ticket = c->order.ticket, .kind = kind, .reason = "x"};

	a.changed = kind == ANSWER_REFUSED && draw(2);
	if (kind == ANSWER_DONE || ((kind == ANSWER_NOT_NOW || a.changed) && draw(2)))
		carry_out();
	c->sent = false;
	assert_ptr_equal(reservations_answer(&c->s, &a, c->now), c->r);
}

static bool is_claimed(uint32_t ip)
{
	const struct reservation_part *p = c->r->parts;

	return p->have == ip || p->maybe == ip || (p->state == RESERVATION_SENT && p->sent == ip);
}

static void check(void)
{
	if (c->host && !is_claimed(c->host))
		fail_msg("seed %llu: the host has %u, which nobody claims: have %u, maybe %u",
			(unsigned long long)c->seed, c->host, c->r->parts[0].have,
			c->r->parts[0].maybe);
}

static void happen(void)
{
	if (draw(3) == 0)
		reservations_want(&c->s, c->r, c->r->parts, draw(ADDRESSES));
	else if (c->sent)
		answer((enum answer_kind)draw(3));
	c->now += 60 * USEC_PER_SEC;
	reservations_pump(&c->s, c->now);
	check();
}

/* In the end the last wish is what there is. */
static void settle(void)
{
	reservations_want(&c->s, c->r, c->r->parts, draw(ADDRESSES));
	for (int i = 0; i < 5; i++) {
		c->now += 60 * USEC_PER_SEC;
		reservations_pump(&c->s, c->now);
		check();
		if (c->sent)
			answer(ANSWER_DONE);
	}
	assert_int_equal(c->r->parts[0].state, RESERVATION_CONFIRMED);
	assert_int_equal(c->host, c->r->parts[0].want);
}

static void what_may_be_there_is_claimed_and_named(void **state)
{
	unsigned seeds = getenv("TAP82_SOAK") ? 100000 : 1000;

	(void)state;
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		begin(seed);
		for (int i = 0; i < STEPS; i++)
			happen();
		settle();
		reservations_done(&c->s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_there_is_claimed_and_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
