/* SPDX-License-Identifier: ISC
 *
 * The sniffer process over a capture file: the talk with the engine, from its end of the socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap82/capture_file.h"
#include "tap82/message.h"
#include "tap82/observation.h"
#include "tap82/sniffer.h"

#include "build_packet.h"

#define ACKS 30000 /* more than the queue and the socket hold */

static char path[64];
static struct message_decoder *messages;
static int engine; /* our end */
static pid_t sniffer;

static void write_acks(unsigned count)
{
	static struct build b;
	uint8_t ack[300] = {2, 1, 6, 0};
	struct capture_writer *w;

	memcpy(ack + 236, "\x63\x82\x53\x63\x35\x01\x05\xff", 8);
	assert_int_equal(capture_writer_open(path, &w), 0);
	for (unsigned i = 0; i < count; i++) {
		struct packet p = {.time = i + 1, .link_type = 101};

		put32(ack + 4, i);
		put32(ack + 30, i);
		build_start(&b, ack, sizeof(ack));
		build_udp(&b, 1, 2, 67, 67);
		build_ipv4(&b, 1, 2, 17);
		p.bytes = build_bytes(&b);
		p.len = p.wire_len = (uint32_t)build_len(&b);
		assert_int_equal(capture_writer_add(w, &p), 0);
	}
	assert_int_equal(capture_writer_close(w), 0);
}

static void start(const struct sniffer_config *config, void (*before)(void))
{
	const struct timeval patience = {.tv_sec = 10};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	engine = pair[0];
	setsockopt(engine, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	sniffer = fork();
	if (sniffer == 0) {
		close(engine);
		if (before)
			before();
		_exit(sniffer_run(config, pair[1]));
	}
	close(pair[1]);
}

static void start_on_file(void)
{
	const struct sniffer_config config = {.name = "t", .file = path, .messages = messages};

	start(&config, NULL);
}

static struct observation hear(void)
{
	struct observation o;
	ssize_t n = recv(engine, &o, sizeof(o), 0);

	assert_true(n > 0);
	assert_int_equal(observation_check(&o, (size_t)n), 0);
	return o;
}

static void assert_status(uint8_t state, const char *text)
{
	const struct observation o = hear();

	assert_int_equal(o.kind, OBSERVATION_STATUS);
	assert_int_equal(o.status.state, state);
	assert_non_null(strstr(o.status.text, text));
}

static void assert_ends(int exit_code)
{
	int status;
	char c;

	assert_int_equal(recv(engine, &c, 1, 0), 0);
	assert_int_equal(waitpid(sniffer, &status, 0), sniffer);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), exit_code);
	close(engine);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_sniffer.%d.pcap", (int)getpid());
	messages = message_decoder_new();
	return messages ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	message_decoder_free(messages);
	return 0;
}

static void a_file_is_told_whole_and_in_order_to_a_slow_engine(void **state)
{
	unsigned next = 0;
	bool counted = false;

	(void)state;
	write_acks(ACKS);
	start_on_file();
	usleep(300000);
	assert_status(OBSERVATION_CAPTURE_OPEN, path);
	while (next < ACKS) {
		const struct observation o = hear();

		assert_int_equal(o.kind, OBSERVATION_DHCP);
		assert_int_equal(o.dhcp.xid, next);
		assert_int_equal(o.time, next + 1);
		next++;
	}
	while (!counted) {
		const struct observation o = hear();

		assert_int_equal(o.kind, OBSERVATION_COUNTERS);
		counted = o.counters.packets == ACKS && o.counters.dhcp == ACKS;
		assert_true(counted);
	}
	assert_status(OBSERVATION_CAPTURE_ENDED, path);
	assert_ends(SNIFFER_EXIT_STOPPED);
}

static void a_missing_file_or_interface_is_told_and_ends_it(void **state)
{
	const struct sniffer_config none = {
		.name = "t", .interface = "no-such-if0", .buffer = 1 << 20, .messages = messages};

	(void)state;
	start_on_file();
	assert_status(OBSERVATION_CAPTURE_FAILED, "No such file");
	assert_ends(SNIFFER_EXIT_OPEN);
	start(&none, NULL);
	assert_status(OBSERVATION_CAPTURE_FAILED, "no-such-if0: cannot be captured");
	assert_ends(SNIFFER_EXIT_OPEN);
}

