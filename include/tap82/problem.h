/* SPDX-License-Identifier: ISC
 *
 * What is wrong with a message: a short list of reasons, kept as numbers and put into words only
 * when somebody prints them. A decoder notes a problem and goes on as far as it can.
 */
#ifndef TAP82_PROBLEM_H
#define TAP82_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

#define PROBLEMS_MAX 6 /* of one message; more are counted, not kept */
#define PROBLEM_TEXT 96 /* the longest text of one, with NUL */

struct problem {
	const char *format; /* static: up to three %u */
	uint32_t a, b, c;
};

struct problems {
	uint16_t count; /* may be more than are kept */
	struct problem item[PROBLEMS_MAX];
};

/* `format` takes up to three %u, which `a`, `b` and `c` are. */
void problem_add(struct problems *p, const char *format, uint32_t a, uint32_t b, uint32_t c);
/* All that are kept, joined by "; ", cut to `size`; returns `out`. */
char *problems_format(const struct problems *p, char *out, size_t size);

#endif
