/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "tap82/clock.h"
#include "tap82/dhcpd.h"
#include "tap82/err.h"
#include "tap82/inventory.h"
#include "tap82/layout.h"
#include "tap82/log.h"
#include "tap82/secret.h"
#include "tap82/store.h"

#define LISTEN_DEFAULT (10 * USEC_PER_SEC)
#define ROWS_A_STEP    10000

const struct cli_option command_check_options[] = {
	{"online", 0, NULL,
		"try it: captures, traffic, the relay between, dhcpd, webhooks, clock, disk"},
	{"seconds", 's', "N", "how long to wait for traffic with --online (10)"},
	{"repair", 0, NULL, "save what can be read of a damaged store, keep the old file"},
	{0},
};

static const char *const state_words[] = {"good", "note", "wrong"};
static const char *const state_signs[] = {"✓", "•", "✗"};

static void tell_people(enum check_state state, const char *what, const char *object,
	const char *detail, const char *mend)
{
	/* What is wrong stands on stderr already. */
	if (state == CHECK_WRONG)
		detail = NULL;
	printf("%s %s %s%s%s%s%s\n", state_signs[state], what, object, detail ? ": " : "",
		detail ? detail : "", mend ? ": " : "", mend ? mend : "");
	fflush(stdout);
}

static void tell_program(struct check *check, enum check_state state, const char *what,
	const char *object, const char *detail, const char *mend)
{
	struct writer *w = &check->writer;

	writer_begin(w);
	writer_str(w, "check", what);
	writer_text(w, "object", object, strlen(object));
	writer_str(w, "state", state_words[state]);
	writer_text(w, "detail", detail, strlen(detail));
	if (mend)
		writer_str(w, "mend", mend);
	writer_end(w);
}

void check_tell(struct check *check, enum check_state state, const char *what, const char *object,
	const char *detail, const char *mend)
{
	if (state == CHECK_WRONG) {
		check->wrong++;
		log_error("%s %s: %s", what, object, detail);
	}
	if (check->cli->json)
		tell_program(check, state, what, object, detail, mend);
	else
		tell_people(state, what, object, detail, mend);
}

