/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
	if (vfs.f_flag & ST_RDONLY) {
		check_tell(check, CHECK_WRONG, "disk", folder, "the file system is read-only",
			"'mount' and 'dmesg' say since when: the kernel does it where a disk has "
			"errors");
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

/* Whom the processes become: ourselves, if we are not root. */
static bool may_write(const char *path, const struct passwd *pw)
{
	struct stat st;

	if (!pw)
		return access(path, W_OK) == 0;
	if (stat(path, &st) < 0)
		return false;
	return st.st_mode & (st.st_uid == pw->pw_uid	      ? S_IWUSR
				    : st.st_gid == pw->pw_gid ? S_IWGRP
							      : S_IWOTH);
}

static void folder_of(const char *file, char *out, size_t size)
{
	char *slash;

	snprintf(out, size, "%s", file);
	slash = strrchr(out, '/');
	if (slash)
		slash[slash == out] = 0;
	else
		snprintf(out, size, ".");
}

/* tap82 run makes a folder that is missing, but only one. */
static void check_missing(struct check *check, const char *folder)
{
	char above[PATH_MAX];

	folder_of(folder, above, sizeof(above));
	if (access(above, W_OK) == 0)
		check_tell(check, CHECK_NOTE, "permissions", folder, "is not there yet",
			"tap82 run makes it");
	else
		check_tell(check, CHECK_WRONG, "permissions", folder,
			"is not there, and cannot be made", "make it, and give it to 'user'");
}

/* The file, if it is there, and the folder, where other files come to stand beside it. */
static void check_place(struct check *check, const char *file, const struct passwd *pw)
{
	const char *who = pw ? pw->pw_name : "this user";
	char folder[PATH_MAX];
	bool well;

	folder_of(file, folder, sizeof(folder));
	if (access(folder, F_OK) < 0) {
		check_missing(check, folder);
		return;
	}
	well = may_write(folder, pw) && (access(file, F_OK) < 0 || may_write(file, pw));
	check_tellf(check, well ? CHECK_GOOD : CHECK_WRONG, "permissions", folder,
		well ? NULL : "chown it, and what is of tap82 in it, to 'user' of [tap82]",
		"%s %s write there", who, well ? "can" : "cannot");
}

static void check_permissions(struct check *check)
{
	const struct conf *conf = check->conf;
	const struct passwd *pw = geteuid() == 0 && conf->user ? getpwnam(conf->user) : NULL;

	check_place(check, conf->state, pw);
	if (conf->event_log)
		check_place(check, conf->event_log, pw);
}

void doctor_host(struct check *check)
{
	check_clock(check);
	check_disk(check);
	check_user(check);
	check_permissions(check);
}
