// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "tools/doctor.h"

enum { LINK_MAX = 64, COMM_MAX = 32, WORD_DIGITS = 8 };

/* An address as proc_net(5) prints it: words of 32 bits, each as this machine holds it. */
static bool read_address(const char *text, struct addr *ret_addr)
{
    size_t len = strlen(text);
    struct addr addr = {.family = len == WORD_DIGITS ? AF_INET : AF_INET6};
    if (len != WORD_DIGITS && len != 4 * WORD_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < len / WORD_DIGITS; i++) {
        char word[WORD_DIGITS + 1];
        snprintf(word, sizeof(word), "%.8s", text + i * WORD_DIGITS);
        uint32_t value = (uint32_t)strtoul(word, NULL, 16);
        memcpy(addr.bytes + i * sizeof(value), &value, sizeof(value));
    }
    *ret_addr = addr;
    return true;
}

/* Do two sockets want the same? One that takes every address of IPv6 may take IPv4's too. */
static bool collide(const struct addr *one, const struct addr *other)
{
    return addr_is_any(one) || addr_is_any(other)
               ? one->family == other->family || one->family == AF_INET6 ||
                     other->family == AF_INET6
               : addr_equal(one, other);
}

/* The inode of a socket that is in the way, by a table of proc_net(5), 0 = none. */
static unsigned long find_socket(const char *table, const struct addr *listen)
{
    char line[512], text[4 * WORD_DIGITS + 1];
    unsigned long inode = 0;
    FILE *file = fopen(table, "re");
    while (file && !inode && fgets(line, sizeof(line), file)) {
        struct addr addr;
        unsigned port = 0;
        unsigned long at = 0;
        int count = sscanf(line, " %*d: %32[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*s %*s %lu", text,
                           &port, &at);
        bool held = count == 3 && port == listen->port && read_address(text, &addr) &&
                    collide(&addr, listen);
        inode = held ? at : 0;
    }
    if (file) {
        fclose(file);
    }
    return inode;
}

/* Does the process hold the socket? */
static bool holds(const char *process, unsigned long inode)
{
    char path[300], link[LINK_MAX], wanted[LINK_MAX];
    bool found = false;
    const struct dirent *entry;
    snprintf(path, sizeof(path), "/proc/%.20s/fd", process);
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    DIR *folder = opendir(path);
    while (folder && !found && (entry = readdir(folder)) != NULL) {
        ssize_t len = readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1);
        found = len == (ssize_t)strlen(wanted) && strncmp(link, wanted, (size_t)len) == 0;
    }
    if (folder) {
        closedir(folder);
    }
    return found;
}

static void name_process(const char *process, char out[OWNER_TEXT_MAX])
{
    char path[64], name[COMM_MAX] = "?";
    snprintf(path, sizeof(path), "/proc/%.20s/comm", process);
    FILE *file = fopen(path, "re");
    if (file && fgets(name, sizeof(name), file)) {
        name[strcspn(name, "\n")] = '\0';
    }
    if (file) {
        fclose(file);
    }
    cli_make_plain_text(name);
    snprintf(out, OWNER_TEXT_MAX, "%s (process %.20s)", name, process);
}

const char *port_owner(const struct addr *listen, char out[OWNER_TEXT_MAX])
{
    static const char *const tables[] = {"/proc/net/udp", "/proc/net/udp6", "/proc/net/tcp",
                                         "/proc/net/tcp6"};
    unsigned long inode = 0;
    const struct dirent *entry;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !inode; i++) {
        inode = find_socket(tables[i], listen);
    }
    DIR *processes = inode ? opendir("/proc") : NULL;
    bool named = false;
    while (processes && !named && (entry = readdir(processes)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && holds(entry->d_name, inode)) {
            name_process(entry->d_name, out);
            named = true;
        }
    }
    if (processes) {
        closedir(processes);
    }
    if (inode && !named) {
        snprintf(out, OWNER_TEXT_MAX, "another program (root sees which)");
    }
    return out;
}
