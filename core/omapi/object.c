/* SPDX-License-Identifier: ISC
 *
 * Hosts and leases as dhcpd wants them asked for, tells them, and lets them be changed:
 * server/omapi.c of ISC dhcpd.
 */
#include <stdio.h>
#include <string.h>

#include "operation.h"
#include "tap82/buf.h"
#include "tap82/clock.h"
#include "tap82/omapi_conn.h"

#define HARDWARE_ETHERNET 1
#define LEASE_RESERVED	  4 /* flags, dhcpd.h: RESERVED_LEASE */
#define ENDS_NEVER	  0x7ffffff0u /* a lease until then is written as `ends never` */
#define PIN_WRITES	  4 /* dhcpd syncs its file for each value it is given */
#define REQUEST_BYTES	  512
#define HOST_NAME_BYTES	  (DHCPD_PREFIX_MAX + 13)

/* The answer to a create, all of its four values, without their lengths: protocol.c, and
 * dhcp_host_stuff_values(). */
#define HOST_REPLY_FIXED 112

/* --- Asking ---------------------------------------------------------------------------------- */

static void host_name(const struct operation *op, char out[HOST_NAME_BYTES])
{
	char hex[13];

	hex_format(op->want.mac.b, 6, hex);
	snprintf(out, HOST_NAME_BYTES, "%s%s", op->dhcpd->prefix, hex);
}

static void put_mac(struct omapi_out *out, const struct mac *mac)
{
	omapi_out_put(out, "hardware-address", mac->b, 6);
	omapi_out_put_u32(out, "hardware-type", HARDWARE_ETHERNET);
}

/* Addresses as dhcpd has them: four bytes each, one after the other. */
static void put_addresses(struct omapi_out *out, const uint32_t *addresses, uint32_t count)
{
	uint8_t bytes[4 * DHCPD_ADDRESSES_MAX];

	for (uint32_t i = 0; i < count; i++)
		for (unsigned j = 0; j < 4; j++)
			bytes[4 * i + j] = (uint8_t)(addresses[i] >> (24 - 8 * j));
	omapi_out_put(out, "ip-address", bytes, 4 * count);
}

static void host_read_name(struct operation *op, const struct omapi_list *object)
{
	const struct omapi_pair *name = omapi_find(object, "name");
	struct dhcpd_host *host = &op->host;
	size_t prefix = strlen(op->dhcpd->prefix);
	size_t len;

	if (!name)
		return;
	len = name->value_len < DHCPD_NAME_MAX ? name->value_len : DHCPD_NAME_MAX;
	memcpy(host->name, name->value, len);
	host->name[len] = '\0';
	host->ours =
		name->value_len >= prefix && memcmp(name->value, op->dhcpd->prefix, prefix) == 0;
}

static bool mac_read(const struct omapi_list *object, struct mac *mac)
{
	const struct omapi_pair *hardware = omapi_find(object, "hardware-address");
	uint32_t type = HARDWARE_ETHERNET;

	(void)omapi_find_u32(object, "hardware-type", &type);
	if (!hardware || hardware->value_len != 6 || type != HARDWARE_ETHERNET)
		return false;
	memcpy(mac->b, hardware->value, 6);
	return true;
}

static void host_read(struct operation *op, const struct omapi_message *reply)
{
	const struct omapi_pair *ip = omapi_find(&reply->object, "ip-address");
	struct dhcpd_host *host = &op->host;
	struct buf in = buf_of(ip ? (const void *)ip->value : "", ip ? ip->value_len : 0);

	host->found = true;
	op->host_handle = reply->handle;
	host_read_name(op, &reply->object);
	host->has_mac = mac_read(&reply->object, &host->mac);
	while (buf_left(&in) >= 4 && host->address_count < DHCPD_ADDRESSES_MAX)
		host->addresses[host->address_count++] = buf_u32(&in);
	host->more = buf_left(&in) >= 4;
}

/* dhcpd answers a lookup without usable keys with an empty object and success. */
static bool is_found(const struct omapi_message *reply, uint32_t result)
{
	return result == OMAPI_SUCCESS && reply->op == OMAPI_UPDATE && reply->object.count > 0;
}

static void host_answered(struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	op->host = (struct dhcpd_host){0};
	if (is_found(reply, result)) {
		host_read(op, reply);
	} else if (result != OMAPI_SUCCESS && result != OMAPI_NOTFOUND) {
		operation_refused(op, "looking up the host", reply, result);
		return;
	}
	op->then(op);
}

static void open_begin(struct omapi_out *out, uint8_t memory[REQUEST_BYTES], const char *type)
{
	omapi_out_begin(out, memory, REQUEST_BYTES, OMAPI_OPEN, 0);
	omapi_out_put_text(out, "type", type);
}

void ask_host(struct operation *op, then_fn then)
{
	uint8_t memory[REQUEST_BYTES];
	struct omapi_out out;

	op->then = then;
	open_begin(&out, memory, "host");
	omapi_out_object(&out);
	put_mac(&out, &op->want.mac);
	ask(op, &out, 0, 0, host_answered);
}

