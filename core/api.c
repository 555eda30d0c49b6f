/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api_call.h"
#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/page.h"

enum door { DOOR_LOCAL = 1, DOOR_TCP = 2, DOOR_METRICS = 4 };

/* --- Routes of no group ---------------------------------------------------------------------- */

static void get_health(struct call *call)
{
	struct writer *w = &call->api->writer;
	size_t before, after;

	writer_begin(w);
	writer_list_begin(w, "reasons");
	writer_bytes(w, &before);
	call->api->ops->health(call->api->ctx, w);
	writer_bytes(w, &after);
	writer_list_end(w);
	writer_str(w, "status", before == after ? "ok" : "degraded");
	writer_end(w);
	call_reply(call, 200, "application/json");
}

static void get_metrics(struct call *call)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out) {
		call_error(call, 503, NULL, "no memory");
		return;
	}
	call->api->ops->metrics(call->api->ctx, out);
	if (fclose(out) == 0)
		http_reply(
			call->x, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, text, len);
	else
		call_error(call, 503, NULL, "no memory");
	free(text);
}

static void get_status(struct call *call)
{
	writer_begin(&call->api->writer);
	call->api->ops->status(call->api->ctx, &call->api->writer);
	writer_end(&call->api->writer);
	call_reply(call, 200, "application/json");
}

static void get_page(struct call *call)
{
	char headers[640];
	const char *page;
	size_t len;

	page = page_html(&len);
	snprintf(headers, sizeof(headers),
		"Content-Security-Policy: %s\r\nReferrer-Policy: no-referrer\r\n", page_csp());
	http_reply(call->x, 200, "text/html; charset=utf-8", headers, page, len);
}

static void reloaded(void *ctx, int err, const char *text)
{
	struct api *api = ctx;
	struct call call = {.api = api, .x = api->reloading};

	api->reloading = NULL;
	if (!call.x)
		return;
	writer_clear(&api->writer);
	if (err == ERR_REFUSED || err == ERR_DUPLICATE) {
		call_error(&call, 409, NULL, "%s", text);
	} else if (err < 0) {
		call_error(&call, 422, NULL, "%s", text);
	} else {
		struct engine_stats stats;

		engine_stats(api->engine, &stats);
		writer_begin(&api->writer);
		writer_u64(&api->writer, "devices", stats.devices);
		writer_end(&api->writer);
		call_reply_committed(&call, 200);
	}
}

static void post_reload(struct call *call)
{
	struct api *api = call->api;

	if (api->reloading) {
		call_error(call, 409, NULL, "the inventory is being read already");
		return;
	}
	api->reloading = call->x;
	if (api->ops->reload(api->ctx, call_flag(call, "force"), reloaded, api) < 0) {
		api->reloading = NULL;
		call_error(call, 409, NULL, "the inventory is being read already");
	}
}

static void get_openapi(struct call *call)
{
	size_t len;
	const char *text = page_openapi(&len);

	http_reply(call->x, 200, "application/json", NULL, text, len);
}

/* --- The table ------------------------------------------------------------------------------- */

struct route {
	enum http_method method;
	const char *pattern; /* {mac} stands for a MAC address in any spelling */
	void (*run)(struct call *call);
	bool writes;
	unsigned doors;
};

#define EVERY (DOOR_LOCAL | DOOR_TCP | DOOR_METRICS)
#define INNER (DOOR_LOCAL | DOOR_TCP)

