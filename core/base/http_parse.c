/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tap82/addr.h"
#include "tap82/err.h"
#include "tap82/http.h"

struct text {
	const char *p;
	size_t len;
};

static bool text_is(struct text t, const char *word)
{
	return t.len == strlen(word) && memcmp(t.p, word, t.len) == 0;
}

static bool text_is_word(struct text t, const char *word)
{
	return t.len == strlen(word) && strncasecmp(t.p, word, t.len) == 0;
}

/* What stands before the first `sep`, taken off `t`; all of it if there is none. */
static struct text text_cut(struct text *t, char sep)
{
	const char *at = memchr(t->p, sep, t->len);
	struct text first = {t->p, at ? (size_t)(at - t->p) : t->len};
	size_t skip = at ? first.len + 1 : first.len;

	t->p += skip;
	t->len -= skip;
	return first;
}

static struct text text_trim(struct text t)
{
	while (t.len > 0 && (*t.p == ' ' || *t.p == '\t')) {
		t.p++;
		t.len--;
	}
	while (t.len > 0 && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t'))
		t.len--;
	return t;
}

int http_decode(const char *text, size_t len, bool plus, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)(plus && text[i] == '+' ? ' ' : text[i]);

		if (text[i] == '%') {
			if (len - i < 3 || hex_parse(text + i + 1, 2, &c, 1) != 1)
				return ERR_SYNTAX;
			i += 2;
		}
		if (c == 0)
			return ERR_SYNTAX;
		if (n + 1 >= size)
			return ERR_FULL;
		out[n++] = (char)c;
	}
	out[n] = 0;
	return (int)n;
}

int http_query_get(const char *query, const char *name, char *out, size_t size)
{
	struct text rest = {query, strlen(query)};

	while (rest.len > 0) {
		struct text value = text_cut(&rest, '&');
		struct text key = text_cut(&value, '=');

		if (text_is(key, name))
			return http_decode(value.p, value.len, true, out, size);
	}
	return ERR_NOT_FOUND;
}

static const struct {
	const char *word;
	enum http_method method;
} methods[] = {
	{"GET", HTTP_GET},
	{"HEAD", HTTP_HEAD},
	{"POST", HTTP_POST},
	{"PUT", HTTP_PUT},
	{"DELETE", HTTP_DELETE},
};

static enum http_method method_of(struct text word)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (text_is(word, methods[i].word))
			return methods[i].method;
	return HTTP_OTHER;
}

static int read_version(struct text word, struct http_request *r)
{
	if (text_is(word, "HTTP/1.1")) {
		r->keep_alive = true;
		return 0;
	}
	if (!text_is(word, "HTTP/1.0"))
		return word.len > 5 && memcmp(word.p, "HTTP/", 5) == 0 ? -505 : -400;
	r->old = true;
	return 0;
}

/* method SP request-target SP HTTP-version (RFC 9112 3), the target in origin form. */
static int read_request_line(struct text line, struct http_request *r)
{
	struct text method = text_cut(&line, ' '), target = text_cut(&line, ' ');
	struct text path = text_cut(&target, '?');
	int n;

	if (method.len == 0 || path.len == 0 || *path.p != '/')
		return -400;
	r->method = method_of(method);
	n = http_decode(path.p, path.len, false, r->path, sizeof(r->path));
	if (n == ERR_FULL || target.len >= sizeof(r->query))
		return -414;
	if (n < 0)
		return -400;
	memcpy(r->query, target.p, target.len);
	r->query[target.len] = 0;
	return read_version(line, r);
}

static int keep_text(struct text value, char *out, size_t size)
{
	if (value.len >= size)
		return -431;
	memcpy(out, value.p, value.len);
	out[value.len] = 0;
	return 0;
}

static int read_content_length(struct text value, struct http_request *r)
{
	size_t n = 0;

	if (value.len == 0 || value.len > 9)
		return value.len == 0 ? -400 : -413;
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return -400;
		n = 10 * n + (size_t)(value.p[i] - '0');
	}
	if (r->body_len > 0 && r->body_len != n)
		return -400;
	r->body_len = n;
	return n > HTTP_BODY_MAX ? -413 : 0;
}

/* A body without a length known before is more than anybody of ours sends. */
static int read_transfer_encoding(struct text value, struct http_request *r)
{
	(void)value;
	(void)r;
	return -501;
}

static int read_connection(struct text value, struct http_request *r)
{
	while (value.len > 0) {
		struct text word = text_trim(text_cut(&value, ','));

		if (text_is_word(word, "close"))
			r->keep_alive = false;
		else if (text_is_word(word, "keep-alive"))
			r->keep_alive = true;
	}
	return 0;
}

static int read_expect(struct text value, struct http_request *r)
{
	if (!text_is_word(value, "100-continue"))
		return -417;
	r->expect_continue = true;
	return 0;
}

static int read_authorization(struct text value, struct http_request *r)
{
	struct text scheme = text_cut(&value, ' ');

	if (!text_is_word(scheme, "Bearer"))
		return 0;
	return keep_text(text_trim(value), r->token, sizeof(r->token));
}

static int read_host(struct text value, struct http_request *r)
{
	return keep_text(value, r->host, sizeof(r->host));
}

static const struct {
	const char *name;
	int (*read)(struct text value, struct http_request *r);
} headers[] = {
	{"Host", read_host},
	{"Content-Length", read_content_length},
	{"Transfer-Encoding", read_transfer_encoding},
	{"Connection", read_connection},
	{"Expect", read_expect},
	{"Authorization", read_authorization},
};

/* A name ends at its colon without a blank before it (RFC 9112 5.1: else smuggling). */
static int read_header(struct text line, struct http_request *r)
{
	const char *colon = memchr(line.p, ':', line.len);
	struct text name = text_cut(&line, ':');

	if (!colon || name.len == 0 || memchr(name.p, ' ', name.len) ||
		memchr(name.p, '\t', name.len))
		return -400;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (text_is_word(name, headers[i].name))
			return headers[i].read(text_trim(line), r);
	return 0;
}

/* The next line without its CRLF. False: a bare CR, LF or NUL. */
static bool next_line(struct text *head, struct text *ret_line)
{
	struct text line = text_cut(head, '\n');

	if (line.len == 0 || line.p[line.len - 1] != '\r')
		return false;
	line.len--;
	if (memchr(line.p, '\r', line.len) || memchr(line.p, 0, line.len))
		return false;
	*ret_line = line;
	return true;
}

static int read_lines(struct text head, struct http_request *r)
{
	struct text line;
	int err;

	if (!next_line(&head, &line))
		return -400;
	err = read_request_line(line, r);
	while (err == 0 && head.len > 0) {
		if (!next_line(&head, &line))
			return -400;
		err = read_header(line, r);
	}
	return err;
}

int http_head_parse(const char *bytes, size_t len, struct http_request *ret_request)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	struct http_request r = {0};
	size_t n = end ? (size_t)(end - bytes) + 2 : len;
	int err;

	if (n > HTTP_HEAD_MAX)
		return -431;
	if (!end)
		return 0;
	err = read_lines((struct text){bytes, n}, &r);
	if (err < 0)
		return err;
	*ret_request = r;
	return (int)n + 2;
}

static const struct {
	int status;
	const char *text;
} statuses[] = {
	{100, "Continue"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
};

const char *http_status_text(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "Error";
}
