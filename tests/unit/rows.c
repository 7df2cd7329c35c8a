// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rows_note(void *arg, const struct scan_entry *entry)
{
    struct seen *seen = arg;
    char text[DNAME_TEXT_MAX + 16];
    size_t used = strlen(seen->names);
    if (entry->kind == SCAN_NAME) {
        dname_print(&entry->name, text);
    } else if (entry->kind == SCAN_ADDRESS) {
        char address[ADDR_TEXT_MAX];
        addr_print(&entry->prefix.addr, address);
        snprintf(text, sizeof(text), "%s/%u", address, entry->prefix.bits);
    } else {
        snprintf(text, sizeof(text), "/%.*s/", (int)entry->pattern.len, entry->pattern.text);
    }
    char *out = text + strlen(text);
    *out++ = ':';
    for (unsigned i = 0; i < 6; i++) {
        if (entry->flags >> i & 1) {
            *out++ = "sbei*c"[i];
        }
    }
    if (entry->flags & ENTRY_CANCELS) {
        *out++ = 'x';
    }
    if (entry->action) {
        *out++ = "-NODTL"[entry->action];
    }
    *out = '\0';
    for (char *c = text; *c && entry->kind == SCAN_NAME;
         c++) { /* undo the escape of '_' and the like: none is used */
        assert_true(*c != '\\');
    }
    snprintf(seen->names + used, sizeof(seen->names) - used, "%s%s", used ? " " : "", text);
}

void rows_scan(const struct row *row, enum list_match match, struct seen *seen,
               struct source_report *report)
{
    size_t len = strlen(row->text);
    struct suffix_set *suffixes = suffix_new();
    struct line_sink *sink = calloc(1, sizeof(*sink));
    *sink = (struct line_sink){.format = format_find((enum list_format)row->format),
                               .match = match,
                               .suffixes = suffixes,
                               .report = report,
                               .on_entry = rows_note,
                               .arg = seen};
    scan_feed(sink, (const uint8_t *)row->text, len);
    scan_end(sink);
    free(sink);
    suffix_free(suffixes);
}

static void skips_of(const struct source_report *report, char *out, size_t cap)
{
    *out = '\0';
    for (unsigned r = 0; r < SKIP_COUNT; r++) {
        for (uint64_t i = 0; i < report->skipped[r]; i++) {
            size_t used = strlen(out);
            snprintf(out + used, cap - used, "%s%s", used ? " " : "", skip_word(r));
        }
    }
}

void rows_check(const struct row *rows, size_t count)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        struct seen seen = {""};
        struct source_report report = {0};
        char skips[1024];
        print_message("%s\n", rows[i].what);
        rows_scan(&rows[i], MATCH_AUTO, &seen, &report);
        skips_of(&report, skips, sizeof(skips));
        if (strcmp(seen.names, rows[i].names) != 0 || strcmp(skips, rows[i].skips) != 0) {
            print_message("  got  %s | %s\n  want %s | %s\n", seen.names, skips, rows[i].names,
                          rows[i].skips);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}
