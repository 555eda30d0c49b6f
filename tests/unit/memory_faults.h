/* SPDX-License-Identifier: ISC
 *
 * Memory that runs out: the Nth allocation fails, for every N. For programs linked with --wrap for
 * the allocators (Makefile).
 */
#ifndef TAP82_MEMORY_FAULTS_H
#define TAP82_MEMORY_FAULTS_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct {
	bool on, always; /* always: none at all, not only the Nth */
	long count, fail_at;
	long failed;
	long held; /* allocations of ours that were not given back */
} memory;

static bool runs_out(void)
{
	if (!memory.on || (++memory.count != memory.fail_at && !memory.always))
		return false;
	memory.failed++;
	return true;
}

static void *held(void *p)
{
	memory.held += memory.on && p;
	return p;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *p);

void *__wrap_malloc(size_t size)
{
	return runs_out() ? NULL : held(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : held(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	if (runs_out())
		return NULL;
	return p ? __real_realloc(p, size) : held(__real_realloc(p, size));
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	if (runs_out())
		return NULL;
	return p ? __real_reallocarray(p, n, size) : held(__real_reallocarray(p, n, size));
}

char *__wrap_strdup(const char *text)
{
	return runs_out() ? NULL : held(__real_strdup(text));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return runs_out() ? NULL : held(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *p)
{
	memory.held -= memory.on && p;
	__real_free(p);
}

/* Runs `scenario` with the first, second … allocation failing until none fails any more. It gives 0
 * or -ENOMEM. How many there were. */
static long sweep(int (*scenario)(void))
{
	for (long at = 1;; at++) {
		int r;

		memory.count = memory.failed = memory.held = 0;
		memory.fail_at = at;
		memory.on = true;
		r = scenario();
		memory.on = false;
		assert_int_equal(memory.held, 0);
		assert_true(r == 0 || (r == -ENOMEM && memory.failed > 0));
		if (memory.failed == 0)
			return at - 1;
	}
}

#endif
