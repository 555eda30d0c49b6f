/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tap82/frame.h"
#include "tap82/reassembly.h"

#include "build_packet.h"

#define PAYLOAD 900

static struct build b;
static struct frame_decoder decoder;
static struct datagram d;
static uint8_t whole[8 + PAYLOAD]; /* a UDP datagram */

static int set_up(void **state)
{
	uint8_t payload[PAYLOAD];

	(void)state;
	for (unsigned i = 0; i < PAYLOAD; i++)
		payload[i] = (uint8_t)(i ^ i >> 8);
	build_start(&b, payload, PAYLOAD);
	build_udp(&b, 1, 2, 67, 67);
	memcpy(whole, build_bytes(&b), sizeof(whole));
	return frame_decoder_init(&decoder, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	frame_decoder_done(&decoder);
	return 0;
}

/* Gives the decoder the fragment from..to of `whole`, of datagram `id`, at `time`. */
static int give_at(unsigned from, unsigned to, uint16_t id, int64_t time)
{
	struct packet p = {.time = time, .link_type = 101};

	build_start(&b, whole + from, to - from);
	build_ipv4_header(
		&b, 1, 2, 17, id, (uint16_t)(from / 8 | (to < sizeof(whole) ? 0x2000 : 0)), 0);
	p.bytes = build_bytes(&b);
	p.len = p.wire_len = (uint32_t)build_len(&b);
	return frame_decode(&decoder, &p, &d);
}

static int give(unsigned from, unsigned to)
{
	return give_at(from, to, 7, 1);
}

static void assert_whole(unsigned damaged)
{
	assert_int_equal(d.src, 1);
	assert_int_equal(d.sport, 67);
	assert_int_equal(d.damaged, damaged);
	assert_int_equal(buf_left(&d.payload), PAYLOAD);
	assert_memory_equal(d.payload.p, whole + 8, PAYLOAD);
}

static void fragments_join_in_every_order(void **state)
{
	static const unsigned cuts[] = {0, 200, 408, 600, sizeof(whole)};
	static const int orders[][4] = {
		{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}, {3, 0, 1, 2}, {1, 2, 3, 0}};

	(void)state;
	for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++)
		for (int i = 0; i < 4; i++) {
			int part = orders[o][i];

			assert_int_equal(give(cuts[part], cuts[part + 1]), i == 3);
			if (i == 3)
				assert_whole(0);
		}
	assert_int_equal(decoder.fragments, 24);
	assert_int_equal(decoder.reassembled, 6);
	assert_int_equal(decoder.damaged, 0);
}

static void a_repeated_fragment_is_no_damage(void **state)
{
	(void)state;
	assert_int_equal(give(0, 400), 0);
	assert_int_equal(give(0, 400), 0);
	assert_int_equal(give(400, sizeof(whole)), 1);
	assert_whole(0);
}

static void what_came_first_wins_where_fragments_overlap(void **state)
{
	(void)state;
	assert_int_equal(give(0, 400), 0);
	whole[300] ^= 0xff;
	assert_int_equal(give(200, 600), 0);
	whole[300] ^= 0xff;
	assert_int_equal(give(600, sizeof(whole)), 1);
	assert_whole(FRAME_FRAGMENTS);
	assert_int_equal(decoder.damaged, 1);
}

static void another_content_for_the_same_place_is_damage(void **state)
{
	(void)state;
	assert_int_equal(give(0, 400), 0);
	whole[20] ^= 0xff;
	assert_int_equal(give(0, 400), 0);
	whole[20] ^= 0xff;
	assert_int_equal(give(400, sizeof(whole)), 1);
	assert_whole(FRAME_FRAGMENTS);
}

static void a_piece_inside_others_is_not_counted_twice(void **state)
{
	(void)state;
	assert_int_equal(give(0, 400), 0);
	assert_int_equal(give(8, 400), 0);
	assert_int_equal(give(16, 408), 0);
	assert_int_equal(give(600, sizeof(whole)), 0); /* there is as much, but not everywhere */
	assert_int_equal(give(400, 600), 1);
	assert_whole(FRAME_FRAGMENTS);
}

