/* SPDX-License-Identifier: ISC
 *
 * tap82 probe: asks for an address as a camera behind a port would, and shows who answers what.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli.h"
#include "probe_wire.h"
#include "setup.h"
#include "tap82/capture.h"
#include "tap82/clock.h"
#include "tap82/conf.h"
#include "tap82/dhcp.h"
#include "tap82/err.h"
#include "tap82/frame.h"
#include "tap82/log.h"
#include "tap82/writer.h"

#define PROBE_SERVERS_MAX 32 /* more than that is a flood, not a network */
#define PROBE_TIMEOUT	  (4 * USEC_PER_SEC) /* RFC 2131 4.1: when a client would ask again */
#define PROBE_BUFFER	  (1024 * 1024)

const struct cli_option command_probe_options[] = {
	{"interface", 'i', "IFACE", "where to ask and to listen"},
	{"vlan", 0, "N", "tag the frame"},
	{"relay", 0, "IP", "ask as a relay with this giaddr"},
	{"server", 0, "IP", "where the relay sends to (default: broadcast)"},
	{"circuit-id", 0, "X", "option 82: circuit-id, hex where it reads as hex, else text"},
	{"remote-id", 0, "X", "option 82: remote-id; text:X is always text"},
	{"mac", 0, "MAC", "the client (default: the interface's own)"},
	{"lease", 0, NULL, "take the first offer and give it back"},
	{"timeout", 0, "T", "how long to wait for answers (default 4s)"},
	{0},
};

/* What a server answered. */
struct answer {
	uint8_t type; /* enum dhcp_type */
	uint32_t src, server_id, yiaddr, lease_time;
	int64_t time, delay;
	bool has_option82, echoed;
	uint16_t option82_len;
	uint8_t option82[PROBE_OPTION82_MAX];
};

struct probe {
	const struct cli *cli;
	struct conf *conf; /* whose servers are known; NULL: none is there */
	struct probe_path path;
	struct probe_wire *wire;
	struct capture *capture;
	struct frame_decoder frames;
	struct dhcp dhcp;
	int64_t timeout, asked_at; /* asked_at: wall clock, as the capture's */
	uint32_t xid;
	bool acking; /* waiting for ACK or NAK, not for offers */
	bool answered;
	struct answer ack;
	struct answer offers[PROBE_SERVERS_MAX];
	int offer_count;
	struct writer out;
};

/* Hex where the whole text is hex, as in [switches]; "text:" says that it is not. */
static int read_id(const char *text, uint8_t *out, size_t size)
{
	size_t len = strlen(text);
	bool plain = strncmp(text, "text:", 5) == 0;
	int n;

	if (strncmp(text, "0x", 2) == 0)
		return hex_parse(text + 2, len - 2, out, size);
	n = plain || len == 0 ? ERR_SYNTAX : hex_parse(text, len, out, size);
	if (n != ERR_SYNTAX)
		return n;
	if (plain) {
		text += 5;
		len -= 5;
	}
	if (len > size)
		return ERR_FULL;
	memcpy(out, text, len);
	return (int)len;
}

static int read_sub_option(struct probe *p, const char *name, uint8_t code)
{
	const char *text = cli_option(p->cli, name);
	size_t at = p->path.option82_len;
	int n;

	if (!text)
		return 0;
	if (at + 2 > PROBE_OPTION82_MAX)
		return cli_usage(p->cli, "--%s: option 82 is full", name);
	n = read_id(text, p->path.option82 + at + 2, PROBE_OPTION82_MAX - at - 2);
	if (n < 0)
		return cli_usage(p->cli, "--%s %s: %s", name, text, err_text(n));
	p->path.option82[at] = code;
	p->path.option82[at + 1] = (uint8_t)n;
	p->path.option82_len = (uint8_t)(at + 2 + (size_t)n);
	return 0;
}

static int read_ipv4(const struct cli *cli, const char *name, uint32_t *ret_ip)
{
	const char *text = cli_option(cli, name);

	if (text && (ipv4_parse(text, strlen(text), ret_ip) != 0 || *ret_ip == 0))
		return cli_usage(cli, "--%s %s: not an IPv4 address", name, text);
	return 0;
}

static int read_vlan(struct probe *p)
{
	const char *text = cli_option(p->cli, "vlan");
	char *end;
	long vlan;

	if (!text)
		return 0;
	vlan = strtol(text, &end, 10);
	if (*end || end == text || vlan < 0 || vlan > 4094)
		return cli_usage(p->cli, "--vlan %s: not a VLAN (0 to 4094)", text);
	p->path.tagged = true;
	p->path.vlan = (uint16_t)vlan;
	return 0;
}

