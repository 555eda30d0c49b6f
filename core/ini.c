/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <iniparser/iniparser.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ini.h"
#include "tap82/err.h"

#define FILE_MAX      (4u << 20)
#define LINE_BYTES    1000 /* iniparser's own limit is 1023 with the line end */
#define SECTIONS_MAX  10000
#define COMPLAINT_MAX 256

enum { NO_SECTION_YET = -1, BAD_SECTION = -2 };

struct scan {
	const char *path;
	problem_fn problem;
	void *ctx;
	unsigned problems;
	unsigned line;
	FILE *clean; /* what iniparser is given */
	ssize_t current; /* the section whose keys follow; or: */
	struct ini *ini;
};

static void complain(struct scan *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Of the file, or of a line of it. */
static void complain(struct scan *s, const char *fmt, ...)
{
	char what[512], text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (s->line)
		snprintf(text, sizeof(text), "%s:%u: %s", s->path, s->line, what);
	else
		snprintf(text, sizeof(text), "%s: %s", s->path, what);
	s->problem(s->ctx, text);
	s->problems++;
}

/* Of a section, or, where `key` is not NULL, of a key of it. */
static void complain_of(struct scan *s, const char *title, const char *key, const char *what)
{
	char text[LINE_BYTES + 1024];

	snprintf(text, sizeof(text), "%s: [%s]%s%s: %s (line %u)", s->path, title, key ? " " : "",
		key ? key : "", what, s->line);
	s->problem(s->ctx, text);
	s->problems++;
}

static void complain_twice(struct scan *s, const char *title, const char *key, unsigned first)
{
	char what[64];

	snprintf(what, sizeof(what), "stands twice: first on line %u", first);
	complain_of(s, title, key, what);
}

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
		end--;
	*end = 0;
	return text;
}

static bool is_comment(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return *text == 0 || *text == ';' || *text == '#';
}

static struct ini_section *find_section(struct ini *ini, const char *title)
{
	for (size_t i = 0; i < ini->count; i++)
		if (strcasecmp(ini->sections[i].title, title) == 0)
			return &ini->sections[i];
	return NULL;
}

static struct ini_entry *find_entry(struct ini_section *section, const char *key)
{
	for (size_t i = 0; i < section->count; i++)
		if (strcasecmp(section->entries[i].key, key) == 0)
			return &section->entries[i];
	return NULL;
}

/* Room for one more of `size` bytes, zeroed, or NULL. */
static void *append(void *array, size_t *count, size_t size)
{
	char *bigger, **base = array;

	/* Grown at each power of two. */
	if ((*count & (*count - 1)) == 0) {
		bigger = reallocarray(*base, *count ? 2 * *count : 1, size);
		if (!bigger)
			return NULL;
		*base = bigger;
	}
	return memset(*base + (*count)++ * size, 0, size);
}

static int add_section(struct scan *s, const char *title)
{
	struct ini_section *section = find_section(s->ini, title);

	fprintf(s->clean, "[%s]\n", title);
	if (section) {
		complain_twice(s, title, NULL, section->line);
		s->current = section - s->ini->sections;
		return 0;
	}
	if (s->ini->count == SECTIONS_MAX) {
		complain(s, "more than %d sections", SECTIONS_MAX);
		return ERR_FULL;
	}
	section = append(&s->ini->sections, &s->ini->count, sizeof(*section));
	if (!section)
		return -ENOMEM;
	s->current = (ssize_t)s->ini->count - 1;
	section->line = s->line;
	section->title = strdup(title);
	return section->title ? 0 : -ENOMEM;
}

