// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "tools/lists.h"

static void print_time(struct cli *cli, int64_t at)
{
    char text[64] = "";
    struct tm tm;
    time_t when = (time_t)at;
    if (localtime_r(&when, &tm)) {
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
    }
    fprintf(cli->out, "%s", text);
}

void lists_print_state(struct cli *cli, const struct source_meta *meta)
{
    if (meta->failures > 0) {
        fprintf(cli->out, "%-12s ", "next try");
        print_time(cli, meta->retry_at);
        fprintf(cli->out, ", after %" PRId64 " failure%s\n", meta->failures,
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
        fprintf(cli->out, ", %s", over ? "expired at " : "expires at ");
        print_time(cli, meta->expires);
        fprintf(cli->out, "%s", over ? "; it stays in force" : "");
    }
    fputc('\n', cli->out);
}
