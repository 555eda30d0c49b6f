/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_read.h"
#include "tap82/err.h"

/* Indexes of servers are bytes. */
#define OBJECTS_MAX 250

void conf_tell(struct conf_reader *r, enum conf_kind kind, const char *name, const char *key,
	unsigned line, const char *fmt, ...)
{
	char what[CONF_WHY + 100], at[24] = "", text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (line)
		snprintf(at, sizeof(at), " (line %u)", line);
	snprintf(text, sizeof(text), "%s: [%s%s%s]%s%s: %s%s", r->path, conf_sections[kind].word,
		name ? " " : "", name ? name : "", key ? " " : "", key ? key : "", what, at);
	r->problem(r->ctx, text);
	r->problems++;
}

/* Objects of a kind begin with their names. */
static void **object_array(struct conf *conf, enum conf_kind kind)
{
	return (void **)((char *)conf + conf_sections[kind].array);
}

static size_t *object_count(struct conf *conf, enum conf_kind kind)
{
	return (size_t *)((char *)conf + conf_sections[kind].count);
}

static char *object_at(struct conf *conf, enum conf_kind kind, size_t i)
{
	return (char *)*object_array(conf, kind) + i * conf_sections[kind].size;
}

static int object_find(const struct conf *conf, enum conf_kind kind, const char *name)
{
	struct conf *c = (struct conf *)conf;

	for (size_t i = 0; i < *object_count(c, kind); i++)
		if (strcasecmp(object_at(c, kind, i), name) == 0)
			return (int)i;
	return -1;
}

/* Splits "server north"; the kind, or CONF_KINDS. *ret_name: "" if there is none. */
static enum conf_kind section_kind(const char *title, const char **ret_name)
{
	const char *space = strchrnul(title, ' ');
	size_t len = (size_t)(space - title);

	*ret_name = *space ? space + 1 : "";
	for (enum conf_kind kind = 0; kind < CONF_KINDS; kind++)
		if (strlen(conf_sections[kind].word) == len &&
			strncasecmp(conf_sections[kind].word, title, len) == 0)
			return kind;
	return CONF_KINDS;
}

static bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
	return len > 0 && len < CONF_NAME_MAX;
}

static void tell_section(struct conf_reader *r, const struct ini_section *s, const char *what)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s: [%s]: %s (line %u)", r->path, s->title, what, s->line);
	r->problem(r->ctx, text);
	r->problems++;
}

static int add_object(struct conf *conf, enum conf_kind kind, const char *name)
{
	size_t *count = object_count(conf, kind), size = conf_sections[kind].size;
	void **array = object_array(conf, kind), *bigger;
	char *object;

	bigger = reallocarray(*array, *count + 1, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	object = memset((char *)bigger + (*count)++ * size, 0, size);
	memcpy(object, name, strlen(name) + 1);
	return 0;
}

/* Makes the object of a section before any key is read: keys refer to sections further down. */
static int open_section(struct conf_reader *r, const struct ini_section *s)
{
	const char *name;
	enum conf_kind kind = section_kind(s->title, &name);

	if (kind == CONF_KINDS)
		tell_section(r, s, "there is no such section");
	else if (!conf_sections[kind].named && *name)
		tell_section(r, s, "this section has no name");
	else if (conf_sections[kind].named && !*name)
		tell_section(r, s, "this section needs a name");
	else if (conf_sections[kind].named && !name_is_good(name))
		tell_section(r, s, "a name is 1 to 63 letters, digits, '.', '_' and '-'");
	else if (conf_sections[kind].named && *object_count(r->conf, kind) == OBJECTS_MAX)
		tell_section(r, s, "there are too many sections of this kind (250)");
	else if (conf_sections[kind].named)
		return add_object(r->conf, kind, name);
	return 0;
}

static const struct conf_key *find_key(enum conf_kind kind, const char *name)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_keys[i].kind == kind && strcasecmp(conf_keys[i].name, name) == 0)
			return &conf_keys[i];
	return NULL;
}

static const struct ini_entry *find_entry(const struct ini_section *s, const char *name)
{
	for (size_t i = 0; s && i < s->count; i++)
		if (strcasecmp(s->entries[i].key, name) == 0)
			return &s->entries[i];
	return NULL;
}

/* One key of an object from its entry, or from its default where there is no entry. */
static int read_key(struct conf_reader *r, const struct conf_key *key, const char *name,
	const struct ini_entry *entry, void *object)
{
	const char *text = entry ? entry->value : key->fallback;
	int e;

	if (entry && !text)
		return 0;
	if (entry && !*text && key->required) {
		conf_tell(r, key->kind, name, key->name, entry->line, "is empty");
		return 0;
	}
	if (!text) {
		if (key->required)
			conf_tell(r, key->kind, name, key->name, 0, "is missing");
		return 0;
	}
	e = key->parse(r, key, text, object);
	if (e == -ENOMEM)
		return e;
	if (e < 0)
		conf_tell(r, key->kind, name, key->name, entry ? entry->line : 0, "%s", r->why);
	return 0;
}

