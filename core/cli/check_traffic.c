/* SPDX-License-Identifier: ISC
 *
 * The doctor on the traffic: is there DHCP, is there option 82, and what stands between us and the
 * cameras? A relay puts its address into giaddr; where nobody has, either there is no relay or we
 * listen on the cameras' side of it. RFC 1542 4.1, RFC 3046 2.1.
 */
#include <stdio.h>
#include <string.h>

#include "check_online.h"

static void add_seen(struct doctor_seen *seen, uint32_t ip)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->ip[i] == ip)
			return;
	if (ip && seen->count < DOCTOR_SEEN_MAX)
		seen->ip[seen->count++] = ip;
}

static void note_dhcp(struct doctor_traffic *t, const struct dhcp *d)
{
	bool tagged = buf_left(&d->option82.raw) > 0;

	t->dhcp++;
	t->option82 += tagged;
	t->relayed += d->giaddr != 0;
	t->relayed82 += d->giaddr != 0 && tagged;
	t->snooped += d->giaddr == 0 && tagged;
	/* A renewal goes past every relay: it says nothing of the way (RFC 2131 4.3.6). */
	t->direct += d->op == 1 && d->giaddr == 0 && !tagged && d->ciaddr == 0;
	add_seen(&t->relays, d->giaddr);
	if (d->type == DHCP_OFFER || d->type == DHCP_ACK)
		add_seen(&t->servers, d->server_id);
}

void doctor_traffic_note(struct doctor_traffic *traffic, const struct message *message)
{
	if (message->kind == MESSAGE_DHCP)
		note_dhcp(traffic, &message->dhcp);
	else
		traffic->radius++;
}

static void tell_amount(struct check *check, const char *capture, const struct doctor_traffic *t)
{
	const char *mend = NULL;

	if (t->dhcp == 0)
		mend = "no camera asked, or the mirror does not carry dhcpd's side: "
		       "'tap82 decode -i' shows what comes";
	else if (t->option82 == 0)
		mend = "capture between dhcpd and the relay, and let the relay or switch insert "
		       "option 82";
	check_tellf(check, mend ? CHECK_NOTE : CHECK_GOOD, "traffic", capture, mend,
		"DHCP messages %llu, with option 82 %llu, RADIUS messages %llu",
		(unsigned long long)t->dhcp, (unsigned long long)t->option82,
		(unsigned long long)t->radius);
}

static void list_seen(const struct doctor_seen *seen, char *out, size_t size)
{
	char ip[IPV4_TEXT];
	size_t n = 0;

	out[0] = 0;
	for (size_t i = 0; i < seen->count && n < size; i++)
		n += (size_t)snprintf(
			out + n, size - n, "%s%s", i ? ", " : "", ipv4_format(seen->ip[i], ip));
}

/* Option 82 without a giaddr passes where a group lists no relays, or `l2` among them. */
static bool takes_snooped(const struct conf *conf)
{
	for (size_t i = 0; i < conf->group_count; i++)
		if (conf->groups[i].relay_count > 0 && !conf->groups[i].l2)
			return false;
	return true;
}

static void tell_no_relay(struct check *check, const char *capture, const struct doctor_traffic *t)
{
	if (t->snooped > 0)
		check_tell(check, takes_snooped(check->conf) ? CHECK_GOOD : CHECK_NOTE, "relay",
			capture, "none between us and the cameras: a switch inserts option 82",
			takes_snooped(check->conf) ? NULL : "add l2 to the 'relays' of its group");
	else if (t->direct > 0)
		check_tell(check, CHECK_NOTE, "relay", capture,
			"none between us and the cameras: they are heard as they ask, without "
			"option 82",
			"capture on dhcpd's side of the relay; where there is none, let the switch "
			"insert option 82 ('relays = l2')");
	else
		check_tell(check, CHECK_NOTE, "relay", capture,
			"not to be known: only renewals were seen, which go past a relay",
			"--seconds N waits longer, for a camera that starts");
}

static void tell_relay(struct check *check, const char *capture, const struct doctor_traffic *t)
{
	char relays[DOCTOR_SEEN_MAX * (IPV4_TEXT + 2)];

	list_seen(&t->relays, relays, sizeof(relays));
	if (t->relayed82 > 0)
		check_tellf(check, CHECK_GOOD, "relay", capture, NULL,
			"between us and the cameras: %s%s", relays,
			t->direct > 0 ? "; cameras are heard as they ask, too" : "");
	else if (t->relayed > 0)
		check_tellf(check, CHECK_NOTE, "relay", capture,
			"let it insert option 82: 'dhcrelay -a', 'ip dhcp relay information "
			"option' …",
			"between us and the cameras: %s, without option 82", relays);
	else
		tell_no_relay(check, capture, t);
}

static bool is_listed(const struct conf *conf, uint32_t relay)
{
	for (size_t i = 0; i < conf->group_count; i++) {
		const struct conf_group *group = &conf->groups[i];

		if (group->relay_count == 0 && !group->l2)
			return true;
		for (size_t j = 0; j < group->relay_count; j++)
			if (group->relays[j] == relay)
				return true;
	}
	return conf->group_count == 0;
}

static void tell_strangers(struct check *check, const char *capture, const struct doctor_traffic *t)
{
	char ip[IPV4_TEXT];

	for (size_t i = 0; i < t->relays.count; i++)
		if (!is_listed(check->conf, t->relays.ip[i]))
			check_tellf(check, CHECK_NOTE, "relay", capture,
				"add it to the 'relays' of its group, or ask who runs it",
				"%s is in no group's relays: cameras behind it are not provisioned",
				ipv4_format(t->relays.ip[i], ip));
	for (size_t i = 0; i < t->servers.count; i++)
		if (conf_server_by_id(check->conf, t->servers.ip[i]) < 0)
			check_tellf(check, CHECK_NOTE, "stranger", capture,
				"a rogue server, or one that needs a [server] section or its "
				"server-id",
				"%s answers cameras and is in no [server] section",
				ipv4_format(t->servers.ip[i], ip));
}

void doctor_traffic_tell(
	struct check *check, const char *capture, const struct doctor_traffic *traffic)
{
	tell_amount(check, capture, traffic);
	if (traffic->dhcp == 0)
		return;
	tell_relay(check, capture, traffic);
	tell_strangers(check, capture, traffic);
}
