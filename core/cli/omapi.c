/* SPDX-License-Identifier: ISC
 *
 * tap82 omapi: one operation on one object of one dhcpd, by hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "omapi_value.h"
#include "tap82/clock.h"
#include "tap82/conf.h"
#include "tap82/dhcpd.h"
#include "tap82/err.h"
#include "tap82/log.h"
#include "tap82/loop.h"
#include "tap82/omapi_conn.h"

#define REQUEST_BYTES (32 * 1024)
#define WRITES_MAX    8 /* more than dhcpd writes for any one request of a hand */

const struct cli_option command_omapi_options[] = {
	{"server", 0, "NAME", "the [server NAME] of the configuration (its only one if not given)"},
	{"address", 0, "IP", "a dhcpd that is in no configuration"},
	{"port", 0, "PORT", "its OMAPI port (7911)"},
	{"key-name", 0, "NAME", "its key; without one the connection is unsigned"},
	{"key-file", 0, "FILE", "the key's secret, base64"},
	{"key-algorithm", 0, "NAME", "hmac-md5 … hmac-sha512 (hmac-sha256)"},
	{0},
};

/* Where to and as whom. */
struct target {
	const char *name; /* for messages */
	uint32_t address;
	uint16_t port;
	struct dhcpd_key *key;
};

struct session {
	struct cli *cli;
	struct target target;
	const char *verb, *type;
	struct loop *loop;
	struct omapi_conn *conn;
	struct writer writer;
	uint8_t request[REQUEST_BYTES];
	uint32_t handle; /* of the object that was opened */
	int exit; /* what became of the last exchange */
	bool print; /* the object that comes is what was asked for */
	bool closed; /* the connection is no more, and it was said why */
	bool farewell; /* a dhcpd that was told to stop does not answer any more */
};

/* --- The command line ------------------------------------------------------------------------ */

static int target_key(struct cli *cli, struct target *t, const char *file, const char *name,
	const char *algorithm)
{
	int err = dhcpd_key_load(file, name, algorithm ? algorithm : "hmac-sha256", &t->key);

	if (err == 0)
		return 0;
	if (algorithm && !dhcpd_algorithm_known(algorithm))
		return cli_usage(cli, "%s: no such algorithm", algorithm);
	log_error("%s: %s", file, dhcpd_key_error_text(err));
	return EXIT_WRONG_USAGE;
}

static int target_from_options(struct cli *cli, struct target *t)
{
	const char *address = cli_option(cli, "address"), *port = cli_option(cli, "port");
	const char *name = cli_option(cli, "key-name"), *file = cli_option(cli, "key-file");
	long number = port ? strtol(port, NULL, 10) : DHCPD_PORT;

	t->name = address;
	if (ipv4_parse(address, strlen(address), &t->address) < 0 || t->address == 0)
		return cli_usage(cli, "%s: not an IPv4 address", address);
	if (number < 1 || number > UINT16_MAX)
		return cli_usage(cli, "%s: not a port", port);
	t->port = (uint16_t)number;
	if (!name != !file)
		return cli_usage(cli, "--key-name and --key-file go together");
	return name ? target_key(cli, t, file, name, cli_option(cli, "key-algorithm")) : 0;
}

static void problem_print(void *ctx, const char *text)
{
	(void)ctx;
	log_error("%s", text);
}

static int target_from_server(struct cli *cli, struct target *t, const struct conf_server *server)
{
	static char name[CONF_NAME_MAX];

	snprintf(name, sizeof(name), "%s", server->name);
	t->name = name;
	t->address = server->address;
	t->port = server->port;
	return server->key_name ? target_key(cli, t, server->key_file, server->key_name,
					  server->key_algorithm)
				: 0;
}

static int target_from_conf(struct cli *cli, struct target *t)
{
	const char *name = cli_option(cli, "server");
	struct conf *conf;
	int at = 0, r;

	if (conf_load(cli->conf_path, problem_print, NULL, &conf) < 0)
		return EXIT_WRONG_USAGE;
	if (name)
		at = conf_server_by_name(conf, name);
	if (at < 0)
		r = cli_usage(cli, "%s: no such server in %s", name, cli->conf_path);
	else if (conf->server_count == 0 || (!name && conf->server_count > 1))
		r = cli_usage(
			cli, "--server is missing: %s has %zu", cli->conf_path, conf->server_count);
	else
		r = target_from_server(cli, t, &conf->servers[at]);
	conf_free(conf);
	return r;
}

static int target_find(struct cli *cli, struct target *t)
{
	return cli_has(cli, "address") ? target_from_options(cli, t) : target_from_conf(cli, t);
}

/* --- The exchange ---------------------------------------------------------------------------- */

/* "host name=cam-1": what was asked for, as it was written. */
static const char *asked_for(const struct session *s, char out[160])
{
	snprintf(out, 160, "%s%s%s", s->type, s->cli->arg_count > 2 ? " " : "",
		s->cli->arg_count > 2 ? s->cli->args[2] : "");
	return out;
}

