/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "table.h"

#define GAP	 2
#define NARROW	 8 /* a column is not cut below that */
#define ELLIPSIS "\xe2\x80\xa6"

struct table {
	const char *const *titles;
	size_t columns, rows, room;
	char **cells; /* rows × columns */
};

size_t table_width(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

bool table_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(no && *no);
}

static bool is_control(const uint8_t *p)
{
	return *p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0);
}

char *table_clean(const char *text)
{
	char *out = malloc(4 * strlen(text) + 1), *q = out;
	const uint8_t *p = (const uint8_t *)text;

	if (!out)
		return NULL;
	for (; *p; p++) {
		if (!is_control(p)) {
			*q++ = (char)*p;
			continue;
		}
		if (*p == 0xc2)
			p++;
		q += sprintf(q, "\\x%02x", *p);
	}
	*q = 0;
	return out;
}

/* Characters, not bytes: what continues a UTF-8 sequence takes no place. */
static size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

struct table *table_new(const char *const *titles, size_t columns)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table)
		*table = (struct table){.titles = titles, .columns = columns};
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void table_add(struct table *table, const char *const *cells)
{
	if (table->rows == table->room) {
		size_t room = table->room ? 2 * table->room : 64;
		char **more = realloc(table->cells, room * table->columns * sizeof(*more));

		if (!more)
			return;
		table->cells = more;
		table->room = room;
	}
	for (size_t i = 0; i < table->columns; i++)
		table->cells[table->rows * table->columns + i] =
			table_clean(cells[i] ? cells[i] : "");
	table->rows++;
}

size_t table_rows(const struct table *table)
{
	return table->rows;
}

static const char *cell(const struct table *table, size_t row, size_t column)
{
	const char *text = table->cells[row * table->columns + column];

	return text ? text : "";
}

static size_t total(const size_t *widths, size_t columns)
{
	size_t sum = 0;

	for (size_t i = 0; i < columns; i++)
		sum += widths[i] ? widths[i] + GAP : 0;
	return sum > 0 ? sum - GAP : 0;
}

/* A column that is empty in all rows is left out. */
static void measure(const struct table *table, size_t *widths)
{
	for (size_t i = 0; i < table->columns; i++) {
		size_t most = 0;

		for (size_t row = 0; row < table->rows; row++) {
			size_t n = text_width(cell(table, row, i));

			most = n > most ? n : most;
		}
		if (most > 0 && text_width(table->titles[i]) > most)
			most = text_width(table->titles[i]);
		widths[i] = most;
	}
}

/* Takes from the widest column until the line fits, or nothing can be taken. */
static void shrink(size_t *widths, size_t columns, size_t width)
{
	while (width > 0 && total(widths, columns) > width) {
		size_t widest = 0;

		for (size_t i = 1; i < columns; i++)
			if (widths[i] > widths[widest])
				widest = i;
		if (widths[widest] <= NARROW)
			return;
		widths[widest]--;
	}
}

/* How many bytes the first `n` characters take. */
static size_t bytes_of(const char *text, size_t n)
{
	size_t i = 0;

	for (; text[i]; i++)
		if ((text[i] & 0xc0) != 0x80 && n-- == 0)
			break;
	return i;
}

static void print_cell(FILE *out, const char *text, size_t width, bool last)
{
	size_t n = text_width(text);
	bool cut = n > width;

	fwrite(text, 1, bytes_of(text, cut ? width - 1 : n), out);
	if (cut)
		fputs(ELLIPSIS, out);
	for (size_t i = cut ? width : n; !last && i < width + GAP; i++)
		fputc(' ', out);
}

static void print_row(const struct table *table, FILE *out, const size_t *widths, long row)
{
	size_t last = table->columns;

	while (last > 0 && widths[last - 1] == 0)
		last--;
	for (size_t i = 0; i < last; i++)
		if (widths[i] > 0)
			print_cell(out, row < 0 ? table->titles[i] : cell(table, (size_t)row, i),
				widths[i], i + 1 == last);
}

void table_print(const struct table *table, FILE *out, size_t width, bool colour)
{
	size_t *widths = calloc(table->columns + 1, sizeof(*widths));

	if (!widths)
		return;
	measure(table, widths);
	shrink(widths, table->columns, width);
	if (colour)
		fputs("\033[1m", out);
	print_row(table, out, widths, -1);
	fputs(colour ? "\033[0m\n" : "\n", out);
	for (size_t row = 0; row < table->rows; row++) {
		print_row(table, out, widths, (long)row);
		fputc('\n', out);
	}
	free(widths);
}
