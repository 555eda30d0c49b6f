/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/err.h"
#include "tap82/http.h"

/* --- The bytes --- */

static int parse(const char *text, struct http_request *r)
{
	return http_head_parse(text, strlen(text), r);
}

static void a_head_is_read_once_it_is_whole(void **state)
{
	const char *text = "PUT /v1/devices/aa%3Abb?force=1&x=a%20b HTTP/1.1\r\nHost: h\r\n"
			   "content-length: 12\r\nAuthorization: Bearer s3cret \r\n\r\nrest";
	struct http_request r;
	char value[16];

	(void)state;
	for (size_t len = 0; len < strlen(text) - 4; len++)
		assert_int_equal(http_head_parse(text, len, &r), 0);
	assert_int_equal(parse(text, &r), (int)strlen(text) - 4);
	assert_int_equal(r.method, HTTP_PUT);
	assert_string_equal(r.path, "/v1/devices/aa:bb");
	assert_string_equal(r.token, "s3cret");
	assert_string_equal(r.host, "h");
	assert_int_equal(r.body_len, 12);
	assert_true(r.keep_alive);
	assert_int_equal(http_query_get(r.query, "x", value, sizeof(value)), 3);
	assert_string_equal(value, "a b");
	assert_int_equal(http_query_get(r.query, "forc", value, sizeof(value)), ERR_NOT_FOUND);
	assert_int_equal(http_query_get("x=%zz", "x", value, sizeof(value)), ERR_SYNTAX);
	assert_int_equal(http_query_get("x=%00", "x", value, sizeof(value)), ERR_SYNTAX);
	assert_int_equal(http_query_get("x=0123456789abcdef", "x", value, sizeof(value)), ERR_FULL);
}

static void what_is_no_request_gets_its_status(void **state)
{
	static const struct {
		const char *text;
		int status;
	} bad[] = {
		{"\r\n\r\n", -400},
		{"GET\r\n\r\n", -400},
		{"GET x HTTP/1.1\r\n\r\n", -400},
		{"GET / HTTP/2.0\r\n\r\n", -505},
		{"GET / FTP\r\n\r\n", -400},
		{"GET /%00 HTTP/1.1\r\n\r\n", -400},
		{"GET /%4 HTTP/1.1\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nno colon\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nHost : x\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\n folded: x\r\n\r\n", -400},
		{"GET / HTTP/1.1\nHost: x\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", -413},
		{"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", -413},
		{"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", -501},
		{"GET / HTTP/1.1\r\nExpect: miracles\r\n\r\n", -417},
	};
	struct http_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i].text, &r), bad[i].status);
}

static void a_head_without_end_is_refused_when_too_long(void **state)
{
	char *text = malloc(HTTP_HEAD_MAX + 2);
	struct http_request r;

	(void)state;
	memset(text, 'a', HTTP_HEAD_MAX + 2);
	assert_int_equal(http_head_parse(text, HTTP_HEAD_MAX, &r), 0);
	assert_int_equal(http_head_parse(text, HTTP_HEAD_MAX + 1, &r), -431);
	memcpy(text, "GET /", 5);
	memcpy(text + 5 + HTTP_PATH_MAX, " HTTP/1.1\r\n\r\n", 13);
	assert_int_equal(http_head_parse(text, HTTP_HEAD_MAX, &r), -414);
	free(text);
}

/* --- The server: a client in the same loop --- */

struct world {
	char dir[32], path[64];
	struct loop *loop;
	struct http_server *server;
	struct http_exchange *held; /* a stream, or an answer that is owed */
	int client, closed;
	int64_t patience;
	struct loop_io *io;
	struct loop_timer *timer;
	char got[64 * 1024];
	size_t len;
	const char *until;
};

static void stream_closed(void *ctx, struct http_exchange *x)
{
	struct world *w = ctx;

	assert_ptr_equal(w->held, x);
	w->held = NULL;
	w->closed++;
}

static void answer(void *ctx, struct http_exchange *x, const struct http_request *r)
{
	struct world *w = ctx;
	char body[HTTP_PATH_MAX + 64];

	if (strcmp(r->path, "/follow") == 0) {
		assert_int_equal(http_stream_begin(x, "text/plain", NULL, stream_closed, w), 0);
		w->held = x;
	} else if (strcmp(r->path, "/later") == 0) {
		w->held = x;
	} else {
		snprintf(body, sizeof(body), "%s:%.*s", r->path, (int)r->body_len, r->body);
		http_reply(x, 200, "text/plain", NULL, body, strlen(body));
	}
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	strcpy(w->dir, "/tmp/tap82-http-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/s", w->dir);
	w->loop = loop_new();
	w->server = http_server_new(w->loop);
	fd = http_bind_unix(w->path, 0660);
	assert_true(fd >= 0);
	assert_int_equal(http_server_listen(w->server, fd, answer, w), 0);
	strcpy(address.sun_path, w->path);
	w->client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(w->client, (struct sockaddr *)&address, sizeof(address)), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	http_server_free(w->server);
	loop_free(w->loop);
	close(w->client);
	unlink(w->path);
	rmdir(w->dir);
	free(w);
	return 0;
}

static void client_reads(void *ctx, int fd, int what)
{
	struct world *w = ctx;
	ssize_t n = recv(fd, w->got + w->len, sizeof(w->got) - 1 - w->len, MSG_DONTWAIT);

	(void)what;
	w->len += n > 0 ? (size_t)n : 0;
	w->got[w->len] = 0;
	if (n <= 0 || strstr(w->got, w->until))
		loop_stop(w->loop);
}

static void too_late(void *ctx)
{
	struct world *w = ctx;

	loop_stop(w->loop);
}

