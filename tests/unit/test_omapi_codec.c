/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tap82/addr.h"
#include "tap82/dhcpd.h"
#include "tap82/err.h"
#include "tap82/omapi_codec.h"

/* "0123456789abcdef" */
#define SECRET "MDEyMzQ1Njc4OWFiY2RlZg=="

/* A create as pypureomapi 0.8 writes and signs it: authid 7, id 0x01020304, hmac-md5. */
static const char create_hex[] = "0000000700000010000000010000000001020304000000000004747970650000"
				 "0004686f73740006637265617465000000040000000100096578636c75736976"
				 "650000000400000001000000046e616d650000001274617038322d6161626263"
				 "63306430653066001068617264776172652d6164647265737300000006aabbcc"
				 "0d0e0f000d68617264776172652d747970650000000400000001000a69702d61"
				 "646472657373000000040a1400070000aaba9c46e8dfa3dd3b7936ea33d2374f";

static struct dhcpd_key *key_of(const char *algorithm)
{
	struct dhcpd_key *key;

	assert_int_equal(dhcpd_key_new(SECRET, strlen(SECRET), "k", algorithm, &key), 0);
	return key;
}

static size_t create_bytes(uint8_t out[512])
{
	int n = hex_parse(create_hex, strlen(create_hex), out, 512);

	assert_true(n > 0);
	return (size_t)n;
}

static size_t create_write(uint8_t *memory, size_t size, const struct dhcpd_key *key)
{
	static const uint8_t mac[] = {0xaa, 0xbb, 0xcc, 0x0d, 0x0e, 0x0f}, ip[] = {10, 20, 0, 7};
	struct omapi_out out;
	int n;

	omapi_out_begin(&out, memory, size, OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", "host");
	omapi_out_put_u32(&out, "create", 1);
	omapi_out_put_u32(&out, "exclusive", 1);
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", "tap82-aabbcc0d0e0f");
	omapi_out_put(&out, "hardware-address", mac, sizeof(mac));
	omapi_out_put_u32(&out, "hardware-type", 1);
	omapi_out_put(&out, "ip-address", ip, sizeof(ip));
	n = omapi_out_end(&out);
	if (n < 0)
		return 0;
	n = omapi_seal(memory, (size_t)n, size, key, 7, 0x01020304);
	return n < 0 ? 0 : (size_t)n;
}

static void a_message_is_written_as_another_client_writes_it(void **state)
{
	struct dhcpd_key *key = key_of("hmac-md5");
	uint8_t expected[512], written[512];
	size_t n = create_bytes(expected);

	(void)state;
	assert_int_equal(create_write(written, sizeof(written), key), n);
	assert_memory_equal(written, expected, n);
	dhcpd_key_free(key);
}

static void a_message_of_another_client_is_read(void **state)
{
	struct dhcpd_key *key = key_of("hmac-md5");
	struct omapi_message m;
	uint8_t bytes[512];
	size_t n = create_bytes(bytes);
	uint32_t v;

	(void)state;
	assert_int_equal(omapi_decode(bytes, n, key, &m), n);
	assert_true(m.is_signed);
	assert_int_equal(m.op, OMAPI_OPEN);
	assert_int_equal(m.id, 0x01020304);
	assert_int_equal(m.message.count, 3);
	assert_int_equal(m.object.count, 4);
	assert_int_equal(omapi_find(&m.object, "name")->value_len, 18);
	assert_int_equal(omapi_find_u32(&m.object, "ip-address", &v), 0);
	assert_int_equal(v, 0x0a140007);
	assert_int_equal(omapi_find_u32(&m.object, "ends", &v), ERR_MISSING);
	assert_int_equal(omapi_find_u32(&m.object, "name", &v), ERR_SYNTAX);
	dhcpd_key_free(key);
}

static void every_flipped_bit_behind_the_authid_is_noticed(void **state)
{
	struct dhcpd_key *key = key_of("hmac-md5");
	struct omapi_message m;
	uint8_t bytes[512];
	size_t n = create_bytes(bytes);

	(void)state;
	for (size_t i = 4; i < n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1 << bit);
			if (omapi_decode(bytes, n, key, &m) == (int)n)
				assert_false(m.is_signed);
			bytes[i] ^= (uint8_t)(1 << bit);
		}
	}
	dhcpd_key_free(key);
}

