/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tap82/clock.h"
#include "tap82/clock_hook.h"
#include "tap82/err.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

int64_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME) + clock_test_shift();
}

int64_t clock_mono(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

#define STEP_LEAST (10 * USEC_PER_MSEC)
#define READ_LONG  USEC_PER_MSEC /* between two clocks: something came in between */
#define STAMP_AGE  (60 * USEC_PER_SEC)

/* Between the clocks. They are slewed together: what differs changes only when one is set. */
static struct {
	bool known;
	int64_t start; /* wall clock less the other, when first looked at */
	int64_t ahead; /* … now, less that */
	int64_t now; /* the last clock_onward() */
} between;

/* The other clock, and the wall clock at the same moment. */
static int64_t read_both(int64_t *ret_wall)
{
	int64_t before, after = clock_mono();

	for (int i = 0; i < 3; i++) {
		before = after;
		*ret_wall = clock_wall();
		after = clock_mono();
		if (after - before < READ_LONG)
			break;
	}
	return after;
}

int64_t clock_onward(void)
{
	int64_t wall, mono = read_both(&wall), step = wall - mono - between.start - between.ahead;

	if (!between.known) {
		between.known = true;
		between.start = wall - mono;
	} else if (step > STEP_LEAST || step < -STEP_LEAST) {
		between.ahead += step;
	}
	between.now = mono + between.start;
	return between.now;
}

int64_t clock_ahead(void)
{
	(void)clock_onward();
	return between.ahead;
}

int64_t clock_onward_of(int64_t wall)
{
	int64_t at = wall - between.ahead;

	if (!between.known || at > between.now || at < between.now - STAMP_AGE) {
		(void)clock_onward();
		at = wall - between.ahead;
	}
	return at > between.now || at < between.now - STAMP_AGE ? between.now : at;
}

static void put_digits(char *out, unsigned width, unsigned v)
{
	while (width-- > 0) {
		out[width] = (char)('0' + v % 10);
		v /= 10;
	}
}

/* Days since 1970 to a civil date (Howard Hinnant, "chrono-compatible low-level date algorithms").
 */
static void put_date(char *out, int64_t days)
{
	int64_t z = days + 719468, era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	unsigned month = mp < 10 ? mp + 3 : mp - 9;

	put_digits(out, 4, (unsigned)(yoe + era * 400 + (month <= 2)));
	put_digits(out + 5, 2, month);
	put_digits(out + 8, 2, doy - (153 * mp + 2) / 5 + 1);
}

char *time_format(int64_t time, char out[TIME_TEXT])
{
	int64_t seconds = time < 0 ? 0 : time / USEC_PER_SEC;
	unsigned usec = time < 0 ? 0 : (unsigned)(time % USEC_PER_SEC), day;

	if (seconds > (TIME_LAST / USEC_PER_SEC))
		seconds = (TIME_LAST / USEC_PER_SEC);
	day = (unsigned)(seconds % 86400);
	memcpy(out, "0000-00-00T00:00:00.000000Z", TIME_TEXT);
	put_date(out, seconds / 86400);
	put_digits(out + 11, 2, day / 3600);
	put_digits(out + 14, 2, day / 60 % 60);
	put_digits(out + 17, 2, day % 60);
	put_digits(out + 20, 6, usec);
	return out;
}

static int fraction_parse(const char **text, int64_t *ret_usec)
{
	int64_t v = 0, unit = 100000;
	const char *p = *text;

	if (*p != '.') {
		*ret_usec = 0;
		return 0;
	}
	for (p++; isdigit((unsigned char)*p); p++, unit /= 10)
		v += (*p - '0') * unit;
	if (p - *text < 2 || p - *text > 10)
		return ERR_SYNTAX;
	*text = p;
	*ret_usec = v;
	return 0;
}

static int offset_parse(const char *p, int64_t *ret_seconds)
{
	unsigned h, m;
	int n = 0;

	if ((*p == 'Z' || *p == 'z') && p[1] == 0) {
		*ret_seconds = 0;
		return 0;
	}
	if ((*p != '+' && *p != '-') || sscanf(p + 1, "%2u:%2u%n", &h, &m, &n) != 2 || n != 5 ||
		p[6] != 0 || h > 23 || m > 59)
		return ERR_SYNTAX;
	*ret_seconds = (*p == '-' ? -1 : 1) * (int64_t)(h * 3600 + m * 60);
	return 0;
}

static int seconds_parse(const char *text, int64_t *ret_time)
{
	int64_t usec, seconds = 0;
	const char *p = text;

	for (; isdigit((unsigned char)*p) && p - text < 12; p++)
		seconds = seconds * 10 + (*p - '0');
	if (p == text || fraction_parse(&p, &usec) < 0 || *p)
		return ERR_SYNTAX;
	*ret_time = seconds * USEC_PER_SEC + usec;
	return 0;
}

int time_parse(const char *text, int64_t *ret_time)
{
	struct tm tm = {0};
	int64_t usec, offset;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest)
		return seconds_parse(text, ret_time);
	if (fraction_parse(&rest, &usec) < 0 || offset_parse(rest, &offset) < 0)
		return ERR_SYNTAX;
	*ret_time = ((int64_t)timegm(&tm) - offset) * USEC_PER_SEC + usec;
	return 0;
}

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit durations[] = {
	{"d", USEC_PER_DAY},
	{"h", USEC_PER_HOUR},
	{"m", 60 * USEC_PER_SEC},
	{"s", USEC_PER_SEC},
	{"ms", USEC_PER_MSEC},
};

static const struct unit sizes[] = {
	{"", 1},
	{"K", INT64_C(1) << 10},
	{"M", INT64_C(1) << 20},
	{"G", INT64_C(1) << 30},
};

static int scaled_parse(const char *text, const struct unit *units, size_t n, int64_t *ret)
{
	int64_t v = 0;
	const char *p = text;

	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
			return ERR_RANGE;
	if (p == text)
		return ERR_SYNTAX;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(p, units[i].name) != 0)
			continue;
		return __builtin_mul_overflow(v, units[i].factor, ret) ? ERR_RANGE : 0;
	}
	return ERR_SYNTAX;
}

int duration_parse(const char *text, int64_t *ret_usec)
{
	int64_t v;
	int r = scaled_parse(text, durations, sizeof(durations) / sizeof(durations[0]), &v);

	if (r == 0)
		*ret_usec = v;
	return r;
}

int size_parse(const char *text, uint64_t *ret_bytes)
{
	int64_t v;
	int r = scaled_parse(text, sizes, sizeof(sizes) / sizeof(sizes[0]), &v);

	if (r == 0)
		*ret_bytes = (uint64_t)v;
	return r;
}

char *duration_format(int64_t usec, char *out, size_t size)
{
	for (unsigned i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		if (usec == 0 || usec % durations[i].factor != 0)
			continue;
		snprintf(out, size, "%lld%s", (long long)(usec / durations[i].factor),
			durations[i].name);
		return out;
	}
	snprintf(out, size, "%lldms", (long long)(usec / USEC_PER_MSEC));
	return out;
}
