// SPDX-License-Identifier: Apache-2.0
#include "blocklists/listtext.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash_inline.h"
#include "blocklists/child.h"
#include "blocklists/reader.h"

enum { SLOTS = 2 * LISTTEXT_WANTS_MAX };

struct visiting {
    const struct build_source *source;
    const struct listtext_visit *visit;
    struct line_sink *sink;
    int err; /* of the visitor */
};

static void pass_entry(void *arg, const struct scan_entry *entry)
{
    struct visiting *visiting = arg;
    if (visiting->err == 0) {
        visiting->err = visiting->visit->on_entry(visiting->visit->arg, entry, visiting->sink);
    }
}

static int check_visitor(struct reader *reader)
{
    const struct visiting *visiting = reader->arg;
    return visiting->err;
}

static int visit_in_child(void *arg, struct diag *diag)
{
    struct visiting *visiting = arg;
    struct source_report *report = calloc(1, sizeof(*report));
    struct line_sink *sink = calloc(1, sizeof(*sink));
    int err = -ENOMEM;
    if (report && sink) {
        *sink = (struct line_sink){.match = (enum list_match)visiting->source->match,
                                   .suffixes = visiting->visit->suffixes,
                                   .local_data = visiting->source->local_data,
                                   .report = report,
                                   .on_entry = pass_entry,
                                   .arg = visiting};
        visiting->sink = sink;
        struct reader reader = {
            .source = visiting->source, .sink = sink, .on_piece = check_visitor, .arg = visiting};
        err = reader_run(&reader);
        err = visiting->err < 0 ? visiting->err : err;
        if (report->error < 0) {
            diag_set(diag, err, "%s", report->error_text);
        }
    }
    free(report);
    free(sink);
    return err;
}

int listtext_visit(const struct build_source *source, const struct listtext_visit *visit,
                   struct diag *diag)
{
    struct visiting visiting = {.source = source, .visit = visit};
    return child_run(visit_in_child, &visiting, 0, diag);
}

uint64_t listtext_place(const struct line_sink *sink, char file[QUOTE_FILE_MAX])
{
    snprintf(file, QUOTE_FILE_MAX, "%s", sink->member ? sink->member : "");
    return sink->report->lines - sink->lines_before;
}

void listtext_print(const struct span *line, char out[LISTTEXT_MAX])
{
    static const char dots[] = "...";
    bool whole = line->len < LISTTEXT_MAX;
    size_t len = whole ? line->len : LISTTEXT_MAX - sizeof(dots);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line->text[i];
        bool c1 = c >= 0x80 && c < 0xa0 && i > 0 && (unsigned char)line->text[i - 1] == 0xc2;
        out[i] = (char)(c < 0x20 || c == 0x7f || c1 ? '?' : c);
    }
    while (len && !whole && ((unsigned char)out[len - 1] & 0xc0) == 0x80) {
        len--; /* not inside of a UTF-8 sequence */
    }
    memcpy(out + len, whole ? "" : dots, whole ? 1 : sizeof(dots));
}

/* Wanted names by hash, so that most lines cost one look. */
struct finding {
    struct listtext_want *wants;
    size_t count, left;
    uint16_t slots[SLOTS]; /* index + 1 of a want for a name; 0 = free */
    bool others;           /* addresses or patterns are wanted */
};

static size_t slot_of(const struct dname *name)
{
    return hash_seeded_inline(0, name->wire, name->len) % SLOTS;
}

static bool is_that(const struct listtext_want *want, const struct scan_entry *entry)
{
    bool exception = entry->flags & BLOCKDB_EXCEPTION;
    if (want->kind != entry->kind || want->exception != exception || entry->flags & ENTRY_CANCELS) {
        return false;
    }
    switch (want->kind) {
    case SCAN_NAME:
        return (!want->covers || entry->flags & want->covers) &&
               dname_equal(&want->name, &entry->name);
    case SCAN_ADDRESS:
        return want->prefix.bits == entry->prefix.bits &&
               addr_equal(&want->prefix.addr, &entry->prefix.addr);
    default:
        return strlen(want->pattern) == entry->pattern.len &&
               memcmp(want->pattern, entry->pattern.text, entry->pattern.len) == 0;
    }
}

static void note_line(struct finding *finding, struct listtext_want *want,
                      const struct line_sink *sink)
{
    if (want->line == 0) {
        want->line = listtext_place(sink, want->file);
        listtext_print(&sink->line, want->text);
        finding->left--;
    }
}

static int compare_entry(void *arg, const struct scan_entry *entry, const struct line_sink *sink)
{
    struct finding *finding = arg;
    if (entry->kind == SCAN_NAME) {
        for (size_t at = slot_of(&entry->name); finding->slots[at]; at = (at + 1) % SLOTS) {
            struct listtext_want *want = &finding->wants[finding->slots[at] - 1];
            if (is_that(want, entry)) {
                note_line(finding, want, sink);
            }
        }
    } else if (finding->others) {
        for (size_t i = 0; i < finding->count; i++) {
            if (is_that(&finding->wants[i], entry)) {
                note_line(finding, &finding->wants[i], sink);
            }
        }
    }
    return finding->left ? 0 : -ECANCELED;
}

static void index_wants(struct finding *finding)
{
    for (size_t i = 0; i < finding->count; i++) {
        finding->wants[i].line = 0;
        finding->wants[i].text[0] = finding->wants[i].file[0] = '\0';
        if (finding->wants[i].kind != SCAN_NAME) {
            finding->others = true;
            continue;
        }
        size_t at = slot_of(&finding->wants[i].name);
        while (finding->slots[at]) {
            at = (at + 1) % SLOTS;
        }
        finding->slots[at] = (uint16_t)(i + 1);
    }
}

int listtext_find(const struct build_source *source, struct listtext_want *wants, size_t count,
                  struct diag *diag)
{
    size_t bytes = (count + 1) * sizeof(*wants);
    struct finding *finding = calloc(1, sizeof(*finding));
    if (!finding || count > LISTTEXT_WANTS_MAX) {
        free(finding);
        return finding ? -E2BIG : -ENOMEM;
    }
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        free(finding);
        return -ENOMEM;
    }
    memcpy(shared, wants, count * sizeof(*wants));
    finding->wants = shared;
    finding->count = finding->left = count;
    index_wants(finding);
    const struct listtext_visit visit = {.on_entry = compare_entry, .arg = finding};
    int err = count ? listtext_visit(source, &visit, diag) : 0;
    for (size_t i = 0; i < count; i++) {
        wants[i].line = finding->wants[i].line;
        memcpy(wants[i].text, finding->wants[i].text, sizeof(wants[i].text));
        memcpy(wants[i].file, finding->wants[i].file, sizeof(wants[i].file));
        wants[i].file[QUOTE_FILE_MAX - 1] = '\0';
        wants[i].text[LISTTEXT_MAX - 1] = '\0';
    }
    munmap(shared, bytes);
    free(finding);
    return err == -ECANCELED ? 0 : err;
}
