/* SPDX-License-Identifier: ISC
 *
 * reserve: asks one dhcpd through dhcpd.h, for the lab's scripts.
 *
 *   reserve [-a ADDRESS] [-p PORT] [-k NAME:FILE:ALGORITHM] [-d DEADLINE] [-w SECONDS] [-r ROOM]
 *       VERB …
 *     ensure MAC IP auto|host|pin [pin] [OLD_IP]   "pin": this server sent the ACK
 *     release MAC IP [in-use]
 *     repin MAC IP
 *     look MAC|- IP|-
 *     many COUNT SEED     creates COUNT hosts, ROOM (256) at a time; prints totals, rate, latency
 *     watch SECONDS       prints the states of the connection
 *
 * Prints a line for each answer and for each state. Exit 0: all outcomes were good ones.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap82/clock.h"
#include "tap82/dhcpd.h"

struct run {
	struct loop *loop;
	struct dhcpd *dhcpd;
	struct loop_timer *timer;
	bool quiet;
	uint32_t seed, wanted, given, ended, bad;
	uint32_t outcomes[DHCPD_LATER + 1];
	int64_t started, *began, *took; /* of each one of many */
};

static void fail(const char *what)
{
	fprintf(stderr, "reserve: %s\n", what);
	exit(2);
}

static void state_print(void *ctx, enum dhcpd_state state, const char *text)
{
	static const char *const words[] = {
		"connecting", "ready", "unreachable", "refused", "trial"};
	struct run *run = ctx;

	if (state == DHCPD_READY && run->ended == 0)
		run->started = clock_mono(); /* the login is nobody's speed */
	printf("state %s %s\n", words[state], text);
	fflush(stdout);
}

static void host_print(const struct dhcpd_host *h)
{
	char text[IPV4_TEXT], mac[MAC_TEXT];

	if (!h->found)
		return;
	printf(" host=%s%s", h->name, h->ours ? "" : " foreign");
	if (h->has_mac)
		printf(" host-mac=%s", mac_format(&h->mac, mac));
	printf(" addresses=");
	for (uint32_t i = 0; i < h->address_count; i++)
		printf("%s%s", i ? "," : "", ipv4_format(h->addresses[i], text));
}

static void lease_print(const struct dhcpd_lease *l)
{
	char mac[MAC_TEXT];

	if (!l->found)
		return;
	printf(" lease-state=%u lease-flags=%u%s", l->state, l->flags, l->pinned ? " pinned" : "");
	if (l->has_mac)
		printf(" lease-mac=%s", mac_format(&l->mac, mac));
}

static uint32_t number_of(const struct mac *mac)
{
	return (uint32_t)mac->b[2] << 24 | (uint32_t)mac->b[3] << 16 | (uint32_t)mac->b[4] << 8 |
	       mac->b[5];
}

static void answered(void *ctx, const struct dhcpd_result *r)
{
	struct run *run = ctx;

	if (run->took)
		run->took[run->ended] = clock_mono() - run->began[number_of(&r->mac) - run->seed];
	run->ended++;
	run->outcomes[r->outcome]++;
	run->bad += !dhcpd_outcome_is_good(r->outcome);
	if (!run->quiet) {
		printf("%s%s", dhcpd_outcome_text(r->outcome), r->pinned ? " is-pinned" : "");
		host_print(&r->before);
		lease_print(&r->lease);
		printf("%s%s\n", *r->text ? " text=" : "", r->text);
		fflush(stdout);
	}
	if (run->ended == run->wanted)
		loop_stop(run->loop);
	else if (run->wanted > 1)
		loop_timer_set(run->timer, 0);
}

static struct mac mac_arg(const char *text)
{
	struct mac mac;

	if (!text || mac_parse(text, strlen(text), &mac) < 0)
		fail("not a MAC");
	return mac;
}

static uint32_t ip_arg(const char *text)
{
	uint32_t ip;

	if (!text || ipv4_parse(text, strlen(text), &ip) < 0)
		fail("not an address");
	return ip;
}

static void ensure(struct run *run, char **argv)
{
	struct dhcpd_want want = {.mac = mac_arg(argv[0]), .ip = ip_arg(argv[1])};
	const char *mode = argv[2] ? argv[2] : "auto";
	char **more = argv[2] ? argv + 3 : argv + 2;

	want.mode = strcmp(mode, "pin") == 0	? DHCPD_PIN
		    : strcmp(mode, "host") == 0 ? DHCPD_HOST
						: DHCPD_AUTO;
	want.may_pin = *more && strcmp(*more, "pin") == 0;
	if (want.may_pin)
		more++;
	if (*more)
		want.old_ip = ip_arg(*more);
	dhcpd_ensure(run->dhcpd, &want, answered, run);
}

static void release(struct run *run, char **argv)
{
	struct dhcpd_unwant unwant = {.mac = mac_arg(argv[0]), .ip = ip_arg(argv[1])};

	unwant.in_use = argv[2] != NULL;
	dhcpd_release(run->dhcpd, &unwant, answered, run);
}

static void look(struct run *run, char **argv)
{
	bool any = strcmp(argv[0], "-") == 0;
	struct mac mac = any ? (struct mac){0} : mac_arg(argv[0]);

	dhcpd_look(run->dhcpd, any ? NULL : &mac,
		argv[1] && strcmp(argv[1], "-") != 0 ? ip_arg(argv[1]) : 0, answered, run);
}

