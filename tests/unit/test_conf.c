/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tap82/clock.h"
#include "tap82/conf.h"
#include "tap82/err.h"

static char path[] = "/tmp/tap82-conf-XXXXXX";
static char told[8192]; /* the problems, a line each, without the path */
static size_t problems;

static const char whole[] = "[tap82]\n"
			    "state = /tmp/x.db\n"
			    "devices = /tmp/devices.csv ; optional\n"
			    "inventory-errors = skip\n"
			    "on-removal = release\n"
			    "auto-provisioning = no\n"
			    "stream-hold = 0s\n"
			    "reservation-timeout = 1500ms\n"
			    "on-address-change = report\n"
			    "replacement = takeover\n"
			    "replacement-silence = 2h\n"
			    "host-prefix = cam_\n"
			    "listen = /tmp/a.sock, 127.0.0.1:8082   ; a list\n"
			    "api-token-file = /tmp/token\n"
			    "metrics-listen = 0.0.0.0:9082\n"
			    "event-log = /tmp/e.jsonl\n"
			    "event-retention = 7d\n"
			    "user = nobody\n"
			    "[capture camera-vlan]\n"
			    "interface = eth1          ; or: file = x.pcap\n"
			    "vlan = 120, 121\n"
			    "buffer = 2M\n"
			    "tunnels = gre, VXLAN\n"
			    "[group North]     ; a DHCP subnet group, with a = sign\n"
			    "subnets = 10.20.0.0/16, 10.20.7.0/24\n"
			    "relays = 10.20.0.1, l2\n"
			    "servers = north-b, NORTH\n"
			    "auto-provisioning = off\n"
			    "reservation = pin\n"
			    "[server North]\n"
			    "address = 10.0.0.2\n"
			    "port = 7912\n"
			    "server-id = 10.0.0.20\n"
			    "key-name = omapi_key\n"
			    "key-file = /etc/tap82/omapi.key\n"
			    "key-algorithm = HMAC-MD5\n"
			    "[server north-b]\n"
			    "address = 10.0.0.3\n"
			    "[switches]\n"
			    "10.20.0.1 = cisco\n"
			    "0x0006aabbccddeeff = d-link\n"
			    "Tower B, Floor 3 = acme-2\n"
			    "text:cafe = huawei-common+1\n"
			    "[layout acme-2]\n"
			    "circuit-id = \"text eth {slot}/{port};{#}\"\n"
			    "[webhook vms]\n"
			    "url = http://127.0.0.1:8080/api/v1/billing/streams\n"
			    "events = provision.handoff, dhcp.reservation_failed\n"
			    "format = tap82\n"
			    "token-file = /tmp/vms.token\n"
			    "ca-file = /tmp/ca.pem\n";

static void tell(void *ctx, const char *text)
{
	size_t n = strlen(path), used = strlen(told);

	(void)ctx;
	problems++;
	assert_memory_equal(text, path, n);
	snprintf(told + used, sizeof(told) - used, "%s\n", text + n);
}

static int load(const char *text, struct conf **ret_conf)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	*told = 0;
	problems = 0;
	return conf_load(path, tell, NULL, ret_conf);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static void what_the_file_does_not_say_has_its_default(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(load("", &c), 0);
	assert_string_equal(c->path, path);
	assert_string_equal(c->state, "/var/lib/tap82/tap82.db");
	assert_null(c->devices);
	assert_false(c->inventory_skip);
	assert_int_equal(c->on_removal, CONF_REMOVAL_KEEP);
	assert_true(c->auto_provisioning);
	assert_int_equal(c->stream_hold, 300 * USEC_PER_SEC);
	assert_int_equal(c->reservation_timeout, 300 * USEC_PER_SEC);
	assert_int_equal(c->on_address_change, CONF_ADDRESS_FOLLOW);
	assert_int_equal(c->replacement, CONF_REPLACEMENT_REPORT);
	assert_int_equal(c->replacement_silence, 600 * USEC_PER_SEC);
	assert_string_equal(c->host_prefix, "tap82-");
	assert_int_equal(c->listen_count, 1);
	assert_string_equal(c->listen[0], "/run/tap82/tap82.sock");
	assert_string_equal(c->api_token_file, "/etc/tap82/api.token");
	assert_null(c->metrics_listen);
	assert_string_equal(c->event_log, "/var/log/tap82/events.jsonl");
	assert_int_equal(c->event_retention, 90 * USEC_PER_DAY);
	assert_string_equal(c->user, "tap82");
	conf_free(c);
}

