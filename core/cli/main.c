/* SPDX-License-Identifier: ISC */
#include <stdio.h>

int main(void)
{
	puts("tap82 " TAP82_VERSION);
	return 0;
}
