/* SPDX-License-Identifier: ISC
 *
 * confine: runs a command under a unit's SystemCallFilter, RestrictAddressFamilies, and
 * RestrictNamespaces=yes, as systemd would:
 *
 *   confine CALLS FAMILIES COMMAND…
 *
 * CALLS is a file with the name of an allowed system call on each line, FAMILIES a list such as
 * "AF_UNIX AF_INET". Everything else fails with EPERM, other families with EAFNOSUPPORT.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
	const char *name;
	int number;
} families[] = {
	{"AF_UNIX", AF_UNIX},
	{"AF_INET", AF_INET},
	{"AF_INET6", AF_INET6},
	{"AF_NETLINK", AF_NETLINK},
	{"AF_PACKET", AF_PACKET},
};

static int allow_families(scmp_filter_ctx ctx, const char *list)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && r == 0; i++) {
		const char *at = strstr(list, families[i].name);
		char end = at ? at[strlen(families[i].name)] : 'x';

		if (end == ' ' || end == '\0')
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i].number));
	}
	return r;
}

static bool is_of_namespaces(int number)
{
	return number == SCMP_SYS(unshare) || number == SCMP_SYS(clone) ||
	       number == SCMP_SYS(clone3) || number == SCMP_SYS(setns);
}

/* Without a new namespace; clone3's flags are out of a filter's sight. */
static int restrict_namespaces(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp is_old = {.arg = 0,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
			   CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP,
		.datum_b = 0};
	int r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(unshare), 1, &is_old);

	if (r == 0)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &is_old);
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

/* Names that this machine does not know (other architectures') are passed over. */
static int allow_calls(scmp_filter_ctx ctx, const char *path)
{
	FILE *f = fopen(path, "r");
	char name[64];
	int r = 0;

	if (!f)
		return -errno;
	while (r == 0 && fgets(name, sizeof(name), f)) {
		int number;

		name[strcspn(name, "\n")] = '\0';
		number = seccomp_syscall_resolve_name(name);
		if (number >= 0 && number != SCMP_SYS(socket) && !is_of_namespaces(number))
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 0);
	}
	fclose(f);
	return r;
}

int main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!ctx || argc < 4) {
		fputs("usage: confine CALLS FAMILIES COMMAND…\n", stderr);
		return 2;
	}
	r = allow_calls(ctx, argv[1]);
	if (r == 0)
		r = allow_families(ctx, argv[2]);
	if (r == 0)
		r = restrict_namespaces(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	if (r == 0) {
		execvp(argv[3], argv + 3);
		r = -errno;
	}
	fprintf(stderr, "confine: %s: %s\n", argv[3], strerror(-r));
	return 1;
}
