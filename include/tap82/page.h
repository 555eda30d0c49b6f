/* SPDX-License-Identifier: ISC
 *
 * The page for people at `/`: one file, built in. It loads nothing from elsewhere, and its
 * Content-Security-Policy lets run what is in it and nothing else.
 */
#ifndef TAP82_PAGE_H
#define TAP82_PAGE_H

#include <stddef.h>

/* The page, UTF-8, NUL-terminated; static storage. */
const char *page_html(size_t *ret_len);
/* The description of the HTTP API (OpenAPI 3), likewise. */
const char *page_openapi(size_t *ret_len);
/* The value of its Content-Security-Policy header, made from the hashes of its style and script
 * (CSP level 3, 2.3.1). Static storage. */
const char *page_csp(void);

#endif
