/* SPDX-License-Identifier: ISC
 *
 * Why a camera is, or is not, provisioned: the decision's table from top to bottom, each row with
 * its answer and what was seen of it, then the verdict and what a person can do next.
 */
#include <stdio.h>

#include "tap82/err.h"

#include "engine_self.h"

#define ANSWER_TIME (10 * USEC_PER_SEC) /* a server that has not answered by then does not */

/* What is known of a MAC when it is explained. */
struct story {
	struct engine *e;
	struct writer *w;
	struct mac mac;
	const struct device *device;
	const struct unknown *unknown;
	const struct session *session;
	const struct reservation *work;
	const struct transaction *exchange; /* the last one, or that of its last ACK */
	enum reason reason; /* of its last ACK */
	uint32_t ip, relay, xid;
	uint32_t server_id;
	int server, group;
	int64_t acked_at, last_seen;
};

static void fill_device(struct story *s)
{
	const struct device *d = s->device;

	s->reason = (enum reason)d->reason;
	s->ip = s->work && s->work->ip ? s->work->ip : d->ip;
	s->relay = device_relay(&s->e->devices, d);
	s->xid = d->xid;
	s->server = d->acked_at ? d->acked_server : -1;
	s->acked_at = d->acked_at * USEC_PER_SEC;
	s->last_seen = d->last_seen;
	if (s->reason == REASON_NONE && d->acked_at)
		s->reason = d->ip && d->confirmed ? REASON_ALREADY_PROVISIONED : REASON_NONE;
}

/* Its last ACK was not acted upon: that one is the evidence. */
static void fill_stopped(struct story *s)
{
	const struct memo *memo = device_memo(&s->e->devices, s->device);

	if (!memo || !memo->stopped_at || s->reason == REASON_RESERVATION_FAILED)
		return;
	s->ip = memo->stopped_ip;
	s->relay = memo->stopped_relay;
	s->xid = memo->stopped_xid;
	s->server_id = memo->stopped_server_id;
	s->server = conf_server_by_id(s->e->conf, s->server_id);
	s->acked_at = memo->stopped_at;
}

static void fill_unknown(struct story *s)
{
	const struct unknown *u = s->unknown;

	s->reason = (enum reason)u->reason;
	s->ip = u->ip;
	s->relay = u->relay;
	s->xid = u->xid;
	s->server_id = u->server_id;
	s->server = u->server_id ? conf_server_by_id(s->e->conf, u->server_id) : -1;
	s->acked_at = u->acked ? u->last_seen : 0;
	s->last_seen = u->last_seen;
}

static void fill_exchange(struct story *s)
{
	if (s->last_seen)
		s->exchange = transaction_last(&s->e->transactions, &s->mac, s->last_seen);
	if (!s->exchange && s->acked_at)
		s->exchange = transaction_find(&s->e->transactions, &s->mac, s->xid);
}

static void fill(struct story *s)
{
	s->device = device_find(&s->e->devices, &s->mac);
	s->unknown = s->device ? NULL : unknown_find(&s->e->unknowns, &s->mac);
	s->session = session_find(&s->e->sessions, &s->mac);
	s->work = reservations_find(&s->e->reservations, &s->mac);
	s->server = -1;
	if (s->device) {
		fill_device(s);
		fill_stopped(s);
	} else if (s->unknown) {
		fill_unknown(s);
	}
	s->group = s->ip ? conf_group_of(s->e->conf, s->ip) : -1;
	fill_exchange(s);
}

/* --- Evidence ----------------------------------------------------------------------------------
 */

static void put_ip(struct story *s, const char *key, uint32_t ip)
{
	if (ip)
		writer_ipv4(s->w, key, ip);
}

static void put_time(struct story *s, const char *key, int64_t time)
{
	if (time)
		writer_time(s->w, key, shown(s->e, time));
}

static void show_server(struct story *s)
{
	if (s->server >= 0)
		writer_str(s->w, "server", s->e->conf->servers[s->server].name);
	else
		put_ip(s, "server", s->server_id);
	put_time(s, "time", s->acked_at);
	if (s->acked_at && s->xid)
		writer_hex32(s->w, "xid", s->xid);
}

static void show_group(struct story *s)
{
	const char *name = group_name(s->e, s->group);

	put_ip(s, "ip", s->ip);
	if (name)
		writer_str(s->w, "group", name);
}

static void show_relay(struct story *s)
{
	put_ip(s, "relay", s->relay);
}

static void show_gate(struct story *s)
{
	writer_bool(s->w, "global", s->e->conf->auto_provisioning);
	if (s->group >= 0)
		writer_bool(s->w, "group", s->e->conf->groups[s->group].auto_provisioning);
}

