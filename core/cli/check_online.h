/* SPDX-License-Identifier: ISC
 *
 * Inside the doctor: all captures are opened and all servers logged in to at once, on one loop;
 * then each server is asked about addresses, while the captures listen for traffic.
 */
#ifndef TAP82_CLI_CHECK_ONLINE_H
#define TAP82_CLI_CHECK_ONLINE_H

#include "check.h"
#include "tap82/capture.h"
#include "tap82/dhcpd.h"
#include "tap82/inventory.h"
#include "tap82/message.h"

struct online;

#define DOCTOR_SEEN_MAX 8

/* Addresses that were seen, each once; further ones are not kept. */
struct doctor_seen {
	uint32_t ip[DOCTOR_SEEN_MAX];
	size_t count;
};

/* What the DHCP messages of a capture say of the way to the cameras. */
struct doctor_traffic {
	uint64_t dhcp, option82, radius;
	uint64_t relayed; /* with a giaddr … */
	uint64_t relayed82; /* … and option 82 */
	uint64_t snooped; /* option 82 without a giaddr: a switch inserted it */
	uint64_t direct; /* a camera's own, as it sent it */
	struct doctor_seen relays, servers;
};

struct doctor_capture {
	struct online *online;
	const struct conf_capture *conf;
	struct capture *capture; /* NULL: a file, or it could not be opened */
	struct loop_io *io;
	struct frame_decoder frames;
	struct message_decoder *messages;
	struct doctor_traffic traffic;
};

/* One question: has the server a lease for this address? */
struct question {
	struct doctor_server *server;
	uint32_t ip;
	int group; /* a subnet's probe; -1: a device of the inventory */
	size_t subnet;
};

struct doctor_server {
	struct online *online;
	const struct conf_server *conf;
	struct dhcpd_key *key;
	struct dhcpd *dhcpd;
	bool told; /* the login's outcome */
	struct question *questions;
	size_t count, asked, answered;
	bool understood; /* an answer was one: the key's algorithm works */
	size_t in_range; /* devices with an address out of a dynamic range */
	uint32_t example;
	bool *has_range; /* by subnet, all groups in a row */
};

struct online {
	struct check *check;
	struct loop *loop;
	struct loop_timer *login, *listen;
	struct doctor_capture *captures;
	struct doctor_server *servers;
	struct inventory *inventory; /* or NULL */
	bool listened;
};

/* Ends the loop when nothing more is to be learnt. */
void online_stop_if_done(struct online *online);

/* Each: open it and tell how that went; tell what was learnt; close it. */
void doctor_capture_open(struct doctor_capture *capture);
void doctor_capture_tell(struct doctor_capture *capture);
void doctor_capture_close(struct doctor_capture *capture);

/* `index`: of the server in the configuration. */
void doctor_server_open(struct doctor_server *server, int index);
/* No answer to the login came in time. */
void doctor_server_late(struct doctor_server *server);
bool doctor_server_is_done(const struct doctor_server *server);
void doctor_server_tell(struct doctor_server *server, int index);
void doctor_server_close(struct doctor_server *server);

/* Counts a message; says what came of them all. */
void doctor_traffic_note(struct doctor_traffic *traffic, const struct message *message);
void doctor_traffic_tell(
	struct check *check, const char *capture, const struct doctor_traffic *traffic);

/* Which dhcpd it is, as far as that can be known. `understood`: it answered what was signed with
 * the configured algorithm. */
void doctor_version(struct check *check, const struct conf_server *server, bool understood);

/* Whether webhooks let us connect, with the certificate that TLS wants. Nothing is posted. */
void doctor_webhooks(struct check *check);

/* Clock, disk, user, permissions. */
void doctor_host(struct check *check);

#endif
