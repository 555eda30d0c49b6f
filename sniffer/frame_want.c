/* SPDX-License-Identifier: ISC
 *
 * Which frames count, and the contract's words for encapsulations and damage.
 */
#include "tap82/err.h"
#include "tap82/frame.h"

static const char *const encaps[] = {
	[FRAME_MPLS] = "mpls",
	[FRAME_PPPOE] = "pppoe",
	[FRAME_LLC] = "llc",
	[FRAME_GRE] = "gre",
	[FRAME_ERSPAN] = "erspan",
	[FRAME_VXLAN] = "vxlan",
	[FRAME_TZSP] = "tzsp",
	[FRAME_IPIP] = "ipip",
};
static const char *const damages[] = {
	"snapped", "udp-length", "ip-length", "udp-checksum", "ip-checksum", "fragments"};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *frame_encap_name(unsigned encap)
{
	return encap < COUNT(encaps) ? encaps[encap] : NULL;
}

const char *frame_damage_name(unsigned damage)
{
	for (size_t i = 0; i < COUNT(damages); i++)
		if (damage == 1u << i)
			return damages[i];
	return NULL;
}

int frame_tunnel_parse(const char *name, unsigned *ret_bit)
{
	for (unsigned i = FRAME_GRE; i < COUNT(encaps); i++)
		if (strcmp(name, encaps[i]) == 0) {
			*ret_bit = FRAME_BIT(i);
			return 0;
		}
	return ERR_NOT_FOUND;
}

/* The tunnels that the datagram came through. GRE that carries ERSPAN is a part of ERSPAN. */
static unsigned tunnels_of(const struct datagram *d)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < d->encap_count; i++) {
		bool carrier = d->encaps[i] == FRAME_GRE && i + 1u < d->encap_count &&
			       d->encaps[i + 1] == FRAME_ERSPAN;

		if (!carrier)
			bits |= FRAME_BIT(d->encaps[i]);
	}
	return bits & FRAME_TUNNELS_ALL;
}

static bool has_wanted_vlan(const struct frame_want *want, const struct datagram *d)
{
	for (unsigned i = 0; i < d->vlan_count; i++)
		if (frame_wants_vlan(want, d->vlans[i]))
			return true;
	return false;
}

bool frame_want_takes(const struct frame_want *want, const struct datagram *datagram)
{
	if (tunnels_of(datagram) & ~want->tunnels)
		return false;
	return !want->by_vlan || has_wanted_vlan(want, datagram);
}
