/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "tap82/log.h"

const struct cli_option cli_common_options[] = {
	{"config", 'c', "FILE", "the configuration (default " TAP82_SYSCONFDIR "/tap82.ini)"},
	{"json", 0, NULL, "print JSON Lines"},
	{"help", 'h', NULL, "say what the command does"},
	{0},
};

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_error("%s: %s (see 'tap82 help %s')", cli->command->name, text, cli->command->name);
	return EXIT_WRONG_USAGE;
}

const char *cli_option(const struct cli *cli, const char *name)
{
	for (int i = cli->value_count - 1; i >= 0; i--)
		if (strcmp(cli->values[i].option->name, name) == 0)
			return cli->values[i].value;
	return NULL;
}

static const struct cli_option *find_long(const struct cli_option *o, const char *name, size_t len)
{
	for (; o && o->name; o++)
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static const struct cli_option *find_letter(const struct cli_option *o, char letter)
{
	for (; o && o->name; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static int take(struct cli *cli, const struct cli_option *option, const char *value)
{
	if (cli->value_count == CLI_VALUES_MAX)
		return cli_usage(cli, "too many options");
	cli->values[cli->value_count].option = option;
	cli->values[cli->value_count++].value = value;
	return 0;
}

/* --name, --name=VALUE or --name VALUE. */
static int read_long(struct cli *cli, char ***argv)
{
	const char *arg = **argv + 2, *equals = strchr(arg, '=');
	size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
	const struct cli_option *option = find_long(cli->command->options, arg, len);

	if (!option)
		option = find_long(cli_common_options, arg, len);
	if (!option)
		return cli_usage(cli, "--%.*s: no such option", (int)len, arg);
	if (!option->value)
		return equals ? cli_usage(cli, "--%s takes no value", option->name)
			      : take(cli, option, "");
	if (equals)
		return take(cli, option, equals + 1);
	if (!(*argv)[1])
		return cli_usage(cli, "--%s needs %s", option->name, option->value);
	return take(cli, option, *++*argv);
}

/* -x, -xVALUE, -x VALUE, and several letters in one word. */
static int read_letters(struct cli *cli, char ***argv)
{
	for (const char *p = **argv + 1; *p; p++) {
		const struct cli_option *option = find_letter(cli->command->options, *p);
		int r;

		if (!option)
			option = find_letter(cli_common_options, *p);
		if (!option)
			return cli_usage(cli, "-%c: no such option", *p);
		if (option->value && !p[1] && !(*argv)[1])
			return cli_usage(cli, "-%c needs %s", *p, option->value);
		if (option->value)
			return take(cli, option, p[1] ? p + 1 : *++*argv);
		r = take(cli, option, "");
		if (r)
			return r;
	}
	return 0;
}

static int read_words(struct cli *cli, char **argv)
{
	bool options = true;
	int r = 0;

	cli->args = argv;
	for (; *argv && r == 0; argv++) {
		if (options && strcmp(*argv, "--") == 0)
			options = false;
		else if (options && strncmp(*argv, "--", 2) == 0)
			r = read_long(cli, &argv);
		else if (options && **argv == '-' && (*argv)[1])
			r = read_letters(cli, &argv);
		else
			cli->args[cli->arg_count++] = *argv;
	}
	cli->args[cli->arg_count] = NULL;
	return r;
}

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static void print_option(const struct cli_option *o)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : " ",
		o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name, o->value ? " " : "",
		o->value ? o->value : "");
	printf("  %-32s %s\n", left, o->help);
}

static void print_command(const struct command *c)
{
	printf("tap82 %s%s%s\n  %s\n\n", c->name, *c->args ? " " : "", c->args, c->summary);
	for (const struct cli_option *o = c->options; o && o->name; o++)
		print_option(o);
	for (const struct cli_option *o = cli_common_options; o->name; o++)
		print_option(o);
}

int command_help(struct cli *cli)
{
	const struct command *c = cli->arg_count > 0 ? find_command(cli->args[0]) : NULL;

	if (cli->arg_count > 0 && !c)
		return cli_usage(cli, "%s: no such command", cli->args[0]);
	if (c) {
		print_command(c);
		return EXIT_DONE;
	}
	puts("tap82 pins cameras to their addresses beside a legacy ISC dhcpd.\n");
	for (c = commands; c->name; c++)
		if (*c->summary)
			printf("  %-13s %s\n", c->name, c->summary);
	puts("\n'tap82 help COMMAND' says more.");
	return EXIT_DONE;
}

int command_version(struct cli *cli)
{
	puts(cli->json ? "{\"version\":\"" TAP82_VERSION "\"}" : "tap82 " TAP82_VERSION);
	return EXIT_DONE;
}

int cli_main(int argc, char **argv)
{
	static const struct command none = {.name = "help", .args = "", .summary = ""};
	struct cli cli = {.command = &none, .conf_path = TAP82_SYSCONFDIR "/tap82.ini"};
	const char *name = argc > 1 ? argv[1] : "help";
	int r;

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	if (!find_command(name)) {
		log_error("%s: no such command (see 'tap82 help')", name);
		return EXIT_WRONG_USAGE;
	}
	cli.command = find_command(name);
	r = argc > 1 ? read_words(&cli, argv + 2) : 0;
	if (r)
		return r;
	if (cli_has(&cli, "help")) {
		print_command(cli.command);
		return EXIT_DONE;
	}
	cli.json = cli_has(&cli, "json");
	if (cli_has(&cli, "config"))
		cli.conf_path = cli_option(&cli, "config");
	return cli.command->run(&cli);
}