static void two_ends_contradict_each_other(void **state)
{
	uint8_t tail[8] = {0};
	struct packet p = {.time = 1, .link_type = 101};

	(void)state;
	assert_int_equal(give(400, sizeof(whole)), 0);
	build_start(&b, tail, sizeof(tail));
	build_ipv4_header(&b, 1, 2, 17, 7, 200, 0); /* an end beyond the end */
	p.bytes = build_bytes(&b);
	p.len = p.wire_len = (uint32_t)build_len(&b);
	assert_int_equal(frame_decode(&decoder, &p, &d), 0);
	assert_int_equal(give(0, 400), 1);
	assert_whole(FRAME_FRAGMENTS);
}

static void datagrams_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(give_at(0, 400, 1, 1), 0);
	assert_int_equal(give_at(400, sizeof(whole), 2, 1), 0);
	assert_int_equal(give_at(400, sizeof(whole), 1, 1), 1);
	assert_whole(0);
	assert_int_equal(give_at(0, 400, 2, 1), 1);
	assert_whole(0);
}

static void tags_tell_datagrams_apart(void **state)
{
	struct packet p = {.time = 1, .link_type = 1};

	(void)state;
	for (unsigned vlan = 5; vlan < 7; vlan++)
		for (unsigned part = 0; part < 2; part++) {
			/* first of 5, then last of 6, last of 5: only the same tag completes */
			unsigned tag = part == 0 ? vlan : 11 - vlan;

			build_start(&b, whole + 400 * part, part ? sizeof(whole) - 400 : 400);
			build_ipv4_header(&b, 1, 2, 17, 7, part ? 50 : 0x2000, 0);
			build_tag(&b, 0x8100, (uint16_t)tag);
			build_ethernet(&b);
			p.bytes = build_bytes(&b);
			p.len = p.wire_len = (uint32_t)build_len(&b);
			assert_int_equal(frame_decode(&decoder, &p, &d), vlan == 6);
			if (vlan == 6)
				assert_int_equal(d.vlans[0], tag);
		}
}

static void the_beginning_is_given_when_the_rest_never_comes(void **state)
{
	(void)state;
	assert_int_equal(give_at(0, 200, 1, 10), 0);
	assert_int_equal(give_at(200, 400, 1, 20), 0);
	assert_int_equal(give_at(600, sizeof(whole), 1, 30), 0);
	assert_int_equal(give_at(400, 600, 2, 40), 0); /* without a beginning: nothing to give */
	assert_int_equal(frame_flush(&decoder, 10, &d), 0);
	assert_int_equal(frame_flush(&decoder, 41, &d), 1);
	assert_int_equal(d.damaged, FRAME_FRAGMENTS);
	assert_int_equal(d.time, 30);
	assert_int_equal(buf_left(&d.payload), 392);
	assert_memory_equal(d.payload.p, whole + 8, 392);
	assert_int_equal(frame_flush(&decoder, INT64_MAX, &d), 0);
}

static void fragments_are_forgotten_after_their_time(void **state)
{
	(void)state;
	assert_int_equal(give_at(0, 400, 1, 1), 0);
	assert_int_equal(give_at(400, sizeof(whole), 1, 2 + FRAME_FRAGMENT_TIME), 0);
	assert_int_equal(give_at(0, 400, 1, 3 + FRAME_FRAGMENT_TIME), 1);
	assert_whole(0);
}

static void a_flood_of_fragments_stays_bounded(void **state)
{
	uint8_t big[1480] = {0};
	struct packet p = {.link_type = 101};

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		build_start(&b, big, sizeof(big));
		build_ipv4_header(&b, i, 2, 17, (uint16_t)(i * 31), 0x2000 | (i % 7 * 185), 0);
		p.time = i;
		p.bytes = build_bytes(&b);
		p.len = p.wire_len = (uint32_t)build_len(&b);
		assert_int_equal(frame_decode(&decoder, &p, &d), 0);
	}
	for (unsigned i = 0; i < 9000; i++) { /* one datagram, thousands of pieces */
		build_start(&b, big, 8);
		build_ipv4_header(&b, 3, 4, 17, 1, (uint16_t)(0x2000 | (i % 8000)), 0);
		p.bytes = build_bytes(&b);
		p.len = p.wire_len = (uint32_t)build_len(&b);
		assert_int_equal(frame_decode(&decoder, &p, &d), 0);
	}
	assert_int_equal(give_at(0, 400, 1, 100001), 0);
	assert_int_equal(give_at(400, sizeof(whole), 1, 100001), 1);
	assert_whole(0);
}

