/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What judging an image costs: CPU time of this process and of its jailed children, and the largest resident
 * size of a child. Linked with the archives that vext is linked with, and as small as vext when it forks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mbedtls/sha256.h>

#include "crypto/judge.h"
#include "probe/probe.h"

#define RUNS_MAX 10000u

static struct anchors anchors;
static struct claim claim;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(3);
}

static struct verdict read_image(void *ctx, uint64_t offset, void *buf, size_t size)
{
	if (pread(*(int *)ctx, buf, size, (off_t)offset) != (ssize_t)size)
		return verdict_at(REASON_IMAGE_TRUNCATED, offset);
	return verdict(REASON_ACCEPTED);
}

static double used_by(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double used(void)
{
	return used_by(RUSAGE_SELF) + used_by(RUSAGE_CHILDREN);
}

static struct verdict judge_once(int fd, uint64_t size, enum judge_depth depth)
{
	static struct trusted_space space;
	const struct origin origin = { .name = "bench", .directory = NULL };
	const struct demands demands = policy_default_demands();
	const struct reader reader = { .read = read_image, .ctx = &fd };
	const struct trusted *trusted;
	struct verdict v = probe_image(fd, size, VEXT_ARCH, &claim);

	if (is_accepted(v))
		v = judge(&anchors, &origin, &demands, &claim, &reader, depth, &space, &trusted);
	return v;
}

/* What the same machine takes at the same time for work that is always the same: 256 KiB hashed. */
static double cost_of_hashing(void)
{
	static uint8_t bytes[256 * 1024], hash[32];
	const double start = used();

	if (mbedtls_sha256(bytes, sizeof(bytes), hash, 0) != 0)
		die("SHA-256", "failed");
	return used() - start;
}

static double lesser(double a, double b)
{
	return a < b ? a : b;
}

static void add_certificate(const char *path)
{
	static uint8_t bytes[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	struct verdict v;

	if (size <= 0)
		die(path, strerror(errno));
	close(fd);
	v = anchors_add(&anchors, bytes, (size_t)size, ANCHOR_ARGUMENT);
	if (!is_accepted(v))
		die(path, reason_name(v.reason));
}

int main(int argc, char **argv)
{
	const unsigned long runs = argc == 5 ? strtoul(argv[1], NULL, 10) : 0;
	const bool deep = argc == 5 && strcmp(argv[2], "deep") == 0;
	struct verdict v = { 0 };
	double cheapest = 0, hashing = 0;
	struct rusage children;
	struct stat st;
	int fd;

	if (runs == 0 || runs > RUNS_MAX) {
		fputs("Usage: bench RUNS first|deep IMAGE CERTIFICATE\n"
		      "\n"
		      "Prints: verdict, microseconds of CPU time of the cheapest run, bytes of the image\n"
		      "that verity covers, KiB resident in the largest child, microseconds for hashing\n"
		      "256 KiB\n",
		      stderr);
		return 2;
	}
	anchors_init(&anchors);
	add_certificate(argv[4]);
	fd = open(argv[3], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		die(argv[3], strerror(errno));
	for (unsigned long i = 0; i < runs; i++) {
		const double start = used();
		double cost, hash;

		v = judge_once(fd, (uint64_t)st.st_size,
			       deep ? JUDGE_EVERY_BLOCK : JUDGE_FIRST_BLOCK);
		cost = used() - start;
		hash = cost_of_hashing();
		cheapest = i == 0 ? cost : lesser(cost, cheapest);
		hashing = i == 0 ? hash : lesser(hash, hashing);
	}
	getrusage(RUSAGE_CHILDREN, &children);
	printf("%s %.0f %llu %ld %.0f\n", reason_name(v.reason), cheapest,
	       (unsigned long long)claim.verity.data_blocks * VEXT_BLOCK, children.ru_maxrss,
	       hashing);
	return 0;
}
