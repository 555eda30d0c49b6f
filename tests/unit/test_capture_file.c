/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap82/capture_file.h"
#include "tap82/err.h"

#include "build_packet.h"

static char path[64], other[64]; /* of files that are in memory only */
static int memory[2];
static char error[CAPTURE_ERROR_MAX];

/* --- Files by construction -------------------------------------------------------------------- */

static uint8_t image[1 << 20];
static size_t used;
static bool little;

static void add(const void *bytes, size_t len)
{
	memcpy(image + used, bytes, len);
	used += len;
}

static void add_swapped(uint64_t v, size_t len)
{
	for (size_t i = 0; i < len; i++)
		image[used++] = (uint8_t)(v >> 8 * (little ? i : len - 1 - i));
}

static void add16(unsigned v)
{
	add_swapped(v, 2);
}

static void add32(uint32_t v)
{
	add_swapped(v, 4);
}

static void pcap_header(uint32_t magic, uint32_t link_type)
{
	used = 0;
	add32(magic);
	add16(2);
	add16(4);
	add32(0);
	add32(0);
	add32(65535);
	add32(link_type);
}

static void pcap_record(uint32_t sec, uint32_t fraction, const char *bytes, uint32_t wire_len)
{
	add32(sec);
	add32(fraction);
	add32((uint32_t)strlen(bytes));
	add32(wire_len);
	add(bytes, strlen(bytes));
}

static size_t block_start;

static void block_begin(uint32_t type)
{
	block_start = used;
	add32(type);
	add32(0);
}

static void block_end(void)
{
	size_t end;

	while (used % 4)
		image[used++] = 0;
	end = used + 4;
	used = block_start + 4;
	add32((uint32_t)(end - block_start));
	used = end - 4;
	add32((uint32_t)(end - block_start));
}

static void section(void)
{
	block_begin(0x0a0d0d0a);
	add32(0x1a2b3c4d);
	add16(1);
	add16(0);
	add_swapped(UINT64_MAX, 8);
	block_end();
}

/* resolution 0: no option; offset 0: no option. */
static void interface(unsigned link_type, uint32_t snaplen, int resolution, int64_t offset)
{
	block_begin(1);
	add16(link_type);
	add16(0);
	add32(snaplen);
	if (resolution) {
		add16(9);
		add16(1);
		add32(little ? (uint32_t)resolution : (uint32_t)resolution << 24);
	}
	if (offset) {
		add16(14);
		add16(8);
		add_swapped((uint64_t)offset, 8);
	}
	if (resolution || offset)
		add32(0);
	block_end();
}

static void enhanced(uint32_t number, uint64_t ticks, const char *bytes, uint32_t wire_len)
{
	block_begin(6);
	add32(number);
	add32((uint32_t)(ticks >> 32));
	add32((uint32_t)ticks);
	add32((uint32_t)strlen(bytes));
	add32(wire_len);
	add(bytes, strlen(bytes));
	block_end();
}

static void write_image_to(const char *file, size_t len)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image, len), len);
	close(fd);
}

static struct capture_file *open_image(void)
{
	struct capture_file *f;

	write_image_to(path, used);
	assert_int_equal(capture_file_open(path, error, &f), 0);
	return f;
}

static void expect(
	struct capture_file *f, int64_t time, const char *bytes, uint32_t wire_len, int link_type)
{
	struct packet p;

	assert_int_equal(capture_file_next(f, &p), 1);
	assert_int_equal(p.time, time);
	assert_int_equal(p.len, strlen(bytes));
	assert_int_equal(p.wire_len, wire_len);
	assert_int_equal(p.link_type, link_type);
	assert_memory_equal(p.bytes, bytes, p.len);
	assert_int_equal(capture_file_link_type(f), link_type);
}

static void expect_end(struct capture_file *f)
{
	struct packet p;

	assert_int_equal(capture_file_next(f, &p), 0);
	assert_int_equal(capture_file_next(f, &p), 0);
	assert_string_equal(capture_file_error(f), "");
	capture_file_close(f);
}

static int set_up(void **state)
{
	(void)state;
	little = true;
	memory[0] = memfd_create("one", MFD_CLOEXEC);
	memory[1] = memfd_create("other", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory[0]);
	snprintf(other, sizeof(other), "/proc/self/fd/%d", memory[1]);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(memory[0]);
	close(memory[1]);
	return 0;
}

/* --- pcap ------------------------------------------------------------------------------------- */

