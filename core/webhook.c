/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "tap82/clock.h"
#include "tap82/curl.h"
#include "tap82/err.h"
#include "tap82/log.h"
#include "tap82/secret.h"
#include "tap82/webhook.h"

#define MEMORY_MAX   2000 /* bodies of one webhook in memory; the rest waits in the outbox */
#define PARALLEL     4 /* requests of one webhook at a time */
#define TIME_LIMIT   10000L /* milliseconds for one request */
#define CONNECT	     5000L
#define BACK_OFF     USEC_PER_SEC
#define BACK_OFF_MAX (120 * USEC_PER_SEC)
#define REPLY_MAX    1024 /* of a reply is kept, for its message */
#define HEADERS	     4
#define DROPPED_TOLD (60 * USEC_PER_SEC) /* between two reports */

/* --- Bodies ---------------------------------------------------------------------------------- */

bool webhook_wants(const struct conf_webhook *conf, enum event_code code)
{
	const char *text = event_code_text(code);

	for (size_t i = 0; i < conf->event_count; i++)
		if (strcmp(conf->events[i], text) == 0)
			return true;
	return conf->event_count == 0;
}

/* What the VMS's "callback from the DHCP server" takes; the reservation is made already. */
static bool write_aipix(struct writer *w, const struct event *e)
{
	if (!e->has_mac || !e->ip)
		return false;
	writer_begin(w);
	writer_mac(w, "mac", &e->mac);
	writer_ipv4(w, "ip", e->ip);
	writer_bool(w, "skip_dhcp_reservation", true);
	writer_end(w);
	return true;
}

bool webhook_write(struct writer *w, const struct conf_webhook *conf, const struct event *e)
{
	if (conf->format == CONF_WEBHOOK_AIPIX)
		return write_aipix(w, e);
	event_write(w, e);
	return true;
}

/* --- Memory ---------------------------------------------------------------------------------- */

struct hook;

struct item {
	struct item *prev, *next;
	struct hook *hook;
	struct outbox_row row; /* body: ours */
	int64_t next_at; /* clock_mono() */
	uint32_t tries;
	CURL *easy; /* NULL: not under way */
	char error[CURL_ERROR_SIZE]; /* libcurl's words for why it did not come to an answer */
	size_t reply_len;
	char reply[REPLY_MAX + 1];
};

struct hook {
	const struct conf_webhook *conf;
	struct webhooks *all;
	struct secret *token;
	struct curl_slist *headers;
	struct item *items; /* in the order of the outbox */
	int64_t last_seq; /* of the newest that was taken into memory */
	bool more; /* the outbox has rows behind it */
	uint64_t untold; /* rows that were dropped since that was told */
	int64_t told_at; /* clock_mono() */
	uint32_t failures; /* one after another */
	int64_t paused_until; /* clock_mono() */
	struct webhook_stats stats;
};

struct watched {
	struct watched *next;
	struct loop_io *io;
	curl_socket_t fd;
};

struct webhooks {
	struct loop *loop;
	struct loop_timer *curl_timer, *timer;
	CURLM *multi;
	struct store *store;
	const struct webhook_ops *ops;
	void *ctx;
	struct watched *watched;
	bool blind; /* a socket could not be watched */
	struct hook *hooks;
	size_t count;
};

static void item_free(struct item *item)
{
	struct hook *hook = item->hook;

	if (item->easy) {
		curl.multi_remove_handle(hook->all->multi, item->easy);
		curl.easy_cleanup(item->easy);
		hook->stats.in_flight--;
	}
	DL_DELETE(hook->items, item);
	hook->stats.queued--;
	free((char *)item->row.body);
	free(item);
}

static int item_add(struct hook *hook, const struct outbox_row *row)
{
	struct item *item = calloc(1, sizeof(*item));
	char *body = malloc(row->body_len + 1);

	if (!item || !body) {
		free(item);
		free(body);
		return -ENOMEM;
	}
	memcpy(body, row->body, row->body_len);
	body[row->body_len] = 0;
	item->hook = hook;
	item->row = *row;
	item->row.body = body;
	DL_APPEND(hook->items, item);
	hook->stats.queued++;
	hook->last_seq = row->seq;
	return 0;
}

