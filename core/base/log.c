/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap82/log.h"

#define LINE_MAX_BYTES 2048

static enum log_level max_level = LOG_LEVEL_INFO;
static const char *const prefixes[] = {"<3>", "<4>", "<6>", "<7>"};

void log_set_level(enum log_level max)
{
	max_level = max;
}

enum log_level log_level(void)
{
	return max_level;
}

/* Text that came from the wire must not move a terminal's cursor. */
static size_t escape(const char *in, char *out, size_t size)
{
	size_t n = 0;

	for (; *in && n + 5 < size; in++) {
		unsigned char c = (unsigned char)*in;

		if (c >= 0x20 && c != 0x7f)
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
	}
	out[n++] = '\n';
	return n;
}

static void put_line(enum log_level level, const char *fmt, va_list args)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 64];
	int saved = errno;
	size_t n;

	if (level > max_level)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	n = (size_t)snprintf(
		line, 32, "%stap82: ", getenv("JOURNAL_STREAM") ? prefixes[level] : "");
	n += escape(text, line + n, sizeof(line) - n);
	if (write(STDERR_FILENO, line, n) < 0) {
		/* Nobody listens: there is nobody left to tell. */
	}
	errno = saved;
}

#define DEFINE_LOG(name, level)             \
	void name(const char *fmt, ...)     \
	{                                   \
		va_list args;               \
		va_start(args, fmt);        \
		put_line(level, fmt, args); \
		va_end(args);               \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

int log_limit_pass(struct log_limit *limit, int64_t now)
{
	if (limit->since == 0 || now - limit->since >= limit->interval) {
		limit->since = now;
		limit->used = 0;
	}
	if (limit->used >= limit->burst) {
		limit->suppressed++;
		return 0;
	}
	limit->used++;
	return 1;
}
