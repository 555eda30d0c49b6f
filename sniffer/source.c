/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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

int source_open(struct source *s, const char *path)
{
	uint64_t size;
	int fd = source_open_fd(path, &size);

	if (fd < 0)
		return fd;
	*s = (struct source){.fd = fd, .size = size};
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
	free(s->window);
	*s = (struct source){.fd = -1};
}

/* One read; false at the end of the input. */
static bool source_read(struct source *s)
{
	size_t used = (size_t)(s->end - s->window);
	size_t room = SOURCE_WINDOW - used;
	ssize_t n;

	if (room > SOURCE_READ)
		room = SOURCE_READ;

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