static void every_global_key_is_read(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(load(whole, &c), 0);
	assert_string_equal(told, "");
	assert_string_equal(c->state, "/tmp/x.db");
	assert_string_equal(c->devices, "/tmp/devices.csv");
	assert_true(c->inventory_skip);
	assert_int_equal(c->on_removal, CONF_REMOVAL_RELEASE);
	assert_false(c->auto_provisioning);
	assert_int_equal(c->stream_hold, 0);
	assert_int_equal(c->reservation_timeout, 1500000);
	assert_int_equal(c->on_address_change, CONF_ADDRESS_REPORT);
	assert_int_equal(c->replacement, CONF_REPLACEMENT_TAKEOVER);
	assert_int_equal(c->replacement_silence, 2 * USEC_PER_HOUR);
	assert_string_equal(c->host_prefix, "cam_");
	assert_int_equal(c->listen_count, 2);
	assert_string_equal(c->listen[0], "/tmp/a.sock");
	assert_string_equal(c->listen[1], "127.0.0.1:8082");
	assert_string_equal(c->api_token_file, "/tmp/token");
	assert_string_equal(c->metrics_listen, "0.0.0.0:9082");
	assert_string_equal(c->event_log, "/tmp/e.jsonl");
	assert_int_equal(c->event_retention, 7 * USEC_PER_DAY);
	assert_string_equal(c->user, "nobody");
	conf_free(c);
}

static void captures_and_servers_are_read(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(load(whole, &c), 0);
	assert_int_equal(c->capture_count, 1);
	assert_string_equal(c->captures[0].name, "camera-vlan");
	assert_string_equal(c->captures[0].interface, "eth1");
	assert_null(c->captures[0].file);
	assert_int_equal(c->captures[0].vlan_count, 2);
	assert_int_equal(c->captures[0].vlans[1], 121);
	assert_int_equal(c->captures[0].buffer, 2 << 20);
	assert_int_equal(c->captures[0].tunnels, CONF_TUNNEL_GRE | CONF_TUNNEL_VXLAN);
	assert_int_equal(c->server_count, 2);
	assert_string_equal(c->servers[0].name, "North");
	assert_int_equal(c->servers[0].address, 0x0a000002);
	assert_int_equal(c->servers[0].port, 7912);
	assert_int_equal(c->servers[0].server_id, 0x0a000014);
	assert_string_equal(c->servers[0].key_name, "omapi_key");
	assert_string_equal(c->servers[0].key_algorithm, "hmac-md5");
	assert_int_equal(c->servers[1].port, 7911);
	assert_int_equal(c->servers[1].server_id, 0x0a000003);
	assert_null(c->servers[1].key_name);
	assert_int_equal(conf_server_by_id(c, 0x0a000014), 0);
	assert_int_equal(conf_server_by_id(c, 0x0a000002), 0);
	assert_int_equal(conf_server_by_id(c, 0x0a000004), -1);
	conf_free(c);
}

