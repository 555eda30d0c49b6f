/* SPDX-License-Identifier: ISC
 *
 * `tap82 run`: the wiring of its processes. The first process forks the starter before it has
 * read a secret; the starter alone keeps the privilege to capture, and forks a sniffer for each
 * [capture] whenever it is asked. The first process becomes the engine: it gives up every
 * privilege before the first packet is looked at.
 */
#ifndef TAP82_CLI_RUN_H
#define TAP82_CLI_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "orders.h"
#include "run_words.h"
#include "tap82/conf.h"
#include "tap82/dhcpd.h"
#include "tap82/engine.h"
#include "tap82/eventlog.h"
#include "tap82/http.h"
#include "tap82/log.h"
#include "tap82/loop.h"
#include "tap82/observation.h"
#include "tap82/secret.h"
#include "tap82/store.h"
#include "tap82/turn.h"
#include "tap82/webhook.h"

struct run;

/* --- The starter (run_starter.c) ------------------------------------------------------------- */

struct starter {
	int fd;
	pid_t pid;
};

enum starter_word { STARTER_START = 1, STARTER_STARTED, STARTER_ENDED };

struct starter_message {
	uint16_t word; /* enum starter_word */
	uint16_t capture; /* index into conf->captures */
	int32_t pid;
	int32_t status; /* ended: as waitpid() gave it */
	char words[WORDS_MAX]; /* ended: what it said on stderr, "" */
};

/* Forks it; conf is used by the child as it is now. user: whom its sniffers become, NULL: who they
 * are. opener: where they get packet sockets, 0: the kernel. 0 or negative, logged. */
int starter_begin(
	const struct conf *conf, const char *user, int opener, struct starter *ret_starter);
/* Asks for a sniffer. 0 or -errno. */
int starter_ask(const struct starter *starter, uint16_t capture);
/* What it says next; STARTED brings the engine's end of the sniffer's socket. 1: a message; 0: none
 * now; negative: the starter is gone. */
int starter_hear(const struct starter *starter, struct starter_message *ret_message, int *ret_fd);
void starter_end(struct starter *starter);

/* --- The opener (run_opener.c) --------------------------------------------------------------- */

/* Where the program has CAP_NET_RAW as an ambient capability (a systemd unit): forks the opener,
 * which keeps it, and executes the program again without; there it is found by opener_inherit().
 * Returns where there is no such capability, or when that fails. */
void opener_begin_again(const char *conf_path);

struct opener {
	int fd; /* 0: there is none */
	pid_t pid;
};

void opener_inherit(struct opener *ret_opener);
/* The starter has its own end: this process needs none. */
void opener_forget(struct opener *opener);
/* When all who could ask have ended. */
void opener_end(struct opener *opener);

/* --- Events for the log (run_tell.c) ---------------------------------------------------------- */

void run_tell_begin(struct run *run);
void run_tell_event(struct run *run, const struct event_row *row);

/* --- Captures (run_sniffers.c) --------------------------------------------------------------- */

enum capture_state { CAPTURE_STARTING, CAPTURE_OPEN, CAPTURE_DOWN, CAPTURE_FINISHED };

struct capture_row {
	struct run *run;
	const struct conf_capture *conf;
	uint16_t index;
	enum capture_state state;
	int fd;
	struct loop_io *io;
	struct loop_timer *restart;
	char why[OBSERVATION_STATUS_MAX]; /* why it is not open */
	bool told; /* that it is down: once until it is open again */
	bool was_open;
	int64_t opened_at, down_since, back_off;
	bool paused; /* not read while the store is behind */
	uint64_t restarts, observations, invalid;
	struct observation_counters now, before; /* this sniffer's, all earlier ones' together */
	uint64_t lost; /* kernel drops not told yet */
	int64_t lost_since, lost_until; /* wall clock: they came between these */
	int64_t lost_told; /* onward, of the last report */
};

int run_sniffers_begin(struct run *run);
void run_sniffers_end(struct run *run);
/* All captures are open, or have been read to their end. */
bool run_sniffers_ready(const struct run *run);
/* Takes what the sniffers have sent until now. */
void run_sniffers_read_out(struct run *run);
/* Reads, or not, by how much waits for the store. */
void run_sniffers_flow(struct run *run);
/* Tells losses whose time has come. */
void run_sniffers_tick(struct run *run, int64_t now);
const char *capture_state_text(enum capture_state state);
/* Of all sniffers that this capture has had. */
void run_capture_totals(const struct capture_row *c, struct observation_counters *ret_sum);

/* --- Servers (run_servers.c) ----------------------------------------------------------------- */

enum finding {
	FINDING_NONE,
	FINDING_MISSING,
	FINDING_DIFFERENT,
	FINDING_ORPHANED,
	FINDING_FOREIGN,
	FINDINGS
};

struct server_row {
	struct run *run;
	struct order_server told;
	struct dhcpd_key *key;
	struct dhcpd *dhcpd;
	/* Reconciling, by itself and on demand. */
	uint64_t reconciled, found[FINDINGS], fixed;
	int64_t reconciled_at; /* wall clock; 0: never */
	bool reconcile_due; /* it is back, and another reconcile is under way */
};

/* Reads the keys, while there still is the privilege to. 0 or negative, logged. */
int run_servers_load_keys(struct run *run);
int run_servers_begin(struct run *run);
void run_servers_end(struct run *run);
/* Those that are away are tried now, not when their back-off is over. */
void run_servers_retry(struct run *run);
void run_servers_order(struct run *run, const struct order *order);
/* Orders that are not answered yet. */
uint32_t run_servers_busy(const struct run *run);

