// SPDX-License-Identifier: Apache-2.0
/* rule: one local rule, and one window of time, as plain data, shared by their file and
 * their index. */
#pragma once
#include "dns/name.h"

enum { RULE_GROUP_MAX = 64, RULE_NOTE_MAX = 200, RULE_PATTERN_MAX = 200, RULE_PATTERNS_MAX = 200 };

struct rule {
    struct dname name;              /* the root when pattern is set */
    char pattern[RULE_PATTERN_MAX]; /* a regular expression over names, "" = by name */
    bool allow;                     /* else block */
    bool exact;                     /* the name alone, else all below it too */
    char group[RULE_GROUP_MAX];     /* "" = every group */
    char note[RULE_NOTE_MAX];
    char over_list[64]; /* of an allow rule: the list whose block it took back when it */
    char over_entry[DNAME_TEXT_MAX]; /* was made, and the entry; "" = none */
    int64_t made_at;                 /* seconds since 1970 */
    int64_t expires_at;              /* 0 = never */
};

enum window_kind { WINDOW_PAUSE, WINDOW_BLOCK, WINDOW_ALLOW, WINDOW_KINDS };
enum { WINDOW_WHAT_MAX = 256, WINDOWS_MAX = 500 };

/* Something that is so from one moment to another, and then over. */
struct window {
    uint8_t kind;               /* enum window_kind */
    char group[RULE_GROUP_MAX]; /* "" = every group */
    char what[WINDOW_WHAT_MAX]; /* categories and services, "games,tiktok"; "all"; "" of a pause */
    char note[RULE_NOTE_MAX];
    int64_t made_at; /* seconds since 1970 */
    int64_t from, until;
};

/* "pause", "block", "allow" */
const char *window_word(enum window_kind kind);
