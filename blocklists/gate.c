// SPDX-License-Identifier: Apache-2.0
#include "blocklists/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Asked with all below; the parser never widens to one, so a hit is a fault of the
 * file itself. */
static const char *const suffixes[] = {
    "com",    "net",   "org",   "info",  "biz",    "io",    "co",    "me",    "tv",    "xyz",
    "app",    "dev",   "top",   "shop",  "online", "site",  "kr",    "co.kr", "go.kr", "or.kr",
    "ac.kr",  "re.kr", "ne.kr", "pe.kr", "es.kr",  "ms.kr", "hs.kr", "jp",    "co.jp", "cn",
    "com.cn", "tw",    "us",    "uk",    "co.uk",  "de",    "fr",    "eu",    "ru",    "arpa",
};

/* What is being asked. */
struct asking {
    const struct blockdb *db;
    struct gate_report *report;
    struct dname name;
    const char *text;
    bool suffix;
};

static bool covers(const struct blockdb_item *item, unsigned skip)
{
    return item->flags & (skip ? BLOCKDB_BELOW : BLOCKDB_SELF);
}

/* Is the block of this source taken back by an exception of its own? */
static bool is_excepted(const struct asking *asking, const struct blockdb_hit *hits, size_t count,
                        uint16_t source)
{
    for (size_t h = 0; h < count; h++) {
        size_t items;
        const struct blockdb_item *item = blockdb_class(asking->db, hits[h].class_id, &items);
        for (size_t i = 0; i < items; i++) {
            if (item[i].source == source && item[i].flags & BLOCKDB_EXCEPTION &&
                covers(&item[i], hits[h].skip)) {
                return true;
            }
        }
    }
    return false;
}

static void note_hit(const struct asking *asking, uint16_t source, unsigned skip)
{
    struct gate_report *report = asking->report;
    report->total++;
    report->per_source[source]++;
    if (asking->suffix) {
        report->held[source] = true;
    }
    if (report->hit_count == GATE_HITS_MAX) {
        return;
    }
    struct gate_hit *hit = &report->hits[report->hit_count++];
    char entry[DNAME_TEXT_MAX];
    size_t len;
    dname_print_wire(dname_suffix(&asking->name, skip, &len), entry);
    snprintf(hit->name, sizeof(hit->name), "%s", asking->text);
    snprintf(hit->entry, sizeof(hit->entry), "%.255s", entry);
    hit->source = source;
    hit->suffix = asking->suffix;
}

/* Each source counts once for a name, by its longest entry. */
static void ask(const struct asking *asking, uint64_t *seen)
{
    struct blockdb_probe probe;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    blockdb_probe(asking->db, &asking->name, &probe);
    size_t count = blockdb_find(asking->db, &probe, hits);
    for (size_t h = 0; h < count; h++) {
        size_t items;
        const struct blockdb_item *item = blockdb_class(asking->db, hits[h].class_id, &items);
        for (size_t i = 0; i < items; i++) {
            uint16_t source = item[i].source;
            bool wanted = asking->suffix ? hits[h].skip == 0 && item[i].flags & BLOCKDB_BELOW
                                         : covers(&item[i], hits[h].skip);
            bool known = seen[source / 64] >> source % 64 & 1;
            if (!wanted || known || item[i].flags & BLOCKDB_EXCEPTION) {
                continue;
            }
            seen[source / 64] |= 1ULL << source % 64;
            bool important = item[i].flags & BLOCKDB_IMPORTANT;
            if (asking->suffix || important || !is_excepted(asking, hits, count, source)) {
                note_hit(asking, source, hits[h].skip);
            }
        }
    }
}

/* `seen` goes on from the name before when it is its twin. */
static void ask_text(struct asking *asking, const char *text, uint64_t *seen, bool twin)
{
    size_t words = (blockdb_info(asking->db)->sources + 63) / 64;
    if (dname_parse(text, &asking->name) == 0) {
        if (!twin) {
            memset(seen, 0, words * sizeof(*seen));
        }
        asking->text = text;
        ask(asking, seen);
    }
}

/* A name and its www. twin; a source that blocks both counts once. */
static void ask_twins(struct asking *asking, const char *text, uint64_t *seen)
{
    char www[DNAME_TEXT_MAX + 4];
    ask_text(asking, text, seen, false);
    if (strncmp(text, "www.", 4) != 0 &&
        snprintf(www, sizeof(www), "www.%s", text) < (int)sizeof(www)) {
        ask_text(asking, www, seen, true);
        asking->text = text;
    }
}

static void ask_all(const struct blockdb *db, const struct gate_guard *guard,
                    struct gate_report *report, uint64_t *seen)
{
    struct asking asking = {.db = db, .report = report};
    char text[DNAME_TEXT_MAX];
    for (size_t i = 0; i < guard->built_in->count; i++) {
        const struct protected_name *item = &guard->built_in->items[i];
        if (item->exact) { /* all else may be blocked */
            ask_text(&asking, dname_print(&item->name, text), seen, false);
        } else {
            ask_twins(&asking, dname_print(&item->name, text), seen);
        }
    }
    for (size_t i = 0; i < guard->never_block->count; i++) {
        ask_twins(&asking, guard->never_block->items[i], seen);
    }
    for (size_t i = 0; guard->essential && i < guard->essential->count; i++) {
        ask_twins(&asking, dname_print(&guard->essential->items[i], text), seen);
    }
    asking.suffix = true;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        ask_text(&asking, suffixes[i], seen, false);
    }
}

int gate_check(const struct blockdb *db, const struct gate_guard *guard,
               struct gate_report *ret_report)
{
    size_t sources = blockdb_info(db)->sources;
    uint64_t *seen = calloc(sources / 64 + 1, sizeof(*seen));
    struct gate_report *report = ret_report;
    *report = (struct gate_report){0};
    report->per_source = calloc(sources + 1, sizeof(*report->per_source));
    report->held = calloc(sources + 1, sizeof(*report->held));
    if (!seen || !report->per_source || !report->held) {
        free(seen);
        gate_clear(report);
        return -ENOMEM;
    }
    ask_all(db, guard, report, seen);
    for (size_t i = 0; i < sources; i++) {
        report->held[i] |= report->per_source[i] > GATE_PROTECTED_MAX;
        report->held_count += report->held[i];
    }
    free(seen);
    return 0;
}

void gate_clear(struct gate_report *report)
{
    free(report->per_source);
    free(report->held);
    *report = (struct gate_report){0};
}

int gate_size(uint64_t before, uint64_t now, int64_t max_shrink, struct diag *diag)
{
    unsigned long long was = before;
    unsigned long long is = now;
    if (before && now < before && (before - now) * 100 > before * (uint64_t)max_shrink) {
        return diag_set(diag, -ERANGE, "held back: the number of names shrank from %llu to %llu",
                        was, is);
    }
    if (before && now > GATE_SMALL && now / GATE_GROWTH_MAX >= before &&
        now > before * GATE_GROWTH_MAX) {
        return diag_set(diag, -ERANGE, "held back: the number of names grew from %llu to %llu", was,
                        is);
    }
    return 0;
}
