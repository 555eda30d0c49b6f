/* SPDX-License-Identifier: ISC
 *
 * `tap82 decode`: what its files share.
 */
#ifndef TAP82_CLI_DECODE_H
#define TAP82_CLI_DECODE_H

#include "cli.h"
#include "tap82/capture_file.h"
#include "tap82/message.h"

struct ladder;

enum decode_filter {
	DECODE_ALL,
	DECODE_DHCP,
	DECODE_ACK,
	DECODE_OPTION82,
	DECODE_RADIUS,
};

struct decode_totals {
	uint64_t packets, dhcp, radius, option82, malformed, damaged, too_short, matching;
	uint64_t types[DHCP_TYPE_MAX + 1]; /* 0: BOOTP */
	uint64_t codes[256];
	int64_t first, last; /* packet times */
};

struct decode {
	struct cli *cli;
	struct message_decoder *messages;
	struct frame_decoder frames;
	struct writer writer;
	struct capture_writer *copy; /* -w, or NULL */
	struct ladder *ladder; /* --ladder, or NULL */
	enum decode_filter filter;
	bool verbose, stats, lines, colour;
	bool silent; /* -w -: standard output is the capture's, no records */
	bool failed; /* something could not be read or written, and it was said */
	uint64_t count; /* -n: so many messages, then end; 0: no limit */
	bool progress; /* a line that says how far it is, where stderr is a terminal */
	struct decode_totals totals;
};

/* Everything that one packet gives. */
void decode_packet(struct decode *d, const struct packet *packet);
/* Datagrams whose fragments did not all come by time `before`. */
void decode_flush(struct decode *d, int64_t before);

/* Captures an interface until SIGINT, SIGTERM, --count messages, or its end. 0, or negative after
 * saying what failed. */
int decode_live(struct decode *d, const char *interface);

/* One line for people. */
void decode_write_line(struct writer *w, const struct message *message, bool colour);
/* --stats. */
void decode_write_totals(struct decode *d);

/* --ladder: who said what to whom, by camera and transaction. NULL without memory. */
struct ladder *ladder_new(void);
void ladder_free(struct ladder *ladder); /* NULL is fine */
/* 0, or -ENOMEM. */
int ladder_add(struct ladder *ladder, const struct message *message);
void ladder_write(struct ladder *ladder, struct writer *w, bool json);

#endif
