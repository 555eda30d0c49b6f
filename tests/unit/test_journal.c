/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/journal.h"

static void an_entry_arrives_field_by_field(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct journal_entry entry = {.len = 0};
	char got[JOURNAL_MAX] = "";
	int sink = socket(AF_UNIX, SOCK_DGRAM, 0), fd;

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/tap82-journal-%d", (int)getpid());
	assert_int_equal(bind(sink, (struct sockaddr *)&at, sizeof(at)), 0);
	fd = journal_open(at.sun_path);
	assert_true(fd >= 0);
	journal_add(&entry, "MESSAGE", "hello");
	journal_add(&entry, "TAP82_IP", NULL);
	journal_add(&entry, "TAP82_NAME", "");
	journal_add(&entry, "TAP82_MAC", "02:00:00:00:00:01");
	assert_int_equal(journal_send(fd, &entry), 0);
	assert_true(recv(sink, got, sizeof(got) - 1, 0) > 0);
	assert_string_equal(got, "MESSAGE=hello\nTAP82_MAC=02:00:00:00:00:01\n");
	close(fd);
	close(sink);
	unlink(at.sun_path);
	assert_true(journal_open(at.sun_path) < 0);
}

static void a_value_cannot_begin_another_field(void **state)
{
	struct journal_entry entry = {.len = 0};

	(void)state;
	journal_add(&entry, "A", "x\nPRIORITY=0\x7f");
	assert_int_equal(entry.len, strlen("A=x\\x0aPRIORITY=0\\x7f\n"));
	assert_memory_equal(entry.bytes, "A=x\\x0aPRIORITY=0\\x7f\n", entry.len);
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
	char *huge = calloc(1, 2 * JOURNAL_MAX);
	struct journal_entry entry = {.len = 0};

	(void)state;
	memset(huge, '\n', 2 * JOURNAL_MAX - 1);
	journal_add(&entry, "A", "x");
	journal_add(&entry, "B", huge);
	journal_add(&entry, "C", "y");
	assert_int_equal(entry.len, 8);
	assert_memory_equal(entry.bytes, "A=x\nC=y\n", 8);
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_arrives_field_by_field),
		cmocka_unit_test(a_value_cannot_begin_another_field),
		cmocka_unit_test(what_does_not_fit_is_left_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