static void show_allocation(struct story *s)
{
	put_ip(s, "ip", s->ip);
	put_time(s, "time", s->acked_at);
}

static void show_device(struct story *s)
{
	struct device_texts texts;

	if (s->unknown) {
		put_time(s, "first_seen", s->unknown->first_seen);
		put_time(s, "last_seen", s->unknown->last_seen);
	}
	if (!s->device)
		return;
	device_texts(&s->e->devices, s->device, &texts);
	writer_str(s->w, "serial_number", texts.serial_number);
	if (*texts.name)
		writer_str(s->w, "name", texts.name);
	if (texts.line && s->e->conf->devices)
		writer_str(s->w, "file", s->e->conf->devices);
	if (texts.line)
		writer_u64(s->w, "line", texts.line);
	else
		writer_str(s->w, "origin", "added by hand");
}

static void show_wanted_group(struct story *s)
{
	const char *name = s->device && s->device->group != DEVICE_NO_GROUP
				   ? group_name(s->e, s->device->group)
				   : NULL;

	if (name)
		writer_str(s->w, "inventory_group", name);
	show_group(s);
}

static void show_address(struct story *s)
{
	const struct memo *memo = s->device ? device_memo(&s->e->devices, s->device) : NULL;

	if (s->device)
		put_ip(s, "ip", s->device->ip);
	if (memo)
		put_ip(s, "first_ip", memo->first_ip);
	if (memo)
		put_ip(s, "told_ip", memo->told_ip);
	put_time(s, "last_seen", s->last_seen);
}

static void show_port(struct story *s)
{
	const struct device *other;
	char text[MAC_TEXT];

	other = s->device && s->reason == REASON_ADDRESS_TAKEN
			? device_find_ip(&s->e->devices, s->ip)
			: NULL;
	put_ip(s, "ip", other ? s->ip : 0);
	if (other && other != s->device)
		writer_str(s->w, "taken", mac_format(&other->mac, text));
	if (!s->device || !device_profile(&s->e->devices, s->device, &s->e->profile, NULL))
		return;
	option82_record(s->w, "option82", &s->e->profile,
		device_place(&s->e->devices, s->device, &s->e->profile_place) ? &s->e->profile_place
									      : NULL);
	writer_list_begin(s->w, "others_on_port");
	other = device_port_next(&s->e->devices, s->device);
	for (int i = 0; other && i < 8; i++, other = device_port_next(&s->e->devices, other))
		writer_str(s->w, NULL, mac_format(&other->mac, text));
	writer_list_end(s->w);
}

static void show_part(struct story *s, const struct reservation_part *part)
{
	writer_object_begin(s->w, NULL);
	writer_str(s->w, "server", s->e->conf->servers[part->server].name);
	writer_str(s->w, "state", reservation_part_text(part));
	put_ip(s, "ip", part->state == RESERVATION_CONFIRMED ? part->want : 0);
	writer_u64(s->w, "tries", part->tries);
	if (part->reason)
		writer_str(s->w, "error", part->reason);
	if (part->detail)
		writer_str(s->w, "detail", part->detail);
	writer_object_end(s->w);
}

/* The address that is not reserved yet, or could not be. */
static uint32_t wanted_ip(const struct story *s)
{
	const struct memo *memo = s->device ? device_memo(&s->e->devices, s->device) : NULL;

	if (s->reason == REASON_RESERVATION_FAILED && memo && memo->failed_ip)
		return memo->failed_ip;
	return s->work && s->work->phase == PHASE_ACTIVE ? s->work->ip : 0;
}

static void show_reservation(struct story *s)
{
	put_ip(s, "ip", wanted_ip(s));
	writer_list_begin(s->w, "reservation");
	for (unsigned i = 0; s->work && i < s->work->count; i++)
		show_part(s, &s->work->parts[i]);
	if (!s->work && s->device && s->device->acked_group < s->e->conf->group_count) {
		const struct conf_group *group = &s->e->conf->groups[s->device->acked_group];

		for (unsigned i = 0; i < group->server_count; i++) {
			if (!(s->device->confirmed >> i & 1))
				continue;
			writer_object_begin(s->w, NULL);
			writer_str(s->w, "server", s->e->conf->servers[group->servers[i]].name);
			writer_str(s->w, "state", "confirmed");
			put_ip(s, "ip", s->device->ip);
			writer_object_end(s->w);
		}
	}
	writer_list_end(s->w);
}

