/* SPDX-License-Identifier: ISC
 *
 * Writes pcap, in the byte order of this machine, microseconds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap82/capture_file.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#define MAGIC_MICRO 0xa1b2c3d4
#define SNAPLEN	    262144

struct capture_writer {
	FILE *out;
	int link_type; /* -1: no packet yet, and no header */
};

int capture_writer_open(const char *path, struct capture_writer **ret_writer)
{
	struct capture_writer *w = malloc(sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->link_type = -1;
	w->out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (!w->out) {
		int r = -errno;

		free(w);
		return r;
	}
	*ret_writer = w;
	return 0;
}

static int put(struct capture_writer *w, const void *bytes, size_t len)
{
	if (len && fwrite(bytes, len, 1, w->out) != 1)
		return errno ? -errno : -EIO;
	return 0;
}

static int put_header(struct capture_writer *w, int link_type)
{
	const uint32_t header[6] = {MAGIC_MICRO,
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 4u << 16 | 2 : 2u << 16 | 4, 0, 0,
		SNAPLEN, (uint32_t)link_type};

	w->link_type = link_type;
	return put(w, header, sizeof(header));
}

int capture_writer_add(struct capture_writer *writer, const struct packet *packet)
{
	const uint32_t record[4] = {(uint32_t)(packet->time / USEC_PER_SEC),
		(uint32_t)(packet->time % USEC_PER_SEC), packet->len, packet->wire_len};
	int r = 0;

	errno = 0;
	if (writer->link_type < 0)
		r = put_header(writer, packet->link_type);
	if (r == 0 && packet->link_type != writer->link_type)
		return ERR_RANGE;
	if (r == 0)
		r = put(writer, record, sizeof(record));
	return r < 0 ? r : put(writer, packet->bytes, packet->len);
}

int capture_writer_close(struct capture_writer *writer)
{
	int r = 0;

	errno = 0;
	if (writer->link_type < 0)
		r = put_header(writer, 1);
	if (fflush(writer->out) != 0 && r == 0)
		r = errno ? -errno : -EIO;
	if (writer->out != stdout && fclose(writer->out) != 0 && r == 0)
		r = errno ? -errno : -EIO;
	free(writer);
	return r;
}
