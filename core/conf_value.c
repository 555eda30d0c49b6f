/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "conf_read.h"
#include "tap82/clock.h"
#include "tap82/err.h"

int conf_wrong(struct conf_reader *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, args);
	va_end(args);
	return ERR_SYNTAX;
}

static void *member(const struct conf_key *key, void *object)
{
	return (char *)object + key->offset;
}

int conf_value_string(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	char *copy = NULL, **place = member(key, object);

	(void)r;
	if (*text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
	}
	free(*place);
	*place = copy;
	return 0;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

int conf_value_path(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	if (has_control(text))
		return conf_wrong(r, "a path holds no control characters");
	return conf_value_string(r, key, text, object);
}

static bool made_of(const char *text, const char *others)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(others, *text))
			return false;
	return true;
}

int conf_value_name(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	if (strlen(text) >= CONF_NAME_MAX || !made_of(text, "._-"))
		return conf_wrong(r,
			"'%s' is not made of letters, digits, '.', '_' and '-' (at most %d)", text,
			CONF_NAME_MAX - 1);
	return conf_value_string(r, key, text, object);
}

/* Host objects of dhcpd are declared as words: [A-Za-z0-9][A-Za-z0-9_-]* */
int conf_value_prefix_name(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	if (strlen(text) > 40 || !isalnum((unsigned char)*text) || !made_of(text, "_-"))
		return conf_wrong(r,
			"'%s' does not begin with a letter or digit and go on with letters, "
			"digits, '_' "
			"and '-' (at most 40)",
			text);
	return conf_value_string(r, key, text, object);
}

int conf_value_interface(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	if (!*text || strlen(text) > 15 || strpbrk(text, "/ \t") || has_control(text))
		return conf_wrong(r, "'%s' is no name of an interface (1 to 15 characters)", text);
	return conf_value_string(r, key, text, object);
}

int conf_value_url(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	const char *host = strncasecmp(text, "http://", 7) == 0	   ? text + 7
			   : strncasecmp(text, "https://", 8) == 0 ? text + 8
								   : "";

	if (!*host || strchr("/:?", *host) || strpbrk(text, " \t") || has_control(text))
		return conf_wrong(r, "'%s' is no http:// or https:// address", text);
	return conf_value_string(r, key, text, object);
}

/* The index of `text` in "one|two|three", or -1. */
static int word_index(const char *words, const char *text)
{
	size_t len = strlen(text);
	int i = 0;

	for (const char *word = words; word; i++) {
		const char *end = strchrnul(word, '|');

		if (len == (size_t)(end - word) && strncasecmp(word, text, len) == 0)
			return i;
		word = *end ? end + 1 : NULL;
	}
	return -1;
}

static int word_wrong(struct conf_reader *r, const char *words, const char *text)
{
	return conf_wrong(r, "'%s' is none of %s", text, words);
}

/* An enum: as int in the object. */
int conf_value_word(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	int i = word_index(key->words, text), *place = member(key, object);

	if (i < 0)
		return word_wrong(r, key->words, text);
	*place = i;
	return 0;
}

/* One of two words: as bool, true for the second. */
int conf_value_either(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	int i = word_index(key->words, text);
	bool *place = member(key, object);

	if (i < 0)
		return word_wrong(r, key->words, text);
	*place = i == 1;
	return 0;
}

/* One of the words: as text, in lower case as the words are. */
int conf_value_chosen(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	char lower[32] = "";

	if (word_index(key->words, text) < 0)
		return word_wrong(r, key->words, text);
	for (size_t i = 0; i < sizeof(lower) - 1 && text[i]; i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	return conf_value_string(r, key, lower, object);
}

int conf_value_switch(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	int i = word_index("no|yes|off|on|false|true", text);
	bool *place = member(key, object);

	if (i < 0)
		return conf_wrong(r, "'%s' is neither yes nor no", text);
	*place = i & 1;
	return 0;
}

int conf_value_duration(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	int64_t v, *place = member(key, object);
	int e = duration_parse(text, &v);
	char low[32], high[32];

	if (e == ERR_SYNTAX)
		return conf_wrong(r, "'%s' is no duration: a number and ms, s, m, h or d", text);
	if (e < 0 || v < key->min || v > key->max)
		return conf_wrong(r, "'%s' is not between %s and %s", text,
			key->min ? duration_format(key->min, low, sizeof(low)) : "0s",
			duration_format(key->max, high, sizeof(high)));
	*place = v;
	return 0;
}

int conf_value_size(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	uint64_t v, *place = member(key, object);
	int e = size_parse(text, &v);

	if (e == ERR_SYNTAX)
		return conf_wrong(r, "'%s' is no size: a number and K, M or G", text);
	if (e < 0 || v < (uint64_t)key->min || v > (uint64_t)key->max)
		return conf_wrong(r, "'%s' is not between %lldK and %lldM", text,
			(long long)(key->min >> 10), (long long)(key->max >> 20));
	*place = v;
	return 0;
}

/* An address a host can have: neither 0.0.0.0 nor multicast nor broadcast. */
static bool is_host(uint32_t ip)
{
	return ip >> 24 != 0 && ip >> 28 < 0xe;
}

int conf_value_address(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	uint32_t ip, *place = member(key, object);

	if (ipv4_parse(text, strlen(text), &ip) < 0 || !is_host(ip))
		return conf_wrong(r, "'%s' is no IPv4 address of a host", text);
	*place = ip;
	return 0;
}

static int port_parse(const char *text, uint16_t *ret_port)
{
	unsigned v = 0;
	const char *p = text;

	for (; isdigit((unsigned char)*p) && p - text < 5; p++)
		v = v * 10 + (unsigned)(*p - '0');
	if (p == text || *p || v == 0 || v > 65535 || *text == '0')
		return ERR_SYNTAX;
	*ret_port = (uint16_t)v;
	return 0;
}

int conf_value_port(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	if (port_parse(text, member(key, object)) < 0)
		return conf_wrong(r, "'%s' is no port (1 to 65535)", text);
	return 0;
}

/* "ADDRESS:PORT" */
static int endpoint_parse(const char *text, uint32_t *ret_ip)
{
	const char *colon = strrchr(text, ':');
	uint16_t port;

	if (!colon || port_parse(colon + 1, &port) < 0)
		return ERR_SYNTAX;
	return ipv4_parse(text, (size_t)(colon - text), ret_ip);
}

int conf_value_endpoint(
	struct conf_reader *r, const struct conf_key *key, const char *text, void *object)
{
	uint32_t ip;

	if (*text && endpoint_parse(text, &ip) < 0)
		return conf_wrong(r, "'%s' is not ADDRESS:PORT", text);
	return conf_value_string(r, key, text, object);
}

/* A path of a Unix socket, or a TCP port that only this host reaches. */
int conf_check_listen(struct conf_reader *r, const char *text)
{
	uint32_t ip;

	if (strchr(text, '/')) {
		if (strlen(text) >= sizeof(((struct sockaddr_un *)0)->sun_path))
			return conf_wrong(r, "'%s' is too long for a socket (107 bytes)", text);
		return has_control(text) ? conf_wrong(r, "a path holds no control characters") : 0;
	}
	if (endpoint_parse(text, &ip) < 0)
		return conf_wrong(r, "'%s' is neither a path nor ADDRESS:PORT", text);
	if (ip >> 24 != 127)
		return conf_wrong(r,
			"'%s' is not loopback: over TCP the API listens on 127.0.0.0/8 only", text);
	return 0;
}
