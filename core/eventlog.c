/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap82/hash.h"
#include <uthash.h>

#include "tap82/addr.h"
#include "tap82/err.h"
#include "tap82/eventlog.h"
#include "tap82/failpoint.h"

#define TAIL_BYTES (4 * 1024 * 1024) /* of the log, read to see which events are in it */
#define LOOK_BACK  20000 /* events of the store that may be missing in the log */

struct eventlog {
	char *path;
	int fd;
	char *bytes; /* collected lines */
	size_t len, size;
	struct eventlog_mark mark; /* of the last line collected */
	bool missing; /* one could not be: catching up finds it */
};

/* --- The file -------------------------------------------------------------------------------- */

/* The offset behind the last newline: what follows is a line that a crash cut short. */
static off_t whole_lines(int fd, off_t end)
{
	char block[4096];

	while (end > 0) {
		size_t n = end < (off_t)sizeof(block) ? (size_t)end : sizeof(block);
		ssize_t got = pread(fd, block, n, end - (off_t)n);
		const char *at = got == (ssize_t)n ? memrchr(block, '\n', n) : NULL;

		if (got != (ssize_t)n)
			return -1;
		if (at)
			return end - (off_t)n + (at - block) + 1;
		end -= (off_t)n;
	}
	return 0;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	struct stat st;
	off_t end;
	int err;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		end = whole_lines(fd, st.st_size);
		if (end < 0 || (end < st.st_size && ftruncate(fd, end) < 0)) {
			err = errno ? -errno : -EIO;
			close(fd);
			return err;
		}
	}
	return fd;
}

int eventlog_open(const char *path, struct eventlog **ret_log)
{
	struct eventlog *log = calloc(1, sizeof(*log));
	int err = -ENOMEM;

	if (!log)
		return err;
	log->fd = -1;
	log->path = strdup(path);
	if (log->path)
		err = log->fd = open_file(path);
	if (err < 0) {
		eventlog_close(log);
		return err;
	}
	*ret_log = log;
	return 0;
}

void eventlog_close(struct eventlog *log)
{
	if (!log)
		return;
	if (log->fd >= 0)
		close(log->fd);
	free(log->path);
	free(log->bytes);
	free(log);
}

int eventlog_reopen(struct eventlog *log)
{
	int fd = open_file(log->path);

	if (fd < 0)
		return fd;
	close(log->fd);
	log->fd = fd;
	return 0;
}

/* --- Writing --------------------------------------------------------------------------------- */

