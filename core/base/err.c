/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "tap82/err.h"

static const struct {
	int err;
	const char *text;
} texts[] = {
	{ERR_OK, "success"},
	{ERR_SYNTAX, "wrong form"},
	{ERR_RANGE, "out of range"},
	{ERR_MISSING, "missing"},
	{ERR_DUPLICATE, "exists already"},
	{ERR_NOT_FOUND, "not found"},
	{ERR_TRUNCATED, "ends too early"},
	{ERR_VERSION, "made by another version"},
	{ERR_CORRUPT, "corrupt"},
	{ERR_REFUSED, "refused"},
	{ERR_TIMEOUT, "no answer in time"},
	{ERR_CLOSED, "connection closed"},
	{ERR_PERMISSION, "wrong permissions"},
	{ERR_FULL, "full"},
};

const char *err_text(int err)
{
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].err == err)
			return texts[i].text;
	return err < 0 && err > ERR_SYNTAX ? strerror(-err) : "unknown error";
}