/* "[kind  name]  ; comment" */
static int scan_header(struct scan *s, char *line)
{
	char title[LINE_BYTES + 1], *close = strchr(line, ']');
	size_t n = 0;

	s->current = BAD_SECTION;
	if (!close) {
		complain(s, "the section's ']' is missing");
		return 0;
	}
	if (!is_comment(close + 1)) {
		complain(s, "behind the section's ']' stands something else than a comment");
		return 0;
	}
	*close = 0;
	for (char *p = trim(line + 1); *p; p++)
		if (!isspace((unsigned char)*p) || !isspace((unsigned char)p[1]))
			title[n++] = isspace((unsigned char)*p) ? ' ' : *p;
	title[n] = 0;
	if (n == 0 || strchr(title, ':')) {
		complain(s, "[%s] is no name of a section", title);
		return 0;
	}
	return add_section(s, title);
}

/* What iniparser would cut or drop without a word: NULL if there is nothing such. */
static const char *what_is_lost(const char *raw)
{
	const char *close, *cut;

	if (*raw == '"' || *raw == '\'') {
		close = strchr(raw + 1, *raw);
		if (!close)
			return "the quote is not closed";
		return is_comment(close + 1)
			       ? NULL
			       : "behind the closing quote stands something else than a comment";
	}
	cut = strpbrk(raw, ";#");
	if (cut && cut > raw && !isspace((unsigned char)cut[-1]))
		return *cut == ';'
			       ? "';' begins a comment: a value that holds one stands in quotes"
			       : "'#' begins a comment: a value that holds one stands in quotes";
	return NULL;
}

