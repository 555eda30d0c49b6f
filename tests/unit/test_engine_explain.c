/* SPDX-License-Identifier: ISC
 *
 * What explain says of a reservation that failed and was taken back: the answer, what each server
 * has, and which address it is about fit together.
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

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_taken_back_is_reserved_nowhere),
		T(what_went_back_is_the_address_that_it_had),
		T(what_is_reserved_says_where_and_which),
		T(after_the_deadline_the_log_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
