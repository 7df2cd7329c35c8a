// SPDX-License-Identifier: Apache-2.0
#include "blocklists/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/compile.h"
#include "blocklists/input.h"
#include "blocklists/pack.h"

enum { RETRY_SECONDS = 900, HOUR = 3600 };

static void path_of(const struct sync_options *options, const struct sync_source *source,
                    const char *end, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/sources/%s.%s", options->config->server.state_dir,
             source->config->id, end);
}

static void remove_file(const struct sync_options *options, const struct sync_source *source,
                        const char *end)
{
    char path[PATH_MAX];
    path_of(options, source, end, path);
    unlink(path);
}

void copy_load(const struct sync_options *options, struct sync_source *source)
{
    char path[PATH_MAX];
    path_of(options, source, "json", path);
    int err = meta_load(path, &source->meta);
    path_of(options, source, "zst", path);
    source->has_copy = err == 0 && source->meta.fetched_at > 0 &&
                       strcmp(source->meta.url, source->config->url) == 0 &&
                       access(path, R_OK) == 0;
    if (!source->has_copy) {
        struct source_meta old = source->meta;
        source->meta =
            (struct source_meta){.failing_since = old.failing_since, .tried_at = old.tried_at};
        source->meta.report.format = -1;
        source->meta.report.error = old.report.error;
        memcpy(source->meta.report.error_text, old.report.error_text,
               sizeof(old.report.error_text));
    }
}

bool copy_is_due(const struct sync_options *options, const struct sync_source *source)
{
    const struct source_meta *meta = &source->meta;
    int64_t age = options->now - meta->checked_at;
    int64_t rest = options->now - meta->tried_at;
    bool aged = age >= options->config->lists.update_every_h * HOUR || age < 0;
    bool rested = !meta->failing_since || rest >= RETRY_SECONDS || rest < 0;
    return !source->has_copy ? rested : aged && rested;
}

static int create(const struct sync_options *options, const struct sync_source *source,
                  const char *end)
{
    char path[PATH_MAX];
    path_of(options, source, end, path);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return fd < 0 ? -errno : fd;
}

/* What its bytes say: a list at all, with names, near the size it had. */
static int judge(const struct sync_options *options, struct sync_source *source, int fd,
                 struct diag *diag)
{
    struct source_report *report = &source->fresh.report;
    struct build_source input = input_of(source, fd);
    struct build_job job = {.sources = &input, .source_count = 1, .out_fd = -1};
    int err = compile_run(&job, report, diag);
    if (err == 0 && report->error < 0) {
        err = diag_set(diag, report->error, "%s", report->error_text);
    }
    if (err == 0 && source->has_copy && !options->force) {
        err = gate_size(report_entries(&source->meta.report), report_entries(report),
                        options->config->lists.max_shrink_percent, diag);
    }
    return err;
}

/* A server without ETag sends the same list again: the same octets compress to the
 * same octets. */
static bool is_same(const struct sync_options *options, const struct sync_source *source,
                    int packed)
{
    char path[PATH_MAX];
    char a[4096];
    char b[4096];
    path_of(options, source, "zst", path);
    int fd = source->has_copy ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool same = fd >= 0;
    for (off_t at = 0; same; at += (off_t)sizeof(a)) {
        ssize_t got = pread(packed, a, sizeof(a), at);
        same = got >= 0 && pread(fd, b, sizeof(b), at) == got && memcmp(a, b, (size_t)got) == 0;
        if (got < (ssize_t)sizeof(a)) {
            break;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return same;
}

struct fetching {
    const struct sync_options *options;
    const char *id;
};

static void on_bytes(void *arg, uint64_t bytes)
{
    const struct fetching *fetching = arg;
    if (fetching->options->on_event) {
        struct sync_event event = {.source = fetching->id, .phase = "fetching", .bytes = bytes};
        fetching->options->on_event(fetching->options->arg, &event);
    }
}

/* Errors that tell of the list, not of the way to it nor of this machine. */
static bool is_of_list(int err)
{
    static const int all[] = {-EINVAL, -EBADMSG, -EFBIG, -E2BIG, -ERANGE, -ECHILD};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i] == err) {
            return true;
        }
    }
    return false;
}