static void show_record(struct story *s)
{
	int64_t seen_at;

	if (!s->device)
		return;
	put_ip(s, "ip", s->device->ip);
	if (device_profile(&s->e->devices, s->device, &s->e->profile, &seen_at))
		put_time(s, "option82_seen_at", seen_at);
}

static void show_hold(struct story *s)
{
	if (s->device && s->device->flags & DEVICE_HELD)
		put_time(s, "hold_until", s->device->hold_until);
}

static void show_nothing(struct story *s)
{
	(void)s;
}

/* What is shown with a row, by its number and place in the table. */
static void show(struct story *s, unsigned number, unsigned nth)
{
	static void (*const by_number[])(struct story *) = {
		[1] = show_server,
		[2] = show_group,
		[3] = show_relay,
		[4] = show_gate,
		[5] = show_allocation,
		[6] = show_device,
		[7] = show_address,
		[8] = show_port,
		[9] = show_reservation,
		[10] = show_record,
		[11] = show_hold,
		[12] = show_nothing,
	};

	if (number == 6 && nth > 0)
		show_wanted_group(s);
	else
		by_number[number](s);
}

/* --- Answers -----------------------------------------------------------------------------------
 */

/* The row that stopped its last ACK, or how far a reservation under way has come. */
static unsigned stopping_row(const struct story *s, unsigned count, bool *ret_stopped)
{
	unsigned n;
	const struct decide_row *rows = decide_rows(&n), *row;

	*ret_stopped = s->reason != REASON_PROVISIONED;
	if (s->reason == REASON_NONE)
		return 0;
	row = decide_row_of(s->reason);
	(void)count;
	if (s->reason == REASON_PROVISIONED && s->work && s->work->phase == PHASE_ACTIVE) {
		row = decide_row_of(REASON_RESERVATION_FAILED);
		*ret_stopped = true;
	}
	return (unsigned)(row - rows);
}

static const char *answer_of(const struct story *s, unsigned i, unsigned stop, bool stopped)
{
	if (s->reason == REASON_NONE || i > stop)
		return "not-reached";
	return i == stop && stopped ? "no" : "yes";
}

static void write_steps(struct story *s, unsigned *ret_stop)
{
	unsigned count, nth = 0;
	const struct decide_row *rows = decide_rows(&count);
	bool stopped;
	unsigned stop = stopping_row(s, count, &stopped);

	writer_list_begin(s->w, "steps");
	for (unsigned i = 0; i < count; i++) {
		const char *answer = answer_of(s, i, stop, stopped);

		nth = i > 0 && rows[i].number == rows[i - 1].number ? nth + 1 : 0;
		writer_object_begin(s->w, NULL);
		writer_u64(s->w, "n", rows[i].number);
		writer_str(s->w, "question", rows[i].question);
		writer_str(s->w, "answer", answer);
		writer_object_begin(s->w, "evidence");
		if (*answer != 'n' || answer[1] == 'o')
			if (strcmp(answer, "not-reached") != 0 || rows[i].number == 6)
				show(s, rows[i].number, nth);
		writer_object_end(s->w);
		writer_object_end(s->w);
	}
	writer_list_end(s->w);
	*ret_stop = stop;
}

static void write_session_field(struct story *s, const char *key, int field)
{
	uint8_t len = 0;
	const uint8_t *bytes = session_field(s->session, field, &len);

	if (bytes)
		writer_text(s->w, key, bytes, len);
}

static void write_radius(struct story *s)
{
	struct place place;

	if (!s->session)
		return;
	writer_object_begin(s->w, "radius");
	put_time(s, "time", s->session->seen_at);
	if (session_place(s->session, &place))
		place_record(s->w, "place", &place);
	write_session_field(s, "user", SESSION_USER);
	write_session_field(s, "session_id", SESSION_ID);
	if (s->session->vlan >= 0)
		writer_i64(s->w, "vlan", s->session->vlan);
	put_ip(s, "framed_ip", s->session->framed_ip);
	writer_bool(s->w, "ended", s->session->ended);
	writer_object_end(s->w);
}

static void write_leg(struct story *s, const struct transaction *tx, int leg, const char *key)
{
	put_time(s, key, tx->legs[leg]);
}

static void write_exchange(struct story *s)
{
	const struct transaction *tx = s->exchange;
	const char *state;

	if (!tx)
		return;
	state = client_state_text((enum client_state)tx->client_state);
	writer_object_begin(s->w, "exchange");
	writer_hex32(s->w, "xid", tx->key.xid);
	if (state)
		writer_str(s->w, "client_state", state);
	write_leg(s, tx, LEG_DISCOVER, "discover");
	write_leg(s, tx, LEG_OFFER, "offer");
	write_leg(s, tx, LEG_REQUEST, "request");
	write_leg(s, tx, LEG_ACK, "ack");
	write_leg(s, tx, LEG_NAK, "nak");
	writer_object_end(s->w);
}

