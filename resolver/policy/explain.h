// SPDX-License-Identifier: Apache-2.0
/* explain: a verdict and its whole why, in words, for people.
 *
 * Used by `greengate check` with and without the daemon and by the warning page. */
#pragma once
#include "policy/snapshot.h"

enum { EXPLAIN_LISTED_MAX = 16 };

/* One list that names the name or a parent of it. */
struct explanation_listing {
    char list[64];
    char category[64];
    char entry[DNAME_TEXT_MAX]; /* the listed name */
    char version[64];
    const char *covers; /* "name", "below", "name and below" */
    bool exception;
    bool blocked_here; /* its category is blocked for this group */
};

struct explanation {
    char name[DNAME_TEXT_MAX];
    char alias[DNAME_TEXT_MAX]; /* the name behind a CNAME that is judged, "" = the name */
    char client[ADDR_TEXT_MAX]; /* "" when none was given */
    char group[64];
    bool blocked;
    const char *reason;      /* word of verdict.def */
    const char *reason_text; /* its plain text */
    const char *mode;        /* "page" ..., "" when not blocked */
    int ede;                 /* extended error, -1 = none */
    char category[64];       /* "" = none */
    char list[64], list_version[64], list_url[512];
    char entry[DNAME_TEXT_MAX];     /* the entry, rule or protected name that decided */
    char rule[DNAME_TEXT_MAX + 96]; /* the local rule in words, "" = none */
    char rule_group[64];            /* the rule's group, "" = every group */
    char ref[REF_MAX];
    struct explanation_listing listed[EXPLAIN_LISTED_MAX];
    size_t listed_count;
};

/* Whose question it is: the client's group is looked up; without a client the group
 * with that index is taken. */
struct asker {
    const struct addr *client; /* or NULL */
    uint16_t group;
};

void policy_explain(const struct snapshot *snapshot, const struct dname *name,
                    const struct asker *asker, struct explanation *ret_why);