/* Runs until the client has read `until` (or the end), for 2 s at most. */
static void run_until(struct world *w, const char *until)
{
	struct loop_io *io = loop_io_new(w->loop, w->client, LOOP_READ, client_reads, w);
	struct loop_timer *timer = loop_timer_new(w->loop, too_late, w);

	w->until = until;
	w->len = 0;
	w->got[0] = 0;
	loop_timer_set(timer, w->patience ? w->patience : 2000000);
	loop_run(w->loop);
	loop_io_free(io);
	loop_timer_free(timer);
}

static void tell(struct world *w, const char *text)
{
	assert_int_equal(send(w->client, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void requests_are_answered_one_after_another_on_one_connection(void **state)
{
	struct world *w = *state;
	struct http_stats stats;

	tell(w, "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyzGET /b HTTP/1.1\r\n\r\n");
	run_until(w, "/b:");
	assert_non_null(strstr(w->got, "\r\n\r\n/a:xyzHTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(w->got, "/b:"));
	tell(w, "GET /c HTTP/1.1\r\nConnection: close\r\n\r\n");
	run_until(w, "never");
	assert_non_null(strstr(w->got, "Connection: close\r\n"));
	http_server_stats(w->server, &stats);
	assert_int_equal(stats.requests, 3);
	assert_int_equal(stats.connections, 0);
}

static void a_bad_request_is_refused_and_the_connection_closed(void **state)
{
	struct world *w = *state;
	struct http_stats stats;

	tell(w, "BREW\r\n\r\n");
	run_until(w, "never");
	assert_non_null(strstr(w->got, "HTTP/1.1 400 Bad Request\r\n"));
	assert_non_null(strstr(w->got, "{\"error\":\"Bad Request\"}\n"));
	http_server_stats(w->server, &stats);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(stats.connections, 0);
}

static void an_answer_may_come_later_and_head_has_no_body(void **state)
{
	struct world *w = *state;

	tell(w, "HEAD /later HTTP/1.1\r\n\r\n");
	w->patience = 50000;
	run_until(w, "HTTP");
	assert_int_equal(w->len, 0);
	assert_non_null(w->held);
	http_reply(w->held, 201, "text/plain", "X-More: 1\r\n", "body", 4);
	w->patience = 0;
	run_until(w, "\r\n\r\n");
	assert_non_null(strstr(w->got, "HTTP/1.1 201 Created\r\n"));
	assert_non_null(strstr(w->got, "X-More: 1\r\nContent-Length: 4\r\n\r\n"));
	assert_null(strstr(w->got, "body"));
}

static void a_stream_comes_in_chunks_and_its_end_is_told(void **state)
{
	struct world *w = *state;

	tell(w, "GET /follow HTTP/1.1\r\n\r\n");
	run_until(w, "\r\n\r\n");
	assert_non_null(strstr(w->got, "Transfer-Encoding: chunked\r\n"));
	assert_int_equal(http_stream_send(w->held, "hello\n", 6), 0);
	run_until(w, "hello");
	assert_string_equal(w->got, "6\r\nhello\n\r\n");
	shutdown(w->client, SHUT_WR);
	w->patience = 50000;
	run_until(w, "never");
	assert_int_equal(w->closed, 1);
}

static void a_reader_that_does_not_read_is_dropped(void **state)
{
	struct world *w = *state;
	char block[4096];
	struct http_stats stats;
	int err = 0, sent = 0;

	memset(block, 'x', sizeof(block));
	tell(w, "GET /follow HTTP/1.1\r\n\r\n");
	run_until(w, "\r\n\r\n");
	for (; err == 0 && sent < 10000; sent++)
		err = http_stream_send(w->held, block, sizeof(block));
	assert_int_equal(err, ERR_FULL);
	assert_in_range(sent, HTTP_STREAM_BACKLOG / 4096, HTTP_STREAM_BACKLOG / 4096 + 4);
	http_server_stats(w->server, &stats);
	assert_int_equal(stats.slow, 1);
	assert_int_equal(stats.streams, 0);
	assert_int_equal(stats.connections, 0);
	assert_int_equal(w->closed, 0);
}

static void connections_beyond_the_limit_are_closed_at_once(void **state)
{
	struct world *w = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fds[HTTP_CONNECTIONS_MAX];
	struct http_stats stats;

	strcpy(address.sun_path, w->path);
	w->patience = 20000;
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
		if (i % 32 == 31)
			run_until(w, "never");
	}
	run_until(w, "never");
	http_server_stats(w->server, &stats);
	assert_int_equal(stats.connections, HTTP_CONNECTIONS_MAX);
	assert_int_equal(stats.refused, 1);
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		close(fds[i]);
}

static void a_socket_in_use_is_not_taken_and_a_stale_one_is(void **state)
{
	struct world *w = *state;
	int fd;

	assert_int_equal(http_bind_unix(w->path, 0660), -EADDRINUSE);
	http_server_free(w->server);
	w->server = NULL;
	fd = http_bind_unix(w->path, 0660);
	assert_true(fd >= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_read_once_it_is_whole),
		cmocka_unit_test(what_is_no_request_gets_its_status),
		cmocka_unit_test(a_head_without_end_is_refused_when_too_long),
		cmocka_unit_test_setup_teardown(
			requests_are_answered_one_after_another_on_one_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_bad_request_is_refused_and_the_connection_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_answer_may_come_later_and_head_has_no_body, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_stream_comes_in_chunks_and_its_end_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_reader_that_does_not_read_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(
			connections_beyond_the_limit_are_closed_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_socket_in_use_is_not_taken_and_a_stale_one_is, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
