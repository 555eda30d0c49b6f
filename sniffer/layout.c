/* SPDX-License-Identifier: ISC
 *
 * The layouts there are, and reading an id by one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout_table.h"
#include "tap82/err.h"
#include "tap82/layout.h"

#define VLAN_MAX 4095

struct layouts {
	struct layout **list; /* the user's behind the built-in ones */
	size_t count, builtin;
};

static int append(struct layouts *layouts, const struct layout *layout)
{
	struct layout **list = realloc(layouts->list, (layouts->count + 1) * sizeof(*list));
	struct layout *copy = list ? malloc(sizeof(*copy)) : NULL;

	if (list)
		layouts->list = list;
	if (!copy)
		return -ENOMEM;
	*copy = *layout;
	layouts->list[layouts->count++] = copy;
	return 0;
}

struct layouts *layouts_new(void)
{
	struct layouts *layouts = calloc(1, sizeof(*layouts));
	char why[128];

	for (const struct layout_row *row = layout_rows; layouts && row->name; row++)
		if (layouts_add(layouts, row->name, row->circuit_id, row->remote_id, why,
			    sizeof(why)) < 0) {
			layouts_free(layouts);
			return NULL;
		}
	if (layouts)
		layouts->builtin = layouts->count;
	return layouts;
}

void layouts_free(struct layouts *layouts)
{
	if (!layouts)
		return;
	for (size_t i = 0; i < layouts->count; i++)
		free(layouts->list[i]);
	free(layouts->list);
	free(layouts);
}

int layouts_add(struct layouts *layouts, const char *name, const char *circuit_id,
	const char *remote_id, char *why, size_t why_size)
{
	struct layout layout;
	int err = layout_parse(name, circuit_id, remote_id, &layout, why, why_size);

	if (err < 0)
		return err;
	for (size_t i = layouts->builtin; i < layouts->count; i++)
		if (strcasecmp(layouts->list[i]->name, name) == 0) {
			snprintf(why, why_size, "'%s': defined twice", name);
			return ERR_DUPLICATE;
		}
	err = append(layouts, &layout);
	if (err < 0)
		snprintf(why, why_size, "%s", err_text(err));
	return err;
}

/* A built-in one that the user's hides is not counted twice: it just comes first. */
size_t layouts_count(const struct layouts *layouts)
{
	return layouts->count;
}

const struct layout *layouts_at(const struct layouts *layouts, size_t i)
{
	return i < layouts->count ? layouts->list[i] : NULL;
}

static const struct layout *find(const struct layouts *layouts, const char *name, size_t len)
{
	for (size_t i = layouts->count; i-- > 0;)
		if (strlen(layouts->list[i]->name) == len &&
			strncasecmp(layouts->list[i]->name, name, len) == 0)
			return layouts->list[i];
	return NULL;
}

static const struct layout *find_any(const struct layouts *layouts, const char *name, size_t len)
{
	const struct layout *layout = find(layouts, name, len);

	for (const struct layout_alias *a = layout_aliases; !layout && a->name; a++)
		if (strlen(a->name) == len && strncasecmp(a->name, name, len) == 0)
			layout = find(layouts, a->means, strlen(a->means));
	return layout;
}

const struct layout *layout_find(const struct layouts *layouts, const char *name)
{
	return find_any(layouts, name, strlen(name));
}

int layout_find_offset(const struct layouts *layouts, const char *spec,
	const struct layout **ret_layout, int *ret_offset)
{
	size_t len = strlen(spec), digits = 0;
	const struct layout *layout = find_any(layouts, spec, len);
	int offset = 0;

	while (!layout && digits < len && spec[len - digits - 1] >= '0' &&
		spec[len - digits - 1] <= '9')
		digits++;
	if (digits > 0 && len > digits && strchr("+-", spec[len - digits - 1])) {
		if (digits > 3)
			return ERR_RANGE;
		offset = atoi(spec + len - digits - 1);
		len -= digits + 1;
	}
	if (!layout)
		layout = find_any(layouts, spec, len);
	if (!layout)
		return ERR_NOT_FOUND;
	*ret_layout = layout;
	*ret_offset = offset;
	return 0;
}

/* Puts a number where it belongs; false: it cannot be one. */
static bool set_number(struct port_place *place, const struct layout_word *word, uint32_t v)
{
	int64_t number = (int64_t)v + word->add;

	if (number < 0 || number > INT32_MAX)
		return false;
	if (word->field == LAYOUT_VLAN) {
		place->vlan = (int32_t)number;
		return number <= VLAN_MAX;
	}
	if (word->field == LAYOUT_SLOT)
		place->slot = (int32_t)number;
	else if (word->field == LAYOUT_PORT)
		place->port = (int32_t)number;
	return true;
}

/* Bytes read bit by bit, the highest first. */
struct bits {
	struct buf b;
	uint64_t held;
	unsigned count; /* bits of `held` that are left */
};

static uint32_t take_bits(struct bits *bits, unsigned n)
{
	uint64_t v;

	while (bits->count < n) {
		bits->held = bits->held << 8 | buf_u8(&bits->b);
		bits->count += 8;
	}
	bits->count -= n;
	v = bits->held >> bits->count;
	return (uint32_t)(v & ((UINT64_C(1) << n) - 1));
}

static bool take_mac(struct buf *b, struct port_place *place)
{
	buf_copy(b, place->switch_mac.b, sizeof(place->switch_mac.b));
	place->has_switch_mac = !b->bad;
	return !b->bad;
}

static bool take_literal(struct buf *b, const struct layout_word *word)
{
	const uint8_t *p = buf_take(b, word->bits);

	return p && memcmp(p, word->literal, word->bits) == 0;
}

