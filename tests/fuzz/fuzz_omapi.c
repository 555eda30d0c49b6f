/* SPDX-License-Identifier: ISC
 *
 * What dhcpd, or who pretends to be it, may send: read without a key, as a stream, and signed with
 * a right signature, so that the lists behind it are reached too.
 */
#include <stdlib.h>
#include <string.h>

#include "tap82/dhcpd.h"
#include "tap82/omapi_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint32_t sum; /* nobody's: the bytes are to be looked at */

static void touch(const struct omapi_message *m)
{
	uint32_t v;

	for (uint32_t i = 0; i < m->object.count; i++)
		for (uint32_t j = 0; j < m->object.pairs[i].value_len; j++)
			sum += m->object.pairs[i].value[j];
	(void)omapi_status(m, &v);
	(void)omapi_find_u32(&m->object, "state", &v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dhcpd_key *key;
	struct omapi_message m;
	uint8_t *bytes;
	int n;

	if (!key && dhcpd_key_new("c2VjcmV0", 8, "k", "hmac-sha256", &key) < 0)
		abort();
	for (size_t at = 0; (n = omapi_decode(data + at, size - at, key, &m)) > 0; at += (size_t)n)
		touch(&m);
	bytes = malloc(size + OMAPI_SIGNATURE_MAX);
	memcpy(bytes, data, size);
	n = omapi_seal(bytes, size, size + OMAPI_SIGNATURE_MAX, key, 1, 2);
	if (n > 0 && omapi_decode(bytes, (size_t)n, key, &m) == n) {
		if (!m.is_signed)
			abort();
		touch(&m);
	}
	free(bytes);
	return 0;
}
