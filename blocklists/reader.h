// SPDX-License-Identifier: Apache-2.0
/* reader: one source from its octets through its parser into a sink.
 *
 * Whoever compiles a list and whoever looks for a line of it read it alike. */
#pragma once
#include "blocklists/build.h"
#include "blocklists/scan.h"

struct reader {
    const struct build_source *source;
    struct line_sink *sink; /* match, suffixes, report, on_entry and arg are set */
    /* After each piece; a negative errno ends the reading. NULL: never. */
    int (*on_piece)(struct reader *reader);
    void *arg;
};

/* Faults of the source go to sink->report, and are returned; so is what on_piece said. */
__attribute__((warn_unused_result)) int reader_run(struct reader *reader);
