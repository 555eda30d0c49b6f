/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_read.h"
#include "tap82/err.h"
#include "tap82/event.h"

#define ITEM_MAX 256

typedef int (*item_fn)(struct conf_reader *r, const char *item, void *object);

/* Calls fn for each item of "a, b, c"; an empty text has none. */
static int each_item(struct conf_reader *r, const char *text, item_fn fn, void *object)
{
	char item[ITEM_MAX];
	int e = 0;

	for (const char *p = text, *next; *text && p && e == 0; p = next) {
		const char *end = strchrnul(p, ',');

		next = *end ? end + 1 : NULL;
		while (p < end && isspace((unsigned char)*p))
			p++;
		while (end > p && isspace((unsigned char)end[-1]))
			end--;
		if (end == p)
			return conf_wrong(r, "an item of the list is empty");
		if (end - p >= ITEM_MAX)
			return conf_wrong(r, "an item is longer than %d bytes", ITEM_MAX - 1);
		memcpy(item, p, (size_t)(end - p));
		item[end - p] = 0;
		e = fn(r, item, object);
	}
	return e;
}

/* Room for one more. */
static void *append(void *array, size_t *count, size_t size)
{
	char **base = array, *bigger;

	if ((*count & (*count - 1)) == 0) {
		bigger = reallocarray(*base, *count ? 2 * *count : 1, size);
		if (!bigger)
			return NULL;
		*base = bigger;
	}
	return *base + (*count)++ * size;
}

static int add_string(char ***array, size_t *count, const char *item)
{
	char *copy = strdup(item), **place;

	if (!copy)
		return -ENOMEM;
	place = append(array, count, sizeof(*place));
	if (!place) {
		free(copy);
		return -ENOMEM;
	}
	*place = copy;
	return 0;
}

static bool has_string(char *const *array, size_t count, const char *item)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(array[i], item) == 0)
			return true;
	return false;
}

static int twice(struct conf_reader *r, const char *item)
{
	return conf_wrong(r, "'%s' stands twice", item);
}

static int listen_item(struct conf_reader *r, const char *item, void *object)
{
	struct conf *conf = object;
	int e = conf_check_listen(r, item);

	if (e < 0)
		return e;
	if (has_string(conf->listen, conf->listen_count, item))
		return twice(r, item);
	return add_string(&conf->listen, &conf->listen_count, item);
}

int conf_value_listen(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	(void)key;
	return each_item(r, text, listen_item, object);
}

static int vlan_item(struct conf_reader *r, const char *item, void *object)
{
	struct conf_capture *capture = object;
	char *end;
	long v = strtol(item, &end, 10);

	if (!isdigit((unsigned char)*item) || *end || v < 1 || v > 4094)
		return conf_wrong(r, "'%s' is no VLAN (1 to 4094)", item);
	for (size_t i = 0; i < capture->vlan_count; i++)
		if (capture->vlans[i] == v)
			return twice(r, item);
	if (capture->vlan_count == CONF_VLANS_MAX)
		return conf_wrong(r, "more than %d VLANs", CONF_VLANS_MAX);
	capture->vlans[capture->vlan_count++] = (uint16_t)v;
	return 0;
}

int conf_value_vlans(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	(void)key;
	return each_item(r, text, vlan_item, object);
}

static int tunnel_item(struct conf_reader *r, const char *item, void *object)
{
	static const struct {
		const char *word;
		enum conf_tunnel bit;
	} tunnels[] = {
		{"gre", CONF_TUNNEL_GRE},
		{"erspan", CONF_TUNNEL_ERSPAN},
		{"vxlan", CONF_TUNNEL_VXLAN},
		{"tzsp", CONF_TUNNEL_TZSP},
	};
	struct conf_capture *capture = object;

	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		if (strcasecmp(item, tunnels[i].word) != 0)
			continue;
		if (capture->tunnels & tunnels[i].bit)
			return twice(r, item);
		capture->tunnels |= tunnels[i].bit;
		return 0;
	}
	return conf_wrong(r, "'%s' is none of none, gre, erspan, vxlan, tzsp", item);
}

int conf_value_tunnels(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	(void)key;
	if (strcasecmp(text, "none") == 0)
		return 0;
	return each_item(r, text, tunnel_item, object);
}

static int subnet_item(struct conf_reader *r, const char *item, void *object)
{
	struct conf_group *group = object;
	struct prefix prefix, *place;
	int e = prefix_parse(item, strlen(item), &prefix);

	if (e == ERR_RANGE)
		return conf_wrong(r, "'%s' has host bits behind its prefix length", item);
	if (e < 0)
		return conf_wrong(r, "'%s' is no subnet (like 10.20.0.0/16)", item);
	for (size_t i = 0; i < group->subnet_count; i++)
		if (group->subnets[i].ip == prefix.ip && group->subnets[i].len == prefix.len)
			return twice(r, item);
	place = append(&group->subnets, &group->subnet_count, sizeof(*place));
	if (!place)
		return -ENOMEM;
	*place = prefix;
	return 0;
}

int conf_value_subnets(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	(void)key;
	return each_item(r, text, subnet_item, object);
}

static int relay_item(struct conf_reader *r, const char *item, void *object)
{
	struct conf_group *group = object;
	uint32_t ip, *place;

	if (strcasecmp(item, "l2") == 0) {
		if (group->l2)
			return twice(r, item);
		group->l2 = true;
		return 0;
	}
	if (ipv4_parse(item, strlen(item), &ip) < 0 || ip == 0)
		return conf_wrong(r, "'%s' is neither a relay's address nor l2", item);
	for (size_t i = 0; i < group->relay_count; i++)
		if (group->relays[i] == ip)
			return twice(r, item);
	place = append(&group->relays, &group->relay_count, sizeof(*place));
	if (!place)
		return -ENOMEM;
	*place = ip;
	return 0;
}

int conf_value_relays(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	(void)key;
	return each_item(r, text, relay_item, object);
}

static int server_item(struct conf_reader *r, const char *item, void *object)
{
	struct conf_group *group = object;
	int server = conf_server_by_name(r->conf, item);

	if (server < 0)
		return conf_wrong(r, "there is no section [server %s]", item);
	for (size_t i = 0; i < group->server_count; i++)
		if (group->servers[i] == server)
			return twice(r, item);
	if (group->server_count == CONF_GROUP_SERVERS_MAX)
		return conf_wrong(r, "more than %d servers", CONF_GROUP_SERVERS_MAX);
	group->servers[group->server_count++] = (uint8_t)server;
	return 0;
}

int conf_value_servers(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	(void)key;
	/* Where there is but one server, a group need not name it. */
	if (!*text && r->conf->server_count == 1)
		text = r->conf->servers[0].name;
	if (!*text)
		return conf_wrong(r, "is missing");
	return each_item(r, text, server_item, object);
}

static int event_item(struct conf_reader *r, const char *item, void *object)
{
	struct conf_webhook *webhook = object;

	if (event_code_parse(item) == EVENT_NONE)
		return conf_wrong(r, "there is no event '%s'", item);
	if (has_string(webhook->events, webhook->event_count, item))
		return twice(r, item);
	return add_string(&webhook->events, &webhook->event_count, item);
}

int conf_value_events(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	(void)key;
	if (strcmp(text, "all") == 0)
		return 0;
	if (!*text)
		return conf_wrong(r, "names no event");
	return each_item(r, text, event_item, object);
}