static void a_cut_file_is_told_after_what_was_whole(void **state)
{
	(void)state;
	write_acks(3);
	assert_int_equal(truncate(path, 24 + 3 * (16 + 328) - 1), 0);
	start_on_file();
	assert_status(OBSERVATION_CAPTURE_OPEN, path);
	assert_int_equal(hear().dhcp.xid, 0);
	assert_int_equal(hear().dhcp.xid, 1);
	assert_int_equal(hear().kind, OBSERVATION_COUNTERS);
	assert_status(OBSERVATION_CAPTURE_FAILED, "packet 3 at byte");
	assert_ends(SNIFFER_EXIT_LOST);
}

static void the_end_of_the_engine_ends_it(void **state)
{
	int status;

	(void)state;
	write_acks(ACKS);
	start_on_file();
	assert_status(OBSERVATION_CAPTURE_OPEN, path);
	close(engine);
	assert_int_equal(waitpid(sniffer, &status, 0), sniffer);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SNIFFER_EXIT_ENGINE);
}

static void sigterm_ends_it_while_it_waits_for_the_engine(void **state)
{
	int status;

	(void)state;
	write_acks(ACKS);
	start_on_file();
	assert_status(OBSERVATION_CAPTURE_OPEN, path);
	usleep(200000);
	assert_int_equal(kill(sniffer, SIGTERM), 0);
	assert_int_equal(waitpid(sniffer, &status, 0), sniffer);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SNIFFER_EXIT_STOPPED);
	close(engine);
}

static void what_is_malformed_is_counted(void **state)
{
	static struct build b;
	struct capture_writer *w;
	struct packet p = {.time = 1, .link_type = 101};
	struct observation o;

	(void)state;
	assert_int_equal(capture_writer_open(path, &w), 0);
	for (int i = 0; i < 2; i++) {
		build_start(&b, "short", 5);
		build_udp(&b, 1, 2, i ? 5004 : 67, i ? 5004 : 67);
		build_ipv4(&b, 1, 2, 17);
		p.bytes = build_bytes(&b);
		p.len = p.wire_len = (uint32_t)build_len(&b);
		assert_int_equal(capture_writer_add(w, &p), 0);
	}
	assert_int_equal(capture_writer_close(w), 0);
	start_on_file();
	assert_status(OBSERVATION_CAPTURE_OPEN, path);
	o = hear();
	assert_int_equal(o.kind, OBSERVATION_COUNTERS);
	assert_int_equal(o.counters.packets, 2);
	assert_int_equal(o.counters.malformed, 1);
	assert_int_equal(o.counters.other, 1);
	assert_status(OBSERVATION_CAPTURE_ENDED, path);
	assert_ends(SNIFFER_EXIT_STOPPED);
}

static void radius_is_told_and_counted(void **state)
{
	static const uint8_t request[] = "\x01\x07\x00\x22"
					 "authenticator---"
					 "\x1f\x0e"
					 "00408cabbbcc";
	static struct build b;
	struct capture_writer *w;
	struct packet p = {.time = 1, .link_type = 101};
	struct observation o;

	(void)state;
	assert_int_equal(capture_writer_open(path, &w), 0);
	build_start(&b, request, sizeof(request) - 1);
	build_udp(&b, 1, 2, 40000, 1812);
	build_ipv4(&b, 1, 2, 17);
	p.bytes = build_bytes(&b);
	p.len = p.wire_len = (uint32_t)build_len(&b);
	assert_int_equal(capture_writer_add(w, &p), 0);
	assert_int_equal(capture_writer_close(w), 0);
	start_on_file();
	assert_status(OBSERVATION_CAPTURE_OPEN, path);
	o = hear();
	assert_int_equal(o.kind, OBSERVATION_RADIUS);
	assert_int_equal(o.radius.code, 1);
	o = hear();
	assert_int_equal(o.kind, OBSERVATION_COUNTERS);
	assert_int_equal(o.counters.radius, 1);
	assert_int_equal(o.counters.malformed, 0);
	assert_status(OBSERVATION_CAPTURE_ENDED, path);
	assert_ends(SNIFFER_EXIT_STOPPED);
}

/* Who is not root has no other user to become. */
static void a_sniffer_that_cannot_lock_itself_in_looks_at_nothing(void **state)
{
	const struct sniffer_config config = {
		.name = "t", .file = path, .messages = messages, .user = "no-such-user-here"};

	(void)state;
	write_acks(1);
	start(&config, NULL);
	if (geteuid() == 0) {
		assert_status(OBSERVATION_CAPTURE_FAILED, "cannot become the user: ");
		assert_ends(SNIFFER_EXIT_SANDBOX);
		return;
	}
	assert_status(OBSERVATION_CAPTURE_OPEN, path);
	assert_int_equal(hear().kind, OBSERVATION_DHCP);
	assert_int_equal(hear().kind, OBSERVATION_COUNTERS);
	assert_status(OBSERVATION_CAPTURE_ENDED, path);
	assert_ends(SNIFFER_EXIT_STOPPED);
}

