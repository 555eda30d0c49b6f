/* SPDX-License-Identifier: ISC
 *
 * libcurl, loaded when it is first needed. With the libraries that it needs itself it is three
 * quarters of what the program would be linked with: most commands, and every sniffer, do without
 * their start-up time, their memory and their code.
 */
#ifndef TAP82_CURL_H
#define TAP82_CURL_H

#include <curl/curl.h>

struct curl_calls {
	__typeof__(&curl_global_init) global_init;
	__typeof__(&curl_easy_init) easy_init;
	__typeof__(&curl_easy_cleanup) easy_cleanup;
	__typeof__(&curl_easy_setopt) easy_setopt;
	__typeof__(&curl_easy_perform) easy_perform;
	__typeof__(&curl_easy_getinfo) easy_getinfo;
	__typeof__(&curl_easy_strerror) easy_strerror;
	__typeof__(&curl_easy_escape) easy_escape;
	__typeof__(&curl_free) free;
	__typeof__(&curl_slist_append) slist_append;
	__typeof__(&curl_slist_free_all) slist_free_all;
	__typeof__(&curl_multi_init) multi_init;
	__typeof__(&curl_multi_cleanup) multi_cleanup;
	__typeof__(&curl_multi_setopt) multi_setopt;
	__typeof__(&curl_multi_assign) multi_assign;
	__typeof__(&curl_multi_add_handle) multi_add_handle;
	__typeof__(&curl_multi_remove_handle) multi_remove_handle;
	__typeof__(&curl_multi_socket_action) multi_socket_action;
	__typeof__(&curl_multi_info_read) multi_info_read;
};

/* libcurl's functions, after a curl_load() that succeeded. */
extern struct curl_calls curl;

/* Loads the library and initializes it, once. 0; -ELIBACC, the reason logged once: it is not
 * installed, or is not the one that this was built for; -ENOMEM. */
int curl_load(void);

#endif
