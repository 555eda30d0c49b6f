/* SPDX-License-Identifier: ISC
 *
 * Release, and looking.
 */
#include "tap82/err.h"
#include "operation.h"

static void release_next_lease(struct operation *op);

static void unpin_answered(struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	if (result != OMAPI_SUCCESS) {
		operation_refused(op, "unpinning the lease", reply, result);
		return;
	}
	op->removed = true;
	release_next_lease(op);
}

/* What looks like our own pin goes, unless it is another MAC's and no host of ours says that it is
 * this one's. A lease that is this camera's goes too when the camera is gone. */
static void release_lease(struct operation *op)
{
	const struct dhcpd_lease *lease = &op->result.lease;
	const struct dhcpd_host *host = &op->result.before;
	bool other = lease->has_mac && !mac_equal(&lease->mac, &op->want.mac);
	bool reserved = host->ours && host_has(host, lease->ip);
	bool pinned = lease->pinned && (!other || reserved);
	bool leased = lease->state == DHCPD_LEASE_ACTIVE && lease->has_mac && !other && reserved;

	if (lease->found && (pinned || (leased && !op->in_use)))
		put_lease_unpin(op, op->in_use, unpin_answered);
	else
		release_next_lease(op);
}

static void host_changed(struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	if (result == OMAPI_SUCCESS || result == OMAPI_NOTFOUND)
		operation_end(op, DHCPD_REMOVED);
	else
		operation_refused(op, "removing the host", reply, result);
}

static void release_host(struct operation *op)
{
	const struct dhcpd_host *host = &op->result.before;
	uint32_t rest[DHCPD_ADDRESSES_MAX], count = host_without(host, op->want.ip, rest);
	bool all = op->want.ip == 0;

	if (!host->found || !host->ours || (!all && !host_has(host, op->want.ip)))
		operation_end(op, op->removed ? DHCPD_REMOVED : DHCPD_ABSENT);
	else if (all || count == 0)
		put_host_delete(op, host_changed);
	else
		put_host_addresses(op, rest, count, host_changed);
}

/* Leases first: as long as the host is there, a second try knows what is to be unpinned. The
 * address that was named, or all that our host had. */
static void release_next_lease(struct operation *op)
{
	const struct dhcpd_host *before = &op->result.before;
	uint32_t ip = op->want.ip;
	bool left = op->at == 0;

	if (ip == 0) {
		left = before->ours && op->at < before->address_count;
		ip = left ? before->addresses[op->at] : 0;
	}
	op->at++;
	if (left)
		ask_lease(op, ip, release_lease);
	else
		release_host(op);
}

static void release_looked_up(struct operation *op)
{
	op->result.before = op->host;
	if (op->host.ours && op->host.more && op->want.ip != 0) {
		operation_say(op, "host %s has more than %d addresses", op->host.name,
			DHCPD_ADDRESSES_MAX);
		operation_end(op, DHCPD_REFUSED);
		return;
	}
	release_next_lease(op);
}

int dhcpd_release(struct dhcpd *d, const struct dhcpd_unwant *unwant, dhcpd_fn fn, void *ctx)
{
	struct operation *op = operation_new(d, fn, ctx);

	if (!op)
		return ERR_FULL;
	op->want = (struct dhcpd_want){.mac = unwant->mac, .ip = unwant->ip};
	op->in_use = unwant->in_use;
	ask_host(op, release_looked_up);
	return 0;
}

/* --- Looking --------------------------------------------------------------------------------- */

static void look_end(struct operation *op)
{
	op->result.before = op->host;
	operation_end(op, op->host.found || op->result.lease.found ? DHCPD_FOUND : DHCPD_ABSENT);
}

static void look_lease(struct operation *op)
{
	if (!op->by_lease || !op->result.lease.has_mac) {
		look_end(op);
		return;
	}
	op->want.mac = op->result.lease.mac;
	ask_host(op, look_end);
}

static void look_host(struct operation *op)
{
	if (op->want.ip != 0)
		ask_lease(op, op->want.ip, look_lease);
	else
		look_end(op);
}

int dhcpd_look(struct dhcpd *d, const struct mac *mac, uint32_t ip, dhcpd_fn fn, void *ctx)
{
	struct operation *op = operation_new(d, fn, ctx);

	if (!op)
		return ERR_FULL;
	op->want.ip = ip;
	op->by_lease = mac == NULL;
	if (mac) {
		op->want.mac = *mac;
		ask_host(op, look_host);
	} else {
		ask_lease(op, ip, look_lease);
	}
	return 0;
}
