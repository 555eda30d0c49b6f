/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "tap82/device.h"

struct memo *device_memo(struct device_table *t, const struct device *d)
{
	struct memo *m = NULL;

	if (d->flags & DEVICE_HAS_MEMO)
		HASH_FIND(hh, t->memos, &d->index, sizeof(d->index), m);
	return m;
}

struct memo *device_memo_new(struct device_table *t, struct device *d)
{
	struct memo *m = device_memo(t, d);

	if (m)
		return m;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->index = d->index;
	HASH_ADD(hh, t->memos, index, sizeof(m->index), m);
	d->flags |= DEVICE_HAS_MEMO;
	return m;
}

void device_memo_free(struct device_table *t, struct device *d)
{
	struct memo *m = device_memo(t, d);

	if (!m)
		return;
	HASH_DEL(t->memos, m);
	free(m);
	d->flags &= (uint8_t)~DEVICE_HAS_MEMO;
}

void device_memos_done(struct device_table *t)
{
	struct memo *m, *next;

	HASH_ITER (hh, t->memos, m, next) {
		HASH_DEL(t->memos, m);
		free(m);
	}
}
