// SPDX-License-Identifier: Apache-2.0
#include "blocklists/judge.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/datafile.h"
#include "blocklists/copy.h"
#include "blocklists/input.h"
#include "blocklists/listtext.h"
#include "config/catalog.h"

/* What is known of one compiled file. */
struct hearing {
    const struct judge *judge;
    struct sync_result *result;
    struct blockdb *db;
    struct gate_report *report;
    struct popular_source *popular;
};

int judge_open(const struct sync_options *options, struct judge *ret_judge, struct diag *diag)
{
    const struct config *config = options->config;
    char path[PATH_MAX];
    struct judge *judge = ret_judge;
    *judge = (struct judge){.options = options};
    int err = protected_load(config->server.data_dir, "protected", &judge->built_in, diag);
    err = err < 0 ? err : catalog_load(config->server.data_dir, &judge->catalog, diag);
    if (err == 0 && config->lists.essential_file[0]) {
        err = namefile_load(config->lists.essential_file, &judge->essential, diag);
    }
    if (err == 0 && config->lists.popular_file[0]) {
        err = namefile_load(config->lists.popular_file, &judge->popular, diag);
    } else if (err == 0) {
        datafile_path(config->server.data_dir, "popular.txt", path, sizeof(path));
        err = namefile_load(path, &judge->popular, diag);
        if (err == -ENOENT) { /* its own data is not there: nothing to compare with */
            diag_clear(diag);
            err = 0;
        }
    }
    return err;
}

void judge_close(struct judge *judge)
{
    protected_clear(&judge->built_in);
    name_list_clear(&judge->essential);
    name_list_clear(&judge->popular);
    catalog_free(judge->catalog);
}

static struct sync_source *find_source(const struct sync_result *result, const char *id)
{
    for (size_t i = 0; i < result->count; i++) {
        if (strcmp(result->sources[i].config->id, id) == 0) {
            return &result->sources[i];
        }
    }
    return NULL;
}

/* Does the category stand for sites that everybody knows? */
static bool may_be_popular(const struct hearing *hearing, const struct config_source *source)
{
    const struct catalog_category *category =
        catalog_find(hearing->judge->catalog, source->category);
    return source->accept_popular || source->shadow || (category && category->popular);
}

/* Hits of a list that was refused in an earlier round. */
static size_t keep_refused(struct sync_result *result, struct sync_hit *hits)
{
    size_t count = 0;
    for (size_t i = 0; i < result->hit_count; i++) {
        const struct sync_source *source = find_source(result, result->hits[i].list);
        if (source && source->status == SYNC_HELD) {
            hits[count++] = result->hits[i];
        }
    }
    return count;
}

static struct sync_hit *begin_hit(const struct hearing *hearing, struct sync_hit *hit,
                                  unsigned source)
{
    *hit = (struct sync_hit){.line = 0};
    snprintf(hit->list, sizeof(hit->list), "%s", blockdb_source(hearing->db, source)->id);
    return hit;
}

static size_t add_popular(const struct hearing *hearing, struct sync_hit *hits)
{
    size_t count = 0;
    char text[DNAME_TEXT_MAX];
    for (unsigned i = 0; i < blockdb_info(hearing->db)->sources; i++) {
        const struct sync_source *source =
            find_source(hearing->result, blockdb_source(hearing->db, i)->id);
        const struct popular_source *popular = &hearing->popular[i];
        bool tells = source && !may_be_popular(hearing, source->config);
        for (unsigned k = 0; tells && k < popular->example_count; k++) {
            struct sync_hit *hit = begin_hit(hearing, &hits[count++], i);
            hit->popular = true;
            snprintf(hit->name, sizeof(hit->name), "%.255s",
                     dname_print(&popular->examples[k], text));
            if (popular->patterns[k]) {
                snprintf(hit->entry, sizeof(hit->entry), "/%.253s/",
                         blockdb_pattern(hearing->db, popular->patterns[k] - 1)->text);
            } else {
                snprintf(hit->entry, sizeof(hit->entry), "%.255s",
                         dname_print(&popular->entries[k], text));
            }
        }
    }
    return count;
}

static int keep_hits(const struct hearing *hearing)
{
    const struct gate_report *report = hearing->report;
    struct sync_result *result = hearing->result;
    size_t most = report->hit_count + result->hit_count +
                  (size_t)POPULAR_EXAMPLES * blockdb_info(hearing->db)->sources;
    struct sync_hit *hits = calloc(most + 1, sizeof(*hits));
    if (!hits) {
        return -ENOMEM;
    }
    size_t count = keep_refused(result, hits);
    for (size_t i = 0; i < report->hit_count; i++) {
        struct sync_hit *hit = begin_hit(hearing, &hits[count++], report->hits[i].source);
        snprintf(hit->name, sizeof(hit->name), "%s", report->hits[i].name);
        snprintf(hit->entry, sizeof(hit->entry), "%s", report->hits[i].entry);
    }
    count += add_popular(hearing, hits + count);
    free(result->hits);
    result->hits = hits;
    result->hit_count = count;
    return 0;
}

