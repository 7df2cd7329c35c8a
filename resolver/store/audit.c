// SPDX-License-Identifier: Apache-2.0
#include "store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_CAP = 4096, HASH_OCTETS = 32, HASH_DIGITS = AUDIT_HASH_TEXT - 1 };

static const char no_hash[AUDIT_HASH_TEXT] =
    "0000000000000000000000000000000000000000000000000000000000000000";
static const char hash_mark[] = ",\"hash\":\"";
static const char previous_mark[] = "{\"previous\":\"";

struct audit_log {
    char path[PATH_CAP];
    char last[AUDIT_HASH_TEXT];
    unsigned missing;  /* changes whose lines could not be written */
    unsigned cut;      /* octets of a line that were taken off */
    char trouble[128]; /* "" = none */
};

static void hash_text(const char *text, size_t len, char out[AUDIT_HASH_TEXT])
{
    uint8_t octets[HASH_OCTETS] = {0};
    unsigned size = 0;
    if (EVP_Digest(text, len, octets, &size, EVP_sha256(), NULL) != 1) {
        memcpy(out, no_hash, AUDIT_HASH_TEXT); /* fits no line */
        return;
    }
    for (size_t i = 0; i < HASH_OCTETS; i++) {
        snprintf(out + 2 * i, 3, "%02x", octets[i]);
    }
}

/* The hash that a line bears, if it is that of the line; false. */
static bool read_hash(const char *line, char out[AUDIT_HASH_TEXT])
{
    size_t len = strlen(line), tail = sizeof(hash_mark) - 1 + HASH_DIGITS + 2;
    if (len < tail || memcmp(line + len - tail, hash_mark, sizeof(hash_mark) - 1) != 0 ||
        strcmp(line + len - 2, "\"}") != 0) {
        return false;
    }
    hash_text(line, len - tail, out);
    return memcmp(out, line + len - 2 - HASH_DIGITS, HASH_DIGITS) == 0;
}

static bool follows(const char *line, const char *previous)
{
    size_t len = sizeof(previous_mark) - 1;
    return strncmp(line, previous_mark, len) == 0 &&
           strncmp(line + len, previous, HASH_DIGITS) == 0 && line[len + HASH_DIGITS] == '"';
}

/* The last octets of a file, NUL-terminated; how many, or negative errno. */
static ssize_t read_tail(int fd, char *out, size_t cap)
{
    struct stat info;
    if (fstat(fd, &info) < 0) {
        return -errno;
    }
    off_t from = info.st_size > (off_t)cap - 1 ? info.st_size - (off_t)cap + 1 : 0;
    ssize_t len = pread(fd, out, cap - 1, from);
    out[len > 0 ? len : 0] = '\0';
    return len < 0 ? -errno : len;
}

