/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_read.h"
#include "tap82/err.h"

#define OFFSET_MAX 4096

int conf_id_parse(const char *text, size_t len, uint8_t *out, size_t size)
{
	int n;

	if (len >= 5 && strncasecmp(text, "text:", 5) == 0) {
		text += 5;
		len -= 5;
	} else if (len >= 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
		return hex_parse(text + 2, len - 2, out, size);
	} else {
		n = hex_parse(text, len, out, size);
		if (n != ERR_SYNTAX)
			return n;
	}
	if (len > size)
		return ERR_FULL;
	memcpy(out, text, len);
	return (int)len;
}

/* "cisco", "cisco+2", "cisco-2"; "d-link" is a name, and so is "acme-2" where [layout acme-2] is.
 */
static int read_layout(struct conf_reader *r, const char *text, struct conf_switch *row)
{
	size_t len = strlen(text), digits = 0, name_len = len;
	long offset = 0;

	while (digits < len && isdigit((unsigned char)text[len - 1 - digits]))
		digits++;
	for (size_t i = 0; i < r->conf->layout_count; i++)
		if (strcasecmp(r->conf->layouts[i].name, text) == 0)
			digits = 0;
	if (digits > 0 && digits + 1 < len && strchr("+-", text[len - 1 - digits])) {
		name_len = len - 1 - digits;
		offset = strtol(text + name_len, NULL, 10);
	}
	if (name_len == 0 || name_len >= sizeof(row->layout) || strpbrk(text, " \t"))
		return conf_wrong(
			r, "'%s' is no layout with an offset: NAME, NAME+N or NAME-N", text);
	if (offset > OFFSET_MAX || offset < -OFFSET_MAX)
		return conf_wrong(r, "'%s': the offset is not between -%d and %d", text, OFFSET_MAX,
			OFFSET_MAX);
	for (size_t i = 0; i < name_len; i++)
		row->layout[i] = (char)tolower((unsigned char)text[i]);
	row->offset = (int)offset;
	return 0;
}

/* A giaddr, else a remote-id. */
static int read_relay(struct conf_reader *r, const char *key, struct conf_switch *row)
{
	int n;

	if (ipv4_parse(key, strlen(key), &row->giaddr) == 0)
		return row->giaddr ? 0 : conf_wrong(r, "0.0.0.0 is no giaddr of a relay");
	n = conf_id_parse(key, strlen(key), row->remote_id, sizeof(row->remote_id));
	if (n == ERR_FULL)
		return conf_wrong(r, "is longer than a remote-id can be (255 bytes)");
	if (n <= 0)
		return conf_wrong(r, "is neither a giaddr nor a remote-id in hex or as text");
	row->remote_id_len = (uint8_t)n;
	return 0;
}

static bool same_relay(const struct conf_switch *a, const struct conf_switch *b)
{
	return a->giaddr == b->giaddr && a->remote_id_len == b->remote_id_len &&
	       memcmp(a->remote_id, b->remote_id, a->remote_id_len) == 0;
}

int conf_read_switch(struct conf_reader *r, const char *key, const char *text)
{
	struct conf *conf = r->conf;
	struct conf_switch row = {0}, *bigger;
	int e = read_relay(r, key, &row);

	if (e == 0)
		e = read_layout(r, text, &row);
	if (e < 0)
		return e;
	for (size_t i = 0; i < conf->switch_count; i++)
		if (same_relay(&conf->switches[i], &row))
			return conf_wrong(r, "the same switch stands above in another spelling");
	if ((conf->switch_count & (conf->switch_count - 1)) == 0) {
		bigger = reallocarray(conf->switches,
			conf->switch_count ? 2 * conf->switch_count : 1, sizeof(row));
		if (!bigger)
			return -ENOMEM;
		conf->switches = bigger;
	}
	conf->switches[conf->switch_count++] = row;
	return 0;
}
