/* SPDX-License-Identifier: ISC
 *
 * What the configuration says, as the sniffer's modules want to hear it.
 */
#ifndef TAP82_CLI_SETUP_H
#define TAP82_CLI_SETUP_H

#include "tap82/conf.h"
#include "tap82/frame.h"
#include "tap82/message.h"

/* A problem_fn that logs; ctx is not looked at. */
void setup_log_problem(void *ctx, const char *text);
/* Loads the configuration and logs each problem; NULL after that. */
struct conf *setup_conf(const char *path);
/* For commands that work without a configuration, and better with one: reads `path` if it was
 * `given` or if it is there. 0 and NULL: there is none. Negative: problems were logged. */
int setup_conf_if_any(const char *path, bool given, struct conf **ret_conf);
/* Decoders with the [layout] and [switches] of the configuration; problems are logged, all of
 * them, and then it is NULL. `conf` may be NULL. */
struct message_decoder *setup_messages(const struct conf *conf);
/* Layouts with the [layout] of the configuration; the same. */
struct layouts *setup_layouts(const struct conf *conf);
/* `vlan` and `tunnels` of a [capture]. */
void setup_want(const struct conf_capture *capture, struct frame_want *ret_want);

#endif
