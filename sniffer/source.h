/* SPDX-License-Identifier: ISC
 *
 * Bytes of a file or a pipe, looked at through a window of bounded size that they are read into.
 * Mapping a file would spare the copy, but costs more in page tables than the copy does, leaves
 * the bytes in memory where a read has just put them into the cache, and a file that is cut while
 * it is mapped kills its reader.
 */
#ifndef SNIFFER_SOURCE_H
#define SNIFFER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_WINDOW (512u << 10) /* the most that can be looked at at once */
#define SOURCE_READ   (128u << 10) /* at a time: what a processor's own cache holds */

struct source {
	int fd;
	int error; /* 0, or the negative errno of a failed read: what was there before it is given
		    */
	bool at_end;
	uint64_t size; /* of the file, 0: not known */
	uint64_t offset; /* of `p` in the file */
	uint8_t *window; /* owned */
	const uint8_t *p, *end; /* what is in the window and not yet taken */
};

/* Opens `path`, "-" for standard input. 0 or a negative errno. */
int source_open(struct source *s, const char *path);
void source_close(struct source *s);

/* Slow path of source_has(). */
size_t source_fill(struct source *s, size_t want);

/* Makes `want` (at most SOURCE_WINDOW) bytes at s->p readable; how many there are, up to the end
 * of the input. What was looked at before moves. */
static inline size_t source_has(struct source *s, size_t want)
{
	size_t have = (size_t)(s->end - s->p);

	return have >= want ? have : source_fill(s, want);
}

/* Goes on by `n` bytes, of which the window holds all. */
static inline void source_take(struct source *s, size_t n)
{
	s->p += n;
	s->offset += n;
}

/* Goes on by any number of bytes; false if the input ends before. */
bool source_skip(struct source *s, uint64_t n);

#endif
