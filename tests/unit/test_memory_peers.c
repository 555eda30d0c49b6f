/* SPDX-License-Identifier: ISC
 *
 * The Nth allocation fails, for every N, while we speak with others: dhcpd over OMAPI, who asks the
 * API's server, a webhook's receiver. What was under way fails or waits, nothing is lost or leaked,
 * and the next try succeeds. The others are processes of their own, which have memory.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "tap82/clock.h"
#include "tap82/http.h"
#include "tap82/store.h"
#include "tap82/webhook.h"
#include "unit/fake_dhcpd.h"
#include "unit/memory_faults.h"

#define PATIENCE (20 * USEC_PER_SEC)
#define ASKED	 100

static void stop(void *loop)
{
	loop_stop(loop);
}

/* Runs the loop until somebody stops it; the timer is there from the beginning. */
static void run(struct loop *loop, struct loop_timer *limit)
{
	loop_timer_set(limit, PATIENCE);
	assert_true(loop_run(loop) >= 0);
	assert_true(loop_timer_is_set(limit));
	loop_timer_clear(limit);
}

static pid_t fork_peer(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		memory.on = false;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	return pid;
}

static void end_peer(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* --- OMAPI ----------------------------------------------------------------------------------- */

static const struct mac camera = {{0xaa, 0xbb, 0xcc, 0, 0, 1}};
static uint16_t port;

static int create_host(struct fake *f, const struct omapi_message *m, struct omapi_out *out)
{
	uint32_t create = 0;

	(void)omapi_find_u32(&m->message, "create", &create);
	if (!create) {
		fake_status(f, m->id, OMAPI_NOTFOUND);
		return 1;
	}
	omapi_out_put(out, "ip-address", (const uint8_t[]){10, 20, 0, 7}, 4);
	omapi_out_put_text(out, "name", "tap82-aabbcc000001");
	omapi_out_put(out, "hardware-address", camera.b, 6);
	omapi_out_put_u32(out, "hardware-type", 1);
	return 0;
}

static pid_t start_dhcpd(void)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork_peer();
	if (pid == 0) {
		struct loop *loop = loop_new();
		struct fake *f = fake_new(loop, true, FAKE_GOOD);

		f->answer = create_host;
		_exit(write(ends[1], &f->port, sizeof(f->port)) > 0 ? loop_run(loop) : 1);
	}
	assert_int_equal(read(ends[0], &port, sizeof(port)), sizeof(port));
	close(ends[0]);
	close(ends[1]);
	return pid;
}

struct question {
	struct loop *loop;
	enum dhcpd_outcome outcome;
};

static void answered(void *ctx, const struct dhcpd_result *result)
{
	struct question *q = ctx;

	q->outcome = result->outcome;
	loop_stop(q->loop);
}

/* 0: a host was made. */
static int ask(struct loop *loop, struct loop_timer *limit, struct dhcpd *dhcpd)
{
	struct dhcpd_want want = {.mac = camera, .ip = UINT32_C(0x0a140007), .mode = DHCPD_HOST};
	struct question q = {.loop = loop};
	int r = dhcpd_ensure(dhcpd, &want, answered, &q);

	if (r < 0)
		return r;
	run(loop, limit);
	return q.outcome == DHCPD_CREATED ? 0 : -ENOMEM;
}

static int ask_with(struct loop *loop, struct loop_timer *limit, const struct dhcpd_key *key)
{
	struct dhcpd_config config = {.name = "north",
		.address = 0x7f000001,
		.port = port,
		.key = key,
		.deadline = 5 * USEC_PER_SEC,
		.retry_min = 10 * USEC_PER_MSEC,
		.retry_max = 20 * USEC_PER_MSEC,
		.room = 4};
	struct dhcpd *dhcpd;
	int again = 0, r = dhcpd_new(loop, &config, &dhcpd);

	if (r < 0)
		return r;
	r = ask(loop, limit, dhcpd);
	/* By one allocation, whatever it is called: there is memory again. */
	for (int i = 0; r < 0 && i < ASKED; i++) {
		loop_timer_set(limit, 20 * USEC_PER_MSEC); /* it connects again */
		assert_true(loop_run(loop) >= 0);
		again = ask(loop, limit, dhcpd);
		if (again == 0)
			break;
	}
	assert_int_equal(again, 0);
	dhcpd_free(dhcpd);
	return r < 0 ? -ENOMEM : 0;
}

