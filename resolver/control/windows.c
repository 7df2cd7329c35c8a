// SPDX-License-Identifier: Apache-2.0
/* What is in force for each group now and next; windows of time and pauses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/known.h"
#include "control/rulechange.h"
#include "policy/rules.h"
#include "policy/snapshot.h"

enum { DAY_S = 86400, YEAR_S = 366 * DAY_S, WEEK_AHEAD_S = 8 * DAY_S };
enum { CHANGES_MAX = 32 }; /* looked at for one group: the main thread waits for it */
static const int64_t time_max = 1LL << 36;

static cJSON *window_json(const struct window *window)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "kind", window_word((enum window_kind)window->kind));
    cJSON_AddStringToObject(item, "group", window->group);
    cJSON_AddStringToObject(item, "what", window->what);
    cJSON_AddStringToObject(item, "note", window->note);
    cJSON_AddNumberToObject(item, "made_at", (double)window->made_at);
    cJSON_AddNumberToObject(item, "from", (double)window->from);
    cJSON_AddNumberToObject(item, "until", (double)window->until);
    return item;
}

static void add_state(const struct snapshot *snapshot, const struct effective_group *effective,
                      cJSON *object)
{
    cJSON *blocked = cJSON_AddArrayToObject(object, "block");
    cJSON *services = cJSON_AddArrayToObject(object, "services");
    cJSON *only = cJSON_AddArrayToObject(object, "only");
    for (unsigned k = 1; k < snapshot->category_count; k++) {
        if (effective->blocked >> k & 1) {
            cJSON_AddItemToArray(blocked, cJSON_CreateString(snapshot->categories[k].id));
        }
        if (effective->only && effective->chosen >> k & 1) {
            cJSON_AddItemToArray(only, cJSON_CreateString(snapshot->categories[k].id));
        }
    }
    for (unsigned i = 0; i < snapshot->known->first[KNOWN_SERVICE + 1]; i++) {
        if (effective->services[i / 64] >> i % 64 & 1) {
            cJSON_AddItemToArray(services, cJSON_CreateString(snapshot->known->items[i].id));
        }
    }
    cJSON_AddBoolToObject(object, "paused", effective->paused);
    cJSON_AddBoolToObject(object, "only_chosen", effective->only);
}

/* Would people see any difference? */
static bool is_same(const struct effective_group *a, const struct effective_group *b)
{
    return a->blocked == b->blocked && a->only == b->only && a->paused == b->paused &&
           (!a->only || a->chosen == b->chosen) &&
           memcmp(a->services, b->services, sizeof(a->services)) == 0;
}

/* The next moment at which the group changes and how it is then; rows and windows that begin or
 * end without a difference are passed over. 0: not within a week and a day. */
static int64_t find_change(const struct snapshot *snapshot, uint16_t group,
                           struct effective_group *then)
{
    struct moment moment = snapshot->made;
    const int64_t end = moment.wall_s + WEEK_AHEAD_S;
    for (int i = 0; i < CHANGES_MAX; i++) {
        uint32_t ahead_s = (uint32_t)(end - moment.wall_s);
        moment.wall_s = policy_next_change(snapshot, group, &moment, ahead_s);
        if (!moment.wall_s) {
            return 0;
        }
        policy_effective(snapshot, &moment, then);
        if (!is_same(&snapshot->effective[group], &then[group])) {
            return moment.wall_s;
        }
    }
    return 0;
}

