/* SPDX-License-Identifier: ISC */
#include "cli.h"

static const struct cli_option decode_options[] = {
	{"filter", 'f', "dhcp|ack|option82|radius", "only these messages"},
	{"verbose", 'v', NULL, "all options and attributes, as a tree"},
	{"stats", 's', NULL, "only totals"},
	{"ladder", 'l', NULL, "each camera's transactions, step by step, with delays"},
	{"write", 'w', "FILE", "also write the matching frames as pcap"},
	{0},
};

/* A row a command. Adding one: its row here, its prototype in cli.h, its function in a file of its
 * group beside this one. */
const struct command commands[] = {
	{"omapi", "get|create|update|delete TYPE KEY=VALUE…",
		"one operation on an object of dhcpd: host, lease, group, control, failover-state, "
		"class, subclass, pool; update: the first pair finds it, the others are set",
		command_omapi_options, command_omapi},
	{"decode", "PCAP…", "every DHCP and RADIUS message, decoded", decode_options,
		command_decode},
	{"help", "[COMMAND]", "this list, or what a command does", NULL, command_help},
	{"version", "", "the version", NULL, command_version},
	{0},
};
