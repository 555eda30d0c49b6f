/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tap82/clock.h"
#include "tap82/err.h"
#include "unit/fake_dhcpd.h"

/* A dhcpd of one host, enough to be difficult with. */
struct model {
	struct loop *loop;
	struct fake *fake;
	struct dhcpd *dhcpd;
	struct loop_timer *limit;
	bool host, host_on_disk, disk_full, says_empty, never_finds;
	uint8_t addresses[64];
	uint32_t addresses_len, creates, updates, deletes;
	uint32_t answered;
	struct dhcpd_result result;
	char text[200];
};

static const struct mac camera = {{0xaa, 0xbb, 0xcc, 0, 0, 1}};
#define CAMERA_IP UINT32_C(0x0a140007)

static int put_host(struct model *m, struct omapi_out *out)
{
	if (m->says_empty)
		return 0;
	omapi_out_put(out, "ip-address", m->addresses, m->addresses_len);
	omapi_out_put_text(out, "name", "tap82-aabbcc000001");
	omapi_out_put(out, "hardware-address", camera.b, 6);
	omapi_out_put_u32(out, "hardware-type", 1);
	return 0;
}

static int status(struct fake *f, const struct omapi_message *msg, uint32_t result)
{
	fake_status(f, msg->id, result);
	return 1;
}

static void take_addresses(struct model *m, const struct omapi_message *msg)
{
	const struct omapi_pair *ip = omapi_find(&msg->object, "ip-address");

	m->addresses_len = ip->value_len;
	memcpy(m->addresses, ip->value, ip->value_len);
}

static int answer(struct fake *f, const struct omapi_message *msg, struct omapi_out *out)
{
	struct model *m = f->ctx;
	uint32_t create = 0;

	(void)omapi_find_u32(&msg->message, "create", &create);
	if (msg->op == OMAPI_DELETE) {
		m->deletes++;
		m->host = m->host_on_disk = false;
		return status(f, msg, OMAPI_SUCCESS);
	}
	if (msg->op == OMAPI_UPDATE || (create && !m->host)) {
		m->updates += msg->op == OMAPI_UPDATE;
		m->creates += create;
		take_addresses(m, msg);
		m->host = true;
		m->host_on_disk = !m->disk_full;
		if (m->disk_full)
			return status(f, msg, OMAPI_IOERROR);
		return msg->op == OMAPI_UPDATE ? status(f, msg, OMAPI_SUCCESS) : put_host(m, out);
	}
	if (create)
		return status(f, msg, OMAPI_EXISTS);
	if (fake_is_type(msg, "host") && m->host && !m->never_finds)
		return put_host(m, out);
	return status(f, msg, OMAPI_NOTFOUND);
}

static void stop(void *loop)
{
	loop_stop(loop);
}

static void model_begin(struct model *m)
{
	*m = (struct model){.loop = loop_new()};
	m->fake = fake_new(m->loop, true, FAKE_GOOD);
	m->fake->answer = answer;
	m->fake->ctx = m;
	struct dhcpd_config config = {.name = "north",
		.address = 0x7f000001,
		.port = m->fake->port,
		.key = m->fake->key,
		.deadline = 100 * USEC_PER_MSEC,
		.retry_min = 10 * USEC_PER_MSEC,
		.retry_max = 20 * USEC_PER_MSEC,
		.room = 4};
	assert_int_equal(dhcpd_new(m->loop, &config, &m->dhcpd), 0);
	m->limit = loop_timer_new(m->loop, stop, m->loop);
}

static void model_end(struct model *m)
{
	dhcpd_free(m->dhcpd);
	fake_free(m->fake);
	loop_timer_free(m->limit);
	loop_free(m->loop);
}

static void answered(void *ctx, const struct dhcpd_result *result)
{
	struct model *m = ctx;

	m->answered++;
	m->result = *result;
	snprintf(m->text, sizeof(m->text), "%s", result->text);
	loop_stop(m->loop);
}

static enum dhcpd_outcome finish(struct model *m)
{
	uint32_t before = m->answered;

	loop_timer_set(m->limit, USEC_PER_SEC);
	loop_run(m->loop);
	loop_timer_clear(m->limit);
	assert_int_equal(m->answered, before + 1);
	return m->result.outcome;
}

static enum dhcpd_outcome ensure(struct model *m, uint32_t ip)
{
	struct dhcpd_want want = {.mac = camera, .ip = ip, .mode = DHCPD_HOST};

	assert_int_equal(dhcpd_ensure(m->dhcpd, &want, answered, m), 0);
	return finish(m);
}

static void a_new_host_takes_one_request(void **state)
{
	struct model m;

	(void)state;
	model_begin(&m);
	assert_int_equal(ensure(&m, CAMERA_IP), DHCPD_CREATED);
	assert_int_equal(m.fake->requests, 1);
	assert_int_equal(ensure(&m, CAMERA_IP), DHCPD_UNCHANGED);
	assert_int_equal(m.updates, 0);
	model_end(&m);
}

static void an_empty_object_is_no_object(void **state)
{
	struct model m;

	(void)state;
	model_begin(&m);
	m.host = m.says_empty = true;
	assert_int_equal(dhcpd_look(m.dhcpd, &camera, 0, answered, &m), 0);
	assert_int_equal(finish(&m), DHCPD_ABSENT);
	assert_false(m.result.before.found);
	model_end(&m);
}

