/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/http.h"

#define TALK_TIME   (10 * USEC_PER_SEC) /* to send a request, to take a reply, between two */
#define STREAM_TIME (30 * USEC_PER_SEC) /* in which a stream's peer must take something */
#define LOW_WATER   (64 * 1024)
#define READ_BYTES  (16 * 1024)

/* Bytes that wait: `at` of them were used up. */
struct bytes {
	char *p;
	size_t len, at, size;
};

enum talk { TALK_READING, TALK_ANSWERING, TALK_WRITING, TALK_STREAMING };

struct http_exchange {
	struct http_server *server;
	struct listener *listener;
	struct http_exchange *prev, *next;
	struct loop_io *io;
	struct loop_timer *timer;
	int fd;
	enum talk talk;
	bool last; /* the connection ends after this reply */
	bool ending; /* the stream has ended, its rest is sent */
	bool handing; /* the request is being handled: nobody frees us now */
	bool gone; /* to be freed when handling is over */
	size_t head_len; /* of the request at the front of `in`, once it is known */
	struct http_request request;
	struct bytes in, out;
	http_stream_fn more, closed;
	void *ctx;
};

struct listener {
	struct http_server *server;
	struct listener *next;
	struct loop_io *io;
	int fd;
	http_fn fn;
	void *ctx;
};

struct http_server {
	struct loop *loop;
	struct listener *listeners;
	struct http_exchange *exchanges;
	struct http_stats stats;
};

static void exchange_io(void *ctx, int fd, int what);

static size_t bytes_left(const struct bytes *b)
{
	return b->len - b->at;
}

static void bytes_done(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){0};
}

/* Room for n more bytes behind what waits, and a NUL. */
static int bytes_reserve(struct bytes *b, size_t n)
{
	size_t size = b->size ? b->size : 1024;
	char *p;

	if (b->at > 0) {
		memmove(b->p, b->p + b->at, bytes_left(b));
		b->len -= b->at;
		b->at = 0;
	}
	while (size <= b->len + n)
		size *= 2;
	if (size == b->size)
		return 0;
	p = realloc(b->p, size);
	if (!p)
		return -ENOMEM;
	b->p = p;
	b->size = size;
	return 0;
}

static int bytes_put(struct bytes *b, const void *from, size_t n)
{
	if (n == 0)
		return 0;
	if (bytes_reserve(b, n) < 0)
		return -ENOMEM;
	memcpy(b->p + b->len, from, n);
	b->len += n;
	return 0;
}

static void exchange_free(struct http_exchange *x)
{
	struct http_server *server = x->server;

	if (x->talk == TALK_STREAMING)
		server->stats.streams--;
	DL_DELETE(server->exchanges, x);
	server->stats.connections--;
	loop_io_free(x->io);
	loop_timer_free(x->timer);
	close(x->fd);
	bytes_done(&x->in);
	bytes_done(&x->out);
	free(x);
}

/* Ends a connection from inside: the owner of a stream is told, the owner of a reply not: it may
 * still hold `x`, which waits for that reply. */
static void exchange_drop(struct http_exchange *x)
{
	if (x->talk == TALK_STREAMING && x->closed && !x->ending)
		x->closed(x->ctx, x);
	if (x->handing)
		x->gone = true;
	else
		exchange_free(x);
}

static void exchange_late(void *ctx)
{
	struct http_exchange *x = ctx;

	if (x->talk == TALK_STREAMING && bytes_left(&x->out) == 0)
		return;
	if (x->talk != TALK_READING)
		x->server->stats.slow++;
	exchange_drop(x);
}

/* --- Replies --------------------------------------------------------------------------------- */

static void read_next(struct http_exchange *x);

static void reply_sent(struct http_exchange *x)
{
	if (x->last) {
		exchange_drop(x);
		return;
	}
	x->talk = TALK_READING;
	loop_timer_set(x->timer, TALK_TIME);
	loop_io_set(x->io, LOOP_READ);
	read_next(x);
}

static void stream_sent(struct http_exchange *x)
{
	if (x->ending) {
		x->server->stats.streams--;
		x->talk = TALK_WRITING;
		reply_sent(x);
		return;
	}
	loop_timer_clear(x->timer);
	loop_io_set(x->io, LOOP_READ);
}

