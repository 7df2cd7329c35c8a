// SPDX-License-Identifier: Apache-2.0
/* faults: loaded into a program by LD_PRELOAD, stops or fails it at its Nth change of a
 * folder.
 *
 * GREENGATE_FAULT_ROOT: the folder. GREENGATE_FAULT_COUNT: a file whose first number
 * counts the changes of the program and its children together. GREENGATE_FAULT:
 *   log:PATH   note the changes
 *   kill:N     write half of what the Nth would write, then end all by SIGKILL
 *   eio:N      the Nth fails
 *   enospc:N   from the Nth on nothing can grow or be made */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct shared {
    _Atomic uint64_t steps;
    _Atomic int first; /* pid of the program */
};

enum mode { OFF, LOG, KILL, EIO_ONCE, FULL };

static struct shared *shared;
static const char *root;
static const char *log_path;
static enum mode mode;
static uint64_t at;

/* The function that ours stands before. */
#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static void read_mode(const char *text)
{
    static const struct {
        const char *word;
        enum mode mode;
    } modes[] = {{"log:", LOG}, {"kill:", KILL}, {"eio:", EIO_ONCE}, {"enospc:", FULL}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        size_t len = strlen(modes[i].word);
        if (strncmp(text, modes[i].word, len) == 0) {
            mode = modes[i].mode;
            log_path = text + len;
            at = strtoull(text + len, NULL, 10);
        }
    }
}

__attribute__((constructor)) static void attach(void)
{
    const char *path = getenv("GREENGATE_FAULT_COUNT");
    const char *text = getenv("GREENGATE_FAULT");
    root = getenv("GREENGATE_FAULT_ROOT");
    int fd = path && text && root ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) {
        return;
    }
    void *map = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED) {
        shared = map;
        shared->first = getpid();
        read_mode(text);
    }
}

static bool is_path_ours(const char *path)
{
    return shared && strncmp(path, root, strlen(root)) == 0;
}

static bool is_fd_ours(int fd)
{
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = shared ? readlink(link, path, sizeof(path) - 1) : -1;
    path[len > 0 ? len : 0] = '\0';
    return len > 0 && is_path_ours(path);
}

static void note(const char *what, const char *name)
{
    int fd = REAL(open)(log_path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd >= 0) {
        dprintf(fd, "%s %s\n", what, name);
        close(fd);
    }
}

static void end_all(void)
{
    kill(shared->first, SIGKILL);
    kill(getpid(), SIGKILL);
}

/* What the next change comes to: 0 to let it happen, 1 to end in it, or an errno.
 * `grows`: a full disk forbids it. */
static int step(const char *what, const char *name, bool grows)
{
    uint64_t now = atomic_fetch_add(&shared->steps, 1) + 1;
    switch (mode) {
    case LOG: note(what, name); return 0;
    case KILL: return now == at ? 1 : 0;
    case EIO_ONCE: return now == at ? -EIO : 0;
    case FULL: return grows && now >= at ? -ENOSPC : 0;
    default: return 0;
    }
}

static int fail(int result)
{
    if (result == 1) {
        end_all();
    }
    errno = -result;
    return -1;
}

ssize_t write(int fd, const void *data, size_t len)
{
    int result = is_fd_ours(fd) ? step("write", "", true) : 0;
    if (result == 1) {
        (void)!REAL(write)(fd, data, len / 2);
    }
    return result ? fail(result) : REAL(write)(fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    int result = is_fd_ours(fd) ? step("pwrite", "", true) : 0;
    if (result == 1) {
        (void)!REAL(pwrite)(fd, data, len / 2, offset);
    }
    return result ? fail(result) : REAL(pwrite)(fd, data, len, offset);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t bits = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    int result = flags & O_CREAT && is_path_ours(path) ? step("create", path, true) : 0;
    return result ? fail(result) : REAL(open)(path, flags, bits);
}

int mkdir(const char *path, mode_t bits)
{
    int result = is_path_ours(path) ? step("mkdir", path, true) : 0;
    return result ? fail(result) : REAL(mkdir)(path, bits);
}

int symlink(const char *target, const char *path)
{
    int result = is_path_ours(path) ? step("symlink", path, true) : 0;
    return result ? fail(result) : REAL(symlink)(target, path);
}

int rename(const char *from, const char *to)
{
    int result = is_path_ours(to) ? step("rename", to, false) : 0;
    return result ? fail(result) : REAL(rename)(from, to);
}

int unlink(const char *path)
{
    int result = is_path_ours(path) ? step("unlink", path, false) : 0;
    return result ? fail(result) : REAL(unlink)(path);
}

int ftruncate(int fd, off_t len)
{
    int result = is_fd_ours(fd) ? step("ftruncate", "", false) : 0;
    return result ? fail(result) : REAL(ftruncate)(fd, len);
}

int fsync(int fd)
{
    int result = is_fd_ours(fd) ? step("fsync", "", true) : 0;
    return result ? fail(result) : REAL(fsync)(fd);
}
