/* SPDX-License-Identifier: ISC
 *
 * In which state a client asked (RFC 2131 4.3.2): what the REQUEST says, where it went to, and what
 * is left of that when only a relay's copy, or only the ACK, was seen.
 */
#include "world.h"

#define CAM(n)	  IP(10, 20, 0, n)
#define BROADCAST IP(255, 255, 255, 255)

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

static struct observation request(uint32_t ciaddr, uint32_t requested_ip, uint32_t server_id)
{
	struct observation o = world_dhcp(w, DHCP_REQUEST, 1);

	o.src = ciaddr;
	o.dst = BROADCAST;
	o.dhcp.ciaddr = ciaddr;
	o.dhcp.requested_ip = requested_ip;
	o.dhcp.server_id = server_id;
	return o;
}

/* The relay's copy of it, with option 82. */
static struct observation relayed(const struct observation *o)
{
	struct observation copy = *o;

	copy.src = RELAY;
	copy.dst = NORTH;
	copy.dhcp.giaddr = RELAY;
	world_option82(&copy.dhcp.option82, "p1", "switch-1");
	return copy;
}

static struct observation renewal(void)
{
	struct observation o = request(CAM(1), 0, 0);

	o.dst = NORTH;
	return o;
}

/* The ACK to what was asked last; `bare`: past the relay. */
static void see_ack(uint32_t ciaddr, bool bare)
{
	struct observation o = world_ack(w, 1, CAM(1), bare ? NULL : "p1");

	o.dhcp.ciaddr = ciaddr;
	if (bare)
		o.dhcp.giaddr = 0;
	world_see(w, &o);
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

/* The last allocation and explain say it; NULL: neither says any. */
static void assert_state(const char *word)
{
	char field[64];

	if (!word) {
		assert_null(strstr(world_last(w, EVENT_DHCP_IP_ALLOCATION)->line, "client_state"));
		assert_null(strstr(explain(), "client_state"));
		return;
	}
	snprintf(field, sizeof(field), "\"client_state\":\"%s\"", word);
	assert_says(w, EVENT_DHCP_IP_ALLOCATION, field);
	if (!strstr(explain(), field))
		fail_msg("no %s in %s", field, explain());
}

/* What the camera sends, the relay passes on, and the server answers. */
static void see_exchange(const struct observation *asked, bool bare)
{
	struct observation copy = relayed(asked);

	world_see(w, asked);
	if (!bare)
		world_see(w, &copy);
	see_ack(asked->dhcp.ciaddr, bare);
}

static void selecting_names_the_server_and_init_reboot_the_address(void **state)
{
	struct observation o = request(0, CAM(1), NORTH);

	(void)state;
	see_exchange(&o, false);
	assert_state("selecting");
	w->xid++;
	o = request(0, CAM(1), 0);
	see_exchange(&o, false);
	assert_state("init-reboot");
}

static void a_renewal_goes_to_the_server_and_a_rebinding_to_all(void **state)
{
	struct observation o = renewal();

	(void)state;
	see_exchange(&o, true);
	assert_state("renewing");
	w->xid++;
	o = request(CAM(1), 0, 0);
	see_exchange(&o, true);
	assert_state("rebinding");
	w->xid++;
	o = request(CAM(1), 0, 0);
	see_exchange(&o, false);
	assert_state("rebinding");
}

/* A router that hears a renewal on its way passes a copy on, as it does with a rebinding: with
 * giaddr and option 82 (pcaps/real/real-dhcrelay-a-server-side). */
static void a_relays_copy_takes_nothing_back(void **state)
{
	struct observation o = renewal(), copy = relayed(&o);

	(void)state;
	see_exchange(&o, false);
	assert_state("renewing");
	w->xid++;
	o = renewal();
	copy = relayed(&o);
	world_see(w, &copy); /* captured the other way round */
	world_see(w, &o);
	see_ack(CAM(1), true);
	assert_state("renewing");
}

static void of_a_relays_copy_alone_it_is_one_of_the_two(void **state)
{
	struct observation o = renewal(), copy = relayed(&o);

	(void)state;
	world_see(w, &copy);
	see_ack(CAM(1), false);
	assert_state("renewing-or-rebinding");
}

/* dhclient keeps its xid: the renewals were seen on their way to the server, and what comes at the
 * end only as the relay's copy is perhaps a rebinding. */
static void a_copy_that_comes_long_after_is_of_something_else(void **state)
{
	struct observation o = renewal(), copy;

	(void)state;
	world_see(w, &o);
	world_wait(w, 5 * MINUTE);
	o.time = w->now;
	copy = relayed(&o);
	world_see(w, &copy);
	see_ack(CAM(1), false);
	assert_state("renewing-or-rebinding");
}

/* One xid from the first REQUEST on: the last one counts. */
static void the_last_request_counts(void **state)
{
	struct observation o = request(0, CAM(1), NORTH);

	(void)state;
	world_see(w, &o);
	o = renewal();
	world_see(w, &o);
	see_ack(CAM(1), true);
	assert_state("renewing");
}

/* RFC 5010: the relay says how it got it. */
static void a_relay_that_says_how_it_got_it_is_believed(void **state)
{
	struct observation o = renewal(), copy = relayed(&o);
	struct option82 *o82 = &copy.dhcp.option82;

	(void)state;
	memcpy(o82->raw + o82->len, (uint8_t[]){10, 1, 0x80}, 3);
	o82->len = (uint16_t)(o82->len + 3);
	world_see(w, &copy);
	see_ack(CAM(1), false);
	assert_state("renewing");
	w->xid++;
	copy.dhcp.xid = w->xid;
	o82->raw[o82->len - 1] = 0;
	world_see(w, &copy);
	see_ack(CAM(1), false);
	assert_state("rebinding");
	w->xid++;
	copy.dhcp.xid = w->xid;
	o82->len--; /* a length that leads beyond the end says nothing */
	world_see(w, &copy);
	see_ack(CAM(1), false);
	assert_state("renewing-or-rebinding");
}

/* A snooping switch adds option 82 to a renewal on its way, and is no relay. */
static void a_snooping_switch_changes_nothing_of_it(void **state)
{
	struct observation o = renewal();

	(void)state;
	w->groups[0].l2 = true;
	world_option82(&o.dhcp.option82, "p1", "switch-1");
	world_see(w, &o);
	see_ack(CAM(1), true);
	assert_state("renewing");
}

static void without_the_request_the_ack_says_what_it_can(void **state)
{
	struct observation o;

	(void)state;
	see_ack(CAM(1), true);
	assert_state("renewing-or-rebinding");
	w->xid++;
	see_ack(0, false); /* it starts: how is not known */
	assert_state(NULL);
	w->xid++;
	o = request(0, CAM(1), NORTH); /* of before, with the same xid */
	world_see(w, &o);
	see_ack(CAM(1), true);
	assert_state("renewing-or-rebinding");
}

static void a_request_that_no_rfc_knows_says_nothing(void **state)
{
	struct observation o = request(0, 0, 0);

	(void)state;
	world_see(w, &o);
	see_ack(0, false);
	assert_state(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(selecting_names_the_server_and_init_reboot_the_address),
		T(a_renewal_goes_to_the_server_and_a_rebinding_to_all),
		T(a_relays_copy_takes_nothing_back),
		T(of_a_relays_copy_alone_it_is_one_of_the_two),
		T(a_copy_that_comes_long_after_is_of_something_else),
		T(the_last_request_counts),
		T(a_relay_that_says_how_it_got_it_is_believed),
		T(a_snooping_switch_changes_nothing_of_it),
		T(without_the_request_the_ack_says_what_it_can),
		T(a_request_that_no_rfc_knows_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
