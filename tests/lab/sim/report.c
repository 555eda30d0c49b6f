/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "sim.h"
#include "tap82/clock.h"

static const char *const names[] = {
	[RESULT_ACK] = "ack",
	[RESULT_NAK] = "nak",
	[RESULT_NONE] = "none",
	[RESULT_OFFER] = "offer",
	[RESULT_SENT] = "sent",
};

/* Something that is only sent has no result to expect. */
static bool result_expected(const struct task *t, enum result result)
{
	const char *expect = t->action->expect;

	if (result == RESULT_SENT || strcmp(expect, "any") == 0)
		return true;
	if (*expect)
		return strcmp(names[result], expect) == 0;
	return result == (t->verb == VERB_DISCOVER ? RESULT_OFFER : RESULT_ACK);
}

static void took_add(struct sim *sim, int64_t usec)
{
	if (sim->took_used == sim->took_size) {
		sim->took_size = sim->took_size ? 2 * sim->took_size : 1024;
		sim->took = realloc(sim->took, sim->took_size * sizeof(*sim->took));
		if (!sim->took)
			abort();
	}
	sim->took[sim->took_used++] = usec;
}

static double msec(int64_t usec)
{
	return (double)usec / 1000;
}

static void result_write(struct writer *w, const struct task *t, enum result result)
{
	const struct sim *sim = t->sim;
	uint32_t ip = result == RESULT_OFFER ? t->offered : t->camera->ip;

	writer_begin(w);
	writer_time(w, "time", sim->live ? clock_wall() : sim->now);
	writer_str(w, "verb", verb_name(t->verb));
	writer_mac(w, "mac", &t->camera->mac);
	writer_str(w, "result", names[result]);
	if (ip && result != RESULT_NAK && result != RESULT_NONE)
		writer_ipv4(w, "ip", ip);
	writer_hex32(w, "xid", t->xid);
	writer_u64(w, "tries", t->tries);
	if (result == RESULT_ACK) {
		writer_ipv4(w, "server", t->camera->server);
		writer_u64(w, "lease", t->camera->lease);
		writer_bool(w, "echoed", t->echoed);
	}
	if (t->offered_at)
		writer_double(w, "offer_ms", msec(t->offered_at - t->began));
	writer_double(w, "ms", msec(sim->now - t->began));
	writer_end(w);
}

void report_result(struct task *t, enum result result)
{
	struct sim *sim = t->sim;

	sim->results[result]++;
	if (result == RESULT_ACK || result == RESULT_OFFER)
		took_add(sim, sim->now - t->began);
	if (!result_expected(t, result))
		sim->unexpected++;
	if (!sim->quiet)
		result_write(&sim->out, t, result);
}

static int took_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double took_percentile(const struct sim *sim, unsigned percent)
{
	return sim->took_used ? msec(sim->took[(sim->took_used - 1) * percent / 100]) : 0;
}

void report_summary(struct sim *sim)
{
	struct writer *w = &sim->out;

	if (sim->took_used)
		qsort(sim->took, sim->took_used, sizeof(*sim->took), took_compare);
	writer_begin(w);
	writer_bool(w, "summary", true);
	for (unsigned i = 0; i < RESULTS; i++)
		writer_u64(w, names[i], sim->results[i]);
	writer_u64(w, "unfinished", sim->open);
	writer_u64(w, "unexpected", sim->unexpected);
	writer_u64(w, "acks_seen", sim->acks);
	writer_u64(w, "strays", sim->strays);
	writer_u64(w, "frames_sent", wire_sent(sim->wire));
	writer_u64(w, "frames_lost", wire_lost(sim->wire));
	writer_double(w, "p50_ms", took_percentile(sim, 50));
	writer_double(w, "p99_ms", took_percentile(sim, 99));
	writer_end(w);
	free(sim->took);
}
