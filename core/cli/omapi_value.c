/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "omapi_value.h"
#include "tap82/buf.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#define ENDS_NEVER  0x7ffffff0u
#define NUMBER_NONE UINT32_MAX

struct word {
	uint32_t number;
	const char *text;
};

/* dhcpd.h FTS_*, and enum server state; failover.h enum failover_state. */
static const struct word lease_states[] = {{1, "free"}, {2, "active"}, {3, "expired"},
	{4, "released"}, {5, "abandoned"}, {6, "reset"}, {7, "backup"}, {0, NULL}};
static const struct word control_states[] = {{0, "startup"}, {1, "running"}, {2, "shutdown"},
	{3, "hibernate"}, {4, "awaken"}, {0, NULL}};
static const struct word failover_states[] = {{0, "unknown"}, {1, "startup"}, {2, "normal"},
	{3, "communications-interrupted"}, {4, "partner-down"}, {5, "potential-conflict"},
	{6, "recover"}, {7, "paused"}, {8, "shutdown"}, {9, "recover-done"},
	{10, "resolution-interrupted"}, {11, "conflict-done"}, {254, "recover-wait"}, {0, NULL}};
static const struct word hardware_types[] = {
	{1, "ethernet"}, {6, "token-ring"}, {8, "fddi"}, {32, "infiniband"}, {0, NULL}};
static const struct word hierarchies[] = {{0, "primary"}, {1, "secondary"}, {0, NULL}};
static const struct word flag_words[] = {{0, "none"}, {2, "bootp"}, {4, "reserved"}, {0, NULL}};

enum kind { KIND_TEXT, KIND_BYTES, KIND_ADDRESSES, KIND_NUMBER, KIND_TIME, KIND_HANDLE };

/* One row an attribute; `type` NULL: of any object. */
static const struct attribute {
	const char *type, *name;
	enum kind kind;
	const struct word *words; /* of a number, or NULL */
} attributes[] = {
	{NULL, "name", KIND_TEXT, NULL},
	{NULL, "hardware-address", KIND_BYTES, NULL},
	{NULL, "hardware-type", KIND_NUMBER, hardware_types},
	{NULL, "dhcp-client-identifier", KIND_BYTES, NULL},
	{NULL, "ip-address", KIND_ADDRESSES, NULL},
	{NULL, "handle", KIND_HANDLE, NULL},
	{"host", "known", KIND_NUMBER, NULL},
	{"lease", "state", KIND_NUMBER, lease_states},
	{"lease", "flags", KIND_NUMBER, flag_words},
	{"lease", "ends", KIND_TIME, NULL},
	{"lease", "starts", KIND_TIME, NULL},
	{"lease", "tstp", KIND_TIME, NULL},
	{"lease", "tsfp", KIND_TIME, NULL},
	{"lease", "atsfp", KIND_TIME, NULL},
	{"lease", "cltt", KIND_TIME, NULL},
	{"lease", "host", KIND_HANDLE, NULL},
	{"lease", "subnet", KIND_HANDLE, NULL},
	{"lease", "pool", KIND_HANDLE, NULL},
	{"lease", "billing-class", KIND_HANDLE, NULL},
	{"lease", "remote-handle", KIND_HANDLE, NULL},
	{"control", "state", KIND_NUMBER, control_states},
	{"failover-state", "partner-address", KIND_BYTES, NULL},
	{"failover-state", "local-address", KIND_BYTES, NULL},
	{"failover-state", "partner-port", KIND_NUMBER, NULL},
	{"failover-state", "local-port", KIND_NUMBER, NULL},
	{"failover-state", "max-outstanding-updates", KIND_NUMBER, NULL},
	{"failover-state", "mclt", KIND_NUMBER, NULL},
	{"failover-state", "load-balance-max-secs", KIND_NUMBER, NULL},
	{"failover-state", "load-balance-hba", KIND_BYTES, NULL},
	{"failover-state", "partner-state", KIND_NUMBER, failover_states},
	{"failover-state", "local-state", KIND_NUMBER, failover_states},
	{"failover-state", "partner-stos", KIND_TIME, NULL},
	{"failover-state", "local-stos", KIND_TIME, NULL},
	{"failover-state", "hierarchy", KIND_NUMBER, hierarchies},
	{"failover-state", "last-packet-sent", KIND_TIME, NULL},
	{"failover-state", "last-timestamp-received", KIND_TIME, NULL},
	{"failover-state", "skew", KIND_NUMBER, NULL},
	{"failover-state", "max-response-delay", KIND_NUMBER, NULL},
	{"failover-state", "cur-unacked-updates", KIND_NUMBER, NULL},
	{"class", "lease-limit", KIND_NUMBER, NULL},
	{"class", "leases-used", KIND_NUMBER, NULL},
	{"subclass", "lease-limit", KIND_NUMBER, NULL},
	{"subclass", "leases-used", KIND_NUMBER, NULL},
	{"subclass", "hashstring", KIND_BYTES, NULL},
	{"pool", "lease-count", KIND_NUMBER, NULL},
	{"pool", "free-leases", KIND_NUMBER, NULL},
	{"pool", "backup-leases", KIND_NUMBER, NULL},
};

