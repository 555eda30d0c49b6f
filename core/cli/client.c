/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "setup.h"
#include "tap82/addr.h"
#include "tap82/curl.h"
#include "tap82/err.h"
#include "tap82/log.h"

#define DEFAULT_SOCKET "/run/tap82/tap82.sock"
#define TIME_LIMIT     120L /* seconds for an answer that ends */

struct answer {
	CURL *curl;
	const struct client_request *request;
	client_line_fn fn;
	void *ctx;
	char *line; /* what came of a line so far */
	size_t len, size;
	bool ended; /* fn wanted no more, or memory */
	char error[1024];
	long status;
};

/* --- The answer's lines ---------------------------------------------------------------------- */

/* Of an array of ours each element stands on its own line, with a comma behind all but the last. */
static bool is_element(char *line, size_t *len)
{
	if (*len > 0 && line[*len - 1] == ',')
		line[--*len] = 0;
	return *len > 0 && strcmp(line, "[") != 0 && strcmp(line, "]") != 0;
}

static void keep_error(struct answer *a)
{
	json_t *json = json_loads(a->line, 0, NULL);
	const char *text = json_string_value(json_object_get(json, "error"));
	const char *field = json_string_value(json_object_get(json, "field"));

	if (text && field && !strstr(text, field))
		snprintf(a->error, sizeof(a->error), "%s: %s", field, text);
	else
		snprintf(a->error, sizeof(a->error), "%s", text ? text : a->line);
	json_decref(json);
}

static void line_over(struct answer *a)
{
	a->line[a->len] = 0;
	if (a->status == 0)
		curl.easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &a->status);
	if (a->status >= 400)
		keep_error(a);
	else if (a->fn && is_element(a->line, &a->len))
		a->ended = a->fn(a->ctx, a->line) != 0;
	a->len = 0;
}

static bool line_grow(struct answer *a)
{
	size_t size = a->size ? 2 * a->size : 4096;
	char *line = realloc(a->line, size);

	if (!line)
		return false;
	a->line = line;
	a->size = size;
	return true;
}

static size_t take_bytes(char *bytes, size_t one, size_t n, void *ctx)
{
	struct answer *a = ctx;

	for (size_t i = 0; i < one * n && !a->ended; i++) {
		if (a->len + 2 > a->size && !line_grow(a))
			return 0;
		if (bytes[i] == '\n')
			line_over(a);
		else
			a->line[a->len++] = bytes[i];
	}
	return a->ended ? 0 : one * n;
}

/* --- The request ----------------------------------------------------------------------------- */

/* Where the daemon listens: as its configuration says; without one, where it would by default. */
static int find_socket(const struct cli *cli, char *out, size_t size)
{
	struct conf *conf;

	snprintf(out, size, "%s", DEFAULT_SOCKET);
	if (!cli_has(cli, "config") && access(cli->conf_path, R_OK) < 0)
		return 0;
	conf = setup_conf(cli->conf_path);
	if (!conf)
		return EXIT_WRONG_USAGE;
	for (size_t i = 0; i < conf->listen_count; i++) {
		if (conf->listen[i][0] == '/') {
			snprintf(out, size, "%s", conf->listen[i]);
			break;
		}
	}
	conf_free(conf);
	return 0;
}

static CURLcode perform(struct answer *a, const char *socket)
{
	const struct client_request *r = a->request;
	char url[2048];

	snprintf(url, sizeof(url), "http://localhost%s", r->path);
	curl.easy_setopt(a->curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl.easy_setopt(a->curl, CURLOPT_URL, url);
	curl.easy_setopt(a->curl, CURLOPT_PROXY, "");
	curl.easy_setopt(a->curl, CURLOPT_CUSTOMREQUEST, r->method);
	curl.easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl.easy_setopt(a->curl, CURLOPT_WRITEDATA, a);
	curl.easy_setopt(a->curl, CURLOPT_TIMEOUT, r->forever ? 0L : TIME_LIMIT);
	if (r->body)
		curl.easy_setopt(a->curl, CURLOPT_POSTFIELDS, r->body);
	return curl.easy_perform(a->curl);
}

static int exit_code(long status)
{
	if (status < 400)
		return EXIT_DONE;
	return status == 404 ? EXIT_NO_SUCH_THING : status == 400 ? EXIT_WRONG_USAGE : EXIT_FAILED;
}

static int judge(const struct cli *cli, struct answer *a, CURLcode code, const char *socket)
{
	long why = 0;

	curl.easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &a->status);
	if (a->request->cut && code != CURLE_OK && !a->ended &&
		(a->status != 0 || a->request->again)) {
		*a->request->cut = true;
		return EXIT_FAILED;
	}
	if (code == CURLE_COULDNT_CONNECT) {
		curl.easy_getinfo(a->curl, CURLINFO_OS_ERRNO, &why);
		log_error("%s: cannot connect: %s: is 'tap82 run' running?", socket,
			why ? strerror((int)why) : curl.easy_strerror(code));
		return EXIT_FAILED;
	}
	if (a->ended)
		return EXIT_DONE;
	if (code != CURLE_OK) {
		log_error("%s: %s", socket, curl.easy_strerror(code));
		return EXIT_FAILED;
	}
	if (a->status >= 400)
		log_error("%s: %s", a->request->object ? a->request->object : cli->command->name,
			a->error);
	return exit_code(a->status);
}

