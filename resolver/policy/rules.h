// SPDX-License-Identifier: Apache-2.0
/* rules: the index of local rules, protected names and canaries inside a snapshot. */
#pragma once
#include "policy/snapshot.h"

struct rule_match {
    int32_t rule; /* -1 = none */
    uint8_t skip; /* labels taken off the name to reach it */
};

/* The rule that decides: of the group before global, the longest name wins, allow
 * wins a tie; rules by pattern come after those by name of the same scope. */
struct rule_match rules_find(const struct policy_rules *rules, const struct dname *name,
                             uint16_t group);

/* The same rules without those that are over at that time (seconds since 1970): a view that
 * free() gives back, and that must not outlive them. NULL without memory. */
struct policy_rules *rules_at(const struct policy_rules *rules, int64_t at);

/* The protected name that covers it: skip, or -1. */
int rules_protects(const struct policy_rules *rules, const struct dname *name);

/* The canary that covers it: skip, or -1. */
int rules_canary(const struct policy_rules *rules, const struct dname *name);
bool rules_canary_is_relay(const struct policy_rules *rules, const struct dname *name);

/* Is it a canary, or does any rule of any group cover it? */
bool rules_touch(const struct policy_rules *rules, const struct dname *name);

/* True when protected.yaml could not be read: only never_block and list hosts protect. */
bool rules_lack_built_in(const struct policy_rules *rules);

/* Patterns of rules that could not be used, and why. */
struct regex_report;
const struct regex_report *rules_patterns(const struct policy_rules *rules);

/* True when canaries.yaml could not be read. */
bool rules_lack_canaries(const struct policy_rules *rules);

/* Different for every index made in this process, never 0. */
uint64_t rules_serial(const struct policy_rules *rules);

const struct rule *rules_get(const struct policy_rules *rules, int32_t rule);

/* The windows of time, and how many. */
const struct window *rules_windows(const struct policy_rules *rules, size_t *ret_count);

void rules_ref(struct policy_rules *rules);
