/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "packet_copy.h"

struct packet_copy *packet_copy_new(const struct packet *packet, uint64_t serial)
{
	struct packet_copy *copy = malloc(sizeof(*copy) + packet->len);

	if (!copy)
		return NULL;
	*copy = (struct packet_copy){.packet = *packet, .serial = serial};
	if (packet->len > 0)
		memcpy(copy->bytes, packet->bytes, packet->len);
	copy->packet.bytes = copy->bytes;
	return copy;
}

void packet_copy_free(struct packet_copy *list)
{
	while (list) {
		struct packet_copy *next = list->next;

		free(list);
		list = next;
	}
}

struct packet_copy *packet_copy_merge(struct packet_copy *a, struct packet_copy *b)
{
	struct packet_copy *list = NULL, **end = &list;

	while (a && b) {
		struct packet_copy **first = a->serial <= b->serial ? &a : &b;

		*end = *first;
		end = &(*end)->next;
		*first = *end;
	}
	*end = a ? a : b;
	return list;
}

size_t packet_copy_size(const struct packet_copy *list, unsigned *ret_count)
{
	size_t size = 0;

	*ret_count = 0;
	for (; list; list = list->next) {
		size += sizeof(*list) + list->packet.len;
		++*ret_count;
	}
	return size;
}
