/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "progress.h"
#include "setup.h"
#include "tap82/err.h"
#include "tap82/inventory.h"
#include "tap82/log.h"

#define BATCH 500 /* devices of one request: well below the API's limit for a body */

const struct cli_option command_devices_options[] = {
	{"state", 0, "new|reserving|provisioned|failed", "list: only devices in this state"},
	{"force", 0, NULL, "reload: also a file that removes more than a tenth of the devices"},
	{0},
};

static const char *const columns[] = {
	"mac", "serial_number", "uuid", "name", "ip", "circuit_id", "remote_id", "group"};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static int list(struct cli *cli)
{
	static const struct client_column shown[] = {
		{"MAC", "mac"},
		{"IP", "ip"},
		{"STATE", "state"},
		{"SERIAL", "serial_number"},
		{"NAME", "name"},
		{"GROUP", "group"},
		{"CIRCUIT-ID", "profile.option82.circuit_id_text|profile.option82.circuit_id"},
		{"REMOTE-ID", "profile.option82.remote_id_text|profile.option82.remote_id"},
		{"STREAMS", "manual_streams"},
		{"LAST SEEN", "last_seen"},
	};
	char path[128] = "/v1/devices";

	if (cli_has(cli, "state"))
		client_query(path, sizeof(path), "state", cli_option(cli, "state"));
	return client_list(cli, path, shown, sizeof(shown) / sizeof(shown[0]), "no devices");
}

static int on_device(struct cli *cli, const char *method, const char *body)
{
	char mac[MAC_TEXT], path[64];
	struct client_request request = {
		.method = method, .path = path, .object = mac, .body = body};
	int r = client_mac(cli, cli->args[1], mac);

	if (r)
		return r;
	snprintf(path, sizeof(path), "/v1/devices/%s", mac);
	return client_show(cli, &request);
}

static int show(struct cli *cli)
{
	return on_device(cli, "GET", NULL);
}

static int remove_one(struct cli *cli)
{
	return on_device(cli, "DELETE", NULL);
}

/* The file that the configuration names, by the running tap82. */
static int reload(struct cli *cli)
{
	struct client_request request = {.method = "POST",
		.path = cli_has(cli, "force") ? "/v1/reload?force=1" : "/v1/reload"};

	if (cli->arg_count != 1)
		return cli_usage(cli, "reload takes no operand: it reads the configured file");
	return client_show(cli, &request);
}

/* MAC serial_number=… name=… …: the columns of devices.csv, and replaces=MAC. */
static int add(struct cli *cli)
{
	json_t *json = json_object();
	char *body;
	int r;

	for (int i = 2; i < cli->arg_count; i++) {
		const char *equals = strchr(cli->args[i], '=');
		char name[32];

		if (!equals || equals - cli->args[i] >= (int)sizeof(name)) {
			json_decref(json);
			return cli_usage(cli, "%s: is no KEY=VALUE", cli->args[i]);
		}
		snprintf(name, sizeof(name), "%.*s", (int)(equals - cli->args[i]), cli->args[i]);
		json_object_set_new(json, name, json_string(equals + 1));
	}
	body = json_dumps(json, 0);
	json_decref(json);
	r = body ? on_device(cli, "PUT", body) : EXIT_WRONG_USAGE;
	free(body);
	return r;
}

/* --- Export ---------------------------------------------------------------------------------- */

