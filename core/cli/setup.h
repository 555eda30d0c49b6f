/* SPDX-License-Identifier: ISC
 *
 * What the configuration says, as the sniffer's modules want to hear it.
 */
#ifndef TAP82_CLI_SETUP_H
#define TAP82_CLI_SETUP_H

#include "tap82/conf.h"
#include "tap82/frame.h"
#include "tap82/message.h"

/* Loads the configuration and logs each problem; NULL after that. */
struct conf *setup_conf(const char *path);
/* Decoders with the [layout] and [switches] of the configuration; problems are logged. NULL then.
 */
struct message_decoder *setup_messages(const struct conf *conf);
/* `vlan` and `tunnels` of a [capture]. */
void setup_want(const struct conf_capture *capture, struct frame_want *ret_want);

#endif