static int read_timing(struct probe *p)
{
	const char *text = cli_option(p->cli, "timeout");

	p->timeout = PROBE_TIMEOUT;
	if (text && (duration_parse(text, &p->timeout) != 0 || p->timeout <= 0))
		return cli_usage(p->cli, "--timeout %s: not a duration such as 4s", text);
	return 0;
}

/* The client's address: given, or the interface's own. */
static int read_mac(struct probe *p)
{
	const char *text = cli_option(p->cli, "mac");
	int r = probe_wire_mac(p->path.interface, &p->path.source);

	if (r == ERR_NOT_FOUND || r == -ENODEV) {
		log_error("%s: no such interface: see 'ip link'", p->path.interface);
		return EXIT_FAILED;
	}
	if (r) {
		log_error("%s: its address can't be read: %s", p->path.interface, err_text(r));
		return EXIT_FAILED;
	}
	p->path.mac = p->path.source;
	if (text && mac_parse(text, strlen(text), &p->path.mac) != 0)
		return cli_usage(p->cli, "--mac %s: not a MAC address", text);
	return 0;
}

static int check_sense(const struct probe *p)
{
	const struct probe_path *path = &p->path;

	if (path->server && !path->relay)
		return cli_usage(p->cli, "--server goes with --relay: a client has to broadcast");
	if (path->server && path->tagged)
		return cli_usage(p->cli,
			"--vlan and --server exclude each other: the kernel routes to the server; "
			"name the VLAN's interface with -i");
	return 0;
}

static int read_options(struct probe *p)
{
	int r;

	p->path.interface = cli_option(p->cli, "interface");
	if (!p->path.interface)
		return cli_usage(p->cli, "-i IFACE is needed");
	if (p->cli->arg_count > 0)
		return cli_usage(p->cli, "%s: unexpected", p->cli->args[0]);
	if ((r = read_vlan(p)) || (r = read_timing(p)) ||
		(r = read_ipv4(p->cli, "relay", &p->path.relay)) ||
		(r = read_ipv4(p->cli, "server", &p->path.server)) ||
		(r = read_sub_option(p, "circuit-id", OPTION82_CIRCUIT_ID)) ||
		(r = read_sub_option(p, "remote-id", OPTION82_REMOTE_ID)) || (r = check_sense(p)))
		return r;
	return read_mac(p);
}

/* What probe says of an answer, and whether option 82 came back byte for byte (RFC 3046 2.2). */
static void note_answer(struct probe *p, const struct datagram *d, struct answer *a)
{
	const struct dhcp *m = &p->dhcp;
	size_t len = buf_left(&m->option82.raw);

	*a = (struct answer){.type = m->type, .src = d->src, .server_id = m->server_id};
	a->yiaddr = m->yiaddr;
	a->lease_time = m->lease_time;
	a->time = d->time;
	a->delay = d->time > p->asked_at ? d->time - p->asked_at : 0;
	a->has_option82 = m->has_option82;
	if (!m->has_option82)
		return;
	a->echoed = len == p->path.option82_len &&
		    memcmp(m->option82.raw.p, p->path.option82, len) == 0;
	a->option82_len = (uint16_t)(len < sizeof(a->option82) ? len : sizeof(a->option82));
	memcpy(a->option82, m->option82.raw.p, a->option82_len);
}

/* The same offer is seen twice where a tap mirrors both directions. */
static bool is_known(const struct probe *p, const struct answer *a)
{
	for (int i = 0; i < p->offer_count; i++)
		if (p->offers[i].server_id == a->server_id && p->offers[i].src == a->src &&
			p->offers[i].yiaddr == a->yiaddr)
			return true;
	return false;
}

static void take_answer(struct probe *p, const struct answer *a)
{
	if (a->type == DHCP_OFFER && !p->acking && p->offer_count < PROBE_SERVERS_MAX &&
		!is_known(p, a))
		p->offers[p->offer_count++] = *a;
	if ((a->type == DHCP_ACK || a->type == DHCP_NAK) && p->acking && !p->answered) {
		p->ack = *a;
		p->answered = true;
	}
}

static void on_packet(void *ctx, const struct packet *packet)
{
	struct probe *p = ctx;
	struct datagram d;
	struct answer a;

	if (frame_decode(&p->frames, packet, &d) != 1 || dhcp_decode(&p->dhcp, &d.payload) != 0)
		return;
	if (p->dhcp.op != 2 || p->dhcp.xid != p->xid || !mac_equal(&p->dhcp.mac, &p->path.mac))
		return;
	note_answer(p, &d, &a);
	take_answer(p, &a);
}

