/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <string.h>

#include "run_metrics.h"
#include "tap82/clock.h"

/* Where the samples of one metric go. */
struct metric;
struct sink {
	FILE *out;
	const struct metric *metric;
	struct run *run;
	struct engine_stats engine;
	struct http_stats http;
};

struct metric {
	const char *name, *type, *help;
	void (*write)(struct sink *s, size_t at);
	size_t at; /* offset of the number it shows, where `write` shows one */
};

/* --- Samples --------------------------------------------------------------------------------- */

/* Label values are names of sections, words of ours: quotes and backslashes are escaped anyway. */
static void put_label(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
}

static void put(struct sink *s, const char *label, const char *value, double v)
{
	fputs(s->metric->name, s->out);
	if (label) {
		fprintf(s->out, "{%s=\"", label);
		put_label(s->out, value);
		fputs("\"}", s->out);
	}
	fprintf(s->out, " %.15g\n", v);
}

static void put2(struct sink *s, const char *label, const char *value, const char *label2,
	const char *value2, double v)
{
	fprintf(s->out, "%s{%s=\"", s->metric->name, label);
	put_label(s->out, value);
	fprintf(s->out, "\",%s=\"", label2);
	put_label(s->out, value2);
	fprintf(s->out, "\"} %.15g\n", v);
}

static uint64_t u64_at(const void *of, size_t at)
{
	uint64_t v;

	memcpy(&v, (const char *)of + at, sizeof(v));
	return v;
}

static uint32_t u32_at(const void *of, size_t at)
{
	uint32_t v;

	memcpy(&v, (const char *)of + at, sizeof(v));
	return v;
}

/* --- Captures -------------------------------------------------------------------------------- */

static void write_counter(struct sink *s, size_t at)
{
	for (size_t i = 0; i < s->run->conf->capture_count; i++) {
		struct observation_counters sum;

		run_capture_totals(&s->run->captures[i], &sum);
		put(s, "capture", s->run->conf->captures[i].name, (double)u64_at(&sum, at));
	}
}

static void write_messages(struct sink *s, size_t at)
{
	(void)at;
	for (size_t i = 0; i < s->run->conf->capture_count; i++) {
		const char *name = s->run->conf->captures[i].name;
		struct observation_counters sum;

		run_capture_totals(&s->run->captures[i], &sum);
		put2(s, "capture", name, "result", "dhcp", (double)sum.dhcp);
		put2(s, "capture", name, "result", "radius", (double)sum.radius);
		put2(s, "capture", name, "result", "malformed", (double)sum.malformed);
		put2(s, "capture", name, "result", "other", (double)sum.other);
	}
}

static void write_capture(struct sink *s, size_t at)
{
	for (size_t i = 0; i < s->run->conf->capture_count; i++)
		put(s, "capture", s->run->conf->captures[i].name,
			(double)u64_at(&s->run->captures[i], at));
}

static void write_capture_up(struct sink *s, size_t at)
{
	(void)at;
	for (size_t i = 0; i < s->run->conf->capture_count; i++)
		put(s, "capture", s->run->conf->captures[i].name,
			s->run->captures[i].state == CAPTURE_OPEN);
}

/* --- The engine ------------------------------------------------------------------------------ */

static void write_engine_total(struct sink *s, size_t at)
{
	put(s, NULL, NULL, (double)u64_at(&s->engine, at));
}

static void write_engine_gauge(struct sink *s, size_t at)
{
	put(s, NULL, NULL, u32_at(&s->engine, at));
}

static void write_decisions(struct sink *s, size_t at)
{
	(void)at;
	for (unsigned i = 0; i < ENGINE_REASONS_MAX && engine_reason_text(i); i++)
		put(s, "reason", engine_reason_text(i), (double)s->engine.decisions[i]);
}

static void write_events(struct sink *s, size_t at)
{
	(void)at;
	for (unsigned i = EVENT_NONE + 1; i < EVENT_CODES; i++)
		put(s, "event", event_code_text((enum event_code)i), (double)s->engine.events[i]);
}

static void write_devices(struct sink *s, size_t at)
{
	(void)at;
	put(s, "state", "new", s->engine.devices_new);
	put(s, "state", "reserving", s->engine.devices_reserving);
	put(s, "state", "provisioned", s->engine.devices_provisioned);
	put(s, "state", "failed", s->engine.devices_failed);
}