static struct hook *hook_find(struct webhooks *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->hooks[i].conf->name, name) == 0)
			return &w->hooks[i];
	return NULL;
}

/* --- The bound ------------------------------------------------------------------------------- */

/* It has left the outbox, or will with the next commit. */
static void row_done(struct hook *hook, int64_t seq)
{
	if (hook->stats.waiting > 0)
		hook->stats.waiting--;
	hook->all->ops->done(hook->all->ctx, seq);
}

static void tell_dropped(struct hook *hook)
{
	int64_t now = clock_mono();

	if (hook->untold == 0 || (hook->told_at && now - hook->told_at < DROPPED_TOLD))
		return;
	hook->all->ops->dropped(hook->all->ctx, hook->conf, hook->untold);
	hook->untold = 0;
	hook->told_at = now;
}

/* More wait than may: the oldest go, which are those in memory, but for what is under way. */
static void hook_trim(struct hook *hook)
{
	struct item *item = NULL, *next = NULL;

	DL_FOREACH_SAFE(hook->items, item, next)
	{
		if (hook->stats.waiting <= hook->conf->backlog)
			break;
		if (item->easy)
			continue;
		row_done(hook, item->row.seq);
		item_free(item);
		hook->stats.dropped++;
		hook->untold++;
	}
	tell_dropped(hook);
}

/* --- Choosing -------------------------------------------------------------------------------- */

/* A camera's earlier messages go first: whether one of them is still here. */
static bool must_wait(const struct item *item)
{
	const struct item *i = NULL;

	DL_FOREACH (item->hook->items, i) {
		/* cppcheck-suppress uninitvar ; the loop sets it */
		if (i == item)
			return false;
		if (mac_equal(&i->row.mac, &item->row.mac))
			return true;
	}
	return false;
}

static void item_send(struct item *item);

static void hook_send(struct hook *hook, int64_t now)
{
	uint32_t slots = hook->failures > 0 ? 1 : PARALLEL; /* a sick peer gets one at a time */
	struct item *item;

	if (now < hook->paused_until)
		return;
	DL_FOREACH (hook->items, item) {
		if (hook->stats.in_flight >= slots)
			return;
		if (!item->easy && item->next_at <= now && !must_wait(item))
			item_send(item);
	}
}

/* When the next of what waits is due. */
static int64_t hook_next(const struct hook *hook, int64_t now)
{
	int64_t next = INT64_MAX;
	const struct item *item = NULL;

	DL_FOREACH (hook->items, item) {
		int64_t at =
			/* cppcheck-suppress uninitvar ; the loop sets it */
			item->next_at > hook->paused_until ? item->next_at : hook->paused_until;

		if (!item->easy && at > now && at < next)
			next = at;
	}
	return next;
}

static int take_row(void *ctx, const struct outbox_row *row)
{
	struct webhooks *w = ctx;
	struct hook *hook = hook_find(w, row->webhook);

	if (!hook) { /* no longer configured */
		w->ops->done(w->ctx, row->seq);
		return 0;
	}
	if (row->seq <= hook->last_seq)
		return 0;
	if (hook->stats.queued >= MEMORY_MAX || item_add(hook, row) < 0)
		hook->more = true;
	return 0;
}

/* Rows that memory had no room for: those of the hooks that have room now. */
static void look_again(struct webhooks *w)
{
	bool look = false;

	for (size_t i = 0; i < w->count; i++) {
		struct hook *hook = &w->hooks[i];

		if (hook->more && hook->stats.queued == 0) {
			hook->more = false;
			look = true;
		}
	}
	if (look)
		store_each_outbox(w->store, take_row, w);
	for (size_t i = 0; i < w->count; i++)
		hook_trim(&w->hooks[i]);
}

