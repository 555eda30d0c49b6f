/* SPDX-License-Identifier: ISC
 *
 * The language of layouts (layout.h): text to words.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap82/err.h"
#include "tap82/layout.h"

#define BITS_MAX 32

/* A piece of a spec, and where to say what is wrong with it. */
struct source {
	const char *p, *end;
	char *why;
	size_t why_size;
};

static int complain(const struct source *s, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(const struct source *s, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->why, s->why_size, fmt, args);
	va_end(args);
	return err;
}

static const struct {
	const char *name;
	uint8_t field;
} field_names[] = {
	{"vlan", LAYOUT_VLAN},
	{"slot", LAYOUT_SLOT},
	{"port", LAYOUT_PORT},
	{"mac", LAYOUT_MAC},
	{"len", LAYOUT_LEN},
	{"_", LAYOUT_SKIP},
};

static int find_field(const char *name, size_t len, uint8_t *ret_field)
{
	for (unsigned i = 0; i < sizeof(field_names) / sizeof(field_names[0]); i++)
		if (strlen(field_names[i].name) == len &&
			memcmp(field_names[i].name, name, len) == 0) {
			*ret_field = field_names[i].field;
			return 0;
		}
	return ERR_NOT_FOUND;
}

static struct layout_word *new_word(struct layout_form *form)
{
	if (form->count == LAYOUT_WORDS_MAX)
		return NULL;
	form->word[form->count] = (struct layout_word){0};
	return &form->word[form->count++];
}

/* "0x0004" */
static int parse_literal(struct layout_word *word, const char *p, size_t len)
{
	int n = hex_parse(p + 2, len - 2, (uint8_t *)word->literal, sizeof(word->literal));

	if (n <= 0)
		return ERR_SYNTAX;
	word->field = LAYOUT_LITERAL;
	word->bits = (uint8_t)n;
	return 0;
}

/* A decimal number of at most four digits at *p. */
static int parse_number(const char **p, const char *end, int *ret)
{
	const char *start = *p;
	int v = 0;

	while (*p < end && isdigit((unsigned char)**p) && *p - start < 4)
		v = v * 10 + (*(*p)++ - '0');
	*ret = v;
	return *p > start ? 0 : ERR_SYNTAX;
}

static bool bits_are_right(const struct layout_word *word, int bits)
{
	if (word->field == LAYOUT_MAC)
		return bits == 48;
	if (word->field == LAYOUT_LEN)
		return bits == 8;
	return bits >= 1 && bits <= BITS_MAX;
}

/* "port:16", "port:16+1" */
static int parse_bits(struct layout_word *word, const char *p, size_t len)
{
	const char *end = p + len, *colon = memchr(p, ':', len);
	int bits, add = 0, sign;

	if (!colon || find_field(p, (size_t)(colon - p), &word->field) < 0)
		return ERR_SYNTAX;
	p = colon + 1;
	if (parse_number(&p, end, &bits) < 0 || !bits_are_right(word, bits))
		return ERR_SYNTAX;
	if (p < end && (*p == '+' || *p == '-')) {
		sign = *p++ == '-' ? -1 : 1;
		if (parse_number(&p, end, &add) < 0)
			return ERR_SYNTAX;
		word->add = (int16_t)(sign * add);
	}
	word->bits = (uint8_t)bits;
	return p == end ? 0 : ERR_SYNTAX;
}

static int parse_binary_word(struct layout_word *word, const char *p, size_t len)
{
	if (len == 4 && memcmp(p, "text", 4) == 0) {
		word->field = LAYOUT_TEXT;
		return 0;
	}
	if (len == 4 && memcmp(p, "rest", 4) == 0) {
		word->field = LAYOUT_REST;
		return 0;
	}
	if (len > 2 && p[0] == '0' && p[1] == 'x')
		return parse_literal(word, p, len);
	return parse_bits(word, p, len);
}

/* Literals, MACs, lengths and texts stand at whole bytes, and so does the end. */
static int check_bits(const struct layout_form *form)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < form->count; i++) {
		const struct layout_word *word = &form->word[i];
		bool number = word->field >= LAYOUT_VLAN && word->field <= LAYOUT_PORT;

		if (!number && word->field != LAYOUT_SKIP && bits % 8 != 0)
			return ERR_SYNTAX;
		if ((word->field == LAYOUT_TEXT || word->field == LAYOUT_REST) &&
			i + 1u < form->count)
			return ERR_SYNTAX;
		bits += number || word->field == LAYOUT_SKIP ? word->bits : 0;
	}
	return bits % 8 == 0 ? 0 : ERR_SYNTAX;
}

