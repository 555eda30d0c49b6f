/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tap82/err.h"
#include "tap82/frame.h"

#include "shapes.h"

static struct build b;
static struct frame_decoder decoder;
static struct datagram d;

static int set_up(void **state)
{
	(void)state;
	return frame_decoder_init(&decoder, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	frame_decoder_done(&decoder);
	return 0;
}

static struct packet packet_of_build(int link_type)
{
	return (struct packet){.time = 5,
		.wire_len = (uint32_t)build_len(&b),
		.len = (uint32_t)build_len(&b),
		.link_type = link_type,
		.bytes = build_bytes(&b)};
}

static int decode_build(int link_type)
{
	const struct packet p = packet_of_build(link_type);

	return frame_decode(&decoder, &p, &d);
}

static void assert_is_the_datagram(unsigned damaged)
{
	assert_int_equal(d.src, SHAPE_SRC);
	assert_int_equal(d.dst, SHAPE_DST);
	assert_int_equal(d.sport, 67);
	assert_int_equal(d.dport, 67);
	assert_int_equal(d.damaged, damaged);
	assert_int_equal(buf_left(&d.payload), SHAPE_PAYLOAD);
	for (unsigned i = 0; i < SHAPE_PAYLOAD; i++)
		assert_int_equal(d.payload.p[i], (uint8_t)(i * 7));
}

static void assert_is_shape(const struct shape *s)
{
	assert_int_equal(d.vlan_count, s->vlan_count);
	assert_int_equal(d.encap_count, s->encap_count);
	assert_memory_equal(d.vlans, s->vlans, (size_t)s->vlan_count * sizeof(d.vlans[0]));
	assert_memory_equal(d.encaps, s->encaps, (size_t)s->encap_count);
	assert_is_the_datagram(0);
}

static void every_shape_gives_its_datagram_tags_and_encapsulations(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		const struct packet p = shape_packet(&b, &shapes[i]);

		if (frame_decode(&decoder, &p, &d) != 1)
			fail_msg("not decoded: %s", shapes[i].name);
		assert_is_shape(&shapes[i]);
		assert_int_equal(d.time, p.time);
	}
}

static void a_tunnel_counts_only_where_it_is_wanted(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		const struct packet p = shape_packet(&b, &shapes[i]);
		struct frame_want none = {.tunnels = FRAME_TUNNELS_ALL & ~shapes[i].tunnels};
		struct frame_want exact = {.tunnels = shapes[i].tunnels};

		assert_int_equal(frame_decode(&decoder, &p, &d), 1);
		assert_int_equal(frame_want_takes(&none, &d), shapes[i].tunnels == 0);
		assert_true(frame_want_takes(&exact, &d));
		decoder.want = none;
		assert_int_equal(frame_decode(&decoder, &p, &d), shapes[i].tunnels == 0);
		decoder.want = exact;
		assert_int_equal(frame_decode(&decoder, &p, &d), 1);
		decoder.want.tunnels = FRAME_TUNNELS_ALL;
	}
}

static void a_vlan_counts_anywhere_in_the_tags(void **state)
{
	struct frame_want want = {.tunnels = FRAME_TUNNELS_ALL};

	(void)state;
	frame_want_vlan(&want, 120);
	for (size_t i = 0; i < SHAPES; i++) {
		const struct packet p = shape_packet(&b, &shapes[i]);
		bool has = false;

		for (int v = 0; v < shapes[i].vlan_count; v++)
			has |= shapes[i].vlans[v] == 120;
		decoder.want = want;
		assert_int_equal(frame_decode(&decoder, &p, &d), has);
	}
}

static const struct {
	int link_type;
	uint8_t len, bytes[20];
} links[] = {
	{101, 0, {0}},
	{12, 0, {0}},
	{14, 0, {0}},
	{228, 0, {0}},
	{0, 4, {2, 0, 0, 0}},
	{0, 4, {0, 0, 0, 2}},
	{108, 4, {0, 0, 0, 2}},
	{9, 4, {0xff, 3, 0, 0x21}},
	{9, 2, {0, 0x21}},
	{9, 1, {0x21}},
	{50, 4, {0xff, 3, 0, 0x21}},
	{113, 16, {[1] = 4, [3] = 1, [5] = 6, [14] = 8}},
	{276, 20, {8}},
};

#define LINKS (sizeof(links) / sizeof(links[0]))

static void prefixes_are_read_by_link_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < LINKS; i++) {
		shape_begin(&b);
		memcpy(build_front(&b, links[i].len), links[i].bytes, links[i].len);
		assert_int_equal(decode_build(links[i].link_type), 1);
		assert_is_the_datagram(0);
		assert_int_equal(d.encap_count, 0);
	}
	assert_int_equal(decode_build(105), 0);
}

