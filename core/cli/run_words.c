/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "run_words.h"
#include "tap82/clock.h"

#define LINES 100 /* a sanitizer's report is about as long */
#define EVERY (60 * USEC_PER_SEC)
#define READS 16 /* at one time: others wait */
#define CHUNK 1024

int words_begin(struct words *words, int *ret_fd)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*words = (struct words){.fd = ends[0], .limit = {.interval = EVERY, .burst = LINES}};
	*ret_fd = ends[1];
	return 0;
}

/* Reading from it fails, as stdin should here. */
void words_take(int fd)
{
	for (int standard = 0; standard <= STDERR_FILENO; standard++)
		(void)dup2(fd, standard);
	if (fd > STDERR_FILENO)
		close(fd);
}

static bool has_letter(const char *text)
{
	while (*text && !isalpha((unsigned char)*text))
		text++;
	return *text;
}

static void end_line(struct words *words, const char *name)
{
	words->line[words->len] = 0;
	words->len = 0;
	if (!words->line[0])
		return;
	if (!words->first[0] && has_letter(words->line))
		memcpy(words->first, words->line, sizeof(words->first));
	if (log_limit_pass(&words->limit, clock_mono()))
		log_error("capture %s: sniffer: %s", name, words->line);
}

/* Lines longer than ours are broken. */
static void add(struct words *words, const char *name, char c)
{
	if (c == '\n') {
		end_line(words, name);
		return;
	}
	if (words->len == sizeof(words->line) - 1)
		end_line(words, name);
	words->line[words->len++] = (unsigned char)c < 0x80 && c ? c : '?';
}

void words_read(struct words *words, const char *name)
{
	char chunk[CHUNK];
	ssize_t n = 1;

	for (int i = 0; i < READS && n > 0; i++) {
		n = read(words->fd, chunk, sizeof(chunk));
		for (ssize_t at = 0; at < n; at++)
			add(words, name, chunk[at]);
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) { /* its end is closed */
		close(words->fd);
		words->fd = -1;
	}
}

void words_end(struct words *words, const char *name)
{
	if (words->fd >= 0)
		words_read(words, name);
	end_line(words, name);
	if (words->fd >= 0)
		close(words->fd);
	words->fd = -1;
}