int client_call(
	const struct cli *cli, const struct client_request *request, client_line_fn fn, void *ctx)
{
	struct answer a = {.request = request, .fn = fn, .ctx = ctx};
	char socket[256];
	int r = find_socket(cli, socket, sizeof(socket));

	if (r)
		return r;
	a.curl = curl_load() == 0 ? curl.easy_init() : NULL;
	if (!a.curl)
		return EXIT_FAILED;
	r = judge(cli, &a, perform(&a, socket), socket);
	curl.easy_cleanup(a.curl);
	free(a.line);
	return r;
}

void client_query(char *path, size_t size, const char *name, const char *value)
{
	char *escaped = curl_load() == 0 ? curl.easy_escape(NULL, value, 0) : NULL;
	size_t len = strlen(path);

	if (!escaped)
		return;
	snprintf(path + len, size - len, "%c%s=%s", strchr(path, '?') ? '&' : '?', name, escaped);
	curl.free(escaped);
}

int client_mac(const struct cli *cli, const char *text, char ret_mac[MAC_TEXT])
{
	struct mac mac;

	if (!text)
		return cli_usage(cli, "a MAC address is needed");
	if (mac_parse(text, strlen(text), &mac) < 0)
		return cli_usage(cli, "%s: is no MAC address", text);
	mac_format(&mac, ret_mac);
	return 0;
}

/* --- Values ---------------------------------------------------------------------------------- */

static const json_t *find(const json_t *json, const char *path, size_t len)
{
	while (json && len > 0) {
		const char *dot = memchr(path, '.', len);
		size_t n = dot ? (size_t)(dot - path) : len;
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		json = json_object_get(json, key);
		path += n + (dot != NULL);
		len -= n + (dot != NULL);
	}
	return json;
}

static char *value_text(const json_t *json)
{
	if (json_is_string(json))
		return strdup(json_string_value(json));
	return json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
}

char *client_text(const json_t *json, const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "|");
		const json_t *value = find(json, path, len);

		if (value)
			return value_text(value);
		if (!path[len])
			return NULL;
		path += len + 1;
	}
}

/* --- Lists ----------------------------------------------------------------------------------- */

#define COLUMNS_MAX 16

struct listing {
	const struct client_column *columns;
	size_t count;
	struct table *table;
};

static int print_line(void *ctx, const char *line)
{
	(void)ctx;
	return puts(line) < 0;
}

static int add_row(void *ctx, const char *line)
{
	struct listing *l = ctx;
	json_t *json = json_loads(line, 0, NULL);
	char *cells[COLUMNS_MAX];

	for (size_t i = 0; i < l->count; i++)
		cells[i] = client_text(json, l->columns[i].path);
	table_add(l->table, (const char *const *)cells);
	for (size_t i = 0; i < l->count; i++)
		free(cells[i]);
	json_decref(json);
	return 0;
}

int client_list(const struct cli *cli, const char *path, const struct client_column *columns,
	size_t count, const char *none)
{
	struct client_request request = {.method = "GET", .path = path};
	struct listing l = {.columns = columns, .count = count};
	const char *titles[COLUMNS_MAX];
	int r;

	if (cli->json)
		return client_call(cli, &request, print_line, NULL);
	for (size_t i = 0; i < count; i++)
		titles[i] = columns[i].title;
	l.table = table_new(titles, count);
	if (!l.table)
		return EXIT_FAILED;
	r = client_call(cli, &request, add_row, &l);
	if (r == EXIT_DONE && table_rows(l.table) > 0)
		table_print(l.table, stdout, table_width(stdout), table_colour(stdout));
	else if (r == EXIT_DONE)
		puts(none);
	table_free(l.table);
	return r;
}

/* --- One object ------------------------------------------------------------------------------ */

static void print_pairs(const json_t *json, int depth);

/* "key: value", or the key and, deeper, what it holds. */
static void print_value(const char *key, const json_t *value, int depth)
{
	const json_t *one;
	char *text, *clean;
	size_t i;

	if (json_is_object(value)) {
		printf("%*s%s:\n", 2 * depth, "", key);
		print_pairs(value, depth + 1);
		return;
	}
	if (json_is_array(value)) {
		json_array_foreach(value, i, one) print_value(key, one, depth);
		return;
	}
	text = value_text(value);
	clean = text ? table_clean(text) : NULL;
	printf("%*s%s: %s\n", 2 * depth, "", key, clean ? clean : "");
	free(clean);
	free(text);
}

static void print_pairs(const json_t *json, int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)json, key, value) print_value(key, value, depth);
}

static int print_object(void *ctx, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);

	(void)ctx;
	print_pairs(json, 0);
	json_decref(json);
	return 0;
}

int client_show(const struct cli *cli, const struct client_request *request)
{
	return client_call(cli, request, cli->json ? print_line : print_object, NULL);
}
