/* SPDX-License-Identifier: ISC
 *
 * The generated filter runs where it will run: in the kernel, on a socket, one packet a message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap82/err.h"
#include "tap82/filter.h"

#include "shapes.h"

#define LINK_ETHERNET 1

static struct build b;
static struct filter_insn program[FILTER_MAX];
static int pair[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
}

static int tear_down(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void attach(int link_type, const struct frame_want *want)
{
	int count = filter_build(link_type, want, program);
	struct sock_fprog prog = {.len = (unsigned short)count, .filter = (void *)program};

	assert_true(count > 0 && count <= FILTER_MAX);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)), 0);
}

static bool passes(const void *bytes, size_t len)
{
	char got[2048];

	assert_true(send(pair[0], bytes, len, 0) == (ssize_t)len);
	return recv(pair[1], got, sizeof(got), 0) == (ssize_t)len;
}

static bool build_passes(void)
{
	return passes(build_bytes(&b), build_len(&b));
}

static void every_shape_passes_where_its_tunnels_are_wanted(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		const struct packet p = shape_packet(&b, &shapes[i]);
		struct frame_want exact = {.tunnels = shapes[i].tunnels};
		struct frame_want others = {.tunnels = FRAME_TUNNELS_ALL & ~shapes[i].tunnels};

		attach(LINK_ETHERNET, &exact);
		if (!passes(p.bytes, p.len))
			fail_msg("dropped: %s", shapes[i].name);
		attach(LINK_ETHERNET, &others);
		if (passes(p.bytes, p.len) != (shapes[i].tunnels == 0))
			fail_msg("wrong without its tunnel: %s", shapes[i].name);
	}
}

/* The rest passes unseen: what is too deep or too rare to be looked into by the kernel. */
static bool is_looked_into(const struct shape *shape)
{
	static const char *const unseen[] = {
		"TZSP", "VXLAN in GRE", "PPPoE in SNAP in a pseudowire"};

	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (strcmp(shape->name, unseen[i]) == 0)
			return false;
	return true;
}

static void every_shape_passes_by_vlan_as_the_decoder_takes_it(void **state)
{
	struct frame_want want = {.tunnels = FRAME_TUNNELS_ALL};
	struct frame_decoder decoder;
	struct datagram d;

	(void)state;
	frame_want_vlan(&want, 120);
	frame_want_vlan(&want, 3);
	assert_int_equal(frame_decoder_init(&decoder, &want), 0);
	attach(LINK_ETHERNET, &want);
	for (size_t i = 0; i < SHAPES; i++) {
		const struct packet p = shape_packet(&b, &shapes[i]);

		bool taken = frame_decode(&decoder, &p, &d) == 1;
		bool passed = passes(p.bytes, p.len);

		if (taken ? !passed : passed && is_looked_into(&shapes[i]))
			fail_msg("by VLAN: %s", shapes[i].name);
	}
	frame_decoder_done(&decoder);
}

/* A packet whose headers are changed in one byte: what the decoder takes the filter must not drop.
 */
static void whatever_the_decoder_takes_passes(void **state)
{
	const struct frame_want want = {.tunnels = FRAME_TUNNELS_ALL};
	struct frame_decoder decoder;
	struct datagram d;

	(void)state;
	assert_int_equal(frame_decoder_init(&decoder, &want), 0);
	attach(LINK_ETHERNET, &want);
	for (size_t i = 0; i < SHAPES; i++) {
		const struct packet p = shape_packet(&b, &shapes[i]);

		for (uint32_t at = 0; at < p.len - SHAPE_PAYLOAD; at++)
			for (unsigned v = 0; v < 10; v++) {
				uint8_t change = v < 8 ? (uint8_t)(1 << v) : v == 8 ? 0xff : 0x55;

				build_at(&b, at)[0] ^= change;
				if (frame_decode(&decoder, &p, &d) == 1 && !passes(p.bytes, p.len))
					fail_msg("dropped: %s, byte %u ^ %#x", shapes[i].name, at,
						change);
				build_at(&b, at)[0] ^= change;
			}
	}
	frame_decoder_done(&decoder);
}

/* RTP in every shape: the payload that is not ours must not cross into the process. */
static void unrelated_traffic_is_dropped_in_every_shape(void **state)
{
	const struct frame_want want = {.tunnels = FRAME_TUNNELS_ALL};
	uint8_t rtp[1000] = {0x80, 96};

	(void)state;
	attach(LINK_ETHERNET, &want);
	for (size_t i = 0; i < SHAPES; i++) {
		build_start(&b, rtp, sizeof(rtp));
		build_udp(&b, SHAPE_SRC, SHAPE_DST, 50004, 5004);
		build_ipv4(&b, SHAPE_SRC, SHAPE_DST, 17);
		shapes[i].wrap(&b);
		if (is_looked_into(&shapes[i]) && build_passes())
			fail_msg("RTP passed: %s", shapes[i].name);
	}
}

static void other_protocols_are_dropped(void **state)
{
	const struct frame_want want = {0};

	(void)state;
	attach(LINK_ETHERNET, &want);
	shape_begin(&b);
	build_at(&b, 9)[0] = 6;
	build_ethernet(&b);
	assert_false(build_passes());
	shape_begin(&b);
	b.type = 0x86dd;
	build_ethernet(&b);
	assert_false(build_passes());
	b.type = 0x0806;
	build_ethernet(&b);
	assert_false(build_passes());
}

