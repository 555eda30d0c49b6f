/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "tap82/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(const struct layout *layout, struct buf id)
{
	struct port_place place;

	if (layout_apply(layout, 0, id, id, &place) == 0 &&
		(place.vlan < -1 || place.vlan > 4095 || place.slot < -1 || place.port < -1))
		abort();
}

/* A user's spec, a newline, and an id: the spec is refused in words or read; the id is read by it
 * and by every built-in layout. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct layouts *layouts;
	static const uint8_t none[1];
	struct layout layout;
	char spec[512], why[200];
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t len = end ? (size_t)(end - data) : 0;
	struct buf id = end ? buf_of(end + 1, size - len - 1) : buf_of(size ? data : none, size);

	if (!layouts)
		layouts = layouts_new();
	for (size_t i = 0; i < layouts_count(layouts); i++)
		apply(layouts_at(layouts, i), id);
	if (!end || len >= sizeof(spec))
		return 0;
	memcpy(spec, data, len);
	spec[len] = 0;
	why[0] = 0;
	if (layout_parse("x", spec, spec, &layout, why, sizeof(why)) == 0)
		apply(&layout, id);
	else if (why[0] == 0)
		abort();
	return 0;
}