/* A summary without quantiles: its parts carry the name with a suffix. */
static void write_leg_time(struct sink *s, size_t at)
{
	(void)at;
	fprintf(s->out, "%s_sum %.15g\n", s->metric->name, (double)s->engine.leg_time / 1e6);
	fprintf(s->out, "%s_count %.15g\n", s->metric->name, (double)s->engine.legs);
}

/* --- Servers --------------------------------------------------------------------------------- */

static void write_server_up(struct sink *s, size_t at)
{
	(void)at;
	for (size_t i = 0; i < s->run->conf->server_count; i++)
		put(s, "server", s->run->conf->servers[i].name,
			dhcpd_state(s->run->servers[i].dhcpd) == DHCPD_READY);
}

static void write_server_queue(struct sink *s, size_t at)
{
	(void)at;
	for (size_t i = 0; i < s->run->conf->server_count; i++) {
		struct engine_server_stats stats;

		engine_server_stats(s->run->engine, (uint8_t)i, &stats);
		put(s, "server", s->run->conf->servers[i].name, stats.queued + stats.sent);
	}
}

static void write_reservations(struct sink *s, size_t at)
{
	(void)at;
	for (size_t i = 0; i < s->run->conf->server_count; i++) {
		const char *name = s->run->conf->servers[i].name;
		struct engine_server_stats stats;

		engine_server_stats(s->run->engine, (uint8_t)i, &stats);
		put2(s, "server", name, "result", "done", (double)stats.done);
		put2(s, "server", name, "result", "refused", (double)stats.refused);
		put2(s, "server", name, "result", "not-now", (double)stats.not_now);
	}
}

static void write_omapi(struct sink *s, size_t at)
{
	for (size_t i = 0; i < s->run->conf->server_count; i++) {
		struct dhcpd_stats stats;

		dhcpd_stats(s->run->servers[i].dhcpd, &stats);
		put(s, "server", s->run->conf->servers[i].name, (double)u64_at(&stats, at));
	}
}

static void write_round_trip(struct sink *s, size_t at)
{
	(void)at;
	for (size_t i = 0; i < s->run->conf->server_count; i++) {
		struct dhcpd_stats stats;

		dhcpd_stats(s->run->servers[i].dhcpd, &stats);
		put(s, "server", s->run->conf->servers[i].name,
			(double)stats.round_trip_mean / 1e6);
	}
}

static void write_findings(struct sink *s, size_t at)
{
	(void)at;
	for (size_t i = 0; i < s->run->conf->server_count; i++)
		for (enum finding f = FINDING_MISSING; f < FINDINGS; f++)
			put2(s, "server", s->run->conf->servers[i].name, "finding",
				run_finding_text(f), (double)s->run->servers[i].found[f]);
}

static void write_server(struct sink *s, size_t at)
{
	for (size_t i = 0; i < s->run->conf->server_count; i++)
		put(s, "server", s->run->conf->servers[i].name,
			(double)u64_at(&s->run->servers[i], at));
}

static void write_server_seconds(struct sink *s, size_t at)
{
	for (size_t i = 0; i < s->run->conf->server_count; i++)
		put(s, "server", s->run->conf->servers[i].name,
			(double)u64_at(&s->run->servers[i], at) / 1e6);
}

/* --- Store, webhooks, HTTP ------------------------------------------------------------------- */

static void write_turn(struct sink *s, size_t at)
{
	put(s, NULL, NULL, (double)u64_at(&s->run->turn_state, at));
}

static void write_turn_seconds(struct sink *s, size_t at)
{
	put(s, NULL, NULL, (double)u64_at(&s->run->turn_state, at) / 1e6);
}

static void write_store_up(struct sink *s, size_t at)
{
	(void)at;
	put(s, NULL, NULL, !s->run->turn_state.failing);
}

static void write_waiting(struct sink *s, size_t at)
{
	(void)at;
	put(s, NULL, NULL, (double)turn_waiting(s->run->turn));
}

static void write_webhook_queue(struct sink *s, size_t at)
{
	(void)at;
	for (size_t i = 0; s->run->webhooks && i < s->run->conf->webhook_count; i++) {
		struct webhook_stats stats;

		webhooks_stats(s->run->webhooks, i, &stats);
		put(s, "webhook", s->run->conf->webhooks[i].name, (double)stats.waiting);
	}
}

