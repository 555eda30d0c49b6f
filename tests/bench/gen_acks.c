/* SPDX-License-Identifier: ISC
 *
 * gen_acks [-m] COUNT FILE.pcap [DEVICES.csv]: COUNT tagged DHCPACKs with option 82 (351 bytes
 * each, VLAN 120), each of another camera, a millisecond apart; and the device table that knows
 * them.
 *
 * With -m nine of ten frames are RTP of a tagged video stream instead, 1000 bytes of payload.
 *
 * Camera i: MAC 02:82:00:00:00:00 + i, address 10.32.0.1 + i (10.32.0.0/12), switch i / 48 with a
 * MAC of its own as remote-id, port i % 48 + 1 in the circuit-id, relay (giaddr) 10.31.0.1,
 * server 10.30.0.2, lease 3600 s.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tap82/capture_file.h"
#include "tap82/clock.h"

#include "../build_packet.h"

#define SERVER	     0x0a1e0002
#define RELAY	     0x0a1f0001
#define FIRST_CAMERA 0x0a200001
#define START	     INT64_C(1767225600) /* 2026-01-01 */
#define DHCP_BYTES   305

static const uint8_t options[] = {99, 130, 83, 99, 53, 1, 5, 54, 4, 10, 30, 0, 2, 51, 4, 0, 0, 14,
	16, 1, 4, 255, 240, 0, 0, 3, 4, 10, 32, 0, 1, 82, 18, 1, 6, 0, 4, 0, 120, 0, 0, 2, 8, 0, 6,
	2, 0x83, 0, 0, 0, 0, 255};

#define AT_PORT	  (sizeof(options) - 12) /* of the circuit-id's last byte */
#define AT_SWITCH (sizeof(options) - 5) /* of the remote-id's last four bytes */

static void make_ack(struct build *b, uint32_t i)
{
	uint8_t m[DHCP_BYTES] = {2, 1, 6, 1};

	put32(m + 4, i + 1);
	put32(m + 16, FIRST_CAMERA + i);
	put32(m + 24, RELAY);
	m[28] = 2;
	m[29] = 0x82;
	put32(m + 30, i);
	memcpy(m + 236, options, sizeof(options));
	m[236 + AT_PORT] = (uint8_t)(i % 48 + 1);
	put32(m + 236 + AT_SWITCH, i / 48);
	build_start(b, m, sizeof(m));
	build_udp(b, SERVER, RELAY, 67, 67);
	build_ipv4(b, SERVER, RELAY, 17);
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
}

static void make_rtp(struct build *b)
{
	static const uint8_t rtp[1000] = {0x80, 96};

	build_start(b, rtp, sizeof(rtp));
	build_udp(b, FIRST_CAMERA, RELAY, 50004, 5004);
	build_ipv4(b, FIRST_CAMERA, RELAY, 17);
	build_tag(b, 0x8100, 120);
	build_ethernet(b);
}

static int write_acks(uint32_t count, const char *path, bool mixed)
{
	static struct build b;
	struct capture_writer *w;
	int r = capture_writer_open(path, &w);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < count && r == 0; i++) {
		struct packet p = {
			.time = START * USEC_PER_SEC + i * USEC_PER_MSEC, .link_type = 1};

		if (mixed && i % 10)
			make_rtp(&b);
		else
			make_ack(&b, i);
		p.bytes = build_bytes(&b);
		p.len = p.wire_len = (uint32_t)build_len(&b);
		r = capture_writer_add(w, &p);
	}
	return capture_writer_close(w) < 0 ? -1 : r;
}

static int write_devices(uint32_t count, const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out)
		return -1;
	fputs("mac,serial_number\n", out);
	for (uint32_t i = 0; i < count; i++)
		fprintf(out, "02:82:%02x:%02x:%02x:%02x,SN%08u\n", i >> 24, i >> 16 & 255,
			i >> 8 & 255, i & 255, i);
	return fclose(out);
}

int main(int argc, char **argv)
{
	bool mixed = argc > 1 && strcmp(argv[1], "-m") == 0;
	uint32_t count;

	argv += mixed;
	argc -= mixed;
	count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	if (argc < 3 || count == 0) {
		fputs("usage: gen_acks [-m] COUNT FILE.pcap [DEVICES.csv]\n", stderr);
		return 2;
	}
	if (write_acks(count, argv[2], mixed) < 0 ||
		(argc > 3 && write_devices(count, argv[3]) != 0)) {
		perror(argv[2]);
		return 1;
	}
	return 0;
}