static void pcap_is_read_in_both_orders_and_both_units(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool nano = i & 1;

		little = i & 2;
		pcap_header(nano ? 0xa1b23c4d : 0xa1b2c3d4, 1);
		pcap_record(1000, nano ? 1999 : 1, "first", 5);
		pcap_record(4294967295u, 999999, "", 60);
		struct capture_file *f = open_image();

		assert_int_equal(capture_file_size(f), used);
		expect(f, 1000000001, "first", 5, 1);
		expect(f, INT64_C(4294967295000000) + (nano ? 999 : 999999), "", 60, 1);
		assert_int_equal(capture_file_offset(f), used);
		expect_end(f);
	}
}

static void the_link_type_is_told_from_the_fcs_bits(void **state)
{
	(void)state;
	pcap_header(0xa1b2c3d4, 0x44000000 | 276);
	pcap_record(1, 0, "x", 1);
	struct capture_file *f = open_image();

	expect(f, 1000000, "x", 1, 276);
	expect_end(f);
}

static void a_pipe_is_read_as_a_file_is(void **state)
{
	int saved = dup(0), ends[2];
	struct capture_file *f;
	char big[1000];

	(void)state;
	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	pcap_header(0xa1b2c3d4, 1);
	for (int i = 0; i < 50; i++)
		pcap_record((uint32_t)i, 0, big, 1500);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], image, used), used); /* it holds 64 KiB */
	close(ends[1]);
	dup2(ends[0], 0);
	assert_int_equal(capture_file_open("-", error, &f), 0);
	assert_int_equal(capture_file_size(f), 0);
	for (int i = 0; i < 50; i++)
		expect(f, i * INT64_C(1000000), big, 1500, 1);
	expect_end(f);
	dup2(saved, 0);
	close(saved);
	close(ends[0]);
}

static void large_files_pass_through_the_window(void **state)
{
	static uint8_t big[262144];
	struct capture_writer *w;
	struct capture_file *f;
	struct packet p = {.link_type = 1, .bytes = big};

	(void)state;
	assert_int_equal(capture_writer_open(path, &w), 0);
	for (uint32_t i = 0; i < 40; i++) {
		memset(big, (int)i, sizeof(big));
		p.len = p.wire_len = i % 3 ? (uint32_t)sizeof(big) : 5000 * i;
		p.time = i;
		assert_int_equal(capture_writer_add(w, &p), 0);
	}
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(capture_file_open(path, error, &f), 0);
	for (uint32_t i = 0; i < 40; i++) {
		assert_int_equal(capture_file_next(f, &p), 1);
		assert_int_equal(p.len, i % 3 ? sizeof(big) : 5000 * i);
		assert_true(p.len == 0 || (p.bytes[0] == i && p.bytes[p.len - 1] == i));
	}
	expect_end(f);
}

static void every_cut_gives_what_was_whole_and_names_the_rest(void **state)
{
	size_t ends[3], len;
	char name[160];

	(void)state;
	pcap_header(0xa1b2c3d4, 1);
	for (int i = 0; i < 3; i++) {
		pcap_record(1, 0, "some bytes of a packet", 100);
		ends[i] = used;
	}
	len = used;
	for (size_t cut = 0; cut <= len; cut++) {
		struct capture_file *f;
		struct packet p;
		int r, whole = 0;

		write_image_to(path, cut);
		r = capture_file_open(path, error, &f);
		if (cut < 24) {
			assert_int_equal(r, cut < 4 ? ERR_SYNTAX : ERR_TRUNCATED);
			assert_non_null(strstr(error, path));
			continue;
		}
		while ((r = capture_file_next(f, &p)) > 0)
			whole++;
		assert_int_equal(whole, (cut >= ends[0]) + (cut >= ends[1]) + (cut >= ends[2]));
		if (cut == 24 || cut == ends[0] || cut == ends[1] || cut == ends[2]) {
			assert_int_equal(r, 0);
		} else {
			assert_int_equal(r, ERR_TRUNCATED);
			snprintf(name, sizeof(name), "%s: packet %d at byte %zu: the file is cut",
				path, whole + 1, whole ? ends[whole - 1] : 24);
			assert_non_null(strstr(capture_file_error(f), name));
			assert_int_equal(capture_file_next(f, &p), ERR_TRUNCATED);
		}
		capture_file_close(f);
	}
}