/* It asks, and has not got an ACK for a while, though one may have come before. */
static bool is_unanswered(const struct story *s)
{
	const struct transaction *tx = s->exchange;
	int64_t asked;

	if (!tx || tx->legs[LEG_ACK])
		return false;
	asked = tx->legs[LEG_DISCOVER] ? tx->legs[LEG_DISCOVER] : tx->legs[LEG_REQUEST];
	return asked && s->e->now - asked >= ANSWER_TIME;
}

/* How far an exchange without an ACK came; "" and *ret_next as it was: the server is silent. */
static const char *how_far(const struct transaction *tx, const char **ret_next)
{
	if (tx && tx->legs[LEG_NAK]) {
		*ret_next = "It asks for an address of another network, or for another's: see that "
			    "VLAN and relay of its port are right; it will start anew by itself.";
		return "a server refused what it asks for";
	}
	if (tx && tx->legs[LEG_OFFER] && !tx->legs[LEG_REQUEST]) {
		*ret_next =
			"See whether the OFFER gets to it (the way back through the relay), and "
			"whether another server's offer suits it better (`tap82 probe`).";
		return "it was offered an address, and did not ask for it";
	}
	return "";
}

/* What there is to say of a MAC without any ACK. */
static void say_silence(const struct story *s, char *verdict, size_t size, const char **ret_next)
{
	char since[TIME_TEXT], last[TIME_TEXT];
	const char *how;

	*ret_next = NULL;
	time_format(shown(s->e, s->e->started), since);
	if (s->last_seen) {
		how = how_far(s->exchange, ret_next);
		if (!*how)
			how = s->acked_at ? "it asks again, and no server's ACK was seen"
					  : "it asks for an address, and no server's ACK was seen";
		snprintf(verdict, size, "%s (last heard %s)", how,
			time_format(shown(s->e, s->last_seen), last));
		if (*ret_next)
			return;
		*ret_next = "See whether a DHCP server answers it (`tap82 probe`), and whether the "
			    "capture sees the server's side.";
		return;
	}
	snprintf(verdict, size, "no DHCP from it on these captures since %s; last RADIUS %s",
		s->e->started ? since : "the start",
		s->session ? time_format(shown(s->e, s->session->seen_at), last) : "never");
	*ret_next = s->session ? "The switch sees it: check VLAN and relay of that port, and that "
				 "the capture is "
				 "between relay and DHCP server."
			       : "Check power, cable and port of the camera, and that the capture "
				 "is between relay "
				 "and DHCP server.";
}

static const char *refusal(const struct story *s)
{
	for (unsigned i = 0; s->work && i < s->work->count; i++)
		if (s->work->parts[i].state == RESERVATION_REFUSED && s->work->parts[i].reason)
			return s->work->parts[i].reason;
	return NULL;
}

static void write_verdict(struct story *s, unsigned stop)
{
	const char *reason = reason_text(s->reason), *next;
	const struct decide_row *row;
	char verdict[160];
	unsigned count;

	row = &decide_rows(&count)[stop];
	if (s->reason == REASON_NONE || is_unanswered(s)) {
		say_silence(s, verdict, sizeof(verdict), &next);
		writer_str(s->w, "verdict", verdict);
		writer_str(s->w, "next", next);
		return;
	}
	if (s->reason == REASON_RESERVATION_FAILED && refusal(s))
		reason = refusal(s);
	if (s->reason == REASON_PROVISIONED && row->stop == REASON_RESERVATION_FAILED) {
		reason = "reserving";
		next = "Wait: its reservation is under way.";
	} else {
		next = row->next_step;
	}
	writer_str(s->w, "verdict", reason);
	writer_str(s->w, "next", next);
}

int engine_explain_write(struct engine *e, const struct mac *mac, struct writer *w, int64_t now)
{
	struct story s = {.e = e, .w = w, .mac = *mac};
	unsigned stop;

	if (now > e->now)
		e->now = now;
	fill(&s);
	writer_begin(w);
	writer_mac(w, "mac", mac);
	if (s.device)
		writer_str(w, "state", device_state_text((enum device_state)s.device->state));
	write_steps(&s, &stop);
	write_radius(&s);
	write_exchange(&s);
	write_verdict(&s, stop);
	writer_end(w);
	return 0;
}
