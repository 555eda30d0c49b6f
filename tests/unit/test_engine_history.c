/* SPDX-License-Identifier: ISC
 *
 * Random but legal histories of a small network (moves, swaps, renewals, restarts, address changes,
 * loss, duplicates, reordering, RADIUS, RELEASE, DECLINE, crashes of the engine, slow, failing and
 * refusing servers) are fed to the engine, and to a tiny model of what must come out: which address
 * each camera has and each server reserves, and how often each event is told. TAP82_SOAK=N makes it
 * N of each kind, from seed TAP82_SEED on.
 */
#include "world.h"

enum { CAMERAS = 6, PORTS = 5, ADDRESSES = 24, STEPS = 250 };

struct camera {
	int port;
	uint32_t ip; /* what dhcpd leases it */
	uint32_t last_xid;
};

/* What must be true of a camera, by the words of the README. */
struct expected {
	uint32_t ip, first_ip, failed_ip;
	int port; /* -1: not known */
	int64_t heard, acked, moved_at, hold_until;
	bool provisioned; /* the hold begins when the servers have answered */
};

/* An ACK that comes late, behind others. */
struct late {
	struct observation ack;
	int camera, port;
	bool waits;
};

struct history {
	struct world *w;
	uint64_t random, seed;
	bool takeover, slow; /* slow: answers come later, and not always as hoped */
	struct camera cameras[CAMERAS];
	struct expected expected[CAMERAS];
	int on_port[PORTS]; /* the camera last seen there, -1: none */
	uint32_t hosts[2][CAMERAS]; /* what each dhcpd has: address by camera, 0: no host */
	size_t checked; /* told events whose ids were checked */
	struct late late;
	int64_t started; /* of the engine */
	uint64_t wanted[EVENT_CODES], before[EVENT_CODES]; /* before: told by engines that ended */
};

static uint32_t draw(struct history *h, uint32_t n)
{
	h->random = h->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(h->random >> 33) % n;
}

static int camera_of(const struct mac *mac)
{
	return mac->b[5] - 1;
}

/* --- dhcpd --------------------------------------------------------------------------------------
 */

static bool is_leased(const struct history *h, uint32_t ip, int but)
{
	for (int i = 0; i < CAMERAS; i++)
		if (i != but && (h->cameras[i].ip == ip || h->hosts[0][i] == ip ||
					h->hosts[1][i] == ip || h->expected[i].ip == ip))
			return true;
	return false;
}

/* The reserved address, or the lease there was, or a free one. */
static uint32_t lease(struct history *h, int c, bool anew)
{
	uint32_t ip = h->hosts[0][c];

	if (ip && !anew)
		return ip;
	if (h->cameras[c].ip && !anew && !is_leased(h, h->cameras[c].ip, c))
		return h->cameras[c].ip;
	do
		ip = IP(10, 30, 0, 1) + draw(h, ADDRESSES);
	while (is_leased(h, ip, c) || ip == h->cameras[c].ip);
	return ip;
}

/* No address is ever two cameras' at one server. */
static void check_hosts(const struct history *h)
{
	for (int s = 0; s < 2; s++)
		for (int a = 0; a < CAMERAS; a++)
			for (int b = 0; b < a; b++)
				if (h->hosts[s][a] && h->hosts[s][a] == h->hosts[s][b])
					fail_msg("seed %llu: server %d: %d and %d have one address",
						(unsigned long long)h->seed, s, a + 1, b + 1);
}

static void carry_out(struct history *h, const struct order *o)
{
	uint32_t *host = &h->hosts[o->server][camera_of(&o->mac)];

	if (o->kind == ORDER_ENSURE)
		*host = o->ip;
	else if (o->kind == ORDER_RELEASE)
		*host = 0;
	check_hosts(h);
}

