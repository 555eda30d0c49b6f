/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/message.h"

#define CLIENT 0x0a1e0101
#define SERVER 0x0a1e0002

static struct message_decoder *decoder;

static int set_up(void **state)
{
	(void)state;
	decoder = message_decoder_new();
	return decoder ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	message_decoder_free(decoder);
	return 0;
}

static size_t hex(const char *text, uint8_t *out, size_t size)
{
	int n = hex_parse(text, strlen(text), out, size);

	assert_true(n >= 0);
	return (size_t)n;
}

/* A DHCP message: header, cookie, and these options. */
static size_t dhcp_message(uint8_t m[1500], uint8_t op, uint32_t giaddr, const char *options)
{
	memset(m, 0, 240);
	m[0] = op;
	m[1] = 1;
	m[2] = 6;
	m[7] = 9;
	for (unsigned i = 0; i < 4; i++)
		m[24 + i] = (uint8_t)(giaddr >> (24 - 8 * i));
	m[28] = 2;
	m[33] = 7;
	memcpy(m + 236, "\x63\x82\x53\x63", 4);
	return 240 + hex(options, m + 240, 1260);
}

static size_t radius_message(uint8_t m[1500], uint8_t code, uint8_t id, const char *attributes)
{
	size_t n = 20 + hex(attributes, m + 20, 1480);

	memset(m, 0, 20);
	m[0] = code;
	m[1] = id;
	m[2] = (uint8_t)(n >> 8);
	m[3] = (uint8_t)n;
	return n;
}

static struct datagram datagram_of(const uint8_t *bytes, size_t len, uint16_t port)
{
	return (struct datagram){.time = USEC_PER_DAY,
		.src = CLIENT,
		.dst = SERVER,
		.sport = port == 67 ? 67 : 40000,
		.dport = port,
		.payload = buf_of(bytes, len)};
}

/* An ACK with most that there is: option 82 in two pieces, a repeated sub-option. */
static const char ack[] =
	"35010536040a1e00023304000002580104ffff000003040a1400010c0363616d3d0701020000000007510600"
	"000063616d7907100a140a140001523c01060004007801050208000600112233445505040a1f000106043432"
	"3131070b0105626f625806706f6f6c0826010100000000000000000a00000100524400000000000000000000"
	"00000000000000000000000000090700000de902abcd0a01800c04000300010d020004100602000000000197"
	"0500626c756598000101ffc80178ff";

/* Attributes of a request: secrets, vendors, extended ones in fragments. */
static const char radius_request[] =
	"010e3030343038636161626263631f1330302d34302d38432d41412d42422d43433d060000000f5707476930"
	"2f351a1100000de901066574683102057377311a18000000090112636972637569742d69642d7461673d78f5"
	"0601806162f50601006364f1091a00000009057a021230313233343536373839616263646566610c00402001"
	"0db80001000040060100000d5106013132305f1200000000000000000000000000000000";

/* RFC 6929: extended, long ones in fragments, vendors' in both; tags, prefixes, an empty value. */
static const char radius_extended[] =
	"f10701000000020ff2091a000000090501f5070180616263f5070180646566f5070100676869f60502007a"
	"f10a1a000001371061626364f50c1a800000013711616263f506100065f60b1a000000014a01"
	"40060100000d530601000006420401636465020101610a0040200100000000005902"
	"1a0d0000013710077365637265741a1100000de90106657468310205737731fa04616b";

/* Overloads file and sname. */
static const char overloaded[] = "3501013701030c0363616d3c0461786973340103ff";

/* Decodes from memory of exactly this size, writes it, observes it; what comes out must be JSON
 * and pass the engine's check. */
