/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "tap82/err.h"
#include "tap82/failpoint.h"
#include "tap82/turn.h"
#include "tap82/webhook.h"

enum effect_kind {
	EFFECT_EVENT,
	EFFECT_DEVICE,
	EFFECT_DEVICE_GONE,
	EFFECT_RESERVATION,
	EFFECT_RESERVATION_GONE,
	EFFECT_ORDER,
	EFFECT_OUTBOX,
	EFFECT_OUTBOX_DONE,
	EFFECT_FACT,
};

/* One thing to be done, with its bytes behind it. */
struct effect {
	struct effect *next;
	enum effect_kind kind;
	size_t size; /* of the whole allocation */
	bool known; /* an event: the store had it; an outbox row: so had it its event */
	union {
		struct {
			struct event_row row;
			struct event event; /* values, and the words below */
			char server[CONF_NAME_MAX], reason[CONF_NAME_MAX];
		} told;
		struct mac mac;
		struct {
			struct mac mac;
			char server[CONF_NAME_MAX];
		} reservation_gone;
		struct order order;
		struct {
			struct outbox_row row;
			const struct effect *event; /* whose it is: it stands before in the list */
		} outbox;
		int64_t seq;
		struct {
			char key[64];
			size_t len;
		} fact;
	};
	char bytes[]; /* JSON, a body, a value, or a row */
};

struct turn {
	const struct conf *conf;
	struct store *store;
	const struct turn_ops *ops;
	void *ctx;
	struct effect *first, **last;
	struct writer writer;
	size_t waiting;
	uint64_t lost;
};

struct turn *turn_new(
	const struct conf *conf, struct store *store, const struct turn_ops *ops, void *ctx)
{
	struct turn *turn = calloc(1, sizeof(*turn));

	if (!turn)
		return NULL;
	if (writer_init(&turn->writer, -1, WRITER_JSON) < 0) {
		free(turn);
		return NULL;
	}
	turn->conf = conf;
	turn->store = store;
	turn->ops = ops;
	turn->ctx = ctx;
	turn->last = &turn->first;
	return turn;
}

static void effects_free(struct effect *first)
{
	struct effect *e, *next;

	LL_FOREACH_SAFE(first, e, next)
	free(e);
}

void turn_free(struct turn *turn)
{
	if (!turn)
		return;
	effects_free(turn->first);
	writer_done(&turn->writer);
	free(turn);
}

static struct effect *effect_new(
	struct turn *turn, enum effect_kind kind, const void *bytes, size_t len)
{
	struct effect *e = calloc(1, sizeof(*e) + len + 1);

	if (!e) {
		turn->lost++;
		return NULL;
	}
	e->kind = kind;
	e->size = sizeof(*e) + len + 1;
	if (len > 0)
		memcpy(e->bytes, bytes, len);
	*turn->last = e;
	turn->last = &e->next;
	turn->waiting += e->size;
	return e;
}

/* --- What is collected ----------------------------------------------------------------------- */

static void add_outbox(struct turn *turn, const struct conf_webhook *webhook,
	const struct event *event, const struct effect *told)
{
	struct effect *e;
	const char *body;
	size_t len;

	writer_clear(&turn->writer);
	if (!webhook_write(&turn->writer, webhook, event))
		return;
	body = writer_bytes(&turn->writer, &len);
	e = effect_new(turn, EFFECT_OUTBOX, body, len);
	if (!e)
		return;
	e->outbox.row = (struct outbox_row){.mac = event->mac, .body = e->bytes, .body_len = len};
	memcpy(e->outbox.row.webhook, webhook->name, CONF_NAME_MAX);
	e->outbox.event = told;
}

static const char *keep_word(const char *word, char out[CONF_NAME_MAX])
{
	if (!word || !*word)
		return NULL;
	strncpy(out, word, CONF_NAME_MAX - 1);
	return out;
}

