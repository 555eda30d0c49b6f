/* SPDX-License-Identifier: ISC
 *
 * RADIUS requests that wait for their replies: a reply says nothing of the station, its request
 * does. Bounded: a fixed table, in which a newer request takes the place of the oldest.
 */
#ifndef SNIFFER_RADIUS_PAIR_H
#define SNIFFER_RADIUS_PAIR_H

#include "tap82/frame.h"
#include "tap82/radius.h"

struct radius_pairs;

struct radius_pairs *radius_pairs_new(void); /* NULL without memory */
void radius_pairs_free(struct radius_pairs *pairs); /* NULL is fine */
/* A request is kept; a reply gets the MAC (r->fields) and the NAS's address of its request where
 * it has none itself. `nas_ip` is the message's. */
void radius_pair(
	struct radius_pairs *pairs, const struct datagram *d, struct radius *r, uint32_t *nas_ip);

#endif
