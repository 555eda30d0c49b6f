/* SPDX-License-Identifier: ISC
 *
 * A server that speaks as much OMAPI as a test needs, on the test's own loop, and misbehaves as it
 * is told. For tests only.
 */
#ifndef TAP82_FAKE_DHCPD_H
#define TAP82_FAKE_DHCPD_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap82/dhcpd.h"
#include "tap82/omapi_codec.h"

#define FAKE_SECRET "c2VjcmV0"
#define FAKE_AUTHID 7

enum fake_manner {
	FAKE_GOOD,
	FAKE_SILENT, /* reads, answers nothing after the login */
	FAKE_MUTE, /* not even a hello */
	FAKE_CLOSES, /* at the first request, or when it has answered `patience` of them */
	FAKE_RESETS,
	FAKE_GARBAGE,
	FAKE_HUGE, /* a value of 2 GiB is announced */
	FAKE_UNSIGNED, /* success without a signature */
	FAKE_FORGED, /* success with a wrong one */
	FAKE_STRANGER, /* answers a question nobody asked */
	FAKE_BYTEWISE, /* one byte a turn */
	FAKE_NO_SUCH_KEY,
	FAKE_WRONG_SECRET,
	/* dhcpd up to 4.4.2, as seen on one: it lets a key of any algorithm log in, knows hmac-md5
	 * only when the first signed message comes, and closes the connection without a word. */
	FAKE_OLD,
};

struct fake {
	struct loop *loop;
	struct loop_io *listening, *io;
	struct loop_timer *speak;
	struct dhcpd_key *key; /* NULL: unsigned */
	enum fake_manner manner;
	int listener, fd;
	uint16_t port;
	uint32_t connects, requests; /* requests after the login */
	uint32_t patience, answered; /* FAKE_CLOSES: on each connection */
	bool logged_in;
	/* Answers wait here for `delay`, so that batches can be seen. */
	int64_t delay;
	uint32_t waiting, most_waiting;
	size_t in_len, out_len, out_sent, most_bytes, bytes_waiting;
	bool spoke_too_early; /* a request came while answers to a batch were still due */
	bool batch_open;
	uint8_t in[65536], out[262144];
	/* What to answer to one request: returns the length of an unsealed message. Default: an
	 * UPDATE with handle 42 and name=x. */
	int (*answer)(struct fake *f, const struct omapi_message *m, struct omapi_out *out);
	void *ctx;
};

static inline void fake_hang_up(struct fake *f)
{
	loop_io_free(f->io);
	f->io = NULL;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static inline void fake_reset(struct fake *f)
{
	struct linger none = {.l_onoff = 1};

	setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	fake_hang_up(f);
}

static inline void fake_speak(void *ctx)
{
	struct fake *f = ctx;
	size_t left = f->out_len - f->out_sent;
	size_t n = f->manner == FAKE_BYTEWISE && left > 0 ? 1 : left;

	if (f->fd < 0)
		return;
	if (send(f->fd, f->out + f->out_sent, n, MSG_NOSIGNAL) < 0)
		return;
	f->out_sent += n;
	if (f->out_sent < f->out_len) {
		loop_timer_set(f->speak, 0);
		return;
	}
	f->out_sent = f->out_len = 0;
	f->waiting = 0;
	f->bytes_waiting = 0;
	f->batch_open = false;
}

static inline void fake_say(struct fake *f, const void *bytes, size_t n)
{
	memcpy(f->out + f->out_len, bytes, n);
	f->out_len += n;
	if (!loop_timer_is_set(f->speak))
		loop_timer_set(f->speak, f->delay);
}

/* Puts a message that was written with omapi_out_…() into the answers. */
static inline void fake_reply(struct fake *f, struct omapi_out *out, uint32_t rid)
{
	int n = omapi_out_end(out);
	uint32_t authid = f->logged_in && f->manner != FAKE_UNSIGNED ? FAKE_AUTHID : 0;

	for (int i = 0; i < 4; i++)
		out->base[20 + i] = (uint8_t)(rid >> (24 - 8 * i));
	n = omapi_seal(out->base, (size_t)n, 4096, f->key, authid, 1);
	if (f->manner == FAKE_FORGED && f->logged_in)
		out->base[n - 1] ^= 1;
	fake_say(f, out->base, (size_t)n);
}

static inline void fake_status(struct fake *f, uint32_t rid, uint32_t result)
{
	uint8_t memory[4096];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_STATUS, 0);
	omapi_out_put_u32(&out, "result", result);
	omapi_out_object(&out);
	fake_reply(f, &out, rid);
}

static inline bool fake_is_type(const struct omapi_message *m, const char *type)
{
	const struct omapi_pair *pair = omapi_find(&m->message, "type");

	return pair && pair->value_len == strlen(type) &&
	       memcmp(pair->value, type, pair->value_len) == 0;
}

static inline void fake_object(struct fake *f, const struct omapi_message *m, uint32_t handle)
{
	uint8_t memory[4096];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, handle);
	omapi_out_object(&out);
	if (!f->answer || fake_is_type(m, "authenticator") || fake_is_type(m, "control"))
		omapi_out_put_text(&out, "name", "x");
	else if (f->answer(f, m, &out) != 0)
		return;
	fake_reply(f, &out, m->id);
}

