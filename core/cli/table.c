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

/* --- Characters ------------------------------------------------------------------------------ */

/* The next character of UTF-8: how many bytes it takes. A byte that begins none stands for itself,
 * as a control character. */
static size_t next_char(const char *text, uint32_t *ret_char)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t len = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
	uint32_t c = len == 1 ? *p : *p & (0x7f >> len);

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			len = 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	*ret_char = len ? c : 0x80;
	return len ? len : 1;
}

struct range {
	uint32_t first, last;
};

static bool is_among(uint32_t c, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

#define IS_AMONG(c, ranges) is_among(c, ranges, sizeof(ranges) / sizeof((ranges)[0]))

/* Also what turns the direction of writing, and what nobody sees: a name must not look like
 * another. */
static bool is_control(uint32_t c)
{
	static const struct range ranges[] = {{0, 0x1f}, {0x7f, 0x9f}, {0x200b, 0x200f},
		{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}};

	return IS_AMONG(c, ranges);
}

/* The places of a terminal: East Asian and pictures take two, marks on letters none. */
static size_t char_width(uint32_t c)
{
	static const struct range wide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},
		{0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6},
		{0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
	static const struct range marks[] = {{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd},
		{0x1ab0, 0x1aff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};

	return IS_AMONG(c, wide) ? 2 : IS_AMONG(c, marks) ? 0 : 1;
}

char *table_clean(const char *text)
{
	char *out = malloc(6 * strlen(text) + 1), *q = out;
	uint32_t c;
	size_t n;

	for (; out && *text; text += n) {
		n = next_char(text, &c);
		if (!is_control(c)) {
			memcpy(q, text, n);
			q += n;
		} else if (n <= 2) {
			q += sprintf(q, "\\x%02x", n == 2 ? (unsigned)c : (uint8_t)*text);
		} else {
			q += sprintf(q, "\\u%04x", (unsigned)c);
		}
	}
	if (out)
		*q = 0;
	return out;
}

static size_t text_width(const char *text)
{
	size_t width = 0;
	uint32_t c;

	while (*text) {
		text += next_char(text, &c);
		width += char_width(c);
	}
	return width;
}

size_t table_bytes_of(const char *text, size_t width)
{
	size_t at = 0, used = 0;
	uint32_t c;

	while (text[at]) {
		size_t n = next_char(text + at, &c);

		used += char_width(c);
		if (used > width)
			break;
		at += n;
	}
	return at;
}

/* --- Tables ---------------------------------------------------------------------------------- */

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

/* What is of no use when it is cut: nobody can copy half an address. */
static bool is_whole(const char *title)
{
	return strcmp(title, "MAC") == 0 || strcmp(title, "IP") == 0;
}

/* Takes from the widest column until the line fits. False: nothing more can be taken. */
static bool shrink(const struct table *table, size_t *widths, size_t width)
{
	while (width > 0 && total(widths, table->columns) > width) {
		size_t widest = table->columns;

		for (size_t i = 0; i < table->columns; i++)
			if (!is_whole(table->titles[i]) && widths[i] > NARROW &&
				(widest == table->columns || widths[i] > widths[widest]))
				widest = i;
		if (widest == table->columns)
			return false;
		widths[widest]--;
	}
	return true;
}

static void print_cell(FILE *out, const char *text, size_t width, bool last)
{
	size_t n = text_width(text), bytes = strlen(text);
	bool cut = n > width;

	if (cut) {
		char *kept = strndup(text, bytes = table_bytes_of(text, width - 1));

		n = kept ? text_width(kept) + 1 : width;
		free(kept);
	}
	fwrite(text, 1, bytes, out);
	if (cut)
		fputs(ELLIPSIS, out);
	for (size_t i = n; !last && i < width + GAP; i++)
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

static void print_rows(const struct table *table, FILE *out, const size_t *widths, bool colour)
{
	if (colour)
		fputs("\033[1m", out);
	print_row(table, out, widths, -1);
	fputs(colour ? "\033[0m\n" : "\n", out);
	for (size_t row = 0; row < table->rows; row++) {
		print_row(table, out, widths, (long)row);
		fputc('\n', out);
	}
}

/* "TITLE  value", a line for each that has one; what is too long is for the terminal to wrap. */
static void print_blocks(const struct table *table, FILE *out, bool colour)
{
	size_t widest = 0;

	for (size_t i = 0; i < table->columns; i++)
		if (text_width(table->titles[i]) > widest)
			widest = text_width(table->titles[i]);
	for (size_t row = 0; row < table->rows; row++) {
		if (row > 0)
			fputc('\n', out);
		for (size_t i = 0; i < table->columns; i++)
			if (*cell(table, row, i))
				fprintf(out, "%s%-*s%s  %s\n", colour ? "\033[1m" : "", (int)widest,
					table->titles[i], colour ? "\033[0m" : "",
					cell(table, row, i));
	}
}

void table_print(const struct table *table, FILE *out, size_t width, bool colour)
{
	size_t *widths = calloc(table->columns + 1, sizeof(*widths));

	if (!widths)
		return;
	measure(table, widths);
	if (shrink(table, widths, width))
		print_rows(table, out, widths, colour);
	else
		print_blocks(table, out, colour);
	free(widths);
}
