/* SPDX-License-Identifier: ISC
 *
 * Time. A point in time is int64_t microseconds since 1970-01-01 UTC, 0 for "never". A duration is
 * int64_t microseconds. Only the first five functions look at a clock, and only the edges of
 * the program call them: everything else gets the time as an argument, so that a replay runs on
 * the packets' clock.
 */
#ifndef TAP82_CLOCK_H
#define TAP82_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define USEC_PER_MSEC INT64_C(1000)
#define USEC_PER_SEC  INT64_C(1000000)
#define USEC_PER_HOUR (3600 * USEC_PER_SEC)
#define USEC_PER_DAY  (24 * USEC_PER_HOUR)

#define TIME_LAST (INT64_C(253402300799) * USEC_PER_SEC) /* 9999-12-31T23:59:59Z */

#define TIME_TEXT 28 /* "2026-01-02T03:04:05.678901Z" and NUL */

int64_t clock_wall(void);
int64_t clock_mono(void); /* CLOCK_BOOTTIME: goes on during suspend, never back */
/* The engine's time: the wall clock as it was when this was first asked for, and from there on by
 * CLOCK_BOOTTIME, second by second, also those of a suspended machine. Who sets the wall clock,
 * forward or back, changes nothing of it: holds, retries and deadlines keep what is left of them.
 */
int64_t clock_onward(void);
/* How much the wall clock is ahead of clock_onward(): 0 until somebody sets it. What is shown and
 * what is stored is the engine's time and this. Less than 10 ms is not looked at. */
int64_t clock_ahead(void);
/* A moment lately by the wall clock (a packet's stamp) as engine's time: not later than now, and
 * not more than a minute before, for then the clock was set in between: now. */
int64_t clock_onward_of(int64_t wall);

/* RFC 3339, UTC, microseconds; returns `out`. Years 1970..9999; others give the nearest. */
char *time_format(int64_t time, char out[TIME_TEXT]);
/* RFC 3339 with any offset and 0..9 decimals, or a plain number of seconds since 1970.
 * 0, or ERR_SYNTAX. */
int time_parse(const char *text, int64_t *ret_time);

/* "250ms", "300s", "10m", "6h", "90d": a whole number and a unit. 0, ERR_SYNTAX, ERR_RANGE. */
int duration_parse(const char *text, int64_t *ret_usec);
/* The largest unit that divides it, e.g. "5m", "300ms"; returns `out`. */
char *duration_format(int64_t usec, char *out, size_t size);
/* "4096", "64K", "32M", "1G" (powers of 1024). 0, ERR_SYNTAX, ERR_RANGE. */
int size_parse(const char *text, uint64_t *ret_bytes);

#endif
