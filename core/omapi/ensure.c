/* SPDX-License-Identifier: ISC
 *
 * Ensure. The create comes first, exclusive: dhcpd looks the MAC up itself and refuses where there
 * is a host already, and in the common case it is the only request.
 */
#include "tap82/clock.h"
#include "tap82/err.h"
#include "operation.h"

static void create(struct operation *op);

static void undone(struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	(void)reply;
	(void)result;
	operation_end(op, op->result.code == OMAPI_IOERROR ? DHCPD_LATER : DHCPD_REFUSED);
}

/* A host whose address is in a range and not pinned would be given away: better none. */
static void pin_answered(struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	if (result == OMAPI_SUCCESS) {
		doubt_remove(op->dhcpd, &op->want.mac);
		op->result.pinned = true;
		if (op->result.outcome == DHCPD_UNCHANGED)
			op->result.outcome = DHCPD_UPDATED;
		operation_end(op, op->result.outcome);
	} else if (op->created) {
		op->result.code = result;
		operation_say(op, "the lease cannot be pinned: result %u", result);
		put_host_delete(op, undone);
	} else {
		operation_refused(op, "pinning the lease", reply, result);
	}
}

static void pin(struct operation *op)
{
	bool doubt = doubt_has(op->dhcpd, &op->want.mac);

	op->result.pinned = op->result.lease.pinned;
	if (op->pin && (!op->result.pinned || doubt)) {
		put_lease_pin(op, pin_answered);
		return;
	}
	doubt_remove(op->dhcpd, &op->want.mac);
	operation_end(op, op->result.outcome);
}

static void old_lease_done(struct operation *op)
{
	op->result.lease = op->new_lease;
	op->lease_handle = op->new_lease_handle;
	pin(op);
}

static void old_unpin_answered(
	struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	if (result == OMAPI_SUCCESS)
		old_lease_done(op);
	else
		operation_refused(op, "unpinning the old lease", reply, result);
}

/* What was pinned for this MAC goes back to the range: nobody else would ever unpin it. */
static void old_lease_looked_up(struct operation *op)
{
	const struct dhcpd_lease *lease = &op->result.lease;
	const struct dhcpd_host *before = &op->result.before;
	bool other = lease->has_mac && !mac_equal(&lease->mac, &op->want.mac);
	bool reserved = before->ours && host_has(before, op->want.old_ip);

	if (lease->found && lease->pinned && (!other || reserved))
		put_lease_unpin(op, false, old_unpin_answered);
	else
		old_lease_done(op);
}

/* The host is as it should be; now the leases. */
static void host_done(struct operation *op, enum dhcpd_outcome outcome)
{
	op->result.outcome = outcome;
	op->new_lease = op->result.lease;
	op->new_lease_handle = op->lease_handle;
	if (op->want.old_ip != 0 && op->want.old_ip != op->want.ip)
		ask_lease(op, op->want.old_ip, old_lease_looked_up);
	else
		pin(op);
}

static void update_answered(
	struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	if (result == OMAPI_SUCCESS)
		host_done(op, DHCPD_UPDATED);
	else
		operation_refused(op, "changing the host", reply, result);
}

/* The new address first, then what else the host had: all of a list, nothing of a single one. */
static void update(struct operation *op)
{
	const struct dhcpd_host *host = &op->host;
	uint32_t list[DHCPD_ADDRESSES_MAX + 1] = {op->want.ip}, kept[DHCPD_ADDRESSES_MAX];
	uint32_t count = 0;

	if (host->address_count > 1)
		count = host_without(host, op->want.old_ip, kept);
	for (uint32_t i = 0, at = 1; i < count; i++)
		list[at++] = kept[i];
	if (host->more || count + 1 > DHCPD_ADDRESSES_MAX) {
		operation_say(
			op, "host %s has more than %d addresses", host->name, DHCPD_ADDRESSES_MAX);
		operation_end(op, DHCPD_REFUSED);
		return;
	}
	put_host_addresses(op, list, count + 1, update_answered);
}

static void rewrite_answered(
	struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	if (result == OMAPI_SUCCESS)
		host_done(op, DHCPD_UNCHANGED);
	else
		operation_refused(op, "writing the host again", reply, result);
}

/* It is as it should be; where that may be in memory only, dhcpd is made to write it. */
static void keep(struct operation *op)
{
	const struct dhcpd_host *host = &op->host;

	if (doubt_has(op->dhcpd, &op->want.mac) && !host->more)
		put_host_addresses(op, host->addresses, host->address_count, rewrite_answered);
	else
		host_done(op, DHCPD_UNCHANGED);
}

static void compare_ours(struct operation *op)
{
	const struct dhcpd_want *want = &op->want;
	bool old =
		want->old_ip != 0 && want->old_ip != want->ip && host_has(&op->host, want->old_ip);

	if (!host_has(&op->host, want->ip)) {
		update(op);
	} else if (old) {
		uint32_t rest[DHCPD_ADDRESSES_MAX];
		uint32_t count = host_without(&op->host, want->old_ip, rest);

		put_host_addresses(op, rest, count, update_answered);
	} else {
		keep(op);
	}
}

static void name_looked_up(struct operation *op)
{
	char mac[MAC_TEXT];

	if (op->host.found)
		operation_say(op, "the name %s is held by a host of %s", op->host.name,
			op->host.has_mac ? mac_format(&op->host.mac, mac) : "no MAC");
	else
		operation_say(op, "dhcpd says that the host exists, and does not find it");
	operation_end(op, DHCPD_REFUSED);
}

