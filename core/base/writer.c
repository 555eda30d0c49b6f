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

	*w = (struct writer){.fd = fd, .mode = mode, .second = -1};
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

/* Without memory what is pending is lost, and the error says so; there is room again for values of
 * fixed size, so that callers need not ask. */
static bool grow(struct writer *w, size_t n)
{
	size_t used = (size_t)(w->p - w->base), size = 2 * (size_t)(w->end - w->base);
	char *base;

	while (size < used + n)
		size *= 2;
	base = realloc(w->base, size);
	if (!base) {
		w->error = -ENOMEM;
		w->p = w->base;
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
	if (__builtin_expect((size_t)(w->end - w->p) >= n, 1))
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

static void line_key(struct writer *w, const char *key, size_t len)
{
	if (w->comma)
		put_char(w, w->depth > 0 && w->list[w->depth - 1] ? ',' : ' ');
	if (!key)
		return;
	put_path(w);
	put(w, key, len);
	put_char(w, '=');
}

static void tree_key(struct writer *w, const char *key, size_t len)
{
	put_indent(w);
	put(w, key ? key : "-", key ? len : 1);
	put(w, key ? ": " : " ", key ? 2 : 1);
}

static void json_key(struct writer *w, const char *key, size_t len)
{
	if (w->comma)
		put_char(w, ',');
	if (!key)
		return;
	put_char(w, '"');
	put(w, key, len);
	put(w, "\":", 2);
}

void writer_put_key(struct writer *w, const char *key, size_t len)
{
	if (w->mode == WRITER_JSON)
		json_key(w, key, len);
	else if (w->mode == WRITER_LINE)
		line_key(w, key, len);
	else
		tree_key(w, key, len);
	w->comma = true;
	reserve(w, WRITER_ROOM);
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
		writer_key(w, key);
	if (w->mode == WRITER_JSON)
		put_char(w, list ? '[' : '{');
	else if (w->mode == WRITER_TREE && w->p > w->base)
		w->p[-1] = '\n'; /* for the blank that a value would follow */
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

/* The caller has made room. */
static void put_escaped(struct writer *w, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;

	while (p < end) {
		char *out = w->p;

		while (p < end && is_plain(*p))
			*out++ = (char)*p++;
		w->p = out;
		if (p < end)
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

void writer_put_text(struct writer *w, const void *bytes, size_t len)
{
	bool quotes =
		w->mode == WRITER_JSON || (w->mode == WRITER_LINE && needs_quotes(bytes, len));

	if (!reserve(w, len * ESCAPED_BYTES + 3))
		return;
	if (quotes)
		*w->p++ = '"';
	put_escaped(w, bytes, len);
	if (quotes)
		*w->p++ = '"';
	end_value(w);
}

/* Values of fixed size stand between these; writer_key() left WRITER_ROOM bytes. */
static inline char *quote(const struct writer *w, char *p)
{
	*p = '"';
	return p + (w->mode == WRITER_JSON);
}

static inline void finish(struct writer *w, char *p)
{
	*p = '\n';
	w->p = p + (w->mode == WRITER_TREE);
}

void writer_put_hex(struct writer *w, const uint8_t *bytes, size_t len)
{
	char *p;

	if (!reserve(w, 2 * len + 4))
		return;
	p = quote(w, w->p);
	for (size_t i = 0; i < len; i++, p += 2)
		memcpy(p, hex_pairs + 2 * bytes[i], 2);
	finish(w, quote(w, p));
}

void writer_opaque(struct writer *w, const char *key, const uint8_t *bytes, size_t len)
{
	size_t key_len = strlen(key);
	char text_key[64];

	writer_hex(w, key, bytes, len);
	if (!bytes_are_text(bytes, len) || key_len > sizeof(text_key) - sizeof("_text"))
		return;
	memcpy(text_key, key, key_len);
	memcpy(text_key + key_len, "_text", sizeof("_text"));
	writer_text(w, text_key, bytes, len);
}

/* Two decimal digits at a time. */
static const char decimal_pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";

static inline char *put_pair(char *p, unsigned v)
{
	memcpy(p, decimal_pairs + 2 * v, 2);
	return p + 2;
}

static char *put_decimal(char *p, uint64_t v)
{
	char text[20], *start = text + sizeof(text);

	while (v >= 100) {
		start -= 2;
		put_pair(start, (unsigned)(v % 100));
		v /= 100;
	}
	if (v >= 10) {
		start -= 2;
		put_pair(start, (unsigned)v);
	} else {
		*--start = digits[v];
	}
	memcpy(p, start, (size_t)(text + sizeof(text) - start));
	return p + (text + sizeof(text) - start);
}

void writer_put_u64(struct writer *w, uint64_t v)
{
	finish(w, put_decimal(w->p, v));
}

void writer_put_i64(struct writer *w, int64_t v)
{
	*w->p = '-';
	finish(w, put_decimal(w->p + (v < 0), v < 0 ? 0 - (uint64_t)v : (uint64_t)v));
}

/* A value that JSON does not quote. */
static void put_bare(struct writer *w, const char *key, const char *word, size_t len)
{
	writer_key(w, key);
	put(w, word, len);
	end_value(w);
}

void writer_double(struct writer *w, const char *key, double v)
{
	char text[64];

	put_bare(w, key, text, (size_t)snprintf(text, sizeof(text), "%.3f", v));
}

void writer_put_bool(struct writer *w, bool v)
{
	memcpy(w->p, v ? "true" : "false", 5);
	finish(w, w->p + (v ? 4 : 5));
}

void writer_null(struct writer *w, const char *key)
{
	put_bare(w, key, "null", 4);
}

void writer_put_hex32(struct writer *w, uint32_t v)
{
	char *p = quote(w, w->p);

	for (int shift = 24; shift >= 0; shift -= 8, p += 2)
		memcpy(p, hex_pairs + 2 * (v >> shift & 255), 2);
	finish(w, quote(w, p));
}

void writer_put_mac(struct writer *w, const struct mac *mac)
{
	char *p = quote(w, w->p);

	for (unsigned i = 0; i < 6; i++, p += 3) {
		memcpy(p, hex_pairs + 2 * mac->b[i], 2);
		p[2] = ':';
	}
	finish(w, quote(w, p - 1));
}

static inline char *put_octet(char *p, unsigned v)
{
	if (v >= 100) {
		*p++ = digits[v / 100];
		p = put_pair(p, v % 100);
	} else if (v >= 10) {
		p = put_pair(p, v);
	} else {
		*p++ = digits[v];
	}
	return p;
}

void writer_put_ipv4(struct writer *w, uint32_t ip)
{
	char *p = quote(w, w->p);

	p = put_octet(p, ip >> 24);
	*p++ = '.';
	p = put_octet(p, ip >> 16 & 255);
	*p++ = '.';
	p = put_octet(p, ip >> 8 & 255);
	*p++ = '.';
	finish(w, quote(w, put_octet(p, ip & 255)));
}

/* Years and months are worked out once a second of packet time. */
static void remember_second(struct writer *w, int64_t time)
{
	char text[TIME_TEXT];

	memcpy(w->second_text, time_format(time, text), sizeof(w->second_text));
	w->second = time / USEC_PER_SEC;
}

void writer_put_time(struct writer *w, int64_t time)
{
	unsigned usec;
	char *p;

	if (time < 0)
		time = 0;
	if (time / USEC_PER_SEC != w->second)
		remember_second(w, time);
	usec = (unsigned)(time % USEC_PER_SEC);
	p = quote(w, w->p);
	memcpy(p, w->second_text, sizeof(w->second_text));
	p = put_pair(p + sizeof(w->second_text), usec / 10000);
	p = put_pair(p, usec / 100 % 100);
	p = put_pair(p, usec % 100);
	*p++ = 'Z';
	finish(w, quote(w, p));
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