/* Sends what the peer takes. -errno: it is gone. */
static int send_some(struct http_exchange *x)
{
	while (bytes_left(&x->out) > 0) {
		ssize_t n = send(x->fd, x->out.p + x->out.at, bytes_left(&x->out), MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		x->out.at += (size_t)n;
		loop_timer_set(x->timer, x->talk == TALK_STREAMING ? STREAM_TIME : TALK_TIME);
	}
	return 0;
}

static void write_ready(struct http_exchange *x)
{
	if (send_some(x) < 0) {
		exchange_drop(x);
		return;
	}
	if (x->talk == TALK_STREAMING && x->more && !x->ending && bytes_left(&x->out) < LOW_WATER) {
		x->more(x->ctx, x);
		return;
	}
	if (bytes_left(&x->out) > 0)
		return;
	if (x->talk == TALK_STREAMING)
		stream_sent(x);
	else
		reply_sent(x);
}

/* What was put into `out` goes in the next turn: nobody is freed under its caller's feet. */
static void want_to_write(struct http_exchange *x)
{
	bool stream = x->talk == TALK_STREAMING;

	if (!loop_timer_is_set(x->timer))
		loop_timer_set(x->timer, stream ? STREAM_TIME : TALK_TIME);
	loop_io_set(x->io, stream && !x->ending ? LOOP_READ | LOOP_WRITE : LOOP_WRITE);
}

static int put_head(struct http_exchange *x, int status, const char *type, const char *more)
{
	char head[512];
	int n = snprintf(head, sizeof(head),
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n"
		"X-Content-Type-Options: nosniff\r\nConnection: %s\r\n",
		status, http_status_text(status), type, x->last ? "close" : "keep-alive");

	if (bytes_put(&x->out, head, (size_t)n) < 0)
		return -ENOMEM;
	return more ? bytes_put(&x->out, more, strlen(more)) : 0;
}

void http_reply(struct http_exchange *x, int status, const char *type, const char *headers,
	const void *body, size_t len)
{
	char length[64];
	int n = snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n", len);

	x->talk = TALK_WRITING;
	loop_timer_set(x->timer, TALK_TIME);
	if (put_head(x, status, type, headers) < 0 || bytes_put(&x->out, length, (size_t)n) < 0 ||
		(x->request.method != HTTP_HEAD && bytes_put(&x->out, body, len) < 0)) {
		x->last = true;
		x->out.len = x->out.at = 0;
	}
	want_to_write(x);
}

int http_stream_begin(struct http_exchange *x, const char *type, http_stream_fn more,
	http_stream_fn closed, void *ctx)
{
	const char *encoding = "Transfer-Encoding: chunked\r\n\r\n";

	if (x->server->stats.streams >= HTTP_STREAMS_MAX)
		return ERR_FULL;
	if (x->request.old) {
		x->last = true;
		encoding = "\r\n";
	}
	if (put_head(x, 200, type, encoding) < 0)
		return ERR_FULL;
	x->talk = TALK_STREAMING;
	x->server->stats.streams++;
	x->ending = false;
	x->more = more;
	x->closed = closed;
	x->ctx = ctx;
	want_to_write(x);
	return 0;
}

static int put_chunk(struct http_exchange *x, const void *bytes, size_t len)
{
	char size[24];
	int n = snprintf(size, sizeof(size), "%zx\r\n", len);

	if (x->request.old)
		return bytes_put(&x->out, bytes, len);
	if (bytes_put(&x->out, size, (size_t)n) < 0 || bytes_put(&x->out, bytes, len) < 0)
		return -ENOMEM;
	return bytes_put(&x->out, "\r\n", 2);
}

int http_stream_send(struct http_exchange *x, const void *bytes, size_t len)
{
	if (len == 0)
		return 0;
	if (bytes_left(&x->out) > HTTP_STREAM_BACKLOG || put_chunk(x, bytes, len) < 0) {
		x->server->stats.slow++;
		x->ending = true;
		exchange_drop(x);
		return ERR_FULL;
	}
	want_to_write(x);
	return 0;
}

void http_stream_wait(struct http_exchange *x)
{
	x->more = NULL;
	want_to_write(x);
}

void http_stream_end(struct http_exchange *x)
{
	if (!x->request.old && bytes_put(&x->out, "0\r\n\r\n", 5) < 0)
		x->last = true;
	x->ending = true;
	want_to_write(x);
}

void http_stream_break(struct http_exchange *x)
{
	x->ending = true;
	exchange_drop(x);
}

/* --- Requests -------------------------------------------------------------------------------- */

static void refuse(struct http_exchange *x, int status)
{
	char body[96];
	int n = snprintf(body, sizeof(body), "{\"error\":\"%s\"}\n", http_status_text(status));

	x->server->stats.refused++;
	x->last = true;
	http_reply(x, status, "application/json", NULL, body, (size_t)n);
}

/* The whole request is here: it is answered now, or later. */
static void hand_over(struct http_exchange *x)
{
	size_t whole = x->head_len + x->request.body_len;
	char *body = x->in.p + x->in.at + x->head_len, next = body[x->request.body_len];

	x->talk = TALK_ANSWERING;
	x->last = !x->request.keep_alive;
	loop_timer_clear(x->timer);
	loop_io_set(x->io, 0);
	x->server->stats.requests++;
	body[x->request.body_len] = 0;
	x->request.body = body;
	x->handing = true;
	x->listener->fn(x->listener->ctx, x, &x->request);
	x->handing = false;
	body[x->request.body_len] = next;
	x->in.at += whole;
	x->head_len = 0;
	if (x->gone)
		exchange_free(x);
}

static bool read_head(struct http_exchange *x)
{
	int n = bytes_left(&x->in) == 0
			? 0
			: http_head_parse(x->in.p + x->in.at, bytes_left(&x->in), &x->request);

	if (n < 0) {
		x->request = (struct http_request){.old = true};
		refuse(x, -n);
	} else if (n > 0) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

		x->head_len = (size_t)n;
		if (x->request.expect_continue &&
			send(x->fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL) < 0)
			x->last = true;
	}
	return n > 0;
}

