/* SPDX-License-Identifier: ISC
 *
 * Events: what tap82 tells. One record function, event_write(), is behind the log, the API, replay
 * and webhooks.
 */
#ifndef TAP82_EVENT_H
#define TAP82_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/addr.h"
#include "tap82/observation.h"
#include "tap82/writer.h"

enum event_code {
	EVENT_NONE,
	EVENT_DHCP_IP_ALLOCATION,
	EVENT_DHCP_RESERVATION_CREATED,
	EVENT_DHCP_RESERVATION_UPDATED,
	EVENT_DHCP_RESERVATION_REMOVED,
	EVENT_DHCP_RESERVATION_FAILED,
	EVENT_DHCP_RESERVATION_UPDATE_FAILED,
	EVENT_DHCP_UNKNOWN_SERVER,
	EVENT_DHCP_UNKNOWN_RELAY,
	EVENT_DEVICE_UNKNOWN,
	EVENT_CAMERA_ADDRESS_CHANGED,
	EVENT_CAMERA_REPLACED,
	EVENT_CAMERA_MOVED,
	EVENT_CAMERA_DECLINED,
	EVENT_PORT_SHARED,
	EVENT_LOCATION_MISMATCH,
	EVENT_STREAMS_HOLD_STARTED,
	EVENT_STREAMS_HOLD_ENDED,
	EVENT_PROVISION_HANDOFF,
	EVENT_SERVER_UNREACHABLE,
	EVENT_SERVER_REFUSED,
	EVENT_SERVER_RECOVERED,
	EVENT_SNIFFER_RESTARTED,
	EVENT_CAPTURE_LOSS,
	EVENT_INVENTORY_LOADED,
	EVENT_INVENTORY_REJECTED,
	EVENT_WEBHOOK_REJECTED,
	EVENT_WEBHOOK_DROPPED,
	EVENT_STORE_DEGRADED,
	EVENT_CODES
};

/* Within this time the same (MAC, IP, xid) is one happening; microseconds. */
#define EVENT_HAPPENING (INT64_C(600) * 1000000)

enum event_severity { EVENT_INFO, EVENT_WARNING, EVENT_ERROR };

/* Where RADIUS says a MAC is. Empty spans are left out. */
struct place {
	uint32_t nas_ip;
	struct id_bytes nas_port_id, circuit_id, remote_id;
};

/* Who a device is, for an event: texts are borrowed, NULL or "" for none. */
struct identity {
	const char *uuid, *serial_number, *name;
};

/* An event while it is told: pointers are valid during the call. */
struct event {
	int64_t time;
	uint8_t id[16]; /* made by event_identify(): the same for the same happening */
	enum event_code code;
	bool has_mac;
	struct mac mac;
	uint32_t ip;
	const char *server; /* the section's name, or the address of a stranger; NULL */
	uint32_t relay;
	const char *group;
	const char *client_state; /* how the client asked, where an ACK is told; NULL: not known */
	const char *reason; /* the decision's word, NULL for none */
	struct identity device;
	const struct option82 *option82; /* NULL: none */
	const struct port_place *port; /* the configured layout's reading of it, or NULL */
	const struct place *place;
	int64_t hold_until;
	struct {
		bool has_mac;
		struct mac mac;
		uint32_t ip;
		const struct option82 *option82;
		const struct port_place *port;
		struct identity device;
	} old;
	const char *detail;
};

/* Sets e->id from what happened: code, mac, ip and `happening` (core/event.c says what it is for
 * each code), no clock reading and no counter, so that a second sidecar and a restart give the
 * same. */
void event_identify(struct event *e, const void *happening, size_t len);

/* The id of a happening that is like an earlier one in all that makes its id, but long after it: a
 * camera that uses one xid for ever has come again. `time` is the event's; it is rounded so that
 * two sidecars agree. */
void event_identify_again(uint8_t id[16], int64_t time);

const char *event_code_text(enum event_code code); /* "dhcp.ip_allocation" */
const char *event_title(enum event_code code); /* "DHCP. IP Address Allocation" */
enum event_severity event_severity(enum event_code code);
const char *event_severity_text(enum event_severity severity);
/* EVENT_NONE if there is no such code. */
enum event_code event_code_parse(const char *text);
/* One record with the fields of the README. */
void event_write(struct writer *w, const struct event *e);
/* `option82` with raw, circuit_id, remote_id, subscriber_id and port. */
void option82_record(
	struct writer *w, const char *key, const struct option82 *o, const struct port_place *port);
/* {nas_ip, nas_port_id, circuit_id, remote_id} */
void place_record(struct writer *w, const char *key, const struct place *place);

#endif