static void signatures_are_those_of_rfc_2104_for_every_algorithm(void **state)
{
	static const struct {
		const char *algorithm, *hex;
	} rows[] = {
		{"hmac-md5", "12848b8405d959d5ef4d9c2ca6682e0b"},
		{"hmac-sha1", "04800eeec954eeca14e2e314919b42172443b66f"},
		{"hmac-sha224", "25aecfc50916356e45792e023d7faace52cba29b8bb2a0441e157278"},
		{"HMAC-SHA256", "abdd0f398a7a28785b3821761aa9e9e52cb600de4b3886cde0936fd4f298ecc8"},
		{"hmac-sha384", "a28cdd92a9a0a44d23bc137b7a2e26bb61001fe893405d71450e9c3c22d8d281"
				"4b9d6856251f6067be54350120914921"},
		{"hmac-sha512", "adb5a19919737b7524064eb6e7ecec867e28895adb6c83a66808a0e2310cb1d8"
				"106b8c7873afa67bd830d3a333739a43f4490568839f36e43443066f17e48d0d"},
	};
	uint8_t signature[OMAPI_SIGNATURE_MAX];
	char hex[2 * OMAPI_SIGNATURE_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dhcpd_key *key = key_of(rows[i].algorithm);

		for (int again = 0; again < 2; again++) {
			dhcpd_key_sign(key, (const uint8_t *)"what is signed", 14, signature);
			hex_format(signature, dhcpd_key_signature_bytes(key), hex);
			assert_string_equal(hex, rows[i].hex);
		}
		dhcpd_key_free(key);
	}
}

static void a_message_that_is_not_all_there_asks_for_more(void **state)
{
	struct dhcpd_key *key = key_of("hmac-md5");
	struct omapi_message m;
	uint8_t bytes[512];
	size_t n = create_bytes(bytes);

	(void)state;
	for (size_t len = 0; len < n; len++) {
		uint8_t *exact = malloc(len + 1);

		memcpy(exact, bytes, len);
		assert_int_equal(omapi_decode(exact, len, key, &m), 0);
		free(exact);
	}
	dhcpd_key_free(key);
}

static void a_huge_length_is_refused_before_its_bytes_come(void **state)
{
	uint8_t bytes[512];
	struct omapi_message m;

	(void)state;
	(void)create_bytes(bytes);
	memset(bytes + 4, 0, 4);
	bytes[24 + 2 + 4] = 0x7f; /* the length of the first value */
	assert_int_equal(omapi_decode(bytes, 40, NULL, &m), ERR_RANGE);
}

static void an_endless_message_is_refused_at_the_limit(void **state)
{
	uint8_t *bytes = calloc(1, OMAPI_MESSAGE_MAX + 8);
	struct omapi_message m;

	(void)state;
	for (size_t at = OMAPI_HEADER_BYTES; at + 8 <= OMAPI_MESSAGE_MAX; at += 8)
		memcpy(bytes + at, "\0\1a\0\0\0\1b", 8);
	assert_int_equal(omapi_decode(bytes, OMAPI_MESSAGE_MAX - 100, NULL, &m), 0);
	assert_int_equal(omapi_decode(bytes, OMAPI_MESSAGE_MAX, NULL, &m), ERR_RANGE);
	free(bytes);
}

static void a_signature_of_another_length_than_the_algorithms_is_corrupt(void **state)
{
	struct dhcpd_key *key = key_of("hmac-sha256");
	struct omapi_message m;
	uint8_t bytes[512];
	size_t n = create_bytes(bytes);

	(void)state;
	assert_int_equal(omapi_decode(bytes, n, key, &m), ERR_CORRUPT);
	assert_int_equal(omapi_decode(bytes, n, NULL, &m), ERR_CORRUPT);
	dhcpd_key_free(key);
}

