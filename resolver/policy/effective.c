// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "policy/snapshot.h"

void policy_effective(const struct snapshot *snapshot, int64_t now,
                      struct effective_group *ret_groups)
{
    (void)now; /* schedules ask it */
    for (size_t i = 0; i < snapshot->group_count; i++) {
        const struct config_group *group = &snapshot->config->groups[i];
        struct effective_group *effective = &ret_groups[i];
        *effective = (struct effective_group){.mode = (int8_t)group->mode, .ttl_cap_s = UINT32_MAX};
        for (unsigned k = 1; k < snapshot->category_count; k++) {
            for (size_t j = 0; j < group->block.count; j++) {
                bool same = strcmp(group->block.items[j], snapshot->categories[k].id) == 0;
                effective->blocked |= same ? 1ULL << k : 0;
            }
        }
    }
}
