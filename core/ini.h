/* SPDX-License-Identifier: ISC
 *
 * The form of the configuration file: sections, keys, values, and where they stand. core/ini.c is
 * the only file that knows iniparser, and makes up for what iniparser 4.1 loses: it lower-cases
 * names, merges sections, lets the last of two equal keys win, keeps no line numbers, takes
 * `[section] ; key = value` for a key, and cuts a value at a `;` or `#` inside it.
 */
#ifndef TAP82_INI_H
#define TAP82_INI_H

#include <stddef.h>

#include "tap82/conf.h"

struct ini_entry {
	char *key; /* as it was written */
	const char *value; /* NULL: there is one, but it is wrong, and that was told */
	unsigned line;
};

struct ini_section {
	char *title; /* what stands in the brackets, as it was written: "server north" */
	unsigned line;
	struct ini_entry *entries;
	size_t count;
};

struct ini {
	struct ini_section *sections; /* in the order of the file */
	size_t count;
	void *dictionary; /* iniparser's, which owns the values */
};

/* Reads `path`. `problem` is told of everything that is no section, key or comment, and of what
 * stands twice. 0: it could be read, problems or not (their number is in *ret_problems);
 * negative: it could not (told too). Not for two threads at once. */
int ini_load(const char *path, problem_fn problem, void *ctx, unsigned *ret_problems,
	struct ini *ret_ini);
void ini_done(struct ini *ini);

#endif
