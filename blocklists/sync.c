// SPDX-License-Identifier: Apache-2.0
#include "blocklists/sync.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/budget.h"
#include "blocklists/compile.h"
#include "blocklists/copy.h"
#include "blocklists/generation.h"
#include "blocklists/input.h"
#include "blocklists/preview.h"
#include "blocklists/textstore.h"

struct syncing {
    const struct sync_options *options;
    struct sync_result *result;
    const char *state_dir;
    char temp[PATH_MAX];
    struct build_source *inputs;
    struct sync_source **behind; /* of each input */
    struct source_report *reports;
    size_t input_count;
};

const char *sync_status_word(enum sync_status status)
{
    static const char *const words[] = {"kept", "updated", "unchanged", "failed", "held"};
    return words[status];
}

static void tell(const struct sync_options *options, const struct sync_event *event)
{
    if (options->on_event) {
        options->on_event(options->arg, event);
    }
}

static void tell_end(const struct sync_options *options, const struct sync_source *source)
{
    const struct source_report *report =
        source->has_fresh ? &source->fresh.report : &source->meta.report;
    tell(options, &(struct sync_event){.source = source->config->id,
                                       .phase = "fetched",
                                       .bytes = report->bytes,
                                       .names = report->names,
                                       .ended = source});
}

static int make_folder(const char *state_dir, const char *name, struct diag *diag)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s%s", state_dir, name);
    if (mkdir(path, 0755) < 0 && errno != EEXIST) {
        diag_at(diag, path, 0, 0);
        return diag_set(diag, -errno, "%s", strerror(errno));
    }
    return 0;
}

static bool is_wanted(const struct sync_options *options, const char *id)
{
    for (size_t i = 0; i < options->id_count; i++) {
        if (strcmp(options->ids[i], id) == 0) {
            return true;
        }
    }
    return options->id_count == 0;
}

static int check_ids(const struct sync_options *options, struct diag *diag)
{
    const struct config *config = options->config;
    for (size_t i = 0; i < options->id_count; i++) {
        bool known = false;
        for (size_t s = 0; s < config->source_count; s++) {
            known |=
                strcmp(config->sources[s].id, options->ids[i]) == 0 && config->sources[s].enabled;
        }
        if (!known) {
            return diag_set(diag, -EINVAL, "%s is no enabled source of lists.sources",
                            options->ids[i]);
        }
    }
    return 0;
}

static int load_sources(struct syncing *s, struct diag *diag)
{
    const struct config *config = s->options->config;
    struct sync_result *result = s->result;
    size_t cap = config->source_count + 1;
    result->sources = calloc(cap, sizeof(*result->sources));
    s->inputs = calloc(cap, sizeof(*s->inputs));
    s->behind = calloc(cap, sizeof(struct sync_source *));
    s->reports = calloc(cap, sizeof(*s->reports));
    if (!result->sources || !s->inputs || !s->behind || !s->reports) {
        diag_set(diag, -ENOMEM, "out of memory");
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->source_count; i++) {
        if (config->sources[i].enabled) {
            struct sync_source *source = &result->sources[result->count++];
            source->config = &config->sources[i];
            copy_discard(s->options, source);
            copy_load(s->options, source);
            int err = input_prepare(config, source, diag);
            if (err < 0) {
                return err;
            }
        }
    }
    return 0;
}

/* Returns how many sources were asked, or a negative errno. */
static int refresh_sources(struct syncing *s)
{
    int asked = 0;
    for (size_t i = 0; i < s->result->count; i++) {
        struct sync_source *source = &s->result->sources[i];
        assert(source->config);
        bool due = !s->options->if_due || s->options->force || copy_is_due(s->options, source);
        if (!is_wanted(s->options, source->config->id) || !due) {
            continue;
        }
        tell(s->options, &(struct sync_event){.source = source->config->id, .phase = "fetching"});
        int err = copy_refresh(s->options, source);
        if (err < 0) {
            return err;
        }
        tell_end(s->options, source);
        asked++;
    }
    return asked;
}

/* Does the database in force hold the same sources as the configuration? */
static bool is_current(const struct syncing *s)
{
    char path[PATH_MAX];
    struct blockdb *db = NULL;
    snprintf(path, sizeof(path), "%s/blocklist.ggdb", s->state_dir);
    if (blockdb_open(path, &db, NULL) < 0) {
        return false;
    }
    size_t matched = 0;
    size_t usable = 0;
    for (size_t i = 0; i < s->result->count; i++) {
        const struct config_source *config = s->result->sources[i].config;
        usable += s->result->sources[i].has_copy;
        for (unsigned d = 0; d < blockdb_info(db)->sources; d++) {
            const struct blockdb_source *source = blockdb_source(db, d);
            matched += strcmp(source->id, config->id) == 0 &&
                       strcmp(source->category, config->category) == 0 &&
                       strcmp(source->url, config->url) == 0 && source->match == config->match &&
                       (config->format == FORMAT_AUTO || source->format == config->format);
        }
    }
    bool same = matched == blockdb_info(db)->sources && matched == usable;
    blockdb_close(db);
    return same;
}

