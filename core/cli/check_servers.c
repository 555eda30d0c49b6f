/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "check_online.h"
#include "tap82/err.h"

#define PROBES	    32 /* addresses of a subnet that are asked about */
#define DEVICES_MAX 512 /* addresses of the inventory that are asked about */

static const struct conf_group *group_with(const struct online *o, int server, size_t i)
{
	const struct conf_group *group = &o->check->conf->groups[i];

	for (size_t j = 0; j < group->server_count; j++)
		if (group->servers[j] == server)
			return group;
	return NULL;
}

static int add_question(struct doctor_server *s, const struct question *question)
{
	struct question *bigger = reallocarray(s->questions, s->count + 1, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	s->questions = bigger;
	s->questions[s->count++] = *question;
	return 0;
}

/* Addresses spread over a subnet: one of them is in a range, if the subnet has one that matters. */
static int add_probes(struct doctor_server *s, int group, size_t subnet, const struct prefix *p)
{
	uint64_t size = UINT64_C(1) << (32 - p->len), step = size / PROBES;
	int r = 0;

	if (step == 0)
		step = 1;
	for (uint64_t at = step / 2; at < size && r == 0; at += step)
		r = add_question(s, &(struct question){.server = s,
					    .ip = p->ip + (uint32_t)at,
					    .group = group,
					    .subnet = subnet});
	return r;
}

static int add_subnets(struct doctor_server *s, int server)
{
	size_t subnet = 0;
	int r = 0;

	for (size_t i = 0; i < s->online->check->conf->group_count && r == 0; i++) {
		const struct conf_group *group = &s->online->check->conf->groups[i];

		for (size_t j = 0; j < group->subnet_count && r == 0; j++, subnet++)
			if (group_with(s->online, server, i))
				r = add_probes(s, (int)i, subnet, &group->subnets[j]);
	}
	s->has_range = calloc(subnet + 1, sizeof(bool));
	return s->has_range ? r : -ENOMEM;
}

static int add_devices(struct doctor_server *s, int server)
{
	const struct conf *conf = s->online->check->conf;
	const struct inventory_row *rows;
	size_t count = 0, added = 0;
	int r = 0;

	if (!s->online->inventory)
		return 0;
	rows = inventory_rows(s->online->inventory, &count);
	for (size_t i = 0; i < count && added < DEVICES_MAX && r == 0; i++) {
		int group = rows[i].ip ? conf_group_of(conf, rows[i].ip) : -1;

		if (group < 0 || !group_with(s->online, server, (size_t)group))
			continue;
		r = add_question(s, &(struct question){.server = s, .ip = rows[i].ip, .group = -1});
		added++;
	}
	return r;
}

static void ask_on(struct doctor_server *s);

static void answered(void *ctx, const struct dhcpd_result *result)
{
	struct question *q = ctx;
	struct doctor_server *s = q->server;

	s->answered++;
	s->understood |= dhcpd_outcome_is_good(result->outcome);
	if (result->lease.found && q->group >= 0)
		s->has_range[q->subnet] = true;
	if (result->lease.found && !result->lease.pinned && q->group < 0) {
		s->in_range++;
		s->example = q->ip;
	}
	ask_on(s);
	online_stop_if_done(s->online);
}

static void ask_on(struct doctor_server *s)
{
	while (s->asked < s->count && dhcpd_room(s->dhcpd) > 0) {
		struct question *q = &s->questions[s->asked];

		if (dhcpd_look(s->dhcpd, NULL, q->ip, answered, q) < 0)
			break;
		s->asked++;
	}
}

static void tell_login(struct doctor_server *s, enum dhcpd_state state, const char *text)
{
	struct check *check = s->online->check;

	s->told = true;
	if (state == DHCPD_READY) {
		check_tellf(check, CHECK_GOOD, "server", s->conf->name, NULL,
			s->key ? "login with key %s (%s)" : "login without a key%.0s%.0s",
			s->key ? s->conf->key_name : "", s->conf->key_algorithm);
		ask_on(s);
		return;
	}
	s->count = 0;
	if (state == DHCPD_REFUSED_US)
		check_tellf(check, CHECK_WRONG, "server", s->conf->name,
			"compare key-name, key-file and key-algorithm with the key of its "
			"dhcpd.conf; "
			"before dhcpd 4.4.3 only hmac-md5 works",
			"login refused: %s", text);
	else
		check_tellf(check, CHECK_WRONG, "server", s->conf->name,
			"does dhcpd run, with 'omapi-port' in its dhcpd.conf, and does the "
			"firewall "
			"let us through?",
			"unreachable: %s", text);
}

static void server_changed(void *ctx, enum dhcpd_state state, const char *text)
{
	struct doctor_server *s = ctx;

	if (!s->told && state != DHCPD_CONNECTING)
		tell_login(s, state, text);
	else if (s->told && state != DHCPD_READY)
		s->answered = s->asked = s->count;
	online_stop_if_done(s->online);
}

static int open_dhcpd(struct doctor_server *s, int index)
{
	const struct conf_server *conf = s->conf;
	struct dhcpd_config config = {.name = conf->name,
		.address = conf->address,
		.port = conf->port,
		.host_prefix = s->online->check->conf->host_prefix,
		.state_fn = server_changed,
		.state_ctx = s};
	int r = add_subnets(s, index);

	if (r == 0)
		r = add_devices(s, index);
	if (r == 0 && conf->key_file)
		r = dhcpd_key_load(conf->key_file, conf->key_name, conf->key_algorithm, &s->key);
	config.key = s->key;
	return r == 0 ? dhcpd_new(s->online->loop, &config, &s->dhcpd) : r;
}

static void tell_subnets(struct doctor_server *s, int server)
{
	struct check *check = s->online->check;
	char ip[IPV4_TEXT];
	size_t subnet = 0;

	for (size_t i = 0; i < check->conf->group_count; i++) {
		const struct conf_group *group = &check->conf->groups[i];

		for (size_t j = 0; j < group->subnet_count; j++, subnet++) {
			if (!group_with(s->online, server, i))
				continue;
			check_tellf(check, s->has_range[subnet] ? CHECK_GOOD : CHECK_NOTE, "subnet",
				s->conf->name,
				s->has_range[subnet] ? NULL
						     : "is it in its dhcpd.conf, with a range for "
						       "first addresses?",
				"[group %s] %s/%u: %s", group->name,
				ipv4_format(group->subnets[j].ip, ip), group->subnets[j].len,
				s->has_range[subnet] ? "dhcpd has a range there"
						     : "no range of dhcpd's was found there");
		}
	}
}

static void tell_ranges(struct doctor_server *s)
{
	struct check *check = s->online->check;
	char ip[IPV4_TEXT];

	if (s->in_range > 0)
		check_tellf(check, CHECK_NOTE, "range", s->conf->name,
			"with reservation = auto or pin tap82 keeps them; with host move them out "
			"of "
			"the range",
			"devices with an address inside a dynamic range: %zu, for one %s",
			s->in_range, ipv4_format(s->example, ip));
}

void doctor_server_tell(struct doctor_server *s, int index)
{
	doctor_version(s->online->check, s->conf, s->understood);
	if (!s->dhcpd || s->count == 0 || s->answered < s->count ||
		dhcpd_state(s->dhcpd) != DHCPD_READY)
		return;
	tell_subnets(s, index);
	tell_ranges(s);
}

void doctor_server_close(struct doctor_server *s)
{
	dhcpd_free(s->dhcpd);
	dhcpd_key_free(s->key);
	free(s->questions);
	free(s->has_range);
}

void doctor_server_open(struct doctor_server *s, int index)
{
	int r = open_dhcpd(s, index);

	if (r == 0)
		return;
	s->told = true;
	s->count = 0;
	check_tell(s->online->check, CHECK_WRONG, "server", s->conf->name, err_text(r), NULL);
}

void doctor_server_late(struct doctor_server *s)
{
	if (!s->told)
		tell_login(s, DHCPD_UNREACHABLE, "no answer in time");
}

bool doctor_server_is_done(const struct doctor_server *s)
{
	return s->told && s->asked == s->count && s->answered == s->asked;
}