/* Take the last whole line's hash over, and cut off what stands behind it. */
static void find_end(struct audit_log *log)
{
    char tail[2 * AUDIT_LINE_MAX];
    int fd = open(log->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    ssize_t len = fd < 0 ? -errno : read_tail(fd, tail, sizeof(tail));
    char *end = len > 0 ? memrchr(tail, '\n', (size_t)len) : NULL;
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    size_t rest = len > 0 ? (size_t)len - (end ? (size_t)(end - tail) + 1 : 0) : 0;
    if (rest && size > 0 && ftruncate(fd, size - (off_t)rest) == 0) {
        log->cut = (unsigned)rest;
    }
    if (end) {
        *end = '\0';
        char *start = strrchr(tail, '\n');
        if (!read_hash(start ? start + 1 : tail, log->last)) {
            memcpy(log->last, no_hash, AUDIT_HASH_TEXT); /* whoever verifies sees the place */
        }
    }
    if (fd >= 0) {
        close(fd);
    }
}

int audit_open(const char *path, struct audit_log **ret_log)
{
    struct audit_log *log = calloc(1, sizeof(*log));
    char first[PATH_CAP];
    if (!log) {
        return -ENOMEM;
    }
    memcpy(log->last, no_hash, AUDIT_HASH_TEXT);
    snprintf(log->path, sizeof(log->path), "%s.1", path);
    if (access(path, F_OK) < 0 && access(log->path, F_OK) == 0) {
        find_end(log); /* the chain goes on after a full file */
    }
    snprintf(first, sizeof(first), "%s", path);
    memcpy(log->path, first, sizeof(first));
    find_end(log);
    *ret_log = log;
    return 0;
}

void audit_close(struct audit_log *log)
{
    free(log);
}

const char *audit_trouble(const struct audit_log *log)
{
    return log ? log->trouble : "";
}

/* audit.log.8 becomes audit.log.9, and so on. */
static void rotate(const struct audit_log *log)
{
    char from[PATH_CAP + 16], to[PATH_CAP + 16];
    struct stat info;
    if (stat(log->path, &info) < 0 || info.st_size < AUDIT_FILE_OCTETS) {
        return;
    }
    for (unsigned i = AUDIT_FILES; i > 0; i--) {
        if (i > 1) {
            snprintf(from, sizeof(from), "%s.%u", log->path, i - 1);
        } else {
            snprintf(from, sizeof(from), "%s", log->path);
        }
        snprintf(to, sizeof(to), "%s.%u", log->path, i);
        if (rename(from, to) < 0 && errno != ENOENT) {
            return; /* it grows on; nothing is lost */
        }
    }
}

static size_t write_line(const struct audit_log *log, const struct audit_entry *entry,
                         char out[AUDIT_LINE_MAX])
{
    char missing[48] = "", cut[48] = "", hash[AUDIT_HASH_TEXT];
    bool fits = strlen(entry->details) <= AUDIT_DETAILS_MAX;
    if (log->missing) {
        snprintf(missing, sizeof(missing), ",\"missing_before\":%u", log->missing);
    }
    if (log->cut) {
        snprintf(cut, sizeof(cut), ",\"cut_before\":%u", log->cut);
    }
    int len = snprintf(out, AUDIT_LINE_MAX,
                       "%s%s\",\"at\":%" PRId64 ",\"uid\":%" PRId64
                       ",\"command\":\"%.32s\",\"details\":%s%s%s",
                       previous_mark, log->last, entry->at, entry->uid, entry->command,
                       fits ? entry->details : "{\"left_out\":true}", missing, cut);
    hash_text(out, (size_t)len, hash);
    len += snprintf(out + len, AUDIT_LINE_MAX - (size_t)len, "%s%s\"}\n", hash_mark, hash);
    return (size_t)len;
}

static int append(const char *path, const char *line, size_t len)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return -errno;
    }
    off_t size = lseek(fd, 0, SEEK_END);
    ssize_t done = write(fd, line, len);
    int err = done < 0 ? -errno : (size_t)done != len ? -ENOSPC : fdatasync(fd) < 0 ? -errno : 0;
    if (err < 0 && size >= 0 && ftruncate(fd, size) < 0) {
        err = -EIO; /* half a line stays; it is cut off at the next start */
    }
    close(fd);
    return err;
}

int audit_add(struct audit_log *log, const struct audit_entry *entry)
{
    char line[AUDIT_LINE_MAX];
    if (!log) {
        return 0;
    }
    rotate(log);
    size_t len = write_line(log, entry, line);
    int err = append(log->path, line, len);
    if (err < 0) {
        log->missing++;
        snprintf(log->trouble, sizeof(log->trouble), "%s", strerror(-err));
        return err;
    }
    line[len - 1] = '\0';
    (void)read_hash(line, log->last); /* it is its own */
    log->missing = log->cut = 0;
    log->trouble[0] = '\0';
    return 0;
}

struct walk {
    audit_visit visit;
    void *context;
    char last[AUDIT_HASH_TEXT]; /* "" before the first line */
};

static void judge(struct walk *walk, struct audit_line *line, bool whole)
{
    char hash[AUDIT_HASH_TEXT];
    if (!whole) {
        line->state = AUDIT_CUT;
    } else if (!read_hash(line->text, hash)) {
        line->state = AUDIT_CHANGED;
        walk->last[0] = 'x'; /* the next line cannot follow it */
    } else {
        line->state =
            !walk->last[0] || follows(line->text, walk->last) ? AUDIT_GOOD : AUDIT_UNLINKED;
        memcpy(line->hash, hash, sizeof(hash));
        memcpy(walk->last, hash, sizeof(hash));
    }
    walk->visit(walk->context, line);
}

static int walk_file(struct walk *walk, const char *path, struct diag *diag)
{
    char *text = NULL;
    size_t cap = 0;
    ssize_t len;
    struct audit_line line = {.file = path};
    FILE *file = fopen(path, "re");
    if (!file) {
        int err = -errno;
        diag_at(diag, path, 0, 0);
        return diag_set(diag, err, "%s", strerror(-err));
    }
    while ((len = getline(&text, &cap, file)) > 0) {
        bool whole = text[len - 1] == '\n';
        text[len - (whole ? 1 : 0)] = '\0';
        line.number++;
        line.text = text;
        line.hash[0] = '\0';
        judge(walk, &line, whole);
    }
    free(text);
    fclose(file);
    return 0;
}

int audit_walk(const char *path, audit_visit visit, void *context, struct diag *diag)
{
    char name[PATH_CAP + 16];
    struct walk walk = {visit, context, ""};
    for (unsigned i = AUDIT_FILES; i > 0; i--) {
        snprintf(name, sizeof(name), "%s.%u", path, i);
        int err = access(name, F_OK) == 0 ? walk_file(&walk, name, diag) : 0;
        if (err < 0) {
            return err;
        }
    }
    return walk_file(&walk, path, diag);
}