void ask_host_by_name(struct operation *op, then_fn then)
{
	uint8_t memory[REQUEST_BYTES];
	char name[HOST_NAME_BYTES];
	struct omapi_out out;

	op->then = then;
	host_name(op, name);
	open_begin(&out, memory, "host");
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", name);
	ask(op, &out, 0, 0, host_answered);
}

static void lease_read(struct operation *op, const struct omapi_message *reply)
{
	const struct omapi_list *object = &reply->object;
	struct dhcpd_lease *lease = &op->result.lease;
	uint32_t state = 0, flags = 0, ends = 0;

	(void)omapi_find_u32(object, "state", &state);
	(void)omapi_find_u32(object, "flags", &flags);
	(void)omapi_find_u32(object, "ends", &ends);
	op->lease_handle = reply->handle;
	lease->found = true;
	lease->state = (uint8_t)state;
	lease->flags = (uint8_t)flags;
	lease->ends = (int64_t)ends * USEC_PER_SEC;
	lease->has_mac = mac_read(object, &lease->mac);
	lease->pinned =
		(flags & LEASE_RESERVED) && state == DHCPD_LEASE_ACTIVE && ends >= ENDS_NEVER;
}

static void lease_answered(struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	if (is_found(reply, result)) {
		lease_read(op, reply);
	} else if (result != OMAPI_SUCCESS && result != OMAPI_NOTFOUND) {
		operation_refused(op, "looking up the lease", reply, result);
		return;
	}
	op->then(op);
}

void ask_lease(struct operation *op, uint32_t ip, then_fn then)
{
	uint8_t memory[REQUEST_BYTES];
	struct omapi_out out;

	op->then = then;
	op->result.lease = (struct dhcpd_lease){.ip = ip};
	open_begin(&out, memory, "lease");
	omapi_out_object(&out);
	put_addresses(&out, &ip, 1);
	ask(op, &out, 0, 0, lease_answered);
}

/* --- Writing --------------------------------------------------------------------------------- */

void put_host_create(struct operation *op, step_fn step)
{
	uint8_t memory[REQUEST_BYTES];
	char name[HOST_NAME_BYTES];
	struct omapi_out out;

	host_name(op, name);
	open_begin(&out, memory, "host");
	omapi_out_put_u32(&out, "create", 1);
	omapi_out_put_u32(&out, "exclusive", 1);
	omapi_out_object(&out);
	omapi_out_put_text(&out, "name", name);
	put_mac(&out, &op->want.mac);
	put_addresses(&out, &op->want.ip, 1);
	ask(op, &out, HOST_REPLY_FIXED + strlen(name), 1, step);
}

void put_host_addresses(
	struct operation *op, const uint32_t *addresses, uint32_t count, step_fn step)
{
	uint8_t memory[REQUEST_BYTES];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, op->host_handle);
	omapi_out_object(&out);
	put_addresses(&out, addresses, count);
	ask(op, &out, OMAPI_STATUS_REPLY_MAX, 1, step);
}

void put_host_delete(struct operation *op, step_fn step)
{
	uint8_t memory[REQUEST_BYTES];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_DELETE, op->host_handle);
	omapi_out_object(&out);
	ask(op, &out, OMAPI_STATUS_REPLY_MAX, 1, step);
}

/* The order is what makes it hold: flags and ends make an active lease free, state is last. */
void put_lease_pin(struct operation *op, step_fn step)
{
	uint8_t memory[REQUEST_BYTES];
	struct omapi_out out;

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, op->lease_handle);
	omapi_out_object(&out);
	omapi_out_put_u32(&out, "flags", LEASE_RESERVED);
	omapi_out_put_u32(&out, "ends", ENDS_NEVER);
	omapi_out_put_u32(&out, "state", DHCPD_LEASE_ACTIVE);
	ask(op, &out, OMAPI_STATUS_REPLY_MAX, PIN_WRITES, step);
}

void put_lease_unpin(struct operation *op, bool in_use, step_fn step)
{
	uint8_t memory[REQUEST_BYTES];
	struct omapi_out out;
	uint32_t ends = (uint32_t)((clock_wall() + DHCPD_GRACE) / USEC_PER_SEC);

	omapi_out_begin(&out, memory, sizeof(memory), OMAPI_UPDATE, op->lease_handle);
	omapi_out_object(&out);
	omapi_out_put_u32(&out, "flags", 0);
	if (in_use)
		omapi_out_put_u32(&out, "ends", ends);
	omapi_out_put_u32(&out, "state", in_use ? DHCPD_LEASE_ACTIVE : DHCPD_LEASE_FREE);
	ask(op, &out, OMAPI_STATUS_REPLY_MAX, PIN_WRITES, step);
}

/* --- Addresses ------------------------------------------------------------------------------- */

bool host_has(const struct dhcpd_host *host, uint32_t ip)
{
	for (uint32_t i = 0; i < host->address_count; i++)
		if (host->addresses[i] == ip)
			return true;
	return false;
}

uint32_t host_without(const struct dhcpd_host *host, uint32_t ip, uint32_t *ret_rest)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < host->address_count; i++)
		if (host->addresses[i] != ip)
			ret_rest[count++] = host->addresses[i];
	return count;
}
