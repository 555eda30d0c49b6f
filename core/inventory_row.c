/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>

#include "inventory_read.h"
#include "tap82/err.h"
#include "tap82/store.h"

int row_wrong(struct row_reader *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, args);
	va_end(args);
	return ERR_SYNTAX;
}

/* The bytes of the UTF-8 character at `p` (RFC 3629: shortest form, no surrogates), or 0. */
static size_t utf8_char(const uint8_t *p, const uint8_t *end)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n == 0 || p[0] > 0xf4 || (size_t)(end - p) < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

bool text_is_utf8(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text, *end = p + len;

	for (size_t n; p < end; p += n) {
		n = utf8_char(p, end);
		if (n == 0)
			return false;
	}
	return true;
}

/* `lines`: line ends and tabs are no control characters. */
static bool has_control(const char *text, size_t len, bool lines)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == 0x7f || (c < 0x20 && !(lines && (c == '\n' || c == '\r' || c == '\t'))))
			return true;
	}
	return false;
}

int row_check_text(
	struct row_reader *r, const char *column, const char *text, size_t len, size_t size)
{
	if (!text_is_utf8(text, len))
		return row_wrong(r, "%s: is not UTF-8", column);
	if (len >= size)
		return row_wrong(r, "%s: is longer than %zu bytes", column, size - 1);
	if (has_control(text, len, strcmp(column, "name") == 0))
		return row_wrong(r, "%s: holds control characters", column);
	return 0;
}

int row_check_mac(struct row_reader *r, const struct mac *mac)
{
	char text[MAC_TEXT];

	if (mac_is_zero(mac) || (mac->b[0] & 1))
		return row_wrong(r, "mac: %s is no address of a device", mac_format(mac, text));
	return 0;
}

/* Neither 0.0.0.0/8 nor multicast nor broadcast. */
int row_check_ip(struct row_reader *r, uint32_t ip)
{
	char text[IPV4_TEXT];

	if (ip >> 24 == 0 || ip >> 28 >= 0xe || ip >> 24 == 127)
		return row_wrong(r, "ip: %s is no address of a device", ipv4_format(ip, text));
	return 0;
}

int row_check_group(struct row_reader *r, const char *name, int *ret_group)
{
	int group = conf_group_by_name(r->conf, name);

	if (group < 0)
		return row_wrong(r, "group: there is no section [group %.64s]", name);
	*ret_group = group;
	return 0;
}

static int check_texts(struct row_reader *r, const struct inventory_row *row)
{
	int e;

	if (!*row->serial_number)
		return row_wrong(r, "serial_number: is missing");
	e = row_check_text(
		r, "serial_number", row->serial_number, strlen(row->serial_number), STORE_TEXT_MAX);
	if (e == 0)
		e = row_check_text(r, "name", row->name, strlen(row->name), STORE_TEXT_MAX);
	if (e == 0)
		e = row_check_text(r, "uuid", row->uuid, strlen(row->uuid), ROW_UUID_MAX);
	return e;
}

int inventory_row_check(
	const struct inventory_row *row, const struct conf *conf, problem_fn problem, void *ctx)
{
	struct row_reader r = {.conf = conf};
	int e = row_check_mac(&r, &row->mac), group;

	if (e == 0)
		e = check_texts(&r, row);
	if (e == 0 && row->ip)
		e = row_check_ip(&r, row->ip);
	if (e == 0 && *row->group)
		e = row_check_group(&r, row->group, &group);
	if (e < 0)
		problem(ctx, r.why);
	return e;
}
