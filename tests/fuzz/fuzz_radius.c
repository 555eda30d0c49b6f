/* SPDX-License-Identifier: ISC */
#include "fuzz_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_message(data, size, 40000, 1812);
	return 0;
}
