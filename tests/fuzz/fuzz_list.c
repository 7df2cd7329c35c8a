// SPDX-License-Identifier: Apache-2.0
/* Any octets are lines of a list: the first one picks format, match and piece size. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(void *arg, const struct scan_entry *entry)
{
    struct dname again;
    char text[DNAME_TEXT_MAX];
    uint64_t *names = arg;
    ++*names;
    if (entry->flags == 0 || entry->name.labels == 0 ||
        dname_parse(dname_print(&entry->name, text), &again) < 0 ||
        !dname_equal(&again, &entry->name)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct suffix_set *suffixes;
    struct source_report report = {0};
    struct diag diag = {0};
    uint64_t names = 0;
    if (size == 0) {
        return 0;
    }
    suffixes = suffixes ? suffixes : suffix_new();
    struct line_sink *sink = calloc(1, sizeof(*sink));
    *sink = (struct line_sink){
        .format = format_find((enum list_format)(FORMAT_HOSTS + data[0] % FORMAT_DNSCRYPT)),
        .match = (enum list_match)(data[0] / FORMAT_DNSCRYPT % 3),
        .suffixes = suffixes,
        .report = &report,
        .on_entry = check_entry,
        .arg = &names};
    size_t step = data[0] & 0x80 ? 1 : size;
    int kind = sniff_format(data + 1, size - 1, &diag);
    if (kind >= 0 && !format_find((enum list_format)kind)) {
        abort();
    }
    for (size_t at = 1; at < size; at += step) {
        scan_feed(sink, data + at, size - at < step ? size - at : step);
    }
    scan_end(sink);
    free(sink);
    if (names != report.names + report.cancels || report.bytes != size - 1 ||
        report.quote_count > QUOTES_MAX) {
        abort();
    }
    return 0;
}
