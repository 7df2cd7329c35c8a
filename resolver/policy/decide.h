// SPDX-License-Identifier: Apache-2.0
/* decide: the one pure judgement over a name.
 *
 * The daemon, `greengate check`, the warning page and the tests call the same
 * functions; nothing here reads a clock, a file or the network, or allocates. */
#pragma once
#include "blocklists/blockdb.h"
#include "config/config.h"

struct snapshot;

enum { SNAPSHOT_CATEGORIES_MAX = 64 }; /* index 0 is "none" */

#define REASON(name, word, ede, text) REASON_##name,
enum reason {
#include "policy/verdict.def"
    REASON_COUNT,
};
#undef REASON

struct verdict {
    bool blocked;
    uint8_t reason;    /* enum reason */
    int8_t mode;       /* enum block_mode, when blocked */
    uint8_t category;  /* index into the snapshot's categories, 0 = none */
    uint8_t action;    /* enum blockdb_action of what decided */
    uint16_t source;   /* of the database, when class_id or pattern is set */
    uint16_t class_id; /* the class that decided, 0 = none */
    uint8_t skip;      /* labels taken off the name to reach the entry or rule; of an
                          address: the bits that its entry leaves open */
    int32_t rule;      /* index into the snapshot's rules, -1 = none */
    uint16_t pattern;  /* index + 1 of the pattern that decided, 0 = none */
    uint16_t mark;     /* index + 1 of the item in snapshot->known that decided, 0 = none */
    bool overrode;     /* an allow rule or protection took back a block by a list */
    uint32_t data;     /* of BLOCKDB_LOCAL, for blockdb_data() */
    uint16_t country;  /* of an address, when REASON_PLACE decided, see policy/geo.h */
    uint32_t network;
    bool shadowed; /* not blocked, but a source that only counts would have */
    uint8_t shadow_category;
    uint16_t shadow_source;
};

enum { SERVICE_WORDS = 2 }; /* of 64 services each */

/* What is in force for one group at one time; made by policy_effective(). */
struct effective_group {
    uint64_t blocked;                 /* bit i: category i is blocked, */
    uint64_t scheduled;               /* and of these, by a schedule alone */
    uint64_t services[SERVICE_WORDS]; /* the same of services */
    uint64_t service_times[SERVICE_WORDS];
    uint64_t chosen;    /* while `only`: nothing but names of these categories */
    uint64_t preferred; /* categories that outrank mixed ones */
    bool paused, only, only_scheduled;
    bool filters; /* blocks anything at all */
    bool marks;   /* has a use for snapshot->marks */
    bool look_alikes;
    bool strip_ech;
    bool safe_search; /* and engines without a safe mode are blocked: */
    bool unsafe_blocked;
    uint8_t youtube;                       /* enum youtube_level */
    int8_t modes[SNAPSHOT_CATEGORIES_MAX]; /* enum block_mode of each category */
    int64_t change_at;    /* the next change, seconds since 1970; 0 = none in a day */
    uint32_t change_mono; /* the same on the monotonic clock, in seconds */
};

/* When something is judged. A clock that is not trusted cannot tell what a schedule says:
 * then all that it ever blocks is blocked, and nothing is allowed or paused. */
struct moment {
    int64_t wall_s; /* seconds since 1970 */
    uint64_t mono_s;
    bool trusted;
};

/* Answers must not outlive the next change. */
static inline uint32_t effective_ttl(const struct effective_group *effective, uint32_t ttl,
                                     uint32_t mono_s)
{
    if (!effective->change_mono) {
        return ttl;
    }
    uint32_t left = effective->change_mono > mono_s ? effective->change_mono - mono_s : 0;
    return ttl > left ? left : ttl;
}

/* Fill ret_groups[0..group_count) for that moment; change_at is left 0. */
void policy_effective(const struct snapshot *snapshot, const struct moment *moment,
                      struct effective_group *ret_groups);

/* The next moment at which policy_effective() gives something else for that group, within
 * horizon_s; 0 = none. */
int64_t policy_next_change(const struct snapshot *snapshot, uint16_t group,
                           const struct moment *moment, uint32_t horizon_s);

/* Set change_at and change_mono of all groups. */
void policy_set_changes(const struct snapshot *snapshot, const struct moment *moment,
                        struct effective_group *groups);

/* What is judged: a name for a group. */
struct subject {
    const struct dname *name;
    const struct blockdb_probe *probe; /* snapshot_probe() of the same snapshot and name */
    uint16_t group;                    /* index into config->groups */
};

void policy_decide(const struct snapshot *snapshot, const struct subject *subject,
                   struct verdict *ret_verdict);

/* Judge an address that an answer about subject->name holds: by the lists alone, what
 * excepts the name excepts its addresses; and an internal one (rebinding). Without a name
 * the address is judged alone. */
void policy_decide_address(const struct snapshot *snapshot, const struct subject *subject,
                           const struct addr *addr, struct verdict *ret_verdict);

/* How a blocked verdict is answered, enum block_mode. */
int8_t verdict_mode(const struct snapshot *snapshot, const struct verdict *verdict, uint16_t group);

/* Is it blocked by what people chose from (lists, services, times) and not by a rule? */
bool verdict_is_listed(const struct verdict *verdict);

/* The enforced name that the question is sent to, NULL without REASON_SAFE_SEARCH. */
const struct dname *verdict_target(const struct snapshot *snapshot, const struct verdict *verdict,
                                   uint16_t group);

/* "list", "block-rule" ...; the plain text; the extended error or -1. */
const char *reason_word(enum reason reason);
const char *reason_text(enum reason reason);
int reason_ede(enum reason reason);

enum { REF_MAX = 9 };

/* The reference code of a verdict over a name: 8 characters that name class and
 * entry, and nothing about who asked. */
void verdict_ref(const struct verdict *verdict, const struct dname *name, char out[REF_MAX]);

/* What can be read from a code: the class or pattern that decided, 0 for something that is no
 * list; and a hash of the entry. */
struct ref {
    unsigned which;
    uint32_t hash;
};

/* In any case of letters, with those that look alike taken for each other. -EINVAL. */
__attribute__((warn_unused_result)) int ref_parse(const char *text, struct ref *ret_ref);

/* Could the entry with this name have decided? One of 16 million others fits, too. */
bool ref_fits(const struct ref *ref, const struct dname *name);
