/* SPDX-License-Identifier: ISC
 *
 * The order matters: what needs privilege first (namespaces, uid), then what takes it away, the
 * system call list last.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <net/if.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap82/err.h"
#include "tap82/sandbox.h"

#define MEMORY_MORE (64ull << 20) /* address space that may be added to what is there */

/* What the sniffer's loop, libpcap's reading of the ring, and the C library need. */
static const int allowed_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(getsockopt),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
#if defined(__SANITIZE_ADDRESS__) || defined(TAP82_VALGRIND)
	SCMP_SYS(sigaltstack),
	SCMP_SYS(sched_yield),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill),
	SCMP_SYS(readlink),
	SCMP_SYS(mprotect),
#endif
#ifdef TAP82_VALGRIND
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(pread64),
#endif
#ifdef TAP82_COVERAGE
	SCMP_SYS(fcntl),
#endif
};

/* ioctl only for asking what has become of the interface. */
static const unsigned long allowed_ioctls[] = {SIOCGIFNAME, SIOCGIFFLAGS, SIOCGIFINDEX};

/* The counters of a coverage build are written to files at the end, opened to be read and written.
 * Only there: what is opened to be read is refused in it, too. */
static int allow_counters(scmp_filter_ctx ctx)
{
#ifdef TAP82_COVERAGE
	const struct scmp_arg_cmp is_update = {
		.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = O_ACCMODE, .datum_b = O_RDWR};

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &is_update);
#else
	(void)ctx;
	return 0;
#endif
}

static int allow_calls(scmp_filter_ctx ctx)
{
	int r = allow_counters(ctx);

	for (size_t i = 0; r == 0 && i < sizeof(allowed_calls) / sizeof(allowed_calls[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	for (size_t i = 0; r == 0 && i < sizeof(allowed_ioctls) / sizeof(allowed_ioctls[0]); i++) {
		const struct scmp_arg_cmp is_allowed = {
			.arg = 1, .op = SCMP_CMP_EQ, .datum_a = allowed_ioctls[i], .datum_b = 0};

		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &is_allowed);
	}
	return r;
}

static int restrict_calls(int (*allow)(scmp_filter_ctx ctx))
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!ctx)
		return -ENOMEM;
	r = allow(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

/* --- The starter ----------------------------------------------------------------------------- */

/* Beyond a sniffer's: to start and to reap one; its signals; opening a capture; locking in. */
static const int starter_calls[] = {
	SCMP_SYS(wait4),
	SCMP_SYS(socketpair),
	SCMP_SYS(pipe2),
	SCMP_SYS(dup2),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(gettid),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(close_range),
	SCMP_SYS(ioctl),
	SCMP_SYS(fcntl),
	SCMP_SYS(bind),
	SCMP_SYS(setsockopt),
	SCMP_SYS(eventfd2),
	SCMP_SYS(uname),
	SCMP_SYS(access),
	SCMP_SYS(readlink),
	SCMP_SYS(fadvise64),
	SCMP_SYS(mprotect),
	SCMP_SYS(unshare),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(setgroups),
	SCMP_SYS(setresgid),
	SCMP_SYS(setresuid),
	SCMP_SYS(capget),
	SCMP_SYS(capset),
	SCMP_SYS(prctl),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_restrict_self),
	SCMP_SYS(prlimit64),
	SCMP_SYS(setrlimit),
	SCMP_SYS(seccomp),
#ifdef TAP82_VALGRIND /* each process that is forked makes a lock, of a pipe */
	SCMP_SYS(pipe),
#endif
};

static const int starter_families[] = {AF_PACKET, AF_NETLINK, AF_UNIX};

static int allow_starter(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp is_reading = {.arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = O_ACCMODE | O_CREAT | O_TRUNC,
		.datum_b = O_RDONLY};
	/* A process or a thread, in the namespaces that are. */
	const struct scmp_arg_cmp is_fork = {.arg = 0,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
			   CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP,
		.datum_b = 0};
	int r = allow_calls(ctx);

	for (size_t i = 0; r == 0 && i < sizeof(starter_calls) / sizeof(starter_calls[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, starter_calls[i], 0);
	for (size_t i = 0; r == 0 && i < sizeof(starter_families) / sizeof(starter_families[0]);
		i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)starter_families[i]));
	if (r == 0)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &is_reading);
	if (r == 0)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &is_fork);
	if (r == 0) /* its flags are out of a filter's sight: the C library goes on with clone */
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

int sandbox_restrict_starter(void)
{
	return restrict_calls(allow_starter);
}

/* --- A sniffer ------------------------------------------------------------------------------- */

