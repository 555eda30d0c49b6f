/* SPDX-License-Identifier: ISC
 *
 * Packet sockets for who may not make them: one process, the opener, keeps CAP_NET_RAW and hands
 * sockets over; it never looks at a packet. A sniffer that gets its socket from it holds no
 * capability at any time, and needs no capset() to be rid of one.
 */
#ifndef TAP82_PACKET_SOCKET_H
#define TAP82_PACKET_SOCKET_H

/* In the opener: answers what comes on `fd` (AF_UNIX, SOCK_SEQPACKET) until its other ends are
 * closed. Requests bring the socket that is answered on: several may ask on one `fd`. */
void packet_socket_serve(int fd);

/* From here on socket(AF_PACKET, …) of this process asks the opener at the other end of `fd`;
 * 0: the kernel, as before. `fd` stays the caller's. */
void packet_socket_from(int fd);

#endif
