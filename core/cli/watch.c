/* SPDX-License-Identifier: ISC
 *
 * What a running tap82 sees and does: status, unknown, reservations, events, explain.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/log.h"

/* The value at a path, if there is one, and what goes before it. */
static void print_field(const json_t *json, const char *before, const char *path)
{
	char *text = client_text(json, path), *clean = text ? table_clean(text) : NULL;

	if (clean)
		printf("%s%s", before, clean);
	free(clean);
	free(text);
}

/* --- unknown, reservations, explain ---------------------------------------------------------- */

int command_unknown(struct cli *cli)
{
	static const struct client_column shown[] = {
		{"MAC", "mac"},
		{"IP", "ip"},
		{"LAST SEEN", "last_seen"},
		{"SERVER", "server"},
		{"RELAY", "relay"},
		{"CIRCUIT-ID",
			"option82.circuit_id_text|option82.circuit_id|place.nas_port_id_text"},
		{"REMOTE-ID", "option82.remote_id_text|option82.remote_id|place.nas_ip"},
		{"HOSTNAME", "hostname"},
		{"VENDOR", "vendor_class"},
	};

	if (cli->arg_count > 0)
		return cli_usage(cli, "%s: takes no operands", cli->args[0]);
	return client_list(
		cli, "/v1/unknown", shown, sizeof(shown) / sizeof(shown[0]), "no unknown MACs");
}

static int change_reservation(struct cli *cli, const char *verb)
{
	char mac[MAC_TEXT], path[64];
	struct client_request request = {.method = "POST", .path = path, .object = mac};
	int r = client_mac(cli, cli->args[1], mac);

	if (r)
		return r;
	snprintf(path, sizeof(path), "/v1/reservations/%s/%s", mac, verb);
	return client_show(cli, &request);
}

int command_reservations(struct cli *cli)
{
	static const struct client_column shown[] = {
		{"MAC", "mac"},
		{"IP", "ip"},
		{"SERVER", "server"},
		{"MODE", "mode"},
		{"STATE", "state"},
		{"TRIES", "tries"},
		{"NAME", "name"},
		{"ERROR", "error"},
	};
	const char *verb = cli->arg_count > 0 ? cli->args[0] : "list";

	if (strcmp(verb, "retry") == 0 || strcmp(verb, "release") == 0)
		return change_reservation(cli, verb);
	if (strcmp(verb, "list") != 0)
		return cli_usage(cli, "%s: must be list, retry or release", verb);
	return client_list(cli, "/v1/reservations", shown, sizeof(shown) / sizeof(shown[0]),
		"no reservations");
}

/* The step's evidence on one line: "ip 10.0.0.1, port.layout cisco". */
static void print_evidence(const json_t *evidence, const char *prefix, bool *first)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)evidence, key, value)
	{
		char path[128], *text, *clean;

		snprintf(path, sizeof(path), "%s%s", prefix, key);
		if (json_is_object(value)) {
			strncat(path, ".", sizeof(path) - strlen(path) - 1);
			print_evidence(value, path, first);
			continue;
		}
		if (json_is_array(value) && json_array_size(value) == 0)
			continue;
		text = client_text(evidence, key);
		clean = text ? table_clean(text) : NULL;
		printf("%s%s %s", *first ? "      " : ", ", path, clean ? clean : "");
		*first = false;
		free(clean);
		free(text);
	}
}

static void print_step(const json_t *step)
{
	char *n = client_text(step, "n"), *question = client_text(step, "question"),
	     *answer = client_text(step, "answer");
	bool first = true;

	printf("%3s  %s  %s\n", n ? n : "", question ? question : "", answer ? answer : "");
	print_evidence(json_object_get(step, "evidence"), "", &first);
	if (!first)
		putchar('\n');
	free(n);
	free(question);
	free(answer);
}

static int print_explanation(void *ctx, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);
	const json_t *step;
	bool first = true;
	size_t i;

	(void)ctx;
	print_field(json, "", "mac");
	print_field(json, ": ", "state");
	print_field(json, ": ", "verdict");
	putchar('\n');
	json_array_foreach(json_object_get(json, "steps"), i, step) print_step(step);
	json_object_del(json, "mac");
	json_object_del(json, "state");
	json_object_del(json, "steps");
	print_field(json, "next: ", "next");
	putchar('\n');
	json_object_del(json, "verdict");
	json_object_del(json, "next");
	print_evidence(json, "", &first);
	if (!first)
		putchar('\n');
	json_decref(json);
	return 0;
}