static int reserve(void)
{
	struct loop *loop = loop_new();
	struct loop_timer *limit = loop ? loop_timer_new(loop, stop, loop) : NULL;
	struct dhcpd_key *key = NULL;
	int r = limit ? dhcpd_key_new(FAKE_SECRET, strlen(FAKE_SECRET), "k", "hmac-sha256", &key)
		      : -ENOMEM;

	if (r == 0)
		r = ask_with(loop, limit, key);
	dhcpd_key_free(key);
	loop_timer_free(limit);
	if (loop)
		loop_free(loop);
	return r;
}

static void a_host_is_made_or_refused_in_order(void **state)
{
	pid_t dhcpd = start_dhcpd();

	(void)state;
	assert_true(sweep(reserve) > 15);
	end_peer(dhcpd);
}

/* --- The HTTP server ------------------------------------------------------------------------- */

#define BODY  (300 * 1024)
#define TRIES 5

static char socket_path[64];
static char body[BODY];

static void serve(void *ctx, struct http_exchange *x, const struct http_request *r)
{
	(void)ctx;
	(void)r;
	http_reply(x, 200, "text/plain", NULL, body, sizeof(body));
}

static bool ask_server(void)
{
	static const char request[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
				      "Connection: close\r\n\r\nhello";
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char got[65536];
	size_t all = 0;
	ssize_t n;

	strcpy(at.sun_path, socket_path);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return false;
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		return false;
	while ((n = recv(fd, got, sizeof(got), 0)) > 0)
		all += (size_t)n;
	close(fd);
	return all > BODY;
}

static void be_client(void)
{
	for (int i = 0; i < TRIES; i++) {
		if (ask_server())
			_exit(0);
		usleep(20000);
	}
	_exit(1);
}

struct serving {
	struct loop *loop;
	struct loop_timer *look;
	pid_t client;
	int status;
};

static void look_for_client(void *ctx)
{
	struct serving *s = ctx;

	if (waitpid(s->client, &s->status, WNOHANG) == s->client)
		loop_stop(s->loop);
	else
		loop_timer_set(s->look, 2 * USEC_PER_MSEC);
}

static int serve_one(struct loop *loop, struct loop_timer *limit, struct loop_timer **look)
{
	struct serving s = {.loop = loop, .status = -1};
	struct http_server *server = http_server_new(loop);
	int r = server ? 0 : -ENOMEM, fd;

	s.look = *look = loop_timer_new(loop, look_for_client, &s);
	fd = http_bind_unix(socket_path, 0600);
	assert_true(fd >= 0);
	if (r == 0)
		r = http_server_listen(server, fd, serve, NULL);
	else
		close(fd);
	if (r == 0 && s.look) {
		s.client = fork_peer();
		if (s.client == 0)
			be_client();
		look_for_client(&s);
		run(loop, limit);
		assert_true(WIFEXITED(s.status));
		assert_int_equal(WEXITSTATUS(s.status), 0);
	}
	http_server_free(server);
	return s.look ? r : -ENOMEM;
}

static int answer_one(void)
{
	struct loop *loop = loop_new();
	struct loop_timer *limit = loop ? loop_timer_new(loop, stop, loop) : NULL, *look = NULL;
	int r = limit ? serve_one(loop, limit, &look) : -ENOMEM;

	loop_timer_free(look);
	loop_timer_free(limit);
	if (loop)
		loop_free(loop);
	unlink(socket_path);
	return r;
}

static void a_request_is_answered_at_once_or_when_asked_again(void **state)
{
	(void)state;
	snprintf(socket_path, sizeof(socket_path), "/tmp/tap82-memory-%d.sock", (int)getpid());
	memset(body, 'x', sizeof(body));
	assert_true(sweep(answer_one) > 10);
}

/* --- Webhooks -------------------------------------------------------------------------------- */

static char url[64], folder[] = "/tmp/tap82-memory-XXXXXX", db[64];
static struct conf_webhook hook = {.name = "vms", .url = url, .backlog = 10};
static struct conf conf = {.webhooks = &hook, .webhook_count = 1};
static struct store *store;

struct delivery {
	struct loop *loop;
	unsigned done;
};

static void on_done(void *ctx, int64_t seq)
{
	struct delivery *d = ctx;
	bool on = memory.on;

	memory.on = false;
	assert_int_equal(store_delete_outbox(store, seq), 0);
	memory.on = on;
	d->done++;
	loop_stop(d->loop);
}

static void on_rejected(void *ctx, const struct conf_webhook *webhook, const struct outbox_row *row,
	const char *detail)
{
	(void)ctx;
	(void)webhook;
	(void)row;
	fail_msg("%s", detail);
}

static void on_problem(void *ctx, const char *text)
{
	(void)ctx;
	fail_msg("%s", text);
}

static const struct webhook_ops ops = {.done = on_done, .rejected = on_rejected};

static void receive(int listener)
{
	static const char reply[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
	char got[4096];

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (recv(fd, got, sizeof(got), 0) > 0)
			(void)!send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		while (recv(fd, got, sizeof(got), 0) > 0)
			continue;
		close(fd);
	}
}

static pid_t start_receiver(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(at.sin_port));
	pid = fork_peer();
	if (pid == 0)
		receive(listener);
	close(listener);
	return pid;
}