static void nonsense_is_not_a_capture(void **state)
{
	struct capture_file *f;

	(void)state;
	used = 0;
	add("this is a text, not a capture file", 34);
	write_image_to(path, used);
	assert_int_equal(capture_file_open(path, error, &f), ERR_SYNTAX);
	assert_non_null(strstr(error, "not a capture file"));
	assert_int_equal(capture_file_open("/nonexistent/x.pcap", error, &f), -ENOENT);
	assert_string_equal(error, "/nonexistent/x.pcap: No such file or directory");
	assert_int_equal(capture_file_open("/tmp", error, &f), -EISDIR);
	pcap_header(0xa1b2c3d4, 1);
	image[4] = 7;
	write_image_to(path, used);
	assert_int_equal(capture_file_open(path, error, &f), ERR_VERSION);
}

static void an_impossible_length_ends_the_file(void **state)
{
	struct packet p;

	(void)state;
	pcap_header(0xa1b2c3d4, 1);
	add32(1);
	add32(0);
	add32(300000);
	add32(300000);
	struct capture_file *f = open_image();

	assert_int_equal(capture_file_next(f, &p), ERR_CORRUPT);
	assert_non_null(strstr(capture_file_error(f), "packet 1 at byte 24: 300000 bytes"));
	capture_file_close(f);
}

static void a_length_on_the_wire_is_never_less_than_what_is_here(void **state)
{
	(void)state;
	pcap_header(0xa1b2c3d4, 1);
	pcap_record(1, 0, "four", 2);
	struct capture_file *f = open_image();

	expect(f, 1000000, "four", 4, 1);
	expect_end(f);
}

static void a_file_that_is_cut_while_it_is_read_is_an_error(void **state)
{
	static char big[20000];
	struct packet p;
	int packets = 0, r;

	(void)state;
	memset(big, 'b', sizeof(big) - 1);
	pcap_header(0xa1b2c3d4, 1);
	for (int i = 0; i < 40; i++)
		pcap_record(1, 0, big, sizeof(big));
	struct capture_file *f = open_image();

	for (; packets < 5; packets++)
		assert_int_equal(capture_file_next(f, &p), 1);
	assert_int_equal(truncate(path, 150000), 0);
	while ((r = capture_file_next(f, &p)) > 0) {
		assert_true(p.len == 0 || p.bytes[p.len - 1] == 'b' || p.bytes[p.len - 1] == 0);
		packets++;
	}
	assert_int_equal(r, ERR_TRUNCATED);
	assert_true(packets >= 7 && packets < 12);
	assert_non_null(strstr(capture_file_error(f), "cut"));
	capture_file_close(f);
}

/* --- pcapng ----------------------------------------------------------------------------------- */

static void pcapng_has_interfaces_of_different_kinds(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		little = i;
		used = 0;
		section();
		interface(1, 0, 0, 0);
		interface(113, 0, 9, 0);
		interface(101, 0, 3, -1);
		interface(276, 0, 0x80 | 10, 100);
		enhanced(0, 1700000000000001, "ethernet", 8);
		enhanced(1, UINT64_C(1700000000000002999), "cooked", 60);
		enhanced(2, 1700000000003, "raw", 3);
		enhanced(3, 1024 + 512, "half", 4);
		struct capture_file *f = open_image();

		expect(f, 1700000000000001, "ethernet", 8, 1);
		expect(f, 1700000000000002, "cooked", 60, 113);
		expect(f, 1699999999003000, "raw", 3, 101);
		expect(f, 101500000, "half", 4, 276);
		expect_end(f);
	}
}

static void sections_have_their_own_order_and_interfaces(void **state)
{
	struct packet p;

	(void)state;
	used = 0;
	section();
	interface(1, 0, 0, 0);
	enhanced(0, 5, "one", 3);
	little = false;
	section();
	interface(101, 0, 0, 0);
	enhanced(0, 6, "two", 3);
	little = true;
	section();
	enhanced(0, 7, "three", 5);
	struct capture_file *f = open_image();

	expect(f, 5, "one", 3, 1);
	expect(f, 6, "two", 3, 101);
	assert_int_equal(capture_file_next(f, &p), ERR_CORRUPT);
	assert_non_null(strstr(capture_file_error(f), "there is no interface 0 in this section"));
	capture_file_close(f);
}