static void decode_everything(const uint8_t *bytes, size_t len, uint16_t port, bool parse)
{
	uint8_t *exact = calloc(1, len ? len : 1);
	struct datagram d = datagram_of(exact, len, port);
	const struct message *message;
	struct observation o;
	struct writer w;

	memcpy(exact, bytes, len);
	if (message_read(decoder, &d, &message) == 0) {
		size_t n;
		const char *text;

		message_to_observation(message, &o);
		assert_int_equal(observation_check(&o, observation_size(&o)), 0);
		assert_int_equal(writer_init(&w, -1, parse ? WRITER_JSON : WRITER_TREE), 0);
		message_write(&w, message, true);
		text = writer_bytes(&w, &n);
		if (parse) {
			json_t *json = json_loadb(text, n, JSON_ALLOW_NUL, NULL);

			if (!json_is_object(json))
				fail_msg("no JSON: %.*s", (int)n, text);
			json_decref(json);
		}
		writer_done(&w);
	}
	free(exact);
}

static void hurt_in_every_way(const uint8_t *good, size_t len, uint16_t port)
{
	uint8_t bad[1500];

	for (size_t n = 0; n <= len; n++)
		decode_everything(good, n, port, true);
	memcpy(bad, good, len);
	for (size_t at = 0; at < len; at++) {
		/* Names and padding of the fixed part are like each other. */
		if (port == 67 && at >= 46 && at < 234 && at % 16)
			continue;
		for (unsigned v = 0; v < 256; v++) {
			bad[at] = (uint8_t)v;
			decode_everything(bad, len, port, v % 32 == 7);
		}
		bad[at] = good[at];
	}
}

static void no_truncation_and_no_corrupt_byte_of_an_ack_does_harm(void **state)
{
	uint8_t m[1500] = {0};

	(void)state;
	hurt_in_every_way(m, dhcp_message(m, 2, 0x0a1f0001, ack), 67);
}

static void nor_of_an_overloaded_request(void **state)
{
	uint8_t m[1500] = {0};
	size_t n = dhcp_message(m, 1, 0, overloaded);

	(void)state;
	memcpy(m + 44, "\x52\x03\x02\x01\xaa\xff", 6);
	memcpy(m + 108, "\x52\x03\x01\x01\xbb\x0c\x01m\xff", 9);
	hurt_in_every_way(m, n, 67);
}

static void nor_of_a_radius_request(void **state)
{
	uint8_t m[1500] = {0};

	(void)state;
	hurt_in_every_way(m, radius_message(m, 1, 7, radius_request), 1812);
}

static void nor_of_extended_attributes(void **state)
{
	uint8_t m[1500] = {0};

	(void)state;
	hurt_in_every_way(m, radius_message(m, 2, 7, radius_extended), 1812);
}

/* Layouts read what the option holds: one that is binary, one with a length, one that is text. */
static void nor_of_ids_with_a_layout(void **state)
{
	static const char *const names[] = {"cisco", "huawei-extend", "juniper", "moxa"};
	static const char ids[] = "3501055212010600040078010502080006001122334455ff";
	static const char text[] = "350105521b010e67652d312f302f312e303a343302"
				   "096363656565656565ff";
	uint8_t m[1500] = {0};

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(
			message_decoder_add_switch(decoder, 0x0a1f0001 + i, NULL, 0, names[i], 0),
			0);
	for (uint32_t i = 0; i < 4; i++)
		hurt_in_every_way(m, dhcp_message(m, 2, 0x0a1f0001 + i, i == 2 ? text : ids), 67);
}

static const struct message *read_bytes(const uint8_t *bytes, size_t len, const struct datagram *as)
{
	static struct datagram d;
	const struct message *message;

	d = *as;
	d.payload = buf_of(bytes, len);
	assert_int_equal(message_read(decoder, &d, &message), 0);
	return message;
}

static void ports_say_what_a_datagram_is(void **state)
{
	static const uint16_t dhcp[] = {67, 68, 4011},
			      radius[] = {1645, 1646, 1700, 1812, 1813, 3799};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(message_kind_of_ports(dhcp[i], 9999), MESSAGE_DHCP);
		assert_int_equal(message_kind_of_ports(9999, dhcp[i]), MESSAGE_DHCP);
	}
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(message_kind_of_ports(radius[i], 9999), MESSAGE_RADIUS);
		assert_int_equal(message_kind_of_ports(9999, radius[i]), MESSAGE_RADIUS);
	}
	assert_int_equal(message_kind_of_ports(53, 69), 0);
}

