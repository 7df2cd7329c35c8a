// SPDX-License-Identifier: Apache-2.0
/* rule: one local rule as plain data, shared by its file and its index. */
#pragma once
#include "dns/name.h"

enum { RULE_GROUP_MAX = 64, RULE_NOTE_MAX = 200 };

struct rule {
    struct dname name;
    bool allow;                 /* else block */
    bool exact;                 /* the name alone, else all below it too */
    char group[RULE_GROUP_MAX]; /* "" = every group */
    char note[RULE_NOTE_MAX];
    int64_t made_at;    /* seconds since 1970 */
    int64_t expires_at; /* 0 = never */
};
