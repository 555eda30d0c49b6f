/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/err.h"
#include "tap82/inventory.h"

static char path[] = "/tmp/tap82-inventory-XXXXXX";
static struct conf_group groups[] = {{.name = "cameras-north"}, {.name = "south"}};
static struct conf conf = {.groups = groups, .group_count = 2};
static char told[4096];
static size_t problems;

static void tell(void *ctx, const char *text)
{
	size_t n = strlen(path), used = strlen(told);

	(void)ctx;
	problems++;
	if (strncmp(text, path, n) == 0)
		text += n + 1;
	snprintf(told + used, sizeof(told) - used, "%s\n", text);
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

static int load(const char *text, size_t rows, struct inventory **ret)
{
	FILE *f = fopen(path, "w");
	int r;

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	*told = 0;
	problems = 0;
	assert_int_equal(inventory_open(path, &conf, tell, NULL, ret), 0);
	do
		r = inventory_step(*ret, rows);
	while (r == 1);
	return r;
}

#define HEAD "mac,serial_number\n"

static void every_column_is_read_in_any_order(void **state)
{
	static const char text[] =
		"\xef\xbb\xbfGroup,ip,remote_id,SERIAL_NUMBER,circuit_id,uuid,mac,name\r\n"
		"Cameras-North,10.20.0.5,0006aabbccddeeff,SN-1,eth0/1,u-1,AABB.CCDD.EE01,"
		"\"Gate, \"\"A\"\"\nupper\"\r\n"
		",,,SN-2,,,aa-bb-cc-dd-ee-02,\r\n";
	const struct inventory_row *rows;
	struct inventory *inv;
	size_t count;

	(void)state;
	assert_int_equal(load(text, 1, &inv), 0);
	rows = inventory_rows(inv, &count);
	assert_int_equal(count, 2);
	assert_memory_equal(rows[0].mac.b, "\xaa\xbb\xcc\xdd\xee\x01", 6);
	assert_int_equal(rows[0].line, 2);
	assert_int_equal(rows[0].ip, 0x0a140005);
	assert_string_equal(rows[0].serial_number, "SN-1");
	assert_string_equal(rows[0].uuid, "u-1");
	assert_string_equal(rows[0].name, "Gate, \"A\"\nupper");
	assert_string_equal(rows[0].group, "cameras-north");
	assert_int_equal(rows[0].circuit_id_len, 6);
	assert_memory_equal(rows[0].circuit_id, "eth0/1", 6);
	assert_int_equal(rows[0].remote_id_len, 8);
	assert_memory_equal(rows[0].remote_id, "\0\6\xaa\xbb\xcc\xdd\xee\xff", 8);
	assert_int_equal(rows[1].line, 4);
	assert_int_equal(rows[1].ip, 0);
	assert_null(rows[1].circuit_id);
	assert_string_equal(rows[1].uuid, "");
	assert_string_equal(rows[1].group, "");
	inventory_free(inv);
}

static const struct {
	const char *text, *problems;
} wrong[] = {
	{"", "1: the header row is missing\n"},
	{"mac\n", "1: the column 'serial_number' is missing\n"},
	{"serial_number,name\n", "1: the column 'mac' is missing\n"},
	{"mac,serial_number,colour\n",
		"1: there is no column 'colour' (mac, serial_number, uuid, name, ip, circuit_id, "
		"remote_id, group)\n"},
	{"mac,serial_number,MAC\n", "1: the column 'mac' stands twice\n"},
	{HEAD "aa:bb:cc:dd:ee:zz,S\n", "2: mac: 'aa:bb:cc:dd:ee:zz' is no MAC address\n"},
	{HEAD ",S\n", "2: mac: is missing\n"},
	{HEAD "00:00:00:00:00:00,S\n", "2: mac: 00:00:00:00:00:00 is no address of a device\n"},
	{HEAD "ffffffffffff,S\n", "2: mac: ff:ff:ff:ff:ff:ff is no address of a device\n"},
	{HEAD "010000000001,S\n", "2: mac: 01:00:00:00:00:01 is no address of a device\n"},
	{HEAD "020000000001,\n", "2: serial_number: is missing\n"},
	{HEAD "020000000001,\xc3(\n", "2: serial_number: is not UTF-8\n"},
	{HEAD "020000000001,a\x01"
	      "b\n",
		"2: serial_number: holds control characters\n"},
	{HEAD "020000000001\n", "2: has 1 fields where the header has 2\n"},
	{HEAD "020000000001,S,x\n", "2: has 3 fields where the header has 2\n"},
	{HEAD "020000000001,S\"T\n",
		"2: a quote stands inside a field that does not begin with one\n"},
	{HEAD "\n020000000001,\"S\n", "3: a quote is opened here and never closed\n"},
	{"mac,serial_number,ip\n020000000001,S,10.0.0\n", "2: ip: '10.0.0' is no IPv4 address\n"},
	{"mac,serial_number,ip\n020000000001,S,224.0.0.1\n",
		"2: ip: 224.0.0.1 is no address of a device\n"},
	{"mac,serial_number,group\n020000000001,S,west\n",
		"2: group: there is no section [group west]\n"},
	{"mac,serial_number,circuit_id\n020000000001,S,0xabc\n",
		"2: circuit_id: is neither hex nor text\n"},
	{HEAD "020000000001,S\n020000000002,T\n02-00-00-00-00-01,U\n",
		"4: mac: is the same as on line 2\n"},
	{HEAD "020000000001,S\n020000000002,S\n", "3: serial_number: is the same as on line 2\n"},
	{"mac,serial_number,ip\n020000000001,S,10.0.0.1\n020000000002,T,10.0.0.1\n",
		"3: ip: is the same as on line 2\n"},
	/* All of them; a row that is refused stands in nobody's way. */
	{HEAD "x,S\n\n020000000001,\n020000000001,S\n020000000001,T\n",
		"2: mac: 'x' is no MAC address\n4: serial_number: is missing\n"
		"6: mac: is the same as on line 5\n"},
};

static void every_kind_of_bad_row_is_named_with_its_line(void **state)
{
	struct inventory *inv;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_true(load(wrong[i].text, 1000, &inv) < 0);
		assert_string_equal(told, wrong[i].problems);
		assert_true(inventory_step(inv, 1) < 0);
		assert_string_equal(told, wrong[i].problems);
		inventory_free(inv);
	}
}