static void what_is_too_short_or_of_other_ports_is_no_message(void **state)
{
	uint8_t m[1500] = {1};
	struct datagram d = datagram_of(m, 43, 67);
	struct observation o;
	bool malformed;

	(void)state;
	assert_int_equal(message_observe(decoder, &d, &o, &malformed), ERR_TRUNCATED);
	d = datagram_of(m, 43, 53);
	assert_int_equal(message_observe(decoder, &d, &o, NULL), ERR_NOT_FOUND);
	m[0] = 99;
	d = datagram_of(m, 43, 1812);
	assert_int_equal(message_observe(decoder, &d, &o, NULL), ERR_RANGE);
	m[0] = 1;
	d = datagram_of(m, 44, 67);
	assert_int_equal(message_observe(decoder, &d, &o, &malformed), 0);
	assert_true(malformed);
}

static void an_ack_becomes_an_observation(void **state)
{
	uint8_t m[1500] = {0};
	struct datagram d = datagram_of(m, dhcp_message(m, 2, 0x0a1f0001, ack), 67);
	struct observation o;

	(void)state;
	d.vlan_count = 6;
	for (unsigned i = 0; i < 6; i++)
		d.vlans[i] = (uint16_t)(100 + i);
	m[16] = 10;
	m[19] = 5;
	assert_int_equal(message_observe(decoder, &d, &o, NULL), 0);
	assert_int_equal(o.kind, OBSERVATION_DHCP);
	assert_int_equal(o.time, USEC_PER_DAY);
	assert_int_equal(o.vlan_count, 4);
	assert_int_equal(o.vlans[3], 103);
	assert_int_equal(o.dhcp.type, DHCP_ACK);
	assert_true(o.dhcp.is_reply);
	assert_int_equal(o.dhcp.yiaddr, 0x0a000005);
	assert_int_equal(o.dhcp.giaddr, 0x0a1f0001);
	assert_int_equal(o.dhcp.server_id, 0x0a1e0002);
	assert_int_equal(o.dhcp.lease_time, 600);
	assert_int_equal(o.dhcp.hostname_len, 3);
	assert_memory_equal(o.dhcp.hostname, "cam", 3);
	assert_int_equal(o.mac.b[5], 7);
	assert_true(o.dhcp.has_mac);
}

/* Sub-option 7 with VSA 3561's circuit-id «pX»: the relay authenticated the client. */
static void sub_option_7_is_a_witness_of_the_place(void **state)
{
	static const char with[] = "350105521001027031070a1a0a00000de901047058ff";
	static const char without[] = "350105520401027031ff";
	uint8_t m[1500] = {0};
	struct datagram d;
	struct observation o, w;

	(void)state;
	d = datagram_of(m, dhcp_message(m, 2, 0x0a1f0001, without), 67);
	assert_int_equal(message_observe(decoder, &d, &o, NULL), 0);
	assert_false(message_witness(decoder, &w));
	d = datagram_of(m, dhcp_message(m, 2, 0, with), 67); /* by no relay: anybody's word */
	assert_int_equal(message_observe(decoder, &d, &o, NULL), 0);
	assert_false(message_witness(decoder, &w));
	d = datagram_of(m, dhcp_message(m, 2, 0x0a1f0001, with), 67);
	assert_int_equal(message_observe(decoder, &d, &o, NULL), 0);
	assert_true(message_witness(decoder, &w));
	assert_int_equal(observation_check(&w, observation_size(&w)), 0);
	assert_int_equal(w.kind, OBSERVATION_RADIUS);
	assert_true(w.radius.has_mac);
	assert_memory_equal(w.mac.b, o.mac.b, 6);
	assert_int_equal(w.radius.nas_ip, 0x0a1f0001);
	assert_int_equal(w.radius.circuit_id.len, 2);
	assert_memory_equal(w.radius.circuit_id.bytes, "pX", 2);
}

