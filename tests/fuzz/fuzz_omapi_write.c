/* SPDX-License-Identifier: ISC
 *
 * What is written is read back the same, whatever the names, values and the memory given for it.
 */
#include <stdlib.h>
#include <string.h>

#include "tap82/buf.h"
#include "tap82/omapi_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const uint8_t *bytes, int n, struct buf in)
{
	struct omapi_message m;
	char name[256];

	if (omapi_decode(bytes, (size_t)n, NULL, &m) != n || m.is_signed)
		abort();
	for (uint32_t i = 0; i < m.object.count; i++) {
		uint8_t name_len = buf_u8(&in) % 32, value_len = buf_u8(&in);
		const struct omapi_pair *pair = &m.object.pairs[i];

		memset(name, 'a', name_len + 1u);
		if (pair->name_len != name_len + 1 || pair->value_len != value_len ||
			memcmp(pair->name, name, pair->name_len) != 0 ||
			memcmp(pair->value, buf_take(&in, value_len), value_len) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = buf_of(data, size), whole;
	size_t room = buf_u16(&in);
	uint8_t *memory = malloc(room + 1);
	struct omapi_out out;
	char name[256];
	int n;

	whole = in;
	omapi_out_begin(&out, memory, room, OMAPI_UPDATE, 1);
	omapi_out_object(&out);
	while (buf_left(&in) >= 2) {
		uint8_t name_len = buf_u8(&in) % 32, value_len = buf_u8(&in);
		const uint8_t *value = buf_take(&in, value_len);

		if (!value)
			break;
		memset(name, 'a', name_len + 1u);
		name[name_len + 1] = '\0';
		omapi_out_put(&out, name, value, value_len);
	}
	n = omapi_out_end(&out);
	if (n >= 0)
		compare(memory, n, whole);
	free(memory);
	return 0;
}
