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

#define REPLAY_ORDERS_MAX 4096

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
	int64_t now; /* of the last packet */
	struct order *orders; /* simulated: to be answered after this observation */
	size_t order_count, order_room;
};

/* Loads the inventory that the configuration names into the engine. 0, or negative: logged. */
int replay_load_inventory(struct replay *r);
/* One event as a line for people. */
void replay_write_line(struct writer *w, const struct event *e);

#endif
