/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#define HASH_NONFATAL_OOM 1 /* else uthash ends the process */
#include <uthash.h>

#include "switches.h"
#include "tap82/err.h"

#define KEY_MAX 256 /* a kind byte and a remote-id */

enum { BY_GIADDR = 'g', BY_REMOTE_ID = 'r' };

struct row {
	struct switch_way way;
	UT_hash_handle hh;
	unsigned key_len;
	uint8_t key[KEY_MAX];
};

struct switches {
	struct row *rows;
};

struct switches *switches_new(void)
{
	return calloc(1, sizeof(struct switches));
}

void switches_free(struct switches *s)
{
	struct row *row, *next;

	if (!s)
		return;
	HASH_ITER (hh, s->rows, row, next) {
		HASH_DEL(s->rows, row);
		free(row);
	}
	free(s);
}

/* The configuration's reader folds the case of its keys, so text compares without it. */
static uint8_t folded(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static unsigned key_of_giaddr(uint32_t giaddr, uint8_t key[KEY_MAX])
{
	key[0] = BY_GIADDR;
	for (unsigned i = 0; i < 4; i++)
		key[1 + i] = (uint8_t)(giaddr >> (24 - 8 * i));
	return 5;
}

static unsigned key_of_remote_id(struct buf remote_id, uint8_t key[KEY_MAX])
{
	unsigned n = 0;

	key[n++] = BY_REMOTE_ID;
	while (buf_left(&remote_id) > 0 && n < KEY_MAX)
		key[n++] = folded(buf_u8(&remote_id));
	return n;
}

static struct row *find(const struct switches *s, const uint8_t *key, unsigned len)
{
	struct row *row;

	HASH_FIND(hh, s->rows, key, len, row);
	return row;
}

int switches_add(
	struct switches *s, uint32_t giaddr, struct buf remote_id, const struct switch_way *way)
{
	struct row *row;

	if (giaddr == 0 && (buf_left(&remote_id) == 0 || buf_left(&remote_id) >= KEY_MAX))
		return ERR_RANGE;
	row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->way = *way;
	row->key_len =
		giaddr ? key_of_giaddr(giaddr, row->key) : key_of_remote_id(remote_id, row->key);
	if (find(s, row->key, row->key_len)) {
		free(row);
		return ERR_DUPLICATE;
	}
	HASH_ADD(hh, s->rows, key, row->key_len, row);
	if (!row->hh.tbl) { /* without memory nothing was added */
		free(row);
		return -ENOMEM;
	}
	return 0;
}

bool switches_are_none(const struct switches *s)
{
	return s->rows == NULL;
}

static struct row *find_remote_id(const struct switches *s, struct buf remote_id)
{
	uint8_t key[KEY_MAX];

	if (buf_left(&remote_id) == 0 || buf_left(&remote_id) >= KEY_MAX)
		return NULL;
	return find(s, key, key_of_remote_id(remote_id, key));
}

/* What is inside a typed remote-id (Cisco and others: 00 a MAC, 01 a text, then the length): the
 * name that a person gives the switch. Empty if it is not typed. */
static struct buf untyped(struct buf remote_id)
{
	uint8_t type = buf_u8(&remote_id), len = buf_u8(&remote_id);
	bool typed = type <= 1 && len == buf_left(&remote_id);

	return typed ? remote_id : (struct buf){.bad = false};
}

const struct switch_way *switches_find(
	const struct switches *s, uint32_t giaddr, struct buf remote_id)
{
	uint8_t key[KEY_MAX];
	struct row *row = find_remote_id(s, remote_id);

	if (!row)
		row = find_remote_id(s, untyped(remote_id));
	if (!row && giaddr)
		row = find(s, key, key_of_giaddr(giaddr, key));
	return row ? &row->way : NULL;
}