static void cooked_captures_have_tags_and_llc_too(void **state)
{
	static const uint8_t sll_llc[16] = {[15] = 4};
	static const uint8_t sll2_llc[20] = {[1] = 4};

	(void)state;
	shape_begin(&b);
	build_tag(&b, 0x8100, 120);
	put16(build_front(&b, 16) + 14, 0x8100);
	assert_int_equal(decode_build(113), 1);
	assert_int_equal(d.vlan_count, 1);
	assert_int_equal(d.vlans[0], 120);
	shape_begin(
		&b); /* a tag that libpcap has put back: the kernel's word for LLC is behind it */
	build_llc(&b);
	b.type = 4;
	build_tag(&b, 0x8100, 120);
	put16(build_front(&b, 16) + 14, 0x8100);
	assert_int_equal(decode_build(113), 1);
	assert_int_equal(d.vlans[0], 120);
	assert_is_the_datagram(0);
	shape_begin(&b);
	build_llc(&b);
	memcpy(build_front(&b, 16), sll_llc, 16);
	assert_int_equal(decode_build(113), 1);
	shape_begin(&b);
	build_llc(&b);
	memcpy(build_front(&b, 20), sll2_llc, 20);
	assert_int_equal(decode_build(276), 1);
	assert_int_equal(d.encaps[0], FRAME_LLC);
}

static void mpls_comes_in_ppp_too(void **state)
{
	(void)state;
	shape_begin(&b);
	build_mpls(&b, 17);
	put16(build_front(&b, 2), 0x0281);
	assert_int_equal(decode_build(9), 1);
	assert_int_equal(d.encaps[0], FRAME_MPLS);
	assert_is_the_datagram(0);
}

static void ports_of_dhcp_and_radius_count_on_either_side(void **state)
{
	static const uint16_t ours[] = {67, 68, 4011, 1645, 1646, 1812, 1813, 3799, 1700};
	static const uint16_t others[] = {53, 66, 69, 1647, 1814, 5004, 0, 65535};

	(void)state;
	for (size_t i = 0; i < 9; i++)
		for (int side = 0; side < 2; side++) {
			build_start(&b, "x", 1);
			build_udp(&b, 1, 2, side ? ours[i] : 40000, side ? 40000 : ours[i]);
			build_ipv4(&b, 1, 2, 17);
			assert_int_equal(decode_build(101), 1);
			assert_int_equal(side ? d.sport : d.dport, ours[i]);
		}
	for (size_t i = 0; i < 8; i++) {
		build_start(&b, "x", 1);
		build_udp(&b, 1, 2, others[i], 40000);
		build_ipv4(&b, 1, 2, 17);
		assert_int_equal(decode_build(101), 0);
	}
}

static void ip_options_are_gone_over(void **state)
{
	(void)state;
	for (size_t options = 0; options <= 40; options += 4) {
		shape_begin(&b);
		b.at += 20;
		build_ipv4_header(&b, SHAPE_SRC, SHAPE_DST, 17, 1, 0x4000, options);
		assert_int_equal(decode_build(101), 1);
		assert_is_the_datagram(0);
	}
}

static void wrong_checksums_are_noted_and_missing_ones_are_not(void **state)
{
	(void)state;
	shape_begin(&b);
	build_at(&b, 26)[0] ^= 1;
	assert_int_equal(decode_build(101), 1);
	assert_is_the_datagram(FRAME_UDP_CHECKSUM);
	put16(build_at(&b, 26), 0);
	assert_int_equal(decode_build(101), 1);
	assert_is_the_datagram(0);
	build_at(&b, 10)[0] ^= 1;
	assert_int_equal(decode_build(101), 1);
	assert_is_the_datagram(FRAME_IP_CHECKSUM);
	assert_int_equal(decoder.damaged, 2);
}

static void set_ip_length(unsigned len)
{
	put16(build_at(&b, 2), len);
	put16(build_at(&b, 10), 0);
	put16(build_at(&b, 10), build_checksum(build_at(&b, 0), 20, 0));
}

static void lying_udp_lengths_lose_nothing(void **state)
{
	static const uint16_t lies[] = {0, 7, 8, 100, SHAPE_PAYLOAD + 7, SHAPE_PAYLOAD + 9, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		shape_begin(&b);
		put16(build_at(&b, 24), lies[i]);
		assert_int_equal(decode_build(101), 1);
		assert_is_the_datagram(FRAME_UDP_LENGTH);
	}
}