static void old_and_simple_packet_blocks_are_read(void **state)
{
	(void)state;
	used = 0;
	section();
	interface(1, 6, 0, 0);
	block_begin(2);
	add16(0);
	add16(3);
	add32(0);
	add32(77);
	add32(5);
	add32(50);
	add("obsol", 5);
	block_end();
	block_begin(3);
	add32(60);
	add("simple", 6);
	block_end();
	block_begin(3);
	add32(3);
	add("abc", 3);
	block_end();
	struct capture_file *f = open_image();

	expect(f, 77, "obsol", 50, 1);
	expect(f, 77, "simple", 60, 1);
	expect(f, 77, "abc", 3, 1);
	expect_end(f);
}

static void other_blocks_and_options_are_gone_over(void **state)
{
	static uint8_t big[600000];

	(void)state;
	used = 0;
	section();
	block_begin(4); /* name resolution, larger than the window */
	add(big, sizeof(big));
	block_end();
	interface(1, 0, 0, 0);
	block_begin(6);
	add32(0);
	add32(0);
	add32(9);
	add32(4);
	add32(4);
	add("data", 4);
	add16(1); /* a comment that makes the block larger than a packet may be */
	add16(60000);
	add(big, 60000);
	add32(0);
	block_end();
	enhanced(0, 10, "last", 4);
	struct capture_file *f = open_image();

	expect(f, 9, "data", 4, 1);
	expect(f, 10, "last", 4, 1);
	expect_end(f);
}

/* What the file is refused for, after its first section. */
static void expect_corrupt(const char *text)
{
	struct capture_file *f = open_image();
	struct packet p;

	assert_int_equal(capture_file_next(f, &p), ERR_CORRUPT);
	assert_non_null(strstr(capture_file_error(f), text));
	capture_file_close(f);
}

static void impossible_blocks_end_the_file(void **state)
{
	(void)state;
	used = 0;
	section();
	block_begin(1);
	add16(1);
	block_end();
	expect_corrupt("an interface block is too short");
	used = 0;
	section();
	for (int i = 0; i < 1025; i++)
		interface(1, 0, 0, 0);
	expect_corrupt("more than 1024 interfaces");
	used = 0;
	section();
	section();
	memset(image + used - 20, 0, 4);
	expect_corrupt("a section without a byte order");
}

static void a_packet_in_a_block_beyond_the_window_stays_readable(void **state)
{
	static uint8_t big[600000];

	(void)state;
	used = 0;
	section();
	interface(1, 0, 0, 0);
	block_begin(6);
	add32(0);
	add32(0);
	add32(9);
	add32(4);
	add32(4);
	add("data", 4);
	add(big, sizeof(big)); /* options without sense, many */
	block_end();
	enhanced(0, 10, "last", 4);
	struct capture_file *f = open_image();

	expect(f, 9, "data", 4, 1);
	expect(f, 10, "last", 4, 1);
	expect_end(f);
}

static void impossible_times_become_possible_ones(void **state)
{
	(void)state;
	used = 0;
	section();
	interface(1, 0, 1, 0); /* tenths of seconds: overflows */
	interface(1, 0, 0xff, 0); /* 2^-127 */
	interface(1, 0, 30, 0); /* 10^-30 */
	interface(1, 0, 0, INT64_MAX);
	interface(1, 0, 0, INT64_MIN);
	for (uint32_t i = 0; i < 5; i++)
		enhanced(i, UINT64_MAX - 1, "x", 1);
	struct capture_file *f = open_image();

	expect(f, INT64_C(253402300799999999), "x", 1, 1);
	expect(f, 0, "x", 1, 1);
	expect(f, 0, "x", 1, 1);
	expect(f, INT64_C(253402300799999999), "x", 1, 1);
	expect(f, 0, "x", 1, 1);
	expect_end(f);
}

/* Reads all there is; what matters is that it ends and that the sanitizers are content. */
static unsigned read_through(void)
{
	struct capture_file *f;
	struct packet p;
	unsigned sum = 0, packets = 0;

	if (capture_file_open(path, error, &f) < 0)
		return 0;
	while (capture_file_next(f, &p) > 0) {
		for (uint32_t i = 0; i < p.len; i++)
			sum += p.bytes[i];
		packets++;
	}
	capture_file_close(f);
	assert_true(packets < 1000);
	return sum;
}

static void make_small_pcapng(void)
{
	used = 0;
	section();
	interface(1, 0, 9, 5);
	interface(101, 0, 0, 0);
	enhanced(0, 1, "a packet", 8);
	block_begin(3);
	add32(6);
	add("simple", 6);
	block_end();
	block_begin(2);
	add16(1);
	add16(0);
	add32(0);
	add32(3);
	add32(3);
	add32(3);
	add("old", 3);
	block_end();
	enhanced(1, 2, "another", 7);
}

