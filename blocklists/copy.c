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
#include "blocklists/schedule.h"
#include "blocklists/signature.h"

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

/* What stays of a source without a copy, when it is the same one: that it fails, and the
 * newest serial that was accepted. */
static void forget_copy(struct sync_source *source)
{
    struct source_meta *meta = &source->meta;
    struct source_meta old = *meta;
    *meta = (struct source_meta){.report.format = -1};
    snprintf(meta->url, sizeof(meta->url), "%s", source->config->url);
    if (strcmp(old.url, meta->url) == 0) {
        meta->tried_at = old.tried_at;
        meta->failing_since = old.failing_since;
        meta->failures = old.failures;
        meta->retry_at = old.retry_at;
        meta->serial = old.serial;
        memcpy(meta->signed_by, old.signed_by, sizeof(old.signed_by));
        meta->report.error = old.report.error;
        memcpy(meta->report.error_text, old.report.error_text, sizeof(old.report.error_text));
    }
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
        forget_copy(source);
    }
}

bool copy_is_due(const struct sync_options *options, const struct sync_source *source)
{
    const struct source_meta *meta = &source->meta;
    int64_t now = options->now;
    int64_t age = now - meta->checked_at;
    int64_t interval = schedule_interval(options->config, source->config, options->salt);
    bool aged = !source->has_copy || age >= interval || age < 0;
    /* a clock that went back must not make us wait for it */
    bool rested = !meta->failing_since || now >= meta->retry_at || now < meta->tried_at;
    return aged && rested && schedule_allows(options->config, source->config, now);
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
    bool ask_always; /* not only for what is new */
    int part;
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

/* Fetch into `part`. -EALREADY: the copy is current. */
static int fetch_list(const struct sync_options *options, struct sync_source *source,
                      struct fetching *fetching, struct diag *diag)
{
    struct fetch_result result;
    struct fetch_request request = {
        .config = options->config,
        .source = source->config,
        .max_bytes = budget_of(options->config).file,
        .limit_reason = "larger than lists.memory_mb allows where state_dir lies in memory "
                        "(tmpfs): raise it, or move server.state_dir to a disk",
        .url = source->config->url,
        .etag = fetching->ask_always ? "" : source->meta.etag,
        .last_modified = fetching->ask_always ? "" : source->meta.last_modified,
        .fd = fetching->part,
        .on_bytes = on_bytes,
        .arg = fetching,
    };
    int err = fetch_source(&request, &result, diag);
    source->retry_after_s = result.retry_after_s;
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
    return 0;
}

/* The same octets as before: what came with them is news all the same. */
static int keep_words(struct sync_source *source)
{
    const struct source_meta *fresh = &source->fresh;
    struct source_meta *meta = &source->meta;
    memcpy(meta->etag, fresh->etag, sizeof(meta->etag));
    memcpy(meta->last_modified, fresh->last_modified, sizeof(meta->last_modified));
    memcpy(meta->signed_by, fresh->signed_by, sizeof(meta->signed_by));
    memcpy(meta->signature, fresh->signature, sizeof(meta->signature));
    meta->serial = fresh->serial;
    meta->expires = fresh->expires;
    return -EALREADY;
}

/* Pack what came, and judge it. */
static int take(const struct sync_options *options, struct sync_source *source, int part,
                struct diag *diag)
{
    int packed = create(options, source, "new.zst");
    if (packed < 0) {
        return diag_set(diag, packed, "storing the list: %s", strerror(-packed));
    }
    struct budget budget = budget_of(options->config);
    int err = pack_file(part, packed, &budget, diag);
    if (err == 0 && is_same(options, source, packed)) {
        err = keep_words(source);
    }
    err = err < 0 ? err : judge(options, source, packed, diag);
    if (err == 0 && fsync(packed) < 0) {
        err = diag_set(diag, -errno, "storing the list: %s", strerror(errno));
    }
    close(packed);
    return err;
}

static int download_signed(const struct sync_options *options, struct sync_source *source,
                           struct fetching *fetching, struct diag *diag)
{
    struct signing signing = {options, source, {0}};
    int err = signature_fetch(&signing, diag);
    if (err < 0) {
        return err;
    }
    fetching->ask_always |= !signature_is_known(&signing);
    err = fetch_list(options, source, fetching, diag);
    err = err < 0 ? err : signature_check(&signing, fetching->part, diag);
    if (err == 0) {
        signature_keep(&signing, &source->fresh);
    }
    return err;
}

/* Fetch into `part`, verify, pack and judge. */
static int download(const struct sync_options *options, struct sync_source *source, int part,
                    struct diag *diag)
{
    struct fetching fetching = {.options = options,
                                .id = source->config->id,
                                .ask_always = options->force || !source->has_copy,
                                .part = part};
    int err = *source->config->public_key ? download_signed(options, source, &fetching, diag)
                                          : fetch_list(options, source, &fetching, diag);
    err = err < 0 ? err : take(options, source, part, diag);
    source->unverified = is_of_list(err);
    return err;
}

static void note_fault(const struct sync_options *options, struct sync_source *source, int err,
                       const char *text)
{
    source->status = err == -ERANGE ? SYNC_HELD : SYNC_FAILED;
    struct source_meta *meta = &source->meta;
    report_fail(&meta->report, err, "%s", text);
    meta->failures++;
    meta->retry_at = options->now + schedule_pause((uint64_t)meta->failures, source->retry_after_s);
    if (!meta->failing_since) {
        meta->failing_since = options->now;
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
        source->meta.failing_since = source->meta.failures = source->meta.retry_at = 0;
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

void copy_postpone(const struct sync_options *options, struct sync_source *source, int err,
                   const char *reason)
{
    char path[PATH_MAX];
    if (source->has_fresh) {
        source->has_fresh = false;
        note_fault(options, source, err, reason);
    }
    path_of(options, source, "json", path);
    (void)!meta_save(path, &source->meta);
}

void copy_discard(const struct sync_options *options, const struct sync_source *source)
{
    remove_file(options, source, "part");
    remove_file(options, source, "new.zst");
    remove_file(options, source, "json.tmp");
}