static void lying_ip_lengths_lose_nothing(void **state)
{
	static const uint16_t lies[] = {0, 19, 100, SHAPE_PAYLOAD + 27, SHAPE_PAYLOAD + 29, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		shape_begin(&b);
		set_ip_length(lies[i]);
		assert_int_equal(decode_build(101), 1);
		assert_is_the_datagram(FRAME_IP_LENGTH);
		build_trailer(&b, "trailer", 7);
		if (lies[i] <= SHAPE_PAYLOAD + 35 && lies[i] > SHAPE_PAYLOAD + 28)
			continue; /* it could be so: the lie is the UDP length's */
		assert_int_equal(decode_build(101), 1);
		assert_is_the_datagram(FRAME_IP_LENGTH);
	}
}

static void bytes_behind_a_proven_udp_length_are_no_message(void **state)
{
	(void)state;
	shape_begin(&b);
	build_trailer(&b, "behind", 6);
	set_ip_length((unsigned)build_len(&b));
	assert_int_equal(decode_build(101), 1);
	assert_is_the_datagram(0);
}

static void snapped_packets_give_what_is_there(void **state)
{
	struct packet p;

	(void)state;
	shape_begin(&b);
	shape_tagged(&b);
	for (uint32_t cut = 46; cut < build_len(&b); cut++) {
		p = packet_of_build(1);
		p.len = cut;
		assert_int_equal(frame_decode(&decoder, &p, &d), 1);
		assert_int_equal(d.damaged, FRAME_SNAPPED);
		assert_int_equal(buf_left(&d.payload), cut - 46);
	}
	shape_begin(&b);
	shape_trailer(&b);
	p = packet_of_build(1);
	p.len -= 10; /* in the trailer: nothing is missing */
	assert_int_equal(frame_decode(&decoder, &p, &d), 1);
	assert_is_the_datagram(0);
}

static void what_is_not_ours_is_nothing(void **state)
{
	(void)state;
	shape_begin(&b);
	build_at(&b, 0)[0] = 0x65;
	assert_int_equal(decode_build(101), 0);
	shape_begin(&b);
	build_at(&b, 0)[0] = 0x44;
	assert_int_equal(decode_build(101), 0);
	shape_begin(&b);
	build_at(&b, 9)[0] = 6;
	assert_int_equal(decode_build(101), 0);
	shape_begin(&b);
	b.type = 0x86dd;
	build_ethernet(&b);
	assert_int_equal(decode_build(1), 0);
	assert_int_equal(decoder.damaged, 0);
}

static void more_tags_than_are_kept_are_gone_over(void **state)
{
	(void)state;
	shape_begin(&b);
	for (uint16_t i = 20; i > 0; i--)
		build_tag(&b, 0x8100, i);
	build_ethernet(&b);
	assert_int_equal(decode_build(1), 1);
	assert_int_equal(d.vlan_count, FRAME_VLANS_MAX);
	for (unsigned i = 0; i < FRAME_VLANS_MAX; i++)
		assert_int_equal(d.vlans[i], i + 1);
}

static void endless_nesting_ends(void **state)
{
	(void)state;
	shape_begin(&b);
	for (int i = 0; i < 30; i++)
		build_ipv4(&b, 1, 2, 4);
	assert_int_equal(decode_build(101), 0);
	shape_begin(&b);
	for (int i = 0; i < 300; i++)
		build_tag(&b, 0x8100, 1);
	build_ethernet(&b);
	assert_int_equal(decode_build(1), 0);
}