/* Spans point into raw; an id in two pieces is none, and the whole no port. */
static void ids_of_an_observation_stand_in_its_raw_value(void **state)
{
	uint8_t m[1500] = {0};
	struct datagram d =
		datagram_of(m, dhcp_message(m, 2, 1, "350105520d01026574020101010268300600ff"), 67);
	const struct option82 *o82;
	struct observation o;

	(void)state;
	assert_int_equal(message_observe(decoder, &d, &o, NULL), 0);
	o82 = &o.dhcp.option82;
	assert_int_equal(o82->len, 13);
	assert_true(o82->cut);
	assert_false(o82->circuit_id.present);
	assert_int_equal(o82->remote_id.len, 1);
	assert_int_equal(o82->raw[o82->remote_id.at], 1);
	assert_true(o82->subscriber_id.present);
	assert_int_equal(o82->subscriber_id.len, 0);
}

/* Three pieces of 250 bytes, each a sub-option 200; the last holds the circuit-id at its end. */
static void an_option_82_longer_than_kept_is_cut_and_says_so(void **state)
{
	uint8_t m[1500] = {0};
	size_t n = dhcp_message(m, 2, 1, "350105");
	struct observation o;
	struct datagram d;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		memcpy(m + n, "\x52\xfa\xc8\xf8", 4);
		memset(m + n + 4, 'x', 248);
		n += 252;
	}
	memcpy(m + n, "\x52\x03\x01\x01z\xff", 6);
	d = datagram_of(m, n + 6, 67);
	assert_int_equal(message_observe(decoder, &d, &o, NULL), 0);
	assert_int_equal(o.dhcp.option82.len, OBSERVATION_OPTION82_MAX);
	assert_true(o.dhcp.option82.cut);
	assert_false(o.dhcp.option82.circuit_id.present);
	assert_int_equal(observation_check(&o, observation_size(&o)), 0);
}

static const struct datagram request_of_nas = {
	.time = USEC_PER_DAY, .src = CLIENT, .dst = SERVER, .sport = 40000, .dport = 1812};
static const struct datagram reply_to_nas = {
	.time = USEC_PER_DAY + 5000, .src = SERVER, .dst = CLIENT, .sport = 1812, .dport = 40000};

static void a_reply_has_the_station_of_its_request(void **state)
{
	uint8_t m[1500] = {0};
	struct observation o;

	(void)state;
	read_bytes(m, radius_message(m, 1, 7, "1f0e303034303863616162626363"), &request_of_nas);
	message_to_observation(read_bytes(m, radius_message(m, 2, 7, ""), &reply_to_nas), &o);
	assert_int_equal(o.kind, OBSERVATION_RADIUS);
	assert_int_equal(o.radius.code, RADIUS_ACCESS_ACCEPT);
	assert_true(o.radius.has_mac);
	assert_int_equal(o.mac.b[5], 0xcc);
	assert_int_equal(o.radius.nas_ip, CLIENT);
}

/* It asks for access and accounting, and is asked to disconnect or change (RFC 5176). */
static void the_nas_is_known_by_who_asks_whom(void **state)
{
	static const struct {
		uint8_t code;
		uint32_t nas_ip;
	} cases[] = {{1, CLIENT}, {2, SERVER}, {4, CLIENT}, {5, SERVER}, {11, SERVER}, {40, SERVER},
		{41, CLIENT}, {43, SERVER}, {45, CLIENT}};
	uint8_t m[1500] = {0};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = radius_message(m, cases[i].code, (uint8_t)(100 + i), "");

		assert_int_equal(read_bytes(m, n, &request_of_nas)->nas_ip, cases[i].nas_ip);
	}
}

static bool reply_has_mac(uint8_t code, uint8_t id, struct datagram as)
{
	uint8_t m[1500] = {0};

	return read_bytes(m, radius_message(m, code, id, ""), &as)->radius.fields.has_mac;
}

