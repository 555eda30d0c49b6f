/* SPDX-License-Identifier: ISC
 *
 * The wire: frames go out by libnet and come in by libpcap, or go to a capture file.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include <libnet.h>
#include <pcap/pcap.h>

#include "sim.h"

struct wire {
	libnet_t *out;
	pcap_t *in, *dead;
	pcap_dumper_t *file;
	uint64_t sent;
};

static pcap_t *receive_open(const char *iface)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *in = pcap_create(iface, why);

	if (!in)
		return NULL;
	pcap_set_snaplen(in, SIM_FRAME_MAX);
	pcap_set_promisc(in, 1);
	pcap_set_immediate_mode(in, 1);
	pcap_set_buffer_size(in, 32 << 20);
	if (pcap_activate(in) < 0 || pcap_setnonblock(in, 1, why) < 0) {
		fprintf(stderr, "camsim: %s: %s\n", iface, pcap_geterr(in));
		pcap_close(in);
		return NULL;
	}
	pcap_setdirection(in, PCAP_D_IN);
	return in;
}

static bool live_open(struct wire *w, const char *iface)
{
	char why[LIBNET_ERRBUF_SIZE] = "";

	w->out = libnet_init(LIBNET_LINK_ADV, iface, why);
	if (!w->out)
		fprintf(stderr, "camsim: %s: cannot send: %s\n", iface, why);
	else
		w->in = receive_open(iface);
	return w->out && w->in;
}

static bool file_open(struct wire *w, const char *file)
{
	w->dead = pcap_open_dead(DLT_EN10MB, 65535);
	w->file = w->dead ? pcap_dump_open(w->dead, file) : NULL;
	if (!w->file)
		fprintf(stderr, "camsim: %s: %s\n", file,
			w->dead ? pcap_geterr(w->dead) : "memory");
	return w->file;
}

struct wire *wire_new(const char *iface, const char *file)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (w && ((iface && !live_open(w, iface)) || (file && !file_open(w, file)))) {
		wire_free(w);
		return NULL;
	}
	return w;
}

void wire_free(struct wire *w)
{
	if (w->out)
		libnet_destroy(w->out);
	if (w->in)
		pcap_close(w->in);
	if (w->file)
		pcap_dump_close(w->file);
	if (w->dead)
		pcap_close(w->dead);
	free(w);
}

/* A full send queue of the interface is waited for: a storm has to arrive whole. */
static int live_put(struct wire *w, const uint8_t *frame, size_t len)
{
	for (int i = 0; i < 1000; i++) {
		if (libnet_adv_write_link(w->out, frame, (uint32_t)len) == (int)len)
			return 0;
		if (errno != ENOBUFS && errno != EAGAIN)
			break;
		usleep(1000);
	}
	fprintf(stderr, "camsim: cannot send: %s\n", libnet_geterror(w->out));
	return -1;
}

int wire_put(struct wire *w, int64_t time, const uint8_t *frame, size_t len)
{
	struct pcap_pkthdr h = {
		.ts = {.tv_sec = time / 1000000, .tv_usec = time % 1000000},
		.caplen = (bpf_u_int32)len,
		.len = (bpf_u_int32)len,
	};

	w->sent++;
	if (w->file)
		pcap_dump((u_char *)w->file, &h, frame);
	return w->out ? live_put(w, frame, len) : 0;
}

void wire_wait(struct wire *w, int64_t usec,
	void (*fn)(void *ctx, const uint8_t *frame, size_t len), void *ctx)
{
	struct pollfd p = {.fd = pcap_get_selectable_fd(w->in), .events = POLLIN};
	struct timespec ts = {.tv_sec = usec / 1000000, .tv_nsec = usec % 1000000 * 1000};
	struct pcap_pkthdr *h;
	const u_char *frame;

	ppoll(&p, 1, &ts, NULL);
	while (pcap_next_ex(w->in, &h, &frame) == 1)
		fn(ctx, frame, h->caplen);
}

uint64_t wire_sent(const struct wire *w)
{
	return w->sent;
}

uint64_t wire_lost(const struct wire *w)
{
	struct pcap_stat stat = {0};

	return w->in && pcap_stats(w->in, &stat) == 0 ? stat.ps_drop : 0;
}
