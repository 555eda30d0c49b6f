/* SPDX-License-Identifier: ISC
 *
 * A model of dhcpd's OMAPI at the speed of a real one: for storms larger than a real dhcpd on this
 * machine would hand out leases for.
 *
 *   omapi_model PORT SECRET WRITES_PER_SECOND [FIRST-LAST]
 *
 * It has hosts, and leases of the addresses FIRST to LAST: opened, created, updated, deleted,
 * looked up by MAC, name or address, as dhcpd answers. One message after the other, each write (a
 * host; four for a lease, as dhcpd syncs for each value) taking its share of a second, lookups next
 * to nothing; all answers to what one read brought go out together. What kills the real one ends
 * it, too: more than a buffer of 4047 bytes before the answers are out. At SIGTERM it prints "MAC
 * IP" of each host.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "tap82/clock.h"
#include "tap82/dhcpd.h"
#include "tap82/omapi_batch.h"
#include "tap82/omapi_codec.h"

#define AUTHID	     7
#define LEASE_HANDLE 0x40000000u /* + address - first: hosts count from 1 */
#define LEASE_WRITES 4
#define CATCH_UP     (10 * USEC_PER_MSEC) /* what a late wake-up may make good */

struct host {
	uint32_t handle;
	struct mac mac;
	uint32_t ip, name_len;
	char name[64];
	UT_hash_handle by_mac, by_handle;
};

struct lease {
	uint32_t flags, ends, state;
};

struct model {
	struct dhcpd_key *key;
	struct host *by_mac, *by_handle;
	struct lease *leases;
	uint32_t first, last, handles;
	int64_t write_time, free_at;
	uint64_t writes;
	int fd;
	bool logged_in;
	uint8_t in[65536], out[262144];
	size_t in_len, out_len;
};

static volatile sig_atomic_t stopped;

static void stop(int signo)
{
	(void)signo;
	stopped = 1;
}

/* --- Speed ----------------------------------------------------------------------------------- */

static void take_time(struct model *m, unsigned writes)
{
	int64_t now = clock_mono();
	struct timespec until;

	if (m->free_at < now - CATCH_UP)
		m->free_at = now - CATCH_UP;
	m->free_at += writes * m->write_time;
	m->writes += writes;
	until = (struct timespec){m->free_at / USEC_PER_SEC, m->free_at % USEC_PER_SEC * 1000};
	if (m->free_at > now)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* --- Answers --------------------------------------------------------------------------------- */

static void reply(struct model *m, struct omapi_out *out, uint32_t rid)
{
	int n = omapi_out_end(out);

	for (int i = 0; i < 4; i++)
		out->base[20 + i] = (uint8_t)(rid >> (24 - 8 * i));
	n = omapi_seal(out->base, (size_t)n, 4096, m->key, m->logged_in ? AUTHID : 0, 1);
	if (n < 0 || m->out_len + (size_t)n > sizeof(m->out))
		abort();
	memcpy(m->out + m->out_len, out->base, (size_t)n);
	m->out_len += (size_t)n;
}

static void reply_status(struct model *m, uint32_t rid, uint32_t result)
{
	uint8_t memory[4096];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_STATUS, 0);
	omapi_out_put_u32(&out, "result", result);
	omapi_out_object(&out);
	reply(m, &out, rid);
}

static void put_ip(struct omapi_out *out, uint32_t ip)
{
	const uint32_t wire = htonl(ip);

	omapi_out_put(out, "ip-address", &wire, 4);
}

static void reply_host(struct model *m, uint32_t rid, const struct host *host)
{
	uint8_t memory[4096];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, host->handle);
	omapi_out_object(&out);
	put_ip(&out, host->ip);
	omapi_out_put(&out, "name", host->name, host->name_len);
	omapi_out_put(&out, "hardware-address", host->mac.b, 6);
	omapi_out_put_u32(&out, "hardware-type", 1);
	reply(m, &out, rid);
}

/* As large as dhcpd's: state, address, four handles, client, six times, flags. */
static void reply_lease(struct model *m, uint32_t rid, uint32_t ip)
{
	static const char *const fields[] = {
		"host", "subnet", "pool", "starts", "tstp", "tsfp", "atsfp", "cltt"};
	const struct lease *lease = &m->leases[ip - m->first];
	uint8_t memory[4096];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, LEASE_HANDLE + (ip - m->first));
	omapi_out_object(&out);
	omapi_out_put_u32(&out, "state", lease->state);
	put_ip(&out, ip);
	omapi_out_put_u32(&out, "ends", lease->ends);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		omapi_out_put_u32(&out, fields[i], 1);
	omapi_out_put(&out, "flags", &(uint8_t){(uint8_t)lease->flags}, 1);
	reply(m, &out, rid);
}