static void replies_of_others_have_none(void **state)
{
	struct datagram other = reply_to_nas, late = reply_to_nas;
	uint8_t m[1500] = {0};

	(void)state;
	read_bytes(m, radius_message(m, 1, 7, "1f0e303034303863616162626363"), &request_of_nas);
	other.dport++;
	late.time += 60 * USEC_PER_SEC;
	assert_false(reply_has_mac(2, 8, reply_to_nas)); /* another id */
	assert_false(reply_has_mac(2, 7, other)); /* another port */
	assert_false(reply_has_mac(5, 7, reply_to_nas)); /* accounting */
	assert_false(reply_has_mac(41, 7, reply_to_nas));
	assert_false(reply_has_mac(44, 7, reply_to_nas));
	assert_false(reply_has_mac(2, 7, late));
	assert_true(reply_has_mac(11, 7, reply_to_nas)); /* a challenge answers a request */
	assert_true(reply_has_mac(3, 7, reply_to_nas));
}

static void an_id_used_again_is_a_new_request(void **state)
{
	uint8_t m[1500] = {0};

	(void)state;
	read_bytes(m, radius_message(m, 1, 7, "1f0e303034303863616162626363"), &request_of_nas);
	read_bytes(m, radius_message(m, 1, 7, "0103 61"), &request_of_nas);
	assert_false(reply_has_mac(2, 7, reply_to_nas));
}

/* Many more than are kept: the oldest go, the newest stay. */
static void requests_that_wait_are_bounded(void **state)
{
	struct datagram as = request_of_nas, reply = reply_to_nas;
	uint8_t m[1500] = {0};
	unsigned kept = 0;

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		as.src = 0x0b000000 + i;
		as.time++;
		read_bytes(m, radius_message(m, 1, 7, "1f0e303034303863616162626363"), &as);
	}
	for (uint32_t i = 0; i < 20000; i++) {
		reply.dst = 0x0b000000 + i;
		kept += reply_has_mac(2, 7, reply);
	}
	assert_in_range(kept, 3500, 4096);
	reply.dst = as.src;
	assert_true(reply_has_mac(2, 7, reply));
}

static const char *layout_of(uint32_t giaddr, const char *option82)
{
	uint8_t m[1500] = {0};
	char options[200];
	struct datagram as = datagram_of(m, 0, 67);

	snprintf(options, sizeof(options), "350105%sff", option82);
	return read_bytes(m, dhcp_message(m, 2, giaddr, options), &as)->place.layout;
}

#define CISCO_82 "5212010600040078010502080006001122334455"
#define TEXT_82	 "520f0106000400780105020573772d4131"

static void switches_say_how_their_ids_are_read(void **state)
{
	static const uint8_t mac[] = {0, 0x11, 0x22, 0x33, 0x44, 0x55};

	(void)state;
	assert_string_equal(layout_of(0x0a1f0001, CISCO_82), "");
	assert_int_equal(message_decoder_add_switch(decoder, 0x0a1f0001, NULL, 0, "cisco", 0), 0);
	assert_int_equal(
		message_decoder_add_switch(decoder, 0, (const uint8_t *)"SW-A1", 5, "tp-link", 0),
		0);
	assert_string_equal(layout_of(0x0a1f0001, CISCO_82), "cisco");
	assert_string_equal(layout_of(0x0a1f0002, CISCO_82), "");
	assert_string_equal(layout_of(0x0a1f0001, TEXT_82), "tp-link"); /* the remote-id wins */
	assert_string_equal(layout_of(0, TEXT_82), "tp-link"); /* a snooping switch */
	assert_int_equal(message_decoder_add_switch(decoder, 0, mac, 6, "h3c", 0), 0);
	assert_string_equal(layout_of(0, CISCO_82), "h3c"); /* what is inside the typed one */
	assert_string_equal(layout_of(0x0a1f0001, "52040102ffff"), ""); /* does not fit */
	assert_string_equal(layout_of(0x0a1f0001, ""), "");
}

