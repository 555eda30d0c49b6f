/* SPDX-License-Identifier: ISC */
#include "tap82/omapi_batch.h"

#define FIRST_READ_COST 200
#define MAX_COST	INT64_C(5000000)
#define SIGN_START	8 /* authid and signature length: where the abort waits */

void omapi_pace_init(struct omapi_pace *pace, int64_t batch_time)
{
	*pace = (struct omapi_pace){.read_cost = FIRST_READ_COST, .write_cost = batch_time / 4};
}

int64_t omapi_pace_cost(const struct omapi_pace *pace, unsigned writes)
{
	return writes == 0 ? pace->read_cost : pace->write_cost * writes;
}

/* Slower is believed at once by half, faster by an eighth: DHCP service is the one to be kept. */
static void learn(int64_t *cost, int64_t sample)
{
	if (sample < 1)
		sample = 1;
	if (sample > MAX_COST)
		sample = MAX_COST;
	*cost += (sample - *cost) / (sample > *cost ? 2 : 8);
	if (*cost < 1)
		*cost = 1;
}

void omapi_pace_learn(struct omapi_pace *pace, int64_t elapsed, unsigned lookups, unsigned writes)
{
	if (writes > 0)
		learn(&pace->write_cost, (elapsed - lookups * pace->read_cost) / writes);
	else if (lookups > 0)
		learn(&pace->read_cost, elapsed / lookups);
}

void omapi_pace_stalled(struct omapi_pace *pace, int64_t elapsed, unsigned requests)
{
	int64_t each = elapsed / (requests > 0 ? requests : 1);

	if (pace->write_cost < each)
		pace->write_cost = each > MAX_COST ? MAX_COST : each;
}

static bool fits(const struct omapi_batch *batch, int64_t batch_time, size_t request, size_t reply,
	int64_t cost)
{
	size_t replies = batch->replies + (reply > 0 ? reply : SIGN_START);

	return !batch->closed && batch->requests + request <= OMAPI_BUFFER_BYTES &&
	       replies <= OMAPI_BUFFER_BYTES && batch->cost + cost <= batch_time;
}

bool omapi_batch_take(
	struct omapi_batch *batch, int64_t batch_time, size_t request, size_t reply, int64_t cost)
{
	if (batch->count > 0 && !fits(batch, batch_time, request, reply, cost))
		return false;
	batch->requests += request;
	batch->replies += reply;
	batch->cost += cost;
	batch->count++;
	batch->closed = reply == 0 || batch->requests > OMAPI_BUFFER_BYTES ||
			batch->replies > OMAPI_BUFFER_BYTES;
	return true;
}
