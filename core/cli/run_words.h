/* SPDX-License-Identifier: ISC
 *
 * What a sniffer says on stderr: not its own words, those go to the engine as a status, but a
 * library's or the C library's last ones. It gets a pipe for them, so that a sniffer that a packet
 * took over can neither fill the log nor write to a terminal.
 */
#ifndef TAP82_CLI_RUN_WORDS_H
#define TAP82_CLI_RUN_WORDS_H

#include <stddef.h>

#include "tap82/log.h"

#define WORDS_MAX 160

struct words {
	int fd; /* to read; -1: none */
	char line[WORDS_MAX];
	size_t len;
	char first[WORDS_MAX]; /* the first line with a letter in it, "" */
	struct log_limit limit;
};

/* Makes the pipe; ret_fd: the end to write to, the caller's. 0 or -errno. */
int words_begin(struct words *words, int *ret_fd);
/* In the sniffer: `fd` takes the place of stdin, stdout and stderr, and is closed. */
void words_take(int fd);
/* Logs the lines that are there: "capture NAME: sniffer: LINE". */
void words_read(struct words *words, const char *name);
/* What is left, too. */
void words_end(struct words *words, const char *name);

#endif