static int parse_binary(struct source *s, struct layout_form *form)
{
	for (;;) {
		const char *start;
		struct layout_word *word;

		while (s->p < s->end && *s->p == ' ')
			s->p++;
		if (s->p == s->end)
			break;
		start = s->p;
		while (s->p < s->end && *s->p != ' ')
			s->p++;
		word = new_word(form);
		if (!word)
			return complain(s, ERR_FULL, "more than %d words", LAYOUT_WORDS_MAX);
		if (parse_binary_word(word, start, (size_t)(s->p - start)) < 0)
			return complain(s, ERR_SYNTAX, "'%.*s': no word of a layout",
				(int)(s->p - start), start);
	}
	if (check_bits(form) < 0)
		return complain(s, ERR_SYNTAX, "fields do not end at whole bytes");
	return 0;
}

/* "{vlan}" */
static int parse_brace(struct source *s, struct layout_word *word)
{
	const char *name = s->p + 1, *close = memchr(s->p, '}', (size_t)(s->end - s->p));

	if (!close)
		return complain(s, ERR_SYNTAX, "'{' without '}'");
	s->p = close + 1;
	word->field = LAYOUT_REST;
	if (close == name)
		return 0;
	if (find_field(name, (size_t)(close - name), &word->field) < 0 || word->field == LAYOUT_LEN)
		return complain(
			s, ERR_SYNTAX, "{%.*s}: no field of a layout", (int)(close - name), name);
	return 0;
}

static int parse_characters(struct source *s, struct layout_word *word)
{
	word->field = LAYOUT_LITERAL;
	while (s->p < s->end && *s->p != '{') {
		if (word->bits == sizeof(word->literal))
			return complain(
				s, ERR_FULL, "more than %d characters in a row", LAYOUT_TEXT_MAX);
		word->literal[word->bits++] = *s->p++;
	}
	return 0;
}

static int parse_pattern(struct source *s, struct layout_form *form)
{
	form->text = true;
	while (s->p < s->end) {
		struct layout_word *word = new_word(form);
		int err;

		if (!word)
			return complain(s, ERR_FULL, "more than %d words", LAYOUT_WORDS_MAX);
		err = *s->p == '{' ? parse_brace(s, word) : parse_characters(s, word);
		if (err < 0)
			return err;
	}
	return 0;
}

static int parse_form(struct source *s, struct layout_form *form)
{
	int err;

	*form = (struct layout_form){0};
	while (s->p < s->end && *s->p == ' ')
		s->p++;
	if (s->end - s->p > 5 && memcmp(s->p, "text ", 5) == 0) {
		s->p += 5;
		err = parse_pattern(s, form);
	} else {
		err = parse_binary(s, form);
	}
	if (err == 0 && form->count == 0)
		return complain(s, ERR_SYNTAX, "nothing there");
	return err;
}

static int parse_forms(const char *spec, struct layout_form forms[LAYOUT_FORMS_MAX],
	uint8_t *ret_count, char *why, size_t why_size)
{
	uint8_t count = 0;

	for (const char *p = spec; p;) {
		const char *bar = strstr(p, " | ");
		struct source s = {
			.p = p, .end = bar ? bar : p + strlen(p), .why = why, .why_size = why_size};
		int err;

		if (count == LAYOUT_FORMS_MAX)
			return complain(
				&s, ERR_FULL, "more than %d alternatives", LAYOUT_FORMS_MAX);
		err = parse_form(&s, &forms[count]);
		if (err < 0)
			return err;
		count++;
		p = bar ? bar + 3 : NULL;
	}
	*ret_count = count;
	return 0;
}

static int parse_name(const char *name, struct layout *layout, char *why, size_t why_size)
{
	size_t len = strlen(name);
	bool word = len > 0 && isalpha((unsigned char)name[0]);

	for (size_t i = 0; i < len && word; i++)
		word = isalnum((unsigned char)name[i]) || name[i] == '-' || name[i] == '_';
	if (!word || len >= sizeof(layout->name)) {
		snprintf(why, why_size,
			"'%s': no layout's name (a letter, then letters, digits, '-', '_'; up to "
			"%zu)",
			name, sizeof(layout->name) - 1);
		return ERR_SYNTAX;
	}
	memcpy(layout->name, name, len + 1);
	return 0;
}

int layout_parse(const char *name, const char *circuit_id, const char *remote_id,
	struct layout *ret_layout, char *why, size_t why_size)
{
	struct layout layout = {.circuit_forms = 0};
	int err = parse_name(name, &layout, why, why_size);

	if (err == 0)
		err = parse_forms(circuit_id, layout.circuit, &layout.circuit_forms, why, why_size);
	if (err == 0 && remote_id && remote_id[0])
		err = parse_forms(remote_id, layout.remote, &layout.remote_forms, why, why_size);
	if (err < 0)
		return err;
	*ret_layout = layout;
	return 0;
}
