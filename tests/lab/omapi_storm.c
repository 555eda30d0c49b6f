/* SPDX-License-Identifier: ISC
 *
 * omapi_storm: a mixture of requests of all sizes through the real connection, as fast as it goes.
 *
 *   omapi_storm -a ADDRESS -k NAME:FILE:ALGORITHM COUNT SEED
 *
 * Creates hosts with names of random lengths, deletes some, gives leases variables of random
 * lengths and looks those leases up, so that requests and replies of every size meet in batches.
 * Prints totals. Exit 0: every request was answered, and none refused.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap82/clock.h"
#include "tap82/dhcpd.h"
#include "tap82/omapi_conn.h"

#define LEASES	   64
#define QUEUE	   512
#define NAME_MAX   240
#define FILLER_MAX 3900

struct storm {
	struct loop *loop;
	struct omapi_conn *conn;
	struct loop_timer *timer;
	uint32_t seed, number, wanted, sent, answered, failed, refused;
	uint32_t handles[LEASES], leases_ready;
	uint64_t reply_bytes;
	bool broken;
};

static uint32_t random_below(struct storm *s, uint32_t limit)
{
	s->seed = s->seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)s->seed * limit >> 32);
}

static void go_on(void *ctx);

static void count(struct storm *s, int err, const struct omapi_message *reply)
{
	uint32_t result = 0;

	s->answered++;
	s->failed += err < 0;
	if (err < 0) {
		s->broken = true;
		loop_stop(s->loop);
		return;
	}
	s->refused += omapi_status(reply, &result) < 0 || result != OMAPI_SUCCESS;
	for (uint32_t i = 0; i < reply->object.count; i++)
		s->reply_bytes += reply->object.pairs[i].value_len;
	loop_timer_set(s->timer, 0);
}

static void answered(void *ctx, int err, const struct omapi_message *reply)
{
	count(ctx, err, reply);
}

static void send_delete(struct storm *s, uint32_t handle)
{
	uint8_t memory[64];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_DELETE, handle);
	omapi_out_object(&out);
	s->sent++;
	if (omapi_conn_send(s->conn, &out, OMAPI_STATUS_REPLY_MAX, 1, answered, s) < 0)
		s->broken = true;
}

static void created(void *ctx, int err, const struct omapi_message *reply)
{
	struct storm *s = ctx;
	uint32_t handle = err == 0 ? reply->handle : 0;

	count(s, err, reply);
	if (handle && !s->broken && random_below(s, 8) == 0)
		send_delete(s, handle);
}

static void send_create(struct storm *s)
{
	uint8_t memory[1024], mac[6] = {0x02};
	uint32_t n = s->number++, len = 8 + random_below(s, NAME_MAX - 8);
	char name[NAME_MAX + 1];
	struct omapi_out out;

	memset(name, 'n', sizeof(name));
	name[len] = '\0';
	for (int i = 0; i < 8; i++)
		name[i] = "0123456789abcdef"[n >> (28 - 4 * i) & 15];
	for (int i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)(n >> (24 - 8 * i));
	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "host");
	omapi_out_put_u32(&out, "create", 1);
	omapi_out_put_u32(&out, "exclusive", 1);
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", name);
	omapi_out_put(&out, "hardware-address", mac, 6);
	omapi_out_put_u32(&out, "hardware-type", 1);
	if (omapi_conn_send(s->conn, &out, 112 + len, 1, created, s) < 0)
		s->broken = true;
}

static void lease_begin(struct omapi_out *out, uint8_t *memory, size_t size, uint32_t n)
{
	uint8_t ip[4] = {10, 20, 1, (uint8_t)n};

	omapi_out_begin(out, memory, size, OMAPI_OPEN, 0);
	omapi_out_put_text(out, "type", "lease");
	omapi_out_object(out);
	omapi_out_put(out, "ip-address", ip, 4);
}

static void send_lookup(struct storm *s)
{
	uint8_t memory[128];
	struct omapi_out out;

	lease_begin(&out, memory, sizeof(memory), random_below(s, LEASES));
	if (omapi_conn_send(s->conn, &out, 0, 0, answered, s) < 0)
		s->broken = true;
}

/* Requests up to a whole buffer of dhcpd's, and leases whose replies are longer than one. */
static void send_filler(struct storm *s)
{
	static uint8_t memory[FILLER_MAX + 128], filler[FILLER_MAX];
	static const char *const names[] = {"filler", "padding"};
	struct omapi_out out;

	memset(filler, 'x', sizeof(filler));
	omapi_out_begin(
		&out, memory, sizeof(memory), OMAPI_UPDATE, s->handles[random_below(s, LEASES)]);
	omapi_out_object(&out);
	omapi_out_put(&out, names[random_below(s, 2)], filler, 1 + random_below(s, FILLER_MAX - 1));
	if (omapi_conn_send(s->conn, &out, OMAPI_STATUS_REPLY_MAX, 2, answered, s) < 0)
		s->broken = true;
}

