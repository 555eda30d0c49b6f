/* SPDX-License-Identifier: ISC
 *
 * The command line's side of the API: requests to a running `tap82 run` over its Unix socket.
 */
#ifndef TAP82_CLI_CLIENT_H
#define TAP82_CLI_CLIENT_H

#include <jansson.h>

#include "cli.h"
#include "table.h"
#include "tap82/addr.h"

/* One line of the answer, NUL-terminated: of a list, one element. 0 to go on. */
typedef int (*client_line_fn)(void *ctx, const char *line);

struct client_request {
	const char *method; /* "GET" … */
	const char *path; /* with its query */
	const char *body; /* JSON, or NULL */
	const char *object; /* whom an error is about: a MAC; NULL: the command */
	bool forever; /* a stream */
	bool *cut; /* or NULL: set, and nothing told, where an answer broke off … */
	bool again; /* … or where nobody is there to answer: it is tried again */
};

/* Sends it and gives the answer's lines to `fn` (NULL: nobody). An exit code; every failure was
 * told to the user: 404 is EXIT_NO_SUCH_THING, 400 EXIT_WRONG_USAGE. */
int client_call(
	const struct cli *cli, const struct client_request *request, client_line_fn fn, void *ctx);

/* A column of a list: its title, and where its value stands ("profile.option82.circuit_id"; of
 * several, separated by '|', the first that is there). */
struct client_column {
	const char *title, *path;
};

/* GET of a list: as JSON Lines with --json, else as a table; `none` is said when it is empty. */
int client_list(const struct cli *cli, const char *path, const struct client_column *columns,
	size_t count, const char *none);
/* GET, POST … of one object: as JSON, or as lines of "key: value". */
int client_show(const struct cli *cli, const struct client_request *request);

/* The value as text: numbers and truth values too; lists are joined. The caller frees it; NULL if
 * it is not there. */
char *client_text(const json_t *json, const char *path);
/* The operand as a MAC address in our spelling. 0, or an exit code after telling. */
int client_mac(const struct cli *cli, const char *text, char ret_mac[MAC_TEXT]);
/* Adds "&name=VALUE" or "?name=VALUE", escaped. */
void client_query(char *path, size_t size, const char *name, const char *value);

#endif