static bool has_copies(const struct syncing *s)
{
    for (size_t i = 0; i < s->result->count; i++) {
        if (s->result->sources[i].has_copy) {
            return true;
        }
    }
    return false;
}

static void on_step(void *arg, const struct build_step *step)
{
    const struct syncing *s = arg;
    bool single = step->phase <= BUILD_READ && step->source < s->input_count;
    tell(s->options, &(struct sync_event){.source = single ? s->inputs[step->source].id : NULL,
                                          .phase = build_phase_word(step->phase),
                                          .bytes = step->bytes,
                                          .names = step->names});
}

static void open_inputs(struct syncing *s)
{
    s->input_count = 0;
    for (size_t i = 0; i < s->result->count; i++) {
        struct sync_source *source = &s->result->sources[i];
        source->used = false;
        int fd = source->excluded ? -ENOENT : copy_open(s->options, source);
        if (fd < 0) {
            continue;
        }
        const struct source_meta *meta = source->has_fresh ? &source->fresh : &source->meta;
        s->behind[s->input_count] = source;
        s->inputs[s->input_count] = input_of(source, fd);
        s->inputs[s->input_count++].fetched_at = meta->fetched_at;
    }
}

/* What the compiler said about each source. A stored copy that cannot be read any
 * more is asked for again next time. */
static void take_reports(struct syncing *s)
{
    for (size_t i = 0; i < s->input_count; i++) {
        struct sync_source *source = s->behind[i];
        const struct source_report *report = &s->reports[i];
        close(s->inputs[i].fd);
        if (report->error < 0) {
            copy_refuse(s->options, source, report->error_text);
            source->meta.etag[0] = source->meta.last_modified[0] = '\0';
            source->status = SYNC_FAILED;
            continue;
        }
        source->used = true;
        struct source_meta *meta = source->has_fresh ? &source->fresh : &source->meta;
        struct source_report kept = *report;
        if (!source->has_fresh) { /* the error of this run's try stays */
            kept.error = meta->report.error;
            memcpy(kept.error_text, meta->report.error_text, sizeof(kept.error_text));
        }
        meta->report = kept;
    }
}

static uint64_t names_read(const struct syncing *s)
{
    uint64_t names = 0;
    for (size_t i = 0; i < s->input_count; i++) {
        names += s->reports[i].names;
    }
    return names;
}

static int compile_once(struct syncing *s, struct diag *diag)
{
    open_inputs(s);
    if (s->input_count == 0) {
        diag_at(diag, "", 0, 0);
        return diag_set(diag, -ENODATA, "no source could be used: the lists in force stay");
    }
    struct budget budget = budget_of(s->options->config);
    struct build_job job = {.sources = s->inputs,
                            .source_count = s->input_count,
                            .on_step = on_step,
                            .arg = s,
                            .memory = budget.records,
                            .file_max = budget.file};
    int err = compile_file(&job, s->temp, s->reports, diag);
    if (err == -EFBIG && budget.file) {
        budget_explain(s->options->config, names_read(s), diag);
    }
    if (err < 0) {
        for (size_t i = 0; i < s->input_count; i++) {
            close(s->inputs[i].fd);
        }
        return err;
    }
    take_reports(s);
    return 0;
}

static bool any_refused(const struct syncing *s)
{
    for (size_t i = 0; i < s->input_count; i++) {
        if (s->reports[i].error < 0) {
            return true;
        }
    }
    return false;
}

/* Each round refuses at least one copy, so the rounds end. */
static int compile_and_gate(struct syncing *s, struct diag *diag)
{
    struct judge judge;
    int err = judge_open(s->options, &judge, diag);
    do {
        err = err < 0 ? err : compile_once(s, diag);
        if (err == 0 && !any_refused(s)) {
            tell(s->options, &(struct sync_event){.phase = "checking"});
            err = judge_database(&judge, s->result, s->temp, diag);
        } else {
            err = err < 0 ? err : 1;
        }
    } while (err == 1);
    if (err == 0 && s->options->dry_run) {
        err = preview_make(&judge, s->result, s->temp, diag);
    }
    judge_close(&judge);
    return err;
}

