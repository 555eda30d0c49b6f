/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "tap82/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a peer sends: a head that is read is within its bounds, and so is each part of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request r;
	char value[64];
	int n = http_head_parse((const char *)data, size, &r);

	if (n > (int)size || n > HTTP_HEAD_MAX + 2)
		abort();
	if (n <= 0)
		return 0;
	if (r.path[0] != '/' || strlen(r.path) >= sizeof(r.path) || r.body_len > HTTP_BODY_MAX ||
		strlen(r.token) >= sizeof(r.token) || strlen(r.host) >= sizeof(r.host))
		abort();
	if (http_query_get(r.query, "since", value, sizeof(value)) >= (int)sizeof(value))
		abort();
	return 0;
}
