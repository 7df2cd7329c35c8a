// SPDX-License-Identifier: Apache-2.0
#include "policy/overridden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/explain.h"

/* Does the rule's group, or any when it is for all, block the category? */
static bool blocks(const struct snapshot *snapshot, const char *group, const char *category)
{
    uint64_t blocked = 0;
    for (size_t i = 0; i < snapshot->group_count; i++) {
        bool meant = !*group || strcmp(snapshot->config->groups[i].name, group) == 0;
        blocked |= meant ? snapshot->effective[i].blocked : 0;
    }
    for (unsigned k = 1; k < snapshot->category_count; k++) {
        if (strcmp(snapshot->categories[k].id, category) == 0) {
            return blocked >> k & 1;
        }
    }
    return false;
}

int overridden_note(const struct snapshot *snapshot, struct rule *rule)
{
    struct explanation *why = malloc(sizeof(*why));
    const struct asker asker = {.group = 0}; /* what lists say is the same for all */
    rule->over_list[0] = rule->over_entry[0] = '\0';
    if (!why) {
        return -ENOMEM;
    }
    why->listed_count = 0;
    if (!*rule->pattern) {
        policy_explain(snapshot, &rule->name, &asker, why);
    }
    for (size_t i = 0; i < why->listed_count && !*rule->over_list; i++) {
        const struct explanation_listing *listing = &why->listed[i];
        if (!listing->exception && !listing->shadow &&
            blocks(snapshot, rule->group, listing->category)) {
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
