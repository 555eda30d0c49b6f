/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "tap82/reservation.h"

static void forget_error(struct reservation_part *p)
{
	free(p->reason);
	free(p->detail);
	p->reason = p->detail = NULL;
}

static char *copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

static void keep_error(struct reservation_part *p, const struct reservation_input *in)
{
	forget_error(p);
	p->reason = copy(in->reason);
	p->detail = copy(in->detail);
}

static bool is_satisfied(const struct reservation_part *p)
{
	return p->have == p->want && p->maybe == 0 && !p->repin;
}

static void set_state(struct reservation_part *p, enum reservation_state state)
{
	p->state = (uint8_t)state;
}

/* After a wish or an answer, with nothing on its way. */
static void look_again(struct reservation_part *p)
{
	set_state(p, is_satisfied(p) ? RESERVATION_CONFIRMED : RESERVATION_WANTED);
}

static void want(struct reservation_part *p, uint32_t ip)
{
	p->want = ip;
	p->answered = false;
	if (p->state != RESERVATION_SENT)
		look_again(p);
}

static void answered(struct reservation_part *p)
{
	p->answered = true;
	if (p->sent != p->want) {
		p->answered = false;
		look_again(p);
	}
}

static void done(struct reservation_part *p)
{
	p->have = p->sent;
	p->maybe = 0;
	p->repin = false;
	p->tries = 0;
	forget_error(p);
	look_again(p);
	answered(p);
}

/* An order went out and it is not known what became of it. The server has `have` or `maybe`, or
 * nothing: never a third address, see reservation_next(). */
static void doubt(struct reservation_part *p)
{
	if (p->sent == p->have)
		return;
	if (p->sent == 0) {
		p->maybe = p->maybe ? p->maybe : p->have;
		return;
	}
	if (p->have == 0 && p->maybe != p->sent)
		p->have = p->maybe;
	p->maybe = p->sent;
}

/* Refused: the server has what it had, unless it refused in the middle (the host was written, the
 * lease could not be pinned). */
static void refused(struct reservation_part *p, const struct reservation_input *in)
{
	keep_error(p, in);
	if (in->changed)
		doubt(p);
	p->repin = false;
	set_state(p, RESERVATION_REFUSED);
	answered(p);
}

static void not_now(struct reservation_part *p, const struct reservation_input *in)
{
	keep_error(p, in);
	doubt(p);
	set_state(p, RESERVATION_WAITING);
	answered(p);
}

uint32_t reservation_next(const struct reservation_part *p)
{
	bool two = p->maybe && p->have && p->maybe != p->have;

	return two && p->want != p->maybe && p->want != p->have ? p->maybe : p->want;
}

void reservation_inherit(struct reservation_part *p, const struct reservation_part *old)
{
	p->have = old->have;
	p->maybe = old->maybe;
	p->sent = old->sent;
	if (old->state == RESERVATION_SENT)
		doubt(p);
}

bool reservation_step(struct reservation *r, const struct reservation_input *in)
{
	struct reservation_part *p = &r->parts[in->part];
	uint8_t state = p->state;
	uint32_t wish = p->want;

	switch (in->kind) {
	case INPUT_WANT: want(p, in->ip); break;
	case INPUT_REPIN:
		p->repin = true;
		if (state != RESERVATION_SENT)
			look_again(p);
		break;
	case INPUT_SEND:
		p->sent = reservation_next(p);
		p->tries++;
		set_state(p, RESERVATION_SENT);
		break;
	case INPUT_DONE: done(p); break;
	case INPUT_REFUSED: refused(p, in); break;
	case INPUT_NOT_NOW: not_now(p, in); break;
	case INPUT_DUE:
		if (state == RESERVATION_WAITING)
			set_state(p, RESERVATION_WANTED);
		break;
	}
	return p->state != state || p->want != wish;
}

enum reservation_outcome reservation_outcome(
	const struct reservation *r, const struct reservation_part **ret_part)
{
	bool open = false, away = false, some = false;

	for (unsigned i = 0; i < r->count; i++) {
		const struct reservation_part *p = &r->parts[i];

		switch (p->state) {
		case RESERVATION_REFUSED: *ret_part = p; return OUTCOME_REFUSED;
		case RESERVATION_CONFIRMED: some = some || p->want == r->ip; break;
		case RESERVATION_WAITING: away = true; break;
		default:
			if (p->answered && p->tries > 0)
				away = true;
			else
				open = true;
		}
	}
	if (open)
		return OUTCOME_OPEN;
	if (away)
		return some ? OUTCOME_PARTIAL : OUTCOME_OPEN;
	return OUTCOME_DONE;
}

const char *reservation_state_text(enum reservation_state state)
{
	static const char *const words[] = {"wanted", "sent", "confirmed", "refused", "waiting"};

	return words[state];
}

const char *reservation_part_text(const struct reservation_part *p)
{
	if (p->state == RESERVATION_CONFIRMED && p->want == 0)
		return "none";
	return reservation_state_text((enum reservation_state)p->state);
}

const char *reservation_purpose_text(enum reservation_purpose purpose)
{
	static const char *const words[] = {
		"create", "update", "takeover", "yield", "ensure", "remove"};

	return words[purpose];
}