static void what_exists_and_is_not_found_ends_in_a_refusal(void **state)
{
	struct model m;

	(void)state;
	model_begin(&m);
	m.host = m.never_finds = true;
	assert_int_equal(ensure(&m, CAMERA_IP), DHCPD_REFUSED);
	assert_in_range(m.fake->requests, 2, 6);
	model_end(&m);
}

static void a_host_that_could_not_be_written_does_not_stay_in_memory(void **state)
{
	struct model m;

	(void)state;
	model_begin(&m);
	m.disk_full = true;
	assert_int_equal(ensure(&m, CAMERA_IP), DHCPD_LATER);
	assert_int_equal(m.deletes, 1);
	m.disk_full = false;
	assert_int_equal(ensure(&m, CAMERA_IP), DHCPD_CREATED);
	assert_true(m.host_on_disk);
	model_end(&m);
}

static void a_change_that_could_not_be_written_is_written_again(void **state)
{
	struct model m;

	(void)state;
	model_begin(&m);
	assert_int_equal(ensure(&m, CAMERA_IP), DHCPD_CREATED);
	m.disk_full = true;
	assert_int_equal(ensure(&m, CAMERA_IP + 1), DHCPD_LATER);
	m.disk_full = false;
	assert_int_equal(ensure(&m, CAMERA_IP + 1), DHCPD_UNCHANGED);
	assert_true(m.host_on_disk);
	assert_int_equal(m.updates, 2);
	assert_int_equal(ensure(&m, CAMERA_IP + 1), DHCPD_UNCHANGED);
	assert_int_equal(m.updates, 2);
	model_end(&m);
}

static void an_unknown_outcome_is_asked_and_written_again(void **state)
{
	struct model m;

	(void)state;
	model_begin(&m);
	m.host = true;
	memcpy(m.addresses, "\x0a\x14\x00\x07", 4);
	m.addresses_len = 4;
	m.fake->manner = FAKE_SILENT;
	assert_int_equal(ensure(&m, CAMERA_IP), DHCPD_LATER);
	assert_non_null(strstr(m.text, "no answer"));
	m.fake->manner = FAKE_GOOD;
	while (dhcpd_state(m.dhcpd) != DHCPD_READY) {
		loop_timer_set(m.limit, 20 * USEC_PER_MSEC);
		loop_run(m.loop);
	}
	assert_int_equal(ensure(&m, CAMERA_IP), DHCPD_UNCHANGED);
	assert_true(m.host_on_disk);
	model_end(&m);
}

static void while_unreachable_the_answer_is_later_and_never_at_once(void **state)
{
	struct dhcpd_want want = {.mac = camera, .ip = CAMERA_IP, .mode = DHCPD_HOST};
	struct model m;

	(void)state;
	model_begin(&m);
	m.fake->manner = FAKE_MUTE;
	assert_int_equal(ensure(&m, CAMERA_IP), DHCPD_LATER);
	assert_int_equal(dhcpd_state(m.dhcpd), DHCPD_UNREACHABLE);
	assert_int_equal(dhcpd_ensure(m.dhcpd, &want, answered, &m), 0);
	assert_int_equal(m.answered, 1);
	assert_int_equal(finish(&m), DHCPD_LATER);
	model_end(&m);
}

static void no_more_operations_are_taken_than_there_is_room_for(void **state)
{
	struct dhcpd_want want = {.mac = camera, .ip = CAMERA_IP, .mode = DHCPD_HOST};
	struct model m;

	(void)state;
	model_begin(&m);
	for (uint32_t left = 4; left > 0; left--) {
		assert_int_equal(dhcpd_room(m.dhcpd), left);
		assert_int_equal(dhcpd_ensure(m.dhcpd, &want, answered, &m), 0);
	}
	assert_int_equal(dhcpd_ensure(m.dhcpd, &want, answered, &m), ERR_FULL);
	for (int i = 0; i < 4; i++)
		if (m.answered < 4)
			(void)finish(&m);
	assert_int_equal(m.answered, 4);
	assert_int_equal(dhcpd_room(m.dhcpd), 4);
	model_end(&m);
}

static void what_makes_no_sense_is_refused_without_asking(void **state)
{
	struct dhcpd_want want = {.mac = {{0x01, 0, 0x5e, 0, 0, 1}}, .ip = CAMERA_IP};
	struct dhcpd_config config = {.address = 1, .host_prefix = "a b"};
	struct dhcpd *none;
	struct model m;

	(void)state;
	model_begin(&m);
	assert_int_equal(ensure(&m, 0), DHCPD_REFUSED);
	assert_int_equal(dhcpd_ensure(m.dhcpd, &want, answered, &m), 0);
	assert_int_equal(finish(&m), DHCPD_REFUSED);
	assert_int_equal(m.fake->requests, 0);
	assert_int_equal(dhcpd_new(m.loop, &config, &none), ERR_RANGE);
	model_end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_host_takes_one_request),
		cmocka_unit_test(an_empty_object_is_no_object),
		cmocka_unit_test(what_exists_and_is_not_found_ends_in_a_refusal),
		cmocka_unit_test(a_host_that_could_not_be_written_does_not_stay_in_memory),
		cmocka_unit_test(a_change_that_could_not_be_written_is_written_again),
		cmocka_unit_test(an_unknown_outcome_is_asked_and_written_again),
		cmocka_unit_test(while_unreachable_the_answer_is_later_and_never_at_once),
		cmocka_unit_test(no_more_operations_are_taken_than_there_is_room_for),
		cmocka_unit_test(what_makes_no_sense_is_refused_without_asking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
