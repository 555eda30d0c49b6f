/* SPDX-License-Identifier: ISC
 *
 * MACs whose host or lease may be in dhcpd's memory and not on its disk: a write failed there, or
 * its answer never came. dhcpd would say that all is as it should be, until its next start.
 */
#include <stdlib.h>
#define HASH_NONFATAL_OOM 1 /* else uthash ends the process */
#include <uthash.h>

#include "operation.h"

#define DOUBTS_MAX 4096 /* with more than that, everything is doubted */

struct doubt {
	struct mac mac;
	UT_hash_handle hh;
};

void doubt_add(struct dhcpd *d, const struct mac *mac)
{
	struct doubt *doubt = NULL;

	HASH_FIND(hh, d->doubts, mac, sizeof(*mac), doubt);
	if (doubt || d->doubt_all)
		return;
	doubt = HASH_COUNT(d->doubts) < DOUBTS_MAX ? calloc(1, sizeof(*doubt)) : NULL;
	if (!doubt) {
		d->doubt_all = true;
		return;
	}
	doubt->mac = *mac;
	HASH_ADD(hh, d->doubts, mac, sizeof(doubt->mac), doubt);
	if (doubt->hh.tbl)
		return;
	free(doubt); /* without memory nothing was added */
	d->doubt_all = true;
}

bool doubt_has(const struct dhcpd *d, const struct mac *mac)
{
	struct doubt *doubt = NULL;

	HASH_FIND(hh, d->doubts, mac, sizeof(*mac), doubt);
	return doubt || d->doubt_all;
}

void doubt_remove(struct dhcpd *d, const struct mac *mac)
{
	struct doubt *doubt = NULL;

	HASH_FIND(hh, d->doubts, mac, sizeof(*mac), doubt);
	if (!doubt)
		return;
	HASH_DEL(d->doubts, doubt);
	free(doubt);
}

void doubts_free(struct dhcpd *d)
{
	struct doubt *doubt, *next;

	HASH_ITER (hh, d->doubts, doubt, next) {
		HASH_DEL(d->doubts, doubt);
		free(doubt);
	}
}
