/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode.h"
#include "progress.h"
#include "setup.h"
#include "tap82/err.h"
#include "tap82/log.h"

#define PROGRESS_PACKETS 4096 /* between two looks at the clock */

static const char *const filter_names[] = {"", "dhcp", "ack", "option82", "radius"};

static bool wanted(const struct decode *d, const struct message *m)
{
	switch (d->filter) {
	case DECODE_ALL: return true;
	case DECODE_DHCP: return m->kind == MESSAGE_DHCP;
	case DECODE_ACK: return m->kind == MESSAGE_DHCP && m->dhcp.type == DHCP_ACK;
	case DECODE_OPTION82: return m->kind == MESSAGE_DHCP && m->dhcp.has_option82;
	case DECODE_RADIUS: return m->kind == MESSAGE_RADIUS;
	}
	return false;
}

static void count(struct decode_totals *t, const struct message *m)
{
	t->matching++;
	t->malformed += message_is_malformed(m);
	t->damaged += m->datagram->damaged != 0;
	if (m->kind == MESSAGE_DHCP) {
		t->dhcp++;
		t->types[m->dhcp.type]++;
		t->option82 += m->dhcp.has_option82;
	} else {
		t->radius++;
		t->codes[m->radius.code]++;
	}
}

static void copy_frame(struct decode *d, const struct packet *packet)
{
	int err = capture_writer_add(d->copy, packet);

	if (err == 0 || d->failed)
		return;
	d->failed = true;
	log_error("%s: %s", cli_option(d->cli, "write"),
		err == ERR_RANGE ? "one pcap file can't hold frames of several link types: "
				   "name it *.pcapng"
				 : err_text(err));
}

/* The message's packet, or all that its fragments came in. */
static void copy_frames(struct decode *d, const struct packet *packet)
{
	if (!d->frames.packets && packet)
		copy_frame(d, packet);
	for (const struct packet_copy *p = d->frames.packets; p; p = p->next)
		copy_frame(d, &p->packet);
}

static void show(struct decode *d, const struct message *m)
{
	if (d->stats || d->silent)
		return;
	if (d->ladder) {
		if (ladder_add(d->ladder, m) < 0)
			d->failed = true;
	} else if (d->lines) {
		decode_write_line(&d->writer, m, d->colour);
	} else {
		message_write(&d->writer, m, d->verbose);
	}
}

/* `packet` NULL: the datagram is not of one frame. */
static void decode_datagram(
	struct decode *d, const struct datagram *datagram, const struct packet *packet)
{
	const struct message *m;

	if (message_read(d->messages, datagram, &m) < 0) {
		d->totals.too_short++;
		return;
	}
	if (!wanted(d, m))
		return;
	count(&d->totals, m);
	show(d, m);
	if (d->copy)
		copy_frames(d, packet);
}

void decode_flush(struct decode *d, int64_t before)
{
	struct datagram datagram;

	while (frame_flush(&d->frames, before, &datagram) > 0)
		decode_datagram(d, &datagram, NULL);
}

void decode_packet(struct decode *d, const struct packet *packet)
{
	struct datagram datagram;

	d->totals.packets++;
	if (d->totals.first == 0)
		d->totals.first = packet->time;
	d->totals.last = packet->time;
	if (d->frames.fragments) /* told when their time is over, as in a live capture */
		decode_flush(d, packet->time - FRAME_FRAGMENT_TIME);
	if (frame_decode(&d->frames, packet, &datagram) > 0)
		decode_datagram(d, &datagram, packet);
}

static void show_progress(const struct decode *d, struct progress *p,
	const struct capture_file *file, uint64_t before)
{
	struct progress_state state = {.done = capture_file_offset(file),
		.total = capture_file_size(file),
		.count = d->totals.packets - before};

	if (progress_due(p))
		progress_show(p, &state);
}

static void decode_file(struct decode *d, const char *path)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_file *file;
	uint64_t before = d->totals.packets;
	struct progress progress;
	struct packet packet;
	int err;

	if (capture_file_open(path, error, &file) < 0) {
		log_error("%s", error);
		d->failed = true;
		return;
	}
	/* What comes through a pipe may come slowly: show it when it is there. */
	d->writer.eager = capture_file_size(file) == 0;
	progress_begin(&progress, path, "packets", d->progress);
	while ((err = capture_file_next(file, &packet)) > 0) {
		decode_packet(d, &packet);
		if (progress.wanted && d->totals.packets % PROGRESS_PACKETS == 0)
			show_progress(d, &progress, file, before);
	}
	decode_flush(d, INT64_MAX);
	progress_end(&progress);
	if (err < 0) {
		writer_flush(&d->writer);
		log_error("%s", capture_file_error(file));
		d->failed = true;
	}
	capture_file_close(file);
}

static int read_filter(struct decode *d)
{
	const char *name = cli_option(d->cli, "filter");

	for (unsigned i = 1; name && i < sizeof(filter_names) / sizeof(filter_names[0]); i++)
		if (strcmp(name, filter_names[i]) == 0) {
			d->filter = i;
			return 0;
		}
	return name ? cli_usage(d->cli, "--filter %s: not one of dhcp, ack, option82, radius", name)
		    : 0;
}

/* --count: 0, or an exit code. */
static int read_count(struct decode *d)
{
	const char *text = cli_option(d->cli, "count");
	char *end;

	if (!text)
		return 0;
	d->count = strtoull(text, &end, 10);
	if (*end || end == text || d->count == 0)
		return cli_usage(d->cli, "--count %s: not a number of messages", text);
	if (!cli_has(d->cli, "interface"))
		return cli_usage(d->cli, "--count goes with -i IFACE");
	return 0;
}

