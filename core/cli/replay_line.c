/* SPDX-License-Identifier: ISC
 *
 * Events for people: a line each, the words that matter.
 */
#include "replay.h"

static void put_old(struct writer *w, const struct event *e)
{
	if (e->old.has_mac)
		writer_mac(w, "old", &e->old.mac);
	if (e->old.ip)
		writer_ipv4(w, "old_ip", e->old.ip);
	if (e->old.option82 && e->old.option82->circuit_id.present)
		writer_text(w, "old_port", e->old.option82->raw + e->old.option82->circuit_id.at,
			e->old.option82->circuit_id.len);
}

static void put_port(struct writer *w, const struct option82 *o)
{
	if (!o || !o->circuit_id.present)
		return;
	if (bytes_are_text(o->raw + o->circuit_id.at, o->circuit_id.len))
		writer_text(w, "port", o->raw + o->circuit_id.at, o->circuit_id.len);
	else
		writer_hex(w, "port", o->raw + o->circuit_id.at, o->circuit_id.len);
}

static void put_text(struct writer *w, const char *key, const char *text)
{
	if (text && *text)
		writer_str(w, key, text);
}

void replay_write_line(struct writer *w, const struct event *e)
{
	writer_begin(w);
	writer_time(w, NULL, e->time);
	writer_str(w, NULL, event_code_text(e->code));
	if (e->has_mac)
		writer_mac(w, NULL, &e->mac);
	if (e->ip)
		writer_ipv4(w, NULL, e->ip);
	put_text(w, "name", e->device.name);
	put_text(w, "server", e->server);
	put_port(w, e->option82);
	put_old(w, e);
	if (e->hold_until)
		writer_time(w, "hold_until", e->hold_until);
	put_text(w, "reason", e->reason);
	put_text(w, "detail", e->detail);
	writer_end(w);
}
