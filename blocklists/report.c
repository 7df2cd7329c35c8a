// SPDX-License-Identifier: Apache-2.0
#include "blocklists/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct skip_info {
    const char *word;
    bool understood;
    const char *text;
};

#define SKIP(name, word, understood, text) {word, understood, text},
static const struct skip_info skips[SKIP_COUNT] = {SKIP_REASONS(SKIP)};
#undef SKIP

const char *skip_word(unsigned reason)
{
    return reason < SKIP_COUNT ? skips[reason].word : "unknown";
}

const char *skip_text(unsigned reason)
{
    return reason < SKIP_COUNT ? skips[reason].text : "unknown";
}

unsigned report_yield(const struct source_report *report)
{
    uint64_t good = report_entries(report);
    uint64_t junk = 0;
    for (unsigned i = 1; i < SKIP_COUNT; i++) {
        *(skips[i].understood ? &good : &junk) += report->skipped[i];
    }
    return good + junk ? (unsigned)(100 * good / (good + junk)) : 100;
}

void report_close(struct source_report *report)
{
    report->error_text[sizeof(report->error_text) - 1] = '\0';
    report->version[sizeof(report->version) - 1] = '\0';
    if (report->quote_count > QUOTES_MAX) {
        report->quote_count = QUOTES_MAX;
    }
    for (unsigned i = 0; i < QUOTES_MAX; i++) {
        report->quotes[i].text[QUOTE_TEXT_MAX - 1] = '\0';
        report->quotes[i].file[QUOTE_FILE_MAX - 1] = '\0';
    }
}

int report_fail(struct source_report *report, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(report->error_text, sizeof(report->error_text), format, args);
    va_end(args);
    report->error = err;
    return err;
}
