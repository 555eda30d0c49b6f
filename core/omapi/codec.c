/* SPDX-License-Identifier: ISC */
#include <nettle/memops.h>
#include <stdio.h>
#include <string.h>

#include "tap82/buf.h"
#include "tap82/err.h"
#include "tap82/omapi_codec.h"

#define PROTOCOL_VERSION 100
#define SIGNED_FROM	 4 /* all but the authid, which names the key */

/* --- Reading --------------------------------------------------------------------------------- */

/* One pair, or the empty name that ends a list (name_len 0). A length that no message may have is
 * told at once, however many bytes have come. */
static int pair_read(struct buf *in, struct omapi_pair *ret_pair)
{
	struct omapi_pair pair = {.name_len = buf_u16(in)};

	if (pair.name_len > 0) {
		pair.name = buf_take(in, pair.name_len);
		pair.value_len = buf_u32(in);
		if (pair.value_len > OMAPI_MESSAGE_MAX)
			return ERR_RANGE;
		pair.value = buf_take(in, pair.value_len);
	}
	*ret_pair = pair;
	return 0;
}

static int list_read(struct buf *in, struct omapi_list *list)
{
	struct omapi_pair pair;
	int err;

	list->count = 0;
	list->more = false;
	while ((err = pair_read(in, &pair)) == 0 && !in->bad && pair.name_len > 0) {
		if (list->count < OMAPI_PAIRS_MAX)
			list->pairs[list->count++] = pair;
		else
			list->more = true;
	}
	return err;
}

/* `len` is the signed message's length up to its signature. */
static bool signature_is_right(
	const struct dhcpd_key *key, const uint8_t *bytes, size_t len, const uint8_t *signature)
{
	uint8_t right[OMAPI_SIGNATURE_MAX];

	dhcpd_key_sign(key, bytes + SIGNED_FROM, len - SIGNED_FROM, right);
	return memeql_sec(right, signature, dhcpd_key_signature_bytes(key));
}

/* The header; the length of the signature that will follow. */
static uint32_t header_read(struct buf *in, struct omapi_message *m)
{
	uint32_t signature_bytes;

	buf_skip(in, 4); /* authid: we have one key for a connection */
	signature_bytes = buf_u32(in);
	m->op = buf_u32(in);
	m->handle = buf_u32(in);
	m->id = buf_u32(in);
	m->rid = buf_u32(in);
	return signature_bytes;
}

static int incomplete(size_t len)
{
	return len >= OMAPI_MESSAGE_MAX ? ERR_RANGE : 0;
}

int omapi_decode(const uint8_t *bytes, size_t len, const struct dhcpd_key *key,
	struct omapi_message *ret_message)
{
	struct buf in = buf_of(bytes, len < OMAPI_MESSAGE_MAX ? len : OMAPI_MESSAGE_MAX);
	uint32_t signature_bytes = header_read(&in, ret_message);
	const uint8_t *signature;
	size_t body;
	int err;

	if (in.bad)
		return 0;
	if (signature_bytes != 0 && signature_bytes != dhcpd_key_signature_bytes(key))
		return ERR_CORRUPT;
	err = list_read(&in, &ret_message->message);
	if (err == 0)
		err = list_read(&in, &ret_message->object);
	if (err < 0)
		return err;
	body = (size_t)(in.p - bytes);
	signature = buf_take(&in, signature_bytes);
	if (in.bad)
		return incomplete(len);
	ret_message->is_signed = signature_bytes > 0;
	if (signature_bytes > 0 && !signature_is_right(key, bytes, body, signature))
		return ERR_CORRUPT;
	return (int)(in.p - bytes);
}

const struct omapi_pair *omapi_find(const struct omapi_list *list, const char *name)
{
	size_t len = strlen(name);

	for (uint32_t i = 0; i < list->count; i++)
		if (list->pairs[i].name_len == len && memcmp(list->pairs[i].name, name, len) == 0)
			return &list->pairs[i];
	return NULL;
}

int omapi_find_u32(const struct omapi_list *list, const char *name, uint32_t *ret_value)
{
	const struct omapi_pair *pair = omapi_find(list, name);
	uint32_t value = 0;

	if (!pair)
		return ERR_MISSING;
	if (pair->value_len == 0 || pair->value_len > 4)
		return ERR_SYNTAX;
	for (uint32_t i = 0; i < pair->value_len; i++)
		value = value << 8 | pair->value[i];
	*ret_value = value;
	return 0;
}

int omapi_status(const struct omapi_message *message, uint32_t *ret_result)
{
	if (message->op == OMAPI_STATUS)
		return omapi_find_u32(&message->message, "result", ret_result) < 0 ? ERR_SYNTAX : 0;
	*ret_result = OMAPI_SUCCESS;
	return 0;
}

/* --- Writing --------------------------------------------------------------------------------- */

static uint8_t *out_take(struct omapi_out *out, size_t n)
{
	uint8_t *p = out->p;

	if ((size_t)(out->end - out->p) < n) {
		out->full = true;
		return NULL;
	}
	out->p += n;
	return p;
}

static void put_u16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, v >> 16);
	put_u16(p + 2, v);
}

