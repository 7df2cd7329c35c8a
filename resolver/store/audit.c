// SPDX-License-Identifier: Apache-2.0
#include "store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_CAP = 4096,
    HASH_OCTETS = crypto_hash_sha256_BYTES,
    HASH_DIGITS = AUDIT_HASH_TEXT - 1,
    TRIES = 8
};

static const char no_hash[AUDIT_HASH_TEXT] =
    "0000000000000000000000000000000000000000000000000000000000000000";
static const char hash_mark[] = ",\"hash\":\"";
static const char previous_mark[] = "{\"previous\":\"";

struct audit_log {
    char path[PATH_CAP];
    char last[AUDIT_HASH_TEXT]; /* of the line that we wrote last, "" = none */
    unsigned missing;           /* changes whose lines could not be written */
    char trouble[128];          /* "" = none */
};

/* Where the chain ends, and what of a line stands behind it. */
struct end {
    char hash[AUDIT_HASH_TEXT];
    bool found; /* there is a whole line */
    size_t rest;
};

static void hash_text(const char *text, size_t len, char out[AUDIT_HASH_TEXT])
{
    uint8_t octets[HASH_OCTETS];
    (void)crypto_hash_sha256(octets, (const unsigned char *)text, len);
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

/* The last octets of a file, NUL-terminated; how many, 0 when they cannot be read. */
static size_t read_tail(int fd, char *out, size_t cap)
{
    struct stat info = {0};
    if (fstat(fd, &info) < 0) {
        return 0;
    }
    off_t from = info.st_size > (off_t)cap - 1 ? info.st_size - (off_t)cap + 1 : 0;
    ssize_t len = pread(fd, out, cap - 1, from);
    out[len > 0 ? len : 0] = '\0';
    return len > 0 ? (size_t)len : 0;
}

static struct end find_end(int fd)
{
    char tail[2 * AUDIT_LINE_MAX];
    struct end end = {.found = false};
    memcpy(end.hash, no_hash, sizeof(end.hash));
    size_t len = read_tail(fd, tail, sizeof(tail));
    char *last = len ? memrchr(tail, '\n', len) : NULL;
    end.rest = len - (last ? (size_t)(last - tail) + 1 : 0);
    if (last) {
        *last = '\0';
        char *start = strrchr(tail, '\n');
        end.found = true;
        if (!read_hash(start ? start + 1 : tail, end.hash)) {
            memcpy(end.hash, no_hash, sizeof(end.hash)); /* whoever verifies sees the place */
        }
    }
    return end;
}

/* The chain goes on from the full file before this one. */
static struct end end_before(const char *path)
{
    char name[PATH_CAP + 4];
    struct end end = {.found = false};
    memcpy(end.hash, no_hash, sizeof(end.hash));
    snprintf(name, sizeof(name), "%s.1", path);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0) {
        end = find_end(fd);
        close(fd);
    }
    return end;
}