static void write_webhook_results(struct sink *s, size_t at)
{
	(void)at;
	for (size_t i = 0; s->run->webhooks && i < s->run->conf->webhook_count; i++) {
		const char *name = s->run->conf->webhooks[i].name;
		struct webhook_stats stats;

		webhooks_stats(s->run->webhooks, i, &stats);
		put2(s, "webhook", name, "result", "sent", (double)stats.sent);
		put2(s, "webhook", name, "result", "retried", (double)stats.retries);
		put2(s, "webhook", name, "result", "rejected", (double)stats.rejected);
		put2(s, "webhook", name, "result", "dropped", (double)stats.dropped);
	}
}

static void write_http_total(struct sink *s, size_t at)
{
	put(s, NULL, NULL, (double)u64_at(&s->http, at));
}

static void write_http_gauge(struct sink *s, size_t at)
{
	put(s, NULL, NULL, u32_at(&s->http, at));
}

static void write_info(struct sink *s, size_t at)
{
	(void)at;
	put(s, "version", TAP82_VERSION, 1);
}

static void write_started(struct sink *s, size_t at)
{
	(void)at;
	put(s, NULL, NULL, (double)s->run->started_at / 1e6);
}

#define COUNTERS(field) offsetof(struct observation_counters, field)
#define CAPTURE(field)	offsetof(struct capture_row, field)
#define ENGINE(field)	offsetof(struct engine_stats, field)
#define OMAPI(field)	offsetof(struct dhcpd_stats, field)
#define TURN(field)	offsetof(struct turn_state, field)
#define HTTP(field)	offsetof(struct http_stats, field)
#define SERVER(field)	offsetof(struct server_row, field)

