/* SPDX-License-Identifier: ISC
 *
 * The page of replay --report. Problems stand first, then the timeline, the cameras with their
 * ladders, the ports.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "replay_report.h"
#include "tap82/clock.h"

#define LANES_MAX 60 /* of the timeline */
#define WIDTH	  1000.0
#define LANE	  18

struct page {
	FILE *out;
	struct report *r;
	struct engine *engine;
	uint32_t *order; /* cameras, those with problems first */
	int64_t first, last;
};

/* --- Text --------------------------------------------------------------------------------------
 */

/* Text of any origin: markup is escaped, bytes that are no printable ASCII or UTF-8 lead are shown
 * as \xNN, so that nothing on the wire can forge the page. */
static void put(struct page *p, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)(text ? text : ""); *c; c++) {
		if (*c == '<')
			fputs("&lt;", p->out);
		else if (*c == '>')
			fputs("&gt;", p->out);
		else if (*c == '&')
			fputs("&amp;", p->out);
		else if (*c == '"')
			fputs("&quot;", p->out);
		else if (*c < 0x20 || *c > 0x7e)
			fprintf(p->out, "\\x%02x", *c);
		else
			fputc(*c, p->out);
	}
}

/* Names come from the inventory, which is checked UTF-8. */
static void put_name(struct page *p, const char *name)
{
	for (const char *c = name ? name : ""; *c; c++) {
		if (*c == '<' || *c == '>' || *c == '&' || *c == '"')
			fprintf(p->out, "&#%d;", *c);
		else if ((unsigned char)*c >= 0x20 && *c != 0x7f)
			fputc(*c, p->out);
	}
}

static void put_mac(struct page *p, const struct mac *mac)
{
	char text[MAC_TEXT];

	fputs(mac_format(mac, text), p->out);
}

static void put_ip(struct page *p, uint32_t ip)
{
	char text[IPV4_TEXT];

	if (ip)
		fputs(ipv4_format(ip, text), p->out);
}

static void put_time(struct page *p, int64_t time)
{
	char text[TIME_TEXT];

	time_format(time, text);
	text[10] = ' ';
	text[23] = 0; /* milliseconds are enough here */
	fprintf(p->out, "<time>%s</time>", text);
}

static const char *class_of(const struct report_entry *e)
{
	if (e->event == EVENT_NONE)
		return e->type ? "dhcp" : "radius";
	return event_severity_text(event_severity(e->event));
}

/* Severity has a shape beside its colour. */
static const char *shape_of(const struct report_entry *e)
{
	static const char *const shapes[] = {
		[EVENT_INFO] = "", [EVENT_WARNING] = "&#9650; ", [EVENT_ERROR] = "&#10005; "};

	return shapes[event_severity(e->event)];
}

static const char *message_name(const struct report_entry *e)
{
	static const char *const names[] = {"RADIUS", "DISCOVER", "OFFER", "REQUEST", "DECLINE",
		"ACK", "NAK", "RELEASE", "INFORM", "FORCERENEW", "LEASEQUERY", "LEASEUNASSIGNED",
		"LEASEUNKNOWN", "LEASEACTIVE"};

	return e->type < sizeof(names) / sizeof(names[0]) ? names[e->type] : "other";
}

/* --- Head --------------------------------------------------------------------------------------
 */

static const char style[] =
	"html{color-scheme:light dark}a{color:#0b5cad}.facts,td:last-child{overflow-wrap:anywhere}"
	".mono{white-space:nowrap}"
	"body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:68rem;padding:0 1rem;"
	"color:#1c2330;background:#fff}h1{font-size:1.6rem;margin:0 0 .3rem}h2{font-size:1.15rem;"
	"margin:2rem 0 .6rem;border-bottom:1px solid #d8dde6;padding-bottom:.25rem}"
	"table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem;"
	"vertical-align:top;border-bottom:1px solid #eceff4}th{font-weight:600;color:#53607a;"
	"font-size:.85rem}code,time,.mono{font:13px ui-monospace,monospace}time{color:#53607a;"
	"white-space:nowrap}.facts{color:#53607a}.error{color:#b3261e}.warning{color:#9a5b00}"
	".info{color:#1b6e3c}.dhcp,.radius{color:#3b4a66}.badge{border:1px solid currentColor;"
	"border-radius:.7rem;padding:0 .5rem;font-size:.8rem;white-space:nowrap}"
	"details{border:1px solid #d8dde6;border-radius:.5rem;margin:.5rem 0;padding:.4rem .8rem}"
	"summary{cursor:pointer}summary b{font-weight:600}.next{color:#53607a;margin:.3rem 0 .6rem}"
	".good{background:#eaf6ee;padding:.6rem "
	".9rem;border-radius:.5rem}svg{width:100%;height:auto;"
	"background:#f7f8fb;border-radius:.5rem}svg text{font:10px ui-monospace,monospace;"
	"fill:#53607a}.row td:first-child{width:12rem}"
	"@media(max-width:52rem){body{margin:1rem auto}table{display:block;overflow-x:auto}"
	".row td:first-child{width:auto}}"
	"@media(prefers-color-scheme:dark){a{color:#7db8ff}body{background:#12161d;color:#e3e8f0}"
	"h2,td,th,details{"
	"border-color:#2b3442}svg{background:#1a202a}.good{background:#16281d}.error{color:#ff8a80}"
	".warning{color:#ffc069}.info{color:#7bd79b}.dhcp,.radius{color:#b9c6dd}time,.facts,th,."
	"next"
	"{color:#98a5bb}}";

