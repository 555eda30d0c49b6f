/* SPDX-License-Identifier: ISC
 *
 * flood FILE.pcap COUNT: the frames of a capture again and again, COUNT of them, each with another
 * xid and chaddr, through the decoder and the engine as the two processes do it. One camera is
 * known, and starts again every 100 000 frames.
 *
 * Prints a line of figures at every tenth of the way: memory must not grow, events hardly. Exit 0:
 * the camera was handed over each time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap82/capture_file.h"
#include "tap82/clock.h"
#include "tap82/engine.h"
#include "tap82/frame.h"
#include "tap82/message.h"

#define FRAMES_MAX  65536
#define AT_XID	    46
#define AT_CHADDR   72
#define CAMERA_EACH 100000
#define START	    (INT64_C(1767225600) * USEC_PER_SEC)

struct flood {
	struct frame_decoder frames;
	struct message_decoder *messages;
	struct engine *engine;
	struct writer writer;
	struct packet packets[FRAMES_MAX];
	uint32_t count;
	uint64_t events, handed_over, observed, malformed;
	struct order orders[64];
	unsigned order_count;
};

static void on_event(void *ctx, const struct event *e)
{
	struct flood *f = ctx;

	f->events++;
	f->handed_over += e->code == EVENT_PROVISION_HANDOFF;
	writer_clear(&f->writer);
	event_write(&f->writer, e);
}

static void on_order(void *ctx, const struct order *order)
{
	struct flood *f = ctx;

	if (f->order_count < 64)
		f->orders[f->order_count++] = *order;
}

static void see(struct flood *f, const struct observation *o)
{
	engine_observe(f->engine, o);
	for (unsigned i = 0; i < f->order_count; i++) {
		const struct answer a = {.ticket = f->orders[i].ticket, .kind = ANSWER_DONE};

		engine_answer(f->engine, &a, o->time);
	}
	f->order_count = 0;
}

static void camera_starts(struct flood *f, uint64_t n, int64_t now)
{
	struct observation o = {
		.version = OBSERVATION_VERSION, .kind = OBSERVATION_DHCP, .time = now};

	o.mac = (struct mac){{2, 0, 0, 0, 0, 1}};
	o.dhcp.type = DHCP_ACK;
	o.dhcp.is_reply = o.dhcp.has_mac = true;
	o.dhcp.xid = (uint32_t)(n / CAMERA_EACH) + 1;
	o.dhcp.yiaddr = 0x0a3200fe;
	o.dhcp.server_id = 0x0a630001;
	o.dhcp.giaddr = 0x0a320001;
	see(f, &o);
}

static void take(struct flood *f, uint64_t n, int64_t now)
{
	struct packet *p = &f->packets[n % f->count];
	uint8_t *bytes = (uint8_t *)(uintptr_t)p->bytes;
	const uint32_t other = (uint32_t)n * UINT32_C(2654435761);
	struct observation o, witness;
	struct datagram d;
	bool malformed = false;

	p->time = now;
	if (p->len >= AT_CHADDR + 4) {
		memcpy(bytes + AT_XID, &other, 4);
		memcpy(bytes + AT_CHADDR, &other, 4);
	}
	if (!frame_decode(&f->frames, p, &d))
		return;
	if (message_observe(f->messages, &d, &o, &malformed) < 0)
		return;
	f->malformed += malformed;
	f->observed++;
	if (message_witness(f->messages, &witness))
		see(f, &witness);
	see(f, &o);
}

static unsigned long resident_kib(void)
{
	unsigned long pages = 0, ignored;
	FILE *in = fopen("/proc/self/statm", "r");

	if (!in || fscanf(in, "%lu %lu", &ignored, &pages) != 2)
		pages = 0;
	if (in)
		fclose(in);
	return pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
}

static void say(const struct flood *f, uint64_t n, int64_t began)
{
	struct engine_stats s;

	engine_stats(f->engine, &s);
	printf("%llu frames, %llu observed, %llu events, %llu counted only, unknown %u, exchanges "
	       "%u, "
	       "%lu KiB, %.2f us a frame\n",
		(unsigned long long)n, (unsigned long long)f->observed,
		(unsigned long long)f->events, (unsigned long long)s.untold, s.unknown,
		s.transactions, resident_kib(), (double)(clock_mono() - began) / (double)n);
	fflush(stdout);
}

static void load(struct flood *f, const char *path)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_file *file;
	struct packet p;

	if (capture_file_open(path, error, &file) < 0) {
		fprintf(stderr, "flood: %s\n", error);
		exit(2);
	}
	while (f->count < FRAMES_MAX && capture_file_next(file, &p) > 0) {
		uint8_t *bytes = malloc(p.len + 1);

		if (!bytes)
			exit(1);
		memcpy(bytes, p.bytes, p.len);
		p.bytes = bytes;
		f->packets[f->count++] = p;
	}
	capture_file_close(file);
}

static void begin(struct flood *f, const struct conf *conf)
{
	static const struct frame_want want;
	const struct engine_ops ops = {.event = on_event, .order = on_order};
	const struct inventory_row row = {.mac = {{2, 0, 0, 0, 0, 1}},
		.serial_number = "SN-1",
		.uuid = "",
		.name = "",
		.group = "",
		.line = 2};
	const char *field;

	f->messages = message_decoder_new();
	f->engine = engine_new(conf, &ops, f);
	if (!f->messages || !f->engine || writer_init(&f->writer, -1, WRITER_JSON) < 0 ||
		frame_decoder_init(&f->frames, &want) < 0 ||
		engine_put_device(f->engine, &row, NULL, &field, START) != 1)
		exit(1);
}

int main(int argc, char **argv)
{
	static struct flood f;
	struct prefix subnet = {.ip = 0x0a320000, .len = 24};
	struct conf_server server = {.name = "n", .address = 0x0a630001, .server_id = 0x0a630001};
	struct conf_group group = {.name = "g",
		.subnets = &subnet,
		.subnet_count = 1,
		.server_count = 1,
		.auto_provisioning = true};
	const struct conf conf = {.auto_provisioning = true,
		.stream_hold = 300 * USEC_PER_SEC,
		.reservation_timeout = 300 * USEC_PER_SEC,
		.servers = &server,
		.server_count = 1,
		.groups = &group,
		.group_count = 1};
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, starts = 0;
	int64_t began = clock_mono();

	if (count < 10) {
		fputs("usage: flood FILE.pcap COUNT\n", stderr);
		return 2;
	}
	load(&f, argv[1]);
	begin(&f, &conf);
	for (uint64_t n = 1; n <= count; n++) {
		const int64_t now = START + (int64_t)n * 10; /* 100 000 a second */

		take(&f, n, now);
		if (n % CAMERA_EACH == 0) {
			camera_starts(&f, n, now);
			starts++;
		}
		if (n % (count / 10) == 0)
			say(&f, n, began);
	}
	printf("the camera: %llu starts, %llu hand-overs\n", (unsigned long long)starts,
		(unsigned long long)f.handed_over);
	return starts == f.handed_over ? 0 : 1;
}