static int report_refusal(
	const struct session *s, const struct omapi_message *reply, uint32_t result)
{
	const struct omapi_pair *why = omapi_find(&reply->message, "message");
	char word[OMAPI_RESULT_TEXT], object[160], text[128] = "";

	if (result == OMAPI_NOTFOUND) {
		log_error("%s: %s: no such object", s->target.name, asked_for(s, object));
		return EXIT_NO_SUCH_THING;
	}
	if (why)
		snprintf(text, sizeof(text), ": %.*s",
			(int)(why->value_len < 100 ? why->value_len : 100), why->value);
	log_error("%s: %s: refused: %s (%u)%s", s->target.name, asked_for(s, object),
		omapi_result_text(result, word), result, text);
	return EXIT_FAILED;
}

static void object_print(struct session *s, const struct omapi_message *reply)
{
	struct writer *w = &s->writer;

	writer_begin(w);
	writer_str(w, "type", s->type);
	writer_u64(w, "handle", reply->handle);
	for (uint32_t i = 0; i < reply->object.count; i++)
		omapi_value_write(w, s->type, &reply->object.pairs[i]);
	writer_end(w);
}

static void replied(void *ctx, int err, const struct omapi_message *reply)
{
	struct session *s = ctx;
	uint32_t result = 0;

	loop_stop(s->loop);
	s->exit = EXIT_FAILED;
	if (err < 0 && s->farewell)
		s->exit = EXIT_DONE;
	if (err < 0) {
		if (!s->closed && !s->farewell)
			log_error("%s: %s", s->target.name, omapi_conn_text(s->conn));
		return;
	}
	if (omapi_status(reply, &result) < 0)
		result = OMAPI_NOTFOUND;
	if (reply->op == OMAPI_UPDATE && reply->object.count == 0)
		result = OMAPI_NOTFOUND; /* dhcpd's answer to keys it has no use for */
	if (result != OMAPI_SUCCESS) {
		s->exit = report_refusal(s, reply, result);
		return;
	}
	s->exit = EXIT_DONE;
	s->handle = reply->handle;
	if (s->print && reply->op == OMAPI_UPDATE)
		object_print(s, reply);
}

static void state_changed(void *ctx, enum omapi_state state, const char *text)
{
	struct session *s = ctx;

	if (state == OMAPI_READY || s->closed)
		return;
	s->closed = true;
	s->exit = s->farewell ? EXIT_DONE : EXIT_FAILED;
	if (!s->farewell)
		log_error("%s: %s", s->target.name, text);
	loop_stop(s->loop);
}

static int exchange(struct session *s, struct omapi_out *out, unsigned writes)
{
	int err = s->closed ? 0 : omapi_conn_send(s->conn, out, 0, writes, replied, s);

	if (s->closed)
		return EXIT_FAILED;
	if (err < 0) {
		log_error("%s: the request cannot be sent: %s", s->target.name,
			err == ERR_RANGE ? "it is longer than dhcpd takes without harm"
					 : err_text(err));
		return EXIT_FAILED;
	}
	loop_run(s->loop);
	return s->exit;
}

/* --- The operations -------------------------------------------------------------------------- */

/* KEY=VALUE of the command line, into the object part. 0, or an exit code. */
static int put_pair(struct session *s, struct omapi_out *out, const char *arg)
{
	const char *equals = strchr(arg, '=');
	uint8_t value[OMAPI_VALUE_MAX];
	char name[64];
	int n;

	if (!equals || equals == arg || (size_t)(equals - arg) >= sizeof(name))
		return cli_usage(s->cli, "%s: not KEY=VALUE", arg);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - arg), arg);
	n = omapi_value_parse(s->type, name, equals + 1, value);
	if (n < 0)
		return cli_usage(s->cli, "%s: no value for %s: %s", equals + 1, name, err_text(n));
	omapi_out_put(out, name, value, (size_t)n);
	return 0;
}

static int put_pairs(struct session *s, struct omapi_out *out, int from, int to)
{
	int r = 0;

	for (int i = from; i < to && r == 0; i++)
		r = put_pair(s, out, s->cli->args[i]);
	return r;
}

static bool is_given(const struct session *s, const char *key)
{
	size_t len = strlen(key);

	for (int i = 2; i < s->cli->arg_count; i++)
		if (strncmp(s->cli->args[i], key, len) == 0)
			return true;
	return false;
}

/* dhcpd would write a host without a type as `hardware unknown-0`. */
static void put_hardware_type(struct session *s, struct omapi_out *out)
{
	if (is_given(s, "hardware-address=") && !is_given(s, "hardware-type="))
		omapi_out_put_u32(out, "hardware-type", 1);
}

