/* SPDX-License-Identifier: ISC
 *
 * systemd's journal in its native protocol: an entry is a datagram of fields, so that
 * `journalctl TAP82_MAC=…` finds what a text could only be searched for.
 */
#ifndef TAP82_JOURNAL_H
#define TAP82_JOURNAL_H

#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_MAX    4096 /* bytes of an entry; a field that does not fit is left out */

struct journal_entry {
	char bytes[JOURNAL_MAX];
	size_t len;
};

/* A descriptor for journal_send(), or -errno. */
int journal_open(const char *path);
/* NAME=value, control characters escaped; nothing for a value that is NULL or empty. `entry` must
 * have been zero once. */
void journal_add(struct journal_entry *entry, const char *name, const char *value);
/* Never blocks: 0, or -errno (-EAGAIN: the journal has enough to do), and the entry is gone. */
int journal_send(int fd, const struct journal_entry *entry);

#endif
