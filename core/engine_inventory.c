/* SPDX-License-Identifier: ISC
 *
 * Devices come, change and go. What was learned of a device (address, port, hold) stays when its
 * row changes.
 */
#include <stdio.h>

#include "tap82/err.h"

#include "engine_self.h"

/* More than a tenth gone looks like a file that was cut. Tables below this size may change. */
#define GUARD_FRACTION 10
#define GUARD_FROM     10

static void texts_of_row(const struct inventory_row *row, struct device_texts *ret)
{
	*ret = (struct device_texts){
		.serial_number = row->serial_number,
		.uuid = row->uuid,
		.name = row->name,
		.line = row->line,
		.inventory_ip = row->ip,
	};
}

/* A row that only stands on another line is the same row. */
static bool texts_equal(const struct device_texts *a, const struct device_texts *b)
{
	return (a->line == 0) == (b->line == 0) && a->inventory_ip == b->inventory_ip &&
	       strcmp(a->serial_number, b->serial_number) == 0 &&
	       strcmp(a->uuid ? a->uuid : "", b->uuid ? b->uuid : "") == 0 &&
	       strcmp(a->name ? a->name : "", b->name ? b->name : "") == 0;
}

static uint16_t group_of_row(const struct engine *e, const struct inventory_row *row)
{
	int group = row->group && *row->group ? conf_group_by_name(e->conf, row->group) : -1;

	return group < 0 ? DEVICE_NO_GROUP : (uint16_t)group;
}

/* The row's port is the known port until the camera shows another. */
static void take_port(struct engine *e, struct device *d, const struct inventory_row *row)
{
	struct port_key key = {
		.circuit_id = row->circuit_id,
		.remote_id = row->remote_id,
		.circuit_id_len = row->circuit_id_len,
		.remote_id_len = row->remote_id_len,
		.has_circuit_id = row->circuit_id != NULL,
		.has_remote_id = row->remote_id != NULL,
	};

	if ((!key.has_circuit_id && !key.has_remote_id) || device_has_port(d))
		return;
	option82_of_port(&key, &e->profile);
	device_learn(&e->devices, d, &e->profile, NULL, 0);
}

static bool is_in_file(struct engine *e, const struct device *d)
{
	struct device_texts texts;

	device_texts(&e->devices, d, &texts);
	return texts.line != 0;
}

static void tell_inventory(
	struct engine *e, enum event_code code, const char *file, const char *detail, int64_t now)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s: %s", file, detail);
	engine_tell(e, code, NULL, code == EVENT_INVENTORY_LOADED ? text : detail, now);
}

void engine_inventory_reject(struct engine *e, const char *file, const char *detail, int64_t now)
{
	tell_inventory(e, EVENT_INVENTORY_REJECTED, file, detail, now);
}

/* A camera that was added by hand got the row's address after the row was checked: it keeps it. */
static bool is_anothers(struct engine *e, const struct inventory_row *row)
{
	const struct device *owner = e->job.fresh ? NULL : device_find_ip(&e->devices, row->ip);
	char mac[MAC_TEXT], detail[512];

	if (!owner || mac_equal(&owner->mac, &row->mac))
		return false;
	snprintf(detail, sizeof(detail), "%s:%u: ip: %s, added by hand, has it meanwhile",
		e->job.file, row->line, mac_format(&owner->mac, mac));
	engine_inventory_reject(e, e->job.file, detail, e->now);
	return true;
}

/* The row's address is the device's from the start. A changed one is an address change that the
 * inventory asks for: what was reserved goes, and the next ACK makes sure of the new one. */
static void take_ip(
	struct engine *e, struct device *d, const struct inventory_row *row, uint32_t before)
{
	if (row->ip == 0 || row->ip == before || row->ip == d->ip || is_anothers(e, row))
		return;
	if (d->ip && d->confirmed)
		unprovision(e, d);
	device_set_ip(&e->devices, d, row->ip);
	device_set_state(&e->devices, d, DEVICE_NEW);
}

/* A camera that comes back while its reservation is still being taken away. */
static void adopt(struct engine *e, struct device *d)
{
	struct reservation *r =
		e->reservations.count ? reservations_find(&e->reservations, &d->mac) : NULL;

	if (!r)
		return;
	r->device = d;
	d->flags |= DEVICE_HAS_WORK;
}

static struct device *add_row(struct engine *e, const struct inventory_row *row)
{
	struct device_texts texts;
	struct device *d;