static int add_entry(struct scan *s, const char *key, const char *raw)
{
	struct ini_section *section = &s->ini->sections[s->current];
	struct ini_entry *entry = find_entry(section, key);
	const char *lost = what_is_lost(raw);

	if (entry) {
		complain_twice(s, section->title, key, entry->line);
		return 0;
	}
	entry = append(&section->entries, &section->count, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->line = s->line;
	entry->key = strdup(key);
	if (lost)
		complain_of(s, section->title, key, lost);
	else
		fprintf(s->clean, "%s = %s\n", key, raw);
	return entry->key ? 0 : -ENOMEM;
}

static int scan_line(struct scan *s, char *line)
{
	char *equals = strchr(line, '='), *key, *raw;

	if (is_comment(line))
		return 0;
	line = trim(line);
	if (*line == '[')
		return scan_header(s, line);
	if (!equals || equals == line) {
		complain(s, "is neither [SECTION] nor KEY = VALUE nor a comment");
		return 0;
	}
	if (s->current == NO_SECTION_YET)
		complain(s, "stands before the first [SECTION]");
	if (s->current < 0)
		return 0;
	*equals = 0;
	key = trim(line);
	raw = trim(equals + 1);
	return add_entry(s, key, raw);
}

/* The next line of text..end joined with what a backslash at its end continues. Its length, -1 if
 * it does not fit; *ret_lines: of how many lines it is made. */
static int join_line(char **text, char *end, char out[LINE_BYTES + 1], unsigned *ret_lines)
{
	size_t used = 0;
	bool more = true, fits = true;

	for (*ret_lines = 0; more && *text < end; ++*ret_lines) {
		char *newline = memchr(*text, '\n', (size_t)(end - *text)), *start = *text;
		size_t n = (size_t)((newline ? newline : end) - start);

		*text = newline ? newline + 1 : end;
		while (n > 0 && isspace((unsigned char)start[n - 1]))
			n--;
		more = n > 0 && start[n - 1] == '\\';
		n -= more;
		fits = fits && used + n <= LINE_BYTES;
		if (fits) {
			memcpy(out + used, start, n);
			used += n;
		}
	}
	out[used] = 0;
	return fits ? (int)used : -1;
}

static int scan_text(struct scan *s, char *text, char *end)
{
	char line[LINE_BYTES + 1];
	unsigned lines = 1;
	int r = 0;

	if (end - text >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	for (s->line = 1; text < end && r == 0; s->line += lines) {
		int n = join_line(&text, end, line, &lines);

		if (n < 0)
			complain(s, "is longer than %d bytes", LINE_BYTES);
		else if (strlen(line) != (size_t)n)
			complain(s, "holds a NUL byte");
		else
			r = scan_line(s, line);
	}
	s->line = 0;
	return r;
}

static int read_file(const char *path, char **ret_text, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t n;
	int r;

	if (!f)
		return -errno;
	text = malloc(FILE_MAX + 1);
	n = text ? fread(text, 1, FILE_MAX + 1, f) : 0;
	r = !text ? -ENOMEM : ferror(f) ? -(errno ? errno : EIO) : n > FILE_MAX ? ERR_FULL : 0;
	fclose(f);
	if (r < 0) {
		free(text);
		return r;
	}
	*ret_text = text;
	*ret_len = n;
	return 0;
}

static char complaint[COMPLAINT_MAX];

/* iniparser would print to stderr itself. The first complaint is kept. */
static int keep_complaint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int keep_complaint(const char *fmt, ...)
{
	va_list args;

	if (*complaint)
		return 0;
	va_start(args, fmt);
	vsnprintf(complaint, sizeof(complaint), fmt, args);
	va_end(args);
	return 0;
}

/* iniparser 4.1 reads only what has a name. */
static int parse_values(struct scan *s, int fd)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	*complaint = 0;
	iniparser_set_error_callback(keep_complaint);
	s->ini->dictionary = iniparser_load(name);
	iniparser_set_error_callback(NULL);
	if (*complaint)
		complain(s, "%s", trim(complaint));
	return s->ini->dictionary ? 0 : *complaint ? ERR_SYNTAX : -ENOMEM;
}

static void take_value(struct ini *ini, const struct ini_section *section, struct ini_entry *entry)
{
	char name[2 * LINE_BYTES + 3];
	size_t n = (size_t)snprintf(name, sizeof(name), "%s:%s", section->title, entry->key);

	for (size_t i = 0; i < n; i++)
		name[i] = (char)tolower((unsigned char)name[i]);
	/* What was not given to iniparser has none. */
	entry->value = iniparser_getstring(ini->dictionary, name, NULL);
}

static int take_values(struct scan *s)
{
	for (size_t i = 0; i < s->ini->count; i++)
		for (size_t j = 0; j < s->ini->sections[i].count; j++)
			take_value(s->ini, &s->ini->sections[i], &s->ini->sections[i].entries[j]);
	return 0;
}

static int load(struct scan *s, char *text, size_t len)
{
	int fd = memfd_create("tap82.ini", MFD_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	s->clean = fdopen(fd, "w");
	if (!s->clean) {
		close(fd);
		return -ENOMEM;
	}
	r = scan_text(s, text, text + len);
	if (r == 0 && fflush(s->clean) != 0)
		r = -errno;
	if (r == 0)
		r = parse_values(s, fd);
	if (r == 0)
		r = take_values(s);
	fclose(s->clean);
	return r;
}

int ini_load(const char *path, problem_fn problem, void *ctx, unsigned *ret_problems,
	struct ini *ret_ini)
{
	struct ini ini = {0};
	struct scan s = {.path = path,
		.problem = problem,
		.ctx = ctx,
		.ini = &ini,
		.current = NO_SECTION_YET};
	char *text = NULL;
	size_t len = 0;
	int r = read_file(path, &text, &len);

	if (r == ERR_FULL)
		complain(&s, "is longer than %u bytes", FILE_MAX);
	else if (r < 0)
		complain(&s, "cannot be read: %s", err_text(r));
	else
		r = load(&s, text, len);
	if (r < 0 && s.problems == 0)
		complain(&s, "cannot be read: %s", err_text(r));
	free(text);
	if (r < 0) {
		ini_done(&ini);
		return r;
	}
	*ret_problems = s.problems;
	*ret_ini = ini;
	return 0;
}

void ini_done(struct ini *ini)
{
	for (size_t i = 0; i < ini->count; i++) {
		for (size_t j = 0; j < ini->sections[i].count; j++)
			free(ini->sections[i].entries[j].key);
		free(ini->sections[i].entries);
		free(ini->sections[i].title);
	}
	free(ini->sections);
	if (ini->dictionary)
		iniparser_freedict(ini->dictionary);
	*ini = (struct ini){0};
}