void omapi_out_begin(
	struct omapi_out *out, void *memory, size_t size, enum omapi_op op, uint32_t handle)
{
	uint8_t *p = memory, *header;

	*out = (struct omapi_out){.base = p, .p = p, .end = p + size};
	header = out_take(out, OMAPI_HEADER_BYTES);
	if (!header)
		return;
	memset(header, 0, OMAPI_HEADER_BYTES);
	put_u32(header + 8, op);
	put_u32(header + 12, handle);
}

void omapi_out_put(struct omapi_out *out, const char *name, const void *value, size_t len)
{
	size_t name_len = strlen(name);
	uint8_t *p;

	if (name_len == 0 || name_len > UINT16_MAX || len > OMAPI_MESSAGE_MAX) {
		out->full = true;
		return;
	}
	p = out_take(out, 2 + name_len + 4 + len);
	if (!p)
		return;
	put_u16(p, (uint32_t)name_len);
	memcpy(p + 2, name, name_len);
	put_u32(p + 2 + name_len, (uint32_t)len);
	if (len > 0)
		memcpy(p + 2 + name_len + 4, value, len);
}

void omapi_out_put_text(struct omapi_out *out, const char *name, const char *text)
{
	omapi_out_put(out, name, text, strlen(text));
}

void omapi_out_put_u32(struct omapi_out *out, const char *name, uint32_t value)
{
	uint8_t bytes[4];

	put_u32(bytes, value);
	omapi_out_put(out, name, bytes, sizeof(bytes));
}

static void end_list(struct omapi_out *out)
{
	uint8_t *p = out_take(out, 2);

	if (p)
		put_u16(p, 0);
}

void omapi_out_object(struct omapi_out *out)
{
	end_list(out);
}

int omapi_out_end(struct omapi_out *out)
{
	end_list(out);
	if (out->full || out->p - out->base > OMAPI_MESSAGE_MAX)
		return ERR_FULL;
	return (int)(out->p - out->base);
}

int omapi_seal(uint8_t *bytes, size_t len, size_t size, const struct dhcpd_key *key,
	uint32_t authid, uint32_t id)
{
	uint8_t signature[OMAPI_SIGNATURE_MAX];
	size_t n = authid == 0 ? 0 : dhcpd_key_signature_bytes(key);

	if (len < OMAPI_HEADER_BYTES || len + n > size || len + n > OMAPI_MESSAGE_MAX)
		return ERR_FULL;
	put_u32(bytes, n > 0 ? authid : 0);
	put_u32(bytes + 4, (uint32_t)n);
	put_u32(bytes + 16, id);
	if (n > 0) {
		dhcpd_key_sign(key, bytes + SIGNED_FROM, len - SIGNED_FROM, signature);
		memcpy(bytes + len, signature, n);
	}
	return (int)(len + n);
}

void omapi_hello(uint8_t out[OMAPI_HELLO_BYTES])
{
	put_u32(out, PROTOCOL_VERSION);
	put_u32(out + 4, OMAPI_HEADER_BYTES);
}

int omapi_hello_check(const uint8_t bytes[OMAPI_HELLO_BYTES])
{
	struct buf in = buf_of(bytes, OMAPI_HELLO_BYTES);
	uint32_t version = buf_u32(&in), header = buf_u32(&in);

	return version == PROTOCOL_VERSION && header == OMAPI_HEADER_BYTES ? 0 : ERR_VERSION;
}

/* --- Words ----------------------------------------------------------------------------------- */

/* isc/result.h from 0, omapip/result.c from class 6 on: dhcpd's own texts. */
static const char *const base_texts[] = {"success", "out of memory", "timed out",
	"no available threads", "address not available", "address in use", "permission denied",
	"no pending connections", "network unreachable", "host unreachable", "network down",
	"host down", "connection refused", "not enough free resources", "end of file",
	"socket already bound", "reload", "lock busy", "already exists", "ran out of space",
	"operation canceled", "socket is not bound", "shutting down", "not found",
	"unexpected end of input", "failure", "I/O error", "not implemented"};
static const char *const dhcp_texts[] = {"host unknown", "protocol version mismatch",
	"protocol error", "invalid argument", "data not yet available", "object unchanged",
	"more than one object matches key", "key conflict", "parse error(s) occurred",
	"no key specified", "zone TSIG key not known", "invalid TSIG key", "operation in progress",
	"DNS format error", "DNS server failed", "no such domain", "not implemented", "refused",
	"domain already exists", "RRset already exists", "no such RRset", "not authorized",
	"not a zone", "bad DNS signature", "bad DNS key", "clock skew too great", "no root zone",
	"destination address required", "cross-zone update", "no TSIG signature", "not equal",
	"connection reset by peer", "unknown attribute"};

const char *omapi_result_text(uint32_t result, char out[OMAPI_RESULT_TEXT])
{
	const uint32_t dhcp = 6 << 16;

	if (result < sizeof(base_texts) / sizeof(base_texts[0]))
		return base_texts[result];
	if (result >= dhcp && result - dhcp < sizeof(dhcp_texts) / sizeof(dhcp_texts[0]))
		return dhcp_texts[result - dhcp];
	snprintf(out, OMAPI_RESULT_TEXT, "result %u", result);
	return out;
}
