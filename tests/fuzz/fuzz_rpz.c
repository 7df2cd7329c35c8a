// SPDX-License-Identifier: Apache-2.0
/* A zone without parentheses and quotes, line by line, against the zone reader of ldns:
 * what it reads as a record of a name, we read too, and the owner is the same. */
#include <ldns/ldns.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    unsigned entries;
    struct dname name;
    uint8_t flags;
};

static void note(void *arg, const struct scan_entry *entry)
{
    struct seen *seen = arg;
    seen->entries++;
    seen->flags = entry->flags;
    if (entry->kind == SCAN_NAME) {
        seen->name = entry->name;
    }
}

/* What ldns accepts and a list must not, or what both read but we do not support. */
static bool is_comparable(const char *line)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ";
    size_t first = strcspn(line, " ");
    return line[strspn(line, allowed)] == '\0' && *line != ' ' && *line != '.' && first > 0 &&
           line[first] == ' ' && !strcasestr(line, "rpz-");
}

static void check_line(const char *line, const struct seen *seen,
                       const struct source_report *report)
{
    ldns_rr *rr = NULL;
    ldns_rdf *origin = ldns_dname_new_frm_str(".");
    unsigned skipped = 0;
    for (unsigned i = 0; i < SKIP_COUNT; i++) {
        skipped += (unsigned)report->skipped[i];
    }
    bool known = ldns_rr_new_frm_str(&rr, line, 60, origin, NULL) == LDNS_STATUS_OK &&
                 ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME &&
                 ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN;
    if (known && seen->entries == 0 && skipped == 0) {
        abort(); /* a record got lost and nobody was told */
    }
    if (known && seen->entries == 1 && seen->flags & BLOCKDB_SELF) {
        uint8_t *wire = ldns_rdf_data(ldns_rr_owner(rr));
        size_t len = ldns_rdf_size(ldns_rr_owner(rr));
        for (size_t i = 0; i < len; i++) {
            wire[i] = octet_fold(wire[i]);
        }
        if (len != seen->name.len || memcmp(wire, seen->name.wire, len) != 0) {
            abort();
        }
    }
    ldns_rr_free(rr);
    ldns_rdf_deep_free(origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[1024];
    if (size >= sizeof(line) || memchr(data, 0, size) || memchr(data, '\n', size) ||
        memchr(data, '\r', size)) {
        return 0;
    }
    memcpy(line, data, size);
    line[size] = '\0';
    struct seen seen = {0};
    struct source_report report = {0};
    struct line_sink *sink = calloc(1, sizeof(*sink));
    sink->format = format_find(FORMAT_RPZ);
    sink->report = &report;
    sink->local_data = true;
    sink->on_entry = note;
    sink->arg = &seen;
    scan_feed(sink, data, size);
    scan_end(sink);
    free(sink);
    if (is_comparable(line)) {
        check_line(line, &seen, &report);
    }
    return 0;
}
