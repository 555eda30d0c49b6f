/* SPDX-License-Identifier: ISC
 *
 * camsim: cameras and the relay in front of them.
 *
 *   camsim --iface IF [options] VERB key=value…     one action, on the wire, against a real dhcpd
 *   camsim --iface IF [options] --script FILE       many: one a line, "[@TIME] VERB key=value…";
 *                                                   "default key=value…" is for the lines after it
 *   camsim --write FILE.pcap …                      no wire: a model server answers, virtual clock
 *   camsim --iface IF --model …                     the model's answers on a real wire
 *
 * Prints a JSON line for each thing a camera did, and a summary. Exit 0: all went as expected,
 * 1: not, 2: wrong usage.
 */
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/sim.h"
#include "tap82/clock.h"

#define ACTIONS_MAX 4096

struct options {
	const char *iface, *write, *script;
	int64_t start, timeout;
	bool quiet, model;
	struct mac server_mac, relay_mac;
	uint32_t pool;
	uint64_t seed;
	struct action *actions;
	size_t count;
};

uint32_t sim_random(struct sim *sim)
{
	uint64_t z = sim->seed += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z >> 32);
}

void sim_plan(struct sim *sim, int64_t delay, void (*fn)(void *ctx), void *ctx)
{
	sim->open++;
	agenda_add(&sim->agenda, sim->now + (delay > 0 ? delay : 0), fn, ctx);
}

void sim_done(struct sim *sim)
{
	sim->open--;
}

/* ---- running ---- */

static void frame_came(void *ctx, const uint8_t *frame, size_t len)
{
	struct sim *sim = ctx;
	struct message m;
	uint32_t src;

	sim->now = clock_mono();
	if (!sim->model && message_read(frame, len, &m, &src) && m.is_reply)
		camera_receive(sim, &m);
}

static void sim_run_virtual(struct sim *sim)
{
	while (sim->open && agenda_first(&sim->agenda)) {
		struct agenda_item item = agenda_take(&sim->agenda);

		sim->now = item.at;
		item.fn(item.ctx);
	}
}

/* Between due items the answers are read; at most 1000 items go by before a look at the wire. */
static void sim_run_live(struct sim *sim, int64_t deadline)
{
	while (sim->open && (sim->now = clock_mono()) < deadline) {
		const struct agenda_item *first = agenda_first(&sim->agenda);
		int64_t wait = first ? first->at - sim->now : 100 * USEC_PER_MSEC;

		for (int i = 0; i < 64 && first && first->at <= sim->now; i++) {
			struct agenda_item item = agenda_take(&sim->agenda);

			item.fn(item.ctx);
			first = agenda_first(&sim->agenda);
		}
		wait = wait < 0 ? 0 : wait > 100 * USEC_PER_MSEC ? 100 * USEC_PER_MSEC : wait;
		wire_wait(sim->wire, wait, frame_came, sim);
	}
	wire_wait(sim->wire, 20 * USEC_PER_MSEC, frame_came, sim); /* late copies */
}

static int sim_run(const struct options *o)
{
	struct sim sim = {
		.live = o->iface != NULL,
		.model = o->model || !o->iface,
		.quiet = o->quiet,
		.server_mac = o->server_mac,
		.relay_mac = o->relay_mac,
		.seed = o->seed,
		.pool = o->pool,
	};

	sim.wire = wire_new(o->iface, o->write);
	if (!sim.wire || writer_init(&sim.out, STDOUT_FILENO, WRITER_JSON) < 0)
		return 1;
	sim.out.eager = sim.live;
	sim.now = sim.live ? clock_mono() : o->start;
	for (size_t i = 0; i < o->count; i++)
		camera_begin(&sim, &o->actions[i]);
	if (sim.live)
		sim_run_live(&sim, sim.now + o->timeout);
	else
		sim_run_virtual(&sim);
	report_summary(&sim);
	writer_flush(&sim.out);
	writer_done(&sim.out);
	agenda_done(&sim.agenda);
	camera_free_all(&sim);
	wire_free(sim.wire);
	return sim.unexpected || sim.open ? 1 : 0;
}

/* ---- command line ---- */

