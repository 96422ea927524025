/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic BPF over struct seccomp_data (linux/seccomp.h): number, architecture, six arguments of 64
 * bits, little-endian on both architectures. Descriptors, protections and flags are compared by their
 * low halves, which is all that the kernel looks at.
 */
#include "probe/filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "probe/jail.h"

#if defined(__x86_64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARGUMENT(n) LOAD(args[(n)])
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define IF_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (skip), 0)
#define IF_ANY_BIT(bits, skip) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (skip), 0)
#define UNLESS_ANY_BIT(bits, skip) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (skip))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

/* Each rule is entered with the system call's number loaded, and left either for good or the same. */
#define ALLOW_CALL(call) UNLESS_EQUAL((call), 1), ALLOW

#define ALLOW_CALL_ON(call, fd) \
	UNLESS_EQUAL((call), 4), LOAD_ARGUMENT(0), UNLESS_EQUAL((fd), 1), ALLOW, KILL

/* Third argument: protection. */
#define ALLOW_UNLESS_EXECUTABLE(call) \
	UNLESS_EQUAL((call), 4), LOAD_ARGUMENT(2), IF_ANY_BIT(PROT_EXEC, 1), ALLOW, KILL

/* Third argument: what is advised. Others reach the machine's memory, such as MADV_HWPOISON. */
#define ALLOW_GIVING_BACK(call)                                                \
	UNLESS_EQUAL((call), 5), LOAD_ARGUMENT(2), IF_EQUAL(MADV_DONTNEED, 1), \
		UNLESS_EQUAL(MADV_FREE, 1), ALLOW, KILL

/* Third argument: protection; fourth: flags. */
#define ALLOW_ANONYMOUS_MAP(call)                                                              \
	UNLESS_EQUAL((call), 6), LOAD_ARGUMENT(2), IF_ANY_BIT(PROT_EXEC, 3), LOAD_ARGUMENT(3), \
		UNLESS_ANY_BIT(MAP_ANONYMOUS, 1), ALLOW, KILL

static struct sock_filter filter[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_AUDIT_ARCH, 1, 0),
	KILL,
	LOAD(nr), /* an x32 number has bit 30 set, so it equals none of these */
	ALLOW_CALL_ON(SYS_read, JAIL_FILE_FD),
	ALLOW_CALL_ON(SYS_pread64, JAIL_FILE_FD),
	ALLOW_CALL_ON(SYS_lseek, JAIL_FILE_FD),
	ALLOW_CALL_ON(SYS_write, JAIL_REPLY_FD),
	ALLOW_ANONYMOUS_MAP(SYS_mmap),
	ALLOW_UNLESS_EXECUTABLE(SYS_mprotect),
	ALLOW_CALL(SYS_munmap),
	ALLOW_CALL(SYS_mremap),
	ALLOW_GIVING_BACK(SYS_madvise),
	ALLOW_CALL(SYS_brk),
	ALLOW_CALL(SYS_exit),
	ALLOW_CALL(SYS_exit_group),
	KILL,
};

bool filter_install(void)
{
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