/* --- Hosts and leases ------------------------------------------------------------------------ */

static bool is_type(const struct omapi_message *q, const char *type)
{
	const struct omapi_pair *pair = omapi_find(&q->message, "type");

	return pair && pair->value_len == strlen(type) &&
	       memcmp(pair->value, type, pair->value_len) == 0;
}

static uint32_t ip_of(const struct omapi_message *q)
{
	uint32_t ip = 0;

	(void)omapi_find_u32(&q->object, "ip-address", &ip);
	return ip;
}

static struct host *host_of(struct model *m, const struct omapi_message *q)
{
	const struct omapi_pair *mac = omapi_find(&q->object, "hardware-address");
	struct host *host = NULL;

	if (mac && mac->value_len == 6)
		HASH_FIND(by_mac, m->by_mac, mac->value, 6, host);
	return host;
}

static struct host *host_new(struct model *m, const struct omapi_message *q)
{
	const struct omapi_pair *mac = omapi_find(&q->object, "hardware-address");
	const struct omapi_pair *name = omapi_find(&q->object, "name");
	struct host *host = calloc(1, sizeof(*host));

	if (!host || !mac || mac->value_len != 6 || !name || name->value_len > sizeof(host->name))
		abort();
	host->handle = ++m->handles;
	memcpy(host->mac.b, mac->value, 6);
	memcpy(host->name, name->value, name->value_len);
	host->name_len = name->value_len;
	host->ip = ip_of(q);
	HASH_ADD(by_mac, m->by_mac, mac, sizeof(host->mac), host);
	HASH_ADD(by_handle, m->by_handle, handle, sizeof(host->handle), host);
	return host;
}

static void open_host(struct model *m, const struct omapi_message *q)
{
	struct host *host = host_of(m, q);

	if (!omapi_find(&q->message, "create")) {
		if (host)
			reply_host(m, q->id, host);
		else
			reply_status(m, q->id, OMAPI_NOTFOUND);
		return;
	}
	if (host) {
		reply_status(m, q->id, OMAPI_EXISTS);
		return;
	}
	take_time(m, 1);
	reply_host(m, q->id, host_new(m, q));
}

static void open_lease(struct model *m, const struct omapi_message *q)
{
	uint32_t ip = ip_of(q);

	if (ip >= m->first && ip <= m->last && m->leases)
		reply_lease(m, q->id, ip);
	else
		reply_status(m, q->id, OMAPI_NOTFOUND);
}

static void update_lease(struct model *m, const struct omapi_message *q)
{
	struct lease *lease = &m->leases[q->handle - LEASE_HANDLE];

	(void)omapi_find_u32(&q->object, "flags", &lease->flags);
	(void)omapi_find_u32(&q->object, "ends", &lease->ends);
	(void)omapi_find_u32(&q->object, "state", &lease->state);
	take_time(m, LEASE_WRITES);
	reply_status(m, q->id, OMAPI_SUCCESS);
}

static void change(struct model *m, const struct omapi_message *q)
{
	struct host *host;

	if (q->op == OMAPI_UPDATE && m->leases && q->handle >= LEASE_HANDLE &&
		q->handle - LEASE_HANDLE <= m->last - m->first) {
		update_lease(m, q);
		return;
	}
	HASH_FIND(by_handle, m->by_handle, &q->handle, sizeof(q->handle), host);
	if (!host) {
		reply_status(m, q->id, OMAPI_NOTFOUND);
		return;
	}
	take_time(m, 1);
	if (q->op == OMAPI_DELETE) {
		HASH_DELETE(by_mac, m->by_mac, host);
		HASH_DELETE(by_handle, m->by_handle, host);
		free(host);
	} else {
		host->ip = ip_of(q);
	}
	reply_status(m, q->id, OMAPI_SUCCESS);
}

static void login(struct model *m, const struct omapi_message *q)
{
	uint8_t memory[4096];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, AUTHID);
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", "omapi_key");
	reply(m, &out, q->id);
	m->logged_in = true;
}

