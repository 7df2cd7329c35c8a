// SPDX-License-Identifier: Apache-2.0
#include "blocklists/ut1.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/tar.h"
#include "blocklists/unpack.h"

enum { USAGE_MAX = 1024 };

struct folder {
    char name[UT1_FOLDER_NAME_MAX];
    char target[UT1_FOLDER_NAME_MAX]; /* of a symlink; else empty */
    bool white;                       /* its usage says so */
    bool wanted;
};

struct ut1 {
    struct folder folders[UT1_FOLDERS_MAX];
    size_t count;
    struct tar_state tar;
    struct line_sink *sink; /* NULL while looking through */
    enum ut1_role role;     /* of the member being read */
    struct folder *folder;  /* it lies in, or NULL */
    size_t usage_len;
    char usage[USAGE_MAX];
    char label[UT1_FOLDER_NAME_MAX + 32]; /* "adult/domains" */
};

/* The last part of a path, cut off it; "" for what no folder or list is called. */
static const char *cut_name(char *path)
{
    size_t len = strlen(path);
    while (len && path[len - 1] == '/') {
        path[--len] = '\0';
    }
    char *slash = strrchr(path, '/');
    char *name = slash ? slash + 1 : path;
    if (slash) {
        *slash = '\0';
    }
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    bool odd = name[good] || name[0] == '.' || good >= UT1_FOLDER_NAME_MAX;
    return odd ? "" : name;
}

/* NULL when there are too many. */
static struct folder *find_folder(struct ut1 *ut1, const char *name, bool add)
{
    for (size_t i = 0; i < ut1->count; i++) {
        if (strcmp(ut1->folders[i].name, name) == 0) {
            return &ut1->folders[i];
        }
    }
    if (!add || ut1->count == UT1_FOLDERS_MAX) {
        return NULL;
    }
    struct folder *folder = &ut1->folders[ut1->count++];
    snprintf(folder->name, sizeof(folder->name), "%s", name);
    return folder;
}

/* "domains", and "domains.0" of one that was split. */
static bool is_file(const char *name, const char *word)
{
    size_t len = strlen(word);
    return strncmp(name, word, len) == 0 &&
           (name[len] == '\0' || (name[len] == '.' && name[len + 1] &&
                                  !name[len + 1 + strspn(name + len + 1, "0123456789")]));
}

static enum ut1_role role_of(const char *name)
{
    if (is_file(name, "domains")) {
        return UT1_DOMAINS;
    }
    if (is_file(name, "urls")) {
        return UT1_URLS;
    }
    if (is_file(name, "expressions") || is_file(name, "very_restrictive_expression")) {
        return UT1_EXPRESSIONS;
    }
    return strcmp(name, "usage") == 0 ? UT1_USAGE : UT1_IGNORED;
}

static void note_link(struct ut1 *ut1, const struct tar_member *member)
{
    char path[TAR_NAME_MAX], link[TAR_NAME_MAX];
    snprintf(path, sizeof(path), "%s", member->name);
    snprintf(link, sizeof(link), "%s", member->link);
    const char *name = cut_name(path);
    const char *target = cut_name(link);
    struct folder *folder = *name && *target ? find_folder(ut1, name, true) : NULL;
    if (folder) {
        snprintf(folder->target, sizeof(folder->target), "%s", target);
    }
}

static void on_member(void *arg, const struct tar_member *member)
{
    struct ut1 *ut1 = arg;
    char path[TAR_NAME_MAX], rest[TAR_NAME_MAX];
    ut1->role = UT1_IGNORED;
    ut1->folder = NULL;
    if (member->kind == TAR_SYMLINK && !ut1->sink) {
        note_link(ut1, member);
    }
    snprintf(path, sizeof(path), "%s", member->name);
    bool odd = path[0] == '/' || strstr(path, "..");
    const char *file = cut_name(path);
    snprintf(rest, sizeof(rest), "%s", file == path ? "" : path);
    const char *name = cut_name(rest);
    if (member->kind != TAR_FILE || odd || !*file || !*name || role_of(file) == UT1_IGNORED) {
        return;
    }
    ut1->folder = find_folder(ut1, name, !ut1->sink);
    ut1->role = ut1->folder ? role_of(file) : UT1_IGNORED;
    ut1->usage_len = 0;
    struct line_sink *sink = ut1->sink;
    if (sink && ut1->folder && ut1->folder->wanted) {
        snprintf(ut1->label, sizeof(ut1->label), "%s/%.30s", name, file);
        sink->member = ut1->label;
        sink->member_role = ut1->role;
        sink->lines_before = sink->report->lines;
        sink->begun = false;
    } else if (sink) {
        ut1->role = UT1_IGNORED;
    }
}

