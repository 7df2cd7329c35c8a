// SPDX-License-Identifier: Apache-2.0
#include "blocklists/reader.h"

#include <errno.h>
#include <string.h>

#include "blocklists/tar.h"
#include "blocklists/unpack.h"
#include "blocklists/ut1.h"

/* A source while it is read. */
struct opened {
    struct reader *reader;
    struct unpack *unpack;
    struct ut1 *archive; /* NULL: it is none */
};

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
    int err = format == FORMAT_UT1 ? 0 : sniff_refuse(data, head->len, &diag);
    if (tar_is_archive(data, head->len)) {
        err = 0;
        format = FORMAT_UT1;
    } else if (format == FORMAT_UT1) {
        err = diag_set(&diag, -EINVAL, "not a tar archive");
    }
    if (err == 0 && format == FORMAT_AUTO) {
        err = format = sniff_format(data, head->len, &diag);
    }
    if (err < 0) {
        return report_fail(report, err, "%s", diag.text);
    }
    report->format = format;
    return 0;
}

/* Look through an archive, and begin again: one decoder at a time is in memory. */
static int open_archive(struct opened *opened, struct diag *diag)
{
    static const struct text_list none;
    const struct build_source *source = opened->reader->source;
    const struct ut1_wish wish = {source->folders ? source->folders : &none, source->folders_named,
                                  source->folders_white};
    unpack_free(opened->unpack);
    opened->unpack = NULL;
    int err = ut1_open(source->fd, &wish, &opened->archive, diag);
    return err < 0 ? err : unpack_new(source->fd, &opened->unpack);
}

/* What the first piece says about the rest; 1: it comes again. */
static int begin_source(struct opened *opened, const struct span *head)
{
    struct line_sink *sink = opened->reader->sink;
    struct diag diag = {0};
    int err = find_format(opened->reader->source, sink->report, head);
    if (err < 0) {
        return err;
    }
    sink->format = format_find((enum list_format)sink->report->format);
    if (sink->report->format != FORMAT_UT1) {
        return 0;
    }
    err = open_archive(opened, &diag);
    return err < 0 ? report_fail(sink->report, err, "%s", diag.text) : 1;
}

static int feed(struct opened *opened, const struct span *data)
{
    struct line_sink *sink = opened->reader->sink;
    int err = 0;
    if (opened->archive && data->len) {
        err = ut1_feed(opened->archive, sink, data);
    } else if (opened->archive) {
        err = ut1_end(opened->archive);
    } else if (data->len) {
        scan_feed(sink, (const uint8_t *)data->text, data->len);
    } else {
        scan_end(sink);
    }
    return err < 0 ? report_fail(sink->report, err, "the archive is damaged") : 0;
}

/* Pull the whole source through its parser. */
static int read_pieces(struct opened *opened)
{
    struct reader *reader = opened->reader;
    struct line_sink *sink = reader->sink;
    struct diag diag = {0};
    struct span piece = {"", 1};
    while (piece.len) {
        const uint8_t *data;
        int err = unpack_next(opened->unpack, &data, &piece.len, &diag);
        if (err < 0) {
            return report_fail(sink->report, err, "%s", diag.text);
        }
        piece.text = (const char *)data;
        err = sink->format ? 0 : begin_source(opened, &piece);
        if (err > 0) {
            continue;
        }
        err = err < 0 ? err : feed(opened, &piece);
        if (err == 0 && reader->on_piece) {
            err = reader->on_piece(reader);
        }
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

int reader_run(struct reader *reader)
{
    struct source_report *report = reader->sink->report;
    struct opened opened = {.reader = reader};
    memset(report, 0, sizeof(*report));
    report->format = -1;
    int err = unpack_new(reader->source->fd, &opened.unpack);
    if (err < 0) {
        return report_fail(report, err, "%s", strerror(-err));
    }
    err = read_pieces(&opened);
    unpack_free(opened.unpack);
    ut1_close(opened.archive);
    return err;
}
