/* SPDX-License-Identifier: ISC
 *
 * A datagram becomes a message: DHCP or RADIUS by its ports, decoded, and given its place by the
 * configured layouts. From a message comes decode's record (message_write) or an observation for
 * the engine (message_observe).
 *
 * One `struct message_decoder` per source of datagrams: it holds the decoders' memory, the layouts,
 * the switches, and the RADIUS requests that wait for their replies. Nothing is allocated per
 * message.
 */
#ifndef TAP82_MESSAGE_H
#define TAP82_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "tap82/dhcp.h"
#include "tap82/frame.h"
#include "tap82/layout.h"
#include "tap82/observation.h"
#include "tap82/radius.h"
#include "tap82/writer.h"

enum message_kind { MESSAGE_DHCP = 1, MESSAGE_RADIUS };

struct message {
	uint8_t kind; /* enum message_kind: which of the two below counts */
	const struct datagram *datagram;
	struct port_place place; /* by [switches]; layout "" if none is configured or fits */
	struct dhcp dhcp;
	struct radius radius;
	uint32_t nas_ip; /* RADIUS: the NAS, also of a reply (its request's) */
};

struct message_decoder;

/* NULL without memory. */
struct message_decoder *message_decoder_new(void);
void message_decoder_free(struct message_decoder *m); /* NULL is fine */

/* [layout NAME]: see layout.h. 0, or negative and `why` for people. */
int message_decoder_add_layout(struct message_decoder *m, const char *name, const char *circuit_id,
	const char *remote_id, char *why, size_t why_size);
/* A row of [switches]: how the relay with this giaddr, or, giaddr being 0, with this remote-id
 * writes its circuit-id. `layout` is a name, `offset` is added to the port that it reads. ASCII
 * letters of a remote-id compare without regard to case; a typed one (00 06 and a MAC, 01 LEN and
 * a text) is also found by what is inside. A remote-id's row wins over a giaddr's.
 * 0; ERR_NOT_FOUND (no such layout); ERR_DUPLICATE; ERR_RANGE (neither key); -ENOMEM. */
int message_decoder_add_switch(struct message_decoder *m, uint32_t giaddr, const uint8_t *remote_id,
	size_t remote_id_len, const char *layout, int offset);

/* Whether a datagram between these ports is DHCP or RADIUS: enum message_kind, 0 for neither. */
int message_kind_of_ports(uint16_t sport, uint16_t dport);

/* Decodes. 0 and the message, which is `m`'s and lives until the next call or as long as the
 * datagram; ERR_NOT_FOUND: not our ports; ERR_TRUNCATED, ERR_RANGE: too short, or no such
 * message: to be counted as malformed. */
int message_read(
	struct message_decoder *m, const struct datagram *d, const struct message **ret_message);
/* Whether the message breaks its RFC (decode's field `malformed`). */
bool message_is_malformed(const struct message *message);

/* Decode's record, from begin to end; `verbose` adds all options or attributes. */
void message_write(struct writer *w, const struct message *message, bool verbose);
/* The engine's view of it. Writes all of `ret_observation`. */
void message_to_observation(const struct message *message, struct observation *ret_observation);
/* What the relay's RADIUS server said of the client's place, where the relay put that into
 * sub-option 7 (RFC 4014) of a message it forwarded: true, and an observation as of the
 * Access-Accept it comes from, to be told before the message's own. */
bool message_to_witness(const struct message *message, struct observation *ret_observation);
/* The same of the message that message_read() or message_observe() gave last. */
bool message_witness(const struct message_decoder *m, struct observation *ret_observation);
/* message_read() and message_to_observation() in one: 0 or message_read()'s errors.
 * `ret_malformed` may be NULL. */
int message_observe(struct message_decoder *m, const struct datagram *d,
	struct observation *ret_observation, bool *ret_malformed);

#endif