static const struct route routes[] = {
	{HTTP_GET, "/", get_page, false, INNER},
	{HTTP_GET, "/openapi.json", get_openapi, false, INNER},
	{HTTP_GET, "/healthz", get_health, false, EVERY},
	{HTTP_GET, "/metrics", get_metrics, false, EVERY},
	{HTTP_GET, "/v1/status", get_status, false, INNER},
	{HTTP_GET, "/v1/devices", api_devices_list, false, INNER},
	{HTTP_POST, "/v1/devices", api_devices_import, true, INNER},
	{HTTP_GET, "/v1/devices/{mac}", api_device_get, false, INNER},
	{HTTP_PUT, "/v1/devices/{mac}", api_device_put, true, INNER},
	{HTTP_DELETE, "/v1/devices/{mac}", api_device_delete, true, INNER},
	{HTTP_GET, "/v1/devices/{mac}/explain", api_device_explain, false, INNER},
	{HTTP_GET, "/v1/events", api_events_list, false, INNER},
	{HTTP_GET, "/v1/unknown", api_unknown_list, false, INNER},
	{HTTP_GET, "/v1/reservations", api_reservations_list, false, INNER},
	{HTTP_POST, "/v1/reservations/{mac}/retry", api_reservation_retry, true, INNER},
	{HTTP_POST, "/v1/reservations/{mac}/release", api_reservation_release, true, INNER},
	{HTTP_POST, "/v1/reconcile", api_reconcile, true, INNER},
	{HTTP_POST, "/v1/reload", post_reload, true, INNER},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

/* Whether the path has the pattern's form; what stands for {mac} is given back. */
static bool path_matches(
	const char *pattern, const char *path, const char **ret_mac, size_t *ret_len)
{
	const char *hole = strstr(pattern, "{mac}"), *rest;
	size_t before, len;

	if (!hole)
		return strcmp(pattern, path) == 0;
	before = (size_t)(hole - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	rest = path + before;
	len = strcspn(rest, "/");
	if (len == 0 || strcmp(rest + len, hole + 5) != 0)
		return false;
	*ret_mac = rest;
	*ret_len = len;
	return true;
}

static const char *method_text(enum http_method method)
{
	static const char *const texts[] = {"", "GET", "HEAD", "POST", "PUT", "DELETE"};

	return texts[method];
}

/* The methods of all routes with this path, "" if there is no such path. */
static void methods_of(const char *path, unsigned door, char *out, size_t size)
{
	const char *mac;
	size_t len, n = 0;

	out[0] = 0;
	for (size_t i = 0; i < ROUTES; i++)
		if ((routes[i].doors & door) && path_matches(routes[i].pattern, path, &mac, &len))
			n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "",
				method_text(routes[i].method));
}

static const struct route *route_find(
	const struct http_request *r, unsigned door, const char **ret_mac, size_t *ret_len)
{
	enum http_method method = r->method == HTTP_HEAD ? HTTP_GET : r->method;

	for (size_t i = 0; i < ROUTES; i++)
		if (routes[i].method == method && (routes[i].doors & door) &&
			path_matches(routes[i].pattern, r->path, ret_mac, ret_len))
			return &routes[i];
	return NULL;
}

static void no_route(struct call *call, unsigned door)
{
	char allowed[64], headers[96], body[] = "{\"error\":\"no such method here\"}\n";

	methods_of(call->r->path, door, allowed, sizeof(allowed));
	if (!allowed[0]) {
		call_error(call, 404, NULL, "no such path: %s", call->r->path);
		return;
	}
	snprintf(headers, sizeof(headers), "Allow: %s\r\n", allowed);
	http_reply(call->x, 405, "application/json", headers, body, sizeof(body) - 1);
}

static bool may_write(const struct api *api, const struct http_request *r, unsigned door)
{
	if (door == DOOR_LOCAL)
		return true;
	return api->token && secret_equal(api->token, r->token, strlen(r->token));
}

static void refuse_writing(struct call *call)
{
	static const char body[] = "{\"error\":\"writing over TCP needs the bearer token\"}\n";

	http_reply(call->x, 401, "application/json", "WWW-Authenticate: Bearer\r\n", body,
		sizeof(body) - 1);
}

/* A page of somebody else's site, whose name was made to mean 127.0.0.1, must not read us: over TCP
 * a request names a loopback host, or none. */
static bool is_for_us(const struct http_request *r, unsigned door)
{
	size_t len = strcspn(r->host, ":");
	uint32_t ip;

	if (door != DOOR_TCP || r->host[0] == 0)
		return true;
	if (len == 9 && strncasecmp(r->host, "localhost", 9) == 0)
		return true;
	return ipv4_parse(r->host, len, &ip) == 0 && ip >> 24 == 127;
}

static void dispatch(
	struct api *api, struct http_exchange *x, const struct http_request *r, unsigned door)
{
	struct call call = {.api = api, .x = x, .r = r, .now = clock_onward()};
	const char *mac = NULL;
	size_t len = 0;
	const struct route *route = route_find(r, door, &mac, &len);

	writer_clear(&api->writer);
	if (!is_for_us(r, door)) {
		call_error(&call, 403, "host", "is none of this machine");
	} else if (!route) {
		no_route(&call, door);
	} else if (route->writes && !may_write(api, r, door)) {
		refuse_writing(&call);
	} else if (mac && mac_parse(mac, len, &call.mac) < 0) {
		call_error(&call, 400, "mac", "%.*s: is no MAC address", (int)len, mac);
	} else {
		call.has_mac = mac != NULL;
		route->run(&call);
	}
}

void api_local(void *ctx, struct http_exchange *x, const struct http_request *r)
{
	dispatch(ctx, x, r, DOOR_LOCAL);
}

void api_tcp(void *ctx, struct http_exchange *x, const struct http_request *r)
{
	dispatch(ctx, x, r, DOOR_TCP);
}

void api_metrics(void *ctx, struct http_exchange *x, const struct http_request *r)
{
	dispatch(ctx, x, r, DOOR_METRICS);
}

/* --- Life ------------------------------------------------------------------------------------ */

struct api *api_new(const struct conf *conf, struct engine *engine, struct store *store,
	const struct secret *token, const struct api_ops *ops, void *ctx)
{
	struct api *api = calloc(1, sizeof(*api));

	if (!api)
		return NULL;
	*api = (struct api){.conf = conf,
		.engine = engine,
		.store = store,
		.token = token,
		.ops = ops,
		.ctx = ctx};
	api->pending_last = &api->pending;
	if (writer_init(&api->writer, -1, WRITER_JSON) < 0) {
		free(api);
		return NULL;
	}
	return api;
}