static void read_next(struct http_exchange *x)
{
	if (x->head_len == 0 && !read_head(x))
		return;
	if (bytes_left(&x->in) >= x->head_len + x->request.body_len)
		hand_over(x);
}

static void read_ready(struct http_exchange *x)
{
	char drain[512];
	ssize_t n;

	if (x->talk == TALK_STREAMING) { /* whatever it says, it listens: only its end counts */
		n = recv(x->fd, drain, sizeof(drain), 0);
	} else if (bytes_reserve(&x->in, READ_BYTES) < 0) {
		n = 0;
	} else {
		n = recv(x->fd, x->in.p + x->in.len, READ_BYTES, 0);
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		exchange_drop(x);
		return;
	}
	if (x->talk != TALK_READING)
		return;
	x->in.len += (size_t)n;
	read_next(x);
}

static void exchange_io(void *ctx, int fd, int what)
{
	struct http_exchange *x = ctx;

	(void)fd;
	if (what & LOOP_WRITE)
		write_ready(x);
	else
		read_ready(x);
}

static void exchange_open(struct listener *listener, int fd)
{
	struct http_server *server = listener->server;
	struct http_exchange *x = calloc(1, sizeof(*x));

	if (!x) {
		close(fd);
		return;
	}
	*x = (struct http_exchange){.server = server, .listener = listener, .fd = fd};
	DL_APPEND(server->exchanges, x);
	server->stats.connections++;
	x->io = loop_io_new(server->loop, fd, LOOP_READ, exchange_io, x);
	x->timer = loop_timer_new(server->loop, exchange_late, x);
	if (!x->io || !x->timer) {
		exchange_free(x);
		return;
	}
	loop_timer_set(x->timer, TALK_TIME);
}

static void accept_ready(void *ctx, int fd, int what)
{
	struct listener *listener = ctx;
	int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (peer < 0)
		return;
	if (listener->server->stats.connections >= HTTP_CONNECTIONS_MAX) {
		listener->server->stats.refused++;
		close(peer);
		return;
	}
	exchange_open(listener, peer);
}

struct http_server *http_server_new(struct loop *loop)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (server)
		server->loop = loop;
	return server;
}

int http_server_listen(struct http_server *server, int fd, http_fn fn, void *ctx)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return -ENOMEM;
	*listener = (struct listener){.server = server, .fd = fd, .fn = fn, .ctx = ctx};
	listener->io = loop_io_new(server->loop, fd, LOOP_READ, accept_ready, listener);
	if (!listener->io) {
		free(listener);
		return -ENOMEM;
	}
	LL_PREPEND(server->listeners, listener);
	return 0;
}

void http_server_free(struct http_server *server)
{
	struct http_exchange *x, *x_next;
	struct listener *l, *l_next;

	if (!server)
		return;
	DL_FOREACH_SAFE(server->exchanges, x, x_next)
	exchange_drop(x);
	LL_FOREACH_SAFE(server->listeners, l, l_next)
	{
		loop_io_free(l->io);
		close(l->fd);
		free(l);
	}
	free(server);
}

void http_server_stats(const struct http_server *server, struct http_stats *ret_stats)
{
	*ret_stats = server->stats;
}
