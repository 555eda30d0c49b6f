/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a capture file, pcap or pcapng, and what it gives through the frame decoder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap82/capture_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frame_decoder decoder;
	static int fd = -1;
	static char path[32];
	char error[CAPTURE_ERROR_MAX];
	struct capture_file *file;
	struct packet p;
	struct datagram d;

	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (frame_decoder_init(&decoder, NULL) < 0)
			abort();
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	if (capture_file_open(path, error, &file) < 0)
		return 0;
	while (capture_file_next(file, &p) > 0)
		(void)frame_decode(&decoder, &p, &d);
	capture_file_close(file);
	return 0;
}
