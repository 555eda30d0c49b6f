/* SPDX-License-Identifier: ISC
 *
 * tap82 completion bash|zsh: shell completion made from the command table, so that it knows what
 * the program knows.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "tap82/event.h"

/* Prints the words that a value or operand may be, blank separated; the number of them. "a|b|c" and
 * "[list|show MAC|…]" name them; CODE is an event. */
static int print_words(const char *what)
{
	size_t len;
	int count = 0;

	if (strcmp(what, "CODE") == 0) {
		for (int code = EVENT_NONE + 1; code < EVENT_CODES; code++)
			printf(" %s", event_code_text((enum event_code)code));
		return EVENT_CODES - 1;
	}
	for (const struct command *c = commands; strcmp(what, "[COMMAND]") == 0 && c->name; c++)
		if (*c->summary)
			count += printf(" %s", c->name) > 0;
	if (*what == '[')
		what++;
	if (!strchr(what, '|'))
		return count;
	for (; *what; what += strcspn(what, "|"), what += *what == '|') {
		len = strcspn(what, "| ]");
		printf(" %.*s", (int)len, what);
		count++;
	}
	return count;
}

static bool names_a_file(const char *what)
{
	return strstr(what, "FILE") || strstr(what, "PCAP");
}

static void bash_option_words(const struct cli_option *o)
{
	for (; o && o->name; o++) {
		printf(" --%s", o->name);
		if (o->letter)
			printf(" -%c", o->letter);
	}
}

/* The values of the options that take one, as rows of `case "$command $previous"`. */
static void bash_option_values(const char *command, const struct cli_option *o)
{
	for (; o && o->name; o++) {
		if (!o->value)
			continue;
		printf("\t'%s --%s'", command, o->name);
		if (o->letter)
			printf(" | '%s -%c'", command, o->letter);
		printf(") words='");
		if (print_words(o->value) == 0)
			printf("%s", strcmp(o->value, "IFACE") == 0 ? "@interfaces"
				     : names_a_file(o->value)	    ? "@files"
								    : "");
		puts("' ;;");
	}
}

static void bash_command(const struct command *c)
{
	bash_option_values(c->name, c->options);
	bash_option_values(c->name, cli_common_options);
	printf("\t'%s '*) words='", c->name);
	bash_option_words(c->options);
	bash_option_words(cli_common_options);
	print_words(c->args);
	puts(names_a_file(c->args) ? " @files' ;;" : "' ;;");
}

static void print_bash(void)
{
	puts("# bash completion for tap82, made by 'tap82 completion bash'\n"
	     "_tap82() {\n"
	     "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	     "\tlocal command=${COMP_WORDS[1]} words=''\n"
	     "\tCOMPREPLY=()\n"
	     "\t[ \"$COMP_CWORD\" -gt 1 ] || { command=''; previous=''; }\n"
	     "\tcase \"$command $previous\" in");
	for (const struct command *c = commands; c->name; c++)
		if (*c->summary)
			bash_command(c);
	printf("\t*) words='");
	for (const struct command *c = commands; c->name; c++)
		if (*c->summary)
			printf(" %s", c->name);
	puts("' ;;\n"
	     "\tesac\n"
	     "\tcase $words in\n"
	     "\t*@files*) COMPREPLY+=($(compgen -f -- \"$current\")); words=${words/@files/} ;;\n"
	     "\t*@interfaces*) words=$(ls /sys/class/net) ;;\n"
	     "\tesac\n"
	     "\tCOMPREPLY+=($(compgen -W \"$words\" -- \"$current\"))\n"
	     "}\n"
	     "complete -o filenames -F _tap82 tap82");
}

/* Text inside '…[…]' of a zsh _arguments specification. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			putchar('\\');
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
}

static void zsh_action(const char *what)
{
	putchar(':');
	zsh_text(what);
	putchar(':');
	if (strchr(what, '|') || strcmp(what, "CODE") == 0 || strcmp(what, "[COMMAND]") == 0) {
		putchar('(');
		print_words(what);
		putchar(')');
	} else if (strcmp(what, "IFACE") == 0) {
		fputs("_net_interfaces", stdout);
	} else if (names_a_file(what)) {
		fputs("_files", stdout);
	}
}

static void zsh_option(const char *dashes, const char *name, const struct cli_option *o)
{
	printf(" \\\n\t\t'%s%s%s[", dashes, name, o->value ? dashes[1] ? "=" : "+" : "");
	zsh_text(o->help);
	putchar(']');
	if (o->value)
		zsh_action(o->value);
	putchar('\'');
}

static void zsh_options(const struct cli_option *o)
{
	for (; o && o->name; o++) {
		zsh_option("--", o->name, o);
		if (o->letter)
			zsh_option("-", (const char[]){o->letter, 0}, o);
	}
}

static void zsh_command(const struct command *c)
{
	printf("\t%s)\n\t_arguments", c->name);
	zsh_options(c->options);
	zsh_options(cli_common_options);
	if (*c->args) {
		fputs(" \\\n\t\t'*", stdout);
		zsh_action(c->args);
		putchar('\'');
	}
	puts(" ;;");
}

static void print_zsh(void)
{
	puts("#compdef tap82\n"
	     "# zsh completion for tap82, made by 'tap82 completion zsh'\n"
	     "_tap82() {\n"
	     "\tlocal -a commands=(");
	for (const struct command *c = commands; c->name; c++) {
		if (!*c->summary)
			continue;
		printf("\t\t'%s:", c->name);
		zsh_text(c->summary);
		puts("'");
	}
	puts("\t)\n"
	     "\tif (( CURRENT == 2 )); then _describe command commands; return; fi\n"
	     "\tshift words; (( CURRENT-- ))\n"
	     "\tcase $words[1] in");
	for (const struct command *c = commands; c->name; c++)
		if (*c->summary)
			zsh_command(c);
	puts("\tesac\n}\n_tap82 \"$@\"");
}

int command_completion(struct cli *cli)
{
	if (cli->arg_count == 1 && strcmp(cli->args[0], "bash") == 0)
		print_bash();
	else if (cli->arg_count == 1 && strcmp(cli->args[0], "zsh") == 0)
		print_zsh();
	else
		return cli_usage(cli, "which shell: bash or zsh?");
	return EXIT_DONE;
}
