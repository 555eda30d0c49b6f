/* SPDX-License-Identifier: ISC
 *
 * Writes pcap or pcapng, in the byte order of this machine, microseconds. Pcap has one link type
 * for all; in pcapng each has an interface of its own, described when its first packet comes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap82/capture_file.h"
#include "tap82/clock.h"
#include "tap82/err.h"

#include "capture_form.h"

#define SNAPLEN	  262144
#define LINKS_MAX 64

struct capture_writer {
	FILE *out;
	bool is_pcapng, begun;
	unsigned link_count;
	int links[LINKS_MAX]; /* link types so far; pcap: at most one */
};

static bool names_pcapng(const char *path)
{
	static const char end[] = ".pcapng";
	size_t len = strlen(path);

	return len >= sizeof(end) - 1 && strcmp(path + len - (sizeof(end) - 1), end) == 0;
}

int capture_writer_open(const char *path, struct capture_writer **ret_writer)
{
	struct capture_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->is_pcapng = names_pcapng(path);
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

/* A number whose first two bytes in memory are `first`. */
static uint32_t two_halves(uint16_t first, uint16_t second)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? (uint32_t)second << 16 | first
							 : (uint32_t)first << 16 | second;
}

static int put_pcap_header(struct capture_writer *w, int link_type)
{
	const uint32_t header[6] = {
		PCAP_MAGIC_MICRO, two_halves(2, 4), 0, 0, SNAPLEN, (uint32_t)link_type};

	return put(w, header, sizeof(header));
}

/* A section of version 1.0 and unknown length, without options. */
static int put_section(struct capture_writer *w)
{
	const uint32_t block[7] = {PCAPNG_SECTION, sizeof(block), PCAPNG_ORDER_MAGIC,
		two_halves(1, 0), UINT32_MAX, UINT32_MAX, sizeof(block)};

	return put(w, block, sizeof(block));
}

static int put_interface(struct capture_writer *w, int link_type)
{
	const uint32_t block[5] = {PCAPNG_INTERFACE, sizeof(block),
		two_halves((uint16_t)link_type, 0), SNAPLEN, sizeof(block)};

	return put(w, block, sizeof(block));
}

static int begin(struct capture_writer *w, int link_type)
{
	if (w->begun)
		return 0;
	w->begun = true;
	return w->is_pcapng ? put_section(w) : put_pcap_header(w, link_type);
}

/* The interface of a link type, which may be new. */
static int interface_of(struct capture_writer *w, int link_type)
{
	unsigned i = 0;
	int r = 0;

	while (i < w->link_count && w->links[i] != link_type)
		i++;
	if (i < w->link_count)
		return (int)i;
	if (i == (w->is_pcapng ? LINKS_MAX : 1))
		return ERR_RANGE;
	w->links[w->link_count++] = link_type;
	if (w->is_pcapng)
		r = put_interface(w, link_type);
	return r < 0 ? r : (int)i;
}

static int put_record(struct capture_writer *w, const struct packet *p)
{
	const uint32_t record[4] = {(uint32_t)(p->time / USEC_PER_SEC),
		(uint32_t)(p->time % USEC_PER_SEC), p->len, p->wire_len};
	int r = put(w, record, sizeof(record));

	return r < 0 ? r : put(w, p->bytes, p->len);
}

static int put_enhanced(struct capture_writer *w, uint32_t interface, const struct packet *p)
{
	static const uint8_t padding[4];
	const uint32_t pad = -p->len & 3, len = 32 + p->len + pad;
	const uint32_t head[7] = {PCAPNG_ENHANCED, len, interface,
		(uint32_t)((uint64_t)p->time >> 32), (uint32_t)p->time, p->len, p->wire_len};
	int r = put(w, head, sizeof(head));

	if (r == 0)
		r = put(w, p->bytes, p->len);
	if (r == 0)
		r = put(w, padding, pad);
	return r < 0 ? r : put(w, &len, sizeof(len));
}

int capture_writer_add(struct capture_writer *writer, const struct packet *packet)
{
	int r, interface;

	errno = 0;
	r = begin(writer, packet->link_type);
	if (r < 0)
		return r;
	interface = interface_of(writer, packet->link_type);
	if (interface < 0)
		return interface;
	return writer->is_pcapng ? put_enhanced(writer, (uint32_t)interface, packet)
				 : put_record(writer, packet);
}

int capture_writer_close(struct capture_writer *writer)
{
	int r;

	errno = 0;
	r = begin(writer, 1);
	if (fflush(writer->out) != 0 && r == 0)
		r = errno ? -errno : -EIO;
	if (writer->out != stdout && fclose(writer->out) != 0 && r == 0)
		r = errno ? -errno : -EIO;
	free(writer);
	return r;
}
