/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"

static int source_open_fd(const char *path, uint64_t *ret_size)
{
	struct stat st;
	int fd;

	*ret_size = 0;
	if (strcmp(path, "-") == 0)
		return STDIN_FILENO;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		return -EISDIR;
	}
	if (S_ISREG(st.st_mode)) {
		*ret_size = (uint64_t)st.st_size;
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	return fd;
}

/* --- Mapped files ----------------------------------------------------------------------------- */

#define MAP_BYTES (2u << 20) /* a window; populated at once, so that no page faults singly */

static struct source *mapped_sources;

/* Puts zeros where a file was cut, so that the parser ends by itself. Any other SIGBUS kills. */
static void on_sigbus(int signo, siginfo_t *info, void *context)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t at = (uintptr_t)info->si_addr & ~(page - 1);
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	(void)context;
	for (struct source *s = mapped_sources; s; s = s->next)
		if (s->window && at - (uintptr_t)s->window < s->mapped) {
			void *zeros;

			s->cut = true;
			/* cppcheck-suppress invalidFunctionArg ; -1 is right for anonymous memory
			 */
			zeros = mmap((void *)at, page, PROT_READ, flags, -1, 0);
			if (zeros != MAP_FAILED)
				return;
		}
	signal(signo, SIG_DFL);
}

static void watch_for_cuts(struct source *s)
{
	struct sigaction on_bus = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};

	sigaction(SIGBUS, &on_bus, NULL);
	s->next = mapped_sources;
	mapped_sources = s;
}

static void stop_watching(const struct source *s)
{
	struct source **at = &mapped_sources;

	while (*at && *at != s)
		at = &(*at)->next;
	if (*at)
		*at = s->next;
}

/* How much of the file is behind `from`; it may have grown. */
static size_t mappable(struct source *s, uint64_t from)
{
	struct stat st;
	uint64_t left;

	if (fstat(s->fd, &st) == 0)
		s->size = (uint64_t)st.st_size;
	left = s->size > from ? s->size - from : 0;
	return left < MAP_BYTES ? (size_t)left : MAP_BYTES;
}

/* Moves the window to where the source stands. */
static void source_map(struct source *s)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	static const uint8_t nothing[1];
	const uint64_t from = s->offset - s->offset % page;
	size_t len = mappable(s, from);
	void *window = MAP_FAILED;

	if (s->mapped)
		munmap(s->window, s->mapped);
	s->mapped = 0;
	if (len > s->offset - from)
		window = mmap(NULL, len, PROT_READ, MAP_SHARED | MAP_POPULATE, s->fd, (off_t)from);
	if (window == MAP_FAILED) {
		s->error = len > s->offset - from ? -errno : 0;
		s->window = NULL;
		s->p = s->end = nothing;
		return;
	}
	s->window = window;
	s->mapped = len;
	s->p = s->window + (s->offset - from);
	s->end = s->window + len;
}

/* --- Both ------------------------------------------------------------------------------------- */

int source_open(struct source *s, const char *path)
{
	uint64_t size;
	int fd = source_open_fd(path, &size);

	if (fd < 0)
		return fd;
	*s = (struct source){.fd = fd, .size = size};
	if (size > 0) {
		s->is_mapped = true;
		watch_for_cuts(s);
		return 0;
	}
	s->window = malloc(SOURCE_WINDOW);
	s->p = s->end = s->window;
	if (!s->window) {
		source_close(s);
		return -ENOMEM;
	}
	return 0;
}

void source_close(struct source *s)
{
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	if (s->is_mapped) {
		stop_watching(s);
		if (s->mapped)
			munmap(s->window, s->mapped);
	} else {
		free(s->window);
	}
	*s = (struct source){.fd = -1};
}

/* One read; false at the end of the input. */
static bool source_read(struct source *s)
{
	size_t used = (size_t)(s->end - s->window);
	size_t room = SOURCE_WINDOW - used;
	ssize_t n;

	do
		n = read(s->fd, s->window + used, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		s->error = -errno;
	if (n <= 0)
		s->at_end = true;
	else
		s->end += n;
	return n > 0;
}

size_t source_fill(struct source *s, size_t want)
{
	size_t have = (size_t)(s->end - s->p);

	if (s->is_mapped) {
		if (s->error == 0)
			source_map(s);
		return (size_t)(s->end - s->p);
	}
	if (s->at_end)
		return have;
	memmove(s->window, s->p, have);
	s->p = s->window;
	s->end = s->window + have;
	while ((size_t)(s->end - s->p) < want && source_read(s))
		;
	return (size_t)(s->end - s->p);
}

bool source_skip(struct source *s, uint64_t n)
{
	while (n > 0) {
		size_t have = source_has(s, 1);
		size_t step = n < have ? (size_t)n : have;

		if (have == 0)
			return false;
		source_take(s, step);
		n -= step;
	}
	return true;
}
