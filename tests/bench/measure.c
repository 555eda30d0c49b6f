/* SPDX-License-Identifier: ISC
 *
 * measure ROUNDS NAME=COMMAND…: runs all commands in each round, one after the other, and prints
 * for each the median of wall and processor time, and the median of its ratio to the first command
 * of the same round. Paired, so that what else the machine does hits both; processor time, because
 * it hits that least. Commands are run by sh, their output goes to /dev/null.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap82/clock.h"

#define COMMANDS_MAX 16
#define ROUNDS_MAX   101

struct figure {
	double wall, cpu; /* milliseconds */
};

static struct figure figures[COMMANDS_MAX][ROUNDS_MAX];

static double milliseconds(const struct timeval *t)
{
	return (double)t->tv_sec * 1000 + (double)t->tv_usec / 1000;
}

static int run(const char *command, struct figure *ret)
{
	int64_t start = clock_mono();
	struct rusage used;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
		return -1;
	ret->wall = (double)(clock_mono() - start) / 1000;
	ret->cpu = milliseconds(&used.ru_utime) + milliseconds(&used.ru_stime);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(v[0]), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void print_command(
	const char *name, const struct figure *f, const struct figure *first, int n)
{
	double wall[ROUNDS_MAX], cpu[ROUNDS_MAX], wall_ratio[ROUNDS_MAX], cpu_ratio[ROUNDS_MAX];

	for (int i = 0; i < n; i++) {
		wall[i] = f[i].wall;
		cpu[i] = f[i].cpu;
		wall_ratio[i] = f[i].wall / first[i].wall;
		cpu_ratio[i] = f[i].cpu / first[i].cpu;
	}
	printf("%-22.*s %10.0f ms %10.0f ms %9.2f x %9.2f x\n", (int)strcspn(name, "="), name,
		median(wall, n), median(cpu, n), median(wall_ratio, n), median(cpu_ratio, n));
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[1]) : 0;
	int commands = argc - 2;

	if (rounds < 1 || rounds > ROUNDS_MAX || commands > COMMANDS_MAX) {
		fputs("usage: measure ROUNDS NAME=COMMAND…\n", stderr);
		return 2;
	}
	for (int i = 0; i < rounds; i++)
		for (int c = 0; c < commands; c++) {
			const char *command = strchr(argv[2 + c], '=');

			if (!command || run(command + 1, &figures[c][i]) < 0) {
				fprintf(stderr, "measure: failed: %s\n", argv[2 + c]);
				return 1;
			}
		}
	printf("%-22s %13s %13s %11s %11s\n", "", "wall", "processor", "wall", "processor");
	for (int c = 0; c < commands; c++)
		print_command(argv[2 + c], figures[c], figures[0], rounds);
	return 0;
}
