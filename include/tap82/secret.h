/* SPDX-License-Identifier: ISC
 *
 * Secrets: key and token files, in memory of their own that is kept out of swap (as far as the
 * limits of the process allow) and out of core dumps, and is zeroed when freed. Never logged.
 */
#ifndef TAP82_SECRET_H
#define TAP82_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_MAX  4096 /* bytes of a secret */
#define SECRET_KEYS TAP82_SYSCONFDIR "/keys/"

struct secret;

/* Reads a file, blanks and line ends around its content cut off. 0; ERR_PERMISSION when anybody
 * can read or write it who should not: others in any way, a group by writing, a group by reading
 * unless root owns the file or the group is root's or ours, an owner who is neither root nor us
 * (to root, any owner is right); ERR_MISSING when nothing is in it; ERR_SYNTAX for what is no
 * regular file; ERR_FULL above SECRET_MAX; or -errno.
 * A path below SECRET_KEYS is read from $CREDENTIALS_DIRECTORY/keys_NAME where that exists. */
int secret_load(const char *path, struct secret **ret_secret);
/* What is wrong for the error of secret_load(), for people: "must not be readable by others …". */
const char *secret_error_text(int err);
/* A copy of bytes at hand (a decoded key). 0, ERR_FULL, -ENOMEM. */
int secret_new(const void *bytes, size_t len, struct secret **ret_secret);
void secret_free(struct secret *secret); /* NULL is fine */

/* Borrowed; a NUL stands behind the last byte. */
const uint8_t *secret_bytes(const struct secret *secret, size_t *ret_len);
const char *secret_text(const struct secret *secret);
/* Compares in a time that depends on `len` only, not on where they differ. */
bool secret_equal(const struct secret *secret, const void *bytes, size_t len);

#endif
