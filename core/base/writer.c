/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap82/clock.h"
#include "tap82/writer.h"

#define BUFFER_BYTES  (256 * 1024)
#define FLUSH_ABOVE   (BUFFER_BYTES - 16 * 1024)
#define FIRST_BYTES   (4 * 1024) /* memory writers start small */
#define ESCAPED_BYTES 6 /* the longest escape: \u001b */

static const char digits[] = "0123456789abcdef";

int writer_init(struct writer *w, int fd, enum writer_mode mode)
{
	size_t size = fd < 0 ? FIRST_BYTES : BUFFER_BYTES;

	*w = (struct writer){.fd = fd, .mode = mode};
	w->base = malloc(size);
	if (!w->base)
		return -ENOMEM;
	w->p = w->base;
	w->end = w->base + size;
	return 0;
}

void writer_done(struct writer *w)
{
	free(w->base);
	*w = (struct writer){.fd = -1};
}

int writer_flush(struct writer *w)
{
	const char *p = w->base;

	while (w->fd >= 0 && p < w->p && !w->error) {
		ssize_t n = write(w->fd, p, (size_t)(w->p - p));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			w->error = -errno;
		else
			p += n;
	}
	if (w->fd >= 0)
		w->p = w->base;
	return w->error;
}

static bool grow(struct writer *w, size_t n)
{
	size_t used = (size_t)(w->p - w->base), size = 2 * (size_t)(w->end - w->base);
	char *base;

	while (size < used + n)
		size *= 2;
	base = realloc(w->base, size);
	if (!base) {
		w->error = -ENOMEM;
		return false;
	}
	w->base = base;
	w->p = base + used;
	w->end = base + size;
	return true;
}

/* Room for n more bytes, or false and an error that sticks. */
static inline bool reserve(struct writer *w, size_t n)
{
	if ((size_t)(w->end - w->p) >= n)
		return true;
	return grow(w, n);
}

static inline void put(struct writer *w, const char *bytes, size_t n)
{
	if (!reserve(w, n))
		return;
	memcpy(w->p, bytes, n);
	w->p += n;
}

static inline void put_char(struct writer *w, char c)
{
	if (reserve(w, 1))
		*w->p++ = c;
}

const char *writer_bytes(const struct writer *w, size_t *ret_len)
{
	*ret_len = (size_t)(w->p - w->base);
	return w->base;
}

void writer_clear(struct writer *w)
{
	w->p = w->base;
}

static void put_indent(struct writer *w)
{
	for (int i = 0; i < w->depth; i++)
		put(w, "  ", 2);
}

static void put_path(struct writer *w)
{
	for (int i = 0; i < w->depth; i++) {
		if (!w->path[i])
			continue;
		put(w, w->path[i], strlen(w->path[i]));
		put_char(w, '.');
	}
}

/* What stands before a value: separators, and the key in the mode's spelling. */
static void put_key(struct writer *w, const char *key)
{
	size_t len = key ? strlen(key) : 0;

	if (w->mode == WRITER_JSON) {
		if (!reserve(w, len + 4))
			return;
		if (w->comma)
			*w->p++ = ',';
		if (key) {
			*w->p++ = '"';
			memcpy(w->p, key, len);
			w->p += len;
			*w->p++ = '"';
			*w->p++ = ':';
		}
	} else if (w->mode == WRITER_LINE) {
		if (w->comma)
			put_char(w, w->depth > 0 && w->list[w->depth - 1] ? ',' : ' ');
		if (key) {
			put_path(w);
			put(w, key, len);
			put_char(w, '=');
		}
	} else {
		put_indent(w);
		put(w, key ? key : "-", key ? len : 1);
		put(w, key ? ": " : " ", key ? 2 : 1);
	}
	w->comma = true;
}

static inline void end_value(struct writer *w)
{
	if (w->mode == WRITER_TREE)
		put_char(w, '\n');
}

void writer_begin(struct writer *w)
{
	w->comma = false;
	w->depth = 0;
	if (w->mode == WRITER_JSON)
		put_char(w, '{');
}

void writer_end(struct writer *w)
{
	put(w, w->mode == WRITER_JSON ? "}\n" : "\n", w->mode == WRITER_JSON ? 2 : 1);
	if (w->fd >= 0 && (w->eager || w->p - w->base > FLUSH_ABOVE))
		writer_flush(w);
}

static void open_level(struct writer *w, const char *key, bool list)
{
	bool line = w->mode == WRITER_LINE;

	if (!line || list)
		put_key(w, key);
	if (w->mode == WRITER_JSON)
		put_char(w, list ? '[' : '{');
	else if (w->mode == WRITER_TREE)
		put_char(w, '\n');
	if (w->depth < WRITER_DEPTH_MAX) {
		w->list[w->depth] = list;
		w->path[w->depth] = list ? NULL : key;
	}
	w->depth++;
	if (!line || list)
		w->comma = false;
}

static void close_level(struct writer *w, char bracket)
{
	w->depth--;
	if (w->mode == WRITER_JSON)
		put_char(w, bracket);
	w->comma = true;
}

void writer_object_begin(struct writer *w, const char *key)
{
	open_level(w, key, false);
}

void writer_object_end(struct writer *w)
{
	close_level(w, '}');
}

void writer_list_begin(struct writer *w, const char *key)
{
	open_level(w, key, true);
}

void writer_list_end(struct writer *w)
{
	close_level(w, ']');
}

/* The length of the UTF-8 sequence at p (RFC 3629), 0 if it is none or encodes a C1 control. */
static unsigned utf8_len(const uint8_t *p, const uint8_t *end)
{
	unsigned n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] < 0xc2 || p[0] > 0xf4 || (size_t)(end - p) < n)
		return 0;
	for (unsigned i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ||
		(p[0] == 0xc2 && p[1] < 0xa0))
		return 0;
	return n;
}

