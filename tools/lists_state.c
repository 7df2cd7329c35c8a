// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "base/clock.h"
#include "tools/lists.h"

void lists_print_state(struct cli *cli, const struct source_meta *meta)
{
    char at[WHEN_TEXT_MAX];
    if (meta->failures > 0) {
        fprintf(cli->out, "%-12s %s, after %" PRId64 " failure%s\n", "next try",
                when_stamp(meta->retry_at, at), meta->failures,
                cli_plural((uint64_t)meta->failures));
    }
    if (!meta->signed_by[0]) {
        return;
    }
    fprintf(cli->out, "%-12s by %s", "signed", meta->signed_by);
    if (meta->serial > 0) {
        fprintf(cli->out, ", serial %" PRId64, meta->serial);
    }
    if (meta->expires > 0) {
        bool over = meta->expires <= clock_wall_s(&clock_system);
        fprintf(cli->out, ", %s at %s%s", over ? "expired" : "expires",
                when_stamp(meta->expires, at), over ? "; it stays in force" : "");
    }
    fputc('\n', cli->out);
}
