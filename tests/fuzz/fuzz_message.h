/* SPDX-License-Identifier: ISC
 *
 * What a UDP payload goes through, for the fuzz targets of the decoders.
 */
#ifndef TESTS_FUZZ_MESSAGE_H
#define TESTS_FUZZ_MESSAGE_H

#include <stdlib.h>

#include "tap82/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads it as a message between these ports, writes it whole, observes it. What the engine would
 * refuse, or a record that does not end, is a finding. */
static inline void fuzz_message(const uint8_t *data, size_t size, uint16_t sport, uint16_t dport)
{
	static struct message_decoder *decoder;
	static struct writer writer;
	static struct observation o;
	static const uint8_t none[1];
	struct datagram d = {.time = 1,
		.src = 1,
		.dst = 2,
		.sport = sport,
		.dport = dport,
		.payload = buf_of(size ? data : none, size)};
	const struct message *message;
	const char *text;
	size_t n;

	if (!decoder) {
		decoder = message_decoder_new();
		message_decoder_add_switch(decoder, 0x0a1f0001, NULL, 0, "cisco", 0);
		writer_init(&writer, -1, WRITER_JSON);
	}
	if (message_read(decoder, &d, &message) < 0)
		return;
	message_to_observation(message, &o);
	if (observation_check(&o, observation_size(&o)) < 0)
		abort();
	message_write(&writer, message, true);
	text = writer_bytes(&writer, &n);
	if (n < 2 || text[n - 2] != '}' || writer.depth != 0)
		abort();
	writer_clear(&writer);
}

#endif
