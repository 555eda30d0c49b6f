/* SPDX-License-Identifier: ISC
 *
 * inject IFACE FILE.pcap [PPS [SECONDS [vary|xid]]]: puts the frames of a capture on an interface
 * as they are, tags in the bytes, in batches. With PPS it keeps that pace and repeats the file for
 * SECONDS; `vary` gives each frame another xid and chaddr where a plain DHCP message has them,
 * `xid` only that.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tap82/capture_file.h"
#include "tap82/clock.h"

#define FRAMES_MAX 524288
#define BATCH	   64
#define AT_XID	   46
#define AT_CHADDR  72 /* its last four bytes */

static struct iovec frames[FRAMES_MAX];
static unsigned count;

static int load(const char *path)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_file *file;
	struct packet p;

	if (capture_file_open(path, error, &file) < 0) {
		fprintf(stderr, "inject: %s\n", error);
		return -1;
	}
	while (count < FRAMES_MAX && capture_file_next(file, &p) > 0) {
		frames[count].iov_base = malloc(p.len);
		if (!frames[count].iov_base)
			return -1;
		memcpy(frames[count].iov_base, p.bytes, p.len);
		frames[count++].iov_len = p.len;
	}
	capture_file_close(file);
	return count ? 0 : -1;
}

static int open_interface(const char *name)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || to.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror(name);
		return -1;
	}
	return fd;
}

static void vary(struct iovec *frame, uint32_t n, const char *how)
{
	uint8_t *p = frame->iov_base;

	if (frame->iov_len < AT_CHADDR + 4)
		return;
	memcpy(p + AT_XID, &n, 4);
	if (strcmp(how, "vary") == 0)
		memcpy(p + AT_CHADDR, &n, 4);
}

/* Sends frames from..from+n of the endless repetition of the file. */
static int send_batch(int fd, unsigned long from, unsigned n, const char *how)
{
	struct mmsghdr m[BATCH];
	unsigned done = 0;

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < n; i++) {
		m[i].msg_hdr.msg_iov = &frames[(from + i) % count];
		if (how)
			vary(m[i].msg_hdr.msg_iov, (uint32_t)(from + i), how);
		m[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < n) {
		int r = sendmmsg(fd, m + done, n - done, 0);

		if (r < 0 && errno != ENOBUFS && errno != EAGAIN)
			return -1;
		if (r > 0)
			done += (unsigned)r;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long pps = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	unsigned long seconds = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	unsigned long total, sent = 0, batch = BATCH;
	int fd;
	int64_t start;

	if (argc < 3 || load(argv[2]) < 0 || (fd = open_interface(argv[1])) < 0) {
		fputs("usage: inject IFACE FILE.pcap [PPS [SECONDS [vary|xid]]]\n", stderr);
		return 2;
	}
	total = pps && seconds ? pps * seconds : count;
	if (pps && pps / 1000 < batch)
		batch = pps / 1000 + 1;
	start = clock_mono();
	while (sent < total) {
		unsigned n = (unsigned)(total - sent < batch ? total - sent : batch);

		if (pps && (int64_t)(sent * USEC_PER_SEC / pps) > clock_mono() - start) {
			usleep(200);
			continue;
		}
		if (send_batch(fd, sent, n, argc > 5 ? argv[5] : NULL) < 0) {
			perror("inject");
			return 1;
		}
		sent += n;
	}
	printf("%lu frames in %.3f s\n", sent, (double)(clock_mono() - start) / USEC_PER_SEC);
	return 0;
}