bool omapi_type_known(const char *type)
{
	static const char *const types[] = {
		"host", "lease", "group", "control", "failover-state", "class", "subclass", "pool"};

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

static const struct attribute *attribute_find(const char *type, const char *name, size_t len)
{
	static const struct attribute text = {.kind = KIND_TEXT};

	for (unsigned i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		const struct attribute *a = &attributes[i];

		if ((!a->type || strcmp(a->type, type) == 0) && strlen(a->name) == len &&
			memcmp(a->name, name, len) == 0)
			return a;
	}
	return &text;
}

/* --- Reading words --------------------------------------------------------------------------- */

static int put_number(uint32_t number, uint8_t *out)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(number >> (24 - 8 * i));
	return 4;
}

static int parse_number(const char *word, const struct word *words, uint8_t *out)
{
	char *end;
	unsigned long number;

	for (; words && words->text; words++)
		if (strcasecmp(words->text, word) == 0)
			return put_number(words->number, out);
	number = strtoul(word, &end, 0);
	if (*word < '0' || *word > '9' || *end || number > UINT32_MAX)
		return ERR_SYNTAX;
	return put_number((uint32_t)number, out);
}

static int parse_time(const char *word, uint8_t *out)
{
	int64_t time;

	if (strcmp(word, "never") == 0)
		return put_number(ENDS_NEVER, out);
	if (time_parse(word, &time) < 0 || time / USEC_PER_SEC > (int64_t)UINT32_MAX)
		return ERR_SYNTAX;
	return put_number((uint32_t)(time / USEC_PER_SEC), out);
}

/* Four bytes for each; nothing clears the list of a host. */
static int parse_addresses(const char *word, uint8_t *out)
{
	int n = 0;

	while (*word) {
		size_t len = strcspn(word, ",");
		uint32_t ip;

		if (n + 4 > OMAPI_VALUE_MAX)
			return ERR_FULL;
		if (ipv4_parse(word, len, &ip) < 0)
			return ERR_SYNTAX;
		n += put_number(ip, out + n);
		word += len;
		if (*word == ',' && !*++word)
			return ERR_SYNTAX;
	}
	return n;
}

static int parse_text(const char *word, uint8_t *out)
{
	size_t len = strlen(word);

	if (len > OMAPI_VALUE_MAX)
		return ERR_FULL;
	memcpy(out, word, len);
	return (int)len;
}

