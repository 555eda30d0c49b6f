/* SPDX-License-Identifier: ISC
 *
 * Inside of a capture file: what its two forms, pcap and pcapng, share.
 */
#ifndef SNIFFER_CAPTURE_FORM_H
#define SNIFFER_CAPTURE_FORM_H

#include "tap82/buf.h"
#include "tap82/capture_file.h"

#include "source.h"

#define PCAP_MAGIC_MICRO   0xa1b2c3d4
#define PCAP_MAGIC_NANO	   0xa1b23c4d
#define PCAPNG_ORDER_MAGIC 0x1a2b3c4d

enum pcapng_block {
	PCAPNG_INTERFACE = 1,
	PCAPNG_PACKET = 2, /* obsolete, but in old files */
	PCAPNG_SIMPLE = 3,
	PCAPNG_ENHANCED = 6,
	PCAPNG_SECTION = 0x0a0d0d0a,
};

#define PACKET_BYTES_MAX (256u << 10) /* libpcap's MAXIMUM_SNAPLEN: more is no packet */

struct capture_interface {
	int link_type;
	uint32_t snaplen; /* 0: no limit */
	uint8_t resolution; /* if_tsresol: 10^-n, or with the high bit 2^-n seconds */
	int64_t offset; /* if_tsoffset, seconds */
};

struct capture_file {
	struct source source;
	char *path; /* owned */
	char error[CAPTURE_ERROR_MAX];
	int (*next)(struct capture_file *f, struct packet *ret_packet);
	int failed; /* the error that ended it */
	uint64_t packets; /* given so far */
	uint64_t skip; /* pcapng: bytes of the current block, to be gone over at the next call */
	uint64_t start; /* where the current packet or block begins */
	int64_t time; /* of the packet given last */
	bool little; /* byte order of the file or section */
	bool nano; /* pcap: fractions are nanoseconds */
	int link_type; /* of the packet given last */
	struct capture_interface *interfaces; /* owned; pcapng */
	unsigned interface_count;
};

static inline uint16_t capture_u16(const struct capture_file *f, struct buf *b)
{
	uint16_t v = buf_u16(b);

	return f->little ? __builtin_bswap16(v) : v;
}

static inline uint32_t capture_u32(const struct capture_file *f, struct buf *b)
{
	uint32_t v = buf_u32(b);

	return f->little ? __builtin_bswap32(v) : v;
}

/* Ends the file with an error: writes "<path>: packet N at byte M: <text>", returns `err`. */
int capture_fail(struct capture_file *f, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for an input that ends where `want` bytes should be: a cut file, or a failed read. */
int capture_fail_cut(struct capture_file *f, uint64_t want, uint64_t have);

/* pcapng: reads the first section header. As capture_file_open(), without the path. */
int pcapng_open(struct capture_file *f);
int pcapng_next(struct capture_file *f, struct packet *ret_packet);

#endif
