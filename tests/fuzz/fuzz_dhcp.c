/* SPDX-License-Identifier: ISC */
#include "fuzz_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_message(data, size, 67, 67);
	return 0;
}