static void probe(struct model *m, const struct omapi_message *q)
{
	uint8_t memory[4096];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, 1);
	omapi_out_object(&out);
	omapi_out_put_u32(&out, "state", 1);
	reply(m, &out, q->id);
}

static void answer(struct model *m, const struct omapi_message *q)
{
	if (q->op == OMAPI_OPEN && is_type(q, "authenticator"))
		login(m, q);
	else if (q->op == OMAPI_OPEN && is_type(q, "control"))
		probe(m, q);
	else if (q->op == OMAPI_OPEN && is_type(q, "lease"))
		open_lease(m, q);
	else if (q->op == OMAPI_OPEN)
		open_host(m, q);
	else
		change(m, q);
}

/* --- The connection -------------------------------------------------------------------------- */

static bool send_all(struct model *m)
{
	size_t at = 0;

	while (at < m->out_len) {
		ssize_t n = send(m->fd, m->out + at, m->out_len - at, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	m->out_len = 0;
	return true;
}

static void take_messages(struct model *m)
{
	struct omapi_message q;
	size_t at = 0;
	int n;

	while ((n = omapi_decode(m->in + at, m->in_len - at, m->key, &q)) > 0) {
		answer(m, &q);
		at += (size_t)n;
	}
	if (n < 0) {
		fprintf(stderr, "omapi_model: this is no OMAPI, or its signature is wrong\n");
		exit(1);
	}
	memmove(m->in, m->in + at, m->in_len - at);
	m->in_len -= at;
}

static void serve(struct model *m)
{
	uint8_t hello[OMAPI_HELLO_BYTES];
	ssize_t n = recv(m->fd, hello, sizeof(hello), MSG_WAITALL);

	omapi_hello(hello);
	m->in_len = m->out_len = 0;
	m->logged_in = false;
	if (n != (ssize_t)sizeof(hello) || send(m->fd, hello, sizeof(hello), MSG_NOSIGNAL) < 0)
		return;
	while (!stopped) {
		n = recv(m->fd, m->in + m->in_len, sizeof(m->in) - m->in_len, 0);
		if (n <= 0)
			return;
		m->in_len += (size_t)n;
		if (m->in_len > OMAPI_BUFFER_BYTES) {
			fprintf(stderr, "omapi_model: %zu bytes at once: dhcpd would have died\n",
				m->in_len);
			exit(3);
		}
		take_messages(m);
		if (!send_all(m))
			return;
	}
}

static int listen_at(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 8) < 0) {
		perror("omapi_model");
		exit(1);
	}
	return fd;
}

static void print_hosts(const struct model *m)
{
	char mac[MAC_TEXT], ip[IPV4_TEXT];

	for (const struct host *h = m->by_mac; h; h = h->by_mac.next)
		printf("%s %s\n", mac_format(&h->mac, mac), ipv4_format(h->ip, ip));
	fprintf(stderr, "omapi_model: %llu writes\n", (unsigned long long)m->writes);
}

static void add_leases(struct model *m, char *range)
{
	char *dash = strchr(range, '-');

	if (!dash || ipv4_parse(range, (size_t)(dash - range), &m->first) < 0 ||
		ipv4_parse(dash + 1, strlen(dash + 1), &m->last) < 0 || m->last < m->first)
		exit(2);
	m->leases = calloc(m->last - m->first + 1, sizeof(*m->leases));
	for (uint32_t i = 0; m->leases && i <= m->last - m->first; i++)
		m->leases[i] = (struct lease){.state = DHCPD_LEASE_ACTIVE, .ends = 0x70000000};
}

int main(int argc, char **argv)
{
	static struct model m;
	const struct sigaction on_stop = {.sa_handler = stop};
	int listener;

	if (argc < 4 ||
		dhcpd_key_new(argv[2], strlen(argv[2]), "omapi_key", "hmac-sha256", &m.key) < 0) {
		fputs("usage: omapi_model PORT SECRET WRITES_PER_SECOND [FIRST-LAST]\n", stderr);
		return 2;
	}
	m.write_time = USEC_PER_SEC / atol(argv[3]);
	if (argc > 4)
		add_leases(&m, argv[4]);
	listener = listen_at((uint16_t)atoi(argv[1]));
	sigaction(SIGTERM, &on_stop, NULL);
	while (!stopped) {
		m.fd = accept(listener, NULL, NULL);
		if (m.fd < 0)
			continue;
		serve(&m);
		close(m.fd);
	}
	print_hosts(&m);
	return 0;
}