static void groups_are_read_and_the_longest_subnet_wins(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(load(whole, &c), 0);
	assert_int_equal(c->group_count, 1);
	assert_string_equal(c->groups[0].name, "North");
	assert_int_equal(conf_group_by_name(c, "north"), 0);
	assert_int_equal(c->groups[0].subnet_count, 2);
	assert_int_equal(c->groups[0].relay_count, 1);
	assert_true(c->groups[0].l2);
	assert_int_equal(c->groups[0].server_count, 2);
	assert_int_equal(c->groups[0].servers[0], 1);
	assert_int_equal(c->groups[0].servers[1], 0);
	assert_false(c->groups[0].auto_provisioning);
	assert_int_equal(c->groups[0].reservation, CONF_RESERVATION_PIN);
	conf_free(c);
	assert_int_equal(load("[server s]\naddress=10.0.0.1\n"
			      "[group wide]\nsubnets=10.0.0.0/8\n"
			      "[group narrow]\nsubnets=10.1.0.0/16\n",
				 &c),
		0);
	assert_int_equal(conf_group_of(c, 0x0a010203), 1);
	assert_int_equal(conf_group_of(c, 0x0a020203), 0);
	assert_int_equal(conf_group_of(c, 0x0b020203), -1);
	assert_int_equal(c->groups[1].server_count, 1);
	conf_free(c);
}

static void switches_layouts_and_webhooks_are_read(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(load(whole, &c), 0);
	assert_int_equal(c->switch_count, 4);
	assert_int_equal(c->switches[0].giaddr, 0x0a140001);
	assert_string_equal(c->switches[0].layout, "cisco");
	assert_int_equal(c->switches[1].remote_id_len, 8);
	assert_memory_equal(c->switches[1].remote_id, "\0\6\xaa\xbb\xcc\xdd\xee\xff", 8);
	assert_string_equal(c->switches[1].layout, "d-link");
	assert_memory_equal(c->switches[2].remote_id, "Tower B, Floor 3", 16);
	assert_string_equal(c->switches[2].layout, "acme-2");
	assert_int_equal(c->switches[2].offset, 0);
	assert_memory_equal(c->switches[3].remote_id, "cafe", 4);
	assert_string_equal(c->switches[3].layout, "huawei-common");
	assert_int_equal(c->switches[3].offset, 1);
	assert_int_equal(c->layout_count, 1);
	assert_string_equal(c->layouts[0].circuit_id, "text eth {slot}/{port};{#}");
	assert_null(c->layouts[0].remote_id);
	assert_int_equal(c->webhook_count, 1);
	assert_string_equal(c->webhooks[0].url, "http://127.0.0.1:8080/api/v1/billing/streams");
	assert_int_equal(c->webhooks[0].event_count, 2);
	assert_string_equal(c->webhooks[0].events[1], "dhcp.reservation_failed");
	assert_int_equal(c->webhooks[0].format, CONF_WEBHOOK_TAP82);
	assert_string_equal(c->webhooks[0].ca_file, "/tmp/ca.pem");
	conf_free(c);
}

#define SERVER "[server s]\naddress = 10.0.0.2\n"
#define GROUP  SERVER "[group g]\n"