/* At the start: every row that waits is counted. */
static int count_row(void *ctx, const struct outbox_row *row)
{
	struct hook *hook = hook_find(ctx, row->webhook);

	if (hook)
		hook->stats.waiting++;
	return take_row(ctx, row);
}

static void item_again(struct item *item, CURLcode code, long status);

/* What is on the wire is begun again: we would not see the answer of one of them. */
static void begin_again(struct webhooks *w)
{
	struct item *item = NULL;

	w->blind = false;
	for (size_t i = 0; i < w->count; i++)
		DL_FOREACH (w->hooks[i].items, item)
			if (item->easy)
				item_again(item, CURLE_OUT_OF_MEMORY, 0);
}

static void work(void *ctx)
{
	struct webhooks *w = ctx;
	int64_t now = clock_mono(), next = INT64_MAX;

	if (w->blind)
		begin_again(w);
	look_again(w);
	for (size_t i = 0; i < w->count; i++) {
		int64_t at;

		hook_send(&w->hooks[i], now);
		at = hook_next(&w->hooks[i], now);
		if (at < next)
			next = at;
	}
	if (next != INT64_MAX)
		loop_timer_set(w->timer, next - now);
}

/* Whose signatures are believed. Host name and chain are always checked: libcurl's default. */
void webhook_set_ca(void *easy, const struct conf_webhook *conf)
{
	if (conf->ca_file)
		curl.easy_setopt(easy, CURLOPT_CAINFO, conf->ca_file);
}

/* --- Requests -------------------------------------------------------------------------------- */

static size_t take_reply(char *bytes, size_t size, size_t n, void *ctx)
{
	struct item *item = ctx;
	size_t room = REPLY_MAX - item->reply_len, len = size * n;

	memcpy(item->reply + item->reply_len, bytes, len < room ? len : room);
	item->reply_len += len < room ? len : room;
	item->reply[item->reply_len] = 0;
	return len;
}

static int64_t back_off(uint32_t tries)
{
	int64_t wait = BACK_OFF << (tries < 8 ? tries : 8);

	return wait < BACK_OFF_MAX ? wait : BACK_OFF_MAX;
}

static void item_send(struct item *item)
{
	struct hook *hook = item->hook;
	CURL *easy = curl.easy_init();

	if (!easy) {
		item->next_at = clock_mono() + back_off(item->tries++);
		return;
	}
	item->reply_len = 0;
	item->reply[0] = item->error[0] = 0;
	curl.easy_setopt(easy, CURLOPT_URL, hook->conf->url);
	curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.easy_setopt(easy, CURLOPT_PROXY, ""); /* no environment decides for a daemon */
	curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIME_LIMIT);
	curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT);
	curl.easy_setopt(easy, CURLOPT_USERAGENT, "tap82/" TAP82_VERSION);
	curl.easy_setopt(easy, CURLOPT_HTTPHEADER, hook->headers);
	curl.easy_setopt(easy, CURLOPT_POSTFIELDS, item->row.body);
	curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)item->row.body_len);
	curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_reply);
	curl.easy_setopt(easy, CURLOPT_WRITEDATA, item);
	curl.easy_setopt(easy, CURLOPT_PRIVATE, item);
	curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, item->error);
	webhook_set_ca(easy, hook->conf);
	if (curl.multi_add_handle(hook->all->multi, easy) != CURLM_OK) {
		curl.easy_cleanup(easy);
		item->next_at = clock_mono() + back_off(item->tries++);
		return;
	}
	item->easy = easy;
	hook->stats.in_flight++;
}

/* The peer's own words: the "message" of its JSON, or what it wrote. */
static void peer_message(const struct item *item, long status, char *out, size_t size)
{
	json_t *json = json_loads(item->reply, 0, NULL);
	const char *message = json_string_value(json_object_get(json, "message"));

	snprintf(out, size, "%ld: %s", status, message ? message : item->reply);
	json_decref(json);
}