/* Keeps the server's room full. */
static void many_go_on(void *ctx)
{
	struct run *run = ctx;

	while (run->given < run->wanted && dhcpd_room(run->dhcpd) > 0) {
		uint32_t n = run->seed + run->given++;
		struct dhcpd_want want = {.ip = 0x0a140000u + n % 65000u, .mode = DHCPD_HOST};

		want.mac = (struct mac){{0x02, 0x10, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
			(uint8_t)(n >> 8), (uint8_t)n}};
		run->began[n - run->seed] = clock_mono();
		dhcpd_ensure(run->dhcpd, &want, answered, run);
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void many_print(const struct run *run)
{
	const int64_t *took = run->took;
	uint32_t n = run->ended;
	double seconds = (double)(clock_mono() - run->started) / 1e6;
	struct dhcpd_stats s;

	dhcpd_stats(run->dhcpd, &s);
	for (unsigned i = 0; i <= DHCPD_LATER; i++)
		if (run->outcomes[i])
			printf("%s %u\n", dhcpd_outcome_text((enum dhcpd_outcome)i),
				run->outcomes[i]);
	qsort(run->took, n, sizeof(*took), compare);
	printf("seconds %.3f per-second %.0f p50 %lld p99 %lld batches %llu batch-max %llu\n",
		seconds, n / seconds, n ? (long long)took[n / 2] : 0,
		n ? (long long)took[n - 1 - n / 100] : 0, (unsigned long long)s.batches,
		(unsigned long long)s.batch_max);
}

static void stop(void *loop)
{
	loop_stop(loop);
}

static void begin(struct run *run, char **argv)
{
	const char *verb = argv[0] ? argv[0] : "";

	if (strcmp(verb, "ensure") == 0 && argv[1]) {
		ensure(run, argv + 1);
	} else if (strcmp(verb, "release") == 0 && argv[1]) {
		release(run, argv + 1);
	} else if (strcmp(verb, "repin") == 0 && argv[1]) {
		struct mac mac = mac_arg(argv[1]);

		dhcpd_repin(run->dhcpd, &mac, ip_arg(argv[2]), answered, run);
	} else if (strcmp(verb, "look") == 0 && argv[1]) {
		look(run, argv + 1);
	} else if (strcmp(verb, "many") == 0 && argv[1] && argv[2]) {
		run->wanted = (uint32_t)atoi(argv[1]);
		run->seed = (uint32_t)atoi(argv[2]);
		run->quiet = true;
		run->began = calloc(run->wanted, sizeof(*run->began));
		run->took = calloc(run->wanted, sizeof(*run->took));
		many_go_on(run);
	} else if (strcmp(verb, "watch") == 0 && argv[1]) {
		run->wanted = 0;
		loop_timer_set(run->timer, atoi(argv[1]) * USEC_PER_SEC);
	} else {
		fail("see the head of reserve.c");
	}
}

static struct dhcpd_key *key_arg(char *text)
{
	char *name = strtok(text, ":"), *file = strtok(NULL, ":"), *algorithm = strtok(NULL, ":");
	struct dhcpd_key *key;
	int err;

	if (!name || !file || !algorithm)
		fail("-k NAME:FILE:ALGORITHM");
	err = dhcpd_key_load(file, name, algorithm, &key);
	if (err < 0)
		fail(dhcpd_key_error_text(err));
	return key;
}

int main(int argc, char **argv)
{
	struct dhcpd_config config = {.address = 0x7f000001, .state_fn = state_print};
	struct run run = {.wanted = 1};
	struct dhcpd_key *key = NULL;
	struct loop_timer *limit;
	int64_t wait = 0;
	int c;

	config.state_ctx = &run;
	while ((c = getopt(argc, argv, "+a:p:k:d:w:r:")) != -1) {
		if (c == 'a')
			config.address = ip_arg(optarg);
		else if (c == 'p')
			config.port = (uint16_t)atoi(optarg);
		else if (c == 'k')
			config.key = key = key_arg(optarg);
		else if (c == 'd' && duration_parse(optarg, &config.deadline) == 0)
			continue;
		else if (c == 'r')
			config.room = (uint32_t)atoi(optarg);
		else if (c == 'w')
			wait = atoi(optarg) * USEC_PER_SEC;
		else
			fail("see the head of reserve.c");
	}
	run.loop = loop_new();
	if (!run.loop || dhcpd_new(run.loop, &config, &run.dhcpd) < 0)
		fail("out of memory");
	run.timer = loop_timer_new(run.loop,
		argv[optind] && strcmp(argv[optind], "watch") == 0 ? stop : many_go_on,
		argv[optind] && strcmp(argv[optind], "watch") == 0 ? (void *)run.loop : &run);
	limit = loop_timer_new(run.loop, stop, run.loop);
	if (wait > 0)
		loop_timer_set(limit, wait);
	run.started = clock_mono();
	begin(&run, argv + optind);
	loop_run(run.loop);
	if (run.quiet)
		many_print(&run);
	free(run.began);
	free(run.took);
	loop_timer_free(limit);
	loop_timer_free(run.timer);
	dhcpd_free(run.dhcpd);
	dhcpd_key_free(key);
	loop_free(run.loop);
	return run.bad > 0 || run.ended < run.wanted;
}
