/* SPDX-License-Identifier: ISC
 *
 * `tap82 check`: findings, one by one, for people or as JSON Lines.
 */
#ifndef TAP82_CLI_CHECK_H
#define TAP82_CLI_CHECK_H

#include "cli.h"
#include "tap82/conf.h"
#include "tap82/writer.h"

enum check_state {
	CHECK_GOOD,
	CHECK_NOTE, /* worth knowing, nothing that must be mended */
	CHECK_WRONG,
};

struct check {
	const struct cli *cli;
	struct writer writer; /* JSON */
	struct conf *conf; /* NULL while, or where, it cannot be loaded */
	const char *subject, *object; /* what is looked at: for problems that a module tells */
	unsigned refused; /* what keeps `tap82 run` from starting: exit 2 */
	unsigned wrong; /* all else that is wrong: exit 1 */
};

/* Tells one finding: `what` is the kind ("server"), `object` whose it is, `detail` what was found,
 * `mend` what to do about it, NULL if nothing is. What is wrong goes to stderr as
 * "tap82: OBJECT: DETAIL" as well. */
void check_tell(struct check *check, enum check_state state, const char *what, const char *object,
	const char *detail, const char *mend);
/* The same with the detail as a format. */
void check_tellf(struct check *check, enum check_state state, const char *what, const char *object,
	const char *mend, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* The doctor: captures, servers, traffic for `listen` microseconds, clock, disk. */
void check_online(struct check *check, int64_t listen);

#endif
