/* SPDX-License-Identifier: ISC
 *
 * omapi_raw: the plainest client there can be, to compare with and to show what dhcpd does not
 * bear: creates COUNT hosts over one blocking connection and measures.
 *
 *   omapi_raw -a ADDRESS [-k NAME:FILE:ALGORITHM] [-w WINDOW | -b BATCH] [-v] COUNT SEED
 *
 * -w: a sliding window, a new request for every reply; -b: stop-and-wait, BATCH at a time. On a
 * signed connection a window of more than dhcpd's buffer makes dhcpd abort, sooner or later; -v
 * varies the length of the names, then it is sooner.
 * Prints "created N seconds S per-second R p50 US p99 US". Exit 1: dhcpd closed the connection.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap82/clock.h"
#include "tap82/dhcpd.h"
#include "tap82/omapi_codec.h"

#define BUFFER (1 << 20)

struct raw {
	int fd;
	const struct dhcpd_key *key;
	uint32_t authid, seed, count, sent, replies;
	int64_t *sent_at, *took;
	bool vary;
	uint8_t in[BUFFER], out[BUFFER];
	size_t in_len;
};

static void quit(const char *what)
{
	fprintf(stderr, "omapi_raw: %s\n", what);
	exit(2);
}

static void write_all(struct raw *r, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(r->fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			return; /* the reader will see the end too */
		p += k;
		n -= (size_t)k;
	}
}

static bool read_more(struct raw *r)
{
	int on = 1;
	ssize_t n = recv(r->fd, r->in + r->in_len, sizeof(r->in) - r->in_len, 0);

	setsockopt(r->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	if (n <= 0)
		return false;
	r->in_len += (size_t)n;
	return true;
}

/* One message that is in the buffer, or waited for. False at the end of the connection. */
static bool message_read(struct raw *r, struct omapi_message *m)
{
	int n;

	while ((n = omapi_decode(r->in, r->in_len, r->key, m)) == 0)
		if (!read_more(r))
			return false;
	if (n < 0)
		quit("not an OMAPI answer");
	r->in_len -= (size_t)n;
	memmove(r->in, r->in + n, r->in_len);
	return true;
}

static size_t message_seal(struct raw *r, struct omapi_out *out, uint32_t id)
{
	int n = omapi_out_end(out);

	n = omapi_seal(out->base, (size_t)n, 1024, r->key, r->authid, id);
	return (size_t)n;
}

static void login(struct raw *r, uint32_t address)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(DHCPD_PORT),
		.sin_addr.s_addr = htonl(address)};
	struct omapi_message m;
	struct omapi_out out;
	int on = 1;

	r->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(r->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		quit("cannot connect");
	setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	omapi_hello(r->out);
	write_all(r, r->out, OMAPI_HELLO_BYTES);
	while (r->in_len < OMAPI_HELLO_BYTES)
		if (!read_more(r))
			quit("no hello");
	r->in_len -= OMAPI_HELLO_BYTES;
	memmove(r->in, r->in + OMAPI_HELLO_BYTES, r->in_len);
	if (!r->key)
		return;
	omapi_out_begin(&out, r->out, 1024, OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "authenticator");
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", dhcpd_key_name(r->key));
	omapi_out_put_text(&out, "algorithm", dhcpd_key_wire_algorithm(r->key));
	write_all(r, r->out, message_seal(r, &out, 1));
	if (!message_read(r, &m) || m.handle == 0)
		quit("login refused");
	r->authid = m.handle;
}

static size_t create(struct raw *r, uint8_t *memory, uint32_t n)
{
	uint8_t mac[6] = {
		0x02, 0x10, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	uint8_t ip[4] = {10, 20, (uint8_t)(n % 65000u >> 8), (uint8_t)(n % 65000u)};
	struct omapi_out out;
	char name[32];

	snprintf(name, sizeof(name), "tap82-0210%08x%.*s", n, r->vary ? (int)(n % 7) : 0,
		"-vary-it");
	omapi_out_begin(&out, memory, 1024, OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "host");
	omapi_out_put_u32(&out, "create", 1);
	omapi_out_put_u32(&out, "exclusive", 1);
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", name);
	omapi_out_put(&out, "hardware-address", mac, 6);
	omapi_out_put_u32(&out, "hardware-type", 1);
	omapi_out_put(&out, "ip-address", ip, 4);
	return message_seal(r, &out, r->sent + 2);
}

static void send_some(struct raw *r, uint32_t n)
{
	size_t len = 0;

	for (; n > 0 && r->sent < r->count && len + 1024 < sizeof(r->out); n--) {
		r->sent_at[r->sent] = clock_mono();
		len += create(r, r->out + len, r->seed + r->sent);
		r->sent++;
	}
	write_all(r, r->out, len);
}

static bool run(struct raw *r, uint32_t window, bool batch)
{
	struct omapi_message m;
	uint32_t result;

	send_some(r, window);
	while (r->replies < r->count) {
		if (!message_read(r, &m))
			return false;
		if (omapi_status(&m, &result) < 0 || result != OMAPI_SUCCESS)
			quit("refused");
		r->took[r->replies] = clock_mono() - r->sent_at[r->replies];
		r->replies++;
		if (!batch)
			send_some(r, 1);
		else if (r->replies == r->sent)
			send_some(r, window);
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static struct raw r;
	struct dhcpd_key *key = NULL;
	uint32_t address = 0x7f000001, window = 1;
	bool batch = false, whole;
	int64_t start;
	double seconds;
	int c;

	while ((c = getopt(argc, argv, "a:k:w:b:v")) != -1) {
		char *name = c == 'k' ? strtok(optarg, ":") : NULL, *file = NULL;

		if (name && (file = strtok(NULL, ":")) &&
			dhcpd_key_load(file, name, strtok(NULL, ":"), &key) < 0)
			quit("no key");
		if (c == 'a' && ipv4_parse(optarg, strlen(optarg), &address) < 0)
			quit("not an address");
		if (c == 'w' || c == 'b')
			window = (uint32_t)atoi(optarg);
		batch = batch || c == 'b';
		r.vary = r.vary || c == 'v';
	}
	if (argc - optind != 2)
		quit("see the head of omapi_raw.c");
	r.key = key;
	r.count = (uint32_t)atoi(argv[optind]);
	r.seed = (uint32_t)atoi(argv[optind + 1]);
	r.sent_at = calloc(r.count, sizeof(*r.sent_at));
	r.took = calloc(r.count, sizeof(*r.took));
	login(&r, address);
	start = clock_mono();
	whole = run(&r, window, batch);
	seconds = (double)(clock_mono() - start) / 1e6;
	qsort(r.took, r.replies, sizeof(*r.took), compare);
	printf("created %u seconds %.3f per-second %.0f p50 %lld p99 %lld\n", r.replies, seconds,
		r.replies / seconds, r.replies ? (long long)r.took[r.replies / 2] : 0,
		r.replies ? (long long)r.took[r.replies - 1 - r.replies / 100] : 0);
	close(r.fd);
	free(r.sent_at);
	free(r.took);
	dhcpd_key_free(key);
	return whole ? 0 : 1;
}
