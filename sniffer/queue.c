/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "queue.h"

#define BYTES (QUEUE_SLOTS * sizeof(struct queue_slot))
#define KEPT  64 /* slots in use at once that are not worth a system call */

struct queue_slot {
	struct queue_slot *next, *before; /* next: also of the spare ones */
	struct queue_slot *next_renewal;
	struct observation o;
};

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
	if (q->slots)
		munmap(q->slots, BYTES);
}

/* RFC 2131 4.4.5: a client that has an address names it in ciaddr, and the ACK repeats it. */
static bool is_renewal(const struct observation *o)
{
	return o->kind == OBSERVATION_DHCP && o->dhcp.ciaddr != 0 &&
	       (o->dhcp.type == DHCP_REQUEST || o->dhcp.type == DHCP_ACK);
}

/* Renewals leave in the order in which they came, from wherever they stand. */
static void take_out(struct queue *q, struct queue_slot *slot)
{
	if (slot == q->renewal)
		q->renewal = slot->next_renewal;
	if (slot->before)
		slot->before->next = slot->next;
	else
		q->first = slot->next;
	if (slot->next)
		slot->next->before = slot->before;
	else
		q->last = slot->before;
	slot->next = q->spare;
	q->spare = slot;
	q->count--;
}

static struct queue_slot *slot_new(struct queue *q)
{
	struct queue_slot *slot = q->spare;

	if (slot)
		q->spare = slot->next;
	else
		slot = &q->slots[q->used++];
	return slot;
}

static void append(struct queue *q, struct queue_slot *slot)
{
	slot->next = slot->next_renewal = NULL;
	slot->before = q->last;
	if (q->last)
		q->last->next = slot;
	else
		q->first = slot;
	q->last = slot;
	q->count++;
	if (!is_renewal(&slot->o))
		return;
	if (q->renewal)
		q->last_renewal->next_renewal = slot;
	else
		q->renewal = slot;
	q->last_renewal = slot;
}

bool queue_add(struct queue *q, const struct observation *o, bool shed)
{
	struct queue_slot *slot;

	if (q->count == QUEUE_SLOTS) {
		if (!shed || !(q->renewal || is_renewal(o)))
			return false;
		q->shed++;
		if (!q->renewal)
			return true;
		take_out(q, q->renewal);
	}
	slot = slot_new(q);
	memcpy(&slot->o, o, observation_size(o));
	append(q, slot);
	return true;
}

const struct observation *queue_first(const struct queue *q)
{
	return q->first ? &q->first->o : NULL;
}

/* Empty again after a stall, it gives its memory back. */
void queue_take(struct queue *q)
{
	take_out(q, q->first);
	if (q->count > 0)
		return;
	if (q->used > KEPT) {
		(void)madvise(q->slots, BYTES, MADV_DONTNEED);
		q->used = 0;
		q->spare = NULL;
	}
}

bool queue_is_long(const struct queue *q)
{
	return q->count > QUEUE_SLOTS / 2;
}
