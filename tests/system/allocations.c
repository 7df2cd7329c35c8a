// SPDX-License-Identifier: Apache-2.0
/* allocations: loaded into a program by LD_PRELOAD, counts its allocator calls.
 *
 * The count is a 64-bit number in the file that GREENGATE_ALLOCATIONS names, mapped, so
 * that a test can read it while the program runs. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static _Atomic uint64_t *shared;

__attribute__((constructor)) static void attach(void)
{
    const char *path = getenv("GREENGATE_ALLOCATIONS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) {
        return;
    }
    void *map = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    shared = map == MAP_FAILED ? NULL : map;
}

static void count_one(void)
{
    if (shared) {
        atomic_fetch_add_explicit(shared, 1, memory_order_relaxed);
    }
}

void *malloc(size_t size)
{
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    count_one();
    return __libc_realloc(old, size);
}