static void rows_that_cannot_be_are_refused(void **state)
{
	static const uint8_t id[300];
	char why[128];

	(void)state;
	assert_int_equal(
		message_decoder_add_switch(decoder, 1, NULL, 0, "nokia", 0), ERR_NOT_FOUND);
	assert_int_equal(message_decoder_add_switch(decoder, 0, NULL, 0, "cisco", 0), ERR_RANGE);
	assert_int_equal(message_decoder_add_switch(decoder, 0, id, 300, "cisco", 0), ERR_RANGE);
	assert_int_equal(message_decoder_add_switch(decoder, 1, NULL, 0, "cisco", 0), 0);
	assert_int_equal(message_decoder_add_switch(decoder, 1, NULL, 0, "moxa", 0), ERR_DUPLICATE);
	assert_int_equal(message_decoder_add_switch(decoder, 0, id, 4, "moxa", 0), 0);
	assert_int_equal(
		message_decoder_add_layout(decoder, "a", "nonsense", NULL, why, sizeof(why)),
		ERR_SYNTAX);
	assert_int_equal(
		message_decoder_add_layout(decoder, "mine", "port:8", NULL, why, sizeof(why)), 0);
	assert_int_equal(message_decoder_add_switch(decoder, 2, NULL, 0, "mine", 1), 0);
	message_decoder_free(NULL);
}

static void a_record_says_where_it_came_from(void **state)
{
	uint8_t m[1500] = {0};
	struct datagram d = datagram_of(m, 0, 67);
	const struct message *message;
	struct writer w;
	const char *bytes;
	char *text;
	size_t n;

	(void)state;
	d.vlan_count = 2;
	d.vlans[0] = 100;
	d.encap_count = 2;
	d.encaps[0] = FRAME_GRE;
	d.encaps[1] = FRAME_ERSPAN;
	d.damaged = FRAME_SNAPPED | FRAME_UDP_CHECKSUM;
	message = read_bytes(m, dhcp_message(m, 1, 0, "350101ff"), &d);
	assert_int_equal(writer_init(&w, -1, WRITER_JSON), 0);
	message_write(&w, message, false);
	bytes = writer_bytes(&w, &n);
	text = strndup(bytes, n);
	assert_string_equal(text,
		"{\"time\":\"1970-01-02T00:00:00.000000Z\",\"kind\":\"dhcp\",\"type\":\"DISCOVER\","
		"\"xid\":\"00000009\",\"mac\":\"02:00:00:00:00:07\",\"vlans\":[100,0],"
		"\"encap\":[\"gre\",\"erspan\"],\"src\":\"10.30.1.1\",\"dst\":\"10.30.0.2\","
		"\"sport\":67,\"dport\":67,\"damaged\":[\"snapped\",\"udp-checksum\"]}\n");
	free(text);
	writer_done(&w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_truncation_and_no_corrupt_byte_of_an_ack_does_harm),
		TEST(nor_of_an_overloaded_request),
		TEST(nor_of_a_radius_request),
		TEST(nor_of_extended_attributes),
		TEST(nor_of_ids_with_a_layout),
		TEST(ports_say_what_a_datagram_is),
		TEST(what_is_too_short_or_of_other_ports_is_no_message),
		TEST(an_ack_becomes_an_observation),
		TEST(sub_option_7_is_a_witness_of_the_place),
		TEST(ids_of_an_observation_stand_in_its_raw_value),
		TEST(an_option_82_longer_than_kept_is_cut_and_says_so),
		TEST(a_reply_has_the_station_of_its_request),
		TEST(the_nas_is_known_by_who_asks_whom),
		TEST(replies_of_others_have_none),
		TEST(an_id_used_again_is_a_new_request),
		TEST(requests_that_wait_are_bounded),
		TEST(switches_say_how_their_ids_are_read),
		TEST(rows_that_cannot_be_are_refused),
		TEST(a_record_says_where_it_came_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