static void become_nobody(void)
{
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		_exit(99);
}

static void without_permission_that_is_said(void **state)
{
	const struct sniffer_config config = {
		.name = "t", .interface = "lo", .buffer = 1 << 20, .messages = messages};

	(void)state;
	start(&config, become_nobody);
	assert_status(OBSERVATION_CAPTURE_FAILED, "lo: cannot be captured: no permission");
	assert_ends(SNIFFER_EXIT_OPEN);
}

/* --- A live capture, in a network of its own: root is not needed ------------------------------ */

static void make_ack(uint8_t ack[300])
{
	memset(ack, 0, 300);
	memcpy(ack, "\x02\x01\x06\x00live", 8);
	memcpy(ack + 236, "\x63\x82\x53\x63\x35\x01\x05\xff", 8);
}

static void send_acks(int fd, int count)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(67)};
	uint8_t ack[300];

	make_ack(ack);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (; count > 0; count--) {
		(void)!sendto(fd, ack, sizeof(ack), 0, (struct sockaddr *)&to, sizeof(to));
		usleep(20000);
	}
}

/* A new network with its loopback up, and somebody who sends ACKs over it. Then it goes down. */
static void enter_network(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0 || fork() != 0)
		return;
	for (int i = 3; i < 100; i++)
		if (i != fd)
			close(i);
	send_acks(fd, 40);
	lo.ifr_flags = 0;
	(void)ioctl(fd, SIOCSIFFLAGS, &lo);
	_exit(0);
}

static bool networks_are_ours_to_make(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void a_live_capture_tells_what_it_sees_and_that_it_ended(void **state)
{
	const struct sniffer_config config = {
		.name = "t", .interface = "lo", .buffer = 1 << 20, .messages = messages};
	unsigned acks = 0, counters = 0;
	struct observation o;

	(void)state;
	start(&config, enter_network);
	if (!networks_are_ours_to_make() && geteuid() != 0) {
		assert_status(OBSERVATION_CAPTURE_FAILED, "no permission");
		assert_ends(SNIFFER_EXIT_OPEN);
		return;
	}
	assert_status(OBSERVATION_CAPTURE_OPEN, "lo");
	for (o = hear(); o.kind != OBSERVATION_STATUS; o = hear()) {
		acks += o.kind == OBSERVATION_DHCP && o.dhcp.xid == 0x6c697665;
		counters += o.kind == OBSERVATION_COUNTERS;
	}
	assert_true(acks >= 20);
	assert_true(counters >= 1);
	assert_int_equal(o.status.state, OBSERVATION_CAPTURE_FAILED);
	assert_non_null(strstr(o.status.text, "lo: the capture has ended"));
	assert_ends(SNIFFER_EXIT_LOST);
}

/* "any" is no interface that could go: it lives until it is told to end. */
static void a_capture_of_all_interfaces_outlives_them(void **state)
{
	const struct sniffer_config config = {
		.name = "t", .interface = "any", .buffer = 1 << 20, .messages = messages};
	struct observation o;
	int status;

	(void)state;
	if (!networks_are_ours_to_make() && geteuid() != 0)
		return;
	start(&config, enter_network);
	assert_status(OBSERVATION_CAPTURE_OPEN, "any");
	assert_int_equal(hear().kind, OBSERVATION_DHCP);
	do
		o = hear();
	while (o.kind == OBSERVATION_DHCP);
	assert_int_equal(o.kind, OBSERVATION_COUNTERS);
	assert_true(o.counters.dhcp >= 1);
	sleep(1); /* the loopback is down */
	assert_int_equal(waitpid(sniffer, &status, WNOHANG), 0);
	assert_int_equal(kill(sniffer, SIGTERM), 0);
	assert_int_equal(waitpid(sniffer, &status, 0), sniffer);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SNIFFER_EXIT_STOPPED);
	close(engine);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_told_whole_and_in_order_to_a_slow_engine),
		TEST(a_missing_file_or_interface_is_told_and_ends_it),
		TEST(a_cut_file_is_told_after_what_was_whole),
		TEST(the_end_of_the_engine_ends_it),
		TEST(sigterm_ends_it_while_it_waits_for_the_engine),
		TEST(what_is_malformed_is_counted),
		TEST(radius_is_told_and_counted),
		TEST(a_sniffer_that_cannot_lock_itself_in_looks_at_nothing),
		TEST(without_permission_that_is_said),
		TEST(a_live_capture_tells_what_it_sees_and_that_it_ended),
		TEST(a_capture_of_all_interfaces_outlives_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
