/* SPDX-License-Identifier: ISC */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "tap82/curl.h"
#include "tap82/log.h"

#define LIBRARY "libcurl.so.4"
#define CALL(name)                                               \
	{                                                        \
		"curl_" #name, offsetof(struct curl_calls, name) \
	}

struct curl_calls curl;

static const struct {
	const char *symbol;
	size_t at;
} calls[] = {
	CALL(global_init),
	CALL(easy_init),
	CALL(easy_cleanup),
	CALL(easy_setopt),
	CALL(easy_perform),
	CALL(easy_getinfo),
	CALL(easy_strerror),
	CALL(easy_escape),
	CALL(free),
	CALL(slist_append),
	CALL(slist_free_all),
	CALL(multi_init),
	CALL(multi_cleanup),
	CALL(multi_setopt),
	CALL(multi_assign),
	CALL(multi_add_handle),
	CALL(multi_remove_handle),
	CALL(multi_socket_action),
	CALL(multi_info_read),
};

_Static_assert(sizeof(calls) / sizeof(calls[0]) == sizeof(struct curl_calls) / sizeof(void *),
	"each call has its row");

/* POSIX has a function's address fit into a void *. */
static int bind_calls(void *library)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		void *address = dlsym(library, calls[i].symbol);

		if (!address)
			return -ELIBACC;
		memcpy((char *)&curl + calls[i].at, &address, sizeof(address));
	}
	return 0;
}

static int load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW);

	if (!library || bind_calls(library) < 0) {
		log_error("libcurl cannot be loaded: %s", dlerror());
		return -ELIBACC;
	}
	return curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

int curl_load(void)
{
	static bool tried;
	static int err;

	if (!tried)
		err = load();
	tried = true;
	return err;
}
