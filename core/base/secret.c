/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap82/err.h"
#include "tap82/secret.h"

struct secret {
	size_t len;
	uint8_t bytes[SECRET_MAX + 1];
};

static struct secret *secret_map(void)
{
	struct secret *secret = mmap(
		NULL, sizeof(*secret), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (secret == MAP_FAILED)
		return NULL;
	/* Both may be refused by limits; the secret is as well kept as it can be then. */
	(void)mlock(secret, sizeof(*secret));
	(void)madvise(secret, sizeof(*secret), MADV_DONTDUMP);
	return secret;
}

void secret_free(struct secret *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, sizeof(*secret));
	munmap(secret, sizeof(*secret));
}

int secret_new(const void *bytes, size_t len, struct secret **ret_secret)
{
	struct secret *secret;

	if (len > SECRET_MAX)
		return ERR_FULL;
	secret = secret_map();
	if (!secret)
		return -ENOMEM;
	memcpy(secret->bytes, bytes, len);
	secret->len = len;
	*ret_secret = secret;
	return 0;
}

static bool group_may_read(const struct stat *st)
{
	return !(st->st_mode & S_IRGRP) || st->st_uid == 0 || st->st_gid == 0 ||
	       st->st_gid == getegid();
}

/* root:tap82 0640 is how a package hands a secret to a service, 0440 how systemd does. */
static int check_permissions(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return ERR_SYNTAX;
	if (st.st_mode & (S_IRWXO | S_IWGRP) || !group_may_read(&st))
		return ERR_PERMISSION;
	return geteuid() == 0 || st.st_uid == 0 || st.st_uid == geteuid() ? 0 : ERR_PERMISSION;
}

static int read_whole(int fd, struct secret *secret)
{
	ssize_t n;

	/* One byte more than is allowed tells a file that is too long. */
	while (secret->len <= SECRET_MAX) {
		n = read(fd, secret->bytes + secret->len, SECRET_MAX + 1 - secret->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		secret->len += (size_t)n;
	}
	return ERR_FULL;
}

static void trim(struct secret *secret)
{
	size_t start = 0, end = secret->len;

	while (end > 0 && isspace(secret->bytes[end - 1]))
		end--;
	while (start < end && isspace(secret->bytes[start]))
		start++;
	memmove(secret->bytes, secret->bytes + start, end - start);
	explicit_bzero(secret->bytes + (end - start), sizeof(secret->bytes) - (end - start));
	secret->len = end - start;
}

static int load_open(int fd, struct secret **ret_secret)
{
	struct secret *secret;
	int r = check_permissions(fd);

	if (r < 0)
		return r;
	secret = secret_map();
	if (!secret)
		return -ENOMEM;
	r = read_whole(fd, secret);
	if (r == 0)
		trim(secret);
	if (r == 0 && secret->len == 0)
		r = ERR_MISSING;
	if (r < 0)
		secret_free(secret);
	else
		*ret_secret = secret;
	return r;
}

/* systemd copies the folder of keys, which may be root's alone, to a place that we can read
 * (systemd.exec, LoadCredential=keys:DIR): KEYS/NAME is DIR/keys_NAME there. */
static int open_credential(const char *path)
{
	const char *dir = secure_getenv("CREDENTIALS_DIRECTORY");
	char copy[PATH_MAX];
	int n;

	if (!dir || strncmp(path, SECRET_KEYS, strlen(SECRET_KEYS)) != 0)
		return -1;
	n = snprintf(copy, sizeof(copy), "%s/keys_%s", dir, path + strlen(SECRET_KEYS));
	return n < (int)sizeof(copy) ? open(copy, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
}

int secret_load(const char *path, struct secret **ret_secret)
{
	int fd = open_credential(path), r;

	/* A fifo must not keep us waiting before it is seen to be one. */
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	r = load_open(fd, ret_secret);
	close(fd);
	return r;
}

const char *secret_error_text(int err)
{
	switch (err) {
	case ERR_PERMISSION:
		return "must not be readable by others or writable by anybody but its owner "
		       "(chmod 600)";
	case ERR_MISSING: return "is empty";
	case ERR_SYNTAX: return "is no regular file";
	case ERR_FULL: return "is longer than a secret can be";
	default: return err_text(err);
	}
}

const uint8_t *secret_bytes(const struct secret *secret, size_t *ret_len)
{
	*ret_len = secret->len;
	return secret->bytes;
}

const char *secret_text(const struct secret *secret)
{
	return (const char *)secret->bytes;
}

bool secret_equal(const struct secret *secret, const void *bytes, size_t len)
{
	const uint8_t *given = bytes;
	uint8_t differs = secret->len != len;

	for (size_t i = 0; i < len; i++)
		differs |= given[i] ^ secret->bytes[i <= SECRET_MAX ? i : SECRET_MAX];
	return !differs;
}
