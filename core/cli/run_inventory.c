/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "run.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/log.h"

/* A slice of work between two looks at the captures: far below 100 ms for a million rows. */
#define READ_ROWS  4000
#define APPLY_ROWS 1000

#define PROBLEMS_LOGGED 20 /* a file of a million bad rows is not to fill the disk of the log */

static void file_stamp(const char *path, char *out, size_t size)
{
	struct stat st;

	out[0] = 0;
	if (stat(path, &st) == 0)
		snprintf(out, size, "%lld.%09ld %lld %llu", (long long)st.st_mtim.tv_sec,
			st.st_mtim.tv_nsec, (long long)st.st_size, (unsigned long long)st.st_ino);
}

/* The first problems go to the log, and as many as there is room for into the event and the API's
 * answer. */
static void collect_problem(void *ctx, const char *text)
{
	struct inventory_load *load = ctx;
	size_t used = strlen(load->problems);

	if (++load->problem_count <= PROBLEMS_LOGGED)
		log_error("%s", text);
	if (used + strlen(text) + 3 < sizeof(load->problems))
		snprintf(load->problems + used, sizeof(load->problems) - used, "%s%s",
			used ? "; " : "", text);
}

static void load_over(struct run *run, int err, const char *text)
{
	struct inventory_load *load = &run->load;
	void (*done)(void *ctx, int err, const char *text) = load->done;

	if (load->problem_count > PROBLEMS_LOGGED)
		log_error("%s: has more problems: 'tap82 check' lists them", run->conf->devices);
	inventory_free(load->inventory);
	load->inventory = NULL;
	load->done = NULL;
	if (done)
		done(load->ctx, err, text);
}

static void refused(struct run *run, int err)
{
	struct inventory_load *load = &run->load;
	const char *why = load->problems[0] ? load->problems : err_text(err);

	engine_inventory_reject(run->engine, run->conf->devices, why, clock_onward());
	load_over(run, err, why);
}

/* What the engine refuses it has told itself. */
static void apply(struct run *run)
{
	int r = engine_inventory_step(run->engine, APPLY_ROWS, clock_onward());

	if (r == ERR_REFUSED)
		load_over(run, r,
			"would remove more than a tenth of the devices: 'tap82 devices reload "
			"--force' takes it");
	else if (r <= 0)
		load_over(run, r, r < 0 ? err_text(r) : "");
}

/* 0: the whole file was read and is right. */
static void read_on(struct run *run)
{
	struct inventory_load *load = &run->load;
	int r = inventory_step(load->inventory, READ_ROWS);

	if (r < 0) {
		refused(run, r);
	} else if (r == 0) {
		engine_inventory_begin(
			run->engine, load->inventory, run->conf->devices, load->force);
		load->applying = true;
	}
}

static void slice(void *ctx)
{
	struct run *run = ctx;
	struct inventory_load *load = &run->load;

	if (load->applying)
		apply(run);
	else
		read_on(run);
	if (load->inventory && load->timer)
		loop_timer_set(load->timer, 0);
}

static int open_file(struct run *run, bool force)
{
	struct inventory_load *load = &run->load;

	load->problems[0] = 0;
	load->problem_count = 0;
	load->applying = false;
	load->force = force;
	file_stamp(run->conf->devices, load->stamp, sizeof(load->stamp));
	return inventory_open(
		run->conf->devices, run->conf, collect_problem, load, &load->inventory);
}

/* With too few devices we start with the table that the store has: a person can look and force. */
static void first_done(void *ctx, int err, const char *text)
{
	int *ret = ctx;

	if (err == ERR_REFUSED || err == ERR_DUPLICATE)
		log_error("devices: %s", text);
	*ret = err == ERR_REFUSED ? 0 : err;
}

/* What reading took is more than what is kept: back to the system with it, while nobody waits. */
static void give_back(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

/* At the start nothing waits for us yet: slice after slice, each with its commit. */
int run_inventory_first(struct run *run)
{
	int result = 0, err;

	if (!run->conf->devices)
		return 0;
	err = open_file(run, false);
	if (err < 0)
		return err;
	run->load.done = first_done;
	run->load.ctx = &result;
	while (run->load.inventory) {
		slice(run);
		err = turn_commit(run->turn);
		if (err < 0)
			log_error("%s: cannot be written: %s", run->conf->state,
				store_error(run->store));
		if (err < 0)
			return err;
	}
	run->load.ctx = NULL;
	give_back();
	return result;
}

int run_inventory_begin(struct run *run)
{
	run->load.timer = loop_timer_new(run->loop, slice, run);
	return run->load.timer ? 0 : -ENOMEM;
}

void run_inventory_end(struct run *run)
{
	loop_timer_free(run->load.timer);
	run->load.timer = NULL;
	inventory_free(run->load.inventory);
	run->load.inventory = NULL;
}

int run_inventory_reload(
	struct run *run, bool force, void (*done)(void *ctx, int err, const char *text), void *ctx)
{
	int err;

	if (run->load.inventory)
		return ERR_DUPLICATE;
	if (!run->conf->devices) {
		if (done)
			done(ctx, 0, "");
		return 0;
	}
	run->load.done = done;
	run->load.ctx = ctx;
	err = open_file(run, force);
	if (err < 0)
		refused(run, err);
	else
		loop_timer_set(run->load.timer, 0);
	return 0;
}

/* Once a second: a file that is being written is looked at again when it has come to rest. */
void run_inventory_tick(struct run *run)
{
	struct inventory_load *load = &run->load;
	char now[sizeof(load->stamp)];

	if (!run->conf->devices || load->inventory)
		return;
	file_stamp(run->conf->devices, now, sizeof(now));
	if (now[0] && strcmp(now, load->stamp) != 0 && strcmp(now, load->seen) == 0) {
		log_info("%s: has changed: reading it", run->conf->devices);
		run_inventory_reload(run, false, NULL, NULL);
	}
	memcpy(load->seen, now, sizeof(load->seen));
}
