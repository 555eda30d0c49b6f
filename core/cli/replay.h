/* SPDX-License-Identifier: ISC
 *
 * tap82 replay: the whole pipeline in one process, over captures, on the packets' clock.
 */
#ifndef TAP82_CLI_REPLAY_H
#define TAP82_CLI_REPLAY_H

#include "cli.h"
#include "tap82/capture_file.h"
#include "tap82/engine.h"
#include "tap82/frame.h"
#include "tap82/message.h"

/* An observation that waits: the engine is told of some before their turn. */
struct replay_waiting {
	struct observation o, witness;
	bool has_witness;
	int64_t now; /* its packet's, or of one before it that was later */
};

struct replay {
	struct cli *cli;
	struct conf *conf;
	struct engine *engine;
	struct message_decoder *messages;
	struct frame_decoder frames;
	struct frame_want *wants; /* of each [capture] */
	struct writer writer;
	bool loading; /* the inventory: its events are no packets' */
	bool failed;
	int64_t read_to; /* of the packets that were read */
	int64_t now; /* of those that had their turn; while --live drains, goes on */
	int64_t last; /* of the last packet */
	struct order *orders; /* simulated: to be answered after this observation */
	size_t order_count, order_room;
	struct report *report; /* NULL: none is wanted */
	uint64_t packets;
	struct replay_live *live; /* NULL: simulated */
	unsigned first, waiting, may_wait; /* of the ring */
	struct replay_waiting ring[ENGINE_AHEAD];
};

/* --live (replay_live.c): connects to the servers. On failure, which is logged, *ret_live is to be
 * ended all the same. */
int replay_live_begin(struct replay *r, struct replay_live **ret_live);
void replay_live_end(struct replay_live *live); /* NULL is fine */
/* Passes an order on: 0, or negative: nobody will answer it. */
int replay_live_order(struct replay_live *live, const struct order *order);
/* Until nothing is under way. */
void replay_live_wait(struct replay_live *live);
/* After the last packet, at most `reservation-timeout` of real time. */
void replay_live_drain(struct replay_live *live);
/* Whether a reservation failed. */
bool replay_live_failed(const struct replay_live *live);

/* Loads the inventory that the configuration names into the engine. 0, or negative: logged. */
int replay_load_inventory(struct replay *r);
/* One event as a line for people. */
void replay_write_line(struct writer *w, const struct event *e);

#endif