static void tell_unknown_keys(
	struct conf_reader *r, enum conf_kind kind, const char *name, const struct ini_section *s)
{
	for (size_t i = 0; s && i < s->count; i++)
		if (!find_key(kind, s->entries[i].key))
			conf_tell(r, kind, name, s->entries[i].key, s->entries[i].line,
				"there is no such key");
}

static int read_object(struct conf_reader *r, enum conf_kind kind, const char *name,
	const struct ini_section *s, void *object)
{
	int e = 0;

	tell_unknown_keys(r, kind, name, s);
	for (size_t i = 0; i < conf_key_count && e == 0; i++)
		if (conf_keys[i].kind == kind)
			e = read_key(
				r, &conf_keys[i], name, find_entry(s, conf_keys[i].name), object);
	return e;
}

static int read_switches(struct conf_reader *r, const struct ini_section *s)
{
	int e = 0;

	for (size_t i = 0; i < s->count && e == 0; i++) {
		if (!s->entries[i].value)
			continue;
		e = conf_read_switch(r, s->entries[i].key, s->entries[i].value);
		if (e == 0 || e == -ENOMEM)
			continue;
		conf_tell(r, CONF_SWITCHES, NULL, s->entries[i].key, s->entries[i].line, "%s",
			r->why);
		e = 0;
	}
	return e;
}

static int read_section(struct conf_reader *r, const struct ini_section *s)
{
	const char *name;
	enum conf_kind kind = section_kind(s->title, &name);
	int i;

	if (kind == CONF_SWITCHES)
		return *name ? 0 : read_switches(r, s);
	if (kind == CONF_KINDS || !conf_sections[kind].named)
		return 0;
	i = object_find(r->conf, kind, name);
	return i < 0 ? 0 : read_object(r, kind, name, s, object_at(r->conf, kind, (size_t)i));
}

/* [tap82] has its defaults even where the file does not name it. */
static int read_global(struct conf_reader *r, const struct ini *ini)
{
	const struct ini_section *s = NULL;

	for (size_t i = 0; i < ini->count; i++)
		if (strcasecmp(ini->sections[i].title, "tap82") == 0)
			s = &ini->sections[i];
	return read_object(r, CONF_TAP82, NULL, s, r->conf);
}

static int read_sections(struct conf_reader *r, const struct ini *ini)
{
	int e = 0;

	for (size_t i = 0; i < ini->count && e == 0; i++)
		e = open_section(r, &ini->sections[i]);
	if (e == 0)
		e = read_global(r, ini);
	for (size_t i = 0; i < ini->count && e == 0; i++)
		e = read_section(r, &ini->sections[i]);
	if (e == 0)
		conf_check(r);
	return e;
}

static int load(struct conf_reader *r)
{
	struct ini ini;
	int e = ini_load(r->path, r->problem, r->ctx, &r->problems, &ini);

	if (e < 0)
		return e;
	r->conf->path = strdup(r->path);
	e = r->conf->path ? read_sections(r, &ini) : -ENOMEM;
	ini_done(&ini);
	if (e == -ENOMEM)
		r->problem(r->ctx, "configuration: cannot be kept: no memory");
	return e < 0 ? e : r->problems ? ERR_SYNTAX : 0;
}

int conf_load(const char *path, problem_fn problem, void *ctx, struct conf **ret_conf)
{
	struct conf_reader r = {.path = path, .problem = problem, .ctx = ctx};
	int e;

	r.conf = calloc(1, sizeof(*r.conf));
	if (!r.conf) {
		problem(ctx, "configuration: cannot be kept: no memory");
		return -ENOMEM;
	}
	e = load(&r);
	if (e < 0)
		conf_free(r.conf);
	else
		*ret_conf = r.conf;
	return e;
}

int conf_server_by_name(const struct conf *conf, const char *name)
{
	return object_find(conf, CONF_SERVER, name);
}

int conf_group_by_name(const struct conf *conf, const char *name)
{
	return object_find(conf, CONF_GROUP, name);
}

int conf_server_by_id(const struct conf *conf, uint32_t server_id)
{
	for (size_t i = 0; i < conf->server_count; i++)
		if (conf->servers[i].server_id == server_id)
			return (int)i;
	for (size_t i = 0; i < conf->server_count; i++)
		if (conf->servers[i].address == server_id)
			return (int)i;
	return -1;
}

int conf_group_of(const struct conf *conf, uint32_t ip)
{
	int best = -1, best_len = -1;

	for (size_t i = 0; i < conf->group_count; i++) {
		const struct conf_group *group = &conf->groups[i];

		for (size_t j = 0; j < group->subnet_count; j++) {
			if (group->subnets[j].len <= best_len ||
				!prefix_has(&group->subnets[j], ip))
				continue;
			best = (int)i;
			best_len = group->subnets[j].len;
		}
	}
	return best;
}

const char *conf_reservation_text(enum conf_reservation mode)
{
	static const char *const words[] = {"auto", "host", "pin"};

	return words[mode];
}
