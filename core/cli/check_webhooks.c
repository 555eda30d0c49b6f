/* SPDX-License-Identifier: ISC
 *
 * The doctor on webhooks: a connection, with its TLS, and nothing sent over it.
 */

#include "check_online.h"
#include "tap82/curl.h"
#include "tap82/err.h"
#include "tap82/webhook.h"

#define CONNECT_TIME 5000L /* milliseconds */

static const char *mend_of(CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return "its certificate must be valid, for the host in 'url', and signed by a CA "
		       "of "
		       "'ca-file', or, without one, of this system";
	case CURLE_SSL_CACERT_BADFILE: return "'ca-file' must be certificates in PEM";
	case CURLE_COULDNT_RESOLVE_HOST: return "is the host in 'url' right, and does DNS work?";
	default: return "does the VMS run, and does the firewall let us through?";
	}
}

static void try_one(struct check *check, const struct conf_webhook *conf, CURL *easy)
{
	char error[CURL_ERROR_SIZE] = "";
	CURLcode code;

	curl.easy_setopt(easy, CURLOPT_URL, conf->url);
	curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.easy_setopt(easy, CURLOPT_PROXY, "");
	curl.easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, CONNECT_TIME);
	curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	webhook_set_ca(easy, conf);
	code = curl.easy_perform(easy);
	if (code == CURLE_OK)
		check_tellf(check, CHECK_GOOD, "webhook", conf->name, NULL, "%s lets us connect",
			conf->url);
	else
		check_tellf(check, CHECK_WRONG, "webhook", conf->name, mend_of(code), "%s: %s",
			conf->url, error[0] ? error : curl.easy_strerror(code));
}

void doctor_webhooks(struct check *check)
{
	if (check->conf->webhook_count > 0 && curl_load() < 0) {
		check_tellf(check, CHECK_WRONG, "webhook", "libcurl", "install Debian's libcurl4",
			"cannot be loaded");
		return;
	}
	for (size_t i = 0; i < check->conf->webhook_count; i++) {
		CURL *easy = curl.easy_init();

		if (easy)
			try_one(check, &check->conf->webhooks[i], easy);
		curl.easy_cleanup(easy);
	}
}