/* The group as it is, and as it will be at the next change. */
static int add_group(const struct snapshot *snapshot, uint16_t group, cJSON *array)
{
    struct effective_group *then = calloc(snapshot->group_count, sizeof(*then));
    if (!then) {
        return -ENOMEM;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(array, object);
    cJSON_AddStringToObject(object, "group", snapshot->config->groups[group].name);
    add_state(snapshot, &snapshot->effective[group], object);
    int64_t at = find_change(snapshot, group, then);
    cJSON_AddNumberToObject(object, "changes_at", (double)at);
    if (at) {
        add_state(snapshot, &then[group], cJSON_AddObjectToObject(object, "then"));
    }
    free(then);
    return 0;
}

int control_do_schedule(struct control_call *call)
{
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    size_t count;
    int err = 0;
    if (!snapshot) {
        return diag_set(call->diag, CONTROL_FAILED, "the daemon is still starting");
    }
    cJSON *groups = cJSON_AddArrayToObject(call->reply, "groups");
    for (size_t i = 0; i < snapshot->group_count && err == 0; i++) {
        err = add_group(snapshot, (uint16_t)i, groups);
    }
    const struct window *windows = rules_windows(snapshot->parts.rules, &count);
    cJSON *array = cJSON_AddArrayToObject(call->reply, "windows");
    for (size_t i = 0; i < count; i++) {
        cJSON_AddItemToArray(array, window_json(&windows[i]));
    }
    cJSON_AddNumberToObject(call->reply, "now", (double)clock_wall_s(call->backend->clock));
    cJSON_AddBoolToObject(call->reply, "clock_trusted", snapshot->made.trusted);
    return err < 0 ? CONTROL_FAILED : CONTROL_DONE;
}

/* Each word must be a category or a service, or "all" alone. */
static int check_what(const struct control_call *call, const struct window *window)
{
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    char words[WINDOW_WHAT_MAX];
    if (window->kind == WINDOW_PAUSE) {
        return window->what[0] ? diag_set(call->diag, CONTROL_USAGE, "a pause has no 'what'")
                               : CONTROL_DONE;
    }
    memcpy(words, window->what, sizeof(words));
    if (!words[0]) {
        return diag_set(call->diag, CONTROL_USAGE, "what: categories or services are needed");
    }
    for (char *save = NULL, *word = strtok_r(words, ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        bool known = strcmp(word, "all") == 0 || catalog_find(snapshot->catalog, word) ||
                     known_find(snapshot->known, KNOWN_SERVICE, word) >= 0;
        if (!known) {
            return diag_set(call->diag, CONTROL_USAGE,
                            "%.63s is no category and no service; see `greengate services`", word);
        }
    }
    return CONTROL_DONE;
}

static int read_kind(const struct control_call *call, struct window *window)
{
    for (int kind = 0; kind < WINDOW_KINDS; kind++) {
        if (strcmp(control_text(call, "kind"), window_word((enum window_kind)kind)) == 0) {
            window->kind = (uint8_t)kind;
            return CONTROL_DONE;
        }
    }
    return diag_set(call->diag, CONTROL_USAGE, "kind: pause, block or allow");
}

static int read_group(const struct control_call *call, struct window *window)
{
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    if (!snapshot) {
        return diag_set(call->diag, CONTROL_FAILED, "the daemon is still starting");
    }
    if (!control_copy_plain(call, "group", window->group, sizeof(window->group)) ||
        (window->group[0] && snapshot_find_group(snapshot, window->group) < 0)) {
        return diag_set(call->diag, CONTROL_USAGE, "no group is named %.63s",
                        control_text(call, "group"));
    }
    return CONTROL_DONE;
}

static int read_times(const struct control_call *call, struct window *window)
{
    int64_t now = clock_wall_s(call->backend->clock);
    int64_t longest = window->kind == WINDOW_PAUSE ? DAY_S : YEAR_S;
    window->made_at = window->from = now;
    int from = control_number(call, "from", time_max, &window->from);
    if (from == -EINVAL || control_number(call, "until", time_max, &window->until) < 0) {
        return diag_set(call->diag, CONTROL_USAGE, "from, until: seconds since 1970");
    }
    if (window->until <= now || window->until <= window->from) {
        return diag_set(call->diag, CONTROL_USAGE, "until: it is over before it begins");
    }
    if (window->until - window->from > longest) {
        return diag_set(call->diag, CONTROL_USAGE, "until: at most %s from its beginning",
                        longest == DAY_S ? "a day" : "a year");
    }
    return CONTROL_DONE;
}

static int read_window(const struct control_call *call, struct window *window)
{
    int code = read_kind(call, window);
    code = code == CONTROL_DONE ? read_group(call, window) : code;
    if (code == CONTROL_DONE &&
        (!control_copy_plain(call, "what", window->what, sizeof(window->what)) ||
         !control_copy_plain(call, "note", window->note, sizeof(window->note)))) {
        code = diag_set(call->diag, CONTROL_USAGE, "what, note: too long, or not plain text");
    }
    code = code == CONTROL_DONE ? check_what(call, window) : code;
    return code == CONTROL_DONE ? read_times(call, window) : code;
}

static void take_window(struct rule_list *rules, size_t at)
{
    rules->window_count--;
    memmove(&rules->windows[at], &rules->windows[at + 1],
            (rules->window_count - at) * sizeof(*rules->windows));
}

/* A new pause of a group takes the place of its old one. */
static void take_pauses(struct rule_list *rules, const char *group)
{
    for (size_t i = rules->window_count; i > 0; i--) {
        const struct window *window = &rules->windows[i - 1];
        if (window->kind == WINDOW_PAUSE && strcmp(window->group, group) == 0) {
            take_window(rules, i - 1);
        }
    }
}

/* What holds for all groups at that time; NULL without memory, or without a snapshot. */
static struct effective_group *effective_at(const struct control_call *call, int64_t at)
{
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    struct effective_group *groups =
        snapshot ? calloc(snapshot->group_count, sizeof(*groups)) : NULL;
    if (groups) {
        struct moment moment = snapshot->made;
        moment.wall_s = at;
        policy_effective(snapshot, &moment, groups);
    }
    return groups;
}

/* Who says something without effect is told; "" when it has one. */
static const char *find_note(const struct control_call *call, const struct window *window,
                             const struct effective_group *before,
                             const struct effective_group *after)
{
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    bool changed = false, shut = window->kind == WINDOW_ALLOW && strcmp(window->what, "all") != 0;
    for (size_t i = 0; i < snapshot->group_count; i++) {
        const char *name = snapshot->config->groups[i].name;
        if (!window->group[0] || strcmp(window->group, name) == 0) {
            changed |= !is_same(&before[i], &after[i]);
            shut &= after[i].only;
        }
    }
    if (shut) {
        return "only chosen names are open then, whatever else is allowed";
    }
    return changed ? "" : "it changes nothing when it begins: so it is already";
}

/* Put it in force, with "window" and "note" in the reply. */
static int apply_window(struct control_call *call, struct rulechange *change,
                        const struct window *window)
{
    struct effective_group *before = effective_at(call, window->from);
    int err = rulechange_apply(call, change);
    struct effective_group *after = err == 0 ? effective_at(call, window->from) : NULL;
    if (err == 0) {
        bool known = before && after && window->kind != WINDOW_PAUSE;
        cJSON_AddItemToObject(call->reply, "window", window_json(window));
        cJSON_AddStringToObject(call->reply, "note",
                                known ? find_note(call, window, before, after) : "");
    }
    free(before);
    free(after);
    return err;
}

int control_do_window(struct control_call *call)
{
    struct rulechange change;
    struct window window = {0};
    int code = read_window(call, &window);
    if (code != CONTROL_DONE) {
        return code;
    }
    int err = rulechange_begin(call, &change);
    if (err == 0) {
        if (window.kind == WINDOW_PAUSE) {
            take_pauses(&change.rules, window.group);
        }
        err = rule_list_add_window(&change.rules, &window);
        if (err == -E2BIG) {
            diag_set(call->diag, err, "there are %d already; remove some first", WINDOWS_MAX);
        }
    }
    if (err == 0) {
        err = apply_window(call, &change, &window);
    }
    rulechange_clear(&change);
    return err < 0 ? CONTROL_FAILED : CONTROL_DONE;
}

/* Take out what the request means: number `offset` of the list, or the pauses of a group
 * ("" = all). */
static size_t take_meant(const struct control_call *call, struct rule_list *rules, cJSON *gone)
{
    const char *group = control_text(call, "group");
    bool pauses = strcmp(control_text(call, "kind"), "pause") == 0;
    int64_t number, made_at = 0;
    size_t count = 0;
    if (control_number(call, "offset", WINDOWS_MAX, &number) < 0) {
        number = -1;
    }
    /* Numbers move when others end: who says when it was made means that one. */
    bool sure = control_number(call, "at", time_max, &made_at) < 0 ||
                (number >= 0 && (size_t)number < rules->window_count &&
                 rules->windows[number].made_at == made_at);
    for (size_t i = rules->window_count; i > 0; i--) {
        const struct window *window = &rules->windows[i - 1];
        bool paused = window->kind == WINDOW_PAUSE && (!*group || !strcmp(window->group, group));
        if (pauses ? paused : sure && number == (int64_t)(i - 1)) {
            cJSON_AddItemToArray(gone, window_json(window));
            take_window(rules, i - 1);
            count++;
        }
    }
    return count;
}

int control_do_close_window(struct control_call *call)
{
    struct rulechange change;
    cJSON *gone = cJSON_AddArrayToObject(call->reply, "removed");
    int err = rulechange_begin(call, &change);
    if (err == 0 && take_meant(call, &change.rules, gone) == 0) {
        bool pauses = strcmp(control_text(call, "kind"), "pause") == 0;
        err = diag_set(
            call->diag, -ENOENT,
            pauses ? "nothing is paused%s%.63s" : "it is over, or another has its number now",
            *control_text(call, "group") ? " for group " : "", control_text(call, "group"));
    }
    if (err == 0) {
        err = rulechange_apply(call, &change);
    }
    rulechange_clear(&change);
    return err < 0 ? CONTROL_FAILED : CONTROL_DONE;
}
