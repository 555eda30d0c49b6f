/* SPDX-License-Identifier: ISC
 *
 * The command line: one row a command, one file a command group. Help, usage errors, man pages and
 * shell completion all come from these rows.
 */
#ifndef TAP82_CLI_H
#define TAP82_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes (README, «Exit codes»). */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USAGE = 2, EXIT_NO_SUCH_THING = 3 };

struct cli_option {
	const char *name; /* "filter" for --filter; NULL ends the list */
	char letter; /* 'f' for -f, or 0 */
	const char *value; /* what it takes, e.g. "FILE" or "dhcp|ack"; NULL: nothing */
	const char *help;
};

struct cli;

struct command {
	const char *name;
	const char *args; /* synopsis of the operands, e.g. "PCAP…" */
	const char *summary; /* one line; "" hides it from help and completion (for packagers) */
	const struct cli_option *options; /* beside -c, --json, --help, which all have; or NULL */
	int (*run)(struct cli *cli); /* an exit code */
};

#define CLI_VALUES_MAX 64

struct cli {
	const struct command *command;
	const char *conf_path;
	bool json;
	char **args; /* operands, in order */
	int arg_count;
	struct {
		const struct cli_option *option;
		const char *value; /* "" for an option without value */
	} values[CLI_VALUES_MAX];
	int value_count;
};

/* All commands in the order that help shows (commands.c); the last row has no name. */
extern const struct command commands[];
/* The options that every command has. */
extern const struct cli_option cli_common_options[];

/* The value of --name: NULL if it was not given, "" if it takes none. The last one given counts. */
const char *cli_option(const struct cli *cli, const char *name);
static inline bool cli_has(const struct cli *cli, const char *name)
{
	return cli_option(cli, name) != NULL;
}
/* Reports wrong usage as "tap82: COMMAND: what" and gives EXIT_WRONG_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads argv into `cli` (options stand anywhere after the command; "--" ends them; "-" is an
 * operand) and runs it. An exit code. */
int cli_main(int argc, char **argv);

/* The commands' functions, one file a group. */
int command_help(struct cli *cli);
extern const struct cli_option command_omapi_options[];
int command_omapi(struct cli *cli);
int command_version(struct cli *cli);
extern const struct cli_option command_check_options[];
int command_check(struct cli *cli);
extern const struct cli_option command_replay_options[];
int command_replay(struct cli *cli);
int command_completion(struct cli *cli);
extern const struct cli_option command_probe_options[];
int command_probe(struct cli *cli);
int command_run(struct cli *cli);
int command_status(struct cli *cli);
int command_devices(struct cli *cli);
int command_unknown(struct cli *cli);
int command_reservations(struct cli *cli);
int command_events(struct cli *cli);
int command_explain(struct cli *cli);
int command_reconcile(struct cli *cli);
extern const struct cli_option command_reconcile_options[];
extern const struct cli_option command_devices_options[], command_events_options[];
int command_decode(struct cli *cli);
int command_option82(struct cli *cli);
extern const struct cli_option command_decode_options[], command_option82_options[];

#endif
