// SPDX-License-Identifier: Apache-2.0
#include "blocklists/build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "blocklists/blockdb_key.h"
#include "blocklists/builder.h"
#include "blocklists/reader.h"

enum { SEED_TRIES = 16, STEP_BYTES = 1 << 20, GROUP_MAX = 1 << 16 };

static void report_step(const struct builder *b, const struct build_step *step)
{
    if (b->job->on_step) {
        b->job->on_step(b->job->arg, step);
    }
}

static void begin_sink(struct line_sink *sink, struct reading *reading)
{
    const struct builder *b = reading->builder;
    bool counting = reading->phase == BUILD_COUNT;
    *sink = (struct line_sink){
        .match = (enum list_match)b->job->sources[reading->source].match,
        .suffixes = counting ? NULL : b->suffixes,
        .local_data = b->job->sources[reading->source].local_data,
        .report = &b->reports[reading->source],
        .on_entry = counting ? builder_count : builder_keep,
        .arg = reading,
    };
}

static void step_at(const struct reading *reading)
{
    const struct source_report *report = &reading->builder->reports[reading->source];
    report_step(reading->builder, &(struct build_step){reading->phase, reading->source,
                                                       report->bytes, report->names});
}

static int check_piece(struct reader *reader)
{
    struct reading *reading = reader->arg;
    struct source_report *report = reader->sink->report;
    if (reading->builder->total + report_entries(report) > BUILD_ENTRIES_MAX) {
        return report_fail(report, -E2BIG, "more than %d names", BUILD_ENTRIES_MAX);
    }
    if (report->bytes - reading->told >= STEP_BYTES) {
        reading->told = report->bytes;
        step_at(reading);
    }
    return 0;
}

static int read_source(struct reading *reading)
{
    struct builder *b = reading->builder;
    struct line_sink *sink = malloc(sizeof(*sink));
    if (!sink) {
        return report_fail(&b->reports[reading->source], -ENOMEM, "out of memory");
    }
    begin_sink(sink, reading);
    struct reader reader = {.source = &b->job->sources[reading->source],
                            .sink = sink,
                            .on_piece = check_piece,
                            .arg = reading};
    int err = reader_run(&reader);
    step_at(reading);
    free(sink);
    return err;
}

static void judge_source(struct source_report *report)
{
    unsigned yield = report_yield(report);
    if (yield < BUILD_YIELD_MIN) {
        report_fail(report, -EINVAL, "only %u %% of its lines are valid as %s", yield,
                    format_name(report->format));
    } else if (report_entries(report) == report->cancels) {
        report_fail(report, -EINVAL, "holds nothing that can be blocked");
    }
}

static int by_id(const void *a, const void *b, void *arg)
{
    const struct build_source *sources = arg;
    return strcmp(sources[*(const uint32_t *)a].id, sources[*(const uint32_t *)b].id);
}

/* First pass: which sources are usable, how many names, and the seed. */
static int count_sources(struct builder *b)
{
    const struct build_job *job = b->job;
    for (uint32_t i = 0; i < job->source_count; i++) {
        const char *id = job->sources[i].id;
        struct reading reading = {
            .builder = b, .source = i, .key = hash_seeded(0, id, strlen(id)), .phase = BUILD_COUNT};
        struct source_report *report = &b->reports[i];
        int err = read_source(&reading);
        if (err == -ENOMEM) {
            return err;
        }
        if (err == 0) {
            judge_source(report);
        }
        if (report->error == 0) {
            b->sum += reading.sum;
            b->squares += reading.squares;
            b->total += report_entries(report);
            b->cancels += report->cancels;
            b->order[b->order_count++] = i;
        }
    }
    qsort_r(b->order, b->order_count, sizeof(*b->order), by_id, (void *)(uintptr_t)job->sources);
    uint64_t content[3] = {htole64(b->sum), htole64(b->squares), htole64(b->total)};
    b->seed = hash_seeded(0, content, sizeof(content));
    return 0;
}

