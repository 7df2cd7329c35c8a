// SPDX-License-Identifier: Apache-2.0
/* planted: loaded into a program by LD_PRELOAD, does on SIGUSR1 what whoever has broken
 * it would try: the words in the file that GREENGATE_PLANTED names, each with its errno
 * (0: it was done) on standard error. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int orders = -1; /* opened before the program confines itself */

static long run_program(void)
{
    char *const arguments[] = {"true", NULL};
    return execve("/bin/true", arguments, NULL);
}

static long run_program_at(void)
{
    char *const arguments[] = {"true", NULL};
    return syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, NULL, 0);
}

static long trace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long use_bpf(void)
{
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static long make_process(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        _exit(0);
    }
    return pid < 0 ? -1 : waitpid((pid_t)pid, NULL, 0);
}

static long make_code(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static long turn_to_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long use_packet_socket(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0);
}

static long use_listener(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ? -1 : listen(fd, 1);
}

static long use_mount(void)
{
    return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static long use_root(void)
{
    return setuid(0);
}

static long use_kill(void)
{
    return kill(getppid(), 0);
}

static long read_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

static long write_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static const struct {
    const char *word;
    long (*act)(void);
    long (*act_on)(const char *path);
} deeds[] = {
    {"execve", run_program, NULL},
    {"execveat", run_program_at, NULL},
    {"ptrace", trace, NULL},
    {"bpf", use_bpf, NULL},
    {"fork", make_process, NULL},
    {"code", make_code, NULL},
    {"turn-to-code", turn_to_code, NULL},
    {"packet-socket", use_packet_socket, NULL},
    {"listen", use_listener, NULL},
    {"mount", use_mount, NULL},
    {"setuid", use_root, NULL},
    {"kill", use_kill, NULL},
    {"read", NULL, read_file},
    {"write", NULL, write_file},
};

/* A line: a word, perhaps a blank and a path. */
static void obey(char *line)
{
    char *path = strchr(line, ' ');
    if (path) {
        *path++ = '\0';
    }
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        if (strcmp(line, deeds[i].word) == 0) {
            errno = 0;
            long result = deeds[i].act ? deeds[i].act() : deeds[i].act_on(path ? path : "");
            dprintf(2, "planted: %s%s%s: %d\n", line, path ? " " : "", path ? path : "",
                    result < 0 ? errno : 0);
        }
    }
}

static void on_signal(int number)
{
    char text[4096];
    char *save = NULL;
    ssize_t len = pread(orders, text, sizeof(text) - 1, 0);
    (void)number;
    text[len > 0 ? len : 0] = '\0';
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        obey(line);
    }
    dprintf(2, "planted: done\n");
}

__attribute__((constructor)) static void plant(void)
{
    const char *path = getenv("GREENGATE_PLANTED");
    orders = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (orders >= 0) {
        signal(SIGUSR1, on_signal);
    }
}
