/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "queue.h"

#define BYTES (QUEUE_SLOTS * sizeof(struct observation))
#define KEPT  64 /* slots in use at once that are not worth a system call */

int queue_init(struct queue *q)
{
	const int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	/* cppcheck-suppress invalidFunctionArg ; -1 is right for anonymous memory */
	void *slots = mmap(NULL, BYTES, prot, flags | MAP_NORESERVE, -1, 0);

	if (slots == MAP_FAILED)
		return -ENOMEM;
	*q = (struct queue){.slots = slots};
	return 0;
}

void queue_done(struct queue *q)
{
	munmap(q->slots, BYTES);
}

bool queue_add(struct queue *q, const struct observation *o)
{
	if (q->count == QUEUE_SLOTS)
		return false;
	memcpy(&q->slots[(q->first + q->count) % QUEUE_SLOTS], o, observation_size(o));
	q->count++;
	return true;
}

const struct observation *queue_first(const struct queue *q)
{
	return q->count ? &q->slots[q->first] : NULL;
}

/* Empty again after a stall, it gives its memory back. */
void queue_take(struct queue *q)
{
	q->first = (q->first + 1) % QUEUE_SLOTS;
	if (--q->count > 0)
		return;
	if (q->first >= KEPT)
		(void)madvise(q->slots, BYTES, MADV_DONTNEED);
	q->first = 0;
}
