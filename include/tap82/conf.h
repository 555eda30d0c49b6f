/* SPDX-License-Identifier: ISC
 *
 * The configuration (tap82.ini): parsed once, validated strictly, then read only. Unknown sections
 * and keys, bad values and references to sections that do not exist are problems; every problem is
 * reported, not only the first, as "FILE: [section] key: what is wrong".
 */
#ifndef TAP82_CONF_H
#define TAP82_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap82/addr.h"

#define CONF_NAME_MAX	       64 /* a section's name, with NUL */
#define CONF_GROUP_SERVERS_MAX 8
#define CONF_VLANS_MAX	       64

enum conf_removal { CONF_REMOVAL_KEEP, CONF_REMOVAL_RELEASE };
enum conf_address_change { CONF_ADDRESS_FOLLOW, CONF_ADDRESS_REPORT };
enum conf_replacement { CONF_REPLACEMENT_OFF, CONF_REPLACEMENT_REPORT, CONF_REPLACEMENT_TAKEOVER };
enum conf_reservation { CONF_RESERVATION_AUTO, CONF_RESERVATION_HOST, CONF_RESERVATION_PIN };
enum conf_webhook_format { CONF_WEBHOOK_AIPIX, CONF_WEBHOOK_TAP82 };
enum conf_tunnel {
	CONF_TUNNEL_GRE = 1,
	CONF_TUNNEL_ERSPAN = 2,
	CONF_TUNNEL_VXLAN = 4,
	CONF_TUNNEL_TZSP = 8,
};

struct conf_capture {
	char name[CONF_NAME_MAX];
	char *interface; /* or NULL, then file */
	char *file;
	uint16_t vlans[CONF_VLANS_MAX]; /* none: every frame */
	uint16_t vlan_count;
	uint64_t buffer; /* bytes */
	unsigned tunnels; /* enum conf_tunnel bits */
};

struct conf_server {
	char name[CONF_NAME_MAX];
	uint32_t address;
	uint16_t port;
	uint32_t server_id; /* option 54 of its ACKs; the address if not given */
	char *key_name; /* NULL: unsigned */
	char *key_file;
	char *key_algorithm; /* "hmac-sha256" … */
};

struct conf_group {
	char name[CONF_NAME_MAX];
	struct prefix *subnets;
	uint32_t *relays; /* none: any giaddr */
	size_t subnet_count, relay_count;
	bool l2; /* option 82 with giaddr 0 is allowed beside the relays */
	uint8_t servers[CONF_GROUP_SERVERS_MAX]; /* indexes into conf->servers */
	uint8_t server_count;
	bool auto_provisioning;
	enum conf_reservation reservation;
};

/* How a relay writes its circuit-id: a row of [switches]. Whether there is such a layout is known
 * to the room of layouts: `tap82 check` and `tap82 run` look there. */
struct conf_switch {
	uint32_t giaddr; /* 0: by remote-id */
	uint8_t remote_id[255];
	uint8_t remote_id_len;
	char layout[24]; /* the name, without the offset */
	int offset; /* added to the port */
};

/* A layout of the user's own, [layout NAME]: texts for layouts_add(). */
struct conf_layout {
	char name[CONF_NAME_MAX];
	char *circuit_id;
	char *remote_id; /* NULL: none */
};

struct conf_webhook {
	char name[CONF_NAME_MAX];
	char *url;
	char **events; /* event codes; none: every event */
	size_t event_count;
	enum conf_webhook_format format;
	char *token_file;
	char *ca_file; /* PEM; NULL: the system's */
	uint64_t backlog; /* messages that may wait in the outbox */
};

struct conf {
	char *path;
	char *state, *devices; /* what may be empty in the file is NULL then: devices … */
	bool inventory_skip; /* inventory-errors = skip */
	enum conf_removal on_removal;
	bool auto_provisioning;
	int64_t stream_hold, reservation_timeout; /* microseconds */
	enum conf_address_change on_address_change;
	enum conf_replacement replacement;
	int64_t replacement_silence;
	char *host_prefix;
	char **listen;
	size_t listen_count;
	char *api_token_file, *metrics_listen, *event_log; /* … and these */
	int64_t event_retention;
	size_t event_limit;
	char *user; /* NULL: stay who we are */
	struct conf_capture *captures;
	struct conf_server *servers;
	struct conf_group *groups;
	struct conf_switch *switches;
	struct conf_webhook *webhooks;
	struct conf_layout *layouts;
	size_t capture_count, server_count, group_count, switch_count, webhook_count;
	size_t layout_count;
};

/* Told of one problem in words; the text is valid during the call. */
typedef void (*problem_fn)(void *ctx, const char *text);

/* Reads and validates `path`. 0; or negative (ERR_SYNTAX: the file is wrong; else -errno) after
 * `problem` was told of each problem. What the file does not say has its default. No other file
 * is looked at. Names of sections are compared without regard to case. */
int conf_load(const char *path, problem_fn problem, void *ctx, struct conf **ret_conf);
void conf_free(struct conf *conf);

/* The index of the server with this server identifier (option 54) or address, or -1. */
int conf_server_by_id(const struct conf *conf, uint32_t server_id);
int conf_server_by_name(const struct conf *conf, const char *name);
int conf_group_by_name(const struct conf *conf, const char *name);
/* The group whose longest subnet holds `ip`, or -1. */
int conf_group_of(const struct conf *conf, uint32_t ip);
/* The words of the configuration for the enums above. */
const char *conf_reservation_text(enum conf_reservation mode);

/* A remote-id or circuit-id as people write it: hex (an even number of digits, blanks, `:`, `-` or
 * `.` between bytes, `0x` before it) or else the text itself; `text:` before it keeps a text from
 * being read as hex. The number of bytes; ERR_FULL if more than `size`; ERR_SYNTAX for bad hex
 * behind `0x`. */
int conf_id_parse(const char *text, size_t len, uint8_t *out, size_t size);

/* Every key there is, for documents and tests: what stands in the section's brackets ("capture"),
 * the key, its default ("" if it is empty, NULL if there is none and `required` says whether that
 * is a problem). 0, or ERR_NOT_FOUND behind the last. */
struct conf_key_info {
	const char *section, *key, *fallback;
	bool required;
};
int conf_key_at(size_t i, struct conf_key_info *ret_info);

#endif