static inline void fake_misbehave(struct fake *f, const struct omapi_message *m)
{
	static const uint8_t huge[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1,
		0, 0, 0, 1, 0, 0, 0, 1, 'a', 0x7f, 0xff, 0xff, 0xff};

	f->requests++;
	switch (f->manner) {
	case FAKE_SILENT: return;
	case FAKE_CLOSES:
		if (f->answered++ < f->patience)
			fake_object(f, m, 42);
		else
			fake_hang_up(f);
		return;
	case FAKE_RESETS: fake_reset(f); return;
	case FAKE_GARBAGE: fake_say(f, "HTTP/1.1 400 Bad Request\r\n\r\n............", 40); return;
	case FAKE_HUGE: fake_say(f, huge, sizeof(huge)); return;
	case FAKE_STRANGER: fake_status(f, m->id + 1000, 0); return;
	default: fake_object(f, m, 42); return;
	}
}

static inline bool fake_is_old_for(const struct fake *f)
{
	return f->manner == FAKE_OLD && strcmp(dhcpd_key_algorithm(f->key), "hmac-md5") != 0;
}

static inline void fake_request(struct fake *f, const struct omapi_message *m, size_t bytes)
{
	if (m->is_signed && fake_is_old_for(f)) {
		fake_hang_up(f);
	} else if (fake_is_type(m, "authenticator") && f->manner == FAKE_NO_SUCH_KEY) {
		fake_status(f, m->id, OMAPI_NOTFOUND);
	} else if (fake_is_type(m, "authenticator")) {
		fake_object(f, m, FAKE_AUTHID);
		f->logged_in = f->key != NULL;
	} else if (fake_is_type(m, "control")) {
		if (f->manner == FAKE_WRONG_SECRET)
			fake_status(f, m->id, OMAPI_INVALIDKEY);
		else
			fake_object(f, m, 1);
	} else {
		f->waiting++;
		f->bytes_waiting += bytes;
		if (f->most_waiting < f->waiting)
			f->most_waiting = f->waiting;
		if (f->most_bytes < f->bytes_waiting)
			f->most_bytes = f->bytes_waiting;
		fake_misbehave(f, m);
	}
}

static inline void fake_read(void *ctx, int fd, int what)
{
	struct fake *f = ctx;
	ssize_t n = recv(fd, f->in + f->in_len, sizeof(f->in) - f->in_len, 0);
	size_t at = 0;

	(void)what;
	if (n <= 0) {
		fake_hang_up(f);
		return;
	}
	f->spoke_too_early |= f->batch_open && f->delay > 0;
	f->in_len += (size_t)n;
	while (f->fd >= 0) {
		struct omapi_message m;
		int len = omapi_decode(f->in + at, f->in_len - at, f->key, &m);

		if (len <= 0)
			break;
		fake_request(f, &m, (size_t)len);
		at += (size_t)len;
	}
	f->batch_open = f->waiting > 0;
	memmove(f->in, f->in + at, f->in_len - at);
	f->in_len -= at;
}

/* The hello of the client is taken off by the reader that comes first. */
static inline void fake_read_hello(void *ctx, int fd, int what)
{
	struct fake *f = ctx;
	uint8_t hello[OMAPI_HELLO_BYTES];

	(void)what;
	if (recv(fd, hello, sizeof(hello), MSG_WAITALL) != (ssize_t)sizeof(hello)) {
		fake_hang_up(f);
		return;
	}
	loop_io_free(f->io);
	f->io = loop_io_new(f->loop, fd, LOOP_READ, fake_read, f);
	if (f->manner == FAKE_MUTE)
		return;
	omapi_hello(hello);
	fake_say(f, hello, sizeof(hello));
}

static inline void fake_accept(void *ctx, int fd, int what)
{
	struct fake *f = ctx;

	(void)what;
	fake_hang_up(f);
	f->fd = accept(fd, NULL, NULL);
	f->connects++;
	f->logged_in = f->batch_open = false;
	f->waiting = f->answered = 0;
	f->in_len = f->out_len = f->out_sent = f->bytes_waiting = 0;
	f->io = loop_io_new(f->loop, f->fd, LOOP_READ, fake_read_hello, f);
}

static inline struct fake *fake_new_with(
	struct loop *loop, const char *algorithm, enum fake_manner manner)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t len = sizeof(at);

	f->loop = loop;
	f->manner = manner;
	f->fd = -1;
	if (algorithm)
		dhcpd_key_new(FAKE_SECRET, strlen(FAKE_SECRET), "k", algorithm, &f->key);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(f->listener, (struct sockaddr *)&at, len) < 0 || listen(f->listener, 8) < 0)
		abort();
	getsockname(f->listener, (struct sockaddr *)&at, &len);
	f->port = ntohs(at.sin_port);
	f->listening = loop_io_new(loop, f->listener, LOOP_READ, fake_accept, f);
	f->speak = loop_timer_new(loop, fake_speak, f);
	return f;
}

static inline struct fake *fake_new(struct loop *loop, bool is_signed, enum fake_manner manner)
{
	return fake_new_with(loop, is_signed ? "hmac-sha256" : NULL, manner);
}

static inline void fake_free(struct fake *f)
{
	fake_hang_up(f);
	loop_io_free(f->listening);
	loop_timer_free(f->speak);
	close(f->listener);
	dhcpd_key_free(f->key);
	free(f);
}

#endif