static void put_head(struct page *p, char *const *captures, int count)
{
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'\"><meta name=\"viewport\" "
	      "content=\"width=device-width\"><title>tap82 replay</title><style>",
		p->out);
	fputs(style, p->out);
	fputs("</style></head><body>\n<h1>What happened to the cameras</h1><p class=\"facts\">",
		p->out);
	for (int i = 0; i < count; i++) {
		fputs(i ? ", <code>" : "<code>", p->out);
		put(p, captures[i]);
		fputs("</code>", p->out);
	}
	fputs("<br>", p->out);
	put_time(p, p->first);
	fputs(" to ", p->out);
	put_time(p, p->last);
	fprintf(p->out, " &middot; %llu packets &middot; %zu MAC addresses",
		(unsigned long long)p->r->packets, p->r->camera_count);
	if (p->r->left_out)
		fprintf(p->out, " &middot; %zu messages are not shown", p->r->left_out);
	fputs("</p>\n", p->out);
}

/* --- Problems ----------------------------------------------------------------------------------
 */

static bool is_problem(const struct report_entry *e)
{
	return e->event != EVENT_NONE && event_severity(e->event) != EVENT_INFO;
}

static void put_problem(struct page *p, const struct report_entry *e)
{
	const struct report_camera *c = &p->r->cameras[e->camera];

	fputs("<tr><td>", p->out);
	put_time(p, e->time);
	fprintf(p->out, "</td><td class=\"%s\">%s%s</td><td><a href=\"#c%u\" class=\"mono\">",
		class_of(e), shape_of(e), event_title(e->event), e->camera);
	put_mac(p, &c->mac);
	fputs("</a> ", p->out);
	put_name(p, c->name);
	fputs("</td><td class=\"mono\">", p->out);
	put_ip(p, e->ip);
	fputs("</td><td>", p->out);
	put(p, e->text);
	fputs("</td></tr>\n", p->out);
}

static void put_problems(struct page *p)
{
	size_t n = 0, all = 0;

	for (size_t i = 0; i < p->r->entry_count; i++)
		all += is_problem(&p->r->entries[i]);
	fprintf(p->out, "<h2>Problems (%zu)</h2>\n", all);
	for (size_t i = 0; i < p->r->entry_count; i++) {
		if (!is_problem(&p->r->entries[i]))
			continue;
		if (n++ == 0)
			fputs("<table><tr><th>time</th><th>what</th><th>camera</th><th>address</th>"
			      "<th>why</th></tr>\n",
				p->out);
		put_problem(p, &p->r->entries[i]);
	}
	fputs(n ? "</table>\n" : "<p class=\"good\">None was found.</p>\n", p->out);
}

/* --- Timeline ----------------------------------------------------------------------------------
 */

static double x_of(const struct page *p, int64_t time)
{
	double length = p->last > p->first ? (double)(p->last - p->first) : 1.0;

	return 170.0 + (WIDTH - 190.0) * (double)(time - p->first) / length;
}

static void put_dot(struct page *p, const struct report_entry *e, unsigned lane)
{
	unsigned y = lane * LANE + LANE;

	if (e->event == EVENT_NONE)
		fprintf(p->out,
			"<path class=\"%s\" d=\"M%.1f %uv8\" stroke=\"currentColor\" "
			"opacity=\".35\"/>",
			class_of(e), x_of(p, e->time), y - 4);
	else
		fprintf(p->out,
			"<circle class=\"%s\" cx=\"%.1f\" cy=\"%u\" r=\"4\" fill=\"currentColor\">"
			"<title>%s</title></circle>",
			class_of(e), x_of(p, e->time), y, event_code_text(e->event));
}