	texts_of_row(row, &texts);
	d = device_add(&e->devices, &row->mac, &texts);
	if (!d)
		return NULL;
	d->group = group_of_row(e, row);
	adopt(e, d);
	take_ip(e, d, row, 0);
	take_port(e, d, row);
	unknown_remove(&e->unknowns, &row->mac);
	mark_dirty(e, d);
	return d;
}

/* The columns of the port are not kept, only what they made known. */
static bool gains_port(struct engine *e, struct device *d, const struct inventory_row *row)
{
	if (device_has_port(d))
		return false;
	take_port(e, d, row);
	if (!device_has_port(d))
		return false;
	mark_dirty(e, d);
	return true;
}

/* True if anything is another than before. */
static bool change_row(struct engine *e, struct device *d, const struct inventory_row *row)
{
	struct device_texts before, texts;
	uint16_t group = group_of_row(e, row);
	uint32_t before_ip;
	bool changed;

	device_texts(&e->devices, d, &before);
	texts_of_row(row, &texts);
	changed = !texts_equal(&before, &texts) || d->group != group;
	if (!changed) {
		device_set_line(&e->devices, d, row->line);
		return gains_port(e, d, row);
	}
	before_ip = before.inventory_ip;
	if (device_set_texts(&e->devices, d, &texts) < 0)
		return false;
	d->group = group;
	take_ip(e, d, row, before_ip);
	take_port(e, d, row);
	mark_dirty(e, d);
	return true;
}

static void remove_device(struct engine *e, struct device *d)
{
	struct mac mac = d->mac;

	provision_device_gone(e, d);
	d->flags &= (uint8_t)~DEVICE_DIRTY;
	device_remove(&e->devices, d);
	if (e->ops.device_gone)
		e->ops.device_gone(e->ctx, &mac);
}

/* --- A whole file ------------------------------------------------------------------------------
 */

/* Another device has what this row says is this one's. A device of the file itself will lose it by
 * its own row or go; one added by hand will not. */
static const struct device *contradicts(
	struct engine *e, const struct inventory_row *row, const char **ret_field)
{
	struct device *other = device_find_serial(&e->devices, row->serial_number);

	*ret_field = "serial_number";
	if (other && !mac_equal(&other->mac, &row->mac))
		return other;
	*ret_field = "ip";
	other = row->ip ? device_find_ip(&e->devices, row->ip) : NULL;
	return other && !mac_equal(&other->mac, &row->mac) ? other : NULL;
}

static int refuse(struct engine *e, int err, const char *detail, int64_t now)
{
	e->job.phase = INVENTORY_IDLE;
	engine_inventory_reject(e, e->job.file, detail, now);
	return err;
}

/* In a table that grows while rows come a doubling would meet the most entries. */
static int grow_table(struct engine *e, size_t at, int64_t now)
{
	(void)now;
	return device_table_grow(&e->devices, (unsigned)at);
}

static int clear_mark(struct engine *e, size_t at, int64_t now)
{
	struct device *d = device_at(&e->devices, (uint32_t)at);

	(void)now;
	if (d)
		d->flags &= (uint8_t)~DEVICE_SEEN_IN_FILE;
	return 0;
}

static int check_row(struct engine *e, size_t at, int64_t now)
{
	const struct inventory_row *row = &e->job.rows[at];
	struct device *d = device_find(&e->devices, &row->mac);
	char mac[MAC_TEXT], detail[512];
	const struct device *other;
	const char *field;

	if (d)
		d->flags |= DEVICE_SEEN_IN_FILE;
	other = contradicts(e, row, &field);
	if (!other || is_in_file(e, other))
		return 0;
	snprintf(detail, sizeof(detail), "%s:%u: %s: %s, added by hand, has it", e->job.file,
		row->line, field, mac_format(&other->mac, mac));
	return refuse(e, ERR_DUPLICATE, detail, now);
}

static bool is_lost(struct engine *e, const struct device *d)
{
	return d && !(d->flags & DEVICE_SEEN_IN_FILE) && is_in_file(e, d);
}

static int count_lost(struct engine *e, size_t at, int64_t now)
{
	(void)now;
	e->job.lost += is_lost(e, device_at(&e->devices, (uint32_t)at));
	return 0;
}

/* After the whole file was looked at, and before anything is changed. */
static int guard(struct engine *e, int64_t now)
{
	const struct inventory_job *job = &e->job;
	char detail[256];

	if (job->force || job->lost < GUARD_FROM ||
		(uint64_t)job->lost * GUARD_FRACTION <= e->devices.count)
		return 0;
	snprintf(detail, sizeof(detail),
		"%s: it would remove %u of %u devices, more than a tenth: a truncated file? "
		"('tap82 devices reload --force' takes it)",
		job->file, job->lost, e->devices.count);
	return refuse(e, ERR_REFUSED, detail, now);
}

