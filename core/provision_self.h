/* SPDX-License-Identifier: ISC
 *
 * Between provision.c, settle.c and takeover.c.
 */
#ifndef TAP82_PROVISION_SELF_H
#define TAP82_PROVISION_SELF_H

#include "engine_self.h"

/* provision.c */
bool group_has(const struct engine *e, uint16_t group, uint8_t server);
struct reservation_part *part_of(struct reservation *r, uint8_t server);
struct reservation *work_of(struct engine *e, const struct device *d);
struct reservation *open_reservation(struct engine *e, struct device *d, uint16_t group);
void want_everywhere(struct engine *e, struct reservation *r, uint32_t ip);
void provision_describe(
	struct engine *e, struct reservation *r, const struct device *d, const struct wish *wish);

/* settle.c */
void event_of_reservation(struct engine *e, struct event *ev, enum event_code code,
	const struct reservation *r, const struct device *d);
void provision_set_phase(struct engine *e, struct reservation *r, enum reservation_phase phase);
void provision_forget(struct engine *e, struct reservation *r);
bool is_anothers(struct engine *e, const struct reservation *r, const struct device *d);
void provision_succeed(struct engine *e, struct reservation *r, struct device *d);
void provision_undo(struct engine *e, struct reservation *r, uint32_t ip);
void provision_fail(struct engine *e, struct reservation *r, const struct reservation_part *part,
	const char *reason);

/* takeover.c */
void let_yield(struct engine *e, struct reservation *newcomer, struct device *old);
bool is_taking_over(const struct reservation *r);
struct reservation *peer_of(struct engine *e, const struct reservation *r);
void undo_takeover(struct engine *e, struct reservation *r, struct device *d);
void settle_takeover(struct engine *e, struct reservation *r, struct device *d);
void settle_yielded_back(struct engine *e, struct reservation *r);
void abort_takeover(struct engine *e, struct reservation *r);

#endif