/* Each change of one byte to 52 others, and each cut. `make` writes the good file. */
static void hurt_a_file(void (*make)(void))
{
	size_t len;

	make();
	len = used;
	for (size_t cut = 0; cut < len; cut++) {
		write_image_to(path, cut);
		read_through();
	}
	for (size_t at = 0; at < len; at++)
		for (unsigned v = 0; v < 256; v += 5) {
			make();
			image[at] ^= (uint8_t)(v + 1);
			write_image_to(path, len);
			read_through();
		}
}

static void every_truncation_and_corruption_of_pcapng_is_survived(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		little = i;
		hurt_a_file(make_small_pcapng);
	}
}

static bool nanoseconds;

static void make_small_pcap(void)
{
	pcap_header(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 1);
	pcap_record(1, 5, "a packet", 8);
	pcap_record(2, 6, "another", 90);
}

static void every_truncation_and_corruption_of_pcap_is_survived(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		little = i & 1;
		nanoseconds = i & 2;
		hurt_a_file(make_small_pcap);
	}
	little = true;
}

/* --- Several files, and writing --------------------------------------------------------------- */

static void write_times(const char *file, const uint32_t *times, int count, const char *mark)
{
	pcap_header(0xa1b2c3d4, 1);
	for (int i = 0; i < count; i++)
		pcap_record(0, times[i], mark, 1);
	write_image_to(file, used);
}

static void files_are_merged_by_time_and_argument(void **state)
{
	static const uint32_t a[] = {1, 3, 5, 5}, c[] = {2, 3, 5, 9};
	static const char *const expected = "acacaacc";
	const char *paths[2] = {path, other};
	struct capture_merge *m;
	struct packet p;

	(void)state;
	write_times(path, a, 4, "a");
	write_times(other, c, 4, "c");
	assert_int_equal(capture_merge_open(paths, 2, error, &m), 0);
	for (int i = 0; expected[i]; i++) {
		assert_int_equal(capture_merge_next(m, &p), 1);
		assert_int_equal(p.bytes[0], expected[i]);
	}
	assert_int_equal(capture_merge_next(m, &p), 0);
	assert_int_equal(capture_merge_offset(m), capture_merge_size(m));
	capture_merge_close(m);
}

static void a_cut_file_does_not_stop_the_others(void **state)
{
	static const uint32_t a[] = {1, 2, 3}, c[] = {4, 5};
	const char *paths[2] = {path, other};
	struct capture_merge *m;
	struct packet p;
	int packets = 0, errors = 0, r;

	(void)state;
	write_times(path, a, 3, "a");
	assert_int_equal(truncate(path, (off_t)used - 1), 0);
	write_times(other, c, 2, "c");
	assert_int_equal(capture_merge_open(paths, 2, error, &m), 0);
	while ((r = capture_merge_next(m, &p)) != 0) {
		if (r > 0)
			packets++;
		else
			errors++;
	}
	assert_int_equal(packets, 4);
	assert_int_equal(errors, 1);
	assert_non_null(strstr(capture_merge_error(m), path));
	capture_merge_close(m);
}

static void merging_opens_all_or_none(void **state)
{
	static const uint32_t a[] = {1};
	const char *paths[2] = {path, "/nonexistent"};
	struct capture_merge *m;

	(void)state;
	write_times(path, a, 1, "a");
	assert_int_equal(capture_merge_open(paths, 2, error, &m), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent"));
}

static void a_merge_with_a_pipe_has_no_known_size(void **state)
{
	static const uint32_t a[] = {1};
	const char *paths[2] = {path, "-"};
	int saved = dup(0), ends[2];
	struct capture_merge *m;

	(void)state;
	write_times(path, a, 1, "a");
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], image, used), used);
	close(ends[1]);
	dup2(ends[0], 0);
	assert_int_equal(capture_merge_open(paths, 2, error, &m), 0);
	assert_int_equal(capture_merge_size(m), 0);
	capture_merge_close(m);
	assert_int_equal(capture_merge_open(paths, 1, error, &m), 0);
	assert_int_equal(capture_merge_size(m), used);
	capture_merge_close(m);
	dup2(saved, 0);
	close(saved);
	close(ends[0]);
}

