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

/* Only what looks like our own pin, and is not another MAC's by now. */
static void release_lease(struct operation *op)
{
	const struct dhcpd_lease *lease = &op->result.lease;
	bool other = lease->has_mac && !mac_equal(&lease->mac, &op->want.mac);

	if (lease->found && lease->pinned && !other)
		put_lease_unpin(op, op->in_use, unpin_answered);
	else
		release_next_lease(op);
}

/* The addresses to unpin: the one that was named, or all that our host had. */
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
		operation_end(op, op->removed ? DHCPD_REMOVED : DHCPD_ABSENT);
}

static void host_changed(struct operation *op, const struct omapi_message *reply, uint32_t result)
{
	if (result != OMAPI_SUCCESS && result != OMAPI_NOTFOUND) {
		operation_refused(op, "removing the host", reply, result);
		return;
	}
	op->removed = true;
	release_next_lease(op);
}

static void release_host(struct operation *op)
{
	const struct dhcpd_host *host = &op->host;
	uint32_t rest[DHCPD_ADDRESSES_MAX], count;
	bool all = op->want.ip == 0;

	op->result.before = *host;
	count = host_without(host, op->want.ip, rest);
	if (!host->found || !host->ours || (!all && !host_has(host, op->want.ip))) {
		release_next_lease(op);
	} else if (host->more && !all) {
		operation_say(
			op, "host %s has more than %d addresses", host->name, DHCPD_ADDRESSES_MAX);
		operation_end(op, DHCPD_REFUSED);
	} else if (all || count == 0) {
		put_host_delete(op, host_changed);
	} else {
		put_host_addresses(op, rest, count, host_changed);
	}
}

int dhcpd_release(struct dhcpd *d, const struct dhcpd_unwant *unwant, dhcpd_fn fn, void *ctx)
{
	struct operation *op = operation_new(d, fn, ctx);

	if (!op)
		return ERR_FULL;
	op->want = (struct dhcpd_want){.mac = unwant->mac, .ip = unwant->ip};
	op->in_use = unwant->in_use;
	ask_host(op, release_host);
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
