// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "config/keyed.h"
#include "config/known.h"
#include "config/schedule.h"
#include "config/setting.h"
#include "policy/rules.h"
#include "policy/snapshot.h"

/* How far ahead changes are looked for: longer than a TTL can be while a day goes by. */
enum { CHANGES_AHEAD_S = 36 * 3600 };

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
    memset(effective, 0, sizeof(*effective));
    effective->blocked = category_bits(snapshot, &group->block);
    effective->chosen = category_bits(snapshot, &group->only);
    effective->only = group->only.count > 0;
    effective->preferred = category_bits(snapshot, &group->prefer);
    effective->look_alikes = group->look_alikes;
    effective->strip_ech = group->strip_ech;
    effective->safe_search = group->safe_search;
    effective->unsafe_blocked = group->unsafe_search == UNSAFE_BLOCK;
    effective->youtube = (uint8_t)group->youtube;
    for (size_t i = 0; i < group->services.count; i++) {
        set_service(snapshot, group->services.items[i], effective->services);
    }
    set_modes(snapshot, group, effective->modes);
}

/* Switch on or off what words name: categories, services, "all". */
struct change {
    const struct snapshot *snapshot;
    struct effective_group *effective;
};

static unsigned find_category(const struct snapshot *snapshot, const char *id)
{
    for (unsigned k = 1; k < snapshot->category_count; k++) {
        if (strcmp(snapshot->categories[k].id, id) == 0) {
            return k;
        }
    }
    return 0;
}

static void block_category(const struct change *change, unsigned category)
{
    uint64_t bit = 1ULL << category;
    struct effective_group *effective = change->effective;
    effective->scheduled |= effective->blocked & bit ? 0 : bit;
    effective->blocked |= bit;
}

static void block_service(const struct change *change, unsigned service)
{
    uint64_t bit = 1ULL << service % 64;
    struct effective_group *effective = change->effective;
    effective->service_times[service / 64] |= effective->services[service / 64] & bit ? 0 : bit;
    effective->services[service / 64] |= bit;
}

/* Only what is spared, and what was chosen already, stays open. */
static void block_all(const struct change *change, uint64_t spared)
{
    struct effective_group *effective = change->effective;
    effective->only_scheduled |= !effective->only;
    effective->chosen = effective->only ? effective->chosen & spared : spared;
    effective->only = true;
}

static void apply_word(const struct change *change, const char *word, bool block)
{
    struct effective_group *effective = change->effective;
    unsigned category = find_category(change->snapshot, word);
    int service = known_find(change->snapshot->known, KNOWN_SERVICE, word);
    if (block && strcmp(word, "all") == 0) {
        block_all(change, 0);
    } else if (block && category) {
        block_category(change, category);
    } else if (block && service >= 0) {
        block_service(change, (unsigned)service);
    } else if (!block && strcmp(word, "all") == 0) {
        effective->only = false;
        effective->blocked = 0;
        memset(effective->services, 0, sizeof(effective->services));
    } else if (!block) {
        effective->blocked &= category ? ~(1ULL << category) : ~0ULL;
        if (service >= 0) {
            effective->services[service / 64] &= ~(1ULL << service % 64);
        }
    }
}