/* The parts of an event that are values or words; what else is borrowed stays behind. */
static void keep_event(struct effect *e, const struct event *event)
{
	e->told.event = (struct event){.time = event->time,
		.code = event->code,
		.has_mac = event->has_mac,
		.mac = event->mac,
		.ip = event->ip,
		.relay = event->relay,
		.hold_until = event->hold_until,
		.server = keep_word(event->server, e->told.server),
		.reason = keep_word(event->reason, e->told.reason)};
	memcpy(e->told.event.id, event->id, EVENT_ID_BYTES);
}

void turn_event(struct turn *turn, const struct event *event)
{
	struct effect *e;
	const char *json;
	size_t len;

	writer_clear(&turn->writer);
	event_write(&turn->writer, event);
	json = writer_bytes(&turn->writer, &len);
	if (len > 0 && json[len - 1] == '\n')
		len--;
	e = effect_new(turn, EFFECT_EVENT, json, len);
	if (!e)
		return;
	keep_event(e, event);
	e->told.row = (struct event_row){.time = event->time,
		.mac = event->mac,
		.code = event_code_text(event->code),
		.json = e->bytes,
		.json_len = len};
	memcpy(e->told.row.id, event->id, EVENT_ID_BYTES);
	for (size_t i = 0; i < turn->conf->webhook_count; i++)
		if (webhook_wants(&turn->conf->webhooks[i], event->code))
			add_outbox(turn, &turn->conf->webhooks[i], event, e);
}

void turn_outbox_done(struct turn *turn, int64_t seq)
{
	struct effect *e = effect_new(turn, EFFECT_OUTBOX_DONE, NULL, 0);

	if (e)
		e->seq = seq;
}

void turn_fact(struct turn *turn, const char *key, const void *value, size_t len)
{
	struct effect *e = effect_new(turn, EFFECT_FACT, value, len);

	if (!e)
		return;
	strncpy(e->fact.key, key, sizeof(e->fact.key) - 1);
	e->fact.len = len;
}

static void on_event(void *ctx, const struct event *event)
{
	turn_event(ctx, event);
}

static void on_device(void *ctx, const struct device_row *row)
{
	effect_new(ctx, EFFECT_DEVICE, row, sizeof(*row));
}

static void on_device_gone(void *ctx, const struct mac *mac)
{
	struct effect *e = effect_new(ctx, EFFECT_DEVICE_GONE, NULL, 0);

	if (e)
		e->mac = *mac;
}

static void on_reservation(void *ctx, const struct reservation_row *row)
{
	effect_new(ctx, EFFECT_RESERVATION, row, sizeof(*row));
}

static void on_reservation_gone(void *ctx, const struct mac *mac, uint8_t server)
{
	struct turn *turn = ctx;
	struct effect *e = effect_new(turn, EFFECT_RESERVATION_GONE, NULL, 0);

	if (!e)
		return;
	e->reservation_gone.mac = *mac;
	memcpy(e->reservation_gone.server, turn->conf->servers[server].name, CONF_NAME_MAX);
}

static void on_order(void *ctx, const struct order *order)
{
	struct effect *e = effect_new(ctx, EFFECT_ORDER, NULL, 0);

	if (e)
		e->order = *order;
}

const struct engine_ops turn_engine_ops = {
	.event = on_event,
	.device = on_device,
	.device_gone = on_device_gone,
	.reservation = on_reservation,
	.reservation_gone = on_reservation_gone,
	.order = on_order,
};

/* --- The commit ------------------------------------------------------------------------------ */

/* Whether the store's event of this id is of an earlier happening: the id holds no clock, so a
 * camera that uses one xid for ever gives the same one each time. */
static bool is_another_happening(struct store *store, const struct event_row *row)
{
	int64_t then;

	return store_event_time(store, row->id, &then) == 0 &&
	       llabs(row->time - then) > EVENT_HAPPENING;
}

static void replace_id(
	char *json, const uint8_t from[EVENT_ID_BYTES], const uint8_t to[EVENT_ID_BYTES])
{
	char old[2 * EVENT_ID_BYTES + 1], new[2 * EVENT_ID_BYTES + 1], *at;

	at = strstr(json, hex_format(from, EVENT_ID_BYTES, old));
	if (at)
		memcpy(at, hex_format(to, EVENT_ID_BYTES, new), 2 * EVENT_ID_BYTES);
}

