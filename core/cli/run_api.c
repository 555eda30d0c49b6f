/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"
#include "run_metrics.h"
#include "tap82/api.h"
#include "tap82/clock.h"
#include "tap82/log.h"

#define LAST_EVENTS 10 /* shown by status */

/* --- Status ---------------------------------------------------------------------------------- */

static void write_capture(struct writer *w, const struct capture_row *c)
{
	struct observation_counters sum;

	run_capture_totals(c, &sum);
	writer_object_begin(w, NULL);
	writer_str(w, "name", c->conf->name);
	if (c->conf->interface)
		writer_str(w, "interface", c->conf->interface);
	else
		writer_str(w, "file", c->conf->file);
	writer_str(w, "state", capture_state_text(c->state));
	writer_u64(w, "packets", sum.packets);
	writer_u64(w, "drops", sum.kernel_drops + sum.interface_drops);
	writer_u64(w, "dhcp", sum.dhcp);
	writer_u64(w, "radius", sum.radius);
	writer_u64(w, "malformed", sum.malformed);
	writer_u64(w, "restarts", c->restarts);
	if (sum.shed)
		writer_u64(w, "shed", sum.shed);
	if (c->why[0])
		writer_str(w, "error", c->why);
	writer_object_end(w);
}

static const char *server_state_text(enum server_state state)
{
	static const char *const texts[] = {"up", "unreachable", "refused"};

	return texts[state];
}

/* The comparisons that tap82 makes by itself, and those that were asked for. */
static void write_reconcile(struct writer *w, const struct server_row *server)
{
	uint64_t found = 0;

	if (server->reconciled_at == 0)
		return;
	for (enum finding f = FINDING_MISSING; f < FINDINGS; f++)
		found += server->found[f];
	writer_object_begin(w, "reconcile");
	writer_time(w, "time", server->reconciled_at);
	writer_u64(w, "runs", server->reconciled);
	writer_u64(w, "found", found);
	writer_u64(w, "fixed", server->fixed);
	writer_object_end(w);
}

static void write_server(struct writer *w, const struct run *run, uint8_t i)
{
	struct engine_server_stats orders;
	struct dhcpd_stats stats;
	const char *why = dhcpd_state_text(run->servers[i].dhcpd);
	bool connecting = dhcpd_state(run->servers[i].dhcpd) == DHCPD_CONNECTING;

	engine_server_stats(run->engine, i, &orders);
	dhcpd_stats(run->servers[i].dhcpd, &stats);
	writer_object_begin(w, NULL);
	writer_str(w, "name", run->conf->servers[i].name);
	writer_ipv4(w, "address", run->conf->servers[i].address);
	writer_str(w, "state",
		connecting && orders.state == SERVER_UP ? "connecting"
							: server_state_text(orders.state));
	writer_u64(w, "queue", orders.queued + orders.sent);
	writer_double(w, "round_trip_ms", (double)stats.round_trip_mean / 1000);
	writer_u64(w, "done", orders.done);
	writer_u64(w, "refused", orders.refused);
	if (*why)
		writer_str(w, "error", why);
	write_reconcile(w, &run->servers[i]);
	writer_object_end(w);
}

static void write_tables(struct writer *w, const struct engine_stats *s)
{
	writer_object_begin(w, "tables");
	writer_u64(w, "devices", s->devices);
	writer_u64(w, "new", s->devices_new);
	writer_u64(w, "reserving", s->devices_reserving);
	writer_u64(w, "provisioned", s->devices_provisioned);
	writer_u64(w, "failed", s->devices_failed);
	writer_u64(w, "unknown", s->unknown);
	writer_u64(w, "transactions", s->transactions);
	writer_u64(w, "sessions", s->sessions);
	writer_u64(
		w, "dropped", s->transactions_dropped + s->sessions_dropped + s->unknown_dropped);
	writer_object_end(w);
}

static void write_webhook(struct writer *w, const struct run *run, size_t i)
{
	struct webhook_stats stats;

	webhooks_stats(run->webhooks, i, &stats);
	writer_object_begin(w, NULL);
	writer_str(w, "name", run->conf->webhooks[i].name);
	writer_u64(w, "queue", stats.waiting);
	writer_u64(w, "sent", stats.sent);
	writer_u64(w, "retries", stats.retries);
	writer_u64(w, "rejected", stats.rejected);
	if (stats.error[0])
		writer_text(w, "error", stats.error, strlen(stats.error));
	writer_object_end(w);
}

static int write_event(void *ctx, const struct event_row *row)
{
	writer_raw(ctx, NULL, row->json, row->json_len);
	return 0;
}

static void write_store(struct writer *w, const struct run *run)
{
	const struct turn_state *t = &run->turn_state;

	writer_object_begin(w, "store");
	writer_str(w, "state", t->failing ? "failing" : "ok");
	writer_u64(w, "commits", t->commits);
	writer_double(w, "commit_ms",
		t->commits ? (double)t->commit_time / 1000 / (double)t->commits : 0);
	writer_u64(w, "waiting_bytes", turn_waiting(run->turn));
	if (t->failing)
		writer_str(w, "error", store_error(run->store));
	writer_object_end(w);
}

