/* SPDX-License-Identifier: ISC
 *
 * The event log: a file of JSON Lines that others read, rotate and ship. It follows the store: an
 * event is written here after its commit, once by its id, also when a crash came in between.
 */
#ifndef TAP82_EVENTLOG_H
#define TAP82_EVENTLOG_H

#include <stddef.h>
#include <stdint.h>

#include "tap82/store.h"

struct eventlog;

/* Up to where the log is known to be written: the fact "eventlog" of the store. */
#define EVENTLOG_FACT "eventlog"
struct eventlog_mark {
	uint8_t id[EVENT_ID_BYTES];
};

/* Opens or creates the file (0640) and cuts off a line that a crash left unfinished. 0 or -errno.
 */
int eventlog_open(const char *path, struct eventlog **ret_log);
void eventlog_close(struct eventlog *log); /* NULL is fine */
/* After a rotation: closes and opens `path` anew. 0 or -errno; then the old file stays in use. */
int eventlog_reopen(struct eventlog *log);

/* Collects one event; eventlog_flush() writes all that were collected. */
void eventlog_add(struct eventlog *log, const struct event_row *row);
/* 1: something was written, *ret_mark says up to where; 0: nothing to do; or -errno: nothing of it
 * was written (a part is cut off again), the log is behind until eventlog_catch_up(). */
int eventlog_flush(struct eventlog *log, struct eventlog_mark *ret_mark);

/* Writes the newest events of the store that come after the mark and are not in the log yet. The
 * number of events written, or negative. */
int eventlog_catch_up(struct eventlog *log, struct store *store);

#endif