static void answer(struct history *h, enum answer_kind kind)
{
	struct world *w = h->w;
	struct answer a = {
		.ticket = w->orders[w->answered].ticket, .kind = kind, .reason = "unreachable"};

	/* Unknown outcomes: it may have been done all the same. */
	a.changed = kind == ANSWER_REFUSED && draw(h, 2);
	if (kind == ANSWER_DONE || ((kind == ANSWER_NOT_NOW || a.changed) && draw(h, 2)))
		carry_out(h, &w->orders[w->answered]);
	w->answered++;
	engine_answer(w->engine, &a, w->now);
}

static void answer_all(struct history *h)
{
	while (h->w->answered < h->w->order_count)
		answer(h, ANSWER_DONE);
	h->w->answered = h->w->order_count = 0;
	for (int c = 0; c < CAMERAS; c++)
		if (h->expected[c].provisioned) {
			h->expected[c].provisioned = false;
			h->expected[c].hold_until = h->w->now + h->w->conf.stream_hold;
		}
}

static void answer_some(struct history *h)
{
	while (h->w->answered < h->w->order_count && draw(h, 3))
		answer(h, draw(h, 4)	    ? ANSWER_DONE
			  : draw(h, 3) == 0 ? ANSWER_REFUSED
					    : ANSWER_NOT_NOW);
	if (h->w->answered == h->w->order_count)
		h->w->answered = h->w->order_count = 0;
}

/* --- The model ----------------------------------------------------------------------------------
 */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool is_alive(const struct history *h, int c)
{
	const struct expected *x = &h->expected[c];

	return h->w->now - later(x->heard, h->started) < 10 * MINUTE ||
	       h->w->now < (later(x->acked, h->started) / USEC_PER_SEC + 300) * USEC_PER_SEC;
}

static void expect_port(struct history *h, int c, int port)
{
	struct expected *x = &h->expected[c];

	if (port < 0)
		return;
	if (x->port >= 0 && x->port != port &&
		(!x->moved_at || h->w->now - x->moved_at >= 60 * MINUTE)) {
		h->wanted[EVENT_CAMERA_MOVED]++;
		x->moved_at = h->w->now;
	}
	if (x->port >= 0 && x->port != port && h->on_port[x->port] == c)
		h->on_port[x->port] = -2; /* the one before it, if it is still there */
	x->port = port;
	h->on_port[port] = c;
}

/* Row 7 where it has this address. */
static void expect_same(struct history *h, struct expected *x, bool restarted)
{
	h->wanted[EVENT_PROVISION_HANDOFF] += restarted || x->first_ip;
	x->first_ip = 0;
}

static bool is_anothers(const struct history *h, int c, uint32_t ip)
{
	for (int i = 0; i < CAMERAS; i++)
		if (i != c && h->expected[i].ip == ip)
			return true;
	return false;
}

static void expect_failed(struct history *h, struct expected *x, uint32_t ip)
{
	h->wanted[x->ip ? EVENT_DHCP_RESERVATION_UPDATE_FAILED : EVENT_DHCP_RESERVATION_FAILED] +=
		x->failed_ip != ip;
	x->failed_ip = ip;
}

/* Rows 9 to 12. `old`: whose address it takes over, or NULL. */
static void expect_provisioned(
	struct history *h, struct expected *x, uint32_t ip, struct expected *old)
{
	h->wanted[x->ip ? EVENT_DHCP_RESERVATION_UPDATED : EVENT_DHCP_RESERVATION_CREATED]++;
	h->wanted[EVENT_STREAMS_HOLD_STARTED]++;
	h->wanted[old ? EVENT_DHCP_RESERVATION_REMOVED : EVENT_PROVISION_HANDOFF]++;
	x->provisioned = true;
	x->failed_ip = 0;
	x->ip = ip;
	if (!old)
		return;
	x->ip = old->ip;
	x->first_ip = ip == x->ip ? 0 : ip;
	h->wanted[EVENT_PROVISION_HANDOFF] += ip == x->ip; /* it shows it already */
	old->ip = 0;
	old->port = -1;
}

