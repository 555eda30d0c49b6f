/* SPDX-License-Identifier: ISC
 *
 * Random but legal histories of a small network (moves, swaps, renewals, restarts, address changes,
 * loss, duplicates, reordering, crashes of the engine, slow and failing servers) are fed to the
 * engine, and to a tiny model of what must come out. TAP82_SOAK=1 makes it many more.
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
	uint32_t ip, first_ip;
	int port; /* -1: not known */
	int64_t heard, acked;
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
	if (kind == ANSWER_DONE || draw(h, 2))
		carry_out(h, &w->orders[w->answered]);
	w->answered++;
	engine_answer(w->engine, &a, w->now);
}

static void answer_all(struct history *h)
{
	while (h->w->answered < h->w->order_count)
		answer(h, ANSWER_DONE);
	h->w->answered = h->w->order_count = 0;
}

static void answer_some(struct history *h)
{
	while (h->w->answered < h->w->order_count && draw(h, 3))
		answer(h, draw(h, 4) ? ANSWER_DONE : ANSWER_NOT_NOW);
	if (h->w->answered == h->w->order_count)
		h->w->answered = h->w->order_count = 0;
}

/* --- The model ----------------------------------------------------------------------------------
 */

static bool is_alive(const struct history *h, int c)
{
	const struct expected *x = &h->expected[c];

	return h->w->now - x->heard < 10 * MINUTE ||
	       h->w->now < (x->acked / USEC_PER_SEC + 300) * USEC_PER_SEC;
}

static void expect_ack(struct history *h, int c, uint32_t ip, int port)
{
	struct expected *x = &h->expected[c];
	int old = port >= 0 ? h->on_port[port] : -1;
	bool silent = old >= 0 && old != c && !is_alive(h, old);

	if (port >= 0) {
		if (x->port >= 0 && x->port != port && h->on_port[x->port] == c)
			h->on_port[x->port] = -2; /* the one before it, if it is still there */
		x->port = port;
		h->on_port[port] = c;
	}
	x->heard = x->acked = h->w->now;
	if (x->first_ip == ip && x->ip != ip)
		return;
	if (x->ip == ip) {
		x->first_ip = 0;
		return;
	}
	if (silent && h->takeover && h->expected[old].ip) {
		x->ip = h->expected[old].ip;
		x->first_ip = ip;
		h->expected[old].ip = 0;
		h->expected[old].port = -1;
		return;
	}
	x->ip = ip;
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

static void see_ack(struct history *h, int c, bool renewal)
{
	int port = renewal ? -1 : h->cameras[c].port;
	struct observation o;

	h->w->now++; /* no two at one time: the last one seen on a port is one */
	o = make_ack(h, c, renewal);

	if (renewal)
		check_bare(h, &o);
	else
		world_see(h->w, &o);
	expect_ack(h, c, o.dhcp.yiaddr, port);
	if (port >= 0)
		seen_on_port[c] = h->w->now;
	settle_ports(h, seen_on_port);
	for (uint32_t n = draw(h, 4); n == 3; n = draw(h, 4)) /* duplicates, doubled copies */
		world_see(h->w, &o);
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

	switch (draw(h, 10)) {
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
	h->w->now += 1 + draw(h, 1000000);
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

static void begin(struct history *h, struct world *w, uint64_t seed, bool takeover, bool slow)
{
	memset(h, 0, sizeof(*h));
	memset(seen_on_port, 0, sizeof(seen_on_port));
	world_init(w);
	w->conf.replacement = takeover ? CONF_REPLACEMENT_TAKEOVER : CONF_REPLACEMENT_REPORT;
	h->w = w;
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
		if (crashes && draw(&h, 20) == 0) {
			answer_all(&h);
			world_restart(&w);
		}
		if (slow) {
			answer_some(&h);
			continue;
		}
		answer_all(&h);
		check_cameras(&h, seed, step);
	}
	if (!crashes && !slow)
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
	return getenv("TAP82_SOAK") ? 2000 : 60;
}

static void cameras_have_what_the_model_says(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= histories(); i++)
		free(run(i, false, false, false));
}

static void cameras_have_what_the_model_says_with_takeover(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= histories(); i++)
		free(run(1000000 + i, true, false, false));
}

static void crashes_change_nothing_of_it(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= histories(); i++)
		free(run(2000000 + i, true, false, true));
}

static void no_address_is_ever_two_cameras_whatever_the_servers_do(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= histories(); i++)
		free(run(3000000 + i, true, true, false));
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
		cmocka_unit_test(the_same_history_tells_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