static uint64_t content_of(const char *path)
{
    struct blockdb *db = NULL;
    uint64_t content = blockdb_open(path, &db, NULL) == 0 ? blockdb_info(db)->generation : 0;
    blockdb_close(db);
    return content;
}

static int install(struct syncing *s, struct diag *diag)
{
    char link[PATH_MAX];
    snprintf(link, sizeof(link), "%s/blocklist.ggdb", s->state_dir);
    if (content_of(link) == content_of(s->temp)) {
        unlink(s->temp);
        return 0;
    }
    int err = generation_install(s->state_dir, s->temp, &s->result->generation, diag);
    if (err == 0) {
        s->result->installed = true;
        generation_prune(s->state_dir, (size_t)s->options->config->lists.keep_generations);
    }
    return err;
}

static int keep_copies(struct syncing *s, struct diag *diag)
{
    for (size_t i = 0; i < s->result->count; i++) {
        struct sync_source *source = &s->result->sources[i];
        if (source->has_fresh) {
            source->meta = source->fresh;
        }
        int err = copy_accept(s->options, source);
        if (err < 0) {
            return diag_set(diag, err, "storing source %s: %s", source->config->id, strerror(-err));
        }
    }
    return 0;
}

/* What failed is written down even when nothing was installed. */
static int keep_outcome(struct syncing *s, int err, struct diag *diag)
{
    if (err == 0 || err == -ENODATA) {
        int kept = keep_copies(s, diag);
        return err < 0 ? err : kept;
    }
    for (size_t i = 0; i < s->result->count; i++) {
        copy_postpone(s->options, &s->result->sources[i], err, diag->text);
    }
    return err;
}

/* For `check` and `lists diff`; lists are as good without. */
static void keep_texts(const struct syncing *s)
{
    int in_force = generation_in_force(s->state_dir);
    const struct textstore store = {.state_dir = s->state_dir, .generation = (unsigned)in_force};
    if (s->options->config->lists.names && in_force > 0) {
        (void)!textstore_keep(&store);
    }
    textstore_prune(s->state_dir);
}

static int run(struct syncing *s, struct diag *diag)
{
    int err = check_ids(s->options, diag);
    err = err < 0 ? err : make_folder(s->state_dir, "/sources", diag);
    err = err < 0 ? err : make_folder(s->state_dir, "/generations", diag);
    err = err < 0 ? err : load_sources(s, diag);
    if (err < 0 || s->result->count == 0) {
        return err;
    }
    int pinned = generation_pinned(s->state_dir);
    if (pinned > 0 && !s->options->force && !s->options->dry_run) {
        s->result->pinned = (unsigned)pinned;
        return 0;
    }
    generation_clean(s->state_dir);
    int asked = refresh_sources(s);
    if (asked < 0) {
        return diag_set(diag, asked, "%s", strerror(-asked));
    }
    if (asked == 0 && s->options->if_due && (!has_copies(s) || is_current(s))) {
        s->result->current = true;
        return 0;
    }
    err = compile_and_gate(s, diag);
    if (!s->options->dry_run) {
        err = err < 0 ? err : install(s, diag);
        err = keep_outcome(s, err, diag);
        if (err == 0) {
            generation_unpin(s->state_dir);
            keep_texts(s);
        }
    }
    return err;
}

int sync_run(const struct sync_options *options, struct sync_result *ret_result, struct diag *diag)
{
    struct syncing s = {
        .options = options, .result = ret_result, .state_dir = options->config->server.state_dir};
    *ret_result = (struct sync_result){0};
    int lock = sync_lock(s.state_dir, diag);
    if (lock < 0) {
        return lock;
    }
    snprintf(s.temp, sizeof(s.temp), "%s/generations/next.tmp", s.state_dir);
    int err = fetch_init();
    err = err < 0 ? err : run(&s, diag);
    for (size_t i = 0; i < ret_result->count; i++) {
        struct sync_source *source = &ret_result->sources[i];
        if (options->dry_run && source->has_fresh) {
            source->meta = source->fresh;
        }
        ret_result->tried += source->status != SYNC_KEPT;
        ret_result->unverified += source->unverified;
        ret_result->bad += source->status == SYNC_FAILED || source->status == SYNC_HELD;
        copy_discard(options, source);
    }
    unlink(s.temp);
    int in_force = generation_in_force(s.state_dir);
    ret_result->generation = in_force > 0 ? (unsigned)in_force : 0;
    free(s.inputs);
    free(s.behind);
    free(s.reports);
    close(lock);
    return err;
}

void sync_clear(struct sync_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        input_clear(&result->sources[i]);
    }
    free(result->sources);
    free(result->hits);
    preview_clear(result);
    *result = (struct sync_result){0};
}
