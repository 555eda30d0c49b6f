/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap82/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *ctx, const char *text)
{
	(void)ctx;
	if (strlen(text) == 0)
		abort();
}

/* Whatever the file holds: it is refused, or every row of it keeps the rules. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_group groups[] = {{.name = "north"}};
	struct conf conf = {.groups = groups, .group_count = 1, .inventory_skip = size % 2};
	int fd = memfd_create("fuzz", 0), r = -1;
	struct inventory *inventory;
	char path[32];
	size_t count;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size &&
		inventory_open(path, &conf, ignore, NULL, &inventory) == 0) {
		while ((r = inventory_step(inventory, 3)) == 1)
			continue;
		for (size_t i = 0; r == 0 && i < (inventory_rows(inventory, &count), count); i++)
			if (inventory_row_check(
				    &inventory_rows(inventory, &count)[i], &conf, ignore, NULL) < 0)
				abort();
		inventory_free(inventory);
	}
	close(fd);
	return 0;
}