static void more_pairs_than_are_kept_are_counted_as_more(void **state)
{
	static uint8_t memory[4096];
	struct omapi_message m;
	struct omapi_out out;
	char name[16];
	int n;

	(void)state;
	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, 1);
	omapi_out_object(&out);
	for (int i = 0; i < OMAPI_PAIRS_MAX + 3; i++) {
		snprintf(name, sizeof(name), "v%d", i);
		omapi_out_put_u32(&out, name, (uint32_t)i);
	}
	n = omapi_out_end(&out);
	assert_int_equal(omapi_decode(memory, (size_t)n, NULL, &m), n);
	assert_int_equal(m.object.count, OMAPI_PAIRS_MAX);
	assert_true(m.object.more);
}

static void what_does_not_fit_is_told_and_nothing_is_overrun(void **state)
{
	struct dhcpd_key *key = key_of("hmac-md5");
	uint8_t bytes[512];
	size_t whole = create_bytes(bytes);

	(void)state;
	for (size_t size = 0; size <= whole; size++) {
		uint8_t *exact = malloc(size + 1);

		exact[size] = 0x5a;
		assert_int_equal(create_write(exact, size, key), size == whole ? whole : 0);
		assert_int_equal(exact[size], 0x5a);
		free(exact);
	}
	dhcpd_key_free(key);
}

static void a_status_says_its_result(void **state)
{
	uint8_t memory[128];
	struct omapi_message m;
	struct omapi_out out;
	char word[OMAPI_RESULT_TEXT];
	uint32_t result;
	int n;

	(void)state;
	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_STATUS, 0);
	omapi_out_put_u32(&out, "result", OMAPI_KEYCONFLICT);
	omapi_out_object(&out);
	n = omapi_out_end(&out);
	assert_int_equal(omapi_decode(memory, (size_t)n, NULL, &m), n);
	assert_int_equal(omapi_status(&m, &result), 0);
	assert_int_equal(result, OMAPI_KEYCONFLICT);
	assert_string_equal(omapi_result_text(result, word), "key conflict");
	assert_string_equal(omapi_result_text(18, word), "already exists");
	assert_string_equal(omapi_result_text(4711, word), "result 4711");
	m.message.count = 0;
	assert_int_equal(omapi_status(&m, &result), ERR_SYNTAX);
}

static void only_a_hello_of_our_version_will_do(void **state)
{
	uint8_t hello[OMAPI_HELLO_BYTES];

	(void)state;
	omapi_hello(hello);
	assert_memory_equal(hello, "\0\0\0\x64\0\0\0\x18", 8);
	assert_int_equal(omapi_hello_check(hello), 0);
	hello[3] = 101;
	assert_int_equal(omapi_hello_check(hello), ERR_VERSION);
	assert_int_equal(omapi_hello_check((const uint8_t *)"HTTP/1.1"), ERR_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_written_as_another_client_writes_it),
		cmocka_unit_test(a_message_of_another_client_is_read),
		cmocka_unit_test(every_flipped_bit_behind_the_authid_is_noticed),
		cmocka_unit_test(signatures_are_those_of_rfc_2104_for_every_algorithm),
		cmocka_unit_test(a_message_that_is_not_all_there_asks_for_more),
		cmocka_unit_test(a_huge_length_is_refused_before_its_bytes_come),
		cmocka_unit_test(an_endless_message_is_refused_at_the_limit),
		cmocka_unit_test(a_signature_of_another_length_than_the_algorithms_is_corrupt),
		cmocka_unit_test(more_pairs_than_are_kept_are_counted_as_more),
		cmocka_unit_test(what_does_not_fit_is_told_and_nothing_is_overrun),
		cmocka_unit_test(a_status_says_its_result),
		cmocka_unit_test(only_a_hello_of_our_version_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