static void item_again(struct item *item, CURLcode code, long status)
{
	struct hook *hook = item->hook;
	int64_t now = clock_mono();

	if (code)
		snprintf(hook->stats.error, sizeof(hook->stats.error), "%.159s",
			item->error[0] ? item->error : curl.easy_strerror(code));
	else
		snprintf(hook->stats.error, sizeof(hook->stats.error), "answered %ld", status);
	if (hook->failures == 0)
		log_warning("webhook %s: %s: %s: trying again", hook->conf->name, hook->conf->url,
			hook->stats.error);
	curl.multi_remove_handle(hook->all->multi, item->easy);
	curl.easy_cleanup(item->easy);
	item->easy = NULL;
	hook->stats.in_flight--;
	hook->stats.retries++;
	item->next_at = now + back_off(item->tries++);
	hook->paused_until = now + (code ? back_off(hook->failures) : 0);
	hook->failures++;
}

static void item_over(struct item *item, CURLcode code)
{
	struct hook *hook = item->hook;
	struct webhooks *w = hook->all;
	char detail[REPLY_MAX + 32];
	long status = 0;

	curl.easy_getinfo(item->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK || (status / 100 != 2 && status != 400 && status != 422)) {
		item_again(item, code, status);
		return;
	}
	if (hook->failures > 0)
		log_info("webhook %s: answers again", hook->conf->name);
	hook->failures = 0;
	hook->stats.error[0] = 0;
	if (status / 100 == 2) {
		hook->stats.sent++;
	} else {
		hook->stats.rejected++;
		peer_message(item, status, detail, sizeof(detail));
		w->ops->rejected(w->ctx, hook->conf, &item->row, detail);
	}
	row_done(hook, item->row.seq);
	item_free(item);
}

static void finish(struct webhooks *w)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl.multi_info_read(w->multi, &left))) {
		struct item *item = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl.easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&item);
		item_over(item, msg->data.result);
	}
	work(w);
}

/* --- libcurl on the loop --------------------------------------------------------------------- */

static void socket_ready(void *ctx, int fd, int what)
{
	struct webhooks *w = ctx;
	int bits = (what & LOOP_READ ? CURL_CSELECT_IN : 0) |
		   (what & LOOP_WRITE ? CURL_CSELECT_OUT : 0),
	    running;

	curl.multi_socket_action(w->multi, fd, bits, &running);
	finish(w);
}

static void curl_due(void *ctx)
{
	struct webhooks *w = ctx;
	int running;

	curl.multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish(w);
}

static int want_timer(CURLM *multi, long ms, void *ctx)
{
	struct webhooks *w = ctx;

	(void)multi;
	if (ms < 0)
		loop_timer_clear(w->curl_timer);
	else
		loop_timer_set(w->curl_timer, ms * USEC_PER_MSEC);
	return 0;
}

static void unwatch(struct webhooks *w, struct watched *watched)
{
	LL_DELETE(w->watched, watched);
	loop_io_free(watched->io);
	free(watched);
}

static int watch(struct webhooks *w, int fd, int bits)
{
	struct watched *watched = calloc(1, sizeof(*watched));

	if (!watched)
		return -ENOMEM;
	watched->fd = fd;
	watched->io = loop_io_new(w->loop, fd, bits, socket_ready, w);
	if (!watched->io) {
		free(watched);
		return -ENOMEM;
	}
	LL_PREPEND(w->watched, watched);
	curl.multi_assign(w->multi, fd, watched);
	return 0;
}

/* A failure is not told to libcurl, which would let the whole of `multi` rest for it. */
static int want_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct webhooks *w = ctx;
	struct watched *watched = known;
	int bits = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watched)
			unwatch(w, watched);
		return 0;
	}
	if (watched ? loop_io_set(watched->io, bits) < 0 : watch(w, fd, bits) < 0) {
		w->blind = true;
		loop_timer_set(w->timer, 0);
	}
	return 0;
}

/* --- Life ------------------------------------------------------------------------------------ */

