/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "conf_read.h"
#include "tap82/err.h"

static void check_capture(struct conf_reader *r, const struct conf_capture *c)
{
	if (c->interface && c->file)
		conf_tell(r, CONF_CAPTURE, c->name, "file", 0,
			"a capture reads an interface or a file, not both");
	if (!c->interface && !c->file)
		conf_tell(r, CONF_CAPTURE, c->name, "interface", 0, "is missing (or: file)");
}

static void check_key(struct conf_reader *r, const struct conf_server *s)
{
	if (s->key_name && !s->key_file)
		conf_tell(
			r, CONF_SERVER, s->name, "key-file", 0, "is missing: there is a key-name");
	if (!s->key_name && s->key_file)
		conf_tell(
			r, CONF_SERVER, s->name, "key-name", 0, "is missing: there is a key-file");
}

static void check_server_pair(
	struct conf_reader *r, const struct conf_server *a, const struct conf_server *b)
{
	if (a->address && a->address == b->address && a->port == b->port)
		conf_tell(r, CONF_SERVER, b->name, "address", 0,
			"[server %s] has the same address and port", a->name);
	if (a->server_id && a->server_id == b->server_id)
		conf_tell(r, CONF_SERVER, b->name, "server-id", 0,
			"[server %s] has the same server identifier", a->name);
}

static void check_servers(struct conf_reader *r)
{
	struct conf *conf = r->conf;

	for (size_t i = 0; i < conf->server_count; i++) {
		struct conf_server *s = &conf->servers[i];

		if (s->server_id == 0)
			s->server_id = s->address;
		check_key(r, s);
		for (size_t j = 0; j < i; j++)
			check_server_pair(r, &conf->servers[j], s);
	}
}

static void check_subnet(struct conf_reader *r, size_t group, const struct prefix *p)
{
	char ip[IPV4_TEXT];

	for (size_t i = 0; i < group; i++) {
		const struct conf_group *other = &r->conf->groups[i];

		for (size_t j = 0; j < other->subnet_count; j++)
			if (other->subnets[j].ip == p->ip && other->subnets[j].len == p->len)
				conf_tell(r, CONF_GROUP, r->conf->groups[group].name, "subnets", 0,
					"%s/%u is a subnet of [group %s] too",
					ipv4_format(p->ip, ip), p->len, other->name);
	}
}

static void check_subnets(struct conf_reader *r, size_t group)
{
	const struct conf_group *g = &r->conf->groups[group];

	for (size_t i = 0; i < g->subnet_count; i++)
		check_subnet(r, group, &g->subnets[i]);
}

void conf_check(struct conf_reader *r)
{
	for (size_t i = 0; i < r->conf->capture_count; i++)
		check_capture(r, &r->conf->captures[i]);
	check_servers(r);
	for (size_t i = 0; i < r->conf->group_count; i++)
		check_subnets(r, i);
}
