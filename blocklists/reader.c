// SPDX-License-Identifier: Apache-2.0
#include "blocklists/reader.h"

#include <errno.h>
#include <string.h>

#include "blocklists/unpack.h"

/* The first piece decides the format; -EINVAL in the report when there is none. */
static int find_format(const struct build_source *source, struct source_report *report,
                       const struct span *head)
{
    struct diag diag = {0};
    int format = source->format;
    const uint8_t *data = (const uint8_t *)head->text;
    if (head->len == 0) {
        return report_fail(report, -EINVAL, "empty");
    }
    int err = sniff_refuse(data, head->len, &diag);
    if (err == 0 && format == FORMAT_AUTO) {
        err = format = sniff_format(data, head->len, &diag);
    }
    if (err < 0) {
        return report_fail(report, err, "%s", diag.text);
    }
    report->format = format;
    return 0;
}

/* Pull the whole source through its parser. */
static int read_pieces(struct reader *reader, struct unpack *unpack)
{
    struct line_sink *sink = reader->sink;
    struct source_report *report = sink->report;
    struct diag diag = {0};
    for (;;) {
        const uint8_t *data;
        size_t len;
        int err = unpack_next(unpack, &data, &len, &diag);
        if (err < 0) {
            return report_fail(report, err, "%s", diag.text);
        }
        if (!sink->format) {
            struct span head = {(const char *)data, len};
            err = find_format(reader->source, report, &head);
            if (err < 0) {
                return err;
            }
            sink->format = format_find((enum list_format)report->format);
        }
        if (len == 0) {
            scan_end(sink);
            return 0;
        }
        scan_feed(sink, data, len);
        err = reader->on_piece ? reader->on_piece(reader) : 0;
        if (err < 0) {
            return err;
        }
    }
}

int reader_run(struct reader *reader)
{
    struct source_report *report = reader->sink->report;
    struct unpack *unpack = NULL;
    memset(report, 0, sizeof(*report));
    report->format = -1;
    int err = unpack_new(reader->source->fd, &unpack);
    if (err < 0) {
        return report_fail(report, err, "%s", strerror(-err));
    }
    err = read_pieces(reader, unpack);
    unpack_free(unpack);
    return err;
}