int command_explain(struct cli *cli)
{
	char mac[MAC_TEXT], path[64];
	struct client_request request = {.method = "GET", .path = path, .object = mac};
	int r = client_mac(cli, cli->args[0], mac);

	if (r)
		return r;
	snprintf(path, sizeof(path), "/v1/devices/%s/explain", mac);
	return cli->json ? client_show(cli, &request)
			 : client_call(cli, &request, print_explanation, NULL);
}

/* --- events ---------------------------------------------------------------------------------- */

const struct cli_option command_events_options[] = {
	{"follow", 'f', NULL, "go on with those that happen from now on"},
	{"since", 0, "TIME",
		"from this time: 2026-01-02T03:04:05Z, seconds since 1970, or 10m, 2h"},
	{"after", 0, "ID", "behind the event with this id"},
	{"mac", 0, "MAC", "of this camera"},
	{"event", 0, "CODE", "of this kind, e.g. dhcp.ip_allocation"},
	{"limit", 0, "N", "the newest N; with --after the next N"},
	{0},
};

#define AWAY_MAX 60 /* seconds that tap82 run may be away under a reader of events */

struct printing {
	bool json, colour, eager;
	char last[64]; /* the id of the event printed last */
};

static const char *colour_of(const char *severity)
{
	if (severity && strcmp(severity, "error") == 0)
		return "\033[31m";
	return severity && strcmp(severity, "warning") == 0 ? "\033[33m" : "";
}

static void print_event(const struct printing *p, const json_t *json)
{
	const char *severity = json_string_value(json_object_get(json, "severity"));
	const char *time = json_string_value(json_object_get(json, "time"));
	const char *colour = p->colour ? colour_of(severity) : "";

	printf("%.10s %.12s  %s", time ? time : "", time && strlen(time) > 11 ? time + 11 : "",
		colour);
	print_field(json, "", "title");
	fputs(*colour ? "\033[0m" : "", stdout);
	print_field(json, "  mac=", "mac");
	print_field(json, " ip=", "ip");
	print_field(json, " name=", "device.name");
	print_field(json, " server=", "server");
	print_field(json, " reason=", "reason");
	print_field(json, " ", "detail");
	putchar('\n');
}

/* The record's own id: nothing before it can hold its key. */
static void keep_id(struct printing *p, const char *line)
{
	const char *at = strstr(line, "\"id\":\"");

	if (at)
		snprintf(p->last, sizeof(p->last), "%.*s", (int)strcspn(at + 6, "\""), at + 6);
}

static int take_event(void *ctx, const char *line)
{
	struct printing *p = ctx;
	json_t *json;

	keep_id(p, line);
	if (p->json) {
		puts(line);
	} else {
		json = json_loads(line, 0, NULL);
		print_event(p, json);
		json_decref(json);
	}
	if (p->eager)
		fflush(stdout);
	return ferror(stdout);
}

/* Ten minutes ago is easier to say than when that was. */
static int add_since(struct cli *cli, char *path, size_t size)
{
	const char *since = cli_option(cli, "since");
	char text[TIME_TEXT];
	int64_t ago, at;

	if (!since)
		return 0;
	if (time_parse(since, &at) < 0) {
		if (duration_parse(since, &ago) < 0)
			return cli_usage(
				cli, "--since: %s: is neither a time nor a duration", since);
		at = clock_wall() - ago;
	}
	client_query(path, size, "since", time_format(at, text));
	return 0;
}

/* Which events: all that are kept, unless it is said otherwise. */
static int add_wishes(struct cli *cli, char *path, size_t size)
{
	static const char *const names[] = {"mac", "event", "limit"};
	int r = add_since(cli, path, size);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (cli_has(cli, names[i]))
			client_query(path, size, names[i], cli_option(cli, names[i]));
	if (cli_has(cli, "follow"))
		client_query(path, size, "follow", "1");
	else if (!cli_has(cli, "limit"))
		client_query(path, size, "limit", "0");
	return r;
}

/* Where to begin, or to go on where the connection was cut. */
static void add_place(
	const struct cli *cli, const struct printing *p, int64_t started, char *path, size_t size)
{
	const char *after = p->last[0] ? p->last : cli_option(cli, "after");
	char text[TIME_TEXT];

	if (after)
		client_query(path, size, "after", after);
	else if (!cli_has(cli, "follow") && !cli_has(cli, "limit"))
		client_query(path, size, "after", "");
	else if (started)
		client_query(path, size, "since", time_format(started, text));
}

/* A reader that was too slow, or tap82 that was started anew: what follows the last one printed is
 * asked for again, so that nothing is missed. */