/* Listens until the time is over or, for an ACK, until it came. */
static int listen_for_answers(struct probe *p)
{
	struct pollfd fd = {.fd = capture_fd(p->capture), .events = POLLIN};
	int64_t until = clock_mono() + p->timeout, left;

	while ((left = until - clock_mono()) > 0 && !(p->acking && p->answered)) {
		/* The ring hands packets over in blocks: look at least ten times a second. */
		int64_t wait = left < 100 * USEC_PER_MSEC ? left : 100 * USEC_PER_MSEC;

		if (poll(&fd, 1, (int)(wait / USEC_PER_MSEC) + 1) < 0 && errno != EINTR)
			return -errno;
		if (capture_read(p->capture, 256, on_packet, p) < 0) {
			log_error("%s", capture_error(p->capture));
			return EXIT_FAILED;
		}
	}
	return 0;
}

static int send_message(struct probe *p, const struct probe_message *m)
{
	char why[PROBE_WHY] = "";

	p->asked_at = clock_wall();
	if (probe_wire_send(p->wire, m, why) == 0)
		return 0;
	log_error("%s: can't send: %s", p->path.interface, why);
	return EXIT_FAILED;
}

static const char *option82_verdict(const struct probe *p, const struct answer *a)
{
	if (p->path.option82_len == 0)
		return a->has_option82 ? "added" : "-";
	if (!a->has_option82)
		return "missing";
	return a->echoed ? "echoed" : "changed";
}

static const char *type_text(const struct answer *a)
{
	return a->type == DHCP_OFFER ? "OFFER" : a->type == DHCP_ACK ? "ACK" : "NAK";
}

/* The section of the configuration, NULL for a stranger or without one. */
static const char *server_name(const struct probe *p, const struct answer *a)
{
	int i = p->conf ? conf_server_by_id(p->conf, a->server_id) : -1;

	return i < 0 ? NULL : p->conf->servers[i].name;
}

static void print_json(struct probe *p, const struct answer *a)
{
	struct writer *w = &p->out;

	writer_begin(w);
	writer_time(w, "time", a->time);
	writer_str(w, "type", type_text(a));
	writer_hex32(w, "xid", p->xid);
	writer_mac(w, "mac", &p->path.mac);
	if (a->server_id)
		writer_ipv4(w, "server_id", a->server_id);
	if (server_name(p, a))
		writer_str(w, "server", server_name(p, a));
	writer_ipv4(w, "src", a->src);
	if (a->yiaddr)
		writer_ipv4(w, "yiaddr", a->yiaddr);
	if (a->lease_time)
		writer_u64(w, "lease_time", a->lease_time);
	writer_double(w, "delay_ms", (double)a->delay / 1000);
	if (a->has_option82) {
		writer_object_begin(w, "option82");
		writer_hex(w, "raw", a->option82, a->option82_len);
		writer_object_end(w);
	}
	if (p->path.option82_len)
		writer_bool(w, "option82_echoed", a->echoed);
	writer_end(w);
}

static void print_row(const struct probe *p, const struct answer *a)
{
	char id[IPV4_TEXT], src[IPV4_TEXT], ip[IPV4_TEXT], lease[32];

	printf("%-5s %-15s %-15s %-15s %-6s %6.1f ms  %s\n", type_text(a),
		ipv4_format(a->server_id, id), ipv4_format(a->src, src), ipv4_format(a->yiaddr, ip),
		duration_format(a->lease_time * USEC_PER_SEC, lease, sizeof(lease)),
		(double)a->delay / 1000, option82_verdict(p, a));
}

static void print_answer(struct probe *p, const struct answer *a)
{
	if (p->cli->json)
		print_json(p, a);
	else
		print_row(p, a);
}

static int count_servers(const struct probe *p)
{
	int count = 0;

	for (int i = 0; i < p->offer_count; i++) {
		bool seen = false;

		for (int j = 0; j < i; j++)
			seen |= p->offers[j].server_id == p->offers[i].server_id;
		count += !seen;
	}
	return count;
}

static int report_silence(const struct probe *p)
{
	char span[32], relay[IPV4_TEXT];
	const char *interface = p->path.interface;

	duration_format(p->timeout, span, sizeof(span));
	if (!p->path.relay)
		log_error("%s: no offer within %s: no server serves this network", interface, span);
	else if (probe_wire_is_ours(p->path.relay))
		log_error("%s: no offer within %s: no server serves giaddr %s", interface, span,
			ipv4_format(p->path.relay, relay));
	else
		log_error("%s: no offer within %s: %s is no address of this host, and servers "
			  "answer to giaddr",
			interface, span, ipv4_format(p->path.relay, relay));
	return EXIT_FAILED;
}