/* What was asked for and how it is to be shown. 0, or an exit code. */
static int read_options(struct decode *d)
{
	struct cli *cli = d->cli;
	int code = read_filter(d);

	if (!code)
		code = read_count(d);
	if (code)
		return code;
	d->stats = cli_has(cli, "stats");
	d->verbose = cli_has(cli, "verbose");
	d->lines = !cli->json && !d->verbose;
	d->colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	/* Records that scroll by are progress enough. */
	d->progress = d->stats || cli_has(cli, "ladder") || !isatty(STDOUT_FILENO);
	if (cli_has(cli, "interface") == (cli->arg_count > 0))
		return cli_usage(cli, "give capture files, '-' for standard input, or -i IFACE");
	if (cli_has(cli, "stats") && cli_has(cli, "ladder"))
		return cli_usage(cli, "--stats and --ladder exclude each other");
	d->silent = cli_has(cli, "write") && strcmp(cli_option(cli, "write"), "-") == 0;
	if (d->silent && (d->stats || cli_has(cli, "ladder")))
		return cli_usage(cli, "-w -: standard output can't be for totals or a ladder, too");
	return 0;
}

static int open_all(struct decode *d)
{
	enum writer_mode mode = d->cli->json		? WRITER_JSON
				: d->lines && !d->stats ? WRITER_LINE
							: WRITER_TREE;

	if (frame_decoder_init(&d->frames, NULL) < 0 ||
		writer_init(&d->writer, STDOUT_FILENO, mode) < 0)
		return -ENOMEM;
	if (cli_has(d->cli, "ladder")) {
		d->ladder = ladder_new();
		if (!d->ladder)
			return -ENOMEM;
	}
	return 0;
}

/* Whether the file that is to be written is one that is to be read: making it would empty it. */
static bool is_input(const struct cli *cli, const char *path)
{
	struct stat out, in;

	if (stat(path, &out) < 0 || !S_ISREG(out.st_mode))
		return false;
	for (int i = 0; i < cli->arg_count; i++) {
		bool from_stdin = strcmp(cli->args[i], "-") == 0;

		if ((from_stdin ? fstat(STDIN_FILENO, &in) : stat(cli->args[i], &in)) == 0 &&
			in.st_dev == out.st_dev && in.st_ino == out.st_ino)
			return true;
	}
	return false;
}

static int open_copy(struct decode *d)
{
	const char *path = cli_option(d->cli, "write");
	int err;

	if (!path)
		return 0;
	if (!d->silent && is_input(d->cli, path)) {
		log_error("%s: cannot be written: it is the capture that is read", path);
		return ERR_RANGE;
	}
	d->frames.keep_packets = true;
	err = capture_writer_open(path, &d->copy);
	if (err < 0)
		log_error("%s: cannot be written: %s", path, err_text(err));
	return err;
}

/* The end of it all: totals, buffers, errors that show late. */
static void finish(struct decode *d)
{
	int err = d->copy ? capture_writer_close(d->copy) : 0;

	if (err < 0 && !d->failed)
		log_error("%s: cannot be written: %s", cli_option(d->cli, "write"), err_text(err));
	d->failed |= err < 0;
	if (d->stats)
		decode_write_totals(d);
	if (d->ladder)
		ladder_write(d->ladder, &d->writer, d->cli->json);
	err = writer_flush(&d->writer);
	if (err < 0 && err != -EPIPE)
		log_error("standard output: cannot be written: %s", err_text(err));
	d->failed |= err < 0;
}

static void close_all(struct decode *d)
{
	ladder_free(d->ladder);
	writer_done(&d->writer);
	frame_decoder_done(&d->frames);
	message_decoder_free(d->messages);
}

/* Decoders that know [switches] and [layout …], if there is a configuration. */
static int open_messages(struct decode *d)
{
	struct conf *conf;

	if (setup_conf_if_any(d->cli->conf_path, cli_has(d->cli, "config"), &conf) < 0)
		return EXIT_WRONG_USAGE;
	d->messages = setup_messages(conf);
	conf_free(conf);
	return d->messages ? 0 : EXIT_WRONG_USAGE;
}

/* All that there is to decode. */
static int decode_all(struct decode *d)
{
	const char *interface = cli_option(d->cli, "interface");

	if (interface)
		d->failed |= decode_live(d, interface) < 0;
	for (int i = 0; i < d->cli->arg_count && !writer_error(&d->writer); i++)
		decode_file(d, d->cli->args[i]);
	finish(d);
	return d->failed ? EXIT_FAILED : EXIT_DONE;
}

const struct cli_option command_decode_options[] = {
	{"interface", 'i', "IFACE", "live, from an interface, until interrupted"},
	{"count", 'n', "N", "with -i: end after N messages"},
	{"filter", 'f', "dhcp|ack|option82|radius", "only these messages"},
	{"verbose", 'v', NULL, "all options and attributes, as a tree"},
	{"stats", 's', NULL, "only totals"},
	{"ladder", 'l', NULL, "each camera's transactions, step by step, with delays"},
	{"write", 'w', "FILE", "also write the matching frames: pcap, or pcapng if named so"},
	{0},
};

int command_decode(struct cli *cli)
{
	struct decode d = {.cli = cli};
	int code = read_options(&d), err;

	if (!code)
		code = open_messages(&d);
	if (code)
		return code;
	err = open_all(&d);
	if (err < 0)
		log_error("decode: %s", err_text(err));
	code = err < 0 || open_copy(&d) < 0 ? EXIT_FAILED : decode_all(&d);
	close_all(&d);
	return code;
}
