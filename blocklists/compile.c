// SPDX-License-Identifier: Apache-2.0
#include "blocklists/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blocklists/child.h"

/* What parent and child see of each other. */
struct shared {
    int32_t err;
    uint32_t source; /* being read */
    struct diag diag;
    struct source_report reports[];
};

struct child {
    struct shared *shared;
    int pipe;
};

/* A step fits the pipe's atomic size; a parent that is gone ends the child. */
static void send_step(void *arg, const struct build_step *step)
{
    const struct child *child = arg;
    child->shared->source = step->source;
    ssize_t sent;
    do {
        sent = write(child->pipe, step, sizeof(*step));
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        _exit(1);
    }
}

static void run_child(const struct build_job *job, struct child *child)
{
    struct build_job own = *job;
    own.on_step = send_step;
    own.arg = child;
    signal(SIGPIPE, SIG_IGN);
    int err = child_confine(job->file_max);
    if (err < 0) {
        diag_set(&child->shared->diag, err, "cannot bound the list compiler: %s", strerror(-err));
    } else {
        err = build_run(&own, child->shared->reports, &child->shared->diag);
    }
    child->shared->err = err;
    _exit(0);
}

/* Pass the steps on until the child closes its end. */
static void follow(const struct build_job *job, int pipe)
{
    struct build_step step;
    for (;;) {
        ssize_t got = read(pipe, &step, sizeof(step));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got != (ssize_t)sizeof(step)) {
            return;
        }
        if (job->on_step && step.source < job->source_count + 1 && step.phase <= BUILD_WRITE) {
            job->on_step(job->arg, &step);
        }
    }
}

static int await(const struct build_job *job, pid_t pid, struct shared *shared, struct diag *diag)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        uint32_t source = shared->source < job->source_count ? shared->source : 0;
        return diag_set(diag, -ECHILD, "the list compiler died of signal %d, last at source %s",
                        WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                        job->source_count ? job->sources[source].id : "none");
    }
    shared->diag.file[DIAG_FILE_MAX - 1] = '\0';
    shared->diag.text[DIAG_TEXT_MAX - 1] = '\0';
    if (shared->err < 0 && diag) {
        *diag = shared->diag;
    }
    return shared->err;
}

int compile_run(const struct build_job *job, struct source_report *reports, struct diag *diag)
{
    size_t size = sizeof(struct shared) + job->source_count * sizeof(struct source_report);
    int ends[2];
    struct shared *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || pipe2(ends, O_CLOEXEC) < 0) {
        return diag_set(diag, -errno, "starting the list compiler: %s", strerror(errno));
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct child child = {shared, ends[1]};
        close(ends[0]);
        run_child(job, &child);
    }
    int err = pid < 0 ? -errno : 0;
    close(ends[1]);
    if (err == 0) {
        follow(job, ends[0]);
        err = await(job, pid, shared, diag);
    } else {
        diag_set(diag, err, "starting the list compiler: %s", strerror(-err));
    }
    close(ends[0]);
    for (size_t i = 0; i < job->source_count; i++) {
        reports[i] = shared->reports[i];
        report_close(&reports[i]);
    }
    munmap(shared, size);
    return err;
}

int compile_file(struct build_job *job, const char *out_path, struct source_report *reports,
                 struct diag *diag)
{
    char temp[PATH_MAX];
    snprintf(temp, sizeof(temp), "%s.tmp%ld", out_path, (long)getpid());
    int fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        diag_at(diag, temp, 0, 0);
        return diag_set(diag, -errno, "%s", strerror(errno));
    }
    job->out_fd = fd;
    int err = compile_run(job, reports, diag);
    if (err == 0 && (fsync(fd) < 0 || rename(temp, out_path) < 0)) {
        err = -errno;
        diag_at(diag, out_path, 0, 0);
        diag_set(diag, err, "%s", strerror(-err));
    }
    if (err < 0) {
        unlink(temp);
    }
    close(fd);
    job->out_fd = -1;
    return err;
}