/* The create was refused because something is there: what? */
static void compare(struct operation *op)
{
	op->result.before = op->host;
	if (!op->host.found && op->tries++ == 0) {
		create(op);
	} else if (!op->host.found) {
		ask_host_by_name(op, name_looked_up);
	} else if (op->host.ours) {
		compare_ours(op);
	} else {
		operation_say(op, "host %s has this MAC", op->host.name);
		operation_end(
			op, host_has(&op->host, op->want.ip) ? DHCPD_FOREIGN_EQUAL : DHCPD_FOREIGN);
	}
}

static void phantom_deleted(
	struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	(void)reply;
	(void)result;
	operation_end(op, DHCPD_LATER);
}

/* dhcpd could not write the host and has it in memory all the same: it would answer for it until
 * its next start, and then have forgotten it. */
static void phantom_looked_up(struct operation *op)
{
	if (op->host.found && op->host.ours)
		put_host_delete(op, phantom_deleted);
	else
		operation_end(op, DHCPD_LATER);
}

static void create_answered(
	struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	if (result == OMAPI_SUCCESS && reply->op == OMAPI_UPDATE) {
		op->created = true;
		op->host_handle = reply->handle;
		host_done(op, DHCPD_CREATED);
	} else if (result == OMAPI_EXISTS || result == OMAPI_KEYCONFLICT) {
		ask_host(op, compare);
	} else if (result == OMAPI_IOERROR) {
		op->result.code = result;
		operation_say(op, "dhcpd could not write its leases file");
		ask_host(op, phantom_looked_up);
	} else {
		operation_refused(op, "creating the host", reply, result);
	}
}

static void create(struct operation *op)
{
	put_host_create(op, create_answered);
}

static void say_taken(struct operation *op)
{
	const struct dhcpd_lease *lease = &op->result.lease;
	char mac[MAC_TEXT], ends[TIME_TEXT];

	operation_say(op, "leased to %s until %s", mac_format(&lease->mac, mac),
		time_format(lease->ends, ends));
}

/* An address that was taken over: its lease is pinned under the MAC it was leased to, which OMAPI
 * cannot change, and our host says whose it is. */
static void taken_over(struct operation *op)
{
	if (op->host.found && op->host.ours && host_has(&op->host, op->want.ip)) {
		create(op);
		return;
	}
	say_taken(op);
	operation_end(op, DHCPD_TAKEN);
}

/* A free lease remembers its last client, and that one would be given it again; a pin keeps all
 * others away. */
static void lease_looked_up(struct operation *op)
{
	const struct dhcpd_lease *lease = &op->result.lease;
	bool other = lease->found && lease->has_mac && !mac_equal(&lease->mac, &op->want.mac);

	op->pin = lease->found;
	if (other && lease->pinned) {
		ask_host(op, taken_over);
	} else if (other && lease->state == DHCPD_LEASE_ACTIVE) {
		say_taken(op);
		operation_end(op, DHCPD_TAKEN);
	} else if (op->want.mode == DHCPD_PIN && !lease->found) {
		operation_say(op, "mode pin: dhcpd knows no lease of this address");
		operation_end(op, DHCPD_REFUSED);
	} else {
		create(op);
	}
}

static bool mac_is_usable(const struct mac *mac)
{
	return !mac_is_zero(mac) && (mac->b[0] & 1) == 0;
}

int dhcpd_ensure(struct dhcpd *d, const struct dhcpd_want *want, dhcpd_fn fn, void *ctx)
{
	struct operation *op = operation_new(d, fn, ctx);

	if (!op)
		return ERR_FULL;
	op->want = *want;
	if (!mac_is_usable(&want->mac) || want->ip == 0 || want->ip == UINT32_MAX) {
		operation_say(op, "not an address of a device");
		operation_end_within(op, DHCPD_REFUSED);
	} else if (want->may_pin && want->mode != DHCPD_HOST) {
		ask_lease(op, want->ip, lease_looked_up);
	} else {
		create(op);
	}
	return 0;
}

/* --- Pinning again --------------------------------------------------------------------------- */

static void repin_answered(struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	op->result.pinned = result == OMAPI_SUCCESS;
	if (result == OMAPI_SUCCESS)
		operation_end(op, DHCPD_UPDATED);
	else
		operation_refused(op, "pinning the lease", reply, result);
}

static void repin_lease(struct operation *op)
{
	const struct dhcpd_lease *lease = &op->result.lease;

	op->result.pinned = lease->pinned;
	if (!lease->found) {
		operation_end(op, DHCPD_ABSENT);
	} else if (lease->pinned) {
		operation_end(op, DHCPD_UNCHANGED);
	} else if (lease->state == DHCPD_LEASE_ACTIVE && lease->has_mac &&
		   !mac_equal(&lease->mac, &op->want.mac)) {
		say_taken(op);
		operation_end(op, DHCPD_TAKEN);
	} else {
		put_lease_pin(op, repin_answered);
	}
}

static void repin_host(struct operation *op)
{
	op->result.before = op->host;
	if (op->host.found && op->host.ours && host_has(&op->host, op->want.ip))
		ask_lease(op, op->want.ip, repin_lease);
	else
		operation_end(op, DHCPD_ABSENT);
}

int dhcpd_repin(struct dhcpd *d, const struct mac *mac, uint32_t ip, dhcpd_fn fn, void *ctx)
{
	struct operation *op = operation_new(d, fn, ctx);

	if (!op)
		return ERR_FULL;
	op->want = (struct dhcpd_want){.mac = *mac, .ip = ip};
	ask_host(op, repin_host);
	return 0;
}
