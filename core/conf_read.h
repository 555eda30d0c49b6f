/* SPDX-License-Identifier: ISC
 *
 * Inside the configuration: the table of keys, the functions that read values, the checks of
 * one section against another.
 */
#ifndef TAP82_CONF_READ_H
#define TAP82_CONF_READ_H

#include "ini.h"
#include "tap82/conf.h"

#define CONF_WHY 200 /* bytes of what is wrong with a value */

struct conf_reader {
	const char *path;
	problem_fn problem;
	void *ctx;
	unsigned problems;
	struct conf *conf;
	char why[CONF_WHY];
};

enum conf_kind {
	CONF_TAP82,
	CONF_CAPTURE,
	CONF_SERVER,
	CONF_GROUP,
	CONF_SWITCHES,
	CONF_LAYOUT,
	CONF_WEBHOOK,
	CONF_KINDS
};

/* One key. `parse` reads `text` into the object of its section (struct conf itself for [tap82]).
 * 0; -ENOMEM; or another error with reader->why set, in words. */
struct conf_key {
	enum conf_kind kind;
	const char *name;
	int (*parse)(struct conf_reader *reader, const struct conf_key *key, const char *text,
		void *object);
	size_t offset; /* of the member in the object, where `parse` wants it */
	const char *fallback; /* NULL: none */
	bool required;
	const char *words; /* "keep|release": in the order of the enum */
	int64_t min, max;
};

/* The kinds of sections: in brackets the word, and the section's name if it is `named`. */
struct conf_section {
	const char *word;
	bool named;
	size_t size, array, count; /* of an object; offsets in struct conf */
};

extern const struct conf_section conf_sections[CONF_KINDS];
extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;

/* Tells "FILE: [section name] key: what (line N)"; key NULL and line 0 are left out. */
void conf_tell(struct conf_reader *reader, enum conf_kind kind, const char *name, const char *key,
	unsigned line, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Sets reader->why; returns ERR_SYNTAX. */
int conf_wrong(struct conf_reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether the API may listen there: 0, or with reader->why. */
int conf_check_listen(struct conf_reader *reader, const char *text);
/* A row of [switches]. */
int conf_read_switch(struct conf_reader *reader, const char *key, const char *text);

/* The functions of conf_keys[].parse. Those for texts and lists take an empty text for "none". */
typedef int conf_value_fn(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object);
conf_value_fn conf_value_string, conf_value_path, conf_value_name, conf_value_prefix_name;
conf_value_fn conf_value_interface, conf_value_url, conf_value_endpoint, conf_value_listen;
conf_value_fn conf_value_word, conf_value_either, conf_value_chosen, conf_value_switch;
conf_value_fn conf_value_duration, conf_value_size, conf_value_address, conf_value_port;
conf_value_fn conf_value_vlans, conf_value_tunnels, conf_value_subnets, conf_value_relays;
conf_value_fn conf_value_servers, conf_value_events;

/* What one section says against another; told like the rest. */
void conf_check(struct conf_reader *reader);

#endif
