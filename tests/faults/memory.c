/* SPDX-License-Identifier: Apache-2.0 */
/* The program's side of memory.h. Not part of vext: only the test's own link has it. */
#include "memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static struct memory *memory;

/* Mapped before main(), so that the jail needs nothing for it. */
__attribute__((constructor)) static void map(void)
{
	void *page = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED, MEMORY_FD, 0);

	if (page == MAP_FAILED)
		abort();
	memory = page;
	close(MEMORY_FD);
}

static bool fails(void)
{
	const uint32_t call = ++memory->calls;

	if (memory->fail == 0 || call < memory->fail || (call > memory->fail && !memory->lasting))
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}