/* A file, and all that is to be said about it. */
static const struct {
	const char *text, *problems;
} wrong[] = {
	{"[tap83]\n", ": [tap83]: there is no such section (line 1)\n"},
	{"[tap82 x]\n", ": [tap82 x]: this section has no name (line 1)\n"},
	{"[server]\n", ": [server]: this section needs a name (line 1)\n"},
	{"[server a b]\n",
		": [server a b]: a name is 1 to 63 letters, digits, '.', '_' and '-' (line 1)\n"},
	{"[tap82]\ncolour = red\n", ": [tap82] colour: there is no such key (line 2)\n"},
	{"[tap82]\nstate =\n", ": [tap82] state: is empty (line 2)\n"},
	{"[tap82]\ninventory-errors = ignore\n",
		": [tap82] inventory-errors: 'ignore' is none of refuse|skip (line 2)\n"},
	{"[tap82]\non-removal = delete\n",
		": [tap82] on-removal: 'delete' is none of keep|release (line 2)\n"},
	{"[tap82]\nauto-provisioning = maybe\n",
		": [tap82] auto-provisioning: 'maybe' is neither yes nor no (line 2)\n"},
	{"[tap82]\nstream-hold = 300\n",
		": [tap82] stream-hold: '300' is no duration: a number and ms, s, m, h or d "
		"(line 2)\n"},
	{"[tap82]\nreservation-timeout = 0s\n",
		": [tap82] reservation-timeout: '0s' is not between 1ms and 36500d (line 2)\n"},
	{"[tap82]\nevent-retention = 99999d\n",
		": [tap82] event-retention: '99999d' is not between 1ms and 36500d (line 2)\n"},
	{"[tap82]\nreplacement = on\n",
		": [tap82] replacement: 'on' is none of off|report|takeover (line 2)\n"},
	{"[tap82]\nhost-prefix = a b\n",
		": [tap82] host-prefix: 'a b' does not begin with a letter or digit and go on with "
		"letters, digits, '_' and '-' (at most 40) (line 2)\n"},
	{"[tap82]\nlisten = 10.0.0.1:80\n",
		": [tap82] listen: '10.0.0.1:80' is not loopback: over TCP the API listens on "
		"127.0.0.0/8 only (line 2)\n"},
	{"[tap82]\nlisten = here\n",
		": [tap82] listen: 'here' is neither a path nor ADDRESS:PORT (line 2)\n"},
	{"[tap82]\nlisten = /a, /a\n", ": [tap82] listen: '/a' stands twice (line 2)\n"},
	{"[tap82]\nmetrics-listen = 9100\n",
		": [tap82] metrics-listen: '9100' is not ADDRESS:PORT (line 2)\n"},
	{"[capture c]\n", ": [capture c] interface: is missing (or: file)\n"},
	{"[capture c]\ninterface = eth0\nfile = x.pcap\n",
		": [capture c] file: a capture reads an interface or a file, not both\n"},
	{"[capture c]\ninterface = an-interface-too-long\n",
		": [capture c] interface: 'an-interface-too-long' is no name of an interface (1 to "
		"15 characters) (line 2)\n: [capture c] interface: is missing (or: file)\n"},
	{"[capture c]\nfile = x\nvlan = 0\n",
		": [capture c] vlan: '0' is no VLAN (1 to 4094) (line 3)\n"},
	{"[capture c]\nfile = x\nvlan = 5,,6\n",
		": [capture c] vlan: an item of the list is empty (line 3)\n"},
	{"[capture c]\nfile = x\nbuffer = 1T\n",
		": [capture c] buffer: '1T' is no size: a number and K, M or G (line 3)\n"},
	{"[capture c]\nfile = x\nbuffer = 2G\n",
		": [capture c] buffer: '2G' is not between 64K and 1024M (line 3)\n"},
	{"[capture c]\nfile = x\ntunnels = gre, none\n",
		": [capture c] tunnels: 'none' is none of none, gre, erspan, vxlan, tzsp (line "
		"3)\n"},
	{"[server s]\n", ": [server s] address: is missing\n"},
	{"[server s]\naddress = dhcp.example\n",
		": [server s] address: 'dhcp.example' is no IPv4 address of a host (line 2)\n"},
	{SERVER "port = 70000\n", ": [server s] port: '70000' is no port (1 to 65535) (line 3)\n"},
	{SERVER "key-name = k\n", ": [server s] key-file: is missing: there is a key-name\n"},
	{SERVER "key-file = k\n", ": [server s] key-name: is missing: there is a key-file\n"},
	{SERVER "key-algorithm = md5\n",
		": [server s] key-algorithm: 'md5' is none of hmac-md5|hmac-sha1|hmac-sha224|"
		"hmac-sha256|hmac-sha384|hmac-sha512 (line 3)\n"},
	{SERVER "[server t]\naddress = 10.0.0.3\nserver-id = 10.0.0.2\n",
		": [server t] server-id: [server s] has the same server identifier\n"},
	{SERVER "[server t]\naddress = 10.0.0.2\nserver-id = 10.0.0.3\n",
		": [server t] address: [server s] has the same address and port\n"},
	{GROUP, ": [group g] subnets: is missing\n"},
	{GROUP "subnets = 10.20.0.1/16\n",
		": [group g] subnets: '10.20.0.1/16' has host bits behind its prefix length "
		"(line 4)\n"},
	{GROUP "subnets = all\n",
		": [group g] subnets: 'all' is no subnet (like 10.20.0.0/16) (line 4)\n"},
	{GROUP "subnets = 10.0.0.0/8\n[group h]\nsubnets = 10.0.0.0/8\n",
		": [group h] subnets: 10.0.0.0/8 is a subnet of [group g] too\n"},
	{GROUP "subnets = 10.0.0.0/8\nservers = s, north\n",
		": [group g] servers: there is no section [server north] (line 5)\n"},
	{SERVER "[server t]\naddress = 10.0.0.3\n[group g]\nsubnets = 10.0.0.0/8\n",
		": [group g] servers: is missing\n"},
	{GROUP "subnets = 10.0.0.0/8\nrelays = layer2\n",
		": [group g] relays: 'layer2' is neither a relay's address nor l2 (line 5)\n"},
	{GROUP "subnets = 10.0.0.0/8\nreservation = static\n",
		": [group g] reservation: 'static' is none of auto|host|pin (line 5)\n"},
	{"[switches]\n10.0.0.1 = \n",
		": [switches] 10.0.0.1: '' is no layout with an offset: NAME, NAME+N or NAME-N "
		"(line 2)\n"},
	{"[switches]\n10.0.0.1 = cisco+99999\n",
		": [switches] 10.0.0.1: 'cisco+99999': the offset is not between -4096 and 4096 "
		"(line 2)\n"},
	{"[switches]\naabb = cisco\naa:bb = moxa\n",
		": [switches] aa:bb: the same switch stands above in another spelling (line 3)\n"},
	{"[switches]\n0xabc = cisco\n",
		": [switches] 0xabc: is neither a giaddr nor a remote-id in hex or as text "
		"(line 2)\n"},
	{"[layout l]\nremote-id = mac:48\n", ": [layout l] circuit-id: is missing\n"},
	{"[webhook w]\n", ": [webhook w] url: is missing\n"},
	{"[webhook w]\nurl = ftp://x/\n",
		": [webhook w] url: 'ftp://x/' is no http:// or https:// address (line 2)\n"},
	{"[webhook w]\nurl = http://x/\nevents = camera.exploded\n",
		": [webhook w] events: there is no event 'camera.exploded' (line 3)\n"},
	{"[webhook w]\nurl = http://x/\nformat = xml\n",
		": [webhook w] format: 'xml' is none of aipix|tap82 (line 3)\n"},
	/* What iniparser loses. */
	{"state = x\n", ":1: stands before the first [SECTION]\n"},
	{"[tap82]\njust words\n", ":2: is neither [SECTION] nor KEY = VALUE nor a comment\n"},
	{"[tap82]\nx", ":2: is neither [SECTION] nor KEY = VALUE nor a comment\n"},
	{"[tap82\n", ":1: the section's ']' is missing\n"},
	{"[tap82] x\n", ":1: behind the section's ']' stands something else than a comment\n"},
	{"[]\n", ":1: [] is no name of a section\n"},
	{"[tap82]\n[TAP82]\n", ": [TAP82]: stands twice: first on line 1 (line 2)\n"},
	{"[tap82]\nuser = a\nUser = b\n",
		": [tap82] User: stands twice: first on line 2 (line 3)\n"},
	{"[tap82]\nuser = \"a\n", ": [tap82] user: the quote is not closed (line 2)\n"},
	{"[tap82]\nuser = \"a\" b\n",
		": [tap82] user: behind the closing quote stands something else than a comment "
		"(line 2)\n"},
	{"[webhook w]\nurl = http://x/#y\n",
		": [webhook w] url: '#' begins a comment: a value that holds one stands in quotes "
		"(line 2)\n"},
	/* All of it, not only the first. */
	{"[tap82]\nuser = a b\nstate = \n[nonsense]\n[server s]\nport = x\n",
		": [nonsense]: there is no such section (line 4)\n"
		": [tap82] state: is empty (line 3)\n"
		": [tap82] user: 'a b' is not made of letters, digits, '.', '_' and '-' (at most "
		"63) (line 2)\n"
		": [server s] address: is missing\n"
		": [server s] port: 'x' is no port (1 to 65535) (line 6)\n"},
};

