/* SPDX-License-Identifier: ISC */
#include "fuzz_message.h"

/* An ACK that ends with this value in options of 255 bytes (RFC 3396). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t m[70000] = {2, 1, 6, [24] = 10, 31, 0, 1, [236] = 99, 130, 83, 99, 53, 1, 5};
	size_t n = 243;

	for (size_t at = 0; at < size && n < 65000;) {
		size_t len = size - at < 255 ? size - at : 255;

		m[n++] = 82;
		m[n++] = (uint8_t)len;
		memcpy(m + n, data + at, len);
		n += len;
		at += len;
	}
	m[n++] = 255;
	fuzz_message(m, n, 67, 67);
	return 0;
}
