/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"

void fifo_init(struct fifo *fifo)
{
	*fifo = (struct fifo){.tail = &fifo->head};
}

void fifo_push(struct fifo *fifo, struct request *r)
{
	r->next = NULL;
	*fifo->tail = r;
	fifo->tail = &r->next;
	fifo->count++;
}

/* Takes out the one that *at points to. */
struct request *fifo_take(struct fifo *fifo, struct request **at)
{
	struct request *r = *at;

	*at = r->next;
	if (fifo->tail == &r->next)
		fifo->tail = at;
	fifo->count--;
	return r;
}

void fifo_free(struct fifo *fifo)
{
	while (fifo->head)
		free(fifo_take(fifo, &fifo->head));
}

void fifo_fail(struct fifo *fifo, int err)
{
	struct fifo failed = *fifo;

	if (!failed.head)
		return;
	fifo_init(fifo);
	while (failed.head) {
		struct request *r = failed.head;

		failed.head = r->next;
		r->fn(r->ctx, err, NULL);
		free(r);
	}
}

int request_new(struct omapi_out *out, omapi_reply_fn fn, void *ctx, struct request **ret)
{
	int len = omapi_out_end(out);
	struct request *r;

	if (len < 0)
		return len;
	r = malloc(sizeof(*r) + (size_t)len);
	if (!r)
		return -ENOMEM;
	*r = (struct request){.fn = fn, .ctx = ctx, .len = (size_t)len};
	memcpy(r->bytes, out->base, (size_t)len);
	*ret = r;
	return 0;
}