static void memory_of_all_flows_is_bounded(void **state)
{
	struct reassembly *r = reassembly_new();
	static uint8_t big[60000];
	struct datagram place = {.src = 1};
	struct buf payload;
	int given = 0;

	(void)state;
	assert_non_null(r);
	for (unsigned i = 0; i < 400; i++) {
		const struct fragment f = {.id = (uint16_t)i,
			.protocol = 17,
			.claimed = sizeof(big),
			.more = true,
			.payload = buf_of(big, sizeof(big)),
			.place = &place};
		uint8_t damaged;

		place.time = i;
		assert_int_equal(reassembly_add(r, &f, &payload, &damaged), 0);
	}
	while (reassembly_flush(r, INT64_MAX, &place, &(uint8_t){0}, &payload)) {
		assert_int_equal(buf_left(&payload), sizeof(big));
		given++;
	}
	assert_int_equal(given, REASSEMBLY_BYTES_MAX / sizeof(big));
	reassembly_free(r);
}

static void nonsense_lengths_are_refused(void **state)
{
	struct packet p = {.link_type = 101};
	uint8_t big[1480] = {0};

	(void)state;
	build_start(&b, big, sizeof(big));
	build_ipv4_header(&b, 1, 2, 17, 7, 0x1fff, 0); /* ends behind 65535 */
	p.bytes = build_bytes(&b);
	p.len = p.wire_len = (uint32_t)build_len(&b);
	assert_int_equal(frame_decode(&decoder, &p, &d), 0);
	assert_int_equal(frame_flush(&decoder, INT64_MAX, &d), 0);
	assert_int_equal(give(0, 401), 0); /* not a multiple of 8 with more to come */
	assert_int_equal(give(400, sizeof(whole)), 1);
	assert_whole(FRAME_FRAGMENTS);
}

static void fragmented_tunnels_are_joined_and_then_walked(void **state)
{
	struct packet p = {.time = 1, .link_type = 101};
	uint8_t tunnel[2000];
	size_t len;

	(void)state;
	build_start(&b, whole, sizeof(whole));
	build_ipv4(&b, 1, 2, 17);
	build_tag(&b, 0x8100, 120);
	build_ethernet(&b);
	build_gre(&b, 0);
	len = build_len(&b);
	memcpy(tunnel, build_bytes(&b), len);
	for (unsigned part = 0; part < 2; part++) {
		build_start(&b, tunnel + 480 * part, part ? len - 480 : 480);
		build_ipv4_header(&b, 3, 4, 47, 7, part ? 60 : 0x2000, 0);
		p.bytes = build_bytes(&b);
		p.len = p.wire_len = (uint32_t)build_len(&b);
		assert_int_equal(frame_decode(&decoder, &p, &d), part);
	}
	assert_whole(0);
	assert_int_equal(d.vlans[0], 120);
	assert_int_equal(d.encaps[0], FRAME_GRE);
}

/* Every byte of the payload, so that a sanitizer sees a read beyond what is there. */
static void read_payload(void)
{
	unsigned sum = 0;

	assert_true(buf_left(&d.payload) <= 65535);
	while (buf_left(&d.payload))
		sum += buf_u8(&d.payload);
	assert_true(sum <= 65535 * 255);
}

/* The fragment `part` of two, changed or cut, from memory of its exact size; then the other one,
 * and what waits is given up. Whatever comes of it is read to its end. */
static void give_hurt(const uint8_t *packet, uint32_t len, unsigned part)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct packet p = {
		.time = 1, .wire_len = len, .len = len, .link_type = 101, .bytes = exact};

	assert_non_null(exact);
	memcpy(exact, packet, len);
	if (frame_decode(&decoder, &p, &d) == 1)
		read_payload();
	free(exact);
	if ((part ? give(0, 400) : give(400, sizeof(whole))) == 1)
		read_payload();
	while (frame_flush(&decoder, INT64_MAX, &d))
		read_payload();
}