static void all_fragments_of_what_may_be_wanted_pass(void **state)
{
	static const struct {
		uint16_t sport, where;
		bool passes;
	} cases[] = {
		{67, 0x2000, true}, /* the first, ports are there */
		{5004, 0x2000, false},
		{5004, 0x2010, true}, /* a later one has none */
		{5004, 0x0010, true},
	};
	const struct frame_want want = {0};

	(void)state;
	attach(LINK_ETHERNET, &want);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		build_start(&b, "payload.", 8);
		build_udp(&b, 1, 2, cases[i].sport, 5004);
		build_ipv4_header(&b, 1, 2, 17, 9, cases[i].where, 0);
		build_tag(&b, 0x8100, 1);
		build_ethernet(&b);
		assert_int_equal(build_passes(), cases[i].passes);
	}
}

static void fragments_of_wanted_tunnels_pass(void **state)
{
	const struct frame_want want = {.tunnels = FRAME_TUNNELS_ALL};
	static const uint8_t protocols[] = {4, 47, 17};

	(void)state;
	attach(LINK_ETHERNET, &want);
	for (size_t i = 0; i < sizeof(protocols); i++)
		for (unsigned where = 0x2000; where < 0x2004; where += 2) {
			build_start(&b, "8 bytes.", 8);
			if (protocols[i] == 17)
				build_udp(&b, 1, 2, 40000, 4789);
			build_ipv4_header(&b, 1, 2, protocols[i], 9, (uint16_t)where, 0);
			build_ethernet(&b);
			assert_true(build_passes());
		}
}

static void ip_options_and_all_ports_are_seen(void **state)
{
	static const uint16_t ours[] = {67, 68, 4011, 1645, 1646, 1812, 1813, 3799, 1700};
	const struct frame_want want = {0};

	(void)state;
	attach(LINK_ETHERNET, &want);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		for (int side = 0; side < 2; side++) {
			build_start(&b, "x", 1);
			build_udp(&b, 1, 2, side ? ours[i] : 40000, side ? 40000 : ours[i]);
			build_ipv4_header(&b, 1, 2, 17, 0, 0, 4 * i);
			build_ethernet(&b);
			assert_true(build_passes());
		}
}

static void more_tags_than_are_looked_at_pass(void **state)
{
	const struct frame_want want = {0};

	(void)state;
	attach(LINK_ETHERNET, &want);
	shape_begin(&b);
	for (int i = 0; i < 12; i++)
		build_tag(&b, 0x8100, 1);
	build_ethernet(&b);
	assert_true(build_passes());
}

static void other_link_types_have_their_filter(void **state)
{
	static const struct {
		int link_type;
		size_t len;
		uint8_t bytes[4];
	} links[] = {{101, 0, {0}}, {12, 0, {0}}, {228, 0, {0}}, {0, 4, {2}},
		{108, 4, {0, 0, 0, 2}}, {9, 4, {0xff, 3, 0, 0x21}}, {9, 2, {0, 0x21}},
		{50, 1, {0x21}}};
	const struct frame_want want = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		attach(links[i].link_type, &want);
		shape_begin(&b);
		memcpy(build_front(&b, links[i].len), links[i].bytes, links[i].len);
		assert_true(build_passes());
		put16(build_at(&b, links[i].len + 20), 5004);
		put16(build_at(&b, links[i].len + 22), 5004);
		assert_false(build_passes());
	}
	assert_int_equal(filter_build(105, &want, program), ERR_NOT_FOUND);
}

/* The kernel gives cooked filters no link header, so only the bytes after it are tried here. */
static void cooked_filters_read_behind_their_header(void **state)
{
	const struct frame_want want = {0};
	uint8_t sll[16] = {[14] = 8}, sll2[20] = {[0] = 8};

	(void)state;
	shape_begin(&b);
	memcpy(build_front(&b, 16), sll, sizeof(sll));
	attach(113, &want);
	assert_true(build_passes());
	shape_begin(&b);
	memcpy(build_front(&b, 20), sll2, sizeof(sll2));
	attach(276, &want);
	assert_true(build_passes());
}

static void many_vlans_are_left_to_the_decoder(void **state)
{
	struct frame_want want = {.tunnels = FRAME_TUNNELS_ALL};
	const struct packet p = shape_packet(&b, &shapes[1]);

	(void)state;
	for (uint16_t vlan = 1000; vlan < 1048; vlan++)
		frame_want_vlan(&want, vlan);
	attach(LINK_ETHERNET, &want);
	assert_false(passes(p.bytes, p.len));
	for (uint16_t vlan = 2000; vlan < 3000; vlan++)
		frame_want_vlan(&want, vlan);
	attach(LINK_ETHERNET, &want);
	assert_true(passes(p.bytes, p.len));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_shape_passes_where_its_tunnels_are_wanted),
		TEST(every_shape_passes_by_vlan_as_the_decoder_takes_it),
		TEST(whatever_the_decoder_takes_passes),
		TEST(unrelated_traffic_is_dropped_in_every_shape),
		TEST(other_protocols_are_dropped),
		TEST(all_fragments_of_what_may_be_wanted_pass),
		TEST(fragments_of_wanted_tunnels_pass),
		TEST(ip_options_and_all_ports_are_seen),
		TEST(more_tags_than_are_looked_at_pass),
		TEST(other_link_types_have_their_filter),
		TEST(cooked_filters_read_behind_their_header),
		TEST(many_vlans_are_left_to_the_decoder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
