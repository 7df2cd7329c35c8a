// SPDX-License-Identifier: Apache-2.0
/* syscalls: what the running program may still ask of the kernel, by seccomp. */
#pragma once

/* For every thread, for good: what is not on the list gets EPERM; execve, ptrace and
 * bpf end the program. Needs no_new_privs. Call it when all is open: no socket listens,
 * no program code is loaded and no process is started afterwards. -EOPNOTSUPP: the
 * kernel cannot; -ENOSYS: built without libseccomp, or for a sanitizer. */
__attribute__((warn_unused_result)) int syscalls_confine(void);
