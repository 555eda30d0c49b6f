/* SPDX-License-Identifier: ISC
 *
 * Capture files: which form it is, errors, and the classic form, pcap
 * (draft-ietf-opsawg-pcap): a header, then packets of 16 bytes of header and their bytes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap82/clock.h"
#include "tap82/err.h"

#include "capture_form.h"

#define PCAP_HEADER 24
#define PCAP_RECORD 16

int capture_fail(struct capture_file *f, int err, const char *fmt, ...)
{
	char text[CAPTURE_ERROR_MAX / 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(f->error, sizeof(f->error), "%.128s: packet %llu at byte %llu: %s", f->path,
		(unsigned long long)f->packets + 1, (unsigned long long)f->start, text);
	f->failed = err;
	return err;
}

int capture_fail_cut(struct capture_file *f, uint64_t want, uint64_t have)
{
	if (f->source.error)
		return capture_fail(
			f, f->source.error, "cannot be read: %s", err_text(f->source.error));
	return capture_fail(f, ERR_TRUNCATED, "the file is cut: %llu of %llu bytes are there",
		(unsigned long long)have, (unsigned long long)want);
}

/* The packet's bytes are in the window, after its header. */
static int pcap_next(struct capture_file *f, struct packet *ret_packet)
{
	struct source *s = &f->source;
	size_t have = source_has(s, PCAP_RECORD);
	uint32_t seconds, fraction, len, wire_len;
	struct buf b;

	f->start = s->offset;
	if (have == 0 && !s->error)
		return 0;
	if (have < PCAP_RECORD)
		return capture_fail_cut(f, PCAP_RECORD, have);
	b = buf_of(s->p, PCAP_RECORD);
	seconds = capture_u32(f, &b);
	fraction = capture_u32(f, &b);
	len = capture_u32(f, &b);
	wire_len = capture_u32(f, &b);
	if (len > PACKET_BYTES_MAX)
		return capture_fail(f, ERR_CORRUPT, "%u bytes are no packet's length", len);
	have = source_has(s, PCAP_RECORD + len);
	if (have < PCAP_RECORD + len)
		return capture_fail_cut(f, PCAP_RECORD + len, have);
	f->time = (int64_t)seconds * USEC_PER_SEC + (f->nano ? fraction / 1000 : fraction);
	*ret_packet = (struct packet){.time = f->time,
		.wire_len = wire_len > len ? wire_len : len,
		.len = len,
		.link_type = f->link_type,
		.bytes = s->p + PCAP_RECORD};
	source_take(s, PCAP_RECORD + len);
	f->packets++;
	return 1;
}

/* After the magic: version 2.4, two unused words, snaplen, link type and FCS bits. */
static int pcap_open(struct capture_file *f)
{
	size_t have = source_has(&f->source, PCAP_HEADER);
	struct buf b = buf_of(f->source.p, have);
	uint16_t major;

	if (have < PCAP_HEADER)
		return ERR_TRUNCATED;
	buf_skip(&b, 4);
	major = capture_u16(f, &b);
	buf_skip(&b, 14);
	f->link_type = (int)(capture_u32(f, &b) & 0x03ffffff);
	f->next = pcap_next;
	source_take(&f->source, PCAP_HEADER);
	return major == 2 ? 0 : ERR_VERSION;
}

/* The magic number says form, byte order and unit. */
static int capture_recognize(struct capture_file *f)
{
	size_t have = source_has(&f->source, 4);
	struct buf b = buf_of(f->source.p, have);
	uint32_t magic = buf_u32(&b);

	if (f->source.error)
		return f->source.error;
	if (b.bad)
		return ERR_SYNTAX;
	if (magic == PCAPNG_SECTION) {
		f->next = pcapng_next;
		return pcapng_open(f);
	}
	f->little = magic != PCAP_MAGIC_MICRO && magic != PCAP_MAGIC_NANO;
	if (f->little)
		magic = __builtin_bswap32(magic);
	f->nano = magic == PCAP_MAGIC_NANO;
	return f->nano || magic == PCAP_MAGIC_MICRO ? pcap_open(f) : ERR_SYNTAX;
}

static const char *open_error_text(int err)
{
	switch (err) {
	case ERR_SYNTAX: return "not a capture file";
	case ERR_TRUNCATED: return "the file is cut in its header";
	case ERR_VERSION: return "a capture file of a version that is not known";
	case ERR_CORRUPT: return "the header of the capture file is broken";
	}
	return err_text(err);
}

int capture_file_open(
	const char *path, char error[CAPTURE_ERROR_MAX], struct capture_file **ret_file)
{
	struct capture_file *f = calloc(1, sizeof(*f));
	int r = -ENOMEM;

	if (f && (f->path = strdup(strcmp(path, "-") == 0 ? "standard input" : path)))
		r = source_open(&f->source, path);
	if (r == 0)
		r = capture_recognize(f);
	if (r < 0) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: %s", path, open_error_text(r));
		capture_file_close(f);
		return r;
	}
	*ret_file = f;
	return 0;
}

void capture_file_close(struct capture_file *file)
{
	if (!file)
		return;
	source_close(&file->source);
	free(file->interfaces);
	free(file->path);
	free(file);
}

int capture_file_next(struct capture_file *file, struct packet *ret_packet)
{
	if (file->failed)
		return file->failed;
	return file->next(file, ret_packet);
}

const char *capture_file_error(const struct capture_file *file)
{
	return file->error;
}

uint64_t capture_file_offset(const struct capture_file *file)
{
	return file->source.offset;
}

uint64_t capture_file_size(const struct capture_file *file)
{
	return file->source.size;
}

int capture_file_link_type(const struct capture_file *file)
{
	return file->link_type;
}