static void send_one(struct storm *s)
{
	uint32_t dice = random_below(s, 100);

	s->sent++;
	if (dice < 70)
		send_create(s);
	else if (dice < 97)
		send_lookup(s);
	else
		send_filler(s);
}

static void go_on(void *ctx)
{
	struct storm *s = ctx;

	while (!s->broken && s->sent < s->wanted && s->sent - s->answered < QUEUE)
		send_one(s);
	if (s->broken || (s->answered >= s->sent && s->sent >= s->wanted))
		loop_stop(s->loop);
}

static void lease_found(void *ctx, int err, const struct omapi_message *reply)
{
	struct storm *s = ctx;

	if (err == 0)
		s->handles[s->leases_ready++] = reply->handle;
	if (err < 0)
		loop_stop(s->loop);
	else if (s->leases_ready == LEASES)
		go_on(s);
}

static void state_changed(void *ctx, enum omapi_state state, const char *text)
{
	struct storm *s = ctx;

	if (state == OMAPI_READY)
		return;
	printf("lost: %s\n", text);
	s->broken = true;
	loop_stop(s->loop);
}

static int storm_run(struct storm *s, uint32_t address, const struct dhcpd_key *key)
{
	const struct omapi_conn_config config = {
		.address = address,
		.port = DHCPD_PORT,
		.key = key,
		.state_fn = state_changed,
		.ctx = s,
		.deadline = 10 * USEC_PER_SEC,
		.batch_time = 20 * USEC_PER_MSEC,
		.retry_min = USEC_PER_SEC,
		.retry_max = USEC_PER_SEC,
		.retry_refused = USEC_PER_SEC,
		.queue_max = 2 * QUEUE,
	};
	uint8_t memory[128];
	struct omapi_out out;

	if (omapi_conn_new(s->loop, &config, &s->conn) < 0)
		return 1;
	for (uint32_t i = 0; i < LEASES; i++) {
		lease_begin(&out, memory, sizeof(memory), i);
		omapi_conn_send(s->conn, &out, 0, 0, lease_found, s);
	}
	loop_run(s->loop);
	return s->broken || s->failed || s->refused || s->answered < s->wanted;
}

int main(int argc, char **argv)
{
	char *key_name = NULL, *file = NULL, *algorithm = NULL;
	struct dhcpd_key *key = NULL;
	struct omapi_conn_stats stats;
	struct storm s = {0};
	uint32_t address = 0;
	int c, failed;

	while ((c = getopt(argc, argv, "a:k:")) != -1) {
		if (c == 'a' && ipv4_parse(optarg, strlen(optarg), &address) == 0)
			continue;
		key_name = strtok(optarg, ":");
		file = strtok(NULL, ":");
		algorithm = strtok(NULL, ":");
		if (!algorithm || dhcpd_key_load(file, key_name, algorithm, &key) < 0)
			return 2;
	}
	if (argc - optind != 2 || address == 0)
		return 2;
	s.wanted = (uint32_t)atoi(argv[optind]);
	s.seed = (uint32_t)atoi(argv[optind + 1]);
	s.loop = loop_new();
	s.timer = loop_timer_new(s.loop, go_on, &s);
	failed = storm_run(&s, address, key);
	omapi_conn_stats(s.conn, &stats);
	printf("sent %u answered %u failed %u refused %u batches %llu reply-bytes %llu\n", s.sent,
		s.answered, s.failed, s.refused, (unsigned long long)stats.batches,
		(unsigned long long)s.reply_bytes);
	omapi_conn_free(s.conn);
	loop_timer_free(s.timer);
	loop_free(s.loop);
	dhcpd_key_free(key);
	return failed;
}
