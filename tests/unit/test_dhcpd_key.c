/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/addr.h"
#include "tap82/dhcpd.h"
#include "tap82/err.h"
#include "tap82/omapi_key.h"

static char path[] = "/tmp/tap82-key-XXXXXX";

static int load(const char *text, mode_t mode)
{
	struct dhcpd_key *key = NULL;
	FILE *f;
	int err;

	unlink(path); /* it may be read-only from before */
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
	err = dhcpd_key_load(path, "omapi_key", "hmac-sha256", &key);
	assert_true((err == 0) == (key != NULL));
	dhcpd_key_free(key);
	return err;
}

static void a_secret_is_read_with_the_line_end_that_editors_leave(void **state)
{
	(void)state;
	assert_int_equal(load("c2VjcmV0", 0600), 0);
	assert_int_equal(load("c2VjcmV0\n", 0400), 0);
	assert_int_equal(load("  c2VjcmV0\r\n\n", 0600), 0);
}

static void a_file_that_others_can_read_is_refused(void **state)
{
	(void)state;
	assert_int_equal(load("c2VjcmV0", 0604), ERR_PERMISSION);
	assert_int_equal(load("c2VjcmV0", 0644), ERR_PERMISSION);
	assert_int_equal(load("c2VjcmV0", 0602), ERR_PERMISSION);
}

static void what_is_no_base64_is_refused(void **state)
{
	(void)state;
	assert_int_equal(load("not base64", 0600), ERR_CORRUPT);
	assert_int_equal(load("c2Vj\ncmV0", 0600), ERR_CORRUPT);
	assert_int_equal(load("c2VjcmV", 0600), ERR_CORRUPT);
	assert_int_equal(load("key \"omapi_key\" { };", 0600), ERR_CORRUPT);
	assert_int_equal(load("", 0600), ERR_MISSING);
	assert_int_equal(load(" \n", 0600), ERR_MISSING);
}

static void a_name_or_algorithm_that_dhcpd_cannot_have_is_refused(void **state)
{
	struct dhcpd_key *key;

	(void)state;
	assert_int_equal(dhcpd_key_new("c2Vj", 4, "", "hmac-md5", &key), ERR_RANGE);
	assert_int_equal(dhcpd_key_new("c2Vj", 4, "a b", "hmac-md5", &key), ERR_RANGE);
	assert_int_equal(dhcpd_key_new("c2Vj", 4, "k", "hmac-sha3", &key), ERR_RANGE);
	assert_true(dhcpd_algorithm_known("HMAC-SHA512"));
	assert_false(dhcpd_algorithm_known("sha512"));
}

static void a_file_that_is_not_there_says_so(void **state)
{
	struct dhcpd_key *key;

	(void)state;
	assert_int_equal(dhcpd_key_load("/nonexistent/key", "k", "hmac-md5", &key), -2);
}

/* The flags of the mapping the key lies in, from /proc/self/smaps. */
static void flags_of(const void *address, char out[256])
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long from, to;
	bool here = false;
	char line[512];

	*out = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (unsigned long)address >= from && (unsigned long)address < to;
		if (here && sscanf(line, "VmFlags: %255[^\n]", out) == 1)
			break;
	}
	if (f)
		fclose(f);
}

static void a_key_is_kept_out_of_core_dumps(void **state)
{
	struct dhcpd_key *key;
	char flags[256];

	(void)state;
	assert_int_equal(dhcpd_key_new("c2VjcmV0", 8, "k", "hmac-md5", &key), 0);
	flags_of(key, flags);
	assert_non_null(strstr(flags, "dd"));
	dhcpd_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_read_with_the_line_end_that_editors_leave),
		cmocka_unit_test(a_file_that_others_can_read_is_refused),
		cmocka_unit_test(what_is_no_base64_is_refused),
		cmocka_unit_test(a_name_or_algorithm_that_dhcpd_cannot_have_is_refused),
		cmocka_unit_test(a_file_that_is_not_there_says_so),
		cmocka_unit_test(a_key_is_kept_out_of_core_dumps),
	};
	int fd = mkstemp(path), failed;

	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
