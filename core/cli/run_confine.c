/* SPDX-License-Identifier: ISC */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "tap82/err.h"
#include "tap82/log.h"

#define DEFAULT_USER "tap82"

/* No core dump, no debugger: keys are in memory. The leak checker of the sanitizers is one. */
#ifdef __SANITIZE_ADDRESS__
#define DUMPABLE 1
#else
#define DUMPABLE 0
#endif

/* --- Who we become --------------------------------------------------------------------------- */

int run_confine_user(const struct conf *conf, bool *ret_change, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *pw = conf->user ? getpwnam(conf->user) : NULL;

	*ret_change = false;
	*ret_uid = getuid();
	*ret_gid = getgid();
	if (geteuid() != 0 || !conf->user)
		return 0;
	if (!pw && strcmp(conf->user, DEFAULT_USER) != 0) {
		log_error("%s: [tap82] user: %s: no such user", conf->path, conf->user);
		return ERR_NOT_FOUND;
	}
	if (!pw) {
		log_warning("%s: [tap82] user: no user %s on this machine: staying root, without "
			    "its capabilities",
			conf->path, conf->user);
		return 0;
	}
	*ret_change = pw->pw_uid != 0;
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	return 0;
}

/* --- What must be there before --------------------------------------------------------------- */

/* A folder that is missing is made, and given to the user; one that is there is left as it is. */
static int prepare_folder(const char *file, mode_t mode, uid_t uid, gid_t gid)
{
	char *path = strdup(file), *slash = path ? strrchr(path, '/') : NULL;
	int err = 0;

	if (slash && slash != path) {
		*slash = 0;
		if (mkdir(path, mode) == 0)
			err = geteuid() == 0 && chown(path, uid, gid) < 0 ? -errno : 0;
		else if (errno != EEXIST)
			err = -errno;
		if (err < 0)
			log_error("%s: cannot be made: %s", path, strerror(-err));
	}
	free(path);
	return err;
}

int run_confine_prepare(const struct conf *conf, uid_t uid, gid_t gid)
{
	int err = prepare_folder(conf->state, 0750, uid, gid);

	if (err == 0 && conf->event_log)
		err = prepare_folder(conf->event_log, 0750, uid, gid);
	for (size_t i = 0; i < conf->listen_count && err == 0; i++)
		if (conf->listen[i][0] == '/')
			err = prepare_folder(conf->listen[i], 0755, uid, gid);
	return err;
}

/* --- What is given up ------------------------------------------------------------------------ */

static bool holds_nothing(void)
{
	return capng_get_caps_process() == 0 &&
	       capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE;
}

static int become(bool change, uid_t uid, gid_t gid)
{
	bool bounds;

	if (change)
		return capng_change_id(
			(int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (holds_nothing())
		return 0;
	/* The bounding set needs CAP_SETPCAP, and goes first. */
	bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	capng_clear(CAPNG_SELECT_BOTH);
	if (bounds && capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		return -1;
	return capng_apply(CAPNG_SELECT_CAPS);
}

int run_confine_drop(bool change, uid_t uid, gid_t gid)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (become(change, uid, gid) < 0) {
		log_error("privileges: cannot be given up: %s", strerror(errno));
		return ERR_PERMISSION;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, DUMPABLE) < 0) {
		log_error("privileges: cannot be given up: %s", strerror(errno));
		return ERR_PERMISSION;
	}
	return 0;
}
