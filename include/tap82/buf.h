/* SPDX-License-Identifier: ISC
 *
 * A cursor over bytes that somebody else owns. All bytes from the wire, from a capture file and
 * from dhcpd are read through it and through nothing else.
 *
 * A read past the end sets `bad`, empties the cursor and gives zeros, so a parser may read a whole
 * structure and ask once; a loop on buf_left() always ends. Integers are big-endian unless the
 * name says otherwise.
 */
#ifndef TAP82_BUF_H
#define TAP82_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline struct buf buf_of(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	return (struct buf){.p = p, .end = p + len};
}

static inline size_t buf_left(const struct buf *b)
{
	return (size_t)(b->end - b->p);
}

static inline void buf_fail(struct buf *b)
{
	b->p = b->end;
	b->bad = true;
}

/* Takes the next `n` bytes: a pointer into the buffer, or NULL (and `bad`) if fewer are left.
 * For n == 0 the pointer is valid to compare, not to read. */
static inline const uint8_t *buf_take(struct buf *b, size_t n)
{
	const uint8_t *p = b->p;

	if (buf_left(b) < n) {
		buf_fail(b);
		return NULL;
	}
	b->p += n;
	return p;
}

/* The next `n` bytes as a cursor of their own: empty and `bad` if fewer are left. */
static inline struct buf buf_child(struct buf *b, size_t n)
{
	const uint8_t *p = buf_take(b, n);

	return p ? buf_of(p, n) : (struct buf){.p = b->end, .end = b->end, .bad = true};
}

static inline void buf_skip(struct buf *b, size_t n)
{
	(void)buf_take(b, n);
}

static inline uint8_t buf_u8(struct buf *b)
{
	const uint8_t *p = buf_take(b, 1);

	return p ? p[0] : 0;
}

static inline uint16_t buf_u16(struct buf *b)
{
	const uint8_t *p = buf_take(b, 2);

	return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t buf_u32(struct buf *b)
{
	const uint8_t *p = buf_take(b, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* Copies the next `n` bytes to `out`, which holds them; zeros where they are not there. */
static inline void buf_copy(struct buf *b, void *out, size_t n)
{
	const uint8_t *p = buf_take(b, n);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

/* Looks at the byte `at` places ahead without taking it: 0 if it is not there. */
static inline uint8_t buf_peek(const struct buf *b, size_t at)
{
	return buf_left(b) > at ? b->p[at] : 0;
}

#endif
