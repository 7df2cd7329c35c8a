// SPDX-License-Identifier: Apache-2.0
#include "neigh/leases.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 24, LINE_MAX_OCTETS = 1024, ROWS_AT_ONCE = 64, MAC_DIGITS = 12 };
enum { FILE_MAX_OCTETS = 4 << 20, SYSTEM_UIDS = 1000 };

static size_t split(char *line, char *words[WORDS_MAX])
{
    size_t count = 0;
    char *save = NULL;
    char *word = strtok_r(line, " \t\r\n", &save);
    while (word && count < WORDS_MAX) {
        words[count++] = word;
        word = strtok_r(NULL, " \t\r\n", &save);
    }
    return count;
}

/* "02:00:00:00:00:01", or without colons as odhcpd writes it. */
static bool read_mac(const char *text, uint8_t mac[6])
{
    size_t digits = 0;
    uint8_t out[6] = {0};
    for (; *text; text++) {
        int c = tolower((unsigned char)*text);
        if (c == ':' && digits > 0 && digits % 2 == 0) {
            continue;
        }
        if (!isxdigit(c) || digits == MAC_DIGITS) {
            return false;
        }
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | (isdigit(c) ? c - '0' : c - 'a' + 10));
        digits++;
    }
    memcpy(mac, out, sizeof(out));
    return digits == MAC_DIGITS;
}

static int add(struct leases *leases, const struct lease *lease)
{
    if (leases->count == LEASES_MAX) {
        leases->skipped++;
        return 0;
    }
    if (leases->count % ROWS_AT_ONCE == 0) {
        struct lease *rows =
            realloc(leases->rows, (leases->count + ROWS_AT_ONCE) * sizeof(*leases->rows));
        if (!rows) {
            return -ENOMEM;
        }
        leases->rows = rows;
    }
    leases->rows[leases->count++] = *lease;
    return 0;
}

static void set_host(struct lease *lease, const char *host)
{
    bool none = strcmp(host, "*") == 0 || strcmp(host, "-") == 0;
    snprintf(lease->host, sizeof(lease->host), "%.*s", (int)strcspn(host, "."), none ? "" : host);
}

/* dnsmasq: EXPIRY MAC ADDRESS HOST CLIENT-ID; of IPv6 a number stands for the MAC. */
static int take_dnsmasq(struct leases *leases, char **words, size_t count)
{
    struct lease lease = {0};
    if (count < 4 || addr_parse(words[2], &lease.addr) < 0) {
        leases->skipped++;
        return 0;
    }
    lease.has_mac = read_mac(words[1], lease.mac);
    set_host(&lease, words[3]);
    return add(leases, &lease);
}

/* odhcpd: # INTERFACE DUID-OR-MAC IAID-OR-ipv4 HOST EXPIRY ID LENGTH ADDRESS/LENGTH ... */
static int take_odhcpd(struct leases *leases, char **words, size_t count)
{
    int err = 0;
    leases->skipped += count < 9;
    for (size_t i = 8; i < count && err == 0; i++) {
        struct lease lease = {0};
        words[i][strcspn(words[i], "/")] = '\0';
        if (addr_parse(words[i], &lease.addr) < 0) {
            leases->skipped++;
            continue;
        }
        lease.has_mac = strcmp(words[3], "ipv4") == 0 && read_mac(words[2], lease.mac);
        set_host(&lease, words[4]);
        err = add(leases, &lease);
    }
    return err;
}

static int take_line(struct leases *leases, char *line)
{
    char *words[WORDS_MAX];
    struct lease lease = {0};
    size_t count = split(line, words);
    if (count == 0 || strcmp(words[0], "duid") == 0) {
        return 0;
    }
    if (strcmp(words[0], "#") == 0) {
        return take_odhcpd(leases, words, count);
    }
    if (count >= 2 && addr_parse(words[0], &lease.addr) == 0) { /* as in /etc/hosts */
        set_host(&lease, words[1]);
        return add(leases, &lease);
    }
    return take_dnsmasq(leases, words, count);
}

static void skip_line(FILE *file)
{
    int c = fgetc(file);
    while (c != EOF && c != '\n') {
        c = fgetc(file);
    }
}

/* In a folder that everybody may write to, only files of the system's own users count. */
static bool is_trusted(const char *path, const struct stat *file)
{
    char folder[PATH_MAX];
    struct stat above = {0};
    snprintf(folder, sizeof(folder), "%s", path);
    if (!S_ISREG(file->st_mode) || file->st_size > FILE_MAX_OCTETS || file->st_mode & S_IWOTH) {
        return false;
    }
    bool open_to_all = stat(dirname(folder), &above) < 0 || above.st_mode & S_IWOTH;
    return !open_to_all || file->st_uid < SYSTEM_UIDS || file->st_uid == geteuid();
}

static int open_trusted(const char *path)
{
    struct stat info = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &info) < 0 || !is_trusted(path, &info)) {
        close(fd);
        return -EPERM;
    }
    return fd;
}

int leases_read(const char *path, struct leases *leases)
{
    char line[LINE_MAX_OCTETS];
    int fd = open_trusted(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    int err = fd < 0 ? fd : file ? 0 : -ENOMEM;
    while (err == 0 && fgets(line, sizeof(line), file)) {
        if (!strchr(line, '\n') && !feof(file)) {
            skip_line(file);
            leases->skipped++; /* too long for a lease */
        } else {
            err = take_line(leases, line);
        }
    }
    if (file) {
        fclose(file);
    } else if (fd >= 0) {
        close(fd);
    }
    return err;
}

void leases_clear(struct leases *leases)
{
    free(leases->rows);
    *leases = (struct leases){0};
}
