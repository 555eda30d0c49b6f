/* SPDX-License-Identifier: ISC
 *
 * replay --report: what was seen and told, collected by camera, and written as one HTML page that
 * needs nothing else: no network, no script. Everything from the wire is escaped.
 */
#ifndef TAP82_CLI_REPLAY_REPORT_H
#define TAP82_CLI_REPLAY_REPORT_H

#include <stdio.h>

#include "tap82/engine.h"
#include "tap82/observation.h"

/* A message (event EVENT_NONE) or an event, in order of time. */
struct report_entry {
	int64_t time;
	uint32_t camera; /* index */
	enum event_code event;
	uint8_t type; /* DHCP type, 0: RADIUS */
	uint8_t state; /* enum client_state, of a REQUEST */
	uint32_t xid, giaddr, ip, src, dst;
	char *text; /* of the event: reason, detail; of RADIUS: its port. NULL: none */
};

struct report_camera {
	struct mac mac;
	char *name, *serial_number;
	uint32_t ip, entries, problems;
	char *port; /* remote-id and circuit-id for people, NULL: none known */
	int64_t port_seen;
};

struct report {
	struct report_entry *entries;
	struct report_camera *cameras;
	size_t entry_count, entry_room, camera_count, camera_room;
	size_t left_out; /* messages beyond what a page can show */
	void *index; /* cameras by MAC */
	uint64_t packets;
};

struct report *report_new(void);
void report_free(struct report *r); /* NULL is fine */
void report_observation(struct report *r, const struct observation *o);
void report_event(struct report *r, const struct event *e);
/* Writes the page; `captures` are the files' names. 0 or -errno. */
int report_write(struct report *r, struct engine *engine, const char *path, char *const *captures,
	int count);

#endif
