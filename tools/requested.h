// SPDX-License-Identifier: Apache-2.0
/* requested: what the dashboard asked for, in state_dir/update.request.
 *
 * The request is taken away first, so that a path unit does not start us again; how it goes is
 * written to state_dir/update.status, for the daemon to tell. */
#pragma once
#include "tools/cli.h"

/* Answer the request, if there is one. */
int requested_run(struct cli *cli);
