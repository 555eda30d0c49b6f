/* SPDX-License-Identifier: ISC */
#include "setup.h"
#include "tap82/err.h"
#include "tap82/log.h"

static void log_problem(void *ctx, const char *text)
{
	(void)ctx;
	log_error("%s", text);
}

struct conf *setup_conf(const char *path)
{
	struct conf *conf = NULL;

	return conf_load(path, log_problem, NULL, &conf) < 0 ? NULL : conf;
}

static int add_layouts(struct message_decoder *m, const struct conf *conf)
{
	char why[256];

	for (size_t i = 0; i < conf->layout_count; i++) {
		const struct conf_layout *l = &conf->layouts[i];

		if (message_decoder_add_layout(
			    m, l->name, l->circuit_id, l->remote_id, why, sizeof(why))) {
			log_error("%s: [layout %s]: %s", conf->path, l->name, why);
			return ERR_SYNTAX;
		}
	}
	return 0;
}

static int add_switch(
	struct message_decoder *m, const struct conf *conf, const struct conf_switch *s)
{
	int err = message_decoder_add_switch(
		m, s->giaddr, s->remote_id, s->remote_id_len, s->layout, s->offset);

	if (err < 0)
		log_error("%s: [switches] %s: %s", conf->path, s->layout,
			err == ERR_NOT_FOUND ? "no such layout" : err_text(err));
	return err;
}

struct message_decoder *setup_messages(const struct conf *conf)
{
	struct message_decoder *m = message_decoder_new();
	int err = m ? add_layouts(m, conf) : ERR_FULL;

	for (size_t i = 0; i < conf->switch_count && err == 0; i++)
		err = add_switch(m, conf, &conf->switches[i]);
	if (err < 0) {
		message_decoder_free(m);
		return NULL;
	}
	return m;
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
