/* SPDX-License-Identifier: ISC
 *
 * Several capture files as one. Each file has its next packet at hand; the earliest is given, of
 * equal ones that of the first argument. A file is read on only when its packet was given and the
 * next one is asked for, so that the packet's bytes stay.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tap82/capture_file.h"

struct head {
	struct capture_file *file; /* owned */
	struct packet packet;
	bool ready; /* packet is the next one */
	bool over; /* nothing more comes */
};

struct capture_merge {
	struct head *heads; /* owned */
	int count;
	int last; /* whose packet was given, -1: none yet */
	char error[CAPTURE_ERROR_MAX];
};

int capture_merge_open(const char *const *paths, int count, char error[CAPTURE_ERROR_MAX],
	struct capture_merge **ret_merge)
{
	struct capture_merge *m = calloc(1, sizeof(*m));
	int r = -ENOMEM;

	if (m && (m->heads = calloc((size_t)count + 1, sizeof(m->heads[0]))))
		r = 0;
	else
		snprintf(error, CAPTURE_ERROR_MAX, "no memory");
	for (int i = 0; r == 0 && i < count; i++) {
		r = capture_file_open(paths[i], error, &m->heads[i].file);
		if (r == 0)
			m->count++;
	}
	if (r < 0) {
		capture_merge_close(m);
		return r;
	}
	m->last = -1;
	*ret_merge = m;
	return 0;
}

void capture_merge_close(struct capture_merge *merge)
{
	if (!merge)
		return;
	for (int i = 0; i < merge->count; i++)
		capture_file_close(merge->heads[i].file);
	free(merge->heads);
	free(merge);
}

/* Reads a file's next packet; negative if the file failed. */
static int head_fill(struct capture_merge *m, struct head *h)
{
	int r;

	if (h->ready || h->over)
		return 0;
	r = capture_file_next(h->file, &h->packet);
	h->ready = r > 0;
	h->over = r <= 0;
	if (r < 0)
		snprintf(m->error, sizeof(m->error), "%s", capture_file_error(h->file));
	return r < 0 ? r : 0;
}

static bool is_earlier(const struct head *a, const struct head *b)
{
	return a->ready && (!b || a->packet.time < b->packet.time);
}

int capture_merge_next(struct capture_merge *merge, struct packet *ret_packet)
{
	struct head *first = NULL;

	if (merge->last >= 0)
		merge->heads[merge->last].ready = false;
	merge->last = -1;
	for (int i = 0; i < merge->count; i++) {
		struct head *h = &merge->heads[i];
		int r = head_fill(merge, h);

		if (r < 0)
			return r;
		if (is_earlier(h, first)) {
			first = h;
			merge->last = i;
		}
	}
	if (!first)
		return 0;
	*ret_packet = first->packet;
	return 1;
}

const char *capture_merge_error(const struct capture_merge *merge)
{
	return merge->error;
}

uint64_t capture_merge_offset(const struct capture_merge *merge)
{
	uint64_t sum = 0;

	for (int i = 0; i < merge->count; i++)
		sum += capture_file_offset(merge->heads[i].file);
	return sum;
}

uint64_t capture_merge_size(const struct capture_merge *merge)
{
	uint64_t sum = 0;

	for (int i = 0; i < merge->count; i++) {
		uint64_t size = capture_file_size(merge->heads[i].file);

		if (size == 0)
			return 0;
		sum += size;
	}
	return sum;
}
