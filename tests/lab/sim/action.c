/* SPDX-License-Identifier: ISC
 *
 * Actions from words: "@10s dora mac=02:00:00:00:00:01 count=100 circuit=eth0/%d remote=sw1 …".
 */
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>

#include "sim.h"
#include "tap82/clock.h"

static const char *const verbs[] = {
	[VERB_DORA] = "dora",
	[VERB_DISCOVER] = "discover",
	[VERB_RENEW] = "renew",
	[VERB_REBIND] = "rebind",
	[VERB_REBOOT] = "reboot",
	[VERB_RELEASE] = "release",
	[VERB_DECLINE] = "decline",
	[VERB_INFORM] = "inform",
	[VERB_RADIUS] = "radius",
};
#define VERBS (sizeof(verbs) / sizeof(*verbs))

const char *verb_name(enum verb verb)
{
	return verbs[verb];
}

void action_init(struct action *a)
{
	*a = (struct action){
		.mac = {{2, 0, 0, 0, 0, 1}},
		.count = 1,
		.first = 1,
		.server = 0x0a630001, /* 10.99.0.1 */
		.server_id = true,
		.echo = true,
		.lease = 3600,
		.retry = 2 * USEC_PER_SEC,
		.tries = 3,
		.delay = 800,
	};
	snprintf(a->radius.code, sizeof(a->radius.code), "access");
	snprintf(a->radius.style, sizeof(a->radius.style), "dash");
}

/* ---- values ---- */

static bool set_text(void *to, const char *v)
{
	return snprintf(to, SIM_TEXT, "%s", v) < SIM_TEXT;
}

static bool set_word(void *to, const char *v)
{
	return snprintf(to, 8, "%s", v) < 8;
}

static bool set_mac(void *to, const char *v)
{
	return mac_parse(v, strlen(v), to) == 0;
}

static bool set_ip(void *to, const char *v)
{
	*(uint32_t *)to = 0;
	return !*v || strcmp(v, "none") == 0 || ipv4_parse(v, strlen(v), to) == 0;
}

static bool set_u32(void *to, const char *v)
{
	char *end;

	*(uint32_t *)to = (uint32_t)strtoul(v, &end, 10);
	return *v && !*end;
}

static bool set_rate(void *to, const char *v)
{
	char *end;

	*(double *)to = strtod(v, &end);
	return *v && !*end && *(double *)to >= 0;
}

static bool set_bool(void *to, const char *v)
{
	*(bool *)to = strcmp(v, "yes") == 0;
	return *(bool *)to || strcmp(v, "no") == 0;
}

static bool set_duration(void *to, const char *v)
{
	return duration_parse(v, to) == 0;
}

static bool set_sub(void *to, const char *v)
{
	uint8_t bytes[SIM_OPTION82_MAX];

	return hex_parse(v, strlen(v), bytes, sizeof(bytes)) >= 0 &&
	       snprintf(to, 2 * SIM_OPTION82_MAX + 1, "%s", v) <= 2 * SIM_OPTION82_MAX;
}

static bool set_name(const char *const *names, size_t n, const char *v, unsigned *ret_at)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(names[i], v) == 0) {
			*ret_at = i;
			return true;
		}
	return false;
}

static bool set_shape(void *to, const char *v)
{
	static const char *const names[] = {"last", "first", "split", "overload"};
	unsigned at = 0;
	bool ok = set_name(names, 4, v, &at);

	*(enum shape *)to = (enum shape)at;
	return ok;
}

static bool set_encap(void *to, const char *v)
{
	static const char *const names[] = {"none", "gre", "erspan", "vxlan", "tzsp"};
	unsigned at = 0;
	bool ok = set_name(names, 5, v, &at);

	((struct envelope *)to)->encap = (enum encap)at;
	return ok;
}

/* "120", "10,20": the outer one of several is a service tag (802.1ad); "none" takes them away. */
static bool set_vlans(void *to, const char *v)
{
	struct envelope *e = to;
	char *end = NULL;

	e->tags = 0;
	if (!*v || strcmp(v, "none") == 0)
		return true;
	while (e->tags < SIM_TAGS) {
		unsigned long id = strtoul(v, &end, 10);

		e->tag[e->tags++] = (struct tag){.tpid = 0x8100, .vlan = (uint16_t)(id & 0xffff)};
		if (*end != ',')
			break;
		v = end + 1;
	}
	if (e->tags > 1)
		e->tag[0].tpid = 0x88a8;
	return !*end;
}

static bool set_tpid(void *to, const char *v)
{
	((struct envelope *)to)->tag[0].tpid = (uint16_t)strtoul(v, NULL, 16);
	return true;
}

static bool set_fragment(void *to, const char *v)
{
	uint32_t n;

	if (!set_u32(&n, v) || n % 8)
		return false;
	((struct envelope *)to)->fragment = (uint16_t)n;
	return true;
}

