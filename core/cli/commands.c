/* SPDX-License-Identifier: ISC */
#include "cli.h"

/* A row a command. Adding one: its row here, its prototype in cli.h, its function in a file of its
 * group beside this one. */
const struct command commands[] = {
	{"run", "", "the sidecar, in the foreground", NULL, command_run},
	{"status", "", "captures, servers, tables, holds and the last events of a running tap82",
		NULL, command_status},
	{"devices", "[list|show MAC|import FILE|export|add MAC KEY=VALUE…|remove MAC|reload]",
		"the device table; the keys are the columns of devices.csv, and replaces",
		command_devices_options, command_devices},
	{"unknown", "", "MAC addresses that were seen and are in no table", NULL, command_unknown},
	{"reservations", "[list|retry MAC|release MAC]", "reservations by device and server", NULL,
		command_reservations},
	{"events", "", "the events of the past, and those that happen", command_events_options,
		command_events},
	{"reconcile", "", "compare the table with what each dhcpd has", command_reconcile_options,
		command_reconcile},
	{"explain", "MAC", "why this camera is, or is not, provisioned", NULL, command_explain},
	{"decode", "PCAP…", "one record for each DHCP or RADIUS message of captures",
		command_decode_options, command_decode},
	{"replay", "PCAP…",
		"the whole pipeline over captures, on the packets' clock: prints events",
		command_replay_options, command_replay},
	{"option82", "HEX", "what one option 82 value says, by each vendor's layout that fits",
		command_option82_options, command_option82},
	{"omapi", "get|create|update|delete TYPE KEY=VALUE…",
		"one operation on an object of dhcpd (host, lease, group …), by hand",
		command_omapi_options, command_omapi},
	{"probe", "", "ask for an address as a camera would, and show who answers",
		command_probe_options, command_probe},
	{"check", "", "validate configuration and devices, look at the store; --online: the doctor",
		command_check_options, command_check},
	{"help", "[COMMAND]", "this list, or what a command does", NULL, command_help},
	{"version", "", "the version", NULL, command_version},
	{"completion", "bash|zsh", "", NULL, command_completion},
	{0},
};
