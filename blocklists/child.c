// SPDX-License-Identifier: Apache-2.0
#include "blocklists/child.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY_MAX (1ULL << 30)
#define OUTPUT_MAX (1ULL << 30)
enum { CPU_SECONDS_MAX = 900 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { BOUND_MEMORY = 0 }; /* their shadow alone is larger */
#else
enum { BOUND_MEMORY = 1 };
#endif

static int bound(int resource, rlim_t limit)
{
    struct rlimit old;
    if (getrlimit(resource, &old) < 0) {
        return -errno;
    }
    rlim_t value = limit < old.rlim_max ? limit : old.rlim_max;
    struct rlimit now = {value, value};
    return setrlimit(resource, &now) < 0 ? -errno : 0;
}

int child_confine(uint64_t file_max)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    int err = bound(RLIMIT_FSIZE, file_max && file_max < OUTPUT_MAX ? file_max : OUTPUT_MAX);
    err = err < 0 ? err : bound(RLIMIT_CPU, CPU_SECONDS_MAX);
    err = err < 0 ? err : bound(RLIMIT_CORE, 0);
    if (err == 0 && BOUND_MEMORY) {
        err = bound(RLIMIT_AS, MEMORY_MAX);
    }
    if (err == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        err = -errno;
    }
    return err;
}

struct outcome {
    int32_t err;
    struct diag diag;
};

static void await(pid_t pid, struct outcome *outcome)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            status = -1;
            break;
        }
    }
    if (status != 0) {
        outcome->err = diag_set(&outcome->diag, -ECHILD, "the list reader died of signal %d",
                                WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
    outcome->diag.file[DIAG_FILE_MAX - 1] = '\0';
    outcome->diag.text[DIAG_TEXT_MAX - 1] = '\0';
}

int child_run(int (*work)(void *arg, struct diag *diag), void *arg, uint64_t file_max,
              struct diag *diag)
{
    struct outcome *outcome =
        mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED) {
        return diag_set(diag, -errno, "starting the list reader: %s", strerror(errno));
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int err = child_confine(file_max);
        outcome->err = err < 0 ? err : work(arg, &outcome->diag);
        _exit(0);
    }
    int err = pid < 0 ? -errno : 0;
    if (err == 0) {
        await(pid, outcome);
        err = outcome->err;
    } else {
        diag_set(&outcome->diag, err, "starting the list reader: %s", strerror(-err));
    }
    if (err < 0 && diag) {
        *diag = outcome->diag;
    }
    munmap(outcome, sizeof(*outcome));
    return err;
}
