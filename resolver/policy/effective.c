// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "config/known.h"
#include "config/setting.h"
#include "policy/snapshot.h"

/* The bits of the categories that a list names. */
static uint64_t category_bits(const struct snapshot *snapshot, const struct text_list *list)
{
    uint64_t bits = 0;
    for (unsigned k = 1; k < snapshot->category_count; k++) {
        for (size_t j = 0; j < list->count; j++) {
            bool same = strcmp(list->items[j], snapshot->categories[k].id) == 0;
            bits |= same ? 1ULL << k : 0;
        }
    }
    return bits;
}

static void set_service(const struct snapshot *snapshot, const char *id,
                        uint64_t services[SERVICE_WORDS])
{
    int service = known_find(snapshot->known, KNOWN_SERVICE, id);
    if (service >= 0) {
        services[service / 64] |= 1ULL << service % 64;
    }
}

/* Of a group's single categories, of the group, of the category, of all. */
static void set_modes(const struct snapshot *snapshot, const struct config_group *group,
                      int8_t modes[SNAPSHOT_CATEGORIES_MAX])
{
    for (unsigned k = 0; k < snapshot->category_count; k++) {
        int8_t of_category = snapshot->categories[k].mode;
        modes[k] = group->mode != MODE_UNSET   ? (int8_t)group->mode
                   : of_category != MODE_UNSET ? of_category
                                               : (int8_t)snapshot->config->block.mode;
        for (size_t i = 0; i < group->modes.count; i++) {
            const char *item = group->modes.items[i];
            size_t len = strcspn(item, " ");
            const char *id = snapshot->categories[k].id;
            if (k && strncmp(item, id, len) == 0 && !id[len]) {
                modes[k] = (int8_t)setting_find_word("block_mode", item + len + 1);
            }
        }
    }
}

/* What the group is whatever the time. */
static void set_constant(const struct snapshot *snapshot, const struct config_group *group,
                         struct effective_group *effective)
{
    *effective = (struct effective_group){
        .blocked = category_bits(snapshot, &group->block),
        .chosen = category_bits(snapshot, &group->only),
        .only = group->only.count > 0,
        .preferred = category_bits(snapshot, &group->prefer),
        .safe_search = group->safe_search,
        .unsafe_blocked = group->unsafe_search == UNSAFE_BLOCK,
        .youtube = (uint8_t)group->youtube,
        .ttl_cap_s = UINT32_MAX,
    };
    for (size_t i = 0; i < group->services.count; i++) {
        set_service(snapshot, group->services.items[i], effective->services);
    }
    set_modes(snapshot, group, effective->modes);
}

/* What follows from the rest. */
static void set_derived(const struct snapshot *snapshot, struct effective_group *effective)
{
    bool services = effective->services[0] | effective->services[1];
    bool ways = snapshot->bypass && effective->blocked >> snapshot->bypass & 1;
    bool safe = effective->safe_search || effective->youtube != YOUTUBE_OFF;
    effective->filters = effective->blocked || services || safe || effective->only;
    effective->marks = services || ways || safe;
}

void policy_effective(const struct snapshot *snapshot, int64_t now,
                      struct effective_group *ret_groups)
{
    (void)now; /* schedules ask it */
    for (size_t i = 0; i < snapshot->group_count; i++) {
        set_constant(snapshot, &snapshot->config->groups[i], &ret_groups[i]);
        set_derived(snapshot, &ret_groups[i]);
    }
}
