/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tap82/journal.h"

int journal_open(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Bytes that a character takes: a line end would begin another field. */
static size_t put(char *out, unsigned char c)
{
	char text[5];

	if (c >= 0x20 && c != 0x7f) {
		*out = (char)c;
		return 1;
	}
	snprintf(text, sizeof(text), "\\x%02x", c);
	memcpy(out, text, 4);
	return 4;
}

void journal_add(struct journal_entry *entry, const char *name, const char *value)
{
	size_t n = entry->len, name_len = strlen(name);

	if (!value || !*value || n + name_len + 2 > sizeof(entry->bytes))
		return;
	memcpy(entry->bytes + n, name, name_len);
	n += name_len;
	entry->bytes[n++] = '=';
	for (; *value; value++) {
		if (n + 5 > sizeof(entry->bytes))
			return;
		n += put(entry->bytes + n, (unsigned char)*value);
	}
	entry->bytes[n++] = '\n';
	entry->len = n;
}

int journal_send(int fd, const struct journal_entry *entry)
{
	return send(fd, entry->bytes, entry->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