static int load_token(struct hook *hook, const struct conf *conf, problem_fn problem, void *ctx)
{
	char text[512];
	int err = secret_load(hook->conf->token_file, &hook->token);

	if (err < 0) {
		snprintf(text, sizeof(text), "%s: [webhook %s] token-file: %s: %s", conf->path,
			hook->conf->name, hook->conf->token_file, secret_error_text(err));
		problem(ctx, text);
	}
	return err;
}

static int add_header(struct hook *hook, const char *line)
{
	struct curl_slist *list = curl.slist_append(hook->headers, line);

	if (!list)
		return -ENOMEM;
	hook->headers = list;
	return 0;
}

static int hook_open(struct hook *hook, const struct conf *conf, problem_fn problem, void *ctx)
{
	char line[SECRET_MAX + 32];
	int err = add_header(hook, "Content-Type: application/json");

	if (err < 0 || !hook->conf->token_file)
		return err;
	err = load_token(hook, conf, problem, ctx);
	if (err < 0)
		return err;
	snprintf(line, sizeof(line), "Authorization: Bearer %s", secret_text(hook->token));
	err = add_header(hook, line);
	explicit_bzero(line, sizeof(line));
	return err;
}

static int open_curl(struct webhooks *w)
{
	int err = curl_load();

	if (err < 0)
		return err;
	w->multi = curl.multi_init();
	w->curl_timer = loop_timer_new(w->loop, curl_due, w);
	w->timer = loop_timer_new(w->loop, work, w);
	if (!w->multi || !w->curl_timer || !w->timer)
		return -ENOMEM;
	curl.multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl.multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w);
	curl.multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl.multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
	return 0;
}

int webhooks_new(struct loop *loop, const struct conf *conf, const struct webhook_ops *ops,
	void *ctx, problem_fn problem, void *problem_ctx, struct webhooks **ret_webhooks)
{
	struct webhooks *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	*w = (struct webhooks){.loop = loop, .ops = ops, .ctx = ctx};
	w->hooks = calloc(conf->webhook_count + 1, sizeof(*w->hooks));
	err = w->hooks ? open_curl(w) : -ENOMEM;
	for (size_t i = 0; i < conf->webhook_count && err == 0; i++) {
		w->hooks[i] = (struct hook){.conf = &conf->webhooks[i], .all = w};
		w->count++;
		err = hook_open(&w->hooks[i], conf, problem, problem_ctx);
	}
	if (err < 0) {
		webhooks_free(w);
		return err;
	}
	*ret_webhooks = w;
	return 0;
}

static void hook_done(struct hook *hook)
{
	while (hook->items)
		item_free(hook->items);
	for (struct curl_slist *l = hook->headers; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl.slist_free_all(hook->headers);
	secret_free(hook->token);
}

void webhooks_free(struct webhooks *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->count; i++)
		hook_done(&w->hooks[i]);
	if (w->multi)
		curl.multi_cleanup(w->multi);
	while (w->watched)
		unwatch(w, w->watched);
	loop_timer_free(w->curl_timer);
	loop_timer_free(w->timer);
	free(w->hooks);
	free(w);
}

int webhooks_begin(struct webhooks *w, struct store *store)
{
	int err;

	w->store = store;
	err = store_each_outbox(store, count_row, w);
	loop_timer_set(w->timer, 0);
	return err;
}

void webhooks_add(struct webhooks *w, const struct outbox_row *row)
{
	struct hook *hook = hook_find(w, row->webhook);

	if (!hook)
		return;
	hook->stats.waiting++;
	if (hook->more || hook->stats.queued >= MEMORY_MAX || item_add(hook, row) < 0)
		hook->more = true;
	hook_trim(hook);
	loop_timer_set(w->timer, 0);
}

void webhooks_stats(
	const struct webhooks *webhooks, size_t webhook, struct webhook_stats *ret_stats)
{
	*ret_stats = webhooks->hooks[webhook].stats;
}