int omapi_value_parse(
	const char *type, const char *name, const char *word, uint8_t out[OMAPI_VALUE_MAX])
{
	const struct attribute *a = attribute_find(type, name, strlen(name));

	if (strncmp(word, "hex:", 4) == 0)
		return hex_parse(word + 4, strlen(word + 4), out, OMAPI_VALUE_MAX);
	if (strncmp(word, "int:", 4) == 0)
		return parse_number(word + 4, NULL, out);
	switch (a->kind) {
	case KIND_NUMBER: return parse_number(word, a->words, out);
	case KIND_HANDLE: return parse_number(word, NULL, out);
	case KIND_TIME: return parse_time(word, out);
	case KIND_ADDRESSES: return parse_addresses(word, out);
	case KIND_BYTES: return hex_parse(word, strlen(word), out, OMAPI_VALUE_MAX);
	case KIND_TEXT: break;
	}
	return parse_text(word, out);
}

/* --- Writing words --------------------------------------------------------------------------- */

static void write_number(struct writer *w, const char *key, const struct word *words, uint32_t v)
{
	for (; words && words->text; words++) {
		if (words->number == v) {
			writer_str(w, key, words->text);
			return;
		}
	}
	writer_u64(w, key, v);
}

static void write_time(struct writer *w, const char *key, uint32_t v)
{
	if (v >= ENDS_NEVER)
		writer_str(w, key, "never");
	else if (v == 0)
		writer_u64(w, key, 0);
	else
		writer_time(w, key, (int64_t)v * USEC_PER_SEC);
}

static void write_addresses(struct writer *w, const char *key, const struct omapi_pair *pair)
{
	char text[OMAPI_VALUE_MAX] = "", one[IPV4_TEXT];
	struct buf in = buf_of(pair->value, pair->value_len);
	size_t n = 0;

	while (buf_left(&in) >= 4 && n + IPV4_TEXT + 1 < sizeof(text))
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? "," : "",
			ipv4_format(buf_u32(&in), one));
	writer_str(w, key, text);
}

static void write_bytes(struct writer *w, const char *key, const struct omapi_pair *pair)
{
	struct mac mac;

	if (pair->value_len != 6) {
		writer_hex(w, key, pair->value, pair->value_len);
		return;
	}
	memcpy(mac.b, pair->value, 6);
	writer_mac(w, key, &mac);
}

static uint32_t number_of(const struct omapi_pair *pair)
{
	uint32_t v = 0;

	for (uint32_t i = 0; i < pair->value_len; i++)
		v = v << 8 | pair->value[i];
	return v;
}

static void write_any(struct writer *w, const char *key, const struct omapi_pair *pair)
{
	if (pair->value_len == 0 || bytes_are_text(pair->value, pair->value_len))
		writer_text(w, key, pair->value, pair->value_len);
	else
		writer_hex(w, key, pair->value, pair->value_len);
}

/* A name from dhcpd may be a variable that somebody's configuration chose. */
static const char *key_text(const struct omapi_pair *pair, char out[64])
{
	size_t n = pair->name_len < 63 ? pair->name_len : 63;

	for (size_t i = 0; i < n; i++) {
		char c = (char)pair->name[i];

		out[i] = c > 0x20 && c < 0x7f && c != '"' && c != '\\' ? c : '?';
	}
	out[n] = '\0';
	return out;
}

void omapi_value_write(struct writer *w, const char *type, const struct omapi_pair *pair)
{
	const struct attribute *a = attribute_find(type, (const char *)pair->name, pair->name_len);
	bool number = pair->value_len > 0 && pair->value_len <= 4;
	char memory[64];
	const char *key = key_text(pair, memory);

	if (a->kind == KIND_ADDRESSES && pair->value_len % 4 == 0)
		write_addresses(w, key, pair);
	else if (a->kind == KIND_BYTES)
		write_bytes(w, key, pair);
	else if (a->kind == KIND_NUMBER && number)
		write_number(w, key, a->words, number_of(pair));
	else if (a->kind == KIND_HANDLE && number)
		writer_u64(w, key, number_of(pair));
	else if (a->kind == KIND_TIME && number)
		write_time(w, key, number_of(pair));
	else
		write_any(w, key, pair);
}
