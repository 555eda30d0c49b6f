/* SPDX-License-Identifier: ISC
 *
 * vectors FILE…: bytes and what they mean, line by line.
 *
 *     # a comment; the last one before a case is its name
 *     option82 HEX            sub-options, without 52 LEN
 *     dhcp KEY=VALUE…         a message: op htype hlen hops xid secs flags ciaddr yiaddr siaddr
 *                             giaddr chaddr sname file cookie options, all hex; cut=N bytes
 *     radius HEX              a whole message;  radius CODE HEX: header made, attributes given
 *     verbose                 the next messages with all options or attributes
 *     match JSON              what it is decoded to (without time, addresses, ports), exactly
 *     none                    no record
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap82/addr.h"
#include "tap82/message.h"

#define LINE_MAX_BYTES 16384

static struct dhcp dhcp;
static struct radius radius;
static struct option82_info option82;
static struct writer writer;
static char name[256];
static bool verbose, decoded;
static int failed;

static size_t hex(const char *text, uint8_t *out, size_t size)
{
	int n = hex_parse(text, strcspn(text, "\n"), out, size);

	if (n < 0) {
		fprintf(stderr, "vectors: bad hex: %.60s\n", text);
		exit(2);
	}
	return (size_t)n;
}

static void write_problems(const struct problems *p)
{
	char text[PROBLEMS_MAX * PROBLEM_TEXT];

	if (p->count)
		writer_str(&writer, "malformed", problems_format(p, text, sizeof(text)));
	writer_end(&writer);
}

static void decode_option82(const char *arg)
{
	static uint8_t bytes[OPTION82_MAX];
	struct problems problems = {.count = 0};
	size_t n = hex(arg, bytes, sizeof(bytes));

	option82_decode(&option82, buf_of(bytes, n), &problems);
	writer_begin(&writer);
	option82_write(&writer, &option82, NULL);
	write_problems(&problems);
	decoded = true;
}

/* Where a key's bytes go, and how many they are; options go to the end. */
static const struct {
	const char *key;
	unsigned at, size;
} places[] = {{"op", 0, 1}, {"htype", 1, 1}, {"hlen", 2, 1}, {"hops", 3, 1}, {"xid", 4, 4},
	{"secs", 8, 2}, {"flags", 10, 2}, {"ciaddr", 12, 4}, {"yiaddr", 16, 4}, {"siaddr", 20, 4},
	{"giaddr", 24, 4}, {"chaddr", 28, 16}, {"sname", 44, 64}, {"file", 108, 128},
	{"cookie", 236, 4}, {"options", 240, 8000}};

static size_t set_field(const char *key, const char *value, uint8_t *m, size_t len)
{
	if (strcmp(key, "cut") == 0)
		return (size_t)atoi(value);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(places[i].key, key) == 0) {
			size_t n = hex(value, m + places[i].at, places[i].size);

			return places[i].at == 240 ? 240 + n : len;
		}
	fprintf(stderr, "vectors: no field '%s'\n", key);
	exit(2);
}

static void decode_dhcp(char *arg)
{
	static const uint8_t header[] = {1, 1, 6, 0, 0, 0, 0, 1};
	static const uint8_t chaddr[] = {2, 0, 0, 0, 0, 1}, cookie[] = {99, 130, 83, 99};
	static uint8_t m[8300];
	size_t len = 240;
	struct buf payload;

	memset(m, 0, sizeof(m));
	memcpy(m, header, sizeof(header));
	memcpy(m + 28, chaddr, sizeof(chaddr));
	memcpy(m + 236, cookie, sizeof(cookie));
	for (char *word = strtok(arg, " \n"); word; word = strtok(NULL, " \n")) {
		char *equals = strchr(word, '=');

		if (!equals) {
			fprintf(stderr, "vectors: '%s': not KEY=VALUE\n", word);
			exit(2);
		}
		*equals = 0;
		len = set_field(word, equals + 1, m, len);
	}
	payload = buf_of(m, len);
	decoded = dhcp_decode(&dhcp, &payload) == 0;
	if (!decoded)
		return;
	writer_begin(&writer);
	dhcp_write(&writer, &dhcp);
	if (dhcp.has_option82) {
		writer_object_begin(&writer, "option82");
		option82_write(&writer, &dhcp.option82, NULL);
		writer_object_end(&writer);
	}
	if (verbose)
		dhcp_write_options(&writer, &dhcp);
	write_problems(&dhcp.problems);
}

/* "4 1f06…": code 4 and attributes, or all of it in hex. */
static void decode_radius(const char *arg)
{
	static uint8_t m[8300];
	const char *blank = strchr(arg, ' ');
	size_t n;

	if (blank) {
		memset(m, 0, 20);
		n = 20 + hex(blank + 1, m + 20, sizeof(m) - 20);
		m[0] = (uint8_t)atoi(arg);
		m[1] = 7;
		m[2] = (uint8_t)(n >> 8);
		m[3] = (uint8_t)n;
	} else {
		n = hex(arg, m, sizeof(m));
	}
	decoded = radius_decode(&radius, buf_of(m, n)) == 0;
	if (!decoded)
		return;
	writer_begin(&writer);
	writer_str(&writer, "code", radius_code_text(radius.code));
	writer_u64(&writer, "id", radius.id);
	radius_write(&writer, &radius.fields);
	if (verbose)
		radius_write_attributes(&writer, radius.fields.attributes);
	write_problems(&radius.problems);
}

static void check(const char *path, int line, const char *expected)
{
	size_t len, want = expected ? strcspn(expected, "\n") : 0;
	const char *got = writer_bytes(&writer, &len);

	len -= len > 0; /* its newline */
	if (expected ? decoded && len == want && memcmp(got, expected, len) == 0 : !decoded) {
		printf("ok - %s:%d: %s\n", path, line, name);
		return;
	}
	printf("not ok - %s:%d: %s\n  want %.*s\n  got  %.*s\n", path, line, name, (int)want,
		expected ? expected : "", (int)len, got);
	failed = 1;
}

static void run_line(const char *path, int line, char *text)
{
	if (text[0] == '#') {
		snprintf(name, sizeof(name), "%.*s",
			(int)strcspn(text + 1 + (text[1] == ' '), "\n"),
			text + 1 + (text[1] == ' '));
		verbose = false;
	} else if (strncmp(text, "verbose", 7) == 0) {
		verbose = true;
	} else if (strncmp(text, "match ", 6) == 0) {
		check(path, line, text + 6);
	} else if (strncmp(text, "none", 4) == 0) {
		check(path, line, NULL);
	} else if (text[0] != '\n') {
		writer_clear(&writer);
		if (strncmp(text, "option82 ", 9) == 0)
			decode_option82(text + 9);
		else if (strncmp(text, "dhcp ", 5) == 0)
			decode_dhcp(text + 5);
		else if (strncmp(text, "radius ", 7) == 0)
			decode_radius(text + 7);
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	static char text[LINE_MAX_BYTES];

	if (writer_init(&writer, -1, WRITER_JSON) < 0)
		return 2;
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");

		if (!f)
			return 2;
		for (int line = 1; fgets(text, sizeof(text), f); line++)
			run_line(argv[i], line, text);
		fclose(f);
	}
	writer_done(&writer);
	return failed;
}
