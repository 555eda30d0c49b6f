/* SPDX-License-Identifier: ISC */
#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "tap82/page.h"

#define HASH_TEXT (BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1)

/* The assembler reads the files as they are: no copy in another form has to be kept. */
__asm__(".pushsection .rodata\n"
	"page_bytes: .incbin \"core/page/page.html\"\n"
	"page_bytes_end: .byte 0\n"
	"openapi_bytes: .incbin \"core/page/openapi.json\"\n"
	"openapi_bytes_end: .byte 0\n"
	".popsection\n");
extern const char page_bytes[], page_bytes_end[], openapi_bytes[], openapi_bytes_end[];

const char *page_html(size_t *ret_len)
{
	*ret_len = (size_t)(page_bytes_end - page_bytes);
	return page_bytes;
}

const char *page_openapi(size_t *ret_len)
{
	*ret_len = (size_t)(openapi_bytes_end - openapi_bytes);
	return openapi_bytes;
}

/* The hash of what stands between `open` and `close`. */
static void hash_between(const char *open, const char *close, char ret_text[HASH_TEXT])
{
	const char *from = strstr(page_bytes, open) + strlen(open);
	struct sha256_ctx sha;
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_init(&sha);
	sha256_update(&sha, (size_t)(strstr(from, close) - from), (const uint8_t *)from);
	sha256_digest(&sha, sizeof(digest), digest);
	base64_encode_raw(ret_text, sizeof(digest), digest);
	ret_text[HASH_TEXT - 1] = '\0';
}

const char *page_csp(void)
{
	static char policy[512];
	char style[HASH_TEXT], script[HASH_TEXT];

	if (*policy)
		return policy;
	hash_between("<style>", "</style>", style);
	hash_between("<script>", "</script>", script);
	snprintf(policy, sizeof(policy),
		"default-src 'none'; connect-src 'self'; style-src 'sha256-%s'; "
		"script-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'",
		style, script);
	return policy;
}