static void no_truncation_and_no_corrupt_byte_of_a_fragment_does_harm(void **state)
{
	uint8_t good[2][1500];
	uint32_t len[2];

	(void)state;
	decoder.keep_packets = true;
	for (unsigned part = 0; part < 2; part++) {
		build_start(&b, whole + 400 * part, part ? sizeof(whole) - 400 : 400);
		build_ipv4_header(&b, 1, 2, 17, 7, part ? 50 : 0x2000, 4);
		len[part] = (uint32_t)build_len(&b);
		memcpy(good[part], build_bytes(&b), len[part]);
		for (uint32_t n = 0; n <= len[part]; n++)
			give_hurt(good[part], n, part);
		for (uint32_t at = 0; at < 34; at++)
			for (unsigned v = 1; v < 256; v++) {
				good[part][at] ^= (uint8_t)v;
				give_hurt(good[part], len[part], part);
				good[part][at] ^= (uint8_t)v;
			}
	}
	assert_int_equal(give(0, 400), 0);
	assert_int_equal(give(400, sizeof(whole)), 1);
	assert_whole(0);
}

/* The lengths of the packets that the last datagram came in. */
static unsigned kept_lengths(unsigned lengths[8])
{
	unsigned n = 0;

	for (const struct packet_copy *p = decoder.packets; p; p = p->next) {
		assert_true(n < 8);
		assert_ptr_equal(p->packet.bytes, p->bytes);
		lengths[n++] = p->packet.len;
	}
	return n;
}

static void the_packets_of_a_datagram_are_kept_where_that_is_asked_for(void **state)
{
	unsigned lengths[8];

	(void)state;
	assert_int_equal(give(0, 400), 0);
	assert_int_equal(give(400, sizeof(whole)), 1);
	assert_null(decoder.packets);
	decoder.keep_packets = true;
	assert_int_equal(give(600, sizeof(whole)), 0);
	assert_int_equal(give(0, 200), 0);
	assert_int_equal(give(0, 200), 0); /* again: it was on the wire, too */
	assert_null(decoder.packets);
	assert_int_equal(give(200, 600), 1);
	assert_int_equal(kept_lengths(lengths), 4);
	assert_int_equal(lengths[0], sizeof(whole) - 600 + 20);
	assert_int_equal(lengths[1], 220);
	assert_int_equal(lengths[3], 420);
	assert_int_equal(give(0, 400), 0);
	assert_null(decoder.packets);
	assert_int_equal(frame_flush(&decoder, INT64_MAX, &d), 1);
	assert_int_equal(kept_lengths(lengths), 1);
	assert_int_equal(lengths[0], 420);
}

/* Repeated without end, or with trailers of any size: what is kept stays bounded, and the datagram
 * is given all the same. */
static void kept_packets_are_bounded(void **state)
{
	static uint8_t trailer[200000];
	struct packet p = {.time = 1, .link_type = 101};
	unsigned count = 0;

	(void)state;
	decoder.keep_packets = true;
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(give(0, 400), 0);
	assert_int_equal(give(400, sizeof(whole)), 1);
	for (const struct packet_copy *c = decoder.packets; c; c = c->next)
		count++;
	assert_int_equal(count, 256);
	for (uint16_t id = 100; id < 400; id++) { /* 60 MB */
		build_start(&b, whole, 400);
		build_ipv4_header(&b, 1, 2, 17, id, 0x2000, 0);
		memcpy(trailer, build_bytes(&b), build_len(&b));
		p.bytes = trailer;
		p.len = p.wire_len = sizeof(trailer);
		assert_int_equal(frame_decode(&decoder, &p, &d), 0);
	}
	for (count = 0; frame_flush(&decoder, INT64_MAX, &d); count++)
		continue;
	assert_in_range(count, 1, REASSEMBLY_PACKETS_MAX / sizeof(trailer));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fragments_join_in_every_order),
		TEST(a_repeated_fragment_is_no_damage),
		TEST(what_came_first_wins_where_fragments_overlap),
		TEST(another_content_for_the_same_place_is_damage),
		TEST(a_piece_inside_others_is_not_counted_twice),
		TEST(two_ends_contradict_each_other),
		TEST(datagrams_are_told_apart),
		TEST(tags_tell_datagrams_apart),
		TEST(the_beginning_is_given_when_the_rest_never_comes),
		TEST(fragments_are_forgotten_after_their_time),
		TEST(a_flood_of_fragments_stays_bounded),
		TEST(memory_of_all_flows_is_bounded),
		TEST(nonsense_lengths_are_refused),
		TEST(fragmented_tunnels_are_joined_and_then_walked),
		TEST(the_packets_of_a_datagram_are_kept_where_that_is_asked_for),
		TEST(kept_packets_are_bounded),
		TEST(no_truncation_and_no_corrupt_byte_of_a_fragment_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