/* A name or a /pattern/. */
static bool make_want(const char *entry, struct listtext_want *ret_want)
{
    *ret_want = (struct listtext_want){.kind = *entry == '/' ? SCAN_PATTERN : SCAN_NAME};
    if (*entry == '/') {
        snprintf(ret_want->pattern, sizeof(ret_want->pattern), "%.*s", (int)strlen(entry) - 2,
                 entry + 1);
        return true;
    }
    return dname_parse(entry, &ret_want->name) == 0;
}

/* The lines of one list behind its hits: each entry is looked for once. */
static void find_lines(const struct hearing *hearing, struct sync_source *source,
                       struct listtext_want *wants)
{
    struct sync_hit *hits = hearing->result->hits;
    size_t owner[LISTTEXT_WANTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < hearing->result->hit_count && count < LISTTEXT_WANTS_MAX; i++) {
        if (strcmp(hits[i].list, source->config->id) == 0 && hits[i].line == 0 &&
            make_want(hits[i].entry, &wants[count])) {
            owner[count++] = i;
        }
    }
    const struct source_meta *meta = source->has_fresh ? &source->fresh : &source->meta;
    struct build_source text =
        input_of(source, count ? copy_open(hearing->judge->options, source) : -1);
    text.format = meta->report.format;
    struct diag diag = {0};
    if (text.fd < 0 || listtext_find(&text, wants, count, &diag) < 0) {
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        hits[owner[i]].line = wants[i].line;
        snprintf(hits[owner[i]].text, sizeof(hits[0].text), "%s", wants[i].text);
    }
    if (text.fd >= 0) {
        close(text.fd);
    }
}

static void find_all_lines(const struct hearing *hearing)
{
    struct listtext_want *wants = calloc(LISTTEXT_WANTS_MAX, sizeof(*wants));
    for (size_t i = 0; wants && i < hearing->result->count; i++) {
        const struct sync_source *source = &hearing->result->sources[i];
        if (source->protected_hits || source->popular.example_count) {
            find_lines(hearing, &hearing->result->sources[i], wants);
        }
    }
    free(wants);
}

static bool is_too_popular(const struct hearing *hearing, const struct sync_source *source)
{
    return (int64_t)source->popular.top > hearing->judge->options->config->lists.max_popular &&
           !hearing->judge->options->force && !may_be_popular(hearing, source->config);
}

/* "google.com, naver.com" */
static void print_examples(const struct popular_source *popular, char *out, size_t cap)
{
    char text[DNAME_TEXT_MAX];
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < popular->example_count && used < cap; i++) {
        used += (size_t)snprintf(out + used, cap - used, "%s%.60s", i ? ", " : "",
                                 dname_print(&popular->examples[i], text));
    }
}

static bool refuse(const struct hearing *hearing, struct sync_source *source, uint32_t hits,
                   bool held)
{
    char reason[256];
    char examples[200];
    if (held) {
        snprintf(reason, sizeof(reason), "held back: blocks %u protected name%s", hits,
                 hits == 1 ? "" : "s");
    } else if (is_too_popular(hearing, source)) {
        print_examples(&source->popular, examples, sizeof(examples));
        snprintf(reason, sizeof(reason), "held back: blocks %u of the best-known names: %s",
                 source->popular.top, examples);
    } else {
        return false;
    }
    copy_refuse(hearing->judge->options, source, reason);
    return true;
}

static bool refuse_some(const struct hearing *hearing)
{
    bool refused = false;
    for (unsigned i = 0; i < blockdb_info(hearing->db)->sources; i++) {
        struct sync_source *source =
            find_source(hearing->result, blockdb_source(hearing->db, i)->id);
        if (source) {
            source->protected_hits = hearing->report->per_source[i];
            source->popular = hearing->popular[i];
        }
    }
    find_all_lines(hearing); /* while refused copies are still there */
    for (unsigned i = 0; i < blockdb_info(hearing->db)->sources; i++) {
        struct sync_source *source =
            find_source(hearing->result, blockdb_source(hearing->db, i)->id);
        if (source) {
            refused |=
                refuse(hearing, source, hearing->report->per_source[i], hearing->report->held[i]);
        }
    }
    return refused;
}

int judge_database(const struct judge *judge, struct sync_result *result, const char *path,
                   struct diag *diag)
{
    const struct gate_guard guard = {&judge->built_in, &judge->options->config->lists.never_block,
                                     &judge->essential};
    struct hearing hearing = {.judge = judge, .result = result};
    hearing.report = calloc(1, sizeof(*hearing.report));
    int err = hearing.report ? blockdb_open(path, &hearing.db, diag) : -ENOMEM;
    err = err < 0 ? err : gate_check(hearing.db, &guard, hearing.report);
    if (err == 0) {
        err = popular_measure(hearing.db, &judge->popular, &hearing.popular);
    }
    if (err == 0) {
        result->names = blockdb_info(hearing.db)->names;
        err = keep_hits(&hearing);
    }
    if (err == 0) {
        err = refuse_some(&hearing);
    }
    if (hearing.report) {
        gate_clear(hearing.report);
    }
    free(hearing.report);
    free(hearing.popular);
    blockdb_close(hearing.db);
    return err;
}
