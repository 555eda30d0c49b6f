/* SPDX-License-Identifier: ISC
 *
 * pcapng (draft-ietf-opsawg-pcapng): blocks. A section header says the byte order, an interface
 * description a link type and a clock; packets come in three kinds of block. All others, and all
 * options but if_tsresol and if_tsoffset, are skipped.
 */
#include <errno.h>
#include <stdlib.h>

#include "tap82/clock.h"
#include "tap82/err.h"

#include "capture_form.h"

#define BLOCK_HEADER	8
#define BLOCK_MIN	12
#define INTERFACES_MAX	1024 /* of a section */
#define INTERFACE_BYTES (64u << 10) /* of a description with its options */
#define TIME_MAX	(INT64_C(253402300800) * USEC_PER_SEC - 1) /* the end of the year 9999 */

enum { OPTION_END = 0, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

struct block {
	uint32_t type;
	uint32_t len; /* with header and trailer */
};

/* A section's byte order is in its third word; its length is not believed and not needed. */
static int section_begin(struct capture_file *f)
{
	size_t have = source_has(&f->source, BLOCK_MIN);
	struct buf b = buf_of(f->source.p, have);
	uint32_t magic;

	buf_skip(&b, 8);
	magic = buf_u32(&b);
	if (b.bad)
		return ERR_TRUNCATED;
	if (magic != PCAPNG_ORDER_MAGIC && magic != __builtin_bswap32(PCAPNG_ORDER_MAGIC))
		return ERR_SYNTAX;
	f->little = magic != PCAPNG_ORDER_MAGIC;
	f->interface_count = 0;
	return 0;
}

int pcapng_open(struct capture_file *f)
{
	return section_begin(f);
}

/* Whole units of 10^-n seconds to microseconds. */
static uint64_t usec_of_decimal(uint64_t ticks, unsigned n)
{
	uint64_t usec = ticks;

	for (; n > 6 && usec; n--)
		usec /= 10;
	for (; n < 6; n++)
		if (__builtin_mul_overflow(usec, 10, &usec))
			return UINT64_MAX;
	return usec;
}

static uint64_t usec_of_binary(uint64_t ticks, unsigned n)
{
	unsigned __int128 usec;

	if (n > 63)
		return 0;
	usec = (unsigned __int128)ticks * (uint64_t)USEC_PER_SEC >> n;
	return usec > UINT64_MAX ? UINT64_MAX : (uint64_t)usec;
}

/* The interface's clock to ours; times that no calendar has are moved to its ends. */
static int64_t time_of(const struct capture_interface *i, uint64_t ticks)
{
	uint64_t usec = i->resolution & 0x80 ? usec_of_binary(ticks, i->resolution & 0x7f)
					     : usec_of_decimal(ticks, i->resolution);
	int64_t time = usec > TIME_MAX ? TIME_MAX : (int64_t)usec;
	int64_t offset;

	if (__builtin_mul_overflow(i->offset, USEC_PER_SEC, &offset) ||
		__builtin_add_overflow(time, offset, &time))
		return i->offset < 0 ? 0 : TIME_MAX;
	return time < 0 ? 0 : time > TIME_MAX ? TIME_MAX : time;
}

static void interface_read_options(
	const struct capture_file *f, struct buf *b, struct capture_interface *i)
{
	while (buf_left(b) >= 4) {
		uint16_t code = capture_u16(f, b);
		uint16_t len = capture_u16(f, b);
		struct buf value = buf_child(b, len);

		if (code == OPTION_END)
			return;
		if (code == OPTION_TSRESOL && len == 1)
			i->resolution = buf_u8(&value);
		if (code == OPTION_TSOFFSET && len == 8) {
			uint64_t first = capture_u32(f, &value);
			uint64_t second = capture_u32(f, &value);

			i->offset =
				(int64_t)(f->little ? second << 32 | first : first << 32 | second);
		}
		buf_skip(b, (4u - len % 4u) % 4u);
	}
}

static int interface_add(struct capture_file *f, const struct capture_interface *i)
{
	struct capture_interface *grown;

	if (f->interface_count == INTERFACES_MAX)
		return capture_fail(f, ERR_CORRUPT, "more than %d interfaces", INTERFACES_MAX);
	grown = realloc(f->interfaces, (f->interface_count + 1) * sizeof(*grown));
	if (!grown)
		return capture_fail(f, -ENOMEM, "no memory");
	grown[f->interface_count++] = *i;
	f->interfaces = grown;
	return 0;
}

static int read_interface(struct capture_file *f, struct buf *body)
{
	struct capture_interface i = {.resolution = 6};

	i.link_type = capture_u16(f, body);
	buf_skip(body, 2);
	i.snaplen = capture_u32(f, body);
	if (body->bad)
		return capture_fail(f, ERR_CORRUPT, "an interface block is too short");
	interface_read_options(f, body, &i);
	return interface_add(f, &i);
}

/* What the three kinds of packet block say. */
struct block_packet {
	uint32_t interface;
	bool timed;
	uint64_t ticks;
	uint32_t len, wire_len;
};

static void read_ticks_and_lengths(
	const struct capture_file *f, struct buf *b, struct block_packet *p)
{
	p->timed = true;
	p->ticks = (uint64_t)capture_u32(f, b) << 32;
	p->ticks |= capture_u32(f, b);
	p->len = capture_u32(f, b);
	p->wire_len = capture_u32(f, b);
}

static int read_packet_header(const struct capture_file *f, const struct block *block,
	struct buf *body, struct block_packet *p)
{
	switch (block->type) {
	case PCAPNG_ENHANCED:
		p->interface = capture_u32(f, body);
		read_ticks_and_lengths(f, body, p);
		break;
	case PCAPNG_PACKET:
		p->interface = capture_u16(f, body);
		buf_skip(body, 2);
		read_ticks_and_lengths(f, body, p);
		break;
	default: /* simple: no interface but the first, no time, no captured length */
		p->wire_len = capture_u32(f, body);
		p->len = p->wire_len;
		if (p->len > block->len - BLOCK_MIN - 4)
			p->len = block->len - BLOCK_MIN - 4;
		if (f->interface_count && f->interfaces[0].snaplen &&
			p->len > f->interfaces[0].snaplen)
			p->len = f->interfaces[0].snaplen;
		break;
	}
	return body->bad ? ERR_TRUNCATED : 0;
}

static int read_packet(struct capture_file *f, const struct block *block, struct buf *body,
	struct packet *ret_packet)
{
	struct block_packet p = {0};
	const uint8_t *bytes;

