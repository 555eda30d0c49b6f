/* SPDX-License-Identifier: ISC
 *
 * The camera simulator: cameras, the relay in front of them, a model dhcpd, RADIUS, and the wire
 * (an interface, or a capture file on a virtual clock). Everything happens on one agenda ordered
 * by time. It shares no decoder with the product: it is the lab's own witness.
 */
#ifndef TAP82_LAB_SIM_H
#define TAP82_LAB_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <uthash.h>

#include "tap82/addr.h"
#include "tap82/observation.h" /* enum dhcp_type, RADIUS_* */
#include "tap82/writer.h"

#define SIM_OPTION82_MAX 510
#define SIM_TEXT	 128
#define SIM_FRAME_MAX	 2048
#define SIM_TAGS	 4

/* ---- frame.c: one packet, from the UDP payload out to the wire ---- */

enum encap { ENCAP_NONE, ENCAP_GRE, ENCAP_ERSPAN, ENCAP_VXLAN, ENCAP_TZSP };

struct tag {
	uint16_t tpid, vlan;
};

struct envelope {
	struct mac src_mac, dst_mac;
	uint32_t src, dst;
	uint16_t sport, dport;
	uint8_t tags;
	struct tag tag[SIM_TAGS]; /* outermost first */
	enum encap encap;
	uint16_t fragment; /* payload bytes of each IP fragment; 0: not fragmented */
};

struct message;
struct wire;

/* Builds Ethernet frames by libnet and gives each to wire_put() at `time`. 0, or -1. */
int frame_send_dhcp(
	struct wire *wire, int64_t time, const struct envelope *e, const struct message *m);
int frame_send_udp(struct wire *wire, int64_t time, const struct envelope *e,
	const uint8_t *payload, size_t len);

/* ---- message.c: DHCP and RADIUS bytes ---- */

enum shape { SHAPE_LAST, SHAPE_FIRST, SHAPE_SPLIT, SHAPE_OVERLOAD };

struct message {
	uint8_t type; /* enum dhcp_type */
	uint8_t hops;
	bool is_reply, broadcast;
	struct mac mac;
	uint32_t xid, ciaddr, yiaddr, giaddr;
	uint32_t server_id, requested_ip, lease_time; /* 0: option left out */
	char hostname[SIM_TEXT], vendor_class[SIM_TEXT];
	uint16_t option82_len;
	uint8_t option82[SIM_OPTION82_MAX];
	enum shape shape; /* where option 82 goes */
};

/* The UDP payload; the number of bytes written to `out` (1024 are enough). */
size_t message_encode(const struct message *m, uint8_t *out, size_t size);
/* Reads an Ethernet frame; false if it is not a whole DHCP message. */
bool message_read(const uint8_t *frame, size_t len, struct message *ret_m, uint32_t *ret_src);

struct radius {
	uint8_t code, id, acct_status;
	uint32_t nas_ip, framed_ip;
	char user[SIM_TEXT], station[SIM_TEXT], port_id[SIM_TEXT], session[SIM_TEXT];
	uint8_t circuit_len, remote_len; /* VSA 3561, RFC 4679 */
	uint8_t circuit[247], remote[247];
	uint8_t authenticator[16]; /* of the request */
};

size_t radius_encode(const struct radius *r, uint8_t *out, size_t size);

/* ---- wire.c ---- */

/* Opens an interface (live), or a capture file to write, or both. NULL with a message. */
struct wire *wire_new(const char *iface, const char *file);
void wire_free(struct wire *wire);
int wire_put(struct wire *wire, int64_t time, const uint8_t *frame, size_t len);
/* Waits until a frame came or `usec` have gone by (live), then gives all that is there. */
void wire_wait(struct wire *wire, int64_t usec,
	void (*fn)(void *ctx, const uint8_t *frame, size_t len), void *ctx);
uint64_t wire_sent(const struct wire *wire);
uint64_t wire_lost(const struct wire *wire); /* frames the kernel dropped on receipt */

/* ---- agenda.c: what is due, earliest first, in order of entry among equals ---- */

struct agenda_item {
	int64_t at;
	uint64_t seq;
	void (*fn)(void *ctx);
	void *ctx;
};

struct agenda {
	struct agenda_item *items;
	size_t used, size;
	uint64_t seq;
};

void agenda_add(struct agenda *a, int64_t at, void (*fn)(void *ctx), void *ctx);
const struct agenda_item *agenda_first(const struct agenda *a); /* NULL: empty */
struct agenda_item agenda_take(struct agenda *a);
void agenda_done(struct agenda *a);

/* ---- action.c: what cameras are told to do ---- */

enum verb {
	VERB_DORA,
	VERB_DISCOVER,
	VERB_RENEW,
	VERB_REBIND,
	VERB_REBOOT,
	VERB_RELEASE,
	VERB_DECLINE,
	VERB_INFORM,
	VERB_RADIUS,
};

