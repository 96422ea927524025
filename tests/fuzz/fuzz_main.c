/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main() for the targets where libFuzzer has none: with afl-clang-fast a persistent loop over AFL++'s shared
 * memory, with any other compiler a run of the files given, which measures coverage.
 */
#include "fuzz.h"

#include <stdio.h>

/* Without libFuzzer nobody calls the custom mutators. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size)
{
	(void)bytes;
	(void)max_size;
	return size;
}

static int run_file(const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
	return 0;
}

#ifdef __AFL_FUZZ_TESTCASE_LEN
#include <unistd.h>

__AFL_FUZZ_INIT();

static void fuzz(void)
{
	const uint8_t *bytes;

	__AFL_INIT();
	bytes = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(10000))
		LLVMFuzzerTestOneInput(bytes, (size_t)__AFL_FUZZ_TESTCASE_LEN);
}
#else
static void fuzz(void)
{
}
#endif

int main(int argc, char **argv)
{
	int status = 0;

	if (argc == 1)
		fuzz();
	for (int i = 1; i < argc; i++)
		status |= run_file(argv[i]);
	return status;
}
