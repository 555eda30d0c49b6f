/* SPDX-License-Identifier: ISC
 *
 * The table of [switches]: relay → how it writes its circuit-id.
 */
#ifndef SNIFFER_SWITCHES_H
#define SNIFFER_SWITCHES_H

#include "tap82/layout.h"

struct switches;

struct switch_way {
	const struct layout *layout; /* borrowed */
	int offset;
};

struct switches *switches_new(void); /* NULL without memory */
void switches_free(struct switches *s); /* NULL is fine */
/* By giaddr, or by remote_id where giaddr is 0. 0; ERR_DUPLICATE; ERR_RANGE; -ENOMEM. */
int switches_add(
	struct switches *s, uint32_t giaddr, struct buf remote_id, const struct switch_way *way);
bool switches_are_none(const struct switches *s);
/* The row of this remote-id (either may be missing), else of this giaddr, or NULL. Borrowed. */
const struct switch_way *switches_find(
	const struct switches *s, uint32_t giaddr, struct buf remote_id);

#endif
