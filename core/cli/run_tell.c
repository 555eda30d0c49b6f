/* SPDX-License-Identifier: ISC
 *
 * Events for the people who look after the machine: a line each, or, under systemd, an entry of
 * the journal with fields.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "tap82/journal.h"
#include "tap82/log.h"

/* The journal's fields, and the record's that they come from; the first ones are in the line. */
static const struct {
	const char *key, *field;
	bool in_line;
} fields[] = {
	{"mac", "TAP82_MAC", true},
	{"ip", "TAP82_IP", true},
	{"server", "TAP82_SERVER", true},
	{"relay", "TAP82_RELAY", true},
	{"reason", "TAP82_REASON", true},
	{"detail", "TAP82_DETAIL", true},
	{"group", "TAP82_GROUP", false},
	{"id", "TAP82_ID", false},
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static void put_line(char *line, size_t size, const char *code, const json_t *record)
{
	size_t n = (size_t)snprintf(line, size, "%s", code);

	for (size_t i = 0; i < FIELDS; i++) {
		const char *value = json_string_value(json_object_get(record, fields[i].key));

		if (fields[i].in_line && value && n < size)
			n += (size_t)snprintf(line + n, size - n, " %s=%s", fields[i].key, value);
	}
}

static void tell_journal(int fd, const char *line, enum event_severity severity, const char *code,
	const json_t *record)
{
	static const char *const priorities[] = {"6", "4", "3"};
	struct journal_entry entry = {.len = 0};

	journal_add(&entry, "MESSAGE", line);
	journal_add(&entry, "PRIORITY", priorities[severity]);
	journal_add(&entry, "SYSLOG_IDENTIFIER", "tap82");
	journal_add(&entry, "TAP82_EVENT", code);
	for (size_t i = 0; i < FIELDS; i++)
		journal_add(&entry, fields[i].field,
			json_string_value(json_object_get(record, fields[i].key)));
	(void)journal_send(fd, &entry); /* the event log has it */
}

static void tell_line(const char *line, enum event_severity severity)
{
	switch (severity) {
	case EVENT_INFO: log_info("%s", line); break;
	case EVENT_WARNING: log_warning("%s", line); break;
	case EVENT_ERROR: log_error("%s", line); break;
	}
}

void run_tell_begin(struct run *run)
{
	run->journal_fd = getenv("JOURNAL_STREAM") ? journal_open(JOURNAL_SOCKET) : -1;
}

void run_tell_event(struct run *run, const struct event_row *row)
{
	enum event_severity severity = event_severity(event_code_parse(row->code));
	char line[1024];
	json_t *record;

	record = json_loadb(row->json, row->json_len, 0, NULL);
	put_line(line, sizeof(line), row->code, record);
	if (run->journal_fd >= 0)
		tell_journal(run->journal_fd, line, severity, row->code, record);
	else
		tell_line(line, severity);
	json_decref(record);
}