static unsigned put_escape(struct writer *w, const uint8_t *p, const uint8_t *end)
{
	unsigned n = *p < 0x80 ? 0 : utf8_len(p, end);

	if (n > 0) {
		memcpy(w->p, p, n);
		w->p += n;
		return n;
	}
	if (*p == '"' || *p == '\\') {
		*w->p++ = '\\';
		*w->p++ = (char)*p;
	} else if (*p < 0x80) {
		memcpy(w->p, "\\u00", 4);
		w->p[4] = digits[*p >> 4];
		w->p[5] = digits[*p & 15];
		w->p += 6;
	} else {
		memcpy(w->p, "\\\\x", 3);
		w->p[3] = digits[*p >> 4];
		w->p[4] = digits[*p & 15];
		w->p += 5;
	}
	return 1;
}

static inline bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_escaped(struct writer *w, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;

	if (!reserve(w, len * ESCAPED_BYTES + 2))
		return;
	while (p < end) {
		if (is_plain(*p))
			*w->p++ = (char)*p++;
		else
			p += put_escape(w, p, end);
	}
}

static bool needs_quotes(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_plain(p[i]) || p[i] == ' ' || p[i] == '=' || p[i] == ',')
			return true;
	return len == 0;
}

void writer_text(struct writer *w, const char *key, const void *bytes, size_t len)
{
	bool quotes =
		w->mode == WRITER_JSON || (w->mode == WRITER_LINE && needs_quotes(bytes, len));

	put_key(w, key);
	if (quotes)
		put_char(w, '"');
	put_escaped(w, bytes, len);
	if (quotes)
		put_char(w, '"');
	end_value(w);
}

void writer_str(struct writer *w, const char *key, const char *text)
{
	writer_text(w, key, text, strlen(text));
}

/* A value that needs no escaping, quoted in JSON. */
static inline void put_word(struct writer *w, const char *key, const char *word, size_t len)
{
	put_key(w, key);
	if (!reserve(w, len + 2))
		return;
	if (w->mode == WRITER_JSON)
		*w->p++ = '"';
	memcpy(w->p, word, len);
	w->p += len;
	if (w->mode == WRITER_JSON)
		*w->p++ = '"';
	end_value(w);
}

/* A value that JSON does not quote. */
static inline void put_bare(struct writer *w, const char *key, const char *word, size_t len)
{
	put_key(w, key);
	put(w, word, len);
	end_value(w);
}

void writer_hex(struct writer *w, const char *key, const uint8_t *bytes, size_t len)
{
	put_key(w, key);
	if (!reserve(w, 2 * len + 3))
		return;
	if (w->mode == WRITER_JSON)
		*w->p++ = '"';
	hex_format(bytes, len, w->p);
	w->p += 2 * len;
	if (w->mode == WRITER_JSON)
		*w->p++ = '"';
	end_value(w);
}

void writer_opaque(struct writer *w, const char *key, const uint8_t *bytes, size_t len)
{
	char text_key[64];

	writer_hex(w, key, bytes, len);
	if (!key || !bytes_are_text(bytes, len))
		return;
	snprintf(text_key, sizeof(text_key), "%s_text", key);
	writer_text(w, text_key, bytes, len);
}

/* Decimal digits at the end of `out`; returns where they start. */
static char *decimal(uint64_t v, char out[20])
{
	char *p = out + 20;

	do
		*--p = digits[v % 10];
	while (v /= 10);
	return p;
}

void writer_u64(struct writer *w, const char *key, uint64_t v)
{
	char text[20], *p = decimal(v, text);

	put_bare(w, key, p, (size_t)(text + 20 - p));
}

void writer_i64(struct writer *w, const char *key, int64_t v)
{
	char text[24];

	put_bare(w, key, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)v));
}

void writer_double(struct writer *w, const char *key, double v)
{
	char text[64];

	put_bare(w, key, text, (size_t)snprintf(text, sizeof(text), "%.3f", v));
}

void writer_bool(struct writer *w, const char *key, bool v)
{
	put_bare(w, key, v ? "true" : "false", v ? 4 : 5);
}

void writer_null(struct writer *w, const char *key)
{
	put_bare(w, key, "null", 4);
}

void writer_hex32(struct writer *w, const char *key, uint32_t v)
{
	char text[8];

	for (int i = 7; i >= 0; i--, v >>= 4)
		text[i] = digits[v & 15];
	put_word(w, key, text, 8);
}

void writer_mac(struct writer *w, const char *key, const struct mac *mac)
{
	char text[MAC_TEXT];

	put_word(w, key, mac_format(mac, text), MAC_TEXT - 1);
}

void writer_ipv4(struct writer *w, const char *key, uint32_t ip)
{
	char text[IPV4_TEXT];

	put_word(w, key, text, strlen(ipv4_format(ip, text)));
}

void writer_time(struct writer *w, const char *key, int64_t time)
{
	char text[TIME_TEXT];

	put_word(w, key, time_format(time, text), TIME_TEXT - 1);
}

void writer_raw(struct writer *w, const char *key, const char *json, size_t len)
{
	put_bare(w, key, json, len);
}

void writer_fields(struct writer *w, const char *json, size_t len)
{
	if (len == 0)
		return;
	if (w->comma)
		put_char(w, ',');
	put(w, json, len);
	w->comma = true;
}

void writer_more(struct writer *w, const char *bytes, size_t len)
{
	put(w, bytes, len);
}