static void expect_ack(struct history *h, int c, uint32_t ip, int port, bool restarted)
{
	struct expected *x = &h->expected[c];
	int old = port >= 0 ? h->on_port[port] : -1;
	bool other = old >= 0 && old != c, silent = other && !is_alive(h, old);
	bool takeover = silent && h->takeover && h->expected[old].ip;
	bool pending = x->first_ip == ip && x->ip != ip;

	h->wanted[EVENT_DHCP_IP_ALLOCATION]++;
	expect_port(h, c, port);
	x->heard = x->acked = h->w->now;
	if (pending)
		return;
	if (x->ip == ip) {
		expect_same(h, x, restarted);
		return;
	}
	h->wanted[EVENT_PORT_SHARED] += other && !silent;
	if (!takeover && is_anothers(h, c, ip)) {
		expect_failed(h, x, ip);
		return;
	}
	h->wanted[EVENT_CAMERA_REPLACED] += silent;
	expect_provisioned(h, x, ip, takeover ? &h->expected[old] : NULL);
}

static void expect_holds_to_end(struct history *h)
{
	for (int c = 0; c < CAMERAS; c++) {
		struct expected *x = &h->expected[c];

		if (!x->hold_until || x->hold_until > h->w->now)
			continue;
		x->hold_until = 0;
		h->wanted[EVENT_STREAMS_HOLD_ENDED]++;
	}
}

/* A list of the cameras of a port, as long as any was seen last: recomputed from heard times. */
static void settle_ports(struct history *h, int64_t seen[CAMERAS])
{
	for (int p = 0; p < PORTS; p++) {
		if (h->on_port[p] != -2 &&
			(h->on_port[p] < 0 || h->expected[h->on_port[p]].port == p))
			continue;
		h->on_port[p] = -1;
		for (int c = 0; c < CAMERAS; c++)
			if (h->expected[c].port == p &&
				(h->on_port[p] < 0 || seen[c] > seen[h->on_port[p]]))
				h->on_port[p] = c;
	}
}

/* --- What happens -------------------------------------------------------------------------------
 */

static int64_t seen_on_port[CAMERAS];

static struct observation make_ack(struct history *h, int c, bool renewal)
{
	struct observation o;
	char port[16];

	snprintf(port, sizeof(port), "p%d", h->cameras[c].port);
	o = world_ack(h->w, (unsigned)c + 1, h->cameras[c].ip, renewal ? NULL : port);
	if (renewal) {
		o.dhcp.giaddr = 0;
		o.dhcp.ciaddr = h->cameras[c].ip;
	}
	return o;
}

static void check_bare(struct history *h, const struct observation *o)
{
	char before[4096];
	const char *profile;

	snprintf(before, sizeof(before), "%s", world_record(h->w, o->mac.b[5]));
	world_see(h->w, o);
	profile = strstr(before, "\"circuit_id\"");
	if (profile)
		*strchr(strchr(profile, ','), 0) = 0;
	if (profile && !strstr(world_record(h->w, o->mac.b[5]), strndupa(profile, 40)))
		fail_msg("a bare ACK changed the port: %s, then %s", before,
			world_record(h->w, o->mac.b[5]));
}

/* The REQUEST says where the camera is, the server does not repeat it. */
static void send_request(struct history *h, const struct observation *ack)
{
	struct observation o = *ack;

	o.dhcp.type = DHCP_REQUEST;
	o.dhcp.is_reply = false;
	o.dhcp.yiaddr = o.dhcp.server_id = 0;
	world_see(h->w, &o);
}

static void see(struct history *h, int c, struct observation *o, int port, bool restarted)
{
	if (port < 0)
		check_bare(h, o);
	else
		world_see(h->w, o);
	expect_ack(h, c, o->dhcp.yiaddr, port, restarted);
	if (port >= 0)
		seen_on_port[c] = h->w->now;
	settle_ports(h, seen_on_port);
	for (uint32_t n = draw(h, 4); n == 3; n = draw(h, 4)) /* duplicates, doubled copies */
		world_see(h->w, o);
}