static void every_kind_of_mistake_is_named_with_its_place(void **state)
{
	struct conf *c;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(load(wrong[i].text, &c), ERR_SYNTAX);
		assert_string_equal(told, wrong[i].problems);
	}
}

static void a_line_that_is_too_long_is_named(void **state)
{
	char text[1200];
	struct conf *c;

	(void)state;
	snprintf(text, sizeof(text), "[tap82]\n\nstate = /%0*d\n", 1100, 0);
	assert_int_equal(load(text, &c), ERR_SYNTAX);
	assert_string_equal(told, ":3: is longer than 1000 bytes\n");
	snprintf(text, sizeof(text), "[tap82]\nstate = /%0*d\n", 900, 0);
	assert_int_equal(load(text, &c), 0);
	assert_int_equal(strlen(c->state), 901);
	conf_free(c);
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct conf *c;

	(void)state;
	problems = 0;
	*told = 0;
	unlink(path);
	assert_int_equal(conf_load(path, tell, NULL, &c), -2);
	assert_string_equal(told, ": cannot be read: No such file or directory\n");
}

static void comments_quotes_continuations_and_a_bom_are_understood(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(load("\xef\xbb\xbf# first\r\n[tap82] # the process\r\n"
			      "  User = 'me'   ; who\r\n"
			      "listen = /a, \\\r\n  /b\r\n"
			      "state = \"/x;y#z\"\r\n"
			      "metrics-listen =       ; off\r\n",
				 &c),
		0);
	assert_string_equal(c->user, "me");
	assert_int_equal(c->listen_count, 2);
	assert_string_equal(c->listen[1], "/b");
	assert_string_equal(c->state, "/x;y#z");
	assert_null(c->metrics_listen);
	conf_free(c);
}

