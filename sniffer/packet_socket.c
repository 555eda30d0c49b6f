/* SPDX-License-Identifier: ISC
 *
 * libpcap takes no socket that is there: it makes its own, with socket(). So that function is ours
 * in this program, and asks the opener where there is one. The linker gives a program's own
 * function the preference over the C library's, for its shared libraries, too.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap82/packet_socket.h"
#include "tap82/pass.h"

struct request {
	int32_t type, protocol; /* as for socket() */
};

struct reply {
	int32_t error; /* errno; 0: the socket comes with it */
};

static int opener;

void packet_socket_from(int fd)
{
	opener = fd;
}

/* --- The opener ------------------------------------------------------------------------------ */

static void answer(const struct request *request, int to)
{
	int fd = socket(AF_PACKET, request->type, request->protocol);
	const struct reply reply = {.error = fd < 0 ? errno : 0};

	(void)pass_send(to, &reply, sizeof(reply), fd);
	if (fd >= 0)
		close(fd);
}

void packet_socket_serve(int fd)
{
	struct request request = {0};
	int to, r;

	while ((r = pass_receive(fd, &request, sizeof(request), 0, &to)) >= 0) {
		if (r == 0 || to < 0)
			continue;
		answer(&request, to);
		close(to);
	}
}

/* --- Who asks it ----------------------------------------------------------------------------- */

static int ask(const struct request *request, int pair[2])
{
	struct reply reply = {.error = EPERM}; /* there is no opener any more */
	int fd = -1, r = pass_send(opener, request, sizeof(*request), pair[1]);

	close(pair[1]);
	while (r == 0)
		r = pass_receive(pair[0], &reply, sizeof(reply), 0, &fd);
	if (reply.error)
		errno = reply.error;
	return reply.error ? -1 : fd;
}

int socket(int domain, int type, int protocol)
{
	const struct request request = {.type = type, .protocol = protocol};
	int fd, saved, pair[2];

	if (domain != AF_PACKET || opener == 0)
		return (int)syscall(SYS_socket, domain, type, protocol);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	fd = ask(&request, pair);
	saved = errno;
	close(pair[0]);
	errno = saved;
	return fd;
}