int audit_open(const char *path, struct audit_log **ret_log)
{
    struct audit_log *log = calloc(1, sizeof(*log));
    if (!log) {
        return -ENOMEM;
    }
    snprintf(log->path, sizeof(log->path), "%s", path);
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
static void rotate(const char *path)
{
    char from[PATH_CAP + 16], to[PATH_CAP + 16];
    for (unsigned i = AUDIT_FILES; i > 0; i--) {
        if (i > 1) {
            snprintf(from, sizeof(from), "%s.%u", path, i - 1);
        } else {
            snprintf(from, sizeof(from), "%s", path);
        }
        snprintf(to, sizeof(to), "%s.%u", path, i);
        if (rename(from, to) < 0 && errno != ENOENT) {
            return; /* it grows on; nothing is lost */
        }
    }
}

/* The file, locked and not full; somebody may rotate it while we wait. */
static int open_locked(const char *path)
{
    for (unsigned i = 0; i < TRIES; i++) {
        struct stat ours = {0}, named = {0};
        int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (fd < 0) {
            return -errno;
        }
        bool locked = flock(fd, LOCK_EX) == 0 && fstat(fd, &ours) == 0;
        bool same = locked && stat(path, &named) == 0 && ours.st_ino == named.st_ino;
        if (same && (ours.st_size < AUDIT_FILE_OCTETS || i + 1 == TRIES)) {
            return fd;
        }
        if (same) {
            rotate(path);
        }
        close(fd);
    }
    return -EBUSY;
}

static size_t write_line(const struct audit_log *log, const struct audit_entry *entry,
                         const struct end *end, char out[AUDIT_LINE_MAX])
{
    char missing[48] = "", cut[48] = "", hash[AUDIT_HASH_TEXT];
    bool fits = strlen(entry->details) <= AUDIT_DETAILS_MAX;
    if (log->missing) {
        snprintf(missing, sizeof(missing), ",\"missing_before\":%u", log->missing);
    }
    if (end->rest) {
        snprintf(cut, sizeof(cut), ",\"cut_before\":%zu", end->rest);
    }
    int len = snprintf(out, AUDIT_LINE_MAX,
                       "%s%s\",\"at\":%" PRId64 ",\"uid\":%" PRId64
                       ",\"command\":\"%.32s\",\"details\":%s%s%s",
                       previous_mark, end->hash, entry->at, entry->uid, entry->command,
                       fits ? entry->details : "{\"left_out\":true}", missing, cut);
    hash_text(out, (size_t)len, hash);
    len += snprintf(out + len, AUDIT_LINE_MAX - (size_t)len, "%s%s\"}\n", hash_mark, hash);
    return (size_t)len;
}

/* A line, whole or not at all. */
static int append(int fd, const char *line, size_t len)
{
    off_t size = lseek(fd, 0, SEEK_END);
    ssize_t done = write(fd, line, len);
    int err = done < 0 ? -errno : (size_t)done != len ? -ENOSPC : fdatasync(fd) < 0 ? -errno : 0;
    if (err < 0 && size >= 0 && ftruncate(fd, size) < 0) {
        err = -EIO; /* half a line stays; the next one takes it off */
    }
    return err;
}

static int add_to(struct audit_log *log, int fd, const struct audit_entry *entry)
{
    char line[AUDIT_LINE_MAX];
    struct end end = find_end(fd);
    off_t size = lseek(fd, 0, SEEK_END);
    if (end.rest && ftruncate(fd, size - (off_t)end.rest) < 0) {
        return -errno;
    }
    if (!end.found) {
        const struct end before = end_before(log->path);
        bool removed = !before.found && log->last[0]; /* verify finds the place by this */
        memcpy(end.hash, removed ? log->last : before.hash, sizeof(end.hash));
    }
    size_t len = write_line(log, entry, &end, line);
    int err = append(fd, line, len);
    if (err == 0) {
        line[len - 1] = '\0';
        (void)read_hash(line, log->last); /* it is its own */
    }
    return err;
}

int audit_add(struct audit_log *log, const struct audit_entry *entry)
{
    if (!log) {
        return 0;
    }
    int fd = open_locked(log->path);
    int err = fd < 0 ? fd : add_to(log, fd, entry);
    if (fd >= 0) {
        close(fd);
    }
    if (err < 0) {
        log->missing++;
        snprintf(log->trouble, sizeof(log->trouble), "%s", strerror(-err));
        return err;
    }
    log->missing = 0;
    log->trouble[0] = '\0';
    return 0;
}

struct walk {
    audit_visit visit;
    void *context;
    char last[AUDIT_HASH_TEXT]; /* "" = what came before is gone, as it must be */
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
        bool there = access(name, F_OK) == 0;
        if (i == AUDIT_FILES && !there) {
            memcpy(walk.last, no_hash, sizeof(walk.last)); /* the first line of all is there */
        }
        int err = there ? walk_file(&walk, name, diag) : 0;
        if (err < 0) {
            return err;
        }
    }
    return walk_file(&walk, path, diag);
}
