/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "tap82/problem.h"

void problem_add(struct problems *p, const char *format, uint32_t a, uint32_t b, uint32_t c)
{
	if (p->count < PROBLEMS_MAX)
		p->item[p->count] = (struct problem){.format = format, .a = a, .b = b, .c = c};
	if (p->count < UINT16_MAX)
		p->count++;
}

/* The formats are literals of the decoders: no byte of a message is ever a format. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static size_t problem_format(const struct problem *p, char *out, size_t size)
{
	int n = snprintf(out, size, p->format, p->a, p->b, p->c);

	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

char *problems_format(const struct problems *p, char *out, size_t size)
{
	size_t n = 0;

	out[0] = 0;
	for (unsigned i = 0; i < p->count && i < PROBLEMS_MAX; i++) {
		if (i > 0 && size - n > 2) {
			memcpy(out + n, "; ", 3);
			n += 2;
		}
		n += problem_format(&p->item[i], out + n, size - n);
	}
	return out;
}
