/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "check_online.h"

#define DISK_MIN (UINT64_C(256) << 20)

static void check_clock(struct check *check)
{
	struct timex timex = {0};
	int state = adjtimex(&timex);

	if (state < 0 || state == TIME_ERROR || timex.status & STA_UNSYNC)
		check_tell(check, CHECK_NOTE, "clock", "this host", "not synchronised",
			"times of events compare with others only when NTP runs");
	else
		check_tell(check, CHECK_GOOD, "clock", "this host", "synchronised", NULL);
}

static void check_disk(struct check *check)
{
	char folder[4096];
	struct statvfs vfs;
	uint64_t room;
	char *slash;

	snprintf(folder, sizeof(folder), "%s", check->conf->state);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = 0;
	if (statvfs(slash ? folder : ".", &vfs) < 0) {
		check_tell(check, CHECK_NOTE, "disk", folder, strerror(errno),
			"the folder of 'state' must be there when tap82 starts");
		return;
	}
	room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	check_tellf(check, room < DISK_MIN ? CHECK_WRONG : CHECK_GOOD, "disk", folder,
		room < DISK_MIN ? "the store needs room: a million devices are about 250 MB" : NULL,
		"free: %llu MB", (unsigned long long)(room >> 20));
}

static void check_user(struct check *check)
{
	const char *user = check->conf->user;

	if (user && geteuid() == 0 && !getpwnam(user))
		check_tell(check, CHECK_NOTE, "user", user, "there is no such user",
			"systemd-sysusers makes it, or 'user =' in [tap82] names another");
}

void doctor_host(struct check *check)
{
	check_clock(check);
	check_disk(check);
	check_user(check);
}