static bool take_text(struct buf *b)
{
	bool text = bytes_are_text(b->p, buf_left(b));

	buf_skip(b, buf_left(b));
	return text;
}

static bool take_len(struct buf *b)
{
	uint8_t len = buf_u8(b);

	return len == buf_left(b);
}

static bool binary_word_fits(
	const struct layout_word *word, struct bits *bits, struct port_place *place)
{
	switch (word->field) {
	case LAYOUT_LITERAL: return take_literal(&bits->b, word);
	case LAYOUT_MAC: return take_mac(&bits->b, place);
	case LAYOUT_LEN: return take_len(&bits->b);
	case LAYOUT_TEXT: return take_text(&bits->b);
	case LAYOUT_REST: buf_skip(&bits->b, buf_left(&bits->b)); return true;
	default: return set_number(place, word, take_bits(bits, word->bits));
	}
}

static bool binary_fits(const struct layout_form *form, struct buf id, struct port_place *place)
{
	struct bits bits = {.b = id};

	for (unsigned i = 0; i < form->count; i++)
		if (!binary_word_fits(&form->word[i], &bits, place) || bits.b.bad)
			return false;
	return buf_left(&bits.b) == 0;
}

/* As many decimal digits as there are, up to nine. */
static bool take_number(struct buf *b, const struct layout_word *word, struct port_place *place)
{
	uint32_t v = 0;
	unsigned digits = 0;

	while (buf_left(b) > 0 && b->p[0] >= '0' && b->p[0] <= '9' && digits < 10) {
		v = v * 10 + (uint32_t)(buf_u8(b) - '0');
		digits++;
	}
	return digits > 0 && digits < 10 && set_number(place, word, v);
}

static bool take_mac_text(struct buf *b, struct port_place *place)
{
	static const uint8_t lengths[] = {17, 14, 12};

	for (unsigned i = 0; i < sizeof(lengths); i++)
		if (buf_left(b) >= lengths[i] &&
			mac_parse((const char *)b->p, lengths[i], &place->switch_mac) == 0) {
			place->has_switch_mac = true;
			buf_skip(b, lengths[i]);
			return true;
		}
	return false;
}

static bool text_word_fits(const struct layout_word *word, struct buf *b, struct port_place *place)
{
	switch (word->field) {
	case LAYOUT_LITERAL: return take_literal(b, word);
	case LAYOUT_MAC: return take_mac_text(b, place);
	default: return take_number(b, word, place);
	}
}

/* The words from `from` up to the next {}; `ret_next` is behind them. */
static bool words_fit(const struct layout_form *form, unsigned from, struct buf *b,
	struct port_place *place, unsigned *ret_next)
{
	unsigned i = from;

	for (; i < form->count && form->word[i].field != LAYOUT_REST; i++)
		if (!text_word_fits(&form->word[i], b, place))
			return false;
	*ret_next = i;
	return i < form->count || buf_left(b) == 0;
}

/* The {} at word *i takes the fewest characters, at least one, that let the words up to the next {}
 * fit. Going back further is not needed, so the time is bounded by length times words. */
static bool gap_fits(
	const struct layout_form *form, unsigned *i, struct buf *b, struct port_place *place)
{
	unsigned from = *i + 1;
	bool last = from == form->count;

	while (buf_left(b) > 0) {
		struct buf rest;

		buf_skip(b, last ? buf_left(b) : 1);
		rest = *b;
		if (words_fit(form, from, &rest, place, i)) {
			*b = rest;
			return true;
		}
	}
	return false;
}

static bool text_fits(const struct layout_form *form, struct buf id, struct port_place *place)
{
	unsigned i;

	if (!bytes_are_text(id.p, buf_left(&id)) || !words_fit(form, 0, &id, place, &i))
		return false;
	while (i < form->count)
		if (!gap_fits(form, &i, &id, place))
			return false;
	return true;
}

static const struct port_place nowhere = {.vlan = -1, .slot = -1, .port = -1};

/* Reads `id` by the first form that fits. */
static bool forms_fit(const struct layout_form *forms, unsigned count, struct buf id,
	struct port_place *ret_place)
{
	for (unsigned i = 0; i < count; i++) {
		struct port_place place = nowhere;

		if (forms[i].text ? text_fits(&forms[i], id, &place)
				  : binary_fits(&forms[i], id, &place)) {
			*ret_place = place;
			return true;
		}
	}
	return false;
}

int layout_apply(const struct layout *layout, int offset, struct buf circuit_id,
	struct buf remote_id, struct port_place *ret_place)
{
	struct port_place place, remote;

	if (circuit_id.bad || buf_left(&circuit_id) == 0 ||
		!forms_fit(layout->circuit, layout->circuit_forms, circuit_id, &place))
		return ERR_SYNTAX;
	if (place.port >= 0 && place.port + offset < 0)
		return ERR_SYNTAX;
	if (place.port >= 0)
		place.port += offset;
	if (buf_left(&remote_id) > 0 && !place.has_switch_mac &&
		forms_fit(layout->remote, layout->remote_forms, remote_id, &remote)) {
		place.has_switch_mac = remote.has_switch_mac;
		place.switch_mac = remote.switch_mac;
	}
	memcpy(place.layout, layout->name, sizeof(place.layout));
	*ret_place = place;
	return 0;
}

static void write_number(struct writer *w, const char *key, int32_t v)
{
	if (v >= 0)
		writer_u64(w, key, (uint64_t)v);
}

void port_place_write(struct writer *w, const struct port_place *place)
{
	writer_str(w, "layout", place->layout);
	write_number(w, "vlan", place->vlan);
	write_number(w, "slot", place->slot);
	write_number(w, "port", place->port);
	if (place->has_switch_mac)
		writer_mac(w, "switch_mac", &place->switch_mac);
}