static void see_ack(struct history *h, int c, bool renewal)
{
	int port = renewal ? -1 : h->cameras[c].port;
	struct observation o;

	h->w->now++; /* no two at one time: the last one seen on a port is one */
	o = make_ack(h, c, renewal);
	if (draw(h, 12) == 0 && !h->late.waits) {
		h->late = (struct late){.ack = o, .camera = c, .port = port, .waits = true};
		return;
	}
	if (draw(h, 3) == 0) {
		send_request(h, &o);
		if (!renewal && draw(h, 2))
			o.dhcp.option82 = (struct option82){0};
	}
	see(h, c, &o, port, !renewal);
	if (draw(h, 8) == 0) {
		o = make_ack(h, c, renewal);
		send_request(h, &o); /* the two were captured in the wrong order */
	}
}

static void see_late(struct history *h)
{
	if (!h->late.waits)
		return;
	h->w->now++;
	h->late.waits = false;
	see(h, h->late.camera, &h->late.ack, h->late.port, h->late.port >= 0);
}

static void see_radius(struct history *h, int c)
{
	struct observation o = {.version = OBSERVATION_VERSION,
		.kind = OBSERVATION_RADIUS,
		.time = h->w->now,
		.mac = world_mac((unsigned)c + 1)};

	o.radius.code = RADIUS_ACCOUNTING_REQUEST;
	o.radius.acct_status = RADIUS_ACCT_INTERIM;
	o.radius.has_mac = true;
	o.radius.vlan = -1;
	o.radius.nas_ip = IP(10, 1, 1, 1);
	world_see(h->w, &o);
	h->expected[c].heard = h->w->now;
}

/* It says that it is done with its address, or that another has it: the reservation stays. */
static void see_complaint(struct history *h, int c, uint8_t type)
{
	struct observation o;

	if (!h->cameras[c].ip)
		return;
	h->w->xid++;
	o = world_dhcp(h->w, type, (unsigned)c + 1);
	o.dhcp.server_id = NORTH;
	o.dhcp.ciaddr = o.dhcp.requested_ip = h->cameras[c].ip;
	world_see(h->w, &o);
	world_see(h->w, &o);
	h->expected[c].heard = h->w->now;
	h->wanted[EVENT_CAMERA_DECLINED] += type == DHCP_DECLINE;
}

static void ask(struct history *h, int c, bool restart, bool anew)
{
	bool lost = draw(h, 8) == 0;

	h->w->xid++;
	if (restart)
		h->cameras[c].ip = lease(h, c, anew);
	else if (is_leased(h, h->cameras[c].ip, c))
		h->cameras[c].ip = 0; /* it is another's meanwhile: NAK */
	if (!h->cameras[c].ip || lost)
		return;
	see_ack(h, c, !restart);
}

static void swap_ports(struct history *h, int a, int b)
{
	int port = h->cameras[a].port;

	h->cameras[a].port = h->cameras[b].port;
	h->cameras[b].port = port;
	ask(h, a, true, false);
	if (!h->slow)
		answer_all(h);
	ask(h, b, true, false);
}

static void happen(struct history *h)
{
	int c = (int)draw(h, CAMERAS);

	switch (draw(h, 15)) {
	case 10: see_late(h); break;
	case 11: see_radius(h, c); break;
	case 12: see_complaint(h, c, DHCP_RELEASE); break;
	case 13: see_complaint(h, c, DHCP_DECLINE); break;
	case 0:
		h->cameras[c].port = (int)draw(h, PORTS);
		ask(h, c, true, false);
		break;
	case 1: /* fall through */
	case 2: ask(h, c, true, false); break;
	case 3: ask(h, c, true, draw(h, 4) == 0); break;
	case 4: /* fall through */
	case 5: ask(h, c, false, false); break;
	case 6: swap_ports(h, c, (int)draw(h, CAMERAS)); break;
	case 7: h->w->now += (int64_t)draw(h, 30) * MINUTE; break;
	default: h->w->now += (int64_t)draw(h, 100) * USEC_PER_SEC; break;
	}
	if (!h->slow)
		answer_all(h);
	h->w->now += 1 + draw(h, 1000000);
	expect_holds_to_end(h);
	engine_tick(h->w->engine, h->w->now);
}

