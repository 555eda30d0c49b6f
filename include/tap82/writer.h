/* SPDX-License-Identifier: ISC
 *
 * The one way out for data: records of named fields, written as JSON Lines (one object a line),
 * as one line of `key=value` words, or as an indented tree. A record function (event_write(),
 * message_write() …) is written once and serves all three.
 *
 * Field order is call order. A writer collects into its own memory and gives it to `fd` when a
 * record ends and enough is there (writer_flush() at the end), or, with fd -1, keeps everything
 * for the caller. Errors of the sink stick in writer_error(): a broken pipe is seen there.
 */
#ifndef TAP82_WRITER_H
#define TAP82_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tap82/addr.h"

enum writer_mode { WRITER_JSON, WRITER_LINE, WRITER_TREE };

#define WRITER_DEPTH_MAX 8
#define WRITER_ROOM	 64 /* bytes that are free after a key: a value of fixed size fits unasked */

struct writer {
	char *base, *p, *end; /* owned; base..p is pending output */
	int fd; /* -1: memory */
	enum writer_mode mode;
	int error; /* 0, or the first -errno of the sink (or -ENOMEM) */
	bool eager; /* flush after each record (a terminal, a follower) */
	bool comma; /* JSON: a separator is due before the next field */
	bool list[WRITER_DEPTH_MAX]; /* whether this depth is a list */
	const char *path[WRITER_DEPTH_MAX]; /* keys of the open objects, LINE mode */
	int depth;
	int64_t second; /* the time that `second_text` is, in seconds */
	char second_text[20]; /* "2026-01-02T03:04:05.": packets come by the thousand a second */
};

/* 0, or -ENOMEM. fd >= 0 stays the caller's; -1 collects in memory. */
int writer_init(struct writer *w, int fd, enum writer_mode mode);
void writer_done(struct writer *w);
/* 0, or the sink's first error. */
int writer_flush(struct writer *w);
static inline int writer_error(const struct writer *w)
{
	return w->error;
}
/* Memory writers: what was written since the last call of writer_clear(); valid until then. */
const char *writer_bytes(const struct writer *w, size_t *ret_len);
void writer_clear(struct writer *w);

/* One record: a JSON object and newline, a line, or a tree and a blank line. */
void writer_begin(struct writer *w);
void writer_end(struct writer *w);

/* Fields of the record, object or list that is open. In a list `key` is NULL. */
void writer_object_begin(struct writer *w, const char *key);
void writer_object_end(struct writer *w);
void writer_list_begin(struct writer *w, const char *key);
void writer_list_end(struct writer *w);

/* What stands before a value; then its writer_put_…(). These are the halves of the functions
 * below, apart so that the length of a literal key is known when the caller is compiled. */
void writer_put_key(struct writer *w, const char *key, size_t len);
void writer_put_text(struct writer *w, const void *bytes, size_t len);
void writer_put_hex(struct writer *w, const uint8_t *bytes, size_t len);
void writer_put_u64(struct writer *w, uint64_t v);
void writer_put_i64(struct writer *w, int64_t v);
void writer_put_bool(struct writer *w, bool v);
void writer_put_hex32(struct writer *w, uint32_t v);
void writer_put_mac(struct writer *w, const struct mac *mac);
void writer_put_ipv4(struct writer *w, uint32_t ip);
void writer_put_time(struct writer *w, int64_t time);

static inline void writer_key(struct writer *w, const char *key)
{
	size_t len = key ? strlen(key) : 0;
	char *p = w->p;

	if (!key || w->mode != WRITER_JSON || (size_t)(w->end - p) < len + WRITER_ROOM + 4) {
		writer_put_key(w, key, len);
		return;
	}
	*p = ',';
	p += w->comma;
	*p++ = '"';
	memcpy(p, key, len);
	p += len;
	*p++ = '"';
	*p++ = ':';
	w->p = p;
	w->comma = true;
}

/* Text of any origin: control characters (C0, DEL, C1) and quotes are escaped, bytes that are not
 * UTF-8 appear as \xNN. */
static inline void writer_text(struct writer *w, const char *key, const void *bytes, size_t len)
{
	writer_key(w, key);
	writer_put_text(w, bytes, len);
}

static inline void writer_str(struct writer *w, const char *key, const char *text)
{
	writer_key(w, key);
	writer_put_text(w, text, strlen(text));
}

static inline void writer_hex(struct writer *w, const char *key, const uint8_t *bytes, size_t len)
{
	writer_key(w, key);
	writer_put_hex(w, bytes, len);
}

/* `key` as hex, and `key`_text where all bytes are printable ASCII. */
void writer_opaque(struct writer *w, const char *key, const uint8_t *bytes, size_t len);

static inline void writer_u64(struct writer *w, const char *key, uint64_t v)
{
	writer_key(w, key);
	writer_put_u64(w, v);
}

static inline void writer_i64(struct writer *w, const char *key, int64_t v)
{
	writer_key(w, key);
	writer_put_i64(w, v);
}

void writer_double(struct writer *w, const char *key, double v); /* three decimals */

static inline void writer_bool(struct writer *w, const char *key, bool v)
{
	writer_key(w, key);
	writer_put_bool(w, v);
}

void writer_null(struct writer *w, const char *key);

static inline void writer_hex32(struct writer *w, const char *key, uint32_t v) /* 8 digits */
{
	writer_key(w, key);
	writer_put_hex32(w, v);
}

static inline void writer_mac(struct writer *w, const char *key, const struct mac *mac)
{
	writer_key(w, key);
	writer_put_mac(w, mac);
}

static inline void writer_ipv4(struct writer *w, const char *key, uint32_t ip)
{
	writer_key(w, key);
	writer_put_ipv4(w, ip);
}

static inline void writer_time(struct writer *w, const char *key, int64_t time)
{
	writer_key(w, key);
	writer_put_time(w, time);
}

/* A value that is JSON already; JSON mode only writes it as it is, others as text. */
void writer_raw(struct writer *w, const char *key, const char *json, size_t len);
/* JSON mode only: whole fields, `"key":value` with commas between, written before by another
 * writer. */
void writer_fields(struct writer *w, const char *json, size_t len);
/* Bytes that go on with what writer_fields() began. */
void writer_more(struct writer *w, const char *bytes, size_t len);

#endif