static void on_data(void *arg, const uint8_t *data, size_t len)
{
    struct ut1 *ut1 = arg;
    if (ut1->sink && ut1->role < UT1_USAGE) {
        scan_feed(ut1->sink, data, len);
    } else if (!ut1->sink && ut1->role == UT1_USAGE) {
        size_t room = USAGE_MAX - 1 - ut1->usage_len;
        size_t part = len < room ? len : room;
        memcpy(ut1->usage + ut1->usage_len, data, part);
        ut1->usage_len += part;
    }
}

/* A line of its own; comments begin with '#'. */
static bool says_white(char *usage)
{
    char *rest = usage;
    for (char *line = strsep(&rest, "\r\n"); line; line = strsep(&rest, "\r\n")) {
        if (strncmp(line, "white", 5) == 0 && line[5 + strspn(line + 5, " \t")] == '\0') {
            return true;
        }
    }
    return false;
}

static void on_end(void *arg)
{
    struct ut1 *ut1 = arg;
    if (ut1->sink && ut1->role < UT1_USAGE) {
        scan_end(ut1->sink);
    } else if (!ut1->sink && ut1->role == UT1_USAGE) {
        ut1->usage[ut1->usage_len] = '\0';
        ut1->folder->white = says_white(ut1->usage);
    }
}

static int look_through(struct ut1 *ut1, int fd, struct diag *diag)
{
    const struct tar_handler handler = {on_member, on_data, on_end, ut1};
    struct unpack *unpack = NULL;
    const uint8_t *data;
    size_t len = 1;
    int err = unpack_new(fd, &unpack);
    while (err == 0 && len) {
        err = unpack_next(unpack, &data, &len, diag);
        if (err == 0 && len) {
            err = tar_feed(&ut1->tar, data, len, &handler);
            err = err == 0 ? 0 : diag_set(diag, err, "the archive is damaged or too large");
        }
    }
    err = err == 0 && tar_end(&ut1->tar) < 0
              ? diag_set(diag, -EBADMSG, "the archive stops in the middle")
              : err;
    unpack_free(unpack);
    memset(&ut1->tar, 0, sizeof(ut1->tar));
    return err;
}

/* What a name stands for; a symlink may lead to another. NULL: nothing. */
static struct folder *follow(struct ut1 *ut1, const char *name)
{
    struct folder *folder = find_folder(ut1, name, false);
    for (unsigned i = 0; folder && folder->target[0]; i++) {
        folder = i < 4 ? find_folder(ut1, folder->target, false) : NULL;
    }
    return folder;
}

static int choose(struct ut1 *ut1, const struct ut1_wish *wish, struct diag *diag)
{
    size_t chosen = 0;
    for (size_t i = 0; i < wish->folders->count; i++) {
        struct folder *folder = follow(ut1, wish->folders->items[i]);
        if (!folder && wish->named) {
            return diag_set(diag, -EINVAL, "the archive has no folder '%.63s': see `folders`",
                            wish->folders->items[i]);
        }
        if (folder && (wish->white || !folder->white)) {
            folder->wanted = true;
            chosen++;
        }
    }
    if (chosen == 0) {
        return diag_set(
            diag, -EINVAL,
            "no folder of the archive for blocking belongs to the category: name some in `folders`");
    }
    return 0;
}

int ut1_open(int fd, const struct ut1_wish *wish, struct ut1 **ret_ut1, struct diag *diag)
{
    struct ut1 *ut1 = calloc(1, sizeof(*ut1));
    if (!ut1) {
        return -ENOMEM;
    }
    int err = look_through(ut1, fd, diag);
    err = err < 0 ? err : choose(ut1, wish, diag);
    if (err < 0) {
        ut1_close(ut1);
        return err;
    }
    *ret_ut1 = ut1;
    return 0;
}

void ut1_close(struct ut1 *ut1)
{
    free(ut1);
}

int ut1_feed(struct ut1 *ut1, struct line_sink *sink, const struct span *data)
{
    const struct tar_handler handler = {on_member, on_data, on_end, ut1};
    ut1->sink = sink;
    return tar_feed(&ut1->tar, (const uint8_t *)data->text, data->len, &handler);
}

int ut1_end(struct ut1 *ut1)
{
    return tar_end(&ut1->tar);
}

/* A name of "domains" stands for all below it; "urls" hold a bare host at times, the
 * rest are paths; expressions are matched against addresses of pages. */
void ut1_parse_line(const struct span *line, struct line_sink *sink)
{
    if (line->text[0] == '#') {
        return;
    }
    if (sink->member_role == UT1_EXPRESSIONS) {
        sink_skip(sink, SKIP_REGEX);
        return;
    }
    bool urls = sink->member_role == UT1_URLS;
    if (urls && memchr(line->text, '/', line->len)) { /* "192.0.2.1/24" is no prefix there */
        sink_skip(sink, SKIP_PATH);
        return;
    }
    sink_name(sink, line, urls ? BLOCKDB_SELF : BLOCKDB_SELF | BLOCKDB_BELOW);
}