/* Second pass under the seed. A list that grew since the first is -EIO. */
static int collect_records(struct builder *b, uint64_t *ret_names)
{
    b->fault = 0;
    b->plan = (struct blockdb_plan){.seed = b->seed};
    recordset_clear(b->records);
    sidetable_clear(b->beside);
    if (ftruncate(b->job->out_fd, 0) < 0) {
        return -errno;
    }
    for (size_t i = 0; i < b->order_count; i++) {
        const struct build_source *source = &b->job->sources[b->order[i]];
        struct reading reading = {.builder = b,
                                  .source = b->order[i],
                                  .index = (uint16_t)i,
                                  .key = hash_seeded(0, source->id, strlen(source->id)),
                                  .scope = source->scope_all ? BLOCKDB_SCOPE_ALL : 0,
                                  .folds = b->reports[b->order[i]].cancels == 0 &&
                                           b->reports[b->order[i]].closest == 0,
                                  .phase = BUILD_READ};
        int err = read_source(&reading);
        if (err < 0) {
            return err == -ENOMEM ? err : -EIO;
        }
        if (b->fault < 0) {
            return b->fault == -E2BIG ? -EIO : b->fault;
        }
    }
    report_step(b, &(struct build_step){.phase = BUILD_SORT, .names = b->total});
    sidetable_sort(b->beside);
    memset(b->cancelled, 0, b->order_count * sizeof(*b->cancelled));
    return recordset_sort(b->records, ret_names);
}

