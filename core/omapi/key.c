/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/nettle-meta.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap82/dhcpd.h"
#include "tap82/err.h"
#include "tap82/omapi_key.h"

#define KEY_NAME_MAX   255
#define KEY_SECRET_MAX 512
#define KEY_FILE_MAX   4096
#define KEY_PAGE       4096 /* the mapping of a key: the kernel rounds it up */

static const struct algorithm {
	const char *name, *wire;
	const struct nettle_hash *hash;
} algorithms[] = {
	{"hmac-md5", "hmac-md5.SIG-ALG.REG.INT.", &nettle_md5},
	{"hmac-sha1", "hmac-sha1.SIG-ALG.REG.INT.", &nettle_sha1},
	{"hmac-sha224", "hmac-sha224.SIG-ALG.REG.INT.", &nettle_sha224},
	{"hmac-sha256", "hmac-sha256.SIG-ALG.REG.INT.", &nettle_sha256},
	{"hmac-sha384", "hmac-sha384.SIG-ALG.REG.INT.", &nettle_sha384},
	{"hmac-sha512", "hmac-sha512.SIG-ALG.REG.INT.", &nettle_sha512},
};

/* The keyed hash contexts are as secret as the secret: they live in the same locked page, and
 * signing works there too. */
struct contexts {
	struct sha512_ctx outer, inner, state;
};

struct dhcpd_key {
	const struct algorithm *algorithm;
	struct contexts *contexts;
	char name[KEY_NAME_MAX + 1];
	struct contexts memory;
};

_Static_assert(sizeof(struct dhcpd_key) <= KEY_PAGE, "a key fits its page");

static const struct algorithm *algorithm_find(const char *name)
{
	for (unsigned i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (strcasecmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

bool dhcpd_algorithm_known(const char *algorithm)
{
	return algorithm_find(algorithm) != NULL;
}

/* Memory that is neither swapped nor dumped. A limit on locked memory (RLIMIT_MEMLOCK) is no
 * reason to go without a key: then it is only kept out of dumps. */
static void *page_new(void)
{
	void *page =
		mmap(NULL, KEY_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	(void)mlock(page, KEY_PAGE);
	if (madvise(page, KEY_PAGE, MADV_DONTDUMP) < 0) {
		munmap(page, KEY_PAGE);
		return NULL;
	}
	return page;
}

static void page_free(void *page)
{
	if (!page)
		return;
	explicit_bzero(page, KEY_PAGE);
	munmap(page, KEY_PAGE);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The secret's bytes into `out`; blanks are only allowed at the ends. */
static int secret_decode(const char *text, size_t len, uint8_t out[KEY_SECRET_MAX], size_t *ret_len)
{
	struct base64_decode_ctx ctx;
	size_t n = KEY_SECRET_MAX;

	while (len > 0 && is_blank(text[len - 1]))
		len--;
	while (len > 0 && is_blank(*text))
		text++, len--;
	if (len == 0)
		return ERR_MISSING;
	for (size_t i = 0; i < len; i++)
		if (is_blank(text[i]))
			return ERR_SYNTAX;
	if (BASE64_DECODE_LENGTH(len) > KEY_SECRET_MAX)
		return ERR_RANGE;
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &n, out, len, text) || !base64_decode_final(&ctx))
		return ERR_SYNTAX;
	explicit_bzero(&ctx, sizeof(ctx));
	*ret_len = n;
	return n > 0 ? 0 : ERR_MISSING;
}

static bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (name[i] <= 0x20 || name[i] == 0x7f || name[i] == '"' || name[i] == '\\')
			return false;
	return len > 0 && len <= KEY_NAME_MAX;
}

static int key_fill(struct dhcpd_key *key, uint8_t *secret, const char *base64, size_t len)
{
	const struct nettle_hash *hash = key->algorithm->hash;
	struct contexts *c = &key->memory;
	size_t n;
	int err = secret_decode(base64, len, secret, &n);

	if (err < 0)
		return err;
	key->contexts = c;
	hmac_set_key(&c->outer, &c->inner, &c->state, hash, n, secret);
	return 0;
}

int dhcpd_key_new(const char *base64, size_t len, const char *name, const char *algorithm,
	struct dhcpd_key **ret_key)
{
	const struct algorithm *a = algorithm_find(algorithm);
	struct dhcpd_key *key;
	uint8_t *secret;
	int err;

	if (!a || !name_is_good(name))
		return ERR_RANGE;
	key = page_new();
	secret = page_new();
	if (!key || !secret) {
		err = -ENOMEM;
		goto out;
	}
	key->algorithm = a;
	strcpy(key->name, name);
	err = key_fill(key, secret, base64, len);
	if (err == 0) {
		*ret_key = key;
		key = NULL;
	}
out:
	page_free(key);
	page_free(secret);
	return err;
}

void dhcpd_key_free(struct dhcpd_key *key)
{
	page_free(key);
}

/* Others never; a group only if it is root's (systemd credentials) or the one we run as. */
static int permission_check(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return ERR_SYNTAX;
	if (st->st_mode & (S_IRWXO | S_IWGRP))
		return ERR_PERMISSION;
	if ((st->st_mode & S_IRGRP) && st->st_gid != 0 && st->st_gid != getegid())
		return ERR_PERMISSION;
	return 0;
}

/* The number of bytes, all of the file. */
static int file_read(const char *path, char out[KEY_FILE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) < 0 ? -errno : permission_check(&st);
	if (err == 0) {
		n = read(fd, out, KEY_FILE_MAX);
		err = n < 0 ? -errno : n == KEY_FILE_MAX ? ERR_RANGE : (int)n;
	}
	close(fd);
	return err;
}

int dhcpd_key_load(
	const char *path, const char *name, const char *algorithm, struct dhcpd_key **ret_key)
{
	char *text = page_new();
	int n;

	if (!text)
		return -ENOMEM;
	n = file_read(path, text);
	if (n >= 0)
		n = dhcpd_key_new(text, (size_t)n, name, algorithm, ret_key);
	page_free(text);
	return n;
}

const char *dhcpd_key_name(const struct dhcpd_key *key)
{
	return key->name;
}

const char *dhcpd_key_algorithm(const struct dhcpd_key *key)
{
	return key->algorithm->name;
}

const char *dhcpd_key_wire_algorithm(const struct dhcpd_key *key)
{
	return key->algorithm->wire;
}

size_t dhcpd_key_signature_bytes(const struct dhcpd_key *key)
{
	return key ? key->algorithm->hash->digest_size : 0;
}

void dhcpd_key_sign(const struct dhcpd_key *key, const uint8_t *bytes, size_t len,
	uint8_t out[OMAPI_SIGNATURE_MAX])
{
	const struct nettle_hash *hash = key->algorithm->hash;
	struct contexts *c = key->contexts;

	hash->update(&c->state, len, bytes);
	hmac_digest(&c->outer, &c->inner, &c->state, hash, hash->digest_size, out);
}
