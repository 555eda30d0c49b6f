/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "tap82/conf.h"

static void free_strings(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

static void free_captures(struct conf *conf)
{
	for (size_t i = 0; i < conf->capture_count; i++) {
		free(conf->captures[i].interface);
		free(conf->captures[i].file);
	}
	free(conf->captures);
}

static void free_servers(struct conf *conf)
{
	for (size_t i = 0; i < conf->server_count; i++) {
		free(conf->servers[i].key_name);
		free(conf->servers[i].key_file);
		free(conf->servers[i].key_algorithm);
	}
	free(conf->servers);
}

static void free_groups(struct conf *conf)
{
	for (size_t i = 0; i < conf->group_count; i++) {
		free(conf->groups[i].subnets);
		free(conf->groups[i].relays);
	}
	free(conf->groups);
}

static void free_layouts(struct conf *conf)
{
	for (size_t i = 0; i < conf->layout_count; i++) {
		free(conf->layouts[i].circuit_id);
		free(conf->layouts[i].remote_id);
	}
	free(conf->layouts);
}

static void free_webhooks(struct conf *conf)
{
	for (size_t i = 0; i < conf->webhook_count; i++) {
		free(conf->webhooks[i].url);
		free_strings(conf->webhooks[i].events, conf->webhooks[i].event_count);
		free(conf->webhooks[i].token_file);
		free(conf->webhooks[i].ca_file);
	}
	free(conf->webhooks);
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	free_captures(conf);
	free_servers(conf);
	free_groups(conf);
	free_layouts(conf);
	free_webhooks(conf);
	free(conf->switches);
	free_strings(conf->listen, conf->listen_count);
	free(conf->path);
	free(conf->state);
	free(conf->devices);
	free(conf->host_prefix);
	free(conf->api_token_file);
	free(conf->metrics_listen);
	free(conf->event_log);
	free(conf->user);
	free(conf);
}
