/* SPDX-License-Identifier: ISC
 *
 * An inventory is taken over by an engine that knows cameras already.
 */
#include "world.h"

#include <unistd.h>

#include "tap82/err.h"

#define CAM(n) IP(10, 20, 0, n)

static struct world world, *const w = &world;
static char path[] = "/tmp/tap82-inventory-XXXXXX";

static int begin(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	world_init(w);
	return fd < 0 ? -1 : close(fd);
}

static int end(void **state)
{
	(void)state;
	world_done(w);
	unlink(path);
	memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
	return 0;
}

static void told_problem(void *ctx, const char *text)
{
	(void)ctx;
	fail_msg("%s", text);
}

static void write_file(const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static struct inventory *read_file(void)
{
	struct inventory *inventory;
	int err;

	assert_int_equal(inventory_open(path, &w->conf, told_problem, NULL, &inventory), 0);
	while ((err = inventory_step(inventory, 3)) > 0)
		;
	assert_int_equal(err, 0);
	return inventory;
}

/* What engine_inventory_step() says at last; all of it is taken over, a row at a time. */
static int load(bool force)
{
	struct inventory *inventory = read_file();
	int err, steps = 0;

	engine_inventory_begin(w->engine, inventory, path, force);
	while ((err = engine_inventory_step(w->engine, 1, w->now)) > 0)
		assert_true(steps++ < 1000);
	inventory_free(inventory);
	return err;
}

static const char *many(int from, int to, const char *more)
{
	static char text[8192];
	size_t n = (size_t)snprintf(text, sizeof(text), "mac,serial_number,name,ip\n%s", more);

	for (int i = from; i <= to; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "02:00:00:00:00:%02x,SN%d,cam%d,\n", i, i, i);
	return text;
}

static void a_file_becomes_devices_with_their_lines(void **state)
{
	(void)state;
	write_file(many(1, 5, ""));
	assert_int_equal(load(false), 0);
	assert_says(w, EVENT_INVENTORY_LOADED, "5 devices: 5 added, 0 changed, 0 removed");
	assert_record(w, 3, "\"serial_number\":\"SN3\"");
	assert_int_equal(w->rows[2].line, 4);
}

static void learned_state_is_kept_when_a_row_changes(void **state)
{
	(void)state;
	write_file(many(1, 3, ""));
	load(false);
	world_start(w, 1, CAM(1), "p1");
	write_file(many(2, 3, "02:00:00:00:00:01,SN1b,renamed,\n"));
	assert_int_equal(load(false), 0);
	assert_says(w, EVENT_INVENTORY_LOADED, "0 added, 1 changed, 0 removed");
	assert_record(w, 1, "\"name\":\"renamed\"");
	assert_record(w, 1, "\"serial_number\":\"SN1b\"");
	assert_record(w, 1, "\"ip\":\"10.20.0.1\"");
	assert_record(w, 1, "\"circuit_id_text\":\"p1\"");
	assert_record(w, 1, "\"manual_streams\":\"held\"");
}

static bool is_known(unsigned camera)
{
	struct mac mac = world_mac(camera);

	writer_clear(&w->writer);
	return engine_device_write(w->engine, &mac, &w->writer) == 0;
}

static void a_row_that_is_gone_is_a_device_that_is_gone(void **state)
{
	(void)state;
	w->conf.on_removal = CONF_REMOVAL_RELEASE;
	write_file(many(1, 3, ""));
	load(false);
	world_camera(w, 9); /* by hand: no file removes it */
	world_start(w, 3, CAM(3), "p3");
	write_file(many(1, 2, ""));
	assert_int_equal(load(false), 0);
	assert_false(is_known(3));
	assert_true(is_known(9));
	assert_int_equal(w->orders[w->order_count - 1].kind, ORDER_RELEASE);
	world_all_done(w);
	assert_says(w, EVENT_DHCP_RESERVATION_REMOVED, "\"ip\":\"10.20.0.3\"");
}

static void a_file_that_would_remove_more_than_a_tenth_is_refused_unless_forced(void **state)
{
	(void)state;
	write_file(many(1, 100, ""));
	load(false);
	write_file(many(1, 90, ""));
	assert_int_equal(load(false), 0);
	write_file(many(1, 80, ""));
	assert_int_equal(load(false), ERR_REFUSED);
	assert_says(w, EVENT_INVENTORY_REJECTED, "10 of 90 devices");
	assert_true(is_known(85));
	assert_int_equal(load(true), 0);
	assert_false(is_known(85));
}

static void rows_may_exchange_serial_numbers_and_addresses(void **state)
{
	(void)state;
	write_file("mac,serial_number,ip\n02:00:00:00:00:01,A,10.20.0.1\n"
		   "02:00:00:00:00:02,B,10.20.0.2\n");
	load(false);
	world_start(w, 1, CAM(1), "p1");
	write_file("mac,serial_number,ip\n02:00:00:00:00:01,B,10.20.0.2\n"
		   "02:00:00:00:00:02,A,10.20.0.1\n");
	assert_int_equal(load(false), 0);
	world_all_done(w);
	assert_record(w, 1, "\"serial_number\":\"B\"");
	assert_record(w, 2, "\"serial_number\":\"A\"");
	assert_record(w, 1, "\"ip\":\"10.20.0.2\"");
	assert_record(w, 2, "\"ip\":\"10.20.0.1\"");
	world_start(w, 2, CAM(1), "p2");
	assert_int_equal(w->orders[w->order_count - 1].ip, CAM(1));
	assert_record(w, 2, "\"state\":\"provisioned\"");
}

static void a_row_that_contradicts_a_device_added_by_hand_is_refused(void **state)
{
	(void)state;
	world_camera(w, 9);
	write_file("mac,serial_number\n02:00:00:00:00:01,SN9\n");
	assert_int_equal(load(false), ERR_DUPLICATE);
	assert_says(w, EVENT_INVENTORY_REJECTED, ":2: serial_number: 02:00:00:00:00:09");
	assert_false(is_known(1));
}

static void nothing_is_changed_before_the_last_row_was_checked(void **state)
{
	struct inventory *inventory;
	int err;

	(void)state;
	write_file(many(2, 30, "02:00:00:00:00:01,SN1,old,\n"));
	load(false);
	world_camera(w, 0x99);
	write_file("mac,serial_number,name\n02:00:00:00:00:01,SN1,new\n"
		   "02:00:00:00:00:02,SN153,another's number\n");
	inventory = read_file();
	engine_inventory_begin(w->engine, inventory, path, true);
	while ((err = engine_inventory_step(w->engine, 1, w->now)) > 0) {
		assert_record(w, 1, "\"name\":\"old\"");
		assert_true(is_known(30));
	}
	assert_int_equal(err, ERR_DUPLICATE);
	assert_int_equal(engine_inventory_step(w->engine, 1, w->now), 0);
	assert_record(w, 1, "\"name\":\"old\"");
	assert_true(is_known(30));
	inventory_free(inventory);
}

static void a_device_added_by_hand_while_a_first_file_is_applied_is_there_once(void **state)
{
	struct inventory *inventory;

	(void)state;
	write_file(many(1, 3, ""));
	inventory = read_file();
	engine_inventory_begin(w->engine, inventory, path, false);
	assert_int_equal(engine_inventory_step(w->engine, 1, w->now), 1);
	world_camera(w, 3);
	while (engine_inventory_step(w->engine, 1, w->now) > 0)
		;
	assert_says(w, EVENT_INVENTORY_LOADED, "3 devices: 2 added, 1 changed, 0 removed");
	inventory_free(inventory);
}

static int put_by_hand(unsigned camera, const char *serial, uint32_t ip, const char **ret_field)
{
	struct inventory_row row = {.mac = world_mac(camera),
		.serial_number = serial,
		.ip = ip,
		.uuid = "",
		.name = "",
		.group = ""};

	return engine_put_device(w->engine, &row, NULL, ret_field, w->now);
}

/* Whatever the phase that the file is in: what one of its rows has is that row's. */
static void a_device_added_by_hand_during_a_reload_gets_nothing_of_the_files(void **state)
{
	const char *field = "";

	(void)state;
	for (int at = 0; at < 12; at++) {
		struct inventory *inventory;
		bool more = true;

		world_done(w);
		world_init(w);
		write_file(many(1, 2, ""));
		load(false);
		write_file(many(1, 2, "02:00:00:00:00:03,SN3,new,10.20.0.77\n"));
		inventory = read_file();
		engine_inventory_begin(w->engine, inventory, path, false);
		for (int i = 0; i < at && more; i++)
			more = engine_inventory_step(w->engine, 1, w->now) == 1;
		assert_int_equal(put_by_hand(9, "SN3", 0, &field), ERR_DUPLICATE);
		assert_string_equal(field, "serial_number");
		assert_int_equal(put_by_hand(9, "SN9", CAM(77), &field), ERR_DUPLICATE);
		assert_string_equal(field, "ip");
		assert_int_equal(put_by_hand(9, "SN9", CAM(78), &field), 1);
		while (more)
			more = engine_inventory_step(w->engine, 1, w->now) == 1;
		assert_record(w, 9, "\"serial_number\":\"SN9\"");
		assert_record(w, 9, "\"ip\":\"10.20.0.78\"");
		assert_record(w, 3, "\"ip\":\"10.20.0.77\"");
		inventory_free(inventory);
	}
}

/* It came between: the camera uses the address, so it stays its own, and that is told. */
static void an_address_that_a_camera_got_during_a_reload_is_not_taken_from_it(void **state)
{
	struct inventory *inventory;

	(void)state;
	write_file(many(1, 2, ""));
	load(false);
	world_camera(w, 9);
	write_file(many(1, 2, "02:00:00:00:00:03,SN3,new,10.20.0.77\n"));
	inventory = read_file();
	engine_inventory_begin(w->engine, inventory, path, false);
	for (int i = 0; i < 8; i++) /* checked to the last row */
		assert_int_equal(engine_inventory_step(w->engine, 1, w->now), 1);
	world_start(w, 9, CAM(77), "p9");
	while (engine_inventory_step(w->engine, 1, w->now) > 0)
		;
	inventory_free(inventory);
	assert_record(w, 9, "\"ip\":\"10.20.0.77\",\"state\":\"provisioned\"");
	assert_record(w, 3, "\"serial_number\":\"SN3\"");
	assert_null(strstr(world_record(w, 3), "\"ip\""));
	assert_says(
		w, EVENT_INVENTORY_REJECTED, ":2: ip: 02:00:00:00:00:09, added by hand, has it");
	assert_int_equal(w->orders[w->order_count - 1].kind, ORDER_ENSURE);
	world_start(w, 3, CAM(77), "p3");
	assert_says(w, EVENT_DHCP_RESERVATION_FAILED, "\"reason\":\"address-taken\"");
}

static void a_port_that_a_row_gets_later_is_known_then(void **state)
{
	(void)state;
	write_file("mac,serial_number,circuit_id\n02:00:00:00:00:01,SN1,\n");
	load(false);
	write_file("mac,serial_number,circuit_id\n02:00:00:00:00:01,SN1,703137\n");
	assert_int_equal(load(false), 0);
	assert_says(w, EVENT_INVENTORY_LOADED, "0 added, 1 changed, 0 removed");
	assert_record(w, 1, "\"circuit_id_text\":\"p17\"");
	assert_int_equal(w->rows[0].circuit_id_len, 3);
}

static void the_same_file_again_changes_nothing(void **state)
{
	(void)state;
	write_file(many(1, 50, "02:00:00:00:00:f0,SNx,x,10.20.0.99\n"));
	load(false);
	world_start(w, 0xf0, CAM(98), "p1");
	assert_int_equal(load(false), 0);
	assert_says(w, EVENT_INVENTORY_LOADED, "51 devices: 0 added, 0 changed, 0 removed");
	assert_record(w, 0xf0, "\"ip\":\"10.20.0.98\"");
}

static void what_is_in_a_table_is_still_found_when_it_grew(void **state)
{
	struct inventory_row row = {.uuid = "", .name = "", .group = ""};
	char serial[16];
	const char *field;

	(void)state;
	write_file(many(1, 3, ""));
	assert_int_equal(load(false), 0);
	world_start(w, 2, CAM(2), "p2");
	write_file(many(1, 120, ""));
	assert_int_equal(load(false), 0);
	row.mac = world_mac(500);
	row.serial_number = serial;
	for (unsigned i = 1; i <= 120; i++) {
		assert_record(w, i, "\"name\":\"cam");
		snprintf(serial, sizeof(serial), "SN%u", i);
		assert_int_equal(
			engine_put_device(w->engine, &row, NULL, &field, w->now), ERR_DUPLICATE);
		assert_string_equal(field, "serial_number");
	}
	row.serial_number = "SN500";
	row.ip = CAM(2);
	assert_int_equal(engine_put_device(w->engine, &row, NULL, &field, w->now), ERR_DUPLICATE);
	assert_string_equal(field, "ip");
	world_forget(w);
	world_start(w, 3, CAM(3), "p2");
	assert_told(w, "dhcp.ip_allocation", "port.shared", "dhcp.reservation_created",
		"streams.hold_started", "provision.handoff");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_file_becomes_devices_with_their_lines),
		T(learned_state_is_kept_when_a_row_changes),
		T(a_row_that_is_gone_is_a_device_that_is_gone),
		T(a_file_that_would_remove_more_than_a_tenth_is_refused_unless_forced),
		T(rows_may_exchange_serial_numbers_and_addresses),
		T(a_row_that_contradicts_a_device_added_by_hand_is_refused),
		T(nothing_is_changed_before_the_last_row_was_checked),
		T(a_device_added_by_hand_while_a_first_file_is_applied_is_there_once),
		T(a_device_added_by_hand_during_a_reload_gets_nothing_of_the_files),
		T(an_address_that_a_camera_got_during_a_reload_is_not_taken_from_it),
		T(a_port_that_a_row_gets_later_is_known_then),
		T(the_same_file_again_changes_nothing),
		T(what_is_in_a_table_is_still_found_when_it_grew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
