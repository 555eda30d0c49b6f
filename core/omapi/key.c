/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/nettle-meta.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "tap82/dhcpd.h"
#include "tap82/err.h"
#include "tap82/omapi_key.h"
#include "tap82/secret.h"

#define KEY_NAME_MAX   255
#define KEY_SECRET_MAX 512
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
	struct base64_decode_ctx base64; /* these two only while the key is made */
	uint8_t secret[KEY_SECRET_MAX];
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
	void *page;

	/* cppcheck-suppress invalidFunctionArg ; -1 is right for anonymous memory */
	page = mmap(NULL, KEY_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	(void)mlock(page, KEY_PAGE);
	if (madvise(page, KEY_PAGE, MADV_DONTDUMP) < 0) {
		munmap(page, KEY_PAGE);
		return NULL;
	}
	return page;
}

/* The secret's bytes. They are decoded in the key's page and leave it again. */
static int secret_decode(struct dhcpd_key *key, const char *text, size_t len)
{
	struct base64_decode_ctx *ctx = &key->base64;
	size_t n = KEY_SECRET_MAX;

	if (len == 0)
		return ERR_MISSING;
	if (BASE64_DECODE_LENGTH(len) > KEY_SECRET_MAX)
		return ERR_RANGE;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20)
			return ERR_CORRUPT; /* nettle passes over blanks */
	base64_decode_init(ctx);
	if (!base64_decode_update(ctx, &n, key->secret, len, text) || !base64_decode_final(ctx))
		return ERR_CORRUPT;
	return n > 0 ? (int)n : ERR_MISSING;
}

static bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (name[i] <= 0x20 || name[i] == 0x7f || name[i] == '"' || name[i] == '\\')
			return false;
	return len > 0 && len <= KEY_NAME_MAX;
}

static int key_fill(struct dhcpd_key *key, const char *base64, size_t len)
{
	const struct nettle_hash *hash = key->algorithm->hash;
	struct contexts *c = &key->memory;
	int n = secret_decode(key, base64, len);

	if (n < 0)
		return n;
	key->contexts = c;
	hmac_set_key(&c->outer, &c->inner, &c->state, hash, (size_t)n, key->secret);
	explicit_bzero(key->secret, sizeof(key->secret));
	explicit_bzero(&key->base64, sizeof(key->base64));
	return 0;
}

int dhcpd_key_new(const char *base64, size_t len, const char *name, const char *algorithm,
	struct dhcpd_key **ret_key)
{
	const struct algorithm *a = algorithm_find(algorithm);
	struct dhcpd_key *key;
	int err;

	if (!a || !name_is_good(name))
		return ERR_RANGE;
	key = page_new();
	if (!key)
		return -ENOMEM;
	key->algorithm = a;
	strcpy(key->name, name);
	err = key_fill(key, base64, len);
	if (err < 0)
		dhcpd_key_free(key);
	else
		*ret_key = key;
	return err;
}

void dhcpd_key_free(struct dhcpd_key *key)
{
	if (!key)
		return;
	explicit_bzero(key, KEY_PAGE);
	munmap(key, KEY_PAGE);
}

int dhcpd_key_load(
	const char *path, const char *name, const char *algorithm, struct dhcpd_key **ret_key)
{
	struct secret *text;
	size_t len;
	int err = secret_load(path, &text);

	if (err < 0)
		return err;
	(void)secret_bytes(text, &len);
	err = dhcpd_key_new(secret_text(text), len, name, algorithm, ret_key);
	secret_free(text);
	return err;
}

const char *dhcpd_key_error_text(int err)
{
	if (err == ERR_CORRUPT)
		return "is not base64";
	if (err == ERR_RANGE)
		return "is no key that dhcpd can have";
	return secret_error_text(err);
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
