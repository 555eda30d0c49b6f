/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "conf_read.h"
#include "tap82/clock.h"
#include "tap82/err.h"

/* Long enough for any wish, short enough that no time plus it overflows. */
#define LONGEST (36500 * USEC_PER_DAY)

#define SECTION(word, object, array, count)                               \
	{                                                                 \
		word, true, sizeof(object), offsetof(struct conf, array), \
			offsetof(struct conf, count)                      \
	}

const struct conf_section conf_sections[CONF_KINDS] = {
	[CONF_TAP82] = {"tap82", false, 0, 0, 0},
	[CONF_CAPTURE] = SECTION("capture", struct conf_capture, captures, capture_count),
	[CONF_SERVER] = SECTION("server", struct conf_server, servers, server_count),
	[CONF_GROUP] = SECTION("group", struct conf_group, groups, group_count),
	[CONF_SWITCHES] = {"switches", false, 0, 0, 0},
	[CONF_LAYOUT] = SECTION("layout", struct conf_layout, layouts, layout_count),
	[CONF_WEBHOOK] = SECTION("webhook", struct conf_webhook, webhooks, webhook_count),
};

#define AT(object, member)  .offset = offsetof(struct object, member)
#define BETWEEN(low, high)  .min = (low), .max = (high)
#define TAP82(name, type)   CONF_TAP82, name, conf_value_##type
#define CAPTURE(name, type) CONF_CAPTURE, name, conf_value_##type
#define SERVER(name, type)  CONF_SERVER, name, conf_value_##type
#define GROUP(name, type)   CONF_GROUP, name, conf_value_##type
#define LAYOUT(name, type)  CONF_LAYOUT, name, conf_value_##type
#define WEBHOOK(name, type) CONF_WEBHOOK, name, conf_value_##type
#define DEFAULT(text)	    .fallback = (text)
#define REQUIRED	    .required = true

/* clang-format off */
const struct conf_key conf_keys[] = {
	{TAP82("state", path), AT(conf, state), DEFAULT("/var/lib/tap82/tap82.db"), REQUIRED},
	{TAP82("devices", path), AT(conf, devices), DEFAULT("")},
	{TAP82("inventory-errors", either), AT(conf, inventory_skip), DEFAULT("refuse"),
		.words = "refuse|skip"},
	{TAP82("on-removal", word), AT(conf, on_removal), DEFAULT("keep"), .words = "keep|release"},
	{TAP82("auto-provisioning", switch), AT(conf, auto_provisioning), DEFAULT("yes")},
	{TAP82("stream-hold", duration), AT(conf, stream_hold), DEFAULT("300s"),
		BETWEEN(0, LONGEST)},
	{TAP82("reservation-timeout", duration), AT(conf, reservation_timeout), DEFAULT("300s"),
		BETWEEN(USEC_PER_MSEC, LONGEST)},
	{TAP82("on-address-change", word), AT(conf, on_address_change), DEFAULT("follow"),
		.words = "follow|report"},
	{TAP82("replacement", word), AT(conf, replacement), DEFAULT("report"),
		.words = "off|report|takeover"},
	{TAP82("replacement-silence", duration), AT(conf, replacement_silence), DEFAULT("10m"),
		BETWEEN(0, LONGEST)},
	{TAP82("host-prefix", prefix_name), AT(conf, host_prefix), DEFAULT("tap82-"), REQUIRED},
	{TAP82("listen", listen), DEFAULT("/run/tap82/tap82.sock"), REQUIRED},
	{TAP82("api-token-file", path), AT(conf, api_token_file), DEFAULT("/etc/tap82/api.token")},
	{TAP82("metrics-listen", endpoint), AT(conf, metrics_listen), DEFAULT("")},
	{TAP82("event-log", path), AT(conf, event_log), DEFAULT("/var/log/tap82/events.jsonl")},
	{TAP82("event-retention", duration), AT(conf, event_retention), DEFAULT("90d"),
		BETWEEN(USEC_PER_MSEC, LONGEST)},
	{TAP82("event-limit", size), AT(conf, event_limit), DEFAULT("10000000"),
		BETWEEN(1000, 1000000000)},
	{TAP82("user", name), AT(conf, user), DEFAULT("tap82")},

	{CAPTURE("interface", interface), AT(conf_capture, interface)},
	{CAPTURE("file", path), AT(conf_capture, file)},
	{CAPTURE("vlan", vlans), DEFAULT("")},
	{CAPTURE("buffer", size), AT(conf_capture, buffer), DEFAULT("32M"),
		BETWEEN(64 << 10, 1 << 30)},
	{CAPTURE("tunnels", tunnels), DEFAULT("none")},

	{SERVER("address", address), AT(conf_server, address), REQUIRED},
	{SERVER("port", port), AT(conf_server, port), DEFAULT("7911")},
	{SERVER("server-id", address), AT(conf_server, server_id)},
	{SERVER("key-name", name), AT(conf_server, key_name)},
	{SERVER("key-file", path), AT(conf_server, key_file)},
	{SERVER("key-algorithm", chosen), AT(conf_server, key_algorithm), DEFAULT("hmac-sha256"),
		.words = "hmac-md5|hmac-sha1|hmac-sha224|hmac-sha256|hmac-sha384|hmac-sha512"},

	{GROUP("subnets", subnets), REQUIRED},
	{GROUP("relays", relays), DEFAULT("")},
	{GROUP("servers", servers), DEFAULT("")},
	{GROUP("auto-provisioning", switch), AT(conf_group, auto_provisioning), DEFAULT("yes")},
	{GROUP("reservation", word), AT(conf_group, reservation), DEFAULT("auto"),
		.words = "auto|host|pin"},

	{LAYOUT("circuit-id", string), AT(conf_layout, circuit_id), REQUIRED},
	{LAYOUT("remote-id", string), AT(conf_layout, remote_id), DEFAULT("")},

	{WEBHOOK("url", url), AT(conf_webhook, url), REQUIRED},
	{WEBHOOK("events", events), DEFAULT("provision.handoff")},
	{WEBHOOK("format", word), AT(conf_webhook, format), DEFAULT("aipix"),
		.words = "aipix|tap82"},
	{WEBHOOK("token-file", path), AT(conf_webhook, token_file), DEFAULT("")},
	{WEBHOOK("ca-file", path), AT(conf_webhook, ca_file), DEFAULT("")},
	{WEBHOOK("backlog", size), AT(conf_webhook, backlog), DEFAULT("100000"),
		BETWEEN(2000, 100000000)},
};
/* clang-format on */

const size_t conf_key_count = sizeof(conf_keys) / sizeof(conf_keys[0]);

int conf_key_at(size_t i, struct conf_key_info *ret_info)
{
	if (i >= conf_key_count)
		return ERR_NOT_FOUND;
	*ret_info = (struct conf_key_info){
		.section = conf_sections[conf_keys[i].kind].word,
		.key = conf_keys[i].name,
		.fallback = conf_keys[i].fallback,
		.required = conf_keys[i].required,
	};
	return 0;
}
