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

struct doctor_capture {
	struct online *online;
	const struct conf_capture *conf;
	struct capture *capture; /* NULL: a file, or it could not be opened */
	struct loop_io *io;
	struct frame_decoder frames;
	struct message_decoder *messages;
	uint64_t dhcp, option82, radius;
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

/* Clock, disk, user. */
void doctor_host(struct check *check);

#endif