static void broken_tunnel_headers_are_nothing(void **state)
{
	static const struct {
		const char *name;
		size_t offset;
		uint8_t value;
	} breaks[] = {
		{"GRE", 14 + 4 + 20, 0x40}, /* routing */
		{"GRE", 14 + 4 + 21, 1}, /* version */
		{"VXLAN", 14 + 28, 0}, /* no I bit */
		{"TZSP", 14 + 28, 2}, /* version */
		{"TZSP", 14 + 29, 4}, /* keep-alive */
		{"PPPoE in a tag", 18 + 1, 9}, /* discovery code */
		{"PPPoE in a tag", 18 + 7, 0x57}, /* IPv6 */
		{"LLC and SNAP", 14 + 2, 0xe3}, /* not unnumbered information */
		{"LLC and SNAP", 14 + 4, 0x12}, /* another OUI */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
		for (size_t s = 0; s < SHAPES; s++) {
			if (strcmp(shapes[s].name, breaks[i].name) != 0)
				continue;
			(void)shape_packet(&b, &shapes[s]);
			build_at(&b, breaks[i].offset)[0] = breaks[i].value;
			assert_int_equal(decode_build(1), 0);
		}
}

/* The packet in memory of its exact size, so that a read behind it is seen. */
static void decode_exactly(const struct packet *whole, uint32_t len, int change_at, uint8_t change)
{
	uint8_t *bytes = malloc(len ? len : 1);
	struct packet p = *whole;
	unsigned sum = 0;

	assert_non_null(bytes);
	memcpy(bytes, whole->bytes, len);
	if (change_at >= 0)
		bytes[change_at] = change;
	p.len = len;
	p.bytes = bytes;
	if (frame_decode(&decoder, &p, &d) == 1) {
		assert_true(d.vlan_count <= FRAME_VLANS_MAX);
		assert_true(d.encap_count <= FRAME_ENCAPS_MAX);
		while (buf_left(&d.payload))
			sum += buf_u8(&d.payload);
	}
	assert_true(sum < 65536u * 256);
	free(bytes);
}

static void every_truncation_of_every_shape_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		const struct packet p = shape_packet(&b, &shapes[i]);

		for (uint32_t len = 0; len <= p.len; len++) {
			struct packet wired = p;

			decode_exactly(&wired, len, -1, 0);
			wired.wire_len = len; /* cut on the wire, not by the capture */
			decode_exactly(&wired, len, -1, 0);
		}
	}
}

static void every_corruption_of_every_header_byte_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		const struct packet p = shape_packet(&b, &shapes[i]);

		for (uint32_t at = 0; at < p.len - SHAPE_PAYLOAD + 2; at++)
			for (unsigned value = 0; value < 256; value++)
				decode_exactly(&p, p.len, (int)at, (uint8_t)value);
	}
}

static void nor_is_one_of_any_link_type_fatal(void **state)
{
	(void)state;
	for (size_t i = 0; i < LINKS; i++) {
		struct packet p;

		shape_begin(&b);
		memcpy(build_front(&b, links[i].len), links[i].bytes, links[i].len);
		p = packet_of_build(links[i].link_type);
		for (uint32_t len = 0; len <= p.len; len++)
			decode_exactly(&p, len, -1, 0);
		for (uint32_t at = 0; at < p.len - SHAPE_PAYLOAD; at++)
			for (unsigned value = 0; value < 256; value++)
				decode_exactly(&p, p.len, (int)at, (uint8_t)value);
	}
}

static void names_are_the_contracts_words(void **state)
{
	unsigned bit;

	(void)state;
	assert_string_equal(frame_encap_name(FRAME_MPLS), "mpls");
	assert_string_equal(frame_encap_name(FRAME_IPIP), "ipip");
	assert_null(frame_encap_name(0));
	assert_null(frame_encap_name(99));
	assert_string_equal(frame_damage_name(FRAME_SNAPPED), "snapped");
	assert_string_equal(frame_damage_name(FRAME_FRAGMENTS), "fragments");
	assert_null(frame_damage_name(64));
	assert_int_equal(frame_tunnel_parse("erspan", &bit), 0);
	assert_int_equal(bit, FRAME_BIT(FRAME_ERSPAN));
	assert_int_equal(frame_tunnel_parse("mpls", &bit), ERR_NOT_FOUND);
	assert_int_equal(frame_tunnel_parse("", &bit), ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_shape_gives_its_datagram_tags_and_encapsulations),
		TEST(a_tunnel_counts_only_where_it_is_wanted),
		TEST(a_vlan_counts_anywhere_in_the_tags),
		TEST(prefixes_are_read_by_link_type),
		TEST(cooked_captures_have_tags_and_llc_too),
		TEST(mpls_comes_in_ppp_too),
		TEST(ports_of_dhcp_and_radius_count_on_either_side),
		TEST(ip_options_are_gone_over),
		TEST(wrong_checksums_are_noted_and_missing_ones_are_not),
		TEST(lying_udp_lengths_lose_nothing),
		TEST(lying_ip_lengths_lose_nothing),
		TEST(bytes_behind_a_proven_udp_length_are_no_message),
		TEST(snapped_packets_give_what_is_there),
		TEST(what_is_not_ours_is_nothing),
		TEST(more_tags_than_are_kept_are_gone_over),
		TEST(endless_nesting_ends),
		TEST(broken_tunnel_headers_are_nothing),
		TEST(every_truncation_of_every_shape_is_survived),
		TEST(every_corruption_of_every_header_byte_is_survived),
		TEST(nor_is_one_of_any_link_type_fatal),
		TEST(names_are_the_contracts_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
