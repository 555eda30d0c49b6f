/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap82/csv.h"
#include "tap82/err.h"

#define BUFFER_BYTES (CSV_RECORD_MAX + 1) /* one for the NUL of a last line without end */

struct csv {
	int fd;
	bool eof, begun;
	int dead; /* what every further call gives */
	const char *error;
	uint32_t line; /* of the next record */
	size_t start, end; /* of what is read and not yet given */
	uint64_t given; /* bytes before the buffer */
	struct csv_field fields[CSV_FIELDS_MAX];
	char buffer[BUFFER_BYTES];
};

int csv_open(const char *path, struct csv **ret_csv)
{
	struct csv *csv = malloc(sizeof(*csv));
	int saved;

	if (!csv)
		return -ENOMEM;
	csv->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (csv->fd < 0) {
		saved = errno;
		free(csv);
		return -saved;
	}
	csv->eof = csv->begun = false;
	csv->dead = 0;
	csv->error = "";
	csv->line = 1;
	csv->start = csv->end = 0;
	csv->given = 0;
	*ret_csv = csv;
	return 0;
}

void csv_close(struct csv *csv)
{
	if (!csv)
		return;
	close(csv->fd);
	free(csv);
}

uint64_t csv_file_size(const struct csv *csv)
{
	struct stat st;

	return fstat(csv->fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

uint64_t csv_position(const struct csv *csv)
{
	return csv->given + csv->start;
}

const char *csv_error(const struct csv *csv)
{
	return csv->error;
}

static int die(struct csv *csv, int err, const char *error)
{
	csv->error = error;
	csv->dead = err;
	return err;
}

/* Moves what is left to the front and reads on. 0 or negative. */
static int fill(struct csv *csv)
{
	ssize_t n;

	if (csv->start > 0) {
		memmove(csv->buffer, csv->buffer + csv->start, csv->end - csv->start);
		csv->end -= csv->start;
		csv->given += csv->start;
		csv->start = 0;
	}
	if (csv->end == CSV_RECORD_MAX)
		return die(csv, ERR_FULL, "the row is too long");
	do
		n = read(csv->fd, csv->buffer + csv->end, CSV_RECORD_MAX - csv->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return die(csv, -errno, strerror(errno));
	csv->eof = n == 0;
	csv->end += (size_t)n;
	return 0;
}

/* Behind the quote that closes the field that begins at `p`, or NULL. */
static const char *quoted_end(const char *p, const char *end)
{
	for (p++; p < end; p += 2) {
		p = memchr(p, '"', (size_t)(end - p));
		if (!p)
			return NULL;
		if (p + 1 == end || p[1] != '"')
			return p + 1;
	}
	return NULL;
}

/* The line end of the record at `p`, or NULL if it is not there. *ret_open: a quote is open. */
static const char *record_end(const char *p, const char *end, bool *ret_open)
{
	*ret_open = false;
	while (p < end) {
		if (*p == '"') {
			p = quoted_end(p, end);
			*ret_open = !p;
			if (!p)
				return NULL;
		}
		while (p < end && *p != ',' && *p != '\n')
			p++;
		if (p < end && *p == '\n')
			return p;
		p++;
	}
	return NULL;
}

/* The end of the next record in the buffer, where its line end or the end of the file is. */
static int find_record(struct csv *csv, const char **ret_end)
{
	bool open = false;

	for (;;) {
		const char *p = csv->buffer + csv->start, *end = csv->buffer + csv->end;
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		int r;

		if (newline && memchr(p, '"', (size_t)(newline - p)))
			newline = record_end(p, end, &open);
		else if (!newline && csv->eof)
			newline = record_end(p, end, &open);
		if (newline || (csv->eof && !open)) {
			*ret_end = newline ? newline : end;
			return 0;
		}
		if (csv->eof)
			return die(csv, ERR_TRUNCATED, "a quote is opened here and never closed");
		r = fill(csv);
		if (r < 0)
			return r;
	}
}

/* Unquotes the field at `p` in place. What follows it, or NULL if it is broken. */
static char *unquote(struct csv *csv, char *p, char *end, struct csv_field *field)
{
	char *out = p, *close = (char *)quoted_end(p, end);

	if (!close || (close < end && *close != ',')) {
		csv->error = "something stands behind a closing quote";
		return NULL;
	}
	field->text = p;
	for (char *in = p + 1; in < close - 1; in++) {
		*out++ = *in;
		in += *in == '"';
	}
	*out = 0;
	field->len = (size_t)(out - p);
	return close;
}

static char *plain(struct csv *csv, char *p, char *end, struct csv_field *field)
{
	char *comma = memchr(p, ',', (size_t)(end - p));

	field->text = p;
	if (!comma)
		comma = end;
	field->len = (size_t)(comma - p);
	if (memchr(p, '"', field->len)) {
		csv->error = "a quote stands inside a field that does not begin with one";
		return NULL;
	}
	return comma;
}

/* p..end without line end; *end may be overwritten. */
static int split(struct csv *csv, char *p, char *end)
{
	int n = 0;

	for (;; p++) {
		if (n == CSV_FIELDS_MAX) {
			csv->error = "the row has too many fields";
			return ERR_SYNTAX;
		}
		p = p < end && *p == '"' ? unquote(csv, p, end, &csv->fields[n])
					 : plain(csv, p, end, &csv->fields[n]);
		if (!p)
			return ERR_SYNTAX;
		n++;
		if (p == end)
			break;
		*p = 0;
	}
	*end = 0;
	return n;
}

static uint32_t count_lines(const char *p, const char *end)
{
	uint32_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		n++;
		p++;
	}
	return n;
}

static int begin(struct csv *csv)
{
	int r = 0;

	csv->begun = true;
	while (r == 0 && !csv->eof && csv->end < 3)
		r = fill(csv);
	if (csv->end >= 3 && memcmp(csv->buffer, "\xef\xbb\xbf", 3) == 0)
		csv->start = 3;
	return r;
}

/* One record, empty ones too (its one field is empty then). */
static int next_record(struct csv *csv)
{
	const char *found;
	char *p, *end;
	int r = find_record(csv, &found);

	if (r < 0)
		return r;
	p = csv->buffer + csv->start;
	end = csv->buffer + (found - csv->buffer);
	if (found < csv->buffer + csv->end)
		csv->start = (size_t)(found - csv->buffer) + 1;
	else
		csv->start = csv->end;
	csv->line += count_lines(p, end) + 1;
	if (end > p && end[-1] == '\r')
		end--;
	return split(csv, p, end);
}

int csv_next(struct csv *csv, struct csv_field **ret_fields, uint32_t *ret_line)
{
	int r = csv->dead;

	*ret_line = csv->line;
	if (r == 0 && !csv->begun)
		r = begin(csv);
	while (r >= 0) {
		*ret_line = csv->line;
		if (csv->start == csv->end && csv->eof)
			return 0;
		r = next_record(csv);
		if (r == 1 && csv->fields[0].len == 0)
			continue;
		if (r > 0)
			*ret_fields = csv->fields;
		return r;
	}
	return r;
}

size_t csv_format(const char *text, size_t len, char *out)
{
	size_t n = 0;
	bool quote = false;

	for (size_t i = 0; i < len && !quote; i++)
		quote = text[i] == '"' || text[i] == ',' || text[i] == '\n' || text[i] == '\r';
	if (!quote) {
		memcpy(out, text, len);
		return len;
	}
	out[n++] = '"';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			out[n++] = '"';
		out[n++] = text[i];
	}
	out[n++] = '"';
	return n;
}