static unsigned *lanes_of(const struct page *p, unsigned count)
{
	unsigned *lanes = calloc(p->r->camera_count + 1, sizeof(*lanes));

	for (unsigned i = 0; lanes && i < count; i++)
		lanes[p->order[i]] = i + 1;
	return lanes;
}

/* Problems come last, on top of the others. */
static void put_dots(struct page *p, const unsigned *lanes, bool problems)
{
	for (size_t i = 0; i < p->r->entry_count; i++) {
		const struct report_entry *e = &p->r->entries[i];

		if (lanes[e->camera] && is_problem(e) == problems)
			put_dot(p, e, lanes[e->camera] - 1);
	}
}

static void put_timeline(struct page *p)
{
	unsigned count = p->r->camera_count < LANES_MAX ? (unsigned)p->r->camera_count : LANES_MAX;
	unsigned *lanes = lanes_of(p, count);

	if (!lanes || !count) {
		free(lanes);
		return;
	}
	fprintf(p->out, "<h2>Timeline</h2>\n<svg viewBox=\"0 0 %.0f %u\" role=\"img\">", WIDTH,
		count * LANE + LANE);
	for (unsigned i = 0; i < count; i++) {
		fprintf(p->out, "<text x=\"8\" y=\"%u\">", i * LANE + LANE + 3);
		put_mac(p, &p->r->cameras[p->order[i]].mac);
		fputs("</text>", p->out);
	}
	put_dots(p, lanes, false);
	put_dots(p, lanes, true);
	fputs("</svg>\n", p->out);
	if (p->r->camera_count > count)
		fprintf(p->out, "<p class=\"facts\">%zu more are below.</p>\n",
			p->r->camera_count - count);
	free(lanes);
}

/* --- Cameras -----------------------------------------------------------------------------------
 */

static void put_entry(struct page *p, const struct report_entry *e)
{
	fputs("<tr class=\"row\"><td>", p->out);
	put_time(p, e->time);
	fprintf(p->out, "</td><td class=\"%s\">", class_of(e));
	if (e->event != EVENT_NONE) {
		fprintf(p->out, "<span class=\"badge\">%s%s</span>", shape_of(e),
			event_code_text(e->event));
	} else {
		put_ip(p, e->src);
		fprintf(p->out, " &rarr; ");
		put_ip(p, e->dst);
		fprintf(p->out, " <b>%s</b>", message_name(e));
		if (e->state)
			fprintf(p->out, " <span class=\"facts\">%s</span>",
				client_state_text((enum client_state)e->state));
	}
	fputs("</td><td class=\"mono\">", p->out);
	if (e->event == EVENT_NONE && e->type)
		fprintf(p->out, "xid %08x ", e->xid);
	put_ip(p, e->ip);
	fputs("</td><td>", p->out);
	put(p, e->text);
	fputs("</td></tr>\n", p->out);
}

/* explain's verdict and next step. */
static void put_verdict(struct page *p, const struct report_camera *c)
{
	struct writer w;
	const char *bytes;
	json_t *story;
	size_t len;

	if (writer_init(&w, -1, WRITER_JSON) < 0)
		return;
	engine_explain_write(p->engine, &c->mac, &w, p->last);
	bytes = writer_bytes(&w, &len);
	story = json_loadb(bytes, len, JSON_DISABLE_EOF_CHECK, NULL);
	fputs("<p class=\"next\"><b>", p->out);
	put(p, json_string_value(json_object_get(story, "verdict")));
	fputs("</b>: ", p->out);
	put(p, json_string_value(json_object_get(story, "next")));
	fputs("</p>", p->out);
	json_decref(story);
	writer_done(&w);
}

static void put_camera(struct page *p, uint32_t index)
{
	const struct report_camera *c = &p->r->cameras[index];

	fprintf(p->out, "<details id=\"c%u\"%s><summary><code>", index, c->problems ? " open" : "");
	put_mac(p, &c->mac);
	fputs("</code> <b>", p->out);
	put_name(p, c->name);
	fputs("</b> <span class=\"mono\">", p->out);
	put_ip(p, c->ip);
	fputs("</span> <span class=\"facts\">", p->out);
	put(p, c->port);
	fputs("</span>", p->out);
	if (c->problems)
		fprintf(p->out, " <span class=\"badge warning\">%u problem%s</span>", c->problems,
			c->problems > 1 ? "s" : "");
	fputs("</summary>", p->out);
	put_verdict(p, c);
	fputs("<table>\n", p->out);
}

