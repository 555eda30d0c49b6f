/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "decode.h"
#include "tap82/capture.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/log.h"

#define RING_BYTES (UINT64_C(16) << 20)
#define BATCH	   256 /* packets between two looks at signals and --count */
#define LOOK_EVERY 200 /* milliseconds, for fragments that wait and for an interface that went */

static volatile sig_atomic_t stopping;

static void stop(int signo)
{
	(void)signo;
	stopping = 1;
}

static void catch_signals(void)
{
	const struct sigaction action = {.sa_handler = stop};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* True when as many messages came as were asked for. */
static bool is_enough(const struct decode *d)
{
	return d->count && d->totals.matching >= d->count;
}

static void on_packet(void *ctx, const struct packet *packet)
{
	if (!is_enough(ctx))
		decode_packet(ctx, packet);
}

static int follow(struct decode *d, struct capture *capture)
{
	struct pollfd fd = {.fd = capture_fd(capture), .events = POLLIN};
	int n = 0;

	while (!stopping && !is_enough(d) && !writer_error(&d->writer) && n >= 0) {
		if (poll(&fd, 1, LOOK_EVERY) < 0 && errno != EINTR)
			return -errno;
		n = capture_read(capture, BATCH, on_packet, d);
		if (n == 0) /* nothing comes from an interface that is down, not even an error */
			n = capture_check(capture);
		decode_flush(d, clock_wall() - FRAME_FRAGMENT_TIME);
		writer_flush(&d->writer);
	}
	if (!is_enough(d))
		decode_flush(d, INT64_MAX);
	if (n < 0)
		log_error("%s", capture_error(capture));
	return n < 0 ? n : 0;
}

static void tell_losses(struct capture *capture, const char *interface)
{
	struct capture_totals totals;

	if (capture_stats(capture, &totals) == 0 && totals.dropped + totals.interface_dropped)
		log_warning("%s: %llu packets lost in the kernel, %llu in the interface", interface,
			(unsigned long long)totals.dropped,
			(unsigned long long)totals.interface_dropped);
}

int decode_live(struct decode *d, const char *interface)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture *capture;
	int err = capture_open(interface, RING_BYTES, NULL, error, &capture);

	if (err < 0) {
		log_error("%s", error);
		return err;
	}
	catch_signals();
	err = follow(d, capture);
	tell_losses(capture, interface);
	capture_close(capture);
	return err;
}