static const struct key {
	const char *name;
	bool (*set)(void *to, const char *value);
	size_t at;
} keys[] = {
	{"mac", set_mac, offsetof(struct action, mac)},
	{"count", set_u32, offsetof(struct action, count)},
	{"first", set_u32, offsetof(struct action, first)},
	{"rate", set_rate, offsetof(struct action, rate)},
	{"circuit", set_text, offsetof(struct action, circuit)},
	{"remote", set_text, offsetof(struct action, remote)},
	{"sub", set_sub, offsetof(struct action, sub)},
	{"hostname", set_text, offsetof(struct action, hostname)},
	{"class", set_text, offsetof(struct action, vendor_class)},
	{"shape", set_shape, offsetof(struct action, shape)},
	{"relay", set_ip, offsetof(struct action, relay)},
	{"l2", set_bool, offsetof(struct action, l2)},
	{"transit", set_bool, offsetof(struct action, transit)},
	{"broadcast", set_bool, offsetof(struct action, broadcast)},
	{"ip", set_ip, offsetof(struct action, ip)},
	{"give", set_ip, offsetof(struct action, give)},
	{"server", set_ip, offsetof(struct action, server)},
	{"server-src", set_ip, offsetof(struct action, server_src)},
	{"server-id", set_bool, offsetof(struct action, server_id)},
	{"echo", set_bool, offsetof(struct action, echo)},
	{"nak", set_bool, offsetof(struct action, nak)},
	{"silent", set_bool, offsetof(struct action, silent)},
	{"copies", set_u32, offsetof(struct action, copies)},
	{"lease", set_u32, offsetof(struct action, lease)},
	{"stay", set_duration, offsetof(struct action, stay)},
	{"retry", set_duration, offsetof(struct action, retry)},
	{"tries", set_u32, offsetof(struct action, tries)},
	{"delay", set_duration, offsetof(struct action, delay)},
	{"vlan", set_vlans, offsetof(struct action, wrap)},
	{"tpid", set_tpid, offsetof(struct action, wrap)},
	{"encap", set_encap, offsetof(struct action, wrap)},
	{"fragment", set_fragment, offsetof(struct action, wrap)},
	{"expect", set_word, offsetof(struct action, expect)},
	{"code", set_word, offsetof(struct action, radius.code)},
	{"style", set_word, offsetof(struct action, radius.style)},
	{"nas", set_ip, offsetof(struct action, radius.nas)},
	{"port-id", set_text, offsetof(struct action, radius.port_id)},
	{"user", set_text, offsetof(struct action, radius.user)},
};

bool action_set(struct action *a, const char *word)
{
	const char *eq = strchr(word, '=');

	for (size_t i = 0; eq && i < sizeof(keys) / sizeof(*keys); i++)
		if (strlen(keys[i].name) == (size_t)(eq - word) &&
			strncmp(keys[i].name, word, (size_t)(eq - word)) == 0)
			return keys[i].set((char *)a + keys[i].at, eq + 1);
	return false;
}

static bool action_word(struct action *a, const char *word)
{
	unsigned at = 0;

	if (*word == '@')
		return duration_parse(word + 1, &a->at) == 0;
	if (set_name(verbs, VERBS, word, &at)) {
		a->verb = (enum verb)at;
		return true;
	}
	return action_set(a, word);
}

bool action_parse(struct action *a, char *line, char *why, size_t size)
{
	char *save = NULL;

	for (char *w = strtok_r(line, " \t\r\n", &save); w; w = strtok_r(NULL, " \t\r\n", &save))
		if (!action_word(a, w)) {
			snprintf(why, size, "not understood: %s", w);
			return false;
		}
	return true;
}

/* ---- templates ---- */

/* One conversion after '%': [0][width](d|x|m); the place behind it. */
static const char *template_convert(
	const char *p, uint32_t n, const struct mac *mac, char *out, size_t size)
{
	char hex[13];
	int width = (int)strtoul(p, (char **)&p, 10);

	*out = '\0';
	if (*p == 'd')
		snprintf(out, size, "%0*u", width, n);
	else if (*p == 'x')
		snprintf(out, size, "%0*x", width, n);
	else if (*p == 'm')
		snprintf(out, size, "%s", hex_format(mac->b, 6, hex));
	return *p ? p + 1 : p;
}

int template_expand(const char *text, uint32_t n, const struct mac *mac, uint8_t *out, size_t size)
{
	bool is_hex = strncmp(text, "hex:", 4) == 0;
	char full[2 * SIM_OPTION82_MAX + 1], one[32];
	size_t len = 0;

	if (is_hex)
		text += 4;
	while (*text && len + sizeof(one) < sizeof(full)) {
		if (*text != '%') {
			full[len++] = *text++;
			continue;
		}
		text = template_convert(text + 1, n, mac, one, sizeof(one));
		len += (size_t)snprintf(full + len, sizeof(full) - len, "%s", one);
	}
	if (is_hex)
		return hex_parse(full, len, out, size);
	if (len > size)
		return -1;
	memcpy(out, full, len);
	return (int)len;
}

static size_t add_sub(
	uint8_t *out, size_t at, uint8_t code, const char *text, uint32_t n, const struct mac *mac)
{
	int len;

	if (!*text)
		return at;
	len = strcmp(text, "empty") == 0 ? 0 : template_expand(text, n, mac, out + at + 2, 250);
	if (len < 0) {
		fprintf(stderr, "camsim: %s: not bytes\n", text);
		exit(2);
	}
	out[at] = code;
	out[at + 1] = (uint8_t)len;
	return at + 2 + (size_t)len;
}

size_t action_option82(const struct action *a, uint32_t i, const struct mac *mac, uint8_t *out)
{
	size_t at = add_sub(out, 0, 1, a->circuit, a->first + i, mac);
	int extra;

	at = add_sub(out, at, 2, a->remote, a->first + i, mac);
	extra = hex_parse(a->sub, strlen(a->sub), out + at, SIM_OPTION82_MAX - at);
	return extra > 0 ? at + (size_t)extra : at;
}
