/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap82/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *ctx, const char *text)
{
	*(unsigned *)ctx += strlen(text) > 0;
}

/* Whatever the file holds: it is refused in words, or it loads without any. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);
	unsigned problems = 0;
	struct conf *conf;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size) {
		int r = conf_load(path, count, &problems, &conf);

		if ((r == 0) != (problems == 0))
			abort();
		if (r == 0)
			conf_free(conf);
	}
	close(fd);
	return 0;
}