static void apply_words(const struct change *change, const char *words, bool block)
{
    char text[KEYED_MAX];
    snprintf(text, sizeof(text), "%s", words);
    for (char *save = NULL, *word = strtok_r(text, ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        apply_word(change, word, block);
    }
}

static uint64_t spared_bits(const struct snapshot *snapshot, const char *row)
{
    char text[KEYED_MAX];
    uint64_t bits = 0;
    keyed_get(row, "except", text, sizeof(text));
    for (char *save = NULL, *word = strtok_r(text, ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        unsigned category = find_category(snapshot, word);
        bits |= category ? 1ULL << category : 0;
    }
    return bits;
}

static void apply_row(const struct change *change, const char *row, bool allowing)
{
    char words[KEYED_MAX];
    if (allowing) {
        keyed_get(row, "allow", words, sizeof(words));
        apply_words(change, words, false);
        return;
    }
    keyed_get(row, "block", words, sizeof(words));
    if (strcmp(words, "all") == 0) {
        block_all(change, spared_bits(change->snapshot, row));
    } else {
        apply_words(change, words, true);
    }
    keyed_get(row, "services", words, sizeof(words));
    apply_words(change, words, true);
}

/* What a schedule allows takes back what it blocks at the same time. */
static void apply_schedule(const struct change *change, uint16_t group,
                           const struct schedule_moment *now)
{
    const struct text_list *rows = &change->snapshot->config->groups[group].schedule;
    const struct schedule_row *table = change->snapshot->timetables[group].rows;
    for (int allowing = 0; allowing <= (now != NULL); allowing++) {
        for (size_t i = 0; i < rows->count; i++) {
            if (!now || schedule_covers(&table[i], now)) {
                apply_row(change, rows->items[i], allowing);
            }
        }
    }
}

static bool window_is_of(const struct window *window, const char *group)
{
    return !window->group[0] || strcmp(window->group, group) == 0;
}

/* What was said for once outranks the schedule; of two that contradict each other the newer
 * counts, which stands behind the older. A pause outranks all. */
static void apply_windows(const struct change *change, const char *group, int64_t now)
{
    size_t count;
    const struct window *windows = rules_windows(change->snapshot->parts.rules, &count);
    for (size_t i = 0; i < count; i++) {
        const struct window *window = &windows[i];
        if (!window_is_of(window, group) || now < window->from || now >= window->until) {
            continue;
        }
        if (window->kind == WINDOW_PAUSE) {
            change->effective->paused = true;
        } else {
            apply_words(change, window->what, window->kind == WINDOW_BLOCK);
        }
    }
}

/* Without a clock: every block, no allowance, no pause. */
static void apply_all_blocks(const struct change *change, const char *group)
{
    size_t count;
    const struct window *windows = rules_windows(change->snapshot->parts.rules, &count);
    for (size_t i = 0; i < count; i++) {
        if (windows[i].kind == WINDOW_BLOCK && window_is_of(&windows[i], group)) {
            apply_words(change, windows[i].what, true);
        }
    }
}

/* What follows from the rest. */
static void set_derived(const struct snapshot *snapshot, struct effective_group *effective)
{
    bool services = effective->services[0] | effective->services[1];
    bool ways = snapshot->bypass && effective->blocked >> snapshot->bypass & 1;
    bool safe = effective->safe_search || effective->youtube != YOUTUBE_OFF;
    effective->filters = effective->blocked || services || safe || effective->only;
    effective->marks = services || ways || safe;
    effective->strip_ech &= effective->filters && !effective->paused;
}

void policy_effective(const struct snapshot *snapshot, const struct moment *moment,
                      struct effective_group *ret_groups)
{
    struct schedule_moment now;
    schedule_moment_of(moment->wall_s, &now);
    for (size_t i = 0; i < snapshot->group_count; i++) {
        const struct config_group *group = &snapshot->config->groups[i];
        const struct change change = {snapshot, &ret_groups[i]};
        set_constant(snapshot, group, &ret_groups[i]);
        apply_schedule(&change, (uint16_t)i, moment->trusted ? &now : NULL);
        if (moment->trusted) {
            apply_windows(&change, group->name, moment->wall_s);
        } else {
            apply_all_blocks(&change, group->name);
        }
        set_derived(snapshot, &ret_groups[i]);
    }
}

/* Which rows are in force, as one number. */
static uint64_t rows_in_force(const struct snapshot *snapshot, uint16_t group, int64_t at)
{
    struct schedule_moment now;
    uint64_t sum = 0;
    size_t count = snapshot->config->groups[group].schedule.count;
    schedule_moment_of(at, &now);
    for (size_t i = 0; i < count; i++) {
        bool covers = schedule_covers(&snapshot->timetables[group].rows[i], &now);
        sum = sum * 0x9e3779b97f4a7c15ULL + covers + 1;
    }
    return sum;
}

/* The next moment at which a window of the group begins or ends, or `most`. */
static int64_t next_window(const struct snapshot *snapshot, const char *group, int64_t now,
                           int64_t most)
{
    size_t count;
    const struct window *windows = rules_windows(snapshot->parts.rules, &count);
    for (size_t i = 0; i < count; i++) {
        int64_t next = windows[i].from > now ? windows[i].from : windows[i].until;
        bool earlier = next > now && next < most;
        most = window_is_of(&windows[i], group) && earlier ? next : most;
    }
    return most;
}

/* Rows change with the minute: all offsets from UTC are whole minutes. */
int64_t policy_next_change(const struct snapshot *snapshot, uint16_t group,
                           const struct moment *moment, uint32_t horizon_s)
{
    const struct config_group *settings = &snapshot->config->groups[group];
    int64_t now = moment->wall_s, end = now + horizon_s;
    if (!moment->trusted) {
        return 0;
    }
    int64_t next = next_window(snapshot, settings->name, now, end);
    if (settings->schedule.count) {
        uint64_t first = rows_in_force(snapshot, group, now);
        int64_t at = now - now % 60 + 60;
        while (at < next && rows_in_force(snapshot, group, at) == first) {
            at += 60;
        }
        next = at < next ? at : next;
    }
    return next < end ? next : 0;
}

void policy_set_changes(const struct snapshot *snapshot, const struct moment *moment,
                        struct effective_group *groups)
{
    for (size_t i = 0; i < snapshot->group_count; i++) {
        int64_t next = policy_next_change(snapshot, (uint16_t)i, moment, CHANGES_AHEAD_S);
        groups[i].change_at = next;
        groups[i].change_mono =
            next ? (uint32_t)(moment->mono_s + (uint64_t)(next - moment->wall_s)) : 0;
    }
}