/* --- What must be true --------------------------------------------------------------------------
 */

static void check_ids(struct history *h)
{
	const struct world *w = h->w;

	for (; h->checked < w->told_count; h->checked++)
		for (size_t i = 0; i < h->checked; i++)
			if (memcmp(w->told[i].event.id, w->told[h->checked].event.id, 16) == 0)
				fail_msg("told twice: %s%s", w->told[i].line,
					w->told[h->checked].line);
}

/* No event twice for one happening, and none missing. location.mismatch is not modelled. */
static void check_events(struct history *h, uint64_t seed, int step)
{
	struct engine_stats stats;

	engine_stats(h->w->engine, &stats);
	for (int code = 0; code < EVENT_CODES; code++)
		if (code != EVENT_LOCATION_MISMATCH &&
			h->before[code] + stats.events[code] != h->wanted[code])
			fail_msg("seed %llu, step %d: %s was told %llu times, not %llu",
				(unsigned long long)seed, step,
				event_code_text((enum event_code)code),
				(unsigned long long)(h->before[code] + stats.events[code]),
				(unsigned long long)h->wanted[code]);
}

/* Somebody writes `servers = south, north`. */
static void reorder(uint8_t servers[2])
{
	uint8_t first = servers[0];

	servers[0] = servers[1];
	servers[1] = first;
}

static void crash(struct history *h)
{
	struct engine_stats stats;

	engine_stats(h->w->engine, &stats);
	for (int code = 0; code < EVENT_CODES; code++)
		h->before[code] += stats.events[code];
	if (draw(h, 3) == 0)
		reorder(h->w->groups[1].servers);
	world_restart(h->w);
	h->started = h->w->now;
}

static uint32_t ip_of(struct history *h, int c)
{
	const char *record = world_record(h->w, (unsigned)c + 1), *at = strstr(record, "\"ip\":\"");
	uint32_t ip = 0;

	if (at)
		ipv4_parse(at + 6, (size_t)(strchr(at + 6, '"') - at - 6), &ip);
	return ip;
}

/* Every camera has what the model says, and both servers have just that. */
static void check_cameras(struct history *h, uint64_t seed, int step)
{
	for (int c = 0; c < CAMERAS; c++) {
		uint32_t ip = ip_of(h, c);

		if (ip != h->expected[c].ip)
			fail_msg("seed %llu, step %d: camera %d has %08x, not %08x",
				(unsigned long long)seed, step, c + 1, ip, h->expected[c].ip);
		for (int s = 0; s < 2; s++)
			if (h->hosts[s][c] != ip)
				fail_msg("seed %llu, step %d: server %d has %08x for camera %d, "
					 "not %08x",
					(unsigned long long)seed, step, s, h->hosts[s][c], c + 1,
					ip);
	}
}

static void let_answer(struct history *h)
{
	for (int i = 0; i < 100; i++) {
		h->w->now += MINUTE;
		engine_tick(h->w->engine, h->w->now);
		answer_all(h);
	}
}

static void come_again(struct history *h)
{
	for (int c = 0; c < CAMERAS; c++) {
		uint32_t ip = ip_of(h, c);
		struct observation o = world_ack(h->w, (unsigned)c + 1, ip, NULL);

		h->w->xid++;
		o.dhcp.xid = h->w->xid;
		if (ip)
			world_see(h->w, &o);
	}
	let_answer(h);
}

/* After all that went wrong: once the servers answer, and each camera was heard of again, they have
 * what the engine says. Twice: the first time one may wait at a server for another's address to
 * become free there, which that one's coming brings about. */