/* With a configuration its servers are known, be they one or a failover pair. */
static void warn_of_rogues(const struct probe *p)
{
	char id[IPV4_TEXT];

	for (int i = 0; p->conf && i < p->offer_count; i++)
		if (!server_name(p, &p->offers[i]))
			log_warning("%s: %s offers and is in no [server] section: rogue?",
				p->path.interface, ipv4_format(p->offers[i].server_id, id));
	if (!p->conf && count_servers(p) > 1)
		log_warning("%s: %d servers offer: rogue? Only a failover pair should be two",
			p->path.interface, count_servers(p));
}

static void print_offers(struct probe *p)
{
	if (!p->cli->json)
		printf("%-5s %-15s %-15s %-15s %-6s %9s  %s\n", "", "SERVER-ID", "FROM", "ADDRESS",
			"LEASE", "DELAY", "OPTION 82");
	for (int i = 0; i < p->offer_count; i++)
		print_answer(p, &p->offers[i]);
	warn_of_rogues(p);
}

static int discover(struct probe *p)
{
	int r = send_message(p, &(struct probe_message){.type = DHCP_DISCOVER, .xid = p->xid});

	if (r == 0)
		r = listen_for_answers(p);
	if (r)
		return r;
	if (p->offer_count == 0)
		return report_silence(p);
	print_offers(p);
	return 0;
}

/* RFC 2131 3.1, 4.4.6: REQUEST names the offer; RELEASE gives the address back. */
static int take_and_release(struct probe *p)
{
	const struct answer *offer = &p->offers[0];
	struct probe_message ask = {.type = DHCP_REQUEST, .xid = p->xid};
	char ip[IPV4_TEXT], id[IPV4_TEXT];
	int r;

	ask.requested_ip = offer->yiaddr;
	ask.server_id = offer->server_id;
	p->acking = true;
	r = send_message(p, &ask);
	if (r == 0)
		r = listen_for_answers(p);
	if (r)
		return r;
	if (!p->answered) {
		log_error("%s: %s offered %s and did not answer the REQUEST", p->path.interface,
			ipv4_format(offer->server_id, id), ipv4_format(offer->yiaddr, ip));
		return EXIT_FAILED;
	}
	print_answer(p, &p->ack);
	if (p->ack.type == DHCP_NAK)
		return EXIT_FAILED;
	return send_message(p, &(struct probe_message){.type = DHCP_RELEASE,
				       .xid = p->xid,
				       .server_id = p->ack.server_id,
				       .ciaddr = p->ack.yiaddr});
}

static int probe_open(struct probe *p)
{
	char error[CAPTURE_ERROR_MAX] = "", why[PROBE_WHY] = "";

	if (capture_open(p->path.interface, PROBE_BUFFER, NULL, error, &p->capture) != 0) {
		log_error("%s", error);
		return EXIT_FAILED;
	}
	if (frame_decoder_init(&p->frames, NULL) != 0) {
		log_error("probe: out of memory");
		return EXIT_FAILED;
	}
	if (probe_wire_open(&p->path, why, &p->wire) != 0) {
		log_error("%s: can't send: %s", p->path.interface, why);
		return EXIT_FAILED;
	}
	return 0;
}

static int probe_run(struct probe *p)
{
	int r = probe_open(p);

	if (r == 0)
		r = discover(p);
	if (r == 0 && cli_has(p->cli, "lease"))
		r = take_and_release(p);
	return r < 0 ? EXIT_FAILED : r;
}

int command_probe(struct cli *cli)
{
	struct probe *p = calloc(1, sizeof(*p));
	int r;

	if (!p || writer_init(&p->out, STDOUT_FILENO, WRITER_JSON) != 0 ||
		getrandom(&p->xid, sizeof(p->xid), 0) != sizeof(p->xid)) {
		log_error("probe: can't begin: out of memory");
		free(p);
		return EXIT_FAILED;
	}
	p->cli = cli;
	r = read_options(p);
	if (r == 0 && setup_conf_if_any(cli->conf_path, cli_has(cli, "config"), &p->conf) < 0)
		r = EXIT_WRONG_USAGE;
	if (r == 0)
		r = probe_run(p);
	if (writer_flush(&p->out) != 0 && r == 0)
		r = EXIT_FAILED;
	writer_done(&p->out);
	probe_wire_close(p->wire);
	capture_close(p->capture);
	frame_decoder_done(&p->frames);
	conf_free(p->conf);
	free(p);
	return r;
}
