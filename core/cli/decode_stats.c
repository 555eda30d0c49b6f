/* SPDX-License-Identifier: ISC */
#include "decode.h"

static void write_types(struct writer *w, const struct decode_totals *t)
{
	struct dhcp named = {.op = 1};

	writer_object_begin(w, "types");
	for (unsigned i = 1; i <= DHCP_TYPE_MAX; i++)
		if (t->types[i]) {
			named.type = (uint8_t)i;
			writer_u64(w, dhcp_type_text(&named), t->types[i]);
		}
	if (t->types[0])
		writer_u64(w, "BOOTP", t->types[0]);
	writer_object_end(w);
}

static void write_codes(struct writer *w, const struct decode_totals *t)
{
	writer_object_begin(w, "codes");
	for (unsigned i = 0; i < 256; i++)
		if (t->codes[i])
			writer_u64(w, radius_code_text((uint8_t)i), t->codes[i]);
	writer_object_end(w);
}

void decode_write_totals(struct decode *d)
{
	const struct decode_totals *t = &d->totals;
	struct writer *w = &d->writer;

	writer_begin(w);
	writer_u64(w, "packets", t->packets);
	writer_u64(w, "messages", t->matching);
	writer_u64(w, "dhcp", t->dhcp);
	writer_u64(w, "radius", t->radius);
	writer_u64(w, "option82", t->option82);
	writer_u64(w, "malformed", t->malformed);
	writer_u64(w, "damaged", t->damaged);
	writer_u64(w, "too_short", t->too_short);
	writer_u64(w, "fragments", d->frames.fragments);
	writer_u64(w, "reassembled", d->frames.reassembled);
	if (t->dhcp)
		write_types(w, t);
	if (t->radius)
		write_codes(w, t);
	if (t->first) {
		writer_time(w, "first", t->first);
		writer_time(w, "last", t->last);
	}
	writer_end(w);
}
