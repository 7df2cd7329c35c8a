// SPDX-License-Identifier: Apache-2.0
/* explain: a verdict and its whole why, in words, for people.
 *
 * Used by `greengate check` with and without the daemon and by the warning page. */
#pragma once
#include "policy/snapshot.h"

enum { EXPLAIN_LISTED_MAX = 16 };

/* One list that names the name, a parent of it or an address, or whose pattern fits. */
struct explanation_listing {
    char list[64];
    char category[64];
    char entry[DNAME_TEXT_MAX]; /* the listed name, prefix or /pattern/ */
    char version[64];
    const char *covers; /* "name", "below", "name and below", "address", "pattern" */
    const char *action; /* what the entry asks for: "block", "drop" ...; "" of an exception */
    bool exception;
    bool blocked_here; /* its category is blocked for this group */
    bool shadow;       /* its list only counts */
};

struct explanation {
    char name[DNAME_TEXT_MAX];
    char alias[DNAME_TEXT_MAX];  /* the name behind a CNAME that is judged, "" = the name */
    char address[ADDR_TEXT_MAX]; /* the address that is judged, "" = the name */
    char client[ADDR_TEXT_MAX];  /* "" when none was given */
    char group[64];
    bool blocked;
    const char *reason;      /* word of verdict.def */
    const char *reason_text; /* its plain text */
    const char *mode;        /* "page" ..., "" when not blocked */
    const char *action;      /* of the entry that decided: "block", "nxdomain", "nodata",
                                "drop", "tcp-only", "local"; "" when not blocked */
    int ede;                 /* extended error, -1 = none */
    char category[64];       /* "" = none */
    char list[64], list_version[64], list_url[512];
    char entry[DNAME_TEXT_MAX];      /* the entry, rule or protected name that decided */
    char rule[DNAME_TEXT_MAX + 192]; /* the local rule in words, "" = none */
    char rule_group[64];             /* the rule's group, "" = every group */
    char known[64];                  /* the item of the data files that decided, "" = none */
    char known_file[64], known_source[400], known_date[32];
    int64_t until;    /* the end of the rule that decided, or the group's next change when the
                         time decided; 0 = none is near */
    int64_t opens_at; /* the same, when a blocked name is open then; else 0 */
    char target[DNAME_TEXT_MAX]; /* of a search engine: the name that answers instead */
    char place[24];              /* of an address: "KR AS4766" as far as known */
    char shadow_list[64], shadow_category[64]; /* would block but only counts, "" = none */
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

/* What an answer about a name leads to and is judged like it. */
struct lead {
    struct dname target;
    struct addr addr; /* family 0: the target decides */
};

void policy_explain(const struct snapshot *snapshot, const struct dname *name,
                    const struct asker *asker, struct explanation *ret_why);

/* Country and network of an address, with geo.database; family 0: nothing is known. */
void policy_explain_place(const struct snapshot *snapshot, const struct addr *addr,
                          struct explanation *why);

/* The same of an address, alone or held by the answer about a name. */
struct held_address {
    const struct addr *addr;
    const struct dname *name; /* or NULL */
};
void policy_explain_address(const struct snapshot *snapshot, const struct held_address *held,
                            const struct asker *asker, struct explanation *ret_why);