void check_tellf(struct check *check, enum check_state state, const char *what, const char *object,
	const char *mend, const char *fmt, ...)
{
	char detail[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	check_tell(check, state, what, object, detail, mend);
}

/* --- What keeps tap82 from starting ----------------------------------------------------------- */

/* `text` names file, place and problem. */
static void refuse(void *ctx, const char *text)
{
	struct check *check = ctx;

	check->refused++;
	log_error("%s", text);
	if (check->cli->json)
		tell_program(check, CHECK_WRONG, check->subject, check->object, text, NULL);
}

static void refusef(struct check *check, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void refusef(struct check *check, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	refuse(check, text);
}

static void add_layouts(struct check *check, struct layouts *layouts)
{
	char why[256];

	for (size_t i = 0; i < check->conf->layout_count; i++) {
		const struct conf_layout *l = &check->conf->layouts[i];

		if (layouts_add(layouts, l->name, l->circuit_id, l->remote_id, why, sizeof(why)) <
			0)
			refusef(check, "%s: [layout %s]: %s", check->conf->path, l->name, why);
	}
}

static void check_switch(
	struct check *check, const struct layouts *layouts, const struct conf_switch *s)
{
	char relay[2 * sizeof(s->remote_id) + 1];

	if (layout_find(layouts, s->layout))
		return;
	if (s->giaddr)
		ipv4_format(s->giaddr, relay);
	else
		hex_format(s->remote_id, s->remote_id_len, relay);
	refusef(check, "%s: [switches] %s: there is no layout '%s'", check->conf->path, relay,
		s->layout);
}

static void check_layouts(struct check *check)
{
	struct layouts *layouts = layouts_new();

	if (!layouts) {
		refusef(check, "%s: %s", check->conf->path, err_text(-ENOMEM));
		return;
	}
	add_layouts(check, layouts);
	for (size_t i = 0; i < check->conf->switch_count; i++)
		check_switch(check, layouts, &check->conf->switches[i]);
	layouts_free(layouts);
}

static void check_key(struct check *check, const struct conf_server *s)
{
	struct dhcpd_key *key;
	int err;

	if (!s->key_file)
		return;
	err = dhcpd_key_load(s->key_file, s->key_name, s->key_algorithm, &key);
	if (err == 0)
		dhcpd_key_free(key);
	else
		refusef(check, "%s: [server %s] key-file: %s: %s", check->conf->path, s->name,
			s->key_file, dhcpd_key_error_text(err));
}

static void check_token(struct check *check, const char *section, const char *key, const char *path)
{
	struct secret *secret;
	int err = secret_load(path, &secret);

	if (err == 0)
		secret_free(secret);
	else
		refusef(check, "%s: [%s] %s: %s: %s", check->conf->path, section, key, path,
			secret_error_text(err));
}

/* It may be missing: nobody can write over TCP then. */
static void check_api_token(struct check *check)
{
	const struct conf *conf = check->conf;
	bool tcp = false;

	for (size_t i = 0; i < conf->listen_count; i++)
		tcp = tcp || !strchr(conf->listen[i], '/');
	if (conf->api_token_file && access(conf->api_token_file, F_OK) == 0)
		check_token(check, "tap82", "api-token-file", conf->api_token_file);
	else if (tcp)
		check_tell(check, CHECK_NOTE, "API", "token",
			"there is no api-token-file: nobody can write over TCP", NULL);
}

static void check_secrets(struct check *check)
{
	char section[CONF_NAME_MAX + 16];

	for (size_t i = 0; i < check->conf->server_count; i++)
		check_key(check, &check->conf->servers[i]);
	check_api_token(check);
	for (size_t i = 0; i < check->conf->webhook_count; i++) {
		const struct conf_webhook *w = &check->conf->webhooks[i];

		snprintf(section, sizeof(section), "webhook %s", w->name);
		if (w->token_file)
			check_token(check, section, "token-file", w->token_file);
		if (w->ca_file && access(w->ca_file, R_OK) < 0)
			refusef(check, "%s: [%s] ca-file: %s: %s", check->conf->path, section,
				w->ca_file, strerror(errno));
	}
}

static int check_configuration(struct check *check)
{
	const char *path = check->cli->conf_path;
	const struct conf *conf;

	check->subject = "configuration";
	check->object = path;
	if (conf_load(path, refuse, check, &check->conf) < 0)
		return -1;
	conf = check->conf;
	check_layouts(check);
	check_secrets(check);
	if (check->refused > 0)
		return -1;
	check_tellf(check, CHECK_GOOD, "configuration", path, NULL,
		"captures %zu, servers %zu, groups %zu, switches %zu, webhooks %zu",
		conf->capture_count, conf->server_count, conf->group_count, conf->switch_count,
		conf->webhook_count);
	return 0;
}

/* --- Devices and store ------------------------------------------------------------------------ */

static void skipped_row(void *ctx, const char *text)
{
	struct check *check = ctx;

	log_warning("%s", text);
	if (check->cli->json)
		tell_program(check, CHECK_NOTE, "devices", check->conf->devices, text, NULL);
}

static void read_devices(struct check *check, struct inventory *inventory)
{
	size_t count;
	int r;

	do
		r = inventory_step(inventory, ROWS_A_STEP);
	while (r == 1);
	inventory_rows(inventory, &count);
	if (r == 0 && inventory_skipped(inventory))
		check_tellf(check, CHECK_NOTE, "devices", check->conf->devices, NULL,
			"rows %zu, skipped %zu", count, inventory_skipped(inventory));
	else if (r == 0)
		check_tellf(check, CHECK_GOOD, "devices", check->conf->devices, NULL, "rows %zu",
			count);
	else if (check->conf->inventory_skip)
		check->refused++;
	inventory_free(inventory);
}

static void check_devices(struct check *check)
{
	const struct conf *conf = check->conf;
	problem_fn tell = conf->inventory_skip ? skipped_row : refuse;
	struct inventory *inventory;

	check->subject = "devices";
	check->object = conf->devices;
	if (!conf->devices)
		return;
	if (inventory_open(conf->devices, conf, tell, check, &inventory) == 0)
		read_devices(check, inventory);
	else if (conf->inventory_skip)
		check->refused++;
}

static void check_store(struct check *check)
{
	const char *path = check->conf->state;
	char why[256];
	int err = store_check(path, why, sizeof(why));

	if (err == 0)
		check_tell(check, CHECK_GOOD, "store", path, "sound", NULL);
	else if (err == -ENOENT)
		check_tell(check, CHECK_NOTE, "store", path, "not there yet", NULL);
	else
		check_tell(check, CHECK_WRONG, "store", path, why, NULL);
}

static int repair_store(struct check *check)
{
	static struct store_salvage s;
	const char *path = check->conf->state;
	char why[256];
	int err = store_check(path, why, sizeof(why));

	if (err == 0) {
		check_tell(check, CHECK_GOOD, "store", path, "sound: there is nothing to repair",
			NULL);
		return EXIT_DONE;
	}
	if (err == ERR_CORRUPT)
		err = store_repair(path, why, sizeof(why), &s);
	if (err < 0) {
		check_tell(check, CHECK_WRONG, "store", path, why, NULL);
		return err == -ENOENT ? EXIT_NO_SUCH_THING : EXIT_FAILED;
	}
	check_tellf(check, CHECK_GOOD, "store", path, NULL,
		"saved: devices %llu, reservations %llu, events %llu, messages to webhooks %llu; "
		"the "
		"old one is kept as %.300s",
		(unsigned long long)s.devices, (unsigned long long)s.reservations,
		(unsigned long long)s.events, (unsigned long long)s.outbox, s.kept);
	return EXIT_DONE;
}

/* --- The command ------------------------------------------------------------------------------ */

static int seconds_of(const struct cli *cli, int64_t *ret_listen)
{
	const char *text = cli_option(cli, "seconds");
	int64_t seconds;

	*ret_listen = LISTEN_DEFAULT;
	if (!text)
		return 0;
	if (time_parse(text, &seconds) < 0 || strspn(text, "0123456789") != strlen(text))
		return cli_usage(cli, "--seconds: '%s' is no number of seconds", text);
	*ret_listen = seconds;
	return 0;
}

static int run_checks(struct check *check, int64_t listen)
{
	if (check_configuration(check) < 0 && !check->conf)
		return EXIT_WRONG_USAGE;
	if (cli_has(check->cli, "repair"))
		return repair_store(check);
	check_devices(check);
	check_store(check);
	if (check->refused == 0 && cli_has(check->cli, "online"))
		check_online(check, listen);
	return check->refused ? EXIT_WRONG_USAGE : check->wrong ? EXIT_FAILED : EXIT_DONE;
}

int command_check(struct cli *cli)
{
	struct check check = {.cli = cli};
	int64_t listen;
	int r = seconds_of(cli, &listen);

	if (r)
		return r;
	if (cli->arg_count > 0)
		return cli_usage(cli, "takes no operand: '%s'", cli->args[0]);
	if (writer_init(&check.writer, STDOUT_FILENO, WRITER_JSON) < 0) {
		log_error("check: %s", err_text(-ENOMEM));
		return EXIT_FAILED;
	}
	check.writer.eager = true;
	r = run_checks(&check, listen);
	writer_done(&check.writer);
	conf_free(check.conf);
	return r;
}
