/* SPDX-License-Identifier: ISC */
#include "tap82/options.h"

enum { PAD = 0, END = 255 };

struct piece {
	const uint8_t *bytes;
	uint32_t len;
	uint8_t code;
};

/* A code's first piece is borrowed; later ones only add to the length until they are joined. */
static inline void add_piece(struct option_set *set, const struct piece *piece)
{
	unsigned at = set->slot[piece->code];

	if (__builtin_expect(at < set->count && set->item[at].code == piece->code, 0)) {
		set->item[at].len += piece->len;
		set->item[at].repeated = true;
		set->repeats = true;
		return;
	}
	set->slot[piece->code] = (uint8_t)set->count;
	set->item[set->count++] =
		(struct option){.bytes = piece->bytes, .len = piece->len, .code = piece->code};
}

/* The second pass: behind what the code has already. options_place() made the room. */
static void copy_piece(struct option_set *set, const struct piece *piece, uint8_t *joined)
{
	struct option *o = &set->item[set->slot[piece->code]];

	if (!o->repeated)
		return;
	if (piece->len > 0)
		memcpy(joined + (o->bytes - joined) + o->len, piece->bytes, piece->len);
	o->len += piece->len;
}

/* `joined` NULL: the first pass. `dhcp`: PAD and END have their meaning. Each of the four uses
 * below is compiled on its own: this is where a decoder spends its time. */
static inline __attribute__((always_inline)) enum options_end walk(struct option_set *set,
	const struct buf *bytes, bool dhcp, uint8_t *joined, uint8_t *ret_code)
{
	struct buf field = buf_of(bytes->p, buf_left(bytes));

	while (buf_left(&field) > 0) {
		struct piece piece = {.code = buf_u8(&field)};

		if (dhcp && piece.code == PAD)
			continue;
		if (dhcp && piece.code == END)
			return OPTIONS_END;
		piece.len = buf_u8(&field);
		piece.bytes = buf_take(&field, piece.len);
		if (field.bad) {
			*ret_code = piece.code;
			return OPTIONS_OVERRUN;
		}
		if (joined)
			copy_piece(set, &piece, joined);
		else
			add_piece(set, &piece);
	}
	return OPTIONS_NO_END;
}

enum options_end options_gather(struct option_set *set, const struct buf *field, uint8_t *ret_code)
{
	return walk(set, field, true, NULL, ret_code);
}

enum options_end options_gather_sub(
	struct option_set *set, const struct buf *value, uint8_t *ret_code)
{
	return walk(set, value, false, NULL, ret_code);
}

void options_place(struct option_set *set, uint8_t *joined)
{
	uint32_t used = 0;

	for (unsigned i = 0; i < set->count; i++) {
		struct option *o = &set->item[i];

		if (!o->repeated)
			continue;
		o->bytes = joined + used;
		used += o->len;
		o->len = 0;
	}
}

void options_copy(struct option_set *set, const struct buf *field, uint8_t *joined)
{
	uint8_t code;

	walk(set, field, true, joined, &code);
}

void options_copy_sub(struct option_set *set, const struct buf *value, uint8_t *joined)
{
	uint8_t code;

	walk(set, value, false, joined, &code);
}
