/* SPDX-License-Identifier: ISC
 *
 * The log: stderr, one line a happening, written only by the one who knows the object. Lower
 * layers return errors and are silent. Under systemd lines carry the <N> priority prefix.
 * Control characters in the text are escaped. No line ever holds a secret.
 */
#ifndef TAP82_LOG_H
#define TAP82_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level max);
enum log_level log_level(void);

/* "tap82: <object>: <what is wrong>: <cause>": the caller writes all after "tap82: ". */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A limit for lines that packets or peers can cause: `burst` lines, then one each `interval`. */
struct log_limit {
	int64_t interval; /* microseconds */
	uint32_t burst;
	uint32_t used;
	int64_t since;
	uint64_t suppressed; /* lines not written since the last one that was */
};

/* 1 if a line may be written at `now` (a clock_mono() value), else 0. */
int log_limit_pass(struct log_limit *limit, int64_t now);

#endif