/* The event gets an id of its own, and its webhooks' bodies, which stand behind it, too. */
static void identify_again(struct effect *e)
{
	uint8_t id[EVENT_ID_BYTES];

	memcpy(id, e->told.row.id, sizeof(id));
	event_identify_again(id, e->told.row.time);
	replace_id(e->bytes, e->told.row.id, id);
	for (struct effect *o = e->next; o && o->kind == EFFECT_OUTBOX && o->outbox.event == e;
		o = o->next)
		replace_id(o->bytes, e->told.row.id, id);
	memcpy(e->told.row.id, id, sizeof(id));
	memcpy(e->told.event.id, id, sizeof(id));
}

static int put_event(struct store *store, struct effect *e)
{
	int n = store_put_event(store, &e->told.row);

	if (n == 0 && is_another_happening(store, &e->told.row)) {
		identify_again(e);
		n = store_put_event(store, &e->told.row);
	}
	e->known = n == 0;
	return n < 0 ? n : 0;
}

static int put_outbox(struct store *store, struct effect *e)
{
	e->known = e->outbox.event->known;
	return e->known ? 0 : store_put_outbox(store, &e->outbox.row, &e->outbox.row.seq);
}

/* A row was copied behind the effect, where no alignment is promised beyond the struct's own. */
static int put_device(struct store *store, const struct effect *e)
{
	struct device_row row;

	memcpy(&row, e->bytes, sizeof(row));
	return store_put_device(store, &row);
}

static int put_reservation(struct store *store, const struct effect *e)
{
	struct reservation_row row;

	memcpy(&row, e->bytes, sizeof(row));
	return store_put_reservation(store, &row);
}

static int put_effect(struct store *store, struct effect *e)
{
	switch (e->kind) {
	case EFFECT_EVENT: return put_event(store, e);
	case EFFECT_DEVICE: return put_device(store, e);
	case EFFECT_DEVICE_GONE: return store_delete_device(store, &e->mac);
	case EFFECT_RESERVATION: return put_reservation(store, e);
	case EFFECT_RESERVATION_GONE:
		return store_delete_reservation(
			store, &e->reservation_gone.mac, e->reservation_gone.server);
	case EFFECT_OUTBOX: return put_outbox(store, e);
	case EFFECT_OUTBOX_DONE: return store_delete_outbox(store, e->seq);
	case EFFECT_FACT: return store_put_fact(store, e->fact.key, e->bytes, e->fact.len);
	case EFFECT_ORDER: return 0;
	}
	return ERR_RANGE;
}

/* Gone already is as good as gone now. */
static int put_all(struct store *store, struct effect *first)
{
	struct effect *e;

	LL_FOREACH (first, e) {
		int err = put_effect(store, e);

		if (err < 0 && err != ERR_NOT_FOUND)
			return err;
	}
	return 0;
}

static void speak(struct turn *turn, const struct effect *e)
{
	if (e->kind == EFFECT_ORDER)
		turn->ops->order(turn->ctx, &e->order);
	else if (e->kind == EFFECT_EVENT && !e->known)
		turn->ops->event(turn->ctx, &e->told.row, &e->told.event);
	else if (e->kind == EFFECT_OUTBOX && !e->known)
		turn->ops->outbox(turn->ctx, &e->outbox.row);
}

int turn_commit(struct turn *turn)
{
	struct effect *first = turn->first, *e;
	int err;

	if (!first)
		return 0;
	err = store_begin(turn->store);
	if (err < 0)
		return err;
	err = put_all(turn->store, first);
	if (err < 0) {
		store_rollback(turn->store);
		return err;
	}
	err = store_commit(turn->store);
	if (err < 0)
		return err;
	failpoint("committed");
	turn->first = NULL;
	turn->last = &turn->first;
	turn->waiting = 0;
	LL_FOREACH (first, e)
		speak(turn, e);
	effects_free(first);
	failpoint("recorded");
	return 0;
}

size_t turn_waiting(const struct turn *turn)
{
	return turn->waiting;
}

uint64_t turn_lost(const struct turn *turn)
{
	return turn->lost;
}
