// SPDX-License-Identifier: Apache-2.0
/* activate: tell the daemon that other lists are in force. */
#pragma once
#include "tools/cli.h"

enum activation {
    ACTIVATION_DONE,
    ACTIVATION_NO_DAEMON, /* it will read them when it starts */
    ACTIVATION_REFUSED,   /* see *diag: the lists before stay in force there */
};

enum activation activate_lists(struct cli *cli, struct diag *diag);

/* "reloaded", "no daemon", "refused". */
const char *activation_word(enum activation activation);
