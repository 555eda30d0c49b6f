/* SPDX-License-Identifier: ISC
 *
 * `tap82 option82`: one value by hand, as it stands in a log or in another program's output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "setup.h"
#include "tap82/err.h"
#include "tap82/layout.h"
#include "tap82/log.h"
#include "tap82/option82.h"

enum { CODE = 82 };

struct value {
	struct cli *cli;
	struct layouts *layouts;
	const struct layout *layout; /* --format, or NULL */
	int offset;
	struct writer writer;
	struct problems problems;
	struct option82_info info;
	size_t len;
	uint8_t bytes[OPTION82_MAX];
	char text[4 * OPTION82_MAX]; /* the operands, joined by blanks */
};

/* A shell splits what is written with blanks. */
static int join_operands(struct value *v)
{
	size_t n = 0;

	for (int i = 0; i < v->cli->arg_count; i++) {
		size_t len = strlen(v->cli->args[i]);

		if (len + 2 > sizeof(v->text) - n)
			return cli_usage(v->cli, "longer than %d bytes", OPTION82_MAX);
		if (n > 0)
			v->text[n++] = ' ';
		memcpy(v->text + n, v->cli->args[i], len + 1);
		n += len;
	}
	return 0;
}

static int read_hex(struct value *v)
{
	const char *p = v->text;
	int n;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	n = hex_parse(p, strlen(p), v->bytes, sizeof(v->bytes));
	if (n == 0)
		return cli_usage(v->cli, "give the value in hex");
	if (n == ERR_FULL)
		return cli_usage(v->cli, "longer than %d bytes", OPTION82_MAX);
	if (n < 0)
		return cli_usage(v->cli, "'%.80s': not hex digits, two a byte", v->text);
	v->len = (size_t)n;
	return 0;
}

/* "52 LEN" in front, perhaps several times (RFC 3396): only where it tiles the whole value. */
static bool has_headers(const struct value *v)
{
	struct buf b = buf_of(v->bytes, v->len);

	while (buf_left(&b) > 0) {
		if (buf_u8(&b) != CODE)
			return false;
		buf_skip(&b, buf_u8(&b));
	}
	return !b.bad;
}

static void strip_headers(struct value *v)
{
	struct buf b = buf_of(v->bytes, v->len);
	size_t n = 0;

	if (!has_headers(v))
		return;
	while (buf_left(&b) > 0) {
		uint8_t len;

		buf_skip(&b, 1);
		len = buf_u8(&b);
		memmove(v->bytes + n, b.p, len);
		buf_skip(&b, len);
		n += len;
	}
	v->len = n;
}

/* Built in and the user's own, if there is a configuration. */
static int open_layouts(struct value *v)
{
	struct conf *conf;

	if (setup_conf_if_any(v->cli->conf_path, cli_has(v->cli, "config"), &conf) < 0)
		return EXIT_WRONG_USAGE;
	v->layouts = setup_layouts(conf);
	conf_free(conf);
	return v->layouts ? 0 : EXIT_WRONG_USAGE;
}

static int read_format(struct value *v)
{
	const char *name = cli_option(v->cli, "format");
	int err = name ? layout_find_offset(v->layouts, name, &v->layout, &v->offset) : 0;

	if (err == ERR_RANGE)
		return cli_usage(v->cli, "--format %s: the offset is too large", name);
	return err < 0 ? cli_usage(v->cli, "--format %s: no such layout", name) : 0;
}

/* "cisco: vlan 120, slot 1, port 5, switch 00:11:22:33:44:55" */
static void write_fit_text(struct writer *w, const struct port_place *p)
{
	char text[128], mac[MAC_TEXT];
	int n = snprintf(text, sizeof(text), "%s:", p->layout);

	if (p->vlan >= 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " vlan %d", p->vlan);
	if (p->slot >= 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " slot %d", p->slot);
	if (p->port >= 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " port %d", p->port);
	if (p->has_switch_mac)
		snprintf(text + n, sizeof(text) - (size_t)n, " switch %s",
			mac_format(&p->switch_mac, mac));
	writer_str(w, NULL, text);
}

static void write_fit(struct writer *w, const struct port_place *p)
{
	if (w->mode != WRITER_JSON) {
		write_fit_text(w, p);
		return;
	}
	writer_object_begin(w, NULL);
	port_place_write(w, p);
	writer_object_end(w);
}

/* Every layout that fits: several may, and which one it is the bytes do not say. */
static void write_fits(struct value *v, struct buf circuit, struct buf remote)
{
	struct port_place place;

	writer_list_begin(&v->writer, "layouts");
	for (size_t i = 0; i < layouts_count(v->layouts); i++) {
		const struct layout *layout = layouts_at(v->layouts, i);

		if (layout_find(v->layouts, layout->name) == layout &&
			layout_apply(layout, 0, circuit, remote, &place) == 0)
			write_fit(&v->writer, &place);
	}
	writer_list_end(&v->writer);
}

/* 0, or ERR_SYNTAX: it does not have the format that was named. */
static int write_value(struct value *v)
{
	struct buf circuit = option82_find(&v->info, OPTION82_CIRCUIT_ID);
	struct buf remote = option82_find(&v->info, OPTION82_REMOTE_ID);
	struct port_place place = {.layout = ""};
	char text[PROBLEMS_MAX * PROBLEM_TEXT];
	int err = 0;

	if (v->layout)
		err = layout_apply(v->layout, v->offset, circuit, remote, &place);
	writer_begin(&v->writer);
	option82_write(&v->writer, &v->info, &place);
	if (!v->layout)
		write_fits(v, circuit, remote);
	if (v->problems.count)
		writer_str(
			&v->writer, "malformed", problems_format(&v->problems, text, sizeof(text)));
	writer_end(&v->writer);
	return err;
}

static int decode(struct value *v)
{
	char text[PROBLEMS_MAX * PROBLEM_TEXT];
	int err;

	if (v->len < 2)
		problem_add(&v->problems, "option 82: length %u", (uint32_t)v->len, 0, 0);
	option82_decode(&v->info, buf_of(v->bytes, v->len), &v->problems);
	if (writer_init(&v->writer, STDOUT_FILENO, v->cli->json ? WRITER_JSON : WRITER_TREE) < 0)
		return EXIT_FAILED;
	err = write_value(v);
	writer_flush(&v->writer);
	if (err < 0)
		log_error("option82: circuit-id: does not have the layout %s", v->layout->name);
	if (v->problems.count)
		log_error("option82: malformed: %s",
			problems_format(&v->problems, text, sizeof(text)));
	err = err < 0 || v->problems.count || writer_error(&v->writer) ? EXIT_FAILED : EXIT_DONE;
	writer_done(&v->writer);
	return err;
}

static int run(struct value *v)
{
	int code = join_operands(v);

	if (!code)
		code = read_hex(v);
	if (!code)
		code = open_layouts(v);
	if (!code)
		code = read_format(v);
	if (code)
		return code;
	strip_headers(v);
	return decode(v);
}

const struct cli_option command_option82_options[] = {
	{"format", 'f', "NAME[+N|-N]", "by this layout, N added to the port; else all that fit"},
	{0},
};

int command_option82(struct cli *cli)
{
	struct value *v = calloc(1, sizeof(*v));
	int code = EXIT_FAILED;

	if (v) {
		v->cli = cli;
		code = run(v);
		layouts_free(v->layouts);
	}
	free(v);
	return code;
}