/* --- Reconciling (run_reconcile.c) ----------------------------------------------------------- */

#define RUN_RECONCILE_ROOM 16 /* of a server's room for orders: one asked for, one by itself */

/* Compares all servers with the table and streams the findings to `x`; `fix` mends ours;
 * `progress`: now and then {"checked", "of"} between them. macs: further ones that may have a host
 * of ours without being a device. 0; ERR_DUPLICATE: one is under way, ERR_FULL: `x` still waits for
 * its reply. */
int run_reconcile(struct run *run, struct http_exchange *x, bool fix, bool progress,
	const struct mac *macs, size_t count);
/* In the background, mending, when a server is back: now, or when the one under way is over. */
void run_reconcile_server(struct run *run, uint8_t server);
void run_reconcile_end(struct run *run);
const char *run_finding_text(enum finding finding);

/* --- Inventory (run_inventory.c) ------------------------------------------------------------- */

struct inventory_load {
	struct inventory *inventory; /* NULL: none is being loaded */
	struct loop_timer *timer; /* the next slice */
	bool applying, force;
	char problems[1024]; /* the first ones, for the event and the API */
	size_t problem_count;
	char stamp[64]; /* of the file that was loaded last: time, size, inode */
	char seen[64]; /* of the file a second ago */
	void (*done)(void *ctx, int err, const char *text);
	void *ctx;
};

/* At the start: whole, refusals are logged. 0 or negative. */
int run_inventory_first(struct run *run);
int run_inventory_begin(struct run *run);
void run_inventory_end(struct run *run);
/* Loads it again in slices; `done` (or NULL) is told once. 0; ERR_DUPLICATE: one is under way. */
int run_inventory_reload(
	struct run *run, bool force, void (*done)(void *ctx, int err, const char *text), void *ctx);
/* Reloads if the file has changed and has been quiet since. */
void run_inventory_tick(struct run *run);

/* --- Webhooks (run_webhooks.c) --------------------------------------------------------------- */

/* Reads the tokens, while privileged; logged. */
int run_webhooks_load(struct run *run);
int run_webhooks_begin(struct run *run);

/* --- The turn (run_turn.c) ------------------------------------------------------------------- */

struct turn_state {
	bool failing; /* the store does not take it */
	int64_t failing_since, retry_at;
	uint64_t commits, failures;
	int64_t commit_time, commit_time_max; /* sum, largest; microseconds */
	int64_t turn_time_max; /* the longest turn: nothing else was looked at meanwhile */
	bool mark_due, log_behind;
	struct eventlog_mark mark;
	int64_t log_retry_at;
	int64_t expire_at;
	struct log_limit log_limit; /* lines about events */
	int64_t ahead; /* clock_ahead() as the engine knows it */
};

int run_turn_begin(struct run *run);
/* clock_onward(); where somebody has set the wall clock, the engine is told, and the log. */
int64_t run_now(struct run *run);
/* The after-turn hook: ticks, commits, speaks. */
void run_turn(void *ctx);

/* --- Privilege (run_confine.c) --------------------------------------------------------------- */

/* While privileged: directories for state, log and socket. 0 or negative, logged. */
int run_confine_prepare(const struct conf *conf, uid_t uid, gid_t gid);
/* Whom `user` names. `*ret_change`: whether we are to become it. 0, or negative, logged. */
int run_confine_user(const struct conf *conf, bool *ret_change, uid_t *ret_uid, gid_t *ret_gid);
/* Gives up everything: user, groups, capabilities, new privileges, core dumps. */
int run_confine_drop(bool change, uid_t uid, gid_t gid);
/* The engine’s list of system calls (run_calls.c). Last, when everything is open. */
int run_confine_calls(void);

/* --- API (run_api.c) ------------------------------------------------------------------------- */

/* Binds the listeners, while privileged; loads the token. 0 or negative, logged. */
int run_api_bind(struct run *run, bool change, gid_t gid);
int run_api_begin(struct run *run);
void run_api_end(struct run *run);
/* Starts to answer: captures are open, tables loaded. */
int run_api_serve(struct run *run);
void run_api_event(struct run *run, const struct event_row *row);
/* The turn was committed, or could not be: answers that waited for it go out. */
void run_api_committed(struct run *run);

/* --- All of it ------------------------------------------------------------------------------- */

struct api;

struct run {
	struct conf *conf;
	struct opener opener;
	struct starter starter;
	int journal_fd; /* the journal's socket, or negative: lines to stderr */
	struct loop_io *starter_io;
	struct loop *loop;
	struct loop_timer *timer, *second, *watchdog;
	struct loop_signal *signals[4];
	struct store *store;
	struct turn *turn;
	struct turn_state turn_state;
	struct engine *engine;
	struct eventlog *eventlog; /* NULL: none */
	struct webhooks *webhooks;
	struct capture_row *captures;
	struct server_row *servers;
	struct reconcile *reconciles; /* one at a time */
	struct inventory_load load;
	struct http_server *http;
	struct api *api;
	struct secret *api_token; /* NULL: nobody writes over TCP */
	int *listen_fds; /* one for each `listen`, then that of `metrics-listen` */
	size_t listen_count;
	bool ready; /* READY=1 was said */
	bool stopping;
	int64_t started_at, stop_by; /* stop_by: clock_mono() */
	int exit_code;
};

/* Ends the program in an orderly way, at once or, with `drain`, after what is under way. */
void run_stop(struct run *run, int exit_code);
void run_drain(struct run *run);
/* A capture became open: is everything? */
void run_check_ready(struct run *run);

#endif