static void ids_are_hex_or_text(void **state)
{
	uint8_t id[8];

	(void)state;
	assert_int_equal(conf_id_parse("00:0a", 5, id, sizeof(id)), 2);
	assert_memory_equal(id, "\0\x0a", 2);
	assert_int_equal(conf_id_parse("eth0/1", 6, id, sizeof(id)), 6);
	assert_memory_equal(id, "eth0/1", 6);
	assert_int_equal(conf_id_parse("text:beef", 9, id, sizeof(id)), 4);
	assert_memory_equal(id, "beef", 4);
	assert_int_equal(conf_id_parse("0xbeef", 6, id, sizeof(id)), 2);
	assert_int_equal(conf_id_parse("0xbee", 5, id, sizeof(id)), ERR_SYNTAX);
	assert_int_equal(conf_id_parse("123456789", 9, id, sizeof(id)), ERR_FULL);
	assert_int_equal(conf_id_parse("0102030405060708aa", 18, id, sizeof(id)), ERR_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_file_does_not_say_has_its_default),
		cmocka_unit_test(every_global_key_is_read),
		cmocka_unit_test(captures_and_servers_are_read),
		cmocka_unit_test(groups_are_read_and_the_longest_subnet_wins),
		cmocka_unit_test(switches_layouts_and_webhooks_are_read),
		cmocka_unit_test(every_kind_of_mistake_is_named_with_its_place),
		cmocka_unit_test(a_line_that_is_too_long_is_named),
		cmocka_unit_test(comments_quotes_continuations_and_a_bom_are_understood),
		cmocka_unit_test(ids_are_hex_or_text),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, make_file, NULL);
}
