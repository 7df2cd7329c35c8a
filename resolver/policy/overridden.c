// SPDX-License-Identifier: Apache-2.0
#include "policy/overridden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/explain.h"

static const struct explanation_listing *find_block(const struct explanation *why)
{
    for (size_t i = 0; i < why->listed_count; i++) {
        const struct explanation_listing *listing = &why->listed[i];
        if (listing->blocked_here && !listing->exception && !listing->shadow) {
            return listing;
        }
    }
    return NULL;
}

int overridden_note(const struct snapshot *snapshot, struct rule *rule)
{
    struct explanation *why = malloc(sizeof(*why));
    int own = rule->group[0] ? snapshot_find_group(snapshot, rule->group) : -1;
    size_t first = own >= 0 ? (size_t)own : 0;
    size_t end = rule->group[0] ? first + (own >= 0) : snapshot->group_count;
    rule->over_list[0] = rule->over_entry[0] = '\0';
    if (!why) {
        return -ENOMEM;
    }
    for (size_t i = first; i < end && !*rule->over_list && !*rule->pattern; i++) {
        const struct asker asker = {.group = (uint16_t)i};
        policy_explain(snapshot, &rule->name, &asker, why);
        const struct explanation_listing *listing = find_block(why);
        if (listing) {
            snprintf(rule->over_list, sizeof(rule->over_list), "%s", listing->list);
            snprintf(rule->over_entry, sizeof(rule->over_entry), "%s", listing->entry);
        }
    }
    free(why);
    return 0;
}

bool overridden_is_gone(const struct snapshot *snapshot, const struct rule *rule)
{
    struct rule now = *rule;
    return rule->allow && *rule->over_list && overridden_note(snapshot, &now) == 0 &&
           !*now.over_list;
}
