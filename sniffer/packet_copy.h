/* SPDX-License-Identifier: ISC
 *
 * Copies of packets in the order they came, for datagrams whose fragments somebody will write
 * again.
 */
#ifndef SNIFFER_PACKET_COPY_H
#define SNIFFER_PACKET_COPY_H

#include "tap82/frame.h"

/* A list of one: `serial` says its place among others. NULL without memory. */
struct packet_copy *packet_copy_new(const struct packet *packet, uint64_t serial);
void packet_copy_free(struct packet_copy *list); /* all of it; NULL is fine */
/* Both lists, by serial. */
struct packet_copy *packet_copy_merge(struct packet_copy *a, struct packet_copy *b);
/* Bytes of memory, and the number of packets. */
size_t packet_copy_size(const struct packet_copy *list, unsigned *ret_count);

#endif
