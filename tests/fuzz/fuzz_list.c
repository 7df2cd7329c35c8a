// SPDX-License-Identifier: Apache-2.0
/* Any octets are lines of a list: the first one picks format, match and piece size. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/addresses.h"
#include "blocklists/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Host bits are 0, and no local network is touched but by an exception. */
static void check_address(const struct scan_entry *entry)
{
    bool exception = entry->flags & BLOCKDB_EXCEPTION;
    for (unsigned bit = entry->prefix.bits; bit < 128; bit++) {
        if (entry->prefix.addr.bytes[bit / 8] >> (7 - bit % 8) & 1) {
            abort();
        }
    }
    if (entry->prefix.bits < 8 || (!exception && address_is_local(&entry->prefix))) {
        abort();
    }
}

static void check_entry(void *arg, const struct scan_entry *entry)
{
    struct dname again;
    char text[DNAME_TEXT_MAX];
    uint64_t *names = arg;
    ++*names;
    if (entry->flags == 0 || (entry->action == BLOCKDB_LOCAL) != (entry->data.len > 0)) {
        abort();
    }
    if (entry->kind == SCAN_ADDRESS) {
        check_address(entry);
        return;
    }
    if (entry->kind == SCAN_PATTERN) {
        if (entry->pattern.len == 0 || entry->pattern.len > SCAN_PATTERN_MAX) {
            abort();
        }
        return;
    }
    if (entry->name.labels == 0 || dname_parse(dname_print(&entry->name, text), &again) < 0 ||
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
        .format = format_find((enum list_format)(FORMAT_HOSTS + data[0] % FORMAT_REGEX)),
        .match = (enum list_match)(data[0] / FORMAT_REGEX % 3),
        .local_data = data[0] & 0x40,
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
    if (names != report_entries(&report) || report.bytes != size - 1 ||
        report.quote_count > QUOTES_MAX) {
        abort();
    }
    return 0;
}