static void fill_table(struct builder *b)
{
    for (size_t i = 0; i < b->order_count; i++) {
        const struct build_source *source = &b->job->sources[b->order[i]];
        const struct source_report *report = &b->reports[b->order[i]];
        char *version = b->versions[i];
        snprintf(version, VERSION_MAX, "%s", report->version);
        if (!version[0]) {
            struct tm tm;
            time_t at = (time_t)source->fetched_at;
            gmtime_r(&at, &tm);
            strftime(version, VERSION_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
        }
        b->table[i] = (struct blockdb_source){.id = source->id,
                                              .category = source->category,
                                              .url = source->url,
                                              .version = version,
                                              .fetched_at = source->fetched_at,
                                              .format = (uint8_t)report->format,
                                              .match = (uint8_t)source->match};
    }
    uint32_t count;
    const struct blockdb_pattern *patterns = sidetable_patterns(b->beside, &count);
    for (uint32_t i = 0; i < count; i++) {
        b->table[patterns[i].source].entries++;
    }
    b->plan.patterns = patterns;
    b->plan.pattern_count = count;
}

/* The local records of an item, whose flags are those of its one record. */
static int number_data(struct builder *b, const struct record *record, struct blockdb_item *item)
{
    if (item->action != BLOCKDB_LOCAL) {
        return 0;
    }
    const struct side_owner owner = {record->hash, item->source,
                                     item->flags | (record->flags & ENTRY_ADDRESS)};
    int64_t index = sidetable_data(b->beside, &owner);
    item->data = index > 0 ? (uint32_t)index : 0;
    return index > 0 ? 0 : index < 0 ? (int)index : -EIO;
}

static int write_group(struct builder *b, struct blockdb_writer *writer, const struct record *group,
                       size_t len)
{
    int64_t count = record_items(group, len, b->items, GROUP_MAX);
    if (count < 0) {
        return (int)count;
    }
    for (int64_t i = 0; i < count; i++) {
        int err = number_data(b, group, &b->items[i]);
        if (err < 0) {
            return err;
        }
        b->table[b->items[i].source].entries++;
    }
    b->plan.addresses += (group->flags & ENTRY_ADDRESS) != 0;
    struct blockdb_entry entry = {group->hash, b->items, (size_t)count};
    return blockdb_write_entry(writer, &entry);
}

static int write_part(struct builder *b, struct blockdb_writer *writer, unsigned part)
{
    const struct record *records;
    size_t count;
    int err = recordset_load(b->records, part, &records, &count);
    for (size_t at = 0; err == 0 && at < count;) {
        int64_t group = record_group(records + at, count - at);
        err = group < 0 ? (int)group : write_group(b, writer, records + at, (size_t)group);
        at += group < 0 ? 0 : (size_t)group;
    }
    return err;
}

static int write_file(struct builder *b, uint64_t names)
{
    struct blockdb_writer *writer = NULL;
    report_step(b, &(struct build_step){.phase = BUILD_WRITE, .names = names});
    b->plan.names = names;
    b->plan.sources = b->table;
    b->plan.source_count = (uint32_t)b->order_count;
    fill_table(b);
    int err = blockdb_write_begin(b->job->out_fd, &b->plan, &writer);
    for (unsigned part = 0; part < recordset_parts(b->records) && err == 0; part++) {
        err = write_part(b, writer, part);
    }
    b->plan.data = sidetable_numbered(b->beside, &b->plan.data_count);
    err = err < 0 ? err : blockdb_write_finish(writer);
    blockdb_write_free(writer);
    return err;
}

/* Records that do not fit lie in the output behind its lines: the tables that may
 * overwrite them follow when all have been read. */
static int allocate(struct builder *b)
{
    b->table = calloc(b->order_count + 1, sizeof(*b->table));
    b->versions = calloc(b->order_count + 1, sizeof(*b->versions));
    b->cancelled = calloc(b->order_count + 1, sizeof(*b->cancelled));
    b->items = calloc(GROUP_MAX, sizeof(*b->items));
    b->suffixes = suffix_new();
    b->beside = sidetable_new();
    bool ok = b->table && b->versions && b->cancelled && b->items && b->suffixes && b->beside;
    const struct recordset_plan plan = {
        .total = b->total,
        .memory = b->job->memory ? b->job->memory : BUILD_MEMORY,
        .fd = b->job->out_fd,
        .at = blockdb_lines_end(b->total),
        .cancelled = b->cancels ? b->cancelled : NULL,
    };
    return ok ? recordset_new(&plan, &b->records) : -ENOMEM;
}

static int build_file(struct builder *b, struct diag *diag)
{
    int err = allocate(b);
    if (err < 0) {
        return diag_set(diag, err, "not enough memory for %llu names, or no public suffix list",
                        (unsigned long long)b->total);
    }
    for (unsigned i = 0; i < SEED_TRIES; i++, b->seed++) {
        uint64_t names = 0;
        err = collect_records(b, &names);
        err = err < 0 ? err : write_file(b, names);
        if (err != -EEXIST) {
            break;
        }
    }
    if (err == -EOVERFLOW) {
        return diag_set(diag, err, "more than %d local records in RPZ zones: use fewer",
                        SIDETABLE_RECORDS_MAX);
    }
    if (err == -E2BIG) {
        return diag_set(diag, err, "the sources overlap in more than 65,534 ways: use fewer");
    }
    for (size_t i = 0; i < b->order_count && err == 0; i++) {
        struct source_report *report = &b->reports[b->order[i]];
        report->entries = b->table[i].entries;
        report->cancelled = b->cancelled[i];
        report->duplicates = report_entries(report) - report->cancels - report->entries -
                             report->cancelled - report->folded;
    }
    return err < 0 ? diag_set(diag, err, "writing the database: %s", strerror(-err)) : 0;
}

int build_run(const struct build_job *job, struct source_report *reports, struct diag *diag)
{
    struct builder b = {.job = job, .reports = reports};
    b.order = calloc(job->source_count + 1, sizeof(*b.order));
    b.parents = fold_set_new();
    int err = b.order && b.parents ? count_sources(&b) : -ENOMEM;
    if (err == 0) {
        fold_set_settle(b.parents);
    }
    if (err == 0 && job->out_fd >= 0) {
        err = build_file(&b, diag);
    }
    recordset_free(b.records);
    sidetable_free(b.beside);
    fold_set_free(b.parents);
    suffix_free(b.suffixes);
    free(b.order);
    free(b.table);
    free(b.versions);
    free(b.cancelled);
    free(b.items);
    return err;
}

const char *build_phase_word(enum build_phase phase)
{
    static const char *const words[] = {"counting", "reading", "sorting", "writing"};
    return words[phase];
}