static void write_status(void *ctx, struct writer *w)
{
	struct run *run = ctx;
	struct engine_stats stats;

	engine_stats(run->engine, &stats);
	writer_str(w, "version", TAP82_VERSION);
	writer_time(w, "started", run->started_at);
	writer_list_begin(w, "captures");
	for (size_t i = 0; i < run->conf->capture_count; i++)
		write_capture(w, &run->captures[i]);
	writer_list_end(w);
	writer_list_begin(w, "servers");
	for (size_t i = 0; i < run->conf->server_count; i++)
		write_server(w, run, (uint8_t)i);
	writer_list_end(w);
	write_tables(w, &stats);
	writer_u64(w, "holds", stats.holds);
	write_store(w, run);
	writer_list_begin(w, "webhooks");
	for (size_t i = 0; run->webhooks && i < run->conf->webhook_count; i++)
		write_webhook(w, run, i);
	writer_list_end(w);
	writer_list_begin(w, "events");
	store_each_event(run->store, 0, NULL, NULL, LAST_EVENTS, write_event, w);
	writer_list_end(w);
}

/* --- Health ---------------------------------------------------------------------------------- */

static void say(struct writer *w, const char *kind, const char *name, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), "%s %s: %s", kind, name, what);
	writer_str(w, NULL, text);
}

static void write_health(void *ctx, struct writer *w)
{
	struct run *run = ctx;

	if (run->turn_state.failing)
		writer_str(w, NULL, "store: cannot be written");
	if (run->turn_state.log_behind)
		writer_str(w, NULL, "event-log: cannot be written");
	for (size_t i = 0; i < run->conf->capture_count; i++)
		if (run->captures[i].state == CAPTURE_DOWN ||
			run->captures[i].state == CAPTURE_STARTING)
			say(w, "capture", run->conf->captures[i].name,
				capture_state_text(run->captures[i].state));
	for (size_t i = 0; i < run->conf->server_count; i++) {
		struct engine_server_stats stats;

		engine_server_stats(run->engine, (uint8_t)i, &stats);
		if (stats.state != SERVER_UP)
			say(w, "server", run->conf->servers[i].name,
				server_state_text(stats.state));
	}
}

/* --- Listeners ------------------------------------------------------------------------------- */

static void write_metrics(void *ctx, FILE *out)
{
	run_metrics_write(ctx, out);
}

static int reload(void *ctx, bool force, api_done_fn done, void *done_ctx)
{
	return run_inventory_reload(ctx, force, done, done_ctx);
}

static int reconcile(void *ctx, struct http_exchange *x, bool fix, bool progress,
	const struct mac *macs, size_t count)
{
	return run_reconcile(ctx, x, fix, progress, macs, count);
}

static void retry(void *ctx)
{
	run_servers_retry(ctx);
}

static const struct api_ops ops = {.status = write_status,
	.health = write_health,
	.metrics = write_metrics,
	.reload = reload,
	.reconcile = reconcile,
	.retry = retry};

static int bind_ipv4(const char *text)
{
	const char *colon = strrchr(text, ':');
	uint32_t ip;

	if (!colon || ipv4_parse(text, (size_t)(colon - text), &ip) < 0)
		return -EINVAL;
	return http_bind_ipv4(ip, (uint16_t)atoi(colon + 1));
}

static int bind_one(struct run *run, const char *text, bool change, gid_t gid)
{
	bool local = text[0] == '/';
	int fd = local ? http_bind_unix(text, 0660) : bind_ipv4(text);

	if (fd >= 0 && local && change && chown(text, (uid_t)-1, gid) < 0) {
		close(fd);
		fd = -errno;
	}
	if (fd < 0) {
		log_error("%s: cannot listen: %s", text, strerror(-fd));
		return fd;
	}
	run->listen_fds[run->listen_count++] = fd;
	return 0;
}

static int load_token(struct run *run)
{
	const char *path = run->conf->api_token_file;
	int err = path ? secret_load(path, &run->api_token) : 0;

	/* The default need not be there: then nobody writes over TCP. */
	if (err == 0 || err == -ENOENT)
		return 0;
	log_error("%s: [tap82] api-token-file: %s: %s", run->conf->path, path,
		secret_error_text(err));
	return err;
}

int run_api_bind(struct run *run, bool change, gid_t gid)
{
	const struct conf *conf = run->conf;
	int err = load_token(run);

	run->listen_fds = calloc(conf->listen_count + 1, sizeof(*run->listen_fds));
	if (!run->listen_fds)
		return -ENOMEM;
	for (size_t i = 0; i < conf->listen_count && err == 0; i++)
		err = bind_one(run, conf->listen[i], change, gid);
	if (err == 0 && conf->metrics_listen)
		err = bind_one(run, conf->metrics_listen, change, gid);
	return err;
}

int run_api_begin(struct run *run)
{
	run->http = http_server_new(run->loop);
	run->api = api_new(run->conf, run->engine, run->store, run->api_token, &ops, run);
	return run->http && run->api ? 0 : -ENOMEM;
}

int run_api_serve(struct run *run)
{
	for (size_t i = 0; i < run->listen_count; i++) {
		http_fn door = i >= run->conf->listen_count	? api_metrics
			       : run->conf->listen[i][0] == '/' ? api_local
								: api_tcp;
		int err = http_server_listen(run->http, run->listen_fds[i], door, run->api);

		if (err < 0)
			return err;
		run->listen_fds[i] = -1;
	}
	return 0;
}

void run_api_event(struct run *run, const struct event_row *row)
{
	if (run->api)
		api_event(run->api, row);
}

void run_api_committed(struct run *run)
{
	api_committed(run->api, !run->turn_state.failing);
}

void run_api_end(struct run *run)
{
	http_server_free(run->http);
	api_free(run->api);
	for (size_t i = 0; i < run->listen_count; i++) {
		if (run->listen_fds[i] >= 0)
			close(run->listen_fds[i]);
		if (i < run->conf->listen_count && run->conf->listen[i][0] == '/')
			unlink(run->conf->listen[i]);
	}
	free(run->listen_fds);
	secret_free(run->api_token);
	run->http = NULL;
	run->api = NULL;
}
