/* SPDX-License-Identifier: ISC
 *
 * A small HTTP/1.1 server on the loop: Unix and loopback sockets, whole requests, whole or
 * streamed replies. Everything a peer can make grow has a limit: head, body, connections, time,
 * and what waits to be sent to a slow one. RFC 9110, 9112.
 */
#ifndef TAP82_HTTP_H
#define TAP82_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap82/loop.h"

#define HTTP_HEAD_MAX	     8192
#define HTTP_BODY_MAX	     (1024 * 1024)
#define HTTP_CONNECTIONS_MAX 256
#define HTTP_STREAMS_MAX     64
#define HTTP_STREAM_BACKLOG  (1024 * 1024) /* unsent bytes of a stream: more, and it is dropped */
#define HTTP_PATH_MAX	     512
#define HTTP_QUERY_MAX	     1024

enum http_method { HTTP_OTHER, HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE };

struct http_request {
	enum http_method method;
	char path[HTTP_PATH_MAX]; /* decoded, begins with '/' */
	char query[HTTP_QUERY_MAX]; /* as sent, without the '?' */
	char token[256]; /* Authorization: Bearer …; "" if there is none */
	char host[128]; /* "" if there is none */
	bool keep_alive, expect_continue;
	bool old; /* HTTP/1.0: no chunks */
	size_t body_len;
	const char *body; /* body_len bytes and a NUL */
};

/* --- The bytes (http_parse.c: no sockets) ---------------------------------------------------- */

/* Reads a request's head out of `len` bytes. Its length in bytes once it is whole; 0: more is
 * needed; below 0: refuse it with that status, negated (-400, -414, -431, -413, -501, -505).
 * `ret_request` is written only on success; its body is the caller's to set. */
int http_head_parse(const char *bytes, size_t len, struct http_request *ret_request);
/* The value of `name` in a query, decoded and NUL-terminated in `out`. Its length;
 * ERR_NOT_FOUND; ERR_SYNTAX (bad escape, a NUL); ERR_FULL. */
int http_query_get(const char *query, const char *name, char *out, size_t size);
/* Decodes %XX (and '+' where `plus`) of len bytes. The same answers. */
int http_decode(const char *text, size_t len, bool plus, char *out, size_t size);
/* "Not Found" for 404 …; "Error" for what has no name here. */
const char *http_status_text(int status);

/* --- The server ------------------------------------------------------------------------------ */

struct http_server;
/* A request that waits for its reply. It lives until it was replied to, also when the peer has
 * gone. */
struct http_exchange;

typedef void (*http_fn)(void *ctx, struct http_exchange *x, const struct http_request *r);
typedef void (*http_stream_fn)(void *ctx, struct http_exchange *x);

/* Listening sockets, non-blocking and close-on-exec: a descriptor, or -errno. A socket file that
 * nobody listens on any more is replaced; one that is alive is -EADDRINUSE. */
int http_bind_unix(const char *path, unsigned mode);
int http_bind_ipv4(uint32_t address, uint16_t port);

struct http_server *http_server_new(struct loop *loop);
/* Serves on a listening socket, which becomes the server's. 0 or -ENOMEM. */
int http_server_listen(struct http_server *server, int fd, http_fn fn, void *ctx);
/* Closes everything; `closed` of open streams is called. */
void http_server_free(struct http_server *server);

/* A whole reply. `headers`: further lines, each ended by CRLF, or NULL. */
void http_reply(struct http_exchange *x, int status, const char *type, const char *headers,
	const void *body, size_t len);

/* A reply in pieces. `closed` is called when the peer leaves or the server ends; `x` is gone then.
 * `more`, if not NULL, is called whenever little is waiting to be sent: it sends or ends.
 * 0, or ERR_FULL: too many streams; a reply is still owed. */
int http_stream_begin(struct http_exchange *x, const char *type, http_stream_fn more,
	http_stream_fn closed, void *ctx);
/* 0, or ERR_FULL: the peer is too slow, `x` is gone, `closed` is not called. */
int http_stream_send(struct http_exchange *x, const void *bytes, size_t len);
/* What is sent from now on comes by itself: `more` is not called again. */
void http_stream_wait(struct http_exchange *x);
void http_stream_end(struct http_exchange *x);
/* Cuts the connection, so that the peer sees that there should be more; `closed` is not called. */
void http_stream_break(struct http_exchange *x);

struct http_stats {
	uint64_t requests, refused, slow; /* totals: handled, not understood, dropped as too slow */
	uint32_t connections, streams; /* now */
};
void http_server_stats(const struct http_server *server, struct http_stats *ret_stats);

#endif