static void skip_leaves_out_bad_rows_and_tells_them(void **state)
{
	struct inventory *inv;
	size_t count;

	(void)state;
	conf.inventory_skip = true;
	assert_int_equal(
		load(HEAD "x,S\n020000000001,T\n020000000001,U\n020000000002,V\n", 2, &inv), 0);
	assert_string_equal(
		told, "2: mac: 'x' is no MAC address\n4: mac: is the same as on line 3\n");
	assert_int_equal(inventory_skipped(inv), 2);
	assert_string_equal(inventory_rows(inv, &count)[1].serial_number, "V");
	assert_int_equal(count, 2);
	inventory_free(inv);
	/* What cannot be read on from is refused all the same. */
	assert_true(load(HEAD "020000000001,T\n020000000002,\"U\n", 2, &inv) < 0);
	inventory_free(inv);
	assert_true(load("mac,colour\n", 2, &inv) < 0);
	inventory_free(inv);
	conf.inventory_skip = false;
}

static void a_flood_of_bad_rows_is_summed_up(void **state)
{
	char *text = malloc(20000), *p = text;
	struct inventory *inv;

	(void)state;
	assert_non_null(text);
	p += sprintf(p, HEAD);
	for (int i = 0; i < 1500; i++)
		p += sprintf(p, "x,%d\n", i);
	*told = 0;
	assert_int_equal(load(text, 100, &inv), ERR_SYNTAX);
	assert_int_equal(problems, 1001);
	assert_int_equal(inventory_skipped(inv), 1500);
	inventory_free(inv);
	free(text);
}

static void rows_in_their_thousands_are_found_again(void **state)
{
	enum { ROWS = 20000 };
	FILE *f = fopen(path, "w");
	const struct inventory_row *rows;
	struct inventory *inv;
	size_t count;

	(void)state;
	assert_non_null(f);
	fputs(HEAD, f);
	for (unsigned i = 0; i < ROWS; i++)
		fprintf(f, "0200%08x,S%u\n", i, i);
	fputs("020000000007,T\n", f);
	fclose(f);
	*told = 0;
	conf.inventory_skip = true;
	assert_int_equal(inventory_open(path, &conf, tell, NULL, &inv), 0);
	while (inventory_step(inv, 333) == 1)
		continue;
	rows = inventory_rows(inv, &count);
	assert_int_equal(count, ROWS);
	assert_int_equal(rows[ROWS - 1].line, ROWS + 1);
	assert_string_equal(rows[12345].serial_number, "S12345");
	assert_string_equal(told, "20002: mac: is the same as on line 9\n");
	inventory_free(inv);
	conf.inventory_skip = false;
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct inventory *inv;

	(void)state;
	*told = 0;
	assert_int_equal(inventory_open("/nonexistent/d.csv", &conf, tell, NULL, &inv), -2);
	assert_string_equal(
		told, "/nonexistent/d.csv: cannot be read: No such file or directory\n");
}

static void one_row_from_elsewhere_is_checked_likewise(void **state)
{
	struct inventory_row row = {.mac = {{2, 0, 0, 0, 0, 1}},
		.serial_number = "S",
		.uuid = "",
		.name = "",
		.group = "south"};

	(void)state;
	*told = 0;
	assert_int_equal(inventory_row_check(&row, &conf, tell, NULL), 0);
	row.group = "west";
	assert_int_equal(inventory_row_check(&row, &conf, tell, NULL), ERR_SYNTAX);
	row.group = "";
	row.serial_number = "";
	assert_int_equal(inventory_row_check(&row, &conf, tell, NULL), ERR_SYNTAX);
	row.serial_number = "\xff";
	assert_int_equal(inventory_row_check(&row, &conf, tell, NULL), ERR_SYNTAX);
	assert_string_equal(told,
		"group: there is no section [group west]\nserial_number: is missing\n"
		"serial_number: is not UTF-8\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_column_is_read_in_any_order),
		cmocka_unit_test(every_kind_of_bad_row_is_named_with_its_line),
		cmocka_unit_test(skip_leaves_out_bad_rows_and_tells_them),
		cmocka_unit_test(a_flood_of_bad_rows_is_summed_up),
		cmocka_unit_test(rows_in_their_thousands_are_found_again),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(one_row_from_elsewhere_is_checked_likewise),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