	if (read_packet_header(f, block, body, &p) < 0)
		return capture_fail(f, ERR_CORRUPT, "a packet block is too short");
	if (p.interface >= f->interface_count)
		return capture_fail(
			f, ERR_CORRUPT, "there is no interface %u in this section", p.interface);
	bytes = buf_take(body, p.len);
	if (!bytes)
		return capture_fail(
			f, ERR_CORRUPT, "%u bytes are no packet's length in this block", p.len);
	if (p.timed)
		f->time = time_of(&f->interfaces[p.interface], p.ticks);
	f->link_type = f->interfaces[p.interface].link_type;
	*ret_packet = (struct packet){.time = f->time,
		.wire_len = p.wire_len > p.len ? p.wire_len : p.len,
		.len = p.len,
		.link_type = f->link_type,
		.bytes = bytes};
	return 1;
}

/* How much of a block is to be in the window: all of what is read, nothing of what is skipped. */
static size_t block_window(const struct block *block)
{
	size_t max = 0;

	switch (block->type) {
	case PCAPNG_INTERFACE: max = INTERFACE_BYTES; break;
	case PCAPNG_PACKET:
	case PCAPNG_SIMPLE:
	case PCAPNG_ENHANCED: max = PACKET_BYTES_MAX + 64; break;
	}
	return block->len < max ? block->len : max;
}

/* Type and length of the next block. 1; 0 at the end; negative. */
static int block_begin(struct capture_file *f, struct block *ret_block)
{
	size_t have = source_has(&f->source, BLOCK_MIN);
	struct buf b = buf_of(f->source.p, have);

	f->start = f->source.offset;
	if (have == 0 && !f->source.error)
		return 0;
	if (have < BLOCK_MIN)
		return capture_fail_cut(f, BLOCK_MIN, have);
	ret_block->type = capture_u32(f, &b);
	if (ret_block->type == PCAPNG_SECTION && section_begin(f) < 0)
		return capture_fail(f, ERR_CORRUPT, "a section without a byte order");
	ret_block->len = capture_u32(f, &b);
	if (ret_block->len < BLOCK_MIN || ret_block->len % 4)
		return capture_fail(
			f, ERR_CORRUPT, "%u bytes are no block's length", ret_block->len);
	return 1;
}

/* Reads what the block says: 1 and a packet, 0 if it holds none, or negative. */
static int block_read(struct capture_file *f, const struct block *block, struct packet *ret_packet)
{
	size_t window = block_window(block);
	size_t have = source_has(&f->source, window);
	struct buf body;

	if (have < window)
		return capture_fail_cut(f, block->len, have);
	if (window == 0)
		return 0;
	body = buf_of(f->source.p, window == block->len ? window - 4 : window);
	buf_skip(&body, BLOCK_HEADER);
	return block->type == PCAPNG_INTERFACE ? read_interface(f, &body)
					       : read_packet(f, block, &body, ret_packet);
}

/* Goes behind the block before, only now: a packet given from it had to stay in the window. */
static int block_end(struct capture_file *f)
{
	uint64_t skip = f->skip;

	f->skip = 0;
	return source_skip(&f->source, skip)
		       ? 0
		       : capture_fail_cut(f, skip, f->source.offset - f->start);
}

int pcapng_next(struct capture_file *f, struct packet *ret_packet)
{
	struct block block = {0};
	int r;

	while ((r = block_end(f)) == 0 && (r = block_begin(f, &block)) > 0) {
		r = block_read(f, &block, ret_packet);
		f->skip = block.len;
		if (r == 0)
			continue;
		f->packets += r > 0;
		return r;
	}
	return r;
}