/* Devices that the file no longer has go first: what they had may be another's now. */
static int sweep(struct engine *e, size_t at, int64_t now)
{
	struct device *d = device_at(&e->devices, (uint32_t)at);

	(void)now;
	if (!is_lost(e, d))
		return 0;
	remove_device(e, d);
	e->job.removed++;
	return 0;
}

/* Two rows that exchanged a serial number or an address: the other row's device gives it up now
 * and gets its own when its row comes. */
static void give_up(struct engine *e, const struct inventory_row *row)
{
	const char *field;
	struct device *other;

	while ((other = (struct device *)contradicts(e, row, &field))) {
		struct device_texts texts;

		if (!is_in_file(e, other))
			return; /* see take_ip() */

		if (strcmp(field, "ip") == 0) {
			if (other->confirmed)
				unprovision(e, other);
			device_set_ip(&e->devices, other, 0);
			device_set_state(&e->devices, other, DEVICE_NEW);
		} else {
			device_texts(&e->devices, other, &texts);
			texts.serial_number = "";
			if (device_set_texts(&e->devices, other, &texts) < 0)
				return;
		}
		mark_dirty(e, other);
	}
}

static int apply_row(struct engine *e, size_t at, int64_t now)
{
	const struct inventory_row *row = &e->job.rows[at];
	struct device *d = e->job.fresh ? NULL : device_find(&e->devices, &row->mac);

	(void)now;
	if (!e->job.fresh)
		give_up(e, row);
	if (d)
		e->job.changed += change_row(e, d, row);
	else if (add_row(e, row))
		e->job.added++;
	return 0;
}

#define ROWS_AHEAD 8 /* so many rows before its turn a row's buckets are asked for */

static void look_ahead(struct engine *e, struct device_ahead ahead[ROWS_AHEAD])
{
	const struct inventory_job *job = &e->job;
	size_t at = job->at, next = at + ROWS_AHEAD;

	device_ahead_row_go_on(&e->devices, &ahead[(at + ROWS_AHEAD / 2) % ROWS_AHEAD]);
	if (next < job->count)
		device_ahead_row(&e->devices, &job->rows[next].mac, job->rows[next].ip,
			job->rows[next].serial_number, &ahead[at % ROWS_AHEAD]);
}

static void tell_loaded(struct engine *e, int64_t now)
{
	char detail[200];

	snprintf(detail, sizeof(detail), "%zu devices: %zu added, %zu changed, %zu removed",
		e->job.count, e->job.added, e->job.changed, e->job.removed);
	tell_inventory(e, EVENT_INVENTORY_LOADED, e->job.file, detail, now);
}

/* Each goes over all slots of the table or all rows of the file, some of them in a step; 1 ends
 * the step. */
static const struct {
	int (*one)(struct engine *e, size_t at, int64_t now);
	enum { OVER_SLOTS, OVER_ROWS, OVER_TABLES } over;
} phases[] = {
	[INVENTORY_GROW] = {grow_table, OVER_TABLES},
	[INVENTORY_CLEAR] = {clear_mark, OVER_SLOTS},
	[INVENTORY_CHECK] = {check_row, OVER_ROWS},
	[INVENTORY_COUNT] = {count_lost, OVER_SLOTS},
	[INVENTORY_SWEEP] = {sweep, OVER_SLOTS},
	[INVENTORY_APPLY] = {apply_row, OVER_ROWS},
};

static size_t phase_end(const struct inventory_job *job)
{
	switch (phases[job->phase].over) {
	case OVER_ROWS: return job->count;
	case OVER_TABLES: return DEVICE_TABLES;
	default: return job->slots;
	}
}

void engine_inventory_begin(
	struct engine *e, const struct inventory *inventory, const char *file, bool force)
{
	e->job = (struct inventory_job){.file = file, .force = force};
	e->job.rows = inventory_rows(inventory, &e->job.count);
	device_table_expect(&e->devices, (uint32_t)e->job.count);
	e->job.slots = e->devices.used;
	e->job.fresh = e->devices.count == 0;
	e->job.phase = e->job.fresh ? INVENTORY_APPLY : INVENTORY_GROW;
}

