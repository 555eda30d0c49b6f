/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "replay_report.h"

/* A browser should still like to open the page. */
#define MESSAGES_MAX 50000
#define EVENTS_MAX   50000

struct camera_index {
	UT_hash_handle hh;
	struct mac mac;
	uint32_t camera;
};

struct report *report_new(void)
{
	return calloc(1, sizeof(struct report));
}

static void free_index(struct report *r)
{
	struct camera_index *head = r->index, *i, *next;

	HASH_ITER (hh, head, i, next) {
		HASH_DEL(head, i);
		free(i);
	}
}

void report_free(struct report *r)
{
	if (!r)
		return;
	free_index(r);
	for (size_t i = 0; i < r->entry_count; i++)
		free(r->entries[i].text);
	for (size_t i = 0; i < r->camera_count; i++) {
		free(r->cameras[i].name);
		free(r->cameras[i].serial_number);
		free(r->cameras[i].port);
	}
	free(r->entries);
	free(r->cameras);
	free(r);
}

static int grow(void **array, size_t *room, size_t count, size_t size)
{
	size_t wanted = *room ? 2 * *room : 256;
	void *p;

	if (count < *room)
		return 0;
	p = reallocarray(*array, wanted, size);
	if (!p)
		return -1;
	*array = p;
	*room = wanted;
	return 0;
}

static struct report_camera *camera_at(struct report *r, const struct mac *mac, uint32_t *ret_index)
{
	struct camera_index *head = r->index, *i;

	HASH_FIND(hh, head, mac, sizeof(*mac), i);
	if (!i) {
		if (grow((void **)&r->cameras, &r->camera_room, r->camera_count,
			    sizeof(*r->cameras)) < 0)
			return NULL;
		i = malloc(sizeof(*i));
		if (!i)
			return NULL;
		*i = (struct camera_index){.mac = *mac, .camera = (uint32_t)r->camera_count};
		HASH_ADD(hh, head, mac, sizeof(i->mac), i);
		r->index = head;
		r->cameras[r->camera_count++] = (struct report_camera){.mac = *mac};
	}
	*ret_index = i->camera;
	return &r->cameras[i->camera];
}

/* Behind all that is not later. What was due between two packets is told at the second one, so
 * little has to move. */
static struct report_entry *place_for(struct report *r, int64_t time)
{
	size_t i = r->entry_count++;

	for (; i > 0 && r->entries[i - 1].time > time; i--)
		r->entries[i] = r->entries[i - 1];
	return &r->entries[i];
}

static struct report_entry *add(struct report *r, const struct mac *mac, int64_t time)
{
	struct report_entry *entry;
	struct report_camera *camera;
	uint32_t index;

	if (r->entry_count >= MESSAGES_MAX + EVENTS_MAX) {
		r->left_out++;
		return NULL;
	}
	camera = camera_at(r, mac, &index);
	if (!camera ||
		grow((void **)&r->entries, &r->entry_room, r->entry_count, sizeof(*r->entries)) < 0)
		return NULL;
	camera->entries++;
	entry = place_for(r, time);
	*entry = (struct report_entry){.time = time, .camera = index};
	return entry;
}

/* An id as text where it is text, else as hex. */
static void put_id(FILE *out, const char *what, const uint8_t *bytes, size_t len)
{
	fputs(what, out);
	if (bytes_are_text(bytes, len))
		fwrite(bytes, 1, len, out);
	else
		for (size_t i = 0; i < len; i++)
			fprintf(out, "%02x", bytes[i]);
}

static char *port_text(const struct option82 *o)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (o->remote_id.present)
		put_id(out, "remote-id ", o->raw + o->remote_id.at, o->remote_id.len);
	if (o->circuit_id.present)
		put_id(out, o->remote_id.present ? ", circuit-id " : "circuit-id ",
			o->raw + o->circuit_id.at, o->circuit_id.len);
	fclose(out);
	return text;
}

static void note_port(struct report *r, const struct observation *o)
{
	const struct option82 *o82 = &o->dhcp.option82;
	struct report_camera *camera;
	uint32_t index;

	if (!o82->len || (!o82->circuit_id.present && !o82->remote_id.present))
		return;
	camera = camera_at(r, &o->mac, &index);
	if (!camera)
		return;
	free(camera->port);
	camera->port = port_text(o82);
	camera->port_seen = o->time;
}

