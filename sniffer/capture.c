/* SPDX-License-Identifier: ISC
 *
 * Live captures through libpcap.
 *
 * The ring is a TPACKET_V3 one: packets lie packed in its blocks, where immediate mode would give
 * each a slot as large as the largest. A block is handed over when it is full or TIMEOUT_MS old: an
 * idle capture is quick, a busy one is read in batches. The price is that a block which is handed
 * over by age is not filled: a ring of 32 MiB (128 blocks of libpcap's size) bridges 128 timeouts
 * of a stalled reader, however few the packets. 2 ms make 256 ms of that, and 1 ms of delay on
 * average. 4 MiB make 32 ms, and lost packets of a storm of 1000 cameras on a machine at load 11: a
 * sniffer is kept from running for longer there. What the engine does is no matter, for the sniffer
 * has a queue.
 */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tap82/capture.h"
#include "tap82/clock.h"
#include "tap82/clock_hook.h"
#include "tap82/err.h"
#include "tap82/filter.h"

#define SNAPLEN	   65536 /* a whole IPv4 packet in a frame */
#define TIMEOUT_MS 2

struct capture {
	pcap_t *pcap;
	int link_type;
	unsigned index; /* of the interface, 0 for "any" */
	char interface[IFNAMSIZ];
	char error[CAPTURE_ERROR_MAX];
	capture_fn fn; /* during capture_read() */
	void *ctx;
	struct pcap_stat before; /* libpcap counts in 32 bits, and wraps */
	struct capture_totals totals;
};

static int set_up(pcap_t *pcap, uint64_t buffer)
{
	int size = buffer > INT_MAX ? INT_MAX : (int)buffer;

	pcap_set_snaplen(pcap, SNAPLEN);
	pcap_set_promisc(pcap, 1);
	pcap_set_timeout(pcap, TIMEOUT_MS);
	if (size > 0)
		pcap_set_buffer_size(pcap, size);
	return pcap_activate(pcap);
}

static int activate_errno(int status)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE: return -ENODEV;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED: return -EPERM;
	case PCAP_ERROR_IFACE_NOT_UP: return -ENETDOWN;
	}
	return -EIO;
}

static const char *activate_text(int err)
{
	switch (err) {
	case -ENODEV: return "no such interface";
	case -EPERM: return "no permission (CAP_NET_RAW is needed)";
	case -ENETDOWN: return "the interface is down";
	case -ENOMEM: return "no memory";
	}
	return NULL;
}

static int explain(const struct capture *c, int err, const char *cause, char *error)
{
	const char *text = activate_text(err);

	snprintf(error, CAPTURE_ERROR_MAX, "%s: cannot be captured: %.200s", c->interface,
		text ? text : cause);
	return err;
}

/* Without a filter all frames come: right, but not cheap. That is for link types which no filter
 * is known for; a program that the kernel refuses is an error. */
static int set_filter(struct capture *c, const struct frame_want *want)
{
	static const struct frame_want all = {.tunnels = FRAME_TUNNELS_ALL};
	struct filter_insn *program = malloc(FILTER_MAX * sizeof(*program));
	struct bpf_program bpf;
	int r;

	if (!program)
		return -ENOMEM;
	r = filter_build(c->link_type, want ? want : &all, program);
	if (r > 0) {
		_Static_assert(sizeof(struct filter_insn) == sizeof(struct bpf_insn), "layout");
		bpf.bf_len = (unsigned)r;
		bpf.bf_insns = (struct bpf_insn *)(void *)program;
		r = pcap_setfilter(c->pcap, &bpf) == 0 ? 0 : -EINVAL;
	}
	free(program);
	return r == ERR_NOT_FOUND || r == ERR_FULL ? 0 : r;
}

static int open_pcap(struct capture *c, uint64_t buffer, const struct frame_want *want, char *error)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int status;

	c->pcap = pcap_create(c->interface, why);
	if (!c->pcap)
		return explain(c, -EIO, why, error);
	status = set_up(c->pcap, buffer);
	if (status < 0)
		return explain(c, activate_errno(status), pcap_geterr(c->pcap), error);
	if (pcap_setnonblock(c->pcap, 1, why) < 0)
		return explain(c, -EIO, why, error);
	c->link_type = pcap_datalink(c->pcap);
	status = set_filter(c, want);
	if (status < 0)
		return explain(c, status, pcap_geterr(c->pcap), error);
	return 0;
}

int capture_open(const char *interface, uint64_t buffer, const struct frame_want *want,
	char error[CAPTURE_ERROR_MAX], struct capture **ret_capture)
{
	struct capture *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		snprintf(error, CAPTURE_ERROR_MAX, "%.64s: no memory", interface);
		return -ENOMEM;
	}
	snprintf(c->interface, sizeof(c->interface), "%s", interface);
	r = strlen(interface) < sizeof(c->interface) ? open_pcap(c, buffer, want, error)
						     : explain(c, -ENODEV, "", error);
	if (r < 0) {
		capture_close(c);
		return r;
	}
	c->index = if_nametoindex(interface);
	*ret_capture = c;
	return 0;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->pcap)
		pcap_close(capture->pcap);
	free(capture);
}

int capture_fd(const struct capture *capture)
{
	return pcap_get_selectable_fd(capture->pcap);
}

static void hand_over(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct capture *c = (struct capture *)(void *)user;
	const struct packet packet = {
		.time = (int64_t)header->ts.tv_sec * USEC_PER_SEC + header->ts.tv_usec +
			clock_test_shift(),
		.wire_len = header->len,
		.len = header->caplen,
		.link_type = c->link_type,
		.bytes = bytes,
	};

	c->fn(c->ctx, &packet);
}

int capture_read(struct capture *capture, int max, capture_fn fn, void *ctx)
{
	int n;

	capture->fn = fn;
	capture->ctx = ctx;
	n = pcap_dispatch(capture->pcap, max, hand_over, (u_char *)capture);
	if (n < 0 && capture_check(capture) == 0) /* it knows better what happened */
		snprintf(capture->error, sizeof(capture->error),
			"%s: the capture has ended: %.200s", capture->interface,
			pcap_geterr(capture->pcap));
	return n < 0 ? -EIO : n;
}

const char *capture_error(const struct capture *capture)
{
	return capture->error;
}

int capture_stats(struct capture *capture, struct capture_totals *ret_totals)
{
	struct pcap_stat stat;

	if (pcap_stats(capture->pcap, &stat) < 0)
		return -EIO;
	capture->totals.received += stat.ps_recv - capture->before.ps_recv;
	capture->totals.dropped += stat.ps_drop - capture->before.ps_drop;
	capture->totals.interface_dropped += stat.ps_ifdrop - capture->before.ps_ifdrop;
	capture->before = stat;
	*ret_totals = capture->totals;
	return 0;
}

/* Asked on the capture's own socket, because a sandbox allows no other: the name of the index. */
int capture_check(struct capture *capture)
{
	struct ifreq request = {.ifr_ifindex = (int)capture->index};
	const char *why = NULL;
	int fd = pcap_fileno(capture->pcap);

	if (capture->index == 0)
		return 0;
	if (ioctl(fd, SIOCGIFNAME, &request) < 0)
		why = "the interface was removed";
	else if (strcmp(request.ifr_name, capture->interface) != 0)
		why = "the interface was renamed";
	else if (ioctl(fd, SIOCGIFFLAGS, &request) < 0 || !(request.ifr_flags & IFF_UP))
		why = "the interface is down";
	if (!why)
		return 0;
	snprintf(capture->error, sizeof(capture->error), "%s: the capture has ended: %s",
		capture->interface, why);
	return -ENETDOWN;
}