static int open_object(struct session *s, int keys, bool create)
{
	struct omapi_out out;
	int r;

	omapi_out_begin(&out, s->request, sizeof(s->request), OMAPI_OPEN, 0);
	omapi_out_put_text(&out, "type", s->type);
	if (create) {
		omapi_out_put_u32(&out, "create", 1);
		omapi_out_put_u32(&out, "exclusive", 1);
	}
	omapi_out_object(&out);
	r = put_pairs(s, &out, 2, keys);
	if (r == 0 && keys > 2)
		put_hardware_type(s, &out);
	return r ? r : exchange(s, &out, create ? WRITES_MAX : 0);
}

static int refresh_object(struct session *s, uint32_t handle)
{
	struct omapi_out out;

	s->print = true;
	omapi_out_begin(&out, s->request, sizeof(s->request), OMAPI_REFRESH, handle);
	omapi_out_object(&out);
	return exchange(s, &out, 0);
}

/* A handle alone does for any type, also for those that dhcpd does not look up (pool). */
static int get_object(struct session *s)
{
	uint8_t value[OMAPI_VALUE_MAX];
	bool by_handle = s->cli->arg_count == 3 && is_given(s, "handle=");

	s->print = true;
	if (!by_handle)
		return open_object(s, s->cli->arg_count, false);
	if (omapi_value_parse(s->type, "handle", s->cli->args[2] + 7, value) != 4)
		return cli_usage(s->cli, "%s: not a handle", s->cli->args[2]);
	return refresh_object(s, (uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 |
					 (uint32_t)value[2] << 8 | value[3]);
}

static int create_object(struct session *s)
{
	s->print = true;
	return open_object(s, s->cli->arg_count, true);
}

/* The first pair finds the object, the others are set, in their order. `control` is only one. */
static int update_object(struct session *s)
{
	bool control = strcmp(s->type, "control") == 0;
	int keys = control ? 2 : 3, r;
	struct omapi_out out;
	uint32_t handle;

	if (s->cli->arg_count <= keys)
		return cli_usage(
			s->cli, "nothing to set: KEY=VALUE of the object, then what to set");
	r = open_object(s, keys, false);
	if (r)
		return r;
	handle = s->handle;
	omapi_out_begin(&out, s->request, sizeof(s->request), OMAPI_UPDATE, handle);
	omapi_out_object(&out);
	r = put_pairs(s, &out, keys, s->cli->arg_count);
	s->farewell = control && strcmp(s->cli->args[2], "state=shutdown") == 0;
	if (r == 0)
		r = exchange(s, &out, WRITES_MAX);
	return r || control ? r : refresh_object(s, handle); /* it may be shutting down */
}

static int delete_object(struct session *s)
{
	struct omapi_out out;
	int r = open_object(s, s->cli->arg_count, false);

	if (r)
		return r;
	omapi_out_begin(&out, s->request, sizeof(s->request), OMAPI_DELETE, s->handle);
	omapi_out_object(&out);
	return exchange(s, &out, 1);
}

static const struct {
	const char *name;
	int (*run)(struct session *s);
	bool keys; /* needs at least one */
} verbs[] = {
	{"get", get_object, false},
	{"create", create_object, true},
	{"update", update_object, true},
	{"delete", delete_object, true},
};

static int run_verb(struct session *s)
{
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, s->verb) != 0)
			continue;
		if (verbs[i].keys && s->cli->arg_count < 3)
			return cli_usage(s->cli, "%s %s: KEY=VALUE is missing", s->verb, s->type);
		return verbs[i].run(s);
	}
	return cli_usage(s->cli, "%s: not get, create, update or delete", s->verb);
}

static int session_run(struct session *s)
{
	const struct omapi_conn_config config = {
		.address = s->target.address,
		.port = s->target.port,
		.key = s->target.key,
		.state_fn = state_changed,
		.ctx = s,
		.deadline = 5 * USEC_PER_SEC,
		.batch_time = 20 * USEC_PER_MSEC,
		.retry_min = USEC_PER_SEC,
		.retry_max = USEC_PER_SEC,
		.retry_refused = USEC_PER_SEC,
		.queue_max = 4,
	};
	int r = EXIT_FAILED;

	s->loop = loop_new();
	if (s->loop && omapi_conn_new(s->loop, &config, &s->conn) == 0)
		r = run_verb(s);
	omapi_conn_free(s->conn);
	loop_free(s->loop);
	return r;
}

int command_omapi(struct cli *cli)
{
	static struct session s;
	int r;

	s = (struct session){.cli = cli};
	if (cli->arg_count < 2)
		return cli_usage(cli, "get|create|update|delete, a type and KEY=VALUE are needed");
	s.verb = cli->args[0];
	s.type = cli->args[1];
	if (!omapi_type_known(s.type))
		return cli_usage(cli, "%s: dhcpd has no such objects", s.type);
	r = target_find(cli, &s.target);
	if (r == 0 &&
		writer_init(&s.writer, STDOUT_FILENO, cli->json ? WRITER_JSON : WRITER_TREE) == 0) {
		r = session_run(&s);
		if (writer_flush(&s.writer) < 0)
			r = EXIT_FAILED;
		writer_done(&s.writer);
	}
	dhcpd_key_free(s.target.key);
	return r;
}
