/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "check_online.h"
#include "setup.h"
#include "tap82/err.h"

#define PACKETS_TURN 256

static void count_packet(void *ctx, const struct packet *packet)
{
	struct doctor_capture *c = ctx;
	const struct message *message;
	struct datagram datagram;

	if (frame_decode(&c->frames, packet, &datagram) != 1 ||
		message_read(c->messages, &datagram, &message) < 0)
		return;
	doctor_traffic_note(&c->traffic, message);
}

static void capture_ready(void *ctx, int fd, int what)
{
	struct doctor_capture *c = ctx;

	(void)fd;
	(void)what;
	if (capture_read(c->capture, PACKETS_TURN, count_packet, c) < 0) {
		check_tell(c->online->check, CHECK_WRONG, "capture", c->conf->name,
			capture_error(c->capture), "it was open and ended: is the interface up?");
		loop_io_set(c->io, 0);
	}
	online_stop_if_done(c->online);
}

static const char *capture_mend(int err)
{
	switch (err) {
	case -ENODEV: return "'ip link' lists the interfaces there are";
	case -EPERM:
	case -EACCES: return "capturing needs root or CAP_NET_RAW";
	case -ENETDOWN: return "ip link set INTERFACE up";
	default: return NULL;
	}
}

static int open_decoders(struct doctor_capture *c, const struct frame_want *want)
{
	c->messages = setup_messages(c->online->check->conf);
	return c->messages ? frame_decoder_init(&c->frames, want) : -ENOMEM;
}

static void open_interface(struct doctor_capture *c)
{
	struct check *check = c->online->check;
	char error[CAPTURE_ERROR_MAX];
	struct frame_want want;
	int err;

	setup_want(c->conf, &want);
	err = capture_open(c->conf->interface, c->conf->buffer, &want, error, &c->capture);
	if (err < 0) {
		check_tell(check, CHECK_WRONG, "capture", c->conf->name, error, capture_mend(err));
		return;
	}
	if (open_decoders(c, &want) == 0)
		c->io = loop_io_new(
			c->online->loop, capture_fd(c->capture), LOOP_READ, capture_ready, c);
	check_tellf(check, c->io ? CHECK_GOOD : CHECK_WRONG, "capture", c->conf->name, NULL,
		"%s is %s", c->conf->interface, c->io ? "open" : err_text(-ENOMEM));
}

static void open_file(struct doctor_capture *c)
{
	struct check *check = c->online->check;
	char error[CAPTURE_ERROR_MAX];
	struct capture_file *file;

	if (capture_file_open(c->conf->file, error, &file) < 0) {
		check_tell(check, CHECK_WRONG, "capture", c->conf->name, error, NULL);
		return;
	}
	capture_file_close(file);
	check_tellf(check, CHECK_GOOD, "capture", c->conf->name, NULL, "%s is a capture",
		c->conf->file);
}

void doctor_capture_tell(struct doctor_capture *c)
{
	if (c->io)
		doctor_traffic_tell(c->online->check, c->conf->name, &c->traffic);
}

void doctor_capture_close(struct doctor_capture *c)
{
	loop_io_free(c->io);
	capture_close(c->capture);
	if (c->io)
		frame_decoder_done(&c->frames);
	message_decoder_free(c->messages);
}

void doctor_capture_open(struct doctor_capture *c)
{
	if (c->conf->interface)
		open_interface(c);
	else
		open_file(c);
}