/* An empty network, no files of others, no IPC: with CAP_SYS_ADMIN, or in a user namespace of its
 * own. Where that is refused, the system call list forbids the same. */
static bool leave_namespaces(int user)
{
	return unshare(user | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS) == 0;
}

/* Landlock without a single rule: no path can be opened, made, or removed. */
static void leave_file_system(void)
{
	struct landlock_ruleset_attr all = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	long fd = syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (fd < 0)
		return;
#ifndef TAP82_COVERAGE
	(void)syscall(SYS_landlock_restrict_self, fd, 0);
#endif
	close((int)fd);
}

static int become(const char *user)
{
	struct passwd *pw;

	if (!user || geteuid() != 0)
		return 0;
	pw = getpwnam(user);
	if (!pw)
		return ERR_NOT_FOUND;
	if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return -errno;
	return 0;
}

static bool holds_none(void)
{
	return capng_get_caps_process() == 0 &&
	       capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE;
}

/* Those that are in effect, those that could be taken, and those that an exec could bring. The
 * bounding set needs CAP_SETPCAP: a process that hasn't got it can't gain by it either, with
 * no-new-privs set. */
static int drop_capabilities(void)
{
	bool may = capng_get_caps_process() == 0 &&
		   capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);

	capng_clear(CAPNG_SELECT_BOTH);
	if (may && capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		return -EPERM;
	/* A unit's own list may be without capset(): then there is nothing to be given up. */
	if (capng_apply(CAPNG_SELECT_CAPS) != 0 && !holds_none())
		return -EPERM;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return 0;
}

/* Whether capabilities can be given up: a user namespace brings all of them, in it. */
static bool may_drop(void)
{
	return capng_get_caps_process() == 0 && capng_apply(CAPNG_SELECT_CAPS) == 0;
}

static int forbid_gain(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* Bytes of address space in use. */
static uint64_t address_space(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int limit(int resource, uint64_t value)
{
	const struct rlimit r = {.rlim_cur = value, .rlim_max = value};

	return setrlimit((__rlimit_resource_t)resource, &r) < 0 ? -errno : 0;
}

/* Descriptors that are open stay usable above the limit; it is not 0 because poll() refuses more
 * entries than it. 0 and 1 are in use, so no new one fits below it. The sanitizers reserve
 * terabytes of address space and map more: no bound there. Valgrind needs memory and descriptors of
 * its own. */
static int limit_resources(uint64_t memory)
{
	int r = limit(RLIMIT_NPROC, 0);

	if (r == 0)
		r = limit(RLIMIT_CORE, 0);
#if !defined(TAP82_COVERAGE) && !defined(TAP82_VALGRIND)
	if (r == 0)
		r = limit(RLIMIT_NOFILE, 2);
	if (r == 0)
		r = limit(RLIMIT_FSIZE, 0);
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(TAP82_VALGRIND)
	if (r == 0 && memory)
		r = limit(RLIMIT_AS, memory + MEMORY_MORE);
#else
	(void)memory;
#endif
	return r;
}

int sandbox_enter(const char *user, const char **ret_step)
{
	uint64_t memory = address_space();
	bool away = leave_namespaces(0);
	int r;

	*ret_step = "become the user";
	r = become(user);
	if (r == 0) {
		if (!away && may_drop())
			leave_namespaces(CLONE_NEWUSER);
		*ret_step = "drop capabilities";
		r = drop_capabilities();
	}
	if (r == 0) {
		*ret_step = "forbid new privileges";
		r = forbid_gain();
	}
	if (r == 0) {
		leave_file_system();
		*ret_step = "limit resources";
		r = limit_resources(memory);
	}
	if (r == 0) {
		*ret_step = "restrict system calls";
		r = restrict_calls(allow_calls);
	}
	return r;
}

/* --- The opener of packet sockets ------------------------------------------------------------- */

static const int opener_calls[] = {
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(close), SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sigaltstack), /* before it exits */
#endif
};

static int allow_opener(scmp_filter_ctx ctx)
{
	int r = allow_counters(ctx);

	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)AF_PACKET));

	for (size_t i = 0; r == 0 && i < sizeof(opener_calls) / sizeof(opener_calls[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, opener_calls[i], 0);
	return r;
}

int sandbox_restrict_opener(void)
{
	int r = forbid_gain();

	return r == 0 ? restrict_calls(allow_opener) : r;
}

void sandbox_close_all_but(int fd, int other)
{
	int low = other == 0 || fd < other ? fd : other, high = fd > other ? fd : other;

	if (low > 3)
		(void)close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		(void)close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	(void)close_range((unsigned)high + 1, ~0u, 0);
}