/* What is owed was committed before. */
static void owe(void)
{
	struct outbox_row row = {.webhook = "vms", .body = "{}", .body_len = 2};

	memory.on = false;
	assert_int_equal(store_put_outbox(store, &row, &row.seq), 0);
	memory.on = true;
}

static int count_one(void *ctx, const struct outbox_row *row)
{
	++*(int *)ctx;
	(void)row;
	return 0;
}

static int deliver_with(struct delivery *d, struct loop_timer *limit)
{
	struct webhooks *webhooks;
	int r = webhooks_new(d->loop, &conf, &ops, d, on_problem, NULL, &webhooks);

	if (r < 0)
		return r;
	r = webhooks_begin(webhooks, store);
	if (r == 0)
		run(d->loop, limit);
	webhooks_free(webhooks);
	return r;
}

static int deliver(void)
{
	struct delivery d = {.loop = loop_new()};
	struct loop_timer *limit = d.loop ? loop_timer_new(d.loop, stop, d.loop) : NULL;
	int left = 0, r;

	owe();
	r = limit ? deliver_with(&d, limit) : -ENOMEM;
	memory.on = false;
	assert_int_equal(store_each_outbox(store, count_one, &left), 0);
	assert_int_equal(left, r == 0 ? 0 : 1); /* what could not begin has lost nothing */
	for (int64_t seq = 0; left > 0 && seq < 1000; seq++)
		(void)store_delete_outbox(store, seq);
	memory.on = true;
	loop_timer_free(limit);
	if (d.loop)
		loop_free(d.loop);
	return r;
}

static void a_message_is_delivered_once_there_is_memory(void **state)
{
	char why[256], command[128];
	pid_t receiver;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(db, sizeof(db), "%s/db", folder);
	assert_int_equal(store_open(db, why, sizeof(why), &store), 0);
	receiver = start_receiver();
	assert_true(sweep(deliver) > 8);
	end_peer(receiver);
	store_close(store);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_made_or_refused_in_order),
		cmocka_unit_test(a_request_is_answered_at_once_or_when_asked_again),
		cmocka_unit_test(a_message_is_delivered_once_there_is_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
