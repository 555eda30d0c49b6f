/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "table.h"
#include "tap82/clock.h"

#define FIRST	 (USEC_PER_SEC / 2) /* what is over sooner needs no line */
#define INTERVAL (USEC_PER_SEC / 5)

void progress_begin(struct progress *p, const char *what, const char *unit, bool wanted)
{
	int64_t now = clock_mono();

	*p = (struct progress){.what = what,
		.unit = unit,
		.wanted = wanted && isatty(STDERR_FILENO),
		.started = now,
		.due = now + FIRST};
}

bool progress_due(const struct progress *p)
{
	return p->wanted && clock_mono() >= p->due;
}

static size_t put_rate(char *out, size_t size, double rate)
{
	int n = rate >= 1e6	? snprintf(out, size, "%.1f M/s", rate / 1e6)
		: rate >= 10000 ? snprintf(out, size, "%.0f k/s", rate / 1e3)
				: snprintf(out, size, "%.0f/s", rate);

	return (size_t)n;
}

static size_t put_left(char *out, size_t size, double seconds)
{
	int n = seconds >= 90 ? snprintf(out, size, ", %.0f min left", seconds / 60)
			      : snprintf(out, size, ", %.0f s left", seconds);

	return (size_t)n;
}

/* The numbers come first: it is the name that is cut. */
void progress_text(const struct progress *p, const struct progress_state *state, int64_t elapsed,
	size_t width, char *out, size_t size)
{
	double seconds = (double)elapsed / (double)USEC_PER_SEC;
	uint64_t done = state->done < state->total ? state->done : state->total;
	char *name = table_clean(p->what);
	size_t n = 0;

	if (state->total)
		n += (size_t)snprintf(
			out, size, "%.0f %%, ", (double)done * 100 / (double)state->total);
	n += (size_t)snprintf(
		out + n, size - n, "%llu %s, ", (unsigned long long)state->count, p->unit);
	n += put_rate(out + n, size - n, seconds > 0 ? (double)state->count / seconds : 0);
	if (done > 0)
		n += put_left(
			out + n, size - n, seconds * (double)(state->total - done) / (double)done);
	snprintf(out + n, size - n, ": %s", name ? name : "");
	free(name);
	if (width > 0)
		out[table_bytes_of(out, width)] = 0;
}

void progress_show(struct progress *p, const struct progress_state *state)
{
	int64_t now = clock_mono();
	size_t width = table_width(stderr);
	char text[512];

	if (!p->wanted)
		return;
	progress_text(p, state, now - p->started, width > 1 ? width - 1 : 0, text, sizeof(text));
	dprintf(STDERR_FILENO, "\r%s\033[K", text);
	p->shown = true;
	p->due = now + INTERVAL;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		dprintf(STDERR_FILENO, "\r\033[K");
	p->shown = false;
}
