// SPDX-License-Identifier: Apache-2.0
#include "confine/syscalls.h"

#include <errno.h>

/* Sanitizers trace threads and start helpers; GREENGATE_NO_SECCOMP: `make SECCOMP=no`. */
#if defined(GREENGATE_NO_SECCOMP) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int syscalls_confine(void)
{
    return -ENOSYS;
}
#else
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const allowed[] = {
    /* open files and sockets */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
    "pwritev2", "lseek", "_llseek", "close", "dup", "dup2", "dup3", "fcntl", "fcntl64", "flock",
    "fstat", "fstat64", "fstatfs", "fstatfs64", "ftruncate", "ftruncate64", "fallocate", "fsync",
    "fdatasync", "sync_file_range", "fadvise64", "fadvise64_64", "arm_fadvise64_64", "readahead",
    "copy_file_range", "sendfile", "sendfile64", "fchmod", "fchown", "fchown32",
    /* paths: Landlock and the modes of files say which */
    "open", "openat", "openat2", "access", "faccessat", "faccessat2", "stat", "stat64", "lstat",
    "lstat64", "newfstatat", "fstatat64", "statx", "statfs", "statfs64", "readlink", "readlinkat",
    "getdents", "getdents64", "getcwd", "rename", "renameat", "renameat2", "unlink", "unlinkat",
    "chmod", "fchmodat", "utimensat", "utimensat_time64", "umask", "memfd_create",
    /* sockets; socket itself is below */
    "bind", "connect", "accept", "accept4", "getsockname", "getpeername", "getsockopt",
    "setsockopt", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg",
    "recvmmsg", "recvmmsg_time64", "shutdown", "socketpair", "pipe", "pipe2",
    /* waiting, time */
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
    "eventfd", "eventfd2", "clock_gettime", "clock_gettime64", "clock_getres",
    "clock_getres_time64", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "gettimeofday",
    "time", "times", "adjtimex", "clock_adjtime", "clock_adjtime64",
    /* memory; mmap and mprotect are below */
    "brk", "munmap", "mremap", "madvise", "mincore", "mlock", "mlock2", "munlock", "membarrier",
    /* threads; clone is below */
    "futex", "futex_time64", "futex_waitv", "set_robust_list", "get_robust_list", "rseq",
    "set_tid_address", "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "getcpu", "exit", "exit_group", "restart_syscall",
    /* signals; tgkill is below */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigpending",
    "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigsuspend", "sigaltstack", "pause",
    /* who and where we are */
    "getpid", "getppid", "gettid", "getuid", "getuid32", "geteuid", "geteuid32", "getgid",
    "getgid32", "getegid", "getegid32", "getgroups", "getgroups32", "getresuid", "getresuid32",
    "getresgid", "getresgid32", "getpgrp", "getpgid", "getsid", "getrlimit", "ugetrlimit",
    "getrusage", "sysinfo", "uname", "getrandom"};

static const char *const deadly[] = {"execve", "execveat", "ptrace", "bpf"};

/* A call is allowed with these values alone: the bits of `mask` of an argument. */
struct condition {
    const char *name;
    unsigned argument;
    uint64_t mask, value;
};

#define WHOLE UINT64_C(0xffffffff)

static const struct condition conditions[] = {
    {"socket", 0, WHOLE, AF_UNIX},
    {"socket", 0, WHOLE, AF_INET},
    {"socket", 0, WHOLE, AF_INET6},
    {"socket", 0, WHOLE, AF_NETLINK},
    /* No code comes into memory any more. */
    {"mmap", 2, PROT_EXEC, 0},
    {"mmap2", 2, PROT_EXEC, 0},
    {"mprotect", 2, PROT_EXEC, 0},
    /* Threads, but no processes. */
    {"clone", 0, CLONE_THREAD, CLONE_THREAD},
    /* Is a process still there? No signal is sent. */
    {"kill", 1, WHOLE, 0},
    {"prlimit64", 0, WHOLE, 0},
    {"prctl", 0, WHOLE, PR_SET_NAME},
    {"prctl", 0, WHOLE, PR_GET_NAME},
    {"prctl", 0, WHOLE, PR_GET_DUMPABLE},
    {"ioctl", 1, WHOLE, FIONBIO},
    {"ioctl", 1, WHOLE, FIOCLEX},
    {"ioctl", 1, WHOLE, FIONCLEX},
    {"ioctl", 1, WHOLE, FIONREAD},
    {"ioctl", 1, WHOLE, TCGETS},
    {"ioctl", 1, WHOLE, SIOCGIFINDEX},
    {"ioctl", 1, WHOLE, SIOCGIFNAME},
    {"ioctl", 1, WHOLE, SIOCGIFFLAGS},
};

/* s390 has the flags of clone second. */
#ifdef __s390__
enum { CLONE_FLAGS_AT = 1 };
#else
enum { CLONE_FLAGS_AT = 0 };
#endif

/* A name that this kind of machine does not have is no error. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *name,
               const struct scmp_arg_cmp *compare)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) {
        return 0;
    }
    int err = seccomp_rule_add_array(filter, action, number, compare ? 1 : 0, compare);
    return err == -EDOM ? 0 : err; /* known elsewhere alone */
}

static int add_conditions(scmp_filter_ctx filter)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        const struct condition *row = &conditions[i];
        unsigned at = row->mask == CLONE_THREAD ? CLONE_FLAGS_AT : row->argument;
        const struct scmp_arg_cmp compare = SCMP_CMP(at, SCMP_CMP_MASKED_EQ, row->mask, row->value);
        err = add(filter, SCMP_ACT_ALLOW, row->name, &compare);
    }
    /* Signals to ourselves: abort() sends one. */
    const struct scmp_arg_cmp own = SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)getpid());
    return err < 0 ? err : add(filter, SCMP_ACT_ALLOW, "tgkill", &own);
}

static int fill(scmp_filter_ctx filter)
{
    int err = add_conditions(filter);
    for (size_t i = 0; err == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        err = add(filter, SCMP_ACT_ALLOW, allowed[i], NULL);
    }
    for (size_t i = 0; err == 0 && i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        err = add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], NULL);
    }
    /* Its flags lie in memory, where no filter sees them; the C library then calls clone. */
    return err < 0 ? err : add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", NULL);
}

int syscalls_confine(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter) {
        return -ENOMEM;
    }
    int err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
    if (err == 0) {
        err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    }
    if (err == 0) {
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* since 2.5: a tree */
        err = fill(filter);
    }
    if (err == 0) {
        err = seccomp_load(filter);
    }
    seccomp_release(filter);
    return err == -EINVAL || err == -ENOSYS ? -EOPNOTSUPP : err;
}
#endif