static void add_dhcp(struct report *r, const struct observation *o)
{
	struct report_entry *entry;

	if (!o->dhcp.has_mac || !o->dhcp.type)
		return;
	if (o->dhcp.type == DHCP_ACK || o->dhcp.type == DHCP_REQUEST)
		note_port(r, o);
	if (r->entry_count >= MESSAGES_MAX) {
		r->left_out++;
		return;
	}
	entry = add(r, &o->mac, o->time);
	if (!entry)
		return;
	entry->type = o->dhcp.type;
	entry->state = (uint8_t)client_state_of(o);
	entry->xid = o->dhcp.xid;
	entry->giaddr = o->dhcp.giaddr;
	entry->ip = o->dhcp.yiaddr   ? o->dhcp.yiaddr
		    : o->dhcp.ciaddr ? o->dhcp.ciaddr
				     : o->dhcp.requested_ip;
	entry->src = o->src;
	entry->dst = o->dst;
	entry->text = o->dhcp.option82.len ? port_text(&o->dhcp.option82) : NULL;
}

static void add_radius(struct report *r, const struct observation *o)
{
	struct report_entry *entry;

	if (!o->radius.has_mac || r->entry_count >= MESSAGES_MAX)
		return;
	entry = add(r, &o->mac, o->time);
	if (!entry)
		return;
	entry->ip = o->radius.nas_ip;
	entry->src = o->src;
	entry->dst = o->dst;
	if (o->radius.nas_port_id.present)
		entry->text = strndup(
			(const char *)o->radius.nas_port_id.bytes, o->radius.nas_port_id.len);
}

void report_observation(struct report *r, const struct observation *o)
{
	if (o->kind == OBSERVATION_DHCP)
		add_dhcp(r, o);
	else if (o->kind == OBSERVATION_RADIUS)
		add_radius(r, o);
}

static void keep(char **text, const char *from)
{
	if (!from || !*from || *text)
		return;
	*text = strdup(from);
}

/* Words are separated by semicolons. */
static void put_word(FILE *out, const char *what, const char *word)
{
	if (!word || !*word)
		return;
	fprintf(out, "%s%s%s", ftell(out) > 0 ? "; " : "", what, word);
}

/* Where RADIUS says it is: the port's name, else what came of option 82 that way. */
static void put_place(FILE *out, const struct place *place)
{
	const char *before = ftell(out) > 0 ? "; RADIUS: " : "RADIUS: ";

	if (place->nas_port_id.present)
		put_id(out, before, place->nas_port_id.bytes, place->nas_port_id.len);
	else if (place->circuit_id.present)
		put_id(out, before, place->circuit_id.bytes, place->circuit_id.len);
}

static char *event_words(const struct event *e)
{
	char *text = NULL, *port = NULL, mac[MAC_TEXT], ip[IPV4_TEXT];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put_word(out, "", e->reason);
	if (e->code == EVENT_DHCP_UNKNOWN_SERVER)
		put_word(out, "server ", e->server);
	if (e->code == EVENT_DHCP_UNKNOWN_RELAY && e->relay)
		put_word(out, "relay ", ipv4_format(e->relay, ip));
	if (e->old.has_mac)
		put_word(out, "the other camera: ", mac_format(&e->old.mac, mac));
	if (e->old.ip)
		put_word(out, e->old.has_mac ? "it has " : "before: ", ipv4_format(e->old.ip, ip));
	if (e->old.option82)
		put_word(out, "before: ", port = port_text(e->old.option82));
	if (e->code == EVENT_LOCATION_MISMATCH && e->option82)
		put_word(out, "option 82: ", port = port_text(e->option82));
	if (e->place)
		put_place(out, e->place);
	put_word(out, "", e->detail);
	free(port);
	fclose(out);
	return text;
}

void report_event(struct report *r, const struct event *e)
{
	struct report_entry *entry = add(r, &e->mac, e->time);
	struct report_camera *camera;

	if (!entry)
		return;
	camera = &r->cameras[entry->camera];
	entry->event = e->code;
	entry->ip = e->ip;
	entry->text = event_words(e);
	keep(&camera->name, e->device.name);
	keep(&camera->serial_number, e->device.serial_number);
	if (e->code == EVENT_DHCP_IP_ALLOCATION || e->code == EVENT_PROVISION_HANDOFF)
		camera->ip = e->ip;
	if (event_severity(e->code) != EVENT_INFO)
		camera->problems++;
}
