/* SPDX-License-Identifier: ISC
 *
 * A line on stderr that says how far long work is, how fast it goes, and when it will be done: for
 * people at a terminal, nobody else gets to see it.
 */
#ifndef TAP82_CLI_PROGRESS_H
#define TAP82_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what, *unit; /* "yesterday.pcap", "packets" */
	bool wanted, shown;
	int64_t started, due; /* clock_mono() */
};

/* How far: `done` of `total` (bytes, rows; total 0: not known), and `count` units until now. */
struct progress_state {
	uint64_t done, total, count;
};

/* `wanted`: beside it, stderr must be a terminal. The texts are borrowed. */
void progress_begin(struct progress *p, const char *what, const char *unit, bool wanted);
/* Whether a line is due: asks the clock only where one is wanted. */
bool progress_due(const struct progress *p);
/* Shows the line, over the one before. */
void progress_show(struct progress *p, const struct progress_state *state);
/* Takes the line away. */
void progress_end(struct progress *p);

/* The line's text after `elapsed` microseconds, at most `width` characters (0: no limit). */
void progress_text(const struct progress *p, const struct progress_state *state, int64_t elapsed,
	size_t width, char *out, size_t size);

#endif
