/* SPDX-License-Identifier: ISC
 *
 * gen_shapes FILE.pcap [SEEDS]: an ACK in every shape of tests/shapes.h, camera i (MAC
 * 02:82:00:00:01:00 + i) in shape i; then one ACK in three fragments, camera ff, in a tag. With a
 * folder SEEDS also each as a seed of fuzz_frame.
 *
 * gen_shapes -c FILE.pcap: one ACK with the transaction id that kills a sniffer of a test build.
 *
 * gen_shapes -n FILE.pcap: what is not ours in the same shapes: RTP of 1000 bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tap82/capture_file.h"
#include "tap82/clock.h"

#include "../shapes.h"

#define ACK_BYTES 300
#define START	  (INT64_C(1767225600) * USEC_PER_SEC)

static struct build b;
static struct capture_writer *out;
static const char *seeds;
static unsigned written;

static void make_ack(uint8_t ack[ACK_BYTES], uint8_t camera)
{
	static const uint8_t options[] = {99, 130, 83, 99, 53, 1, 5, 54, 4, 10, 0, 0, 2, 51, 4, 0,
		0, 14, 16, 82, 12, 1, 4, 'p', 'o', 'r', 't', 2, 4, 's', 'w', '0', '1', 255};

	memset(ack, 0, ACK_BYTES);
	memcpy(ack, "\x02\x01\x06\x01\0\0\0", 7);
	ack[7] = camera;
	put32(ack + 16, 0x0a140000u + camera);
	put32(ack + 24, SHAPE_DST);
	memcpy(ack + 28, "\x02\x82\0\0\x01", 5);
	ack[33] = camera;
	memcpy(ack + 236, options, sizeof(options));
}

static int write_seed(void)
{
	char path[512];
	uint8_t head[3] = {0, (uint8_t)(build_len(&b) >> 8), (uint8_t)build_len(&b)};
	FILE *f;

	snprintf(path, sizeof(path), "%s/shape-%02u", seeds, written);
	f = fopen(path, "w");
	if (!f || fwrite(head, 3, 1, f) != 1 || fwrite(build_bytes(&b), build_len(&b), 1, f) != 1)
		return -1;
	return fclose(f);
}

static int write_build(void)
{
	struct packet p = {
		.time = START + written * USEC_PER_MSEC, .link_type = 1, .bytes = build_bytes(&b)};
	int r;

	p.len = p.wire_len = (uint32_t)build_len(&b);
	r = capture_writer_add(out, &p);
	if (r == 0 && seeds)
		r = write_seed();
	written++;
	return r;
}

static int write_shapes(void)
{
	uint8_t ack[ACK_BYTES];
	int r = 0;

	for (size_t i = 0; i < SHAPES && r == 0; i++) {
		make_ack(ack, (uint8_t)i);
		shape_begin_with(&b, ack, sizeof(ack));
		shapes[i].wrap(&b);
		r = write_build();
	}
	return r;
}

static int write_fragments(void)
{
	static const unsigned cuts[] = {0, 104, 208, ACK_BYTES + 8};
	uint8_t ack[ACK_BYTES], udp[ACK_BYTES + 8];
	int r = 0;

	make_ack(ack, 0xff);
	build_start(&b, ack, sizeof(ack));
	build_udp(&b, SHAPE_SRC, SHAPE_DST, 67, 67);
	memcpy(udp, build_bytes(&b), sizeof(udp));
	for (int i = 2; i >= 0 && r == 0; i--) {
		build_start(&b, udp + cuts[i], cuts[i + 1] - cuts[i]);
		build_ipv4_header(&b, SHAPE_SRC, SHAPE_DST, 17, 77,
			(uint16_t)((i < 2 ? 0x2000 : 0) | cuts[i] / 8), 0);
		build_tag(&b, 0x8100, 120);
		build_ethernet(&b);
		r = write_build();
	}
	return r;
}

static int write_noise(void)
{
	static const uint8_t rtp[1000] = {0x80, 96};
	int r = 0;

	for (size_t i = 0; i < SHAPES && r == 0; i++) {
		build_start(&b, rtp, sizeof(rtp));
		build_udp(&b, SHAPE_SRC, SHAPE_DST, 50004, 5004);
		build_ipv4(&b, SHAPE_SRC, SHAPE_DST, 17);
		shapes[i].wrap(&b);
		r = write_build();
	}
	return r;
}

static int write_crash(void)
{
	uint8_t ack[ACK_BYTES];

	make_ack(ack, 1);
	put32(ack + 4, 0xdeadc0de);
	shape_begin_with(&b, ack, sizeof(ack));
	build_ethernet(&b);
	memset(build_at(&b, 0), 0xff, 6); /* to all, through any bridge */
	return write_build();
}

int main(int argc, char **argv)
{
	bool noise = argc == 3 && strcmp(argv[1], "-n") == 0;
	bool crash = argc == 3 && strcmp(argv[1], "-c") == 0;
	const char *path = argc > 1 ? argv[1 + (noise || crash)] : "";
	int r;

	if (argc < 2 || argc > 3 || capture_writer_open(path, &out) < 0) {
		fputs("usage: gen_shapes FILE.pcap [SEEDS] | -n FILE.pcap | -c FILE.pcap\n",
			stderr);
		return 2;
	}
	seeds = argc == 3 && !noise && !crash ? argv[2] : NULL;
	r = noise ? write_noise() : crash ? write_crash() : write_shapes();
	if (r == 0 && !noise && !crash)
		r = write_fragments();
	if (capture_writer_close(out) < 0 || r < 0) {
		perror(path);
		return 1;
	}
	return 0;
}