static int next_phase(struct engine *e, int64_t now)
{
	e->job.at = 0;
	switch (e->job.phase) {
	case INVENTORY_COUNT: e->job.phase = INVENTORY_SWEEP; return guard(e, now);
	case INVENTORY_APPLY:
		e->job.phase = INVENTORY_IDLE;
		tell_loaded(e, now);
		return 0;
	default: e->job.phase++; return 0;
	}
}

int engine_inventory_step(struct engine *e, size_t rows, int64_t now)
{
	struct device_ahead ahead[ROWS_AHEAD] = {0};
	struct inventory_job *job = &e->job;
	int err = 0;

	if (now > e->now)
		e->now = now;
	while (err == 0 && rows > 0 && job->phase != INVENTORY_IDLE) {
		if (job->at == phase_end(job)) {
			err = next_phase(e, now);
			continue;
		}
		if (phases[job->phase].over == OVER_ROWS)
			look_ahead(e, ahead);
		err = phases[job->phase].one(e, job->at++, now);
		rows--;
	}
	engine_settle(e);
	return err < 0 ? err : job->phase != INVENTORY_IDLE;
}

/* --- By hand -----------------------------------------------------------------------------------
 */

/* A row of the file that is being taken over, of another device, has the serial number or the
 * address: it may have been checked already, or not yet be applied. */
static bool contradicts_file(
	const struct engine *e, const struct inventory_row *row, const char **ret_field)
{
	const struct inventory_job *job = &e->job;

	for (size_t i = 0; job->phase != INVENTORY_IDLE && i < job->count; i++) {
		const struct inventory_row *other = &job->rows[i];

		if (mac_equal(&other->mac, &row->mac))
			continue;
		*ret_field = "ip";
		if (row->ip && other->ip == row->ip)
			return true;
		*ret_field = "serial_number";
		if (strcmp(other->serial_number, row->serial_number) == 0)
			return true;
	}
	return false;
}

int engine_put_device(struct engine *e, const struct inventory_row *row, const struct mac *replaces,
	const char **ret_field, int64_t now)
{
	struct device *d = device_find(&e->devices, &row->mac);
	bool is_new = d == NULL;
	struct memo *memo;

	if (now > e->now)
		e->now = now;
	if (replaces && !device_find(&e->devices, replaces))
		return ERR_NOT_FOUND;
	if (contradicts(e, row, ret_field) || contradicts_file(e, row, ret_field))
		return ERR_DUPLICATE;
	e->job.fresh = false;
	if (d)
		change_row(e, d, row);
	else
		d = add_row(e, row);
	memo = d && replaces ? device_memo_new(&e->devices, d) : NULL;
	if (memo) {
		memo->replaces = *replaces;
		mark_dirty(e, d);
	}
	engine_settle(e);
	return is_new;
}

int engine_remove_device(struct engine *e, const struct mac *mac, int64_t now)
{
	struct device *d = device_find(&e->devices, mac);

	if (!d)
		return ERR_NOT_FOUND;
	if (now > e->now)
		e->now = now;
	remove_device(e, d);
	engine_settle(e);
	return 0;
}

int engine_retry(struct engine *e, const struct mac *mac, int64_t now)
{
	struct device *d = device_find(&e->devices, mac);
	const struct reservation *r = d ? reservations_find(&e->reservations, mac) : NULL;
	struct wish wish = {.purpose = PURPOSE_ENSURE};

	if (!d)
		return ERR_NOT_FOUND;
	if (now > e->now)
		e->now = now;
	wish.ip = r && r->ip ? r->ip : d->ip;
	if (!wish.ip || conf_group_of(e->conf, wish.ip) < 0)
		return ERR_MISSING;
	wish.group = (uint16_t)conf_group_of(e->conf, wish.ip);
	wish.acked_server = d->acked_server;
	wish.xid = d->xid;
	wish.relay = device_relay(&e->devices, d);
	if (d->ip != wish.ip)
		wish.purpose = d->ip ? PURPOSE_UPDATE : PURPOSE_CREATE;
	provision_again(e, d, &wish);
	engine_settle(e);
	return 0;
}

int engine_release(struct engine *e, const struct mac *mac, int64_t now)
{
	struct device *d = device_find(&e->devices, mac);

	if (!d)
		return ERR_NOT_FOUND;
	if (!d->ip && !reservations_find(&e->reservations, mac))
		return ERR_MISSING;
	if (now > e->now)
		e->now = now;
	unprovision(e, d);
	device_set_ip(&e->devices, d, 0);
	device_set_state(&e->devices, d, DEVICE_NEW);
	mark_dirty(e, d);
	engine_settle(e);
	return 0;
}
