/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "client.h"
#include "progress.h"
#include "setup.h"
#include "tap82/log.h"

#define DEFAULT_LEASES "/var/lib/dhcp/dhcpd.leases"
#define DEFAULT_PREFIX "tap82-"

const struct cli_option command_reconcile_options[] = {
	{"fix", 0, NULL, "mend what is ours (without: only look)"},
	{"leases", 0, "FILE", "dhcpd.leases, to find hosts of ours that no device has"},
	{0},
};

/* A MAC that may have a host of ours. */
struct suspect {
	char mac[MAC_TEXT];
	UT_hash_handle hh;
};

struct work {
	const struct cli *cli;
	struct suspect *suspects;
	struct table *table;
	size_t ours; /* findings of ours that remain */
	bool failed;
	struct progress progress;
};

static void suspect_add(struct work *work, const char *mac)
{
	struct suspect *s;

	HASH_FIND_STR(work->suspects, mac, s);
	if (s)
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	snprintf(s->mac, sizeof(s->mac), "%s", mac);
	HASH_ADD_STR(work->suspects, mac, s);
}

static void suspect_remove(struct work *work, const char *mac)
{
	struct suspect *s;

	HASH_FIND_STR(work->suspects, mac, s);
	if (!s)
		return;
	HASH_DEL(work->suspects, s);
	free(s);
}

/* --- dhcpd.leases: "host NAME {", "deleted;", "}"; what comes later counts ------------------- */

struct host {
	char mac[MAC_TEXT];
	bool open, deleted;
};

/* Our hosts carry their MAC in their name. */
static bool host_begins(struct host *host, const char *line, const char *prefix)
{
	char name[128];
	struct mac mac;
	size_t len = strlen(prefix);

	if (sscanf(line, "host %127s", name) != 1 || strncmp(name, prefix, len) != 0 ||
		mac_parse(name + len, strlen(name + len), &mac) < 0)
		return false;
	*host = (struct host){.open = true};
	mac_format(&mac, host->mac);
	return true;
}

static void read_leases(struct work *work, const char *path, const char *prefix)
{
	FILE *f = fopen(path, "re");
	struct host host = {0};
	char line[512];

	if (!f) {
		if (cli_has(work->cli, "leases"))
			log_error("%s: cannot be read: %s", path, strerror(errno));
		work->failed |= cli_has(work->cli, "leases");
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		if (host_begins(&host, line, prefix))
			continue;
		if (host.open && strstr(line, "deleted;"))
			host.deleted = true;
		if (!host.open || line[0] != '}')
			continue;
		host.open = false;
		if (host.deleted)
			suspect_remove(work, host.mac);
		else
			suspect_add(work, host.mac);
	}
	fclose(f);
}

static void find_suspects(struct work *work)
{
	const char *path = cli_option(work->cli, "leases"), *prefix = DEFAULT_PREFIX;
	struct conf *conf = setup_conf(work->cli->conf_path);

	if (conf)
		prefix = conf->host_prefix;
	read_leases(work, path ? path : DEFAULT_LEASES, prefix);
	conf_free(conf);
}

static int add_unknown(void *ctx, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);
	char *mac = client_text(json, "mac");

	if (mac)
		suspect_add(ctx, mac);
	free(mac);
	json_decref(json);
	return 0;
}

/* --- Findings -------------------------------------------------------------------------------- */

static void judge(struct work *work, const json_t *json)
{
	const char *finding = json_string_value(json_object_get(json, "finding"));
	const char *error = json_string_value(json_object_get(json, "error"));
	const char *server = json_string_value(json_object_get(json, "server"));

	if (error) {
		log_error("server %s: %s", server ? server : "?", error);
		work->failed = true;
	} else if (finding && strcmp(finding, "foreign") != 0 &&
		   !json_is_true(json_object_get(json, "fixed"))) {
		work->ours++;
	}
}

/* {"checked", "of"}: not a finding. */
static bool take_progress(struct work *work, const json_t *json)
{
	const json_t *checked = json_object_get(json, "checked");
	struct progress_state state = {.done = (uint64_t)json_integer_value(checked),
		.total = (uint64_t)json_integer_value(json_object_get(json, "of")),
		.count = (uint64_t)json_integer_value(checked)};

	if (checked)
		progress_show(&work->progress, &state);
	else
		progress_end(&work->progress);
	return checked != NULL;
}

static int take_finding(void *ctx, const char *line)
{
	static const char *const paths[] = {"mac", "ip", "server", "finding", "fixed", "detail"};
	struct work *work = ctx;
	json_t *json = json_loads(line, 0, NULL);
	char *cells[6];

	if (take_progress(work, json)) {
		json_decref(json);
		return 0;
	}
	judge(work, json);
	if (work->cli->json) {
		if (!json_object_get(json, "error"))
			puts(line);
	} else if (!json_object_get(json, "error")) {
		for (size_t i = 0; i < 6; i++)
			cells[i] = client_text(json, paths[i]);
		table_add(work->table, (const char *const *)cells);
		for (size_t i = 0; i < 6; i++)
			free(cells[i]);
	}
	json_decref(json);
	return 0;
}

static char *suspects_json(struct work *work)
{
	json_t *list = json_array();
	struct suspect *s, *next;
	char *text;

	HASH_ITER (hh, work->suspects, s, next) {
		json_array_append_new(list, json_string(s->mac));
		HASH_DEL(work->suspects, s);
		free(s);
	}
	text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return text;
}

static int ask(struct work *work)
{
	char *body = suspects_json(work), path[64] = "/v1/reconcile";
	struct client_request request = {
		.method = "POST", .path = path, .body = body, .forever = true};
	int r = EXIT_FAILED;

	progress_begin(&work->progress, "reconcile", "reservations",
		!work->cli->json || !isatty(STDOUT_FILENO));
	if (cli_has(work->cli, "fix"))
		client_query(path, sizeof(path), "fix", "1");
	if (work->progress.wanted)
		client_query(path, sizeof(path), "progress", "1");
	if (body)
		r = client_call(work->cli, &request, take_finding, work);
	progress_end(&work->progress);
	free(body);
	return r;
}

int command_reconcile(struct cli *cli)
{
	static const char *const titles[] = {"MAC", "IP", "SERVER", "FINDING", "FIXED", "DETAIL"};
	struct client_request unknown = {.method = "GET", .path = "/v1/unknown"};
	struct work work = {.cli = cli, .table = table_new(titles, 6)};
	int r;

	if (cli->arg_count > 0 || !work.table) {
		table_free(work.table);
		return cli_usage(cli, "takes no operands");
	}
	find_suspects(&work);
	r = client_call(cli, &unknown, add_unknown, &work);
	if (r == EXIT_DONE)
		r = ask(&work);
	if (r == EXIT_DONE && !cli->json && table_rows(work.table) > 0)
		table_print(work.table, stdout, table_width(stdout), table_colour(stdout));
	else if (r == EXIT_DONE && !cli->json && !work.failed)
		puts("table and dhcpd agree");
	table_free(work.table);
	return r == EXIT_DONE && (work.ours > 0 || work.failed) ? EXIT_FAILED : r;
}