static int read_events(struct cli *cli, const char *wishes, struct printing *p)
{
	int64_t started = clock_wall();
	int away = 0, r;
	bool cut;

	do {
		char path[768], before[sizeof(p->last)];
		struct client_request request = {.method = "GET",
			.path = path,
			.object = cli_option(cli, "after"),
			.forever = true,
			/* Of the newest N there is no rest to ask for. */
			.cut = cli_has(cli, "limit") && !p->eager ? NULL : &cut,
			.again = away > 0 && away < AWAY_MAX};

		cut = false;
		snprintf(path, sizeof(path), "%s", wishes);
		memcpy(before, p->last, sizeof(before));
		add_place(cli, p, away && !cli_has(cli, "since") ? started : 0, path, sizeof(path));
		r = client_call(cli, &request, take_event, p);
		if (cut && away == 0)
			log_warning("events: the connection ended: trying again");
		away = strcmp(before, p->last) == 0 ? away + 1 : 1;
		if (cut)
			sleep(1);
	} while (cut && away <= AWAY_MAX);
	return r;
}

int command_events(struct cli *cli)
{
	char path[512] = "/v1/events";
	struct printing p = {
		.json = cli->json, .colour = table_colour(stdout), .eager = cli_has(cli, "follow")};
	int r;

	if (cli->arg_count > 0)
		return cli_usage(cli, "%s: takes no operands", cli->args[0]);
	r = add_wishes(cli, path, sizeof(path));
	return r ? r : read_events(cli, path, &p);
}

/* --- status ---------------------------------------------------------------------------------- */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void print_part(const json_t *list, const struct client_column *columns, size_t count)
{
	const char *titles[16];
	struct table *table;
	const json_t *one;
	size_t i;

	for (i = 0; i < count; i++)
		titles[i] = columns[i].title;
	table = table_new(titles, count);
	json_array_foreach(list, i, one)
	{
		char *cells[16];

		for (size_t c = 0; c < count; c++)
			cells[c] = client_text(one, columns[c].path);
		table_add(table, (const char *const *)cells);
		for (size_t c = 0; c < count; c++)
			free(cells[c]);
	}
	if (table_rows(table) > 0) {
		table_print(table, stdout, table_width(stdout), table_colour(stdout));
		putchar('\n');
	}
	table_free(table);
}

static const struct client_column captures[] = {
	{"CAPTURE", "name"},
	{"ON", "interface|file"},
	{"STATE", "state"},
	{"PACKETS", "packets"},
	{"DROPS", "drops"},
	{"DHCP", "dhcp"},
	{"RADIUS", "radius"},
	{"MALFORMED", "malformed"},
	{"RESTARTS", "restarts"},
	{"ERROR", "error"},
};

static const struct client_column servers[] = {
	{"SERVER", "name"},
	{"ADDRESS", "address"},
	{"STATE", "state"},
	{"QUEUE", "queue"},
	{"ROUND TRIP ms", "round_trip_ms"},
	{"DONE", "done"},
	{"REFUSED", "refused"},
	{"ERROR", "error"},
};

static const struct client_column webhooks[] = {
	{"WEBHOOK", "name"},
	{"QUEUE", "queue"},
	{"SENT", "sent"},
	{"RETRIES", "retries"},
	{"REJECTED", "rejected"},
	{"ERROR", "error"},
};

static void print_tables(const json_t *json)
{
	const char *key, *gap = "";
	json_t *value;

	json_object_foreach(json_object_get(json, "tables"), key, value)
	{
		printf("%s%s %lld", gap, key, (long long)json_integer_value(value));
		gap = "   ";
	}
	printf("   holds %lld\n\n", (long long)json_integer_value(json_object_get(json, "holds")));
}

static int print_status(void *ctx, const char *line)
{
	struct printing p = {.colour = table_colour(stdout)};
	json_t *json = json_loads(line, 0, NULL);
	const json_t *event;
	size_t i;

	(void)ctx;
	print_field(json, "tap82 ", "version");
	print_field(json, ", running since ", "started");
	print_field(json, ", store ", "store.state");
	fputs("\n\n", stdout);
	print_part(json_object_get(json, "captures"), captures, COUNT(captures));
	print_part(json_object_get(json, "servers"), servers, COUNT(servers));
	print_part(json_object_get(json, "webhooks"), webhooks, COUNT(webhooks));
	print_tables(json);
	json_array_foreach(json_object_get(json, "events"), i, event) print_event(&p, event);
	json_decref(json);
	return 0;
}

int command_status(struct cli *cli)
{
	struct client_request request = {.method = "GET", .path = "/v1/status"};

	if (cli->arg_count > 0)
		return cli_usage(cli, "%s: takes no operands", cli->args[0]);
	return cli->json ? client_show(cli, &request)
			 : client_call(cli, &request, print_status, NULL);
}
