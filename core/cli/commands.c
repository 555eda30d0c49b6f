/* SPDX-License-Identifier: ISC */
#include "cli.h"

/* A row a command. Adding one: its row here, its prototype in cli.h, its function in a file of its
 * group beside this one. */
const struct command commands[] = {
	{"omapi", "get|create|update|delete TYPE KEY=VALUE…",
		"one operation on an object of dhcpd: host, lease, group, control, failover-state, "
		"class, subclass, pool; update: the first pair finds it, the others are set",
		command_omapi_options, command_omapi},
	{"help", "[COMMAND]", "this list, or what a command does", NULL, command_help},
	{"version", "", "the version", NULL, command_version},
	{0},
};