static void usage(const char *why)
{
	fprintf(stderr, "camsim: %s: see the head of camsim.c\n", why);
	exit(2);
}

static struct action *options_action(struct options *o, const struct action *from)
{
	if (o->count == ACTIONS_MAX)
		usage("too many actions");
	o->actions[o->count] = *from;
	return &o->actions[o->count++];
}

static void script_line(struct options *o, struct action *defaults, char *line, unsigned n)
{
	char why[256] = "", text[300];
	size_t skip = strspn(line, " \t");
	bool ok;

	line[strcspn(line, "#\n")] = '\0';
	if (!line[skip])
		return;
	if (strncmp(line + skip, "default", 7) == 0)
		ok = action_parse(defaults, line + skip + 7, why, sizeof(why));
	else
		ok = action_parse(options_action(o, defaults), line, why, sizeof(why));
	snprintf(text, sizeof(text), "%s:%u: %s", o->script, n, why);
	if (!ok)
		usage(text);
}

static void options_script(struct options *o)
{
	FILE *f = strcmp(o->script, "-") == 0 ? stdin : fopen(o->script, "r");
	struct action defaults;
	char line[4096];

	if (!f)
		usage(o->script);
	action_init(&defaults);
	for (unsigned n = 1; fgets(line, sizeof(line), f); n++)
		script_line(o, &defaults, line, n);
	if (f != stdin)
		fclose(f);
}

static void options_words(struct options *o, char **words)
{
	struct action defaults, *a;
	char why[256];

	action_init(&defaults);
	a = options_action(o, &defaults);
	for (; *words; words++)
		if (!action_parse(a, *words, why, sizeof(why)))
			usage(why);
}

static const struct option long_options[] = {
	{"iface", required_argument, NULL, 'i'},
	{"write", required_argument, NULL, 'w'},
	{"script", required_argument, NULL, 's'},
	{"start", required_argument, NULL, 'S'},
	{"timeout", required_argument, NULL, 't'},
	{"model", no_argument, NULL, 'm'},
	{"quiet", no_argument, NULL, 'q'},
	{"server-mac", required_argument, NULL, 'A'},
	{"relay-mac", required_argument, NULL, 'B'},
	{"pool", required_argument, NULL, 'P'},
	{"seed", required_argument, NULL, 'r'},
	{0},
};

static bool options_one(struct options *o, int c)
{
	const char *v = optarg;

	switch (c) {
	case 'i': o->iface = v; return true;
	case 'w': o->write = v; return true;
	case 's': o->script = v; return true;
	case 'm': o->model = true; return true;
	case 'q': o->quiet = true; return true;
	case 'S': return time_parse(v, &o->start) == 0;
	case 't': return duration_parse(v, &o->timeout) == 0;
	case 'A': return mac_parse(v, strlen(v), &o->server_mac) == 0;
	case 'B': return mac_parse(v, strlen(v), &o->relay_mac) == 0;
	case 'P': return ipv4_parse(v, strlen(v), &o->pool) == 0;
	case 'r': o->seed = strtoull(v, NULL, 10); return true;
	default: return false;
	}
}

int main(int argc, char **argv)
{
	struct options o = {
		.start = INT64_C(1767600000) * USEC_PER_SEC, /* 2026-01-05T08:00:00Z */
		.timeout = 60 * USEC_PER_SEC,
		.server_mac = {{2, 0x82, 0, 0, 0, 1}},
		.relay_mac = {{2, 0x82, 0, 0, 0, 2}},
		.pool = 0x0a320064, /* 10.50.0.100 */
	};
	int c, status;

	o.actions = calloc(ACTIONS_MAX, sizeof(*o.actions));
	while ((c = getopt_long(argc, argv, "+", long_options, NULL)) != -1)
		if (!options_one(&o, c))
			usage("bad option");
	if (!o.iface && !o.write)
		usage("--iface or --write is needed");
	if (!o.seed)
		o.seed = o.iface ? (uint64_t)clock_mono() ^ (uint64_t)getpid() << 32 : 82;
	if (o.script)
		options_script(&o);
	if (argv[optind])
		options_words(&o, argv + optind);
	if (!o.count)
		usage("nothing to do");
	status = sim_run(&o);
	free(o.actions);
	return status;
}