static void check_end(struct history *h, uint64_t seed)
{
	let_answer(h);
	come_again(h);
	come_again(h);
	for (int c = 0; c < CAMERAS; c++) {
		const char *record = world_record(h->w, (unsigned)c + 1);
		uint32_t ip = ip_of(h, c);

		for (int s = 0; s < 2; s++)
			if (h->hosts[s][c] != ip && (ip || !strstr(record, "refused")))
				fail_msg("seed %llu: at the end server %d has %08x for camera %d: "
					 "%s",
					(unsigned long long)seed, s, h->hosts[s][c], c + 1, record);
	}
}

static void begin(struct history *h, struct world *w, uint64_t seed, bool takeover, bool slow)
{
	memset(h, 0, sizeof(*h));
	memset(seen_on_port, 0, sizeof(seen_on_port));
	world_init(w);
	w->conf.replacement = takeover ? CONF_REPLACEMENT_TAKEOVER : CONF_REPLACEMENT_REPORT;
	h->w = w;
	h->started = START;
	h->random = h->seed = seed;
	h->takeover = takeover;
	h->slow = slow;
	for (int p = 0; p < PORTS; p++)
		h->on_port[p] = -1;
	for (int c = 0; c < CAMERAS; c++) {
		h->cameras[c].port = (int)draw(h, PORTS);
		h->expected[c].port = -1;
		world_camera(w, (unsigned)c + 1);
	}
}

/* One history; the text of all it told, to be freed. */
static char *run(uint64_t seed, bool takeover, bool slow, bool crashes)
{
	static struct world w;
	static struct history h;
	size_t size;
	char *text;
	FILE *out;

	begin(&h, &w, seed, takeover, slow);
	for (int step = 0; step < STEPS; step++) {
		happen(&h);
		if (crashes && draw(&h, 20) == 0)
			crash(&h);
		if (slow) {
			answer_some(&h);
			continue;
		}
		answer_all(&h);
		check_cameras(&h, seed, step);
		check_events(&h, seed, step);
	}
	if (slow)
		check_end(&h, seed);
	else
		check_ids(&h);
	out = open_memstream(&text, &size);
	for (size_t i = 0; i < w.told_count; i++)
		fputs(w.told[i].line, out);
	fclose(out);
	world_done(&w);
	return text;
}

static unsigned histories(void)
{
	const char *soak = getenv("TAP82_SOAK");

	return !soak ? 60 : atoi(soak) > 1 ? (unsigned)atoi(soak) : 2000;
}

static uint64_t first_seed(void)
{
	const char *seed = getenv("TAP82_SEED");

	return seed ? strtoull(seed, NULL, 10) : 0;
}

static void cameras_have_what_the_model_says(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= histories(); i++)
		free(run(first_seed() + i, false, false, false));
}

static void cameras_have_what_the_model_says_with_takeover(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= histories(); i++)
		free(run(first_seed() + 1000000 + i, true, false, false));
}

static void crashes_change_nothing_of_it(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= histories(); i++)
		free(run(first_seed() + 2000000 + i, true, false, true));
}

static void no_address_is_ever_two_cameras_whatever_the_servers_do(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= histories(); i++)
		free(run(first_seed() + 3000000 + i, true, true, false));
}

static void nor_when_the_engine_crashes_in_the_middle(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= histories(); i++)
		free(run(first_seed() + 4000000 + i, true, true, true));
}

static void the_same_history_tells_the_same_bytes(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 10; i++) {
		char *a = run(i, true, true, false), *b = run(i, true, true, false);

		assert_string_equal(a, b);
		free(a);
		free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cameras_have_what_the_model_says),
		cmocka_unit_test(cameras_have_what_the_model_says_with_takeover),
		cmocka_unit_test(crashes_change_nothing_of_it),
		cmocka_unit_test(no_address_is_ever_two_cameras_whatever_the_servers_do),
		cmocka_unit_test(nor_when_the_engine_crashes_in_the_middle),
		cmocka_unit_test(the_same_history_tells_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