/* Fetch into `part` and pack into `packed`. */
static int download(const struct sync_options *options, struct sync_source *source, int part,
                    struct diag *diag)
{
    struct fetching fetching = {options, source->config->id};
    bool ask_always = options->force || !source->has_copy;
    struct fetch_request request = {
        .url = source->config->url,
        .insecure = source->config->insecure,
        .etag = ask_always ? "" : source->meta.etag,
        .last_modified = ask_always ? "" : source->meta.last_modified,
        .fd = part,
        .on_bytes = on_bytes,
        .arg = &fetching,
    };
    struct fetch_result result;
    int err = fetch_source(&request, &result, diag);
    if (err < 0) {
        return err;
    }
    if (result.unchanged) {
        return source->has_copy ? -EALREADY : diag_set(diag, -EIO, "the server sent no list (304)");
    }
    struct source_meta *fresh = &source->fresh;
    *fresh = (struct source_meta){.fetched_at = options->now,
                                  .checked_at = options->now,
                                  .tried_at = options->now,
                                  .previous_names = source->meta.report.names,
                                  .previous_yield = report_yield(&source->meta.report)};
    snprintf(fresh->url, sizeof(fresh->url), "%s", source->config->url);
    memcpy(fresh->etag, result.etag, sizeof(fresh->etag));
    memcpy(fresh->last_modified, result.last_modified, sizeof(fresh->last_modified));
    int packed = create(options, source, "new.zst");
    err = packed < 0 ? diag_set(diag, packed, "%s", strerror(-packed))
                     : pack_file(part, packed, diag);
    if (err == 0 && is_same(options, source, packed)) {
        memcpy(source->meta.etag, result.etag, sizeof(result.etag));
        memcpy(source->meta.last_modified, result.last_modified, sizeof(result.last_modified));
        err = -EALREADY;
    }
    err = err < 0 ? err : judge(options, source, packed, diag);
    source->unverified = is_of_list(err);
    if (err == 0 && fsync(packed) < 0) {
        err = diag_set(diag, -errno, "storing the list: %s", strerror(errno));
    }
    if (packed >= 0) {
        close(packed);
    }
    return err;
}

static void note_fault(const struct sync_options *options, struct sync_source *source, int err,
                       const char *text)
{
    source->status = err == -ERANGE ? SYNC_HELD : SYNC_FAILED;
    report_fail(&source->meta.report, err, "%s", text);
    if (!source->meta.failing_since) {
        source->meta.failing_since = options->now;
    }
}

int copy_refresh(const struct sync_options *options, struct sync_source *source)
{
    struct diag diag = {0};
    int part = create(options, source, "part");
    int err = part < 0 ? diag_set(&diag, part, "storing the download: %s", strerror(-part))
                       : download(options, source, part, &diag);
    if (part >= 0) {
        close(part);
    }
    remove_file(options, source, "part");
    source->meta.tried_at = options->now;
    if (err == -EALREADY) {
        remove_file(options, source, "new.zst");
        source->status = SYNC_UNCHANGED;
        source->meta.checked_at = options->now;
        source->meta.failing_since = 0;
        source->meta.report.error = 0;
        source->meta.report.error_text[0] = '\0';
        return 0;
    }
    if (err < 0) {
        remove_file(options, source, "new.zst");
        note_fault(options, source, err, diag.text);
        return err == -ENOMEM ? err : 0;
    }
    source->has_fresh = true;
    source->status = SYNC_UPDATED;
    return 0;
}

int copy_open(const struct sync_options *options, const struct sync_source *source)
{
    char path[PATH_MAX];
    if (!source->has_fresh && !source->has_copy) {
        return -ENOENT;
    }
    path_of(options, source, source->has_fresh ? "new.zst" : "zst", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

void copy_refuse(const struct sync_options *options, struct sync_source *source, const char *reason)
{
    if (source->has_fresh) {
        remove_file(options, source, "new.zst");
    }
    source->excluded = !source->has_fresh || !source->has_copy;
    source->has_fresh = false;
    source->unverified = true;
    note_fault(options, source, -ERANGE, reason);
}

int copy_accept(const struct sync_options *options, struct sync_source *source)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    path_of(options, source, "new.zst", from);
    path_of(options, source, "zst", to);
    if (source->has_fresh && rename(from, to) < 0) {
        return -errno;
    }
    path_of(options, source, "json", to);
    return meta_save(to, &source->meta);
}

void copy_discard(const struct sync_options *options, const struct sync_source *source)
{
    remove_file(options, source, "part");
    remove_file(options, source, "new.zst");
    remove_file(options, source, "json.tmp");
}
