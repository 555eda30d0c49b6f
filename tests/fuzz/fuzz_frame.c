/* SPDX-License-Identifier: ISC
 *
 * Packets of one link type, one after another (each with two bytes of length), through the frame
 * decoder with its reassembly. The first byte chooses the link type.
 */
#include <stdlib.h>

#include "tap82/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned touch(struct buf b)
{
	unsigned sum = 0;

	while (buf_left(&b))
		sum += buf_u8(&b);
	return sum;
}

static void decode(struct frame_decoder *decoder, int link_type, struct buf bytes, int64_t time)
{
	size_t len = buf_left(&bytes);
	uint8_t *copy = malloc(len + 1); /* of its exact size: reading behind it is seen */
	struct packet p = {
		.time = time, .len = (uint32_t)len, .wire_len = (uint32_t)len, .bytes = copy};
	struct datagram d;
	volatile unsigned sum = 0;

	p.link_type = link_type;
	buf_copy(&bytes, copy, len);
	if (frame_decode(decoder, &p, &d))
		sum += touch(d.payload);
	while (frame_flush(decoder, time - FRAME_FRAGMENT_TIME, &d))
		sum += touch(d.payload);
	(void)sum;
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int link_types[] = {1, 1, 1, 101, 0, 108, 9, 50, 113, 276, 12, 228};
	struct buf b = buf_of(data, size);
	int link_type = link_types[buf_u8(&b) % 12];
	static struct frame_decoder decoder; /* flushed of all state at the end of each run */
	struct datagram d;
	int64_t time = 0;

	if (!decoder.reassembly && frame_decoder_init(&decoder, NULL) < 0)
		abort();
	while (buf_left(&b) > 2) {
		size_t len = buf_u16(&b) & 0x7ff;

		if (len > buf_left(&b))
			len = buf_left(&b);
		decode(&decoder, link_type, buf_child(&b, len), time += 1000000);
	}
	while (frame_flush(&decoder, INT64_MAX, &d))
		;
	return 0;
}
