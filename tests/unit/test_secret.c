/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/err.h"
#include "tap82/secret.h"

static char path[] = "/tmp/tap82-secret-XXXXXX";

static void file_holds(const char *text, mode_t mode)
{
	FILE *f;

	unlink(path); /* it may be read-only from before */
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void a_secret_is_read_without_the_blanks_around_it(void **state)
{
	struct secret *secret;
	size_t len;

	(void)state;
	file_holds(" \tc2VjcmV0\r\n\n", 0600);
	assert_int_equal(secret_load(path, &secret), 0);
	assert_memory_equal(secret_bytes(secret, &len), "c2VjcmV0", 8);
	assert_int_equal(len, 8);
	assert_string_equal(secret_text(secret), "c2VjcmV0");
	secret_free(secret);
}

static void what_others_can_read_or_write_is_refused(void **state)
{
	static const mode_t bad[] = {0644, 0604, 0602, 0620, 0660, 0666, 0601};
	static const mode_t good[] = {0600, 0400, 0640, 0440};
	struct secret *secret;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		file_holds("x", bad[i]);
		assert_int_equal(secret_load(path, &secret), ERR_PERMISSION);
	}
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		file_holds("x", 0600);
		assert_int_equal(chmod(path, good[i]), 0);
		assert_int_equal(secret_load(path, &secret), 0);
		secret_free(secret);
	}
}

static void what_is_no_secret_is_refused(void **state)
{
	char long_text[SECRET_MAX + 2];
	struct secret *secret;

	(void)state;
	file_holds(" \n", 0600);
	assert_int_equal(secret_load(path, &secret), ERR_MISSING);
	assert_int_equal(secret_load("/tmp", &secret), ERR_SYNTAX);
	assert_int_equal(secret_load("/nonexistent/key", &secret), -2);
	memset(long_text, 'x', sizeof(long_text));
	long_text[SECRET_MAX + 1] = 0;
	file_holds(long_text, 0600);
	assert_int_equal(secret_load(path, &secret), ERR_FULL);
	long_text[SECRET_MAX] = 0;
	file_holds(long_text, 0600);
	assert_int_equal(secret_load(path, &secret), 0);
	secret_free(secret);
	assert_int_equal(secret_new(long_text, SECRET_MAX + 1, &secret), ERR_FULL);
}

static void a_key_is_taken_from_the_credentials_of_the_service(void **state)
{
	char dir[] = "/tmp/tap82-credentials-XXXXXX", name[64];
	struct secret *secret;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/keys_tap82-test.key", dir);
	f = fopen(name, "w");
	assert_non_null(f);
	fputs("handed over", f);
	fclose(f);
	assert_int_equal(chmod(name, 0400), 0);
	assert_int_equal(secret_load(SECRET_KEYS "tap82-test.key", &secret), -ENOENT);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_int_equal(secret_load(SECRET_KEYS "tap82-test.key", &secret), 0);
	assert_string_equal(secret_text(secret), "handed over");
	secret_free(secret);
	assert_int_equal(secret_load(SECRET_KEYS "tap82-other.key", &secret), -ENOENT);
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(name);
	rmdir(dir);
}

static void comparing_wants_every_byte_and_the_length(void **state)
{
	struct secret *secret;

	(void)state;
	assert_int_equal(secret_new("token", 5, &secret), 0);
	assert_true(secret_equal(secret, "token", 5));
	assert_false(secret_equal(secret, "toke", 4));
	assert_false(secret_equal(secret, "token\0", 6));
	assert_false(secret_equal(secret, "tokem", 5));
	assert_false(secret_equal(secret, "", 0));
	secret_free(secret);
}

static void every_refusal_has_its_words(void **state)
{
	(void)state;
	assert_non_null(strstr(secret_error_text(ERR_PERMISSION), "must not be readable"));
	assert_string_equal(secret_error_text(ERR_MISSING), "is empty");
	assert_string_equal(secret_error_text(-2), "No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_read_without_the_blanks_around_it),
		cmocka_unit_test(what_others_can_read_or_write_is_refused),
		cmocka_unit_test(what_is_no_secret_is_refused),
		cmocka_unit_test(a_key_is_taken_from_the_credentials_of_the_service),
		cmocka_unit_test(comparing_wants_every_byte_and_the_length),
		cmocka_unit_test(every_refusal_has_its_words),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