static const struct metric metrics[] = {
	{"tap82_info", "gauge", "Version of the running program.", write_info, 0},
	{"tap82_start_time_seconds", "gauge", "When it was started.", write_started, 0},
	{"tap82_capture_up", "gauge", "Whether the capture is open.", write_capture_up, 0},
	{"tap82_capture_packets_total", "counter", "Packets that passed the kernel filter.",
		write_counter, COUNTERS(packets)},
	{"tap82_capture_bytes_total", "counter", "Their bytes.", write_counter, COUNTERS(bytes)},
	{"tap82_capture_drops_total", "counter", "Packets lost because the ring was full.",
		write_counter, COUNTERS(kernel_drops)},
	{"tap82_capture_interface_drops_total", "counter", "Packets lost by the interface.",
		write_counter, COUNTERS(interface_drops)},
	{"tap82_capture_messages_total", "counter", "Messages by what came out of decoding.",
		write_messages, 0},
	{"tap82_capture_damaged_total", "counter", "Messages with damage below them.",
		write_counter, COUNTERS(damaged)},
	{"tap82_capture_fragments_total", "counter", "IPv4 fragments seen.", write_counter,
		COUNTERS(fragments)},
	{"tap82_capture_observations_total", "counter", "Observations taken by the engine.",
		write_capture, CAPTURE(observations)},
	{"tap82_capture_invalid_total", "counter", "Observations that were not believed.",
		write_capture, CAPTURE(invalid)},
	{"tap82_capture_shed_total", "counter", "Renewals let go while the engine was behind.",
		write_counter, COUNTERS(shed)},
	{"tap82_sniffer_restarts_total", "counter", "Sniffers started again.", write_capture,
		CAPTURE(restarts)},
	{"tap82_acks_total", "counter", "DHCPACKs with an address.", write_engine_total,
		ENGINE(acks)},
	{"tap82_unknown_untold_total", "counter",
		"DHCPACKs of devices in no table that were counted only: too many at once.",
		write_engine_total, ENGINE(untold)},
	{"tap82_decisions_total", "counter", "Decisions by reason.", write_decisions, 0},
	{"tap82_events_total", "counter", "Events told.", write_events, 0},
	{"tap82_devices", "gauge", "Devices by state.", write_devices, 0},
	{"tap82_unknown_devices", "gauge", "Unknown MAC addresses remembered.", write_engine_gauge,
		ENGINE(unknown)},
	{"tap82_transactions", "gauge", "DHCP transactions remembered.", write_engine_gauge,
		ENGINE(transactions)},
	{"tap82_transactions_dropped_total", "counter",
		"DHCP transactions forgotten early because the table was full.", write_engine_total,
		ENGINE(transactions_dropped)},
	{"tap82_radius_sessions_dropped_total", "counter",
		"RADIUS sessions forgotten early because the table was full.", write_engine_total,
		ENGINE(sessions_dropped)},
	{"tap82_unknown_devices_dropped_total", "counter",
		"Unknown MAC addresses forgotten because the table was full.", write_engine_total,
		ENGINE(unknown_dropped)},
	{"tap82_radius_sessions", "gauge", "RADIUS sessions remembered.", write_engine_gauge,
		ENGINE(sessions)},
	{"tap82_holds", "gauge", "Cameras whose manual streams are held.", write_engine_gauge,
		ENGINE(holds)},
	{"tap82_reservations_pending", "gauge", "Reservations that are not final.",
		write_engine_gauge, ENGINE(work)},
	{"tap82_request_to_ack_seconds", "summary", "Time from REQUEST to ACK.", write_leg_time, 0},
	{"tap82_server_up", "gauge", "Whether dhcpd lets us in.", write_server_up, 0},
	{"tap82_server_queue", "gauge", "Orders that wait or are under way.", write_server_queue,
		0},
	{"tap82_server_orders_total", "counter", "Orders by result.", write_reservations, 0},
	{"tap82_omapi_requests_total", "counter", "OMAPI requests.", write_omapi, OMAPI(requests)},
	{"tap82_omapi_timeouts_total", "counter", "OMAPI requests without an answer in time.",
		write_omapi, OMAPI(timeouts)},
	{"tap82_omapi_connects_total", "counter", "OMAPI connections made.", write_omapi,
		OMAPI(connects)},
	{"tap82_omapi_round_trip_seconds", "gauge", "Recent mean round trip.", write_round_trip, 0},
	{"tap82_reconcile_runs_total", "counter", "Comparisons of our table with dhcpd's.",
		write_server, SERVER(reconciled)},
	{"tap82_reconcile_findings_total", "counter", "What they found.", write_findings, 0},
	{"tap82_reconcile_fixed_total", "counter", "What they mended.", write_server,
		SERVER(fixed)},
	{"tap82_reconcile_last_timestamp_seconds", "gauge",
		"When the last one was complete; 0: never.", write_server_seconds,
		SERVER(reconciled_at)},
	{"tap82_store_up", "gauge", "Whether the store can be written.", write_store_up, 0},
	{"tap82_store_commits_total", "counter", "Transactions committed.", write_turn,
		TURN(commits)},
	{"tap82_store_failures_total", "counter", "Transactions that failed.", write_turn,
		TURN(failures)},
	{"tap82_store_commit_seconds_total", "counter", "Time spent in commits.",
		write_turn_seconds, TURN(commit_time)},
	{"tap82_store_commit_longest_seconds", "gauge", "The longest commit since the start.",
		write_turn_seconds, TURN(commit_time_max)},
	{"tap82_turn_longest_seconds", "gauge",
		"The longest time in which nothing else was looked at, since the start.",
		write_turn_seconds, TURN(turn_time_max)},
	{"tap82_store_waiting_bytes", "gauge", "Work that waits for the store.", write_waiting, 0},
	{"tap82_webhook_queue", "gauge",
		"Webhook messages owed: the whole outbox, in memory and stored.",
		write_webhook_queue, 0},
	{"tap82_webhook_requests_total", "counter", "Webhook requests by result.",
		write_webhook_results, 0},
	{"tap82_http_requests_total", "counter", "API requests.", write_http_total, HTTP(requests)},
	{"tap82_http_refused_total", "counter", "API requests that were none.", write_http_total,
		HTTP(refused)},
	{"tap82_http_slow_total", "counter", "API connections dropped as too slow.",
		write_http_total, HTTP(slow)},
	{"tap82_http_connections", "gauge", "API connections.", write_http_gauge,
		HTTP(connections)},
};

void run_metrics_write(struct run *run, FILE *out)
{
	struct sink s = {.out = out, .run = run};

	engine_stats(run->engine, &s.engine);
	http_server_stats(run->http, &s.http);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		s.metric = &metrics[i];
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", s.metric->name, s.metric->help,
			s.metric->name, s.metric->type);
		s.metric->write(&s, s.metric->at);
	}
}