void eventlog_add(struct eventlog *log, const struct event_row *row)
{
	size_t need = log->len + row->json_len + 1;

	if (need > log->size) {
		size_t size = need * 2;
		char *bytes = realloc(log->bytes, size);

		log->missing |= !bytes;
		if (!bytes)
			return;
		log->bytes = bytes;
		log->size = size;
	}
	memcpy(log->bytes + log->len, row->json, row->json_len);
	log->bytes[need - 1] = '\n';
	log->len = need;
	memcpy(log->mark.id, row->id, EVENT_ID_BYTES);
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int eventlog_flush(struct eventlog *log, struct eventlog_mark *ret_mark)
{
	struct stat st = {0};
	int err;

	if (log->missing) {
		log->len = 0;
		log->missing = false;
		return -ENOMEM;
	}
	if (log->len == 0)
		return 0;
	if (fstat(log->fd, &st) < 0)
		return -errno;
	err = write_all(log->fd, log->bytes, log->len);
	log->len = 0;
	if (err < 0) {
		/* All or nothing: half a line would be no JSON. A pipe has no size to go back to.
		 */
		if (S_ISREG(st.st_mode) && ftruncate(log->fd, st.st_size) < 0)
			return -errno;
		return err;
	}
	*ret_mark = log->mark;
	failpoint("written");
	return 1;
}

/* --- Catching up ----------------------------------------------------------------------------- */

struct seen {
	uint8_t id[EVENT_ID_BYTES];
	UT_hash_handle hh;
};

struct catch_up {
	struct eventlog *log;
	struct seen *seen;
	struct eventlog_mark mark;
	bool has_mark, past; /* past: the mark was met */
	int found, added;
};

static int seen_add(struct seen **seen, const uint8_t *id)
{
	struct seen *s;

	HASH_FIND(hh, *seen, id, EVENT_ID_BYTES, s);
	if (s)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	memcpy(s->id, id, EVENT_ID_BYTES);
	HASH_ADD_KEYPTR(hh, *seen, s->id, EVENT_ID_BYTES, s);
	return 0;
}

static void seen_free(struct seen *seen)
{
	struct seen *s, *next;

	HASH_ITER (hh, seen, s, next) {
		HASH_DEL(seen, s);
		free(s);
	}
}

/* Every "id":"…" in the text, which is `len` bytes of JSON Lines. */
static int read_ids(struct seen **seen, const char *text, size_t len)
{
	static const char key[] = "\"id\":\"";
	const char *end = text + len, *p = text;
	int err = 0;

	while (err == 0 && (p = memmem(p, (size_t)(end - p), key, sizeof(key) - 1))) {
		uint8_t id[EVENT_ID_BYTES];

		p += sizeof(key) - 1;
		if (end - p >= 2 * EVENT_ID_BYTES &&
			hex_parse(p, 2 * EVENT_ID_BYTES, id, sizeof(id)) == EVENT_ID_BYTES)
			err = seen_add(seen, id);
	}
	return err;
}

/* 0, also for what cannot be read; -ENOMEM. */
static int read_tail(struct seen **seen, int fd)
{
	struct stat st;
	size_t len;
	char *text;
	int err = 0;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return 0;
	len = st.st_size < TAIL_BYTES ? (size_t)st.st_size : TAIL_BYTES;
	text = malloc(len);
	if (!text)
		return -ENOMEM;
	if (pread(fd, text, len, st.st_size - (off_t)len) == (ssize_t)len)
		err = read_ids(seen, text, len);
	free(text);
	return err;
}

/* The log, and the one that logrotate made of it a moment ago. */
static int read_tails(struct seen **seen, const struct eventlog *log)
{
	char rotated[4096];
	int fd, err = read_tail(seen, log->fd);

	snprintf(rotated, sizeof(rotated), "%s.1", log->path);
	fd = open(rotated, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err;
	if (err == 0)
		err = read_tail(seen, fd);
	close(fd);
	return err;
}

static int look_for_mark(void *ctx, const struct event_row *row)
{
	struct catch_up *c = ctx;

	c->found |= c->has_mark && memcmp(row->id, c->mark.id, EVENT_ID_BYTES) == 0;
	return c->found;
}

static int add_missing(void *ctx, const struct event_row *row)
{
	struct catch_up *c = ctx;
	struct seen *s;

	if (!c->past) {
		c->past = memcmp(row->id, c->mark.id, EVENT_ID_BYTES) == 0;
		return 0;
	}
	HASH_FIND(hh, c->seen, row->id, EVENT_ID_BYTES, s);
	if (s)
		return 0;
	eventlog_add(c->log, row);
	c->added++;
	return 0;
}

int eventlog_catch_up(struct eventlog *log, struct store *store)
{
	struct catch_up c = {.log = log};
	struct eventlog_mark mark;
	int err;

	log->len = 0;
	log->missing = false;
	c.has_mark = store_get_fact(store, EVENTLOG_FACT, &c.mark, sizeof(c.mark)) > 0;
	err = store_each_event(store, 0, NULL, NULL, LOOK_BACK, look_for_mark, &c);
	if (err < 0)
		return err;
	c.past = !c.found;
	err = read_tails(&c.seen, log);
	if (err == 0)
		err = store_each_event(store, 0, NULL, NULL, LOOK_BACK, add_missing, &c);
	seen_free(c.seen);
	if (err == 0)
		err = eventlog_flush(log, &mark);
	return err < 0 ? err : c.added;
}
