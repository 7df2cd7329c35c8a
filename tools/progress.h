// SPDX-License-Identifier: Apache-2.0
/* progress: what an update says while it runs, always on cli->err.
 *
 * On a terminal one line that is written over; elsewhere a line for each source as it
 * ends; with --json an object for each step. */
#pragma once
#include "blocklists/sync.h"
#include "tools/cli.h"

struct progress {
    struct cli *cli;
    bool shown; /* there is a line to take away */
    uint64_t told_us;
    char phase[32];
};

/* Make the options tell it. */
void progress_begin(struct progress *progress, struct cli *cli, struct sync_options *options);
void progress_end(const struct progress *progress);