static void what_is_written_reads_the_same(void **state)
{
	const struct packet one = {.time = INT64_C(1700000000123456),
		.wire_len = 90,
		.len = 5,
		.link_type = 113,
		.bytes = (const uint8_t *)"bytes"};
	struct packet raw = one;
	struct capture_writer *w;
	struct capture_file *f;

	(void)state;
	raw.link_type = 101;
	assert_int_equal(capture_writer_open(path, &w), 0);
	assert_int_equal(capture_writer_add(w, &one), 0);
	assert_int_equal(capture_writer_add(w, &raw), ERR_RANGE);
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(capture_file_open(path, error, &f), 0);
	expect(f, one.time, "bytes", 90, 113);
	expect_end(f);
	assert_int_equal(capture_writer_open(path, &w), 0);
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(capture_file_open(path, error, &f), 0);
	expect_end(f);
}

static void pcapng_that_is_written_has_an_interface_for_each_link_type(void **state)
{
	static const char text[] = "seven !";
	struct packet p = {.wire_len = 90};
	struct capture_writer *w;
	struct capture_file *f;
	char name[160];

	(void)state;
	snprintf(name, sizeof(name), "/tmp/tap82-unit-%d.pcapng", (int)getpid());
	assert_int_equal(capture_writer_open(name, &w), 0);
	for (int i = 0; i < 64; i++) {
		p.time = INT64_C(253402300799999999) - i;
		p.len = (uint32_t)i % 8;
		p.bytes = (const uint8_t *)text + 7 - i % 8;
		p.link_type = i;
		assert_int_equal(capture_writer_add(w, &p), 0);
	}
	p.link_type = 64;
	assert_int_equal(capture_writer_add(w, &p), ERR_RANGE);
	p.link_type = 3;
	assert_int_equal(capture_writer_add(w, &p), 0);
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(capture_file_open(name, error, &f), 0);
	for (int i = 0; i < 64; i++)
		expect(f, INT64_C(253402300799999999) - i, text + 7 - i % 8, 90, i);
	expect(f, p.time, text, 90, 3);
	expect_end(f);
	assert_int_equal(capture_writer_open(name, &w), 0);
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(capture_file_open(name, error, &f), 0);
	expect_end(f);
	unlink(name);
}

static void a_full_disk_is_an_error(void **state)
{
	static uint8_t big[100000];
	const struct packet p = {.len = sizeof(big), .wire_len = sizeof(big), .bytes = big};
	struct capture_writer *w;

	(void)state;
	assert_int_equal(capture_writer_open("/nonexistent/x", &w), -ENOENT);
	assert_int_equal(capture_writer_open("/dev/full", &w), 0);
	assert_int_equal(capture_writer_add(w, &p), -ENOSPC);
	assert_true(capture_writer_close(w) <= 0);
	assert_int_equal(capture_writer_open("/dev/full", &w), 0);
	assert_int_equal(capture_writer_close(w), -ENOSPC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pcap_is_read_in_both_orders_and_both_units),
		TEST(the_link_type_is_told_from_the_fcs_bits),
		TEST(a_pipe_is_read_as_a_file_is),
		TEST(large_files_pass_through_the_window),
		TEST(every_cut_gives_what_was_whole_and_names_the_rest),
		TEST(nonsense_is_not_a_capture),
		TEST(an_impossible_length_ends_the_file),
		TEST(a_length_on_the_wire_is_never_less_than_what_is_here),
		TEST(a_file_that_is_cut_while_it_is_read_is_an_error),
		TEST(pcapng_has_interfaces_of_different_kinds),
		TEST(sections_have_their_own_order_and_interfaces),
		TEST(old_and_simple_packet_blocks_are_read),
		TEST(other_blocks_and_options_are_gone_over),
		TEST(impossible_blocks_end_the_file),
		TEST(a_packet_in_a_block_beyond_the_window_stays_readable),
		TEST(impossible_times_become_possible_ones),
		TEST(every_truncation_and_corruption_of_pcapng_is_survived),
		TEST(every_truncation_and_corruption_of_pcap_is_survived),
		TEST(files_are_merged_by_time_and_argument),
		TEST(a_cut_file_does_not_stop_the_others),
		TEST(merging_opens_all_or_none),
		TEST(a_merge_with_a_pipe_has_no_known_size),
		TEST(what_is_written_reads_the_same),
		TEST(pcapng_that_is_written_has_an_interface_for_each_link_type),
		TEST(a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