/* RFC 4180 2.6, 2.7. */
static void put_csv(const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static int export_row(void *ctx, const char *line)
{
	static const char *const paths[] = {"mac", "serial_number", "uuid", "name", "ip",
		"profile.option82.circuit_id", "profile.option82.remote_id", "group"};
	json_t *json = json_loads(line, 0, NULL);

	(void)ctx;
	for (size_t i = 0; i < COLUMNS; i++) {
		char *text = client_text(json, paths[i]);

		if (i > 0)
			putchar(',');
		put_csv(text ? text : "");
		free(text);
	}
	fputs("\r\n", stdout);
	json_decref(json);
	return ferror(stdout);
}

static int export_line(void *ctx, const char *line)
{
	(void)ctx;
	return puts(line) < 0;
}

static int export(struct cli *cli)
{
	struct client_request request = {.method = "GET", .path = "/v1/devices"};

	if (cli->json)
		return client_call(cli, &request, export_line, NULL);
	for (size_t i = 0; i < COLUMNS; i++)
		printf("%s%s", i ? "," : "", columns[i]);
	fputs("\r\n", stdout);
	return client_call(cli, &request, export_row, NULL);
}

/* --- Import ---------------------------------------------------------------------------------- */

struct import {
	struct cli *cli;
	size_t done, total;
	uint64_t created, changed;
	struct progress progress;
};

static void set_text(json_t *json, const char *name, const char *text)
{
	if (text && *text)
		json_object_set_new(json, name, json_string(text));
}

static void set_bytes(json_t *json, const char *name, const uint8_t *bytes, uint8_t len)
{
	char text[2 * 255 + 3] = "0x";

	if (bytes)
		json_object_set_new(
			json, name, json_string((hex_format(bytes, len, text + 2), text)));
}

static json_t *row_json(const struct inventory_row *row)
{
	json_t *json = json_object();
	char mac[MAC_TEXT], ip[IPV4_TEXT];

	set_text(json, "mac", mac_format(&row->mac, mac));
	set_text(json, "serial_number", row->serial_number);
	set_text(json, "uuid", row->uuid);
	set_text(json, "name", row->name);
	set_text(json, "group", row->group);
	set_text(json, "ip", row->ip ? ipv4_format(row->ip, ip) : "");
	set_bytes(json, "circuit_id", row->circuit_id, row->circuit_id_len);
	set_bytes(json, "remote_id", row->remote_id, row->remote_id_len);
	return json;
}

static int count(void *ctx, const char *line)
{
	struct import *import = ctx;
	json_t *json = json_loads(line, 0, NULL);

	import->created += (uint64_t)json_integer_value(json_object_get(json, "created"));
	import->changed += (uint64_t)json_integer_value(json_object_get(json, "changed"));
	json_decref(json);
	return 0;
}

static void show_progress(struct import *import)
{
	struct progress_state state = {
		.done = import->done, .total = import->total, .count = import->done};

	if (progress_due(&import->progress))
		progress_show(&import->progress, &state);
}

static int send_batch(struct import *import, const struct inventory_row *rows, size_t n)
{
	struct client_request request = {.method = "POST", .path = "/v1/devices"};
	json_t *list_json = json_array();
	char *body;
	int r = EXIT_FAILED;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list_json, row_json(&rows[i]));
	body = json_dumps(list_json, JSON_COMPACT);
	json_decref(list_json);
	request.body = body;
	if (body)
		r = client_call(import->cli, &request, count, import);
	free(body);
	import->done += n;
	show_progress(import);
	return r;
}

static int send_all(struct import *import, const struct inventory_row *rows)
{
	int r = EXIT_DONE;

	progress_begin(&import->progress, import->cli->args[1], "devices", true);
	for (size_t i = 0; i < import->total && r == EXIT_DONE; i += BATCH)
		r = send_batch(
			import, rows + i, import->total - i < BATCH ? import->total - i : BATCH);
	progress_end(&import->progress);
	return r;
}

static void report(const struct import *import)
{
	printf(import->cli->json ? "{\"created\":%llu,\"changed\":%llu}\n"
				 : "%llu created, %llu changed\n",
		(unsigned long long)import->created, (unsigned long long)import->changed);
}

/* The file is checked whole before the first device is sent. */
static int import_file(struct cli *cli)
{
	struct import import = {.cli = cli};
	struct conf *conf;
	struct inventory *inventory = NULL;
	const struct inventory_row *rows;
	int r;

	if (cli->arg_count != 2)
		return cli_usage(cli, "import needs a FILE");
	conf = setup_conf(cli->conf_path);
	if (!conf)
		return EXIT_WRONG_USAGE;
	r = inventory_open(cli->args[1], conf, setup_log_problem, NULL, &inventory);
	while (r >= 0 && (r = inventory_step(inventory, 10000)) > 0)
		;
	if (r == 0) {
		rows = inventory_rows(inventory, &import.total);
		r = send_all(&import, rows);
		if (r == EXIT_DONE)
			report(&import);
	} else {
		r = EXIT_FAILED;
	}
	inventory_free(inventory);
	conf_free(conf);
	return r;
}

static const struct {
	const char *word;
	int (*run)(struct cli *cli);
} verbs[] = {
	{"list", list},
	{"show", show},
	{"import", import_file},
	{"export", export},
	{"add", add},
	{"remove", remove_one},
	{"reload", reload},
};

int command_devices(struct cli *cli)
{
	if (cli->arg_count == 0)
		return list(cli);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(cli->args[0], verbs[i].word) == 0)
			return verbs[i].run(cli);
	return cli_usage(
		cli, "%s: must be list, show, import, export, add, remove or reload", cli->args[0]);
}
