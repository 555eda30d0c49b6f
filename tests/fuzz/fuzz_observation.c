/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "tap82/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(void *ctx, const struct event *e)
{
	writer_clear(ctx);
	event_write(ctx, e);
}

static struct engine *engine_of(struct writer *w)
{
	static struct prefix all;
	static struct conf_server server = {.name = "north", .address = 1, .server_id = 1};
	static struct conf_group group = {.name = "all",
		.subnets = &all,
		.subnet_count = 1,
		.server_count = 1,
		.auto_provisioning = true};
	static char prefix[] = "tap82-";
	static struct conf conf = {.servers = &server,
		.server_count = 1,
		.groups = &group,
		.group_count = 1,
		.auto_provisioning = true,
		.host_prefix = prefix};
	static const struct engine_ops ops = {.event = tell};

	static const struct device_row row = {.mac = {{2}}, .serial_number = "1"};
	struct engine *engine = engine_new(&conf, &ops, w);

	if (!engine || engine_restore_device(engine, &row) < 0)
		abort();
	return engine;
}

/* What a sniffer that was taken over could send: a good ACK or RADIUS observation, altered by the
 * input. What observation_check() lets through must be safe for the engine and its events. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct engine *engine;
	static struct writer w;
	struct observation o = {
		.version = OBSERVATION_VERSION, .kind = OBSERVATION_DHCP, .time = 1};

	if (!engine && writer_init(&w, -1, WRITER_JSON) < 0)
		abort();
	if (!engine)
		engine = engine_of(&w);
	o.mac = (struct mac){{2}};
	o.dhcp = (struct observation_dhcp){
		.type = DHCP_ACK, .is_reply = true, .has_mac = true, .yiaddr = 2, .server_id = 1};
	if (size > 0 && data[0] & 1)
		o.kind = OBSERVATION_RADIUS;
	for (size_t i = 1; i < size && i <= sizeof(o); i++)
		((uint8_t *)&o)[i - 1] ^= data[i];
	observation_check(&o, size);
	if (observation_check(&o, observation_size(&o)) == 0)
		engine_observe(engine, &o);
	return 0;
}