/* Entries by camera without a search for each: first come the counts, then the places. */
static struct report_entry **by_camera(struct report *r, size_t **ret_first)
{
	struct report_entry **sorted = calloc(r->entry_count + 1, sizeof(struct report_entry *));
	size_t *first = calloc(r->camera_count + 2, sizeof(*first));

	*ret_first = first;
	if (!sorted || !first)
		return sorted;
	for (size_t i = 0; i < r->entry_count; i++)
		first[r->entries[i].camera + 2]++;
	for (size_t i = 2; i < r->camera_count + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < r->entry_count; i++)
		sorted[first[r->entries[i].camera + 1]++] = &r->entries[i];
	return sorted;
}

static void put_cameras(struct page *p)
{
	size_t *first;
	struct report_entry **sorted = by_camera(p->r, &first);

	fputs("<h2>Cameras</h2>\n", p->out);
	for (size_t i = 0; sorted && first && i < p->r->camera_count; i++) {
		uint32_t c = p->order[i];

		put_camera(p, c);
		for (size_t k = first[c]; k < first[c + 1]; k++)
			put_entry(p, sorted[k]);
		fputs("</table></details>\n", p->out);
	}
	free(sorted);
	free(first);
}

/* --- Ports -------------------------------------------------------------------------------------
 */

static struct report *sorting;

static int by_port(const void *a, const void *b)
{
	const struct report_camera *x = &sorting->cameras[*(const uint32_t *)a];
	const struct report_camera *y = &sorting->cameras[*(const uint32_t *)b];

	return strcmp(x->port ? x->port : "", y->port ? y->port : "");
}

static void put_port(struct page *p, const struct report_camera *c, bool same)
{
	fputs("<tr><td class=\"mono\">", p->out);
	put(p, same ? "" : c->port);
	fputs("</td><td class=\"mono\">", p->out);
	put_mac(p, &c->mac);
	fputs("</td><td>", p->out);
	put_name(p, c->name);
	fputs("</td><td class=\"mono\">", p->out);
	put_ip(p, c->ip);
	fputs("</td><td>", p->out);
	put_time(p, c->port_seen);
	fputs("</td></tr>\n", p->out);
}

static void put_ports(struct page *p)
{
	const char *before = NULL;

	sorting = p->r;
	qsort(p->order, p->r->camera_count, sizeof(*p->order), by_port);
	fputs("<h2>Ports</h2>\n<table><tr><th>port</th><th>camera</th><th></th><th>address</th>"
	      "<th>last seen there</th></tr>\n",
		p->out);
	for (size_t i = 0; i < p->r->camera_count; i++) {
		const struct report_camera *c = &p->r->cameras[p->order[i]];

		if (!c->port)
			continue;
		put_port(p, c, before && strcmp(before, c->port) == 0);
		before = c->port;
	}
	fputs("</table>\n", p->out);
}

/* --- The page ----------------------------------------------------------------------------------
 */

static int by_problems(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint32_t px = sorting->cameras[x].problems, py = sorting->cameras[y].problems;

	if (px != py)
		return px < py ? 1 : -1;
	return x < y ? -1 : x > y;
}

static int begin(struct page *p)
{
	p->order = calloc(p->r->camera_count + 1, sizeof(*p->order));
	if (!p->order)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->r->camera_count; i++)
		p->order[i] = i;
	sorting = p->r;
	qsort(p->order, p->r->camera_count, sizeof(*p->order), by_problems);
	for (size_t i = 0; i < p->r->entry_count; i++) {
		if (i == 0 || p->r->entries[i].time < p->first)
			p->first = p->r->entries[i].time;
		if (p->r->entries[i].time > p->last)
			p->last = p->r->entries[i].time;
	}
	return 0;
}

int report_write(
	struct report *r, struct engine *engine, const char *path, char *const *captures, int count)
{
	struct page p = {.r = r, .engine = engine};
	int err = begin(&p);

	if (err < 0)
		return err;
	p.out = fopen(path, "we");
	if (!p.out) {
		free(p.order);
		return -errno;
	}
	put_head(&p, captures, count);
	put_problems(&p);
	put_timeline(&p);
	put_cameras(&p);
	put_ports(&p);
	fputs("</body></html>\n", p.out);
	err = ferror(p.out) ? -EIO : 0;
	if (fclose(p.out) != 0)
		err = -errno;
	free(p.order);
	return err;
}
