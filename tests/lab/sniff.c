/* SPDX-License-Identifier: ISC
 *
 * sniff IFACE [STALL_MS [VLAN [TUNNEL…]]]: runs a sniffer process as the engine does and prints
 * what it tells, one line a message; SIGTERM ends it. STALL_MS: after the first message, and every
 * second, the reader sleeps for so long, as an engine that commits may. With SNIFF_QUIET in the
 * environment DHCP and RADIUS are only counted; at the end a line says how many came.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap82/clock.h"
#include "tap82/message.h"
#include "tap82/observation.h"
#include "tap82/sniffer.h"

static volatile sig_atomic_t stopped;
static unsigned long dhcp, radius, bad;

static void stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static void print_vlans(const struct observation *o)
{
	for (unsigned i = 0; i < o->vlan_count; i++)
		printf("%s%u", i ? "," : " vlans=", o->vlans[i]);
}

static void print(const struct observation *o)
{
	char mac[MAC_TEXT];
	const struct observation_counters *c = &o->counters;

	switch (o->kind) {
	case OBSERVATION_STATUS:
		printf("status %d error=%d %s\n", o->status.state, o->status.error, o->status.text);
		break;
	case OBSERVATION_COUNTERS:
		printf("counters packets=%llu dhcp=%llu other=%llu drops=%llu fragments=%llu\n",
			(unsigned long long)c->packets, (unsigned long long)c->dhcp,
			(unsigned long long)c->other, (unsigned long long)c->kernel_drops,
			(unsigned long long)c->fragments);
		break;
	case OBSERVATION_DHCP:
		printf("dhcp type=%d mac=%s option82=%u late=%lld", o->dhcp.type,
			mac_format(&o->mac, mac), o->dhcp.option82.len,
			(long long)(clock_wall() - o->time));
		print_vlans(o);
		putchar('\n');
		break;
	default: printf("kind %d mac=%s\n", o->kind, mac_format(&o->mac, mac)); break;
	}
	fflush(stdout);
}

static void take(const struct observation *o, size_t n)
{
	bool quiet = getenv("SNIFF_QUIET") != NULL;

	if (observation_check(o, n) < 0) {
		bad++;
		return;
	}
	dhcp += o->kind == OBSERVATION_DHCP;
	radius += o->kind == OBSERVATION_RADIUS;
	if (!quiet || o->kind == OBSERVATION_STATUS || o->kind == OBSERVATION_COUNTERS)
		print(o);
}

static void read_all(int fd, int stall_ms)
{
	int64_t stall_at = 0;
	struct observation o;

	while (!stopped) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, 1000) <= 0)
			continue;
		n = recv(fd, &o, sizeof(o), MSG_DONTWAIT);
		if (n <= 0)
			return;
		take(&o, (size_t)n);
		if (stall_ms && o.kind == OBSERVATION_DHCP && clock_mono() > stall_at) {
			usleep((useconds_t)stall_ms * 1000);
			stall_at = clock_mono() + USEC_PER_SEC;
		}
	}
}

static void configure(struct sniffer_config *config, int argc, char **argv)
{
	unsigned bit;

	config->name = "test";
	config->interface = argv[1];
	config->buffer = 32 << 20;
	config->user = getenv("SNIFF_USER");
	if (argc > 3 && atoi(argv[3]) > 0)
		frame_want_vlan(&config->want, (uint16_t)atoi(argv[3]));
	for (int i = 4; i < argc; i++)
		if (frame_tunnel_parse(argv[i], &bit) == 0)
			config->want.tunnels |= bit;
	config->messages = message_decoder_new();
}

int main(int argc, char **argv)
{
	struct sniffer_config config = {0};
	struct rusage used;
	int pair[2], status = 0;
	pid_t pid;

	if (argc < 2 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		fputs("usage: sniff IFACE [STALL_MS [VLAN [TUNNEL…]]]\n", stderr);
		return 2;
	}
	configure(&config, argc, argv);
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	pid = fork();
	if (pid == 0)
		_exit(sniffer_run(&config, pair[1]));
	close(pair[1]);
	printf("pid %d\n", (int)pid);
	fflush(stdout);
	read_all(pair[0], argc > 2 ? atoi(argv[2]) : 0);
	kill(pid, SIGTERM);
	wait4(pid, &status, 0, &used);
	printf("dhcp=%lu radius=%lu bad=%lu exit=%d signal=%d cpu_ms=%ld\n", dhcp, radius, bad,
		WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		used.ru_utime.tv_sec * 1000 + used.ru_utime.tv_usec / 1000 +
			used.ru_stime.tv_sec * 1000 + used.ru_stime.tv_usec / 1000);
	message_decoder_free(config.messages);
	return 0;
}