struct action {
	int64_t at; /* after the start */
	enum verb verb;
	struct mac mac; /* of the first camera; the next ones count up */
	uint32_t count, first; /* how many; the number that %d has for the first */
	double rate; /* cameras a second, 0: all at once */
	char circuit[SIM_TEXT], remote[SIM_TEXT]; /* templates; "": left out, "empty": length 0 */
	char sub[2 * SIM_OPTION82_MAX + 1]; /* more sub-options, hex */
	char hostname[SIM_TEXT], vendor_class[SIM_TEXT];
	enum shape shape;
	uint32_t relay; /* giaddr; 0: no relay */
	bool l2; /* option 82 with giaddr 0: a snooping switch */
	bool transit; /* a router that relays a copy of a unicast renewal, with option 82 */
	bool broadcast;
	uint32_t ip; /* first camera's address: asked for (DISCOVER option 50, REBOOT, INFORM) */
	uint32_t give; /* the model server gives this one */
	uint32_t server; /* who answers, or is asked: address and option 54 */
	uint32_t server_src; /* source address where it is not option 54's */
	bool server_id, echo; /* the model server sends option 54, gives option 82 back */
	bool nak, silent; /* the model server refuses, or does not answer */
	uint32_t copies; /* more copies of each ACK */
	uint32_t lease;
	int64_t stay; /* goes on renewing at half its lease for so long */
	int64_t retry; /* between attempts */
	uint32_t tries;
	int64_t delay; /* of each answer of the model */
	struct envelope wrap; /* tags, encap, fragment */
	char expect[8]; /* ack | nak | none | any */
	struct {
		char code[8]; /* access | reject | start | interim | stop */
		uint32_t nas;
		char port_id[SIM_TEXT], user[SIM_TEXT], style[8];
	} radius;
};

/* The defaults that key=value pairs start from. */
void action_init(struct action *a);
/* "KEY=VALUE" into `a`; false if the key or its value is not known. */
bool action_set(struct action *a, const char *word);
/* One line "[+TIME] VERB key=value…" on top of the defaults; false with a message in `why`. */
bool action_parse(struct action *a, char *line, char *why, size_t size);
/* A template for camera number n: %d %03d %x %04x %m (MAC as hex); "hex:" before it says that
 * the result is hex for bytes. The number of bytes, or -1. */
int template_expand(const char *text, uint32_t n, const struct mac *mac, uint8_t *out, size_t size);
/* Option 82 for camera i of the action; the number of bytes. */
size_t action_option82(const struct action *a, uint32_t i, const struct mac *mac, uint8_t *out);
const char *verb_name(enum verb verb);

/* ---- the simulation ---- */

enum camera_step { STEP_SELECTING, STEP_REQUESTING };
enum result { RESULT_ACK, RESULT_NAK, RESULT_NONE, RESULT_OFFER, RESULT_SENT, RESULTS };

struct sim;
struct task;

struct camera {
	struct mac mac;
	uint32_t ip, server, lease;
	struct task *task; /* the latest, or NULL */
	UT_hash_handle hh;
};

/* One thing that one camera does. Kept until the end: late copies of answers are counted. */
struct task {
	struct task *next;
	struct sim *sim;
	const struct action *action;
	struct camera *camera;
	uint32_t i; /* which camera of the action */
	enum verb verb;
	enum camera_step step;
	uint32_t xid, tries, acks, offered, server;
	bool finished, echoed;
	int64_t began, asked, offered_at; /* simulation time */
	int64_t stay_until; /* 0: does not stay */
};

struct sim {
	struct wire *wire;
	struct agenda agenda;
	struct camera *cameras;
	struct task *tasks;
	struct writer out;
	bool live; /* real time, on an interface */
	bool model; /* our own server answers */
	bool quiet;
	struct mac server_mac, relay_mac;
	int64_t now;
	uint64_t seed;
	uint32_t pool; /* next address of the model's pool */
	uint64_t open; /* things begun or planned and not ended */
	uint64_t unexpected, acks, strays;
	uint64_t results[RESULTS];
	int64_t *took; /* durations of what was answered, for the percentiles */
	size_t took_used, took_size;
};

uint32_t sim_random(struct sim *sim);
/* Plans fn(ctx) after `delay`, as something that the simulation waits for; fn ends with
 * sim_done(). */
void sim_plan(struct sim *sim, int64_t delay, void (*fn)(void *ctx), void *ctx);
void sim_done(struct sim *sim);

/* ---- camera.c ---- */

/* Starts camera after camera of the action, at its rate. */
void camera_begin(struct sim *sim, const struct action *a);
/* A DHCP reply came to the relay or to the camera. */
void camera_receive(struct sim *sim, const struct message *m);
/* The latest task of the camera has ended so. */
void camera_finish(struct task *t, enum result result);
void camera_free_all(struct sim *sim);

/* ---- server.c: a dhcpd whose answers are known by construction ---- */
void server_answer(struct task *t, const struct message *request);

/* ---- access.c: the RADIUS exchange of a switch about the camera ---- */
void access_speak(struct task *t);

/* ---- report.c: JSON lines ---- */
void report_result(struct task *t, enum result result);
void report_summary(struct sim *sim);

#endif
