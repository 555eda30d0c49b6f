/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "setup.h"
#include "tap82/err.h"
#include "tap82/log.h"

void setup_log_problem(void *ctx, const char *text)
{
	(void)ctx;
	log_error("%s", text);
}

struct conf *setup_conf(const char *path)
{
	struct conf *conf = NULL;

	return conf_load(path, setup_log_problem, NULL, &conf) < 0 ? NULL : conf;
}

int setup_conf_if_any(const char *path, bool given, struct conf **ret_conf)
{
	if (!given && access(path, R_OK) != 0) {
		*ret_conf = NULL;
		return 0;
	}
	*ret_conf = setup_conf(path);
	return *ret_conf ? 0 : ERR_SYNTAX;
}

/* A layout goes to a decoder or to a plain list of layouts: whichever is there. Every problem is
 * told, not only the first. */
static int add_layouts(struct message_decoder *m, struct layouts *layouts, const struct conf *conf)
{
	int result = 0;
	char why[256];

	for (size_t i = 0; i < conf->layout_count; i++) {
		const struct conf_layout *l = &conf->layouts[i];
		int err = m ? message_decoder_add_layout(
				      m, l->name, l->circuit_id, l->remote_id, why, sizeof(why))
			    : layouts_add(layouts, l->name, l->circuit_id, l->remote_id, why,
				      sizeof(why));

		if (err < 0) {
			log_error("%s: [layout %s]: %s", conf->path, l->name, why);
			result = err;
		}
	}
	return result;
}

/* The key of a row: the giaddr, or the remote-id as text or hex. */
static const char *switch_key(const struct conf_switch *s, char out[2 * 255 + 1])
{
	if (s->giaddr)
		return ipv4_format(s->giaddr, out);
	if (!bytes_are_text(s->remote_id, s->remote_id_len))
		return hex_format(s->remote_id, s->remote_id_len, out);
	memcpy(out, s->remote_id, s->remote_id_len);
	out[s->remote_id_len] = 0;
	return out;
}

static int add_switches(struct message_decoder *m, const struct conf *conf)
{
	char key[2 * 255 + 1];
	int result = 0;

	for (size_t i = 0; i < conf->switch_count; i++) {
		const struct conf_switch *s = &conf->switches[i];
		int err = message_decoder_add_switch(
			m, s->giaddr, s->remote_id, s->remote_id_len, s->layout, s->offset);

		if (err == ERR_NOT_FOUND)
			log_error("%s: [switches] %s: no layout is called '%s'", conf->path,
				switch_key(s, key), s->layout);
		else if (err < 0)
			log_error("%s: [switches] %s: %s", conf->path, switch_key(s, key),
				err_text(err));
		result = err < 0 ? err : result;
	}
	return result;
}

struct message_decoder *setup_messages(const struct conf *conf)
{
	struct message_decoder *m = message_decoder_new();
	int layouts = m && conf ? add_layouts(m, NULL, conf) : 0;
	int switches = m && conf ? add_switches(m, conf) : 0;

	if (!m)
		log_error("decoders: %s", err_text(-ENOMEM));
	if (layouts == 0 && switches == 0)
		return m;
	message_decoder_free(m);
	return NULL;
}

struct layouts *setup_layouts(const struct conf *conf)
{
	struct layouts *layouts = layouts_new();

	if (layouts && (!conf || add_layouts(NULL, layouts, conf) == 0))
		return layouts;
	layouts_free(layouts);
	return NULL;
}

static const struct {
	unsigned conf, frame;
} tunnels[] = {
	{CONF_TUNNEL_GRE, FRAME_BIT(FRAME_GRE)},
	{CONF_TUNNEL_ERSPAN, FRAME_BIT(FRAME_ERSPAN)},
	{CONF_TUNNEL_VXLAN, FRAME_BIT(FRAME_VXLAN)},
	{CONF_TUNNEL_TZSP, FRAME_BIT(FRAME_TZSP)},
};

void setup_want(const struct conf_capture *capture, struct frame_want *ret_want)
{
	struct frame_want want = {0};

	for (unsigned i = 0; i < capture->vlan_count; i++)
		frame_want_vlan(&want, capture->vlans[i]);
	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++)
		if (capture->tunnels & tunnels[i].conf)
			want.tunnels |= tunnels[i].frame;
	*ret_want = want;
}
