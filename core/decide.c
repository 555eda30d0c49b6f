/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "tap82/decide.h"

static bool server_is_ours(const struct match *m)
{
	return m->server_known;
}

static bool address_is_in_a_group(const struct match *m)
{
	return m->in_group;
}

/* A renewal goes past the relay: giaddr 0 and no option 82. Option 82 with giaddr 0 is a snooping
 * switch's, or a camera's forgery (RFC 3046 2.1). */
static bool relay_is_allowed(const struct match *m)
{
	if (m->relay_any || (m->relayed && m->relay_listed))
		return true;
	return !m->relayed && (!m->has_option82 || m->l2);
}

static bool auto_provisioning_is_on(const struct match *m)
{
	return m->auto_provisioning;
}

static bool device_is_known(const struct match *m)
{
	return m->device_known;
}

static bool group_is_the_inventorys(const struct match *m)
{
	return m->group_fits;
}

static bool has_left_its_first_address(const struct match *m)
{
	return !m->first_address;
}

static bool may_follow_the_change(const struct match *m)
{
	return !m->has_address || m->same_address || m->on_address_change == CONF_ADDRESS_FOLLOW;
}

static bool is_announced_or_silent(const struct match *m)
{
	return m->port == PORT_ANNOUNCED || m->port == PORT_OTHER_SILENT;
}

static bool is_replacement(const struct match *m)
{
	return is_announced_or_silent(m) &&
	       (m->replacement != CONF_REPLACEMENT_OFF || m->port == PORT_ANNOUNCED);
}

static bool is_takeover(const struct match *m)
{
	return is_announced_or_silent(m) && m->replacement == CONF_REPLACEMENT_TAKEOVER &&
	       m->old_has_address;
}

static bool needs_an_address(const struct match *m)
{
	return !m->has_address || !m->same_address || (m->port == PORT_ANNOUNCED && is_takeover(m));
}

/* A camera that takes over gets another address than this one. */
static bool address_is_free(const struct match *m)
{
	return !m->address_taken || is_takeover(m);
}

static bool goes_on(const struct match *m)
{
	(void)m;
	return true;
}

static const struct decide_row rows[] = {
	{1, "Is the DHCP server one of ours?", server_is_ours, REASON_UNKNOWN_SERVER,
		"Add a [server] section whose address or server-id is this server's, or find out "
		"who runs it."},
	{2, "Is the address in a group's subnets?", address_is_in_a_group, REASON_NO_GROUP,
		"Add the subnet to a [group] section."},
	{3, "Is the relay allowed there?", relay_is_allowed, REASON_UNKNOWN_RELAY,
		"Add the relay's address to the group's `relays` (`l2` for a snooping switch "
		"without "
		"relay), or find out who relays."},
	{4, "Is auto-provisioning on?", auto_provisioning_is_on, REASON_AUTO_PROVISIONING_OFF,
		"Set auto-provisioning = yes in [tap82] and in the group."},
	{5, "Is the allocation told?", goes_on, REASON_NONE, ""},
	{6, "Is the MAC address in the device table?", device_is_known, REASON_UNKNOWN_DEVICE,
		"Add the camera to devices.csv, or with `tap82 devices add`."},
	{6, "Is it the group that the inventory names?", group_is_the_inventorys,
		REASON_WRONG_GROUP,
		"Correct the column `group` of its row, or connect it where that group is."},
	{7, "Does it show the address that it is to have?", has_left_its_first_address,
		REASON_REPLACEMENT_PENDING,
		"It takes another camera's address over: restart it, or wait until its lease "
		"ends."},
	{7, "Does it need an address?", needs_an_address, REASON_ALREADY_PROVISIONED,
		"Nothing: its address is reserved for it."},
	{7, "May its reservation follow the new address?", may_follow_the_change,
		REASON_ADDRESS_CHANGED,
		"Set on-address-change = follow, or find out why dhcpd gave it another address."},
	{8, "Is the address free of other devices?", address_is_free, REASON_ADDRESS_TAKEN,
		"Another device of the table has this address: release its reservation if it is "
		"gone "
		"(`tap82 reservations release MAC`), or remove it."},
	{9, "Is the address reserved on every server of the group?", goes_on,
		REASON_RESERVATION_FAILED,
		"See what each server says above, and said when it failed (`tap82 events --mac "
		"MAC`); `tap82 check --online` tests the login, and `tap82 reservations retry MAC` "
		"tries again."},
	{10, "Are address and option 82 recorded?", goes_on, REASON_NONE, ""},
	{11, "Are manual streams held?", goes_on, REASON_NONE, ""},
	{12, "Is it handed over to stream set-up?", goes_on, REASON_PROVISIONED,
		"Nothing: it is provisioned."},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const char *const words[REASONS] = {
	[REASON_NONE] = "",
	[REASON_UNKNOWN_SERVER] = "unknown-server",
	[REASON_NO_GROUP] = "no-group",
	[REASON_UNKNOWN_RELAY] = "unknown-relay",
	[REASON_AUTO_PROVISIONING_OFF] = "auto-provisioning-off",
	[REASON_UNKNOWN_DEVICE] = "unknown-device",
	[REASON_WRONG_GROUP] = "wrong-group",
	[REASON_REPLACEMENT_PENDING] = "replacement-pending",
	[REASON_ALREADY_PROVISIONED] = "already-provisioned",
	[REASON_ADDRESS_CHANGED] = "address-changed",
	[REASON_ADDRESS_TAKEN] = "address-taken",
	[REASON_RESERVATION_FAILED] = "reservation-failed",
	[REASON_PROVISIONED] = "provisioned",
};

void decide(const struct match *m, struct decision *ret_decision)
{
	struct decision d = {.row = ROWS - 1, .reason = REASON_PROVISIONED};

	for (unsigned i = 0; i < ROWS; i++) {
		if (rows[i].passes(m))
			continue;
		d.row = (uint8_t)i;
		d.reason = rows[i].stop;
		break;
	}
	d.allocated = rows[d.row].number > 4;
	d.learns = d.allocated && m->device_known;
	if (rows[d.row].number > 8) {
		d.replaces = is_replacement(m);
		d.takes_over = is_takeover(m);
	}
	d.announced = m->port == PORT_ANNOUNCED;
	d.shares = rows[d.row].number >= 8 && m->port == PORT_OTHER_ALIVE;
	*ret_decision = d;
}

const struct decide_row *decide_rows(unsigned *ret_count)
{
	*ret_count = ROWS;
	return rows;
}

const char *reason_text(enum reason reason)
{
	return reason < REASONS ? words[reason] : "";
}

const struct decide_row *decide_row_of(enum reason reason)
{
	for (unsigned i = 0; i < ROWS; i++)
		if (reason != REASON_NONE && rows[i].stop == reason)
			return &rows[i];
	return &rows[ROWS - 1];
}
