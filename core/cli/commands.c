/* SPDX-License-Identifier: ISC */
#include "cli.h"

/* A row a command. Adding one: its row here, its prototype in cli.h, its function in a file of its
 * group beside this one. */
const struct command commands[] = {
	{"help", "[COMMAND]", "this list, or what a command does", NULL, command_help},
	{"version", "", "the version", NULL, command_version},
	{0},
};
