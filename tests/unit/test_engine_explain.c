/* SPDX-License-Identifier: ISC
 *
 * What explain says of a reservation that failed and was taken back: the answer, what each server
 * has, and which address it is about fit together. Of a camera that gets no address: how far it
 * came. And who the RADIUS server says it is.
 */
#include "world.h"

#define CAM(n)	IP(10, 20, 0, n)
#define PAIR(n) IP(10, 30, 0, n)

static struct world world, *const w = &world;

static int begin(void **state)
{
	(void)state;
	world_init(w);
	world_camera(w, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_done(w);
	return 0;
}

static const char *explain(void)
{
	static char text[16384];
	struct mac mac = world_mac(1);
	const char *bytes;
	size_t len;

	writer_clear(&w->writer);
	assert_int_equal(engine_explain_write(w->engine, &mac, &w->writer, w->now), 0);
	bytes = writer_bytes(&w->writer, &len);
	assert_true(len < sizeof(text));
	memcpy(text, bytes, len);
	text[len] = 0;
	return text;
}

/* The step's answer and evidence, as far as they are given here. */
static void assert_reserved(const char *answer)
{
	const char *story = explain(), *step = strstr(story, "\"n\":9,");

	assert_non_null(step);
	step = strstr(step, "\"answer\"");
	assert_non_null(step);
	if (strncmp(step, answer, strlen(answer)) != 0)
		fail_msg("not %s but %s", answer, step);
}

static void see_start(uint32_t ip)
{
	struct observation o;

	w->xid++;
	o = world_ack(w, 1, ip, "p1");
	world_see(w, &o);
}

static void answer(size_t i, enum answer_kind kind, const char *reason)
{
	struct answer a = {.ticket = w->orders[i].ticket, .kind = kind, .reason = reason};

	engine_answer(w->engine, &a, w->now);
	w->answered = i + 1;
}

static void what_was_taken_back_is_reserved_nowhere(void **state)
{
	(void)state;
	see_start(PAIR(1));
	answer(0, ANSWER_DONE, NULL);
	answer(1, ANSWER_REFUSED, "foreign-reservation");
	world_all_done(w); /* north lost it again */
	assert_reserved("\"answer\":\"no\",\"evidence\":{\"ip\":\"10.30.0.1\",\"reservation\":["
			"{\"server\":\"north\",\"state\":\"none\",\"tries\":0},"
			"{\"server\":\"south\",\"state\":\"refused\"");
	assert_record(w, 1, "{\"server\":\"north\",\"mode\":\"auto\",\"state\":\"none\"");
}

static void what_went_back_is_the_address_that_it_had(void **state)
{
	(void)state;
	world_start(w, 1, PAIR(1), "p1");
	w->order_count = w->answered = 0;
	see_start(PAIR(2));
	answer(0, ANSWER_DONE, NULL);
	answer(1, ANSWER_REFUSED, "foreign-reservation");
	world_all_done(w);
	for (int restarts = 0; restarts < 2; restarts++) {
		assert_reserved("\"answer\":\"no\",\"evidence\":{\"ip\":\"10.30.0.2\","
				"\"reservation\":[{\"server\":\"north\",\"state\":\"confirmed\","
				"\"ip\":\"10.30.0.1\"");
		world_restart(w);
	}
}

static void what_is_reserved_says_where_and_which(void **state)
{
	(void)state;
	world_start(w, 1, CAM(1), "p1");
	assert_reserved("\"answer\":\"yes\",\"evidence\":{\"reservation\":[{\"server\":\"north\","
			"\"state\":\"confirmed\",\"ip\":\"10.20.0.1\"}]}");
}

static void after_the_deadline_the_log_is_named(void **state)
{
	(void)state;
	world_start(w, 1, CAM(1), "p1");
	see_start(CAM(2));
	for (int i = 0; i < 20; i++) {
		world_answer(w, ANSWER_NOT_NOW, "unreachable");
		world_wait(w, MINUTE);
	}
	world_all_done(w);
	assert_reserved("\"answer\":\"no\",\"evidence\":{\"ip\":\"10.20.0.2\",\"reservation\":["
			"{\"server\":\"north\",\"state\":\"confirmed\",\"ip\":\"10.20.0.1\"");
	assert_non_null(strstr(explain(), "tap82 events --mac"));
}

static void assert_says_so(const char *text)
{
	if (!strstr(explain(), text))
		fail_msg("no %s in %s", text, explain());
}

static void see(uint8_t type)
{
	struct observation o = world_dhcp(w, type, 1);

	world_see(w, &o);
}

static void a_camera_that_nobody_answers_says_how_far_it_came(void **state)
{
	(void)state;
	see(DHCP_DISCOVER);
	assert_says_so("no server's ACK was seen");
	assert_says_so("\"exchange\":{\"xid\":\"00001000\","
		       "\"discover\":\"2023-11-14T22:13:20.000000Z\"}");
	world_wait(w, USEC_PER_SEC);
	see(DHCP_OFFER);
	assert_says_so("was offered an address, and did not ask for it");
	assert_says_so("\"offer\":\"2023-11-14T22:13:21.000000Z\"");
	w->xid++;
	see(DHCP_REQUEST);
	see(DHCP_NAK);
	assert_says_so("a server refused what it asks for");
	assert_says_so("\"exchange\":{\"xid\":\"00001001\"");
	assert_says_so("\"nak\":\"2023-11-14T22:13:21.000000Z\"");
}

static void one_that_had_an_address_and_gets_no_answer_now_does_so_too(void **state)
{
	(void)state;
	world_start(w, 1, CAM(1), "p1");
	world_wait(w, 5 * MINUTE);
	w->xid = 0x2000;
	see(DHCP_DISCOVER);
	assert_says_so("\"verdict\":\"provisioned\""); /* the answer may be on its way */
	assert_says_so("\"exchange\":{\"xid\":\"00002000\"");
	world_wait(w, 11 * USEC_PER_SEC);
	assert_says_so("it asks again, and no server's ACK was seen");
	assert_says_so("tap82 probe");
	assert_says_so("\"answer\":\"yes\""); /* the steps are of its last ACK */
	world_start(w, 1, CAM(1), "p1");
	assert_says_so("\"verdict\":\"already-provisioned\"");
	assert_says_so("\"exchange\":{\"xid\":\"00002001\"");
	world_wait(w, 11 * MINUTE);
	assert_null(strstr(explain(), "exchange"));
	assert_says_so("\"verdict\":\"already-provisioned\"");
}

static void a_mac_in_no_table_says_how_far_it_came_too(void **state)
{
	struct mac mac = world_mac(9);
	struct observation o = world_dhcp(w, DHCP_DISCOVER, 9);

	(void)state;
	world_see(w, &o);
	writer_clear(&w->writer);
	engine_explain_write(w->engine, &mac, &w->writer, w->now);
	assert_non_null(strstr(writer_bytes(&w->writer, &(size_t){0}), "\"discover\""));
}

static void radius_says_who_it_is(void **state)
{
	struct observation o = {.version = OBSERVATION_VERSION,
		.kind = OBSERVATION_RADIUS,
		.time = START,
		.mac = world_mac(1)};

	(void)state;
	o.radius.code = RADIUS_ACCOUNTING_REQUEST;
	o.radius.acct_status = RADIUS_ACCT_START;
	o.radius.has_mac = true;
	o.radius.vlan = 120;
	o.radius.nas_ip = IP(10, 1, 1, 1);
	o.radius.user = (struct id_bytes){.present = true, .len = 4, .bytes = "cam1"};
	o.radius.session_id = (struct id_bytes){.present = true, .len = 3, .bytes = "A-7"};
	world_see(w, &o);
	assert_says_so("\"radius\":{\"time\":\"2023-11-14T22:13:20.000000Z\",\"place\":{\"nas_ip\":"
		       "\"10.1.1.1\"},\"user\":\"cam1\",\"session_id\":\"A-7\",\"vlan\":120,"
		       "\"ended\":false}");
}

static void a_device_says_where_its_row_stands(void **state)
{
	(void)state;
	world_start(w, 1, CAM(1), "p1");
	assert_says_so("\"serial_number\":\"SN1\",\"origin\":\"added by hand\"");
	w->conf.devices = (char *)"/etc/tap82/devices.csv";
	w->rows[0].line = 17;
	world_restart(w);
	assert_says_so("\"serial_number\":\"SN1\",\"file\":\"/etc/tap82/devices.csv\",\"line\":17");
	w->conf.devices = NULL;
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_taken_back_is_reserved_nowhere),
		T(what_went_back_is_the_address_that_it_had),
		T(what_is_reserved_says_where_and_which),
		T(after_the_deadline_the_log_is_named),
		T(a_camera_that_nobody_answers_says_how_far_it_came),
		T(one_that_had_an_address_and_gets_no_answer_now_does_so_too),
		T(a_mac_in_no_table_says_how_far_it_came_too),
		T(radius_says_who_it_is),
		T(a_device_says_where_its_row_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
