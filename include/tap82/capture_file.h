/* SPDX-License-Identifier: ISC
 *
 * Capture files: pcap (microseconds and nanoseconds) and pcapng (several sections and interfaces,
 * each with its link type and clock), both byte orders, from a file or a pipe.
 */
#ifndef TAP82_CAPTURE_FILE_H
#define TAP82_CAPTURE_FILE_H

#include <stdint.h>

#include "tap82/frame.h"

#define CAPTURE_ERROR_MAX 320 /* a text for people, with the file's or interface's name */

struct capture_file;

/* Opens `path` ("-": standard input) and reads its header. 0; a negative errno value; ERR_SYNTAX:
 * not a capture; ERR_VERSION: a capture of a form we don't know. Then `error` holds
 * "<path>: <what is wrong>". */
int capture_file_open(
	const char *path, char error[CAPTURE_ERROR_MAX], struct capture_file **ret_file);
void capture_file_close(struct capture_file *file); /* NULL is fine */

/* The next packet, valid until the next call. 1; 0 at the end; negative: the file is cut or lies
 * (ERR_TRUNCATED, ERR_CORRUPT, or errno), and capture_file_error() names packet and offset. After
 * an error there is nothing more. */
int capture_file_next(struct capture_file *file, struct packet *ret_packet);
/* "<path>: packet 17 at byte 5120: …"; "" before an error. Lives as long as the file. */
const char *capture_file_error(const struct capture_file *file);

/* For a progress line: bytes read so far, and the size of the file, 0 where unknown (a pipe). */
uint64_t capture_file_offset(const struct capture_file *file);
uint64_t capture_file_size(const struct capture_file *file);
/* Link type of the packet given last (pcapng files may have several). */
int capture_file_link_type(const struct capture_file *file);

/* Several files as one, by packet time; equal times in the order of the arguments. */
struct capture_merge;

/* Opens all or none; errors as for capture_file_open(). */
int capture_merge_open(const char *const *paths, int count, char error[CAPTURE_ERROR_MAX],
	struct capture_merge **ret_merge);
void capture_merge_close(struct capture_merge *merge); /* NULL is fine */
/* As capture_file_next(). Negative: one file failed; capture_merge_error() says which, and the
 * next call goes on with the others. */
int capture_merge_next(struct capture_merge *merge, struct packet *ret_packet);
const char *capture_merge_error(const struct capture_merge *merge);
uint64_t capture_merge_offset(const struct capture_merge *merge);
uint64_t capture_merge_size(const struct capture_merge *merge); /* 0: not known for one of them */

/* Writing, in microseconds (`decode -w`): pcap, and pcapng where the name ends with ".pcapng". */
struct capture_writer;

/* Makes or empties `path` ("-": standard output). 0 or a negative errno. */
int capture_writer_open(const char *path, struct capture_writer **ret_writer);
/* 0; a negative errno; ERR_RANGE: another link type than the first packet's (pcap holds one,
 * pcapng 64). */
int capture_writer_add(struct capture_writer *writer, const struct packet *packet);
/* Flushes and closes: 0, or the first error. A file without a packet is an empty Ethernet one. */
int capture_writer_close(struct capture_writer *writer);

#endif
