// SPDX-License-Identifier: Apache-2.0
/* Elsewhere an exception wins over every block, whatever is longer; here the rule of a group
 * does, then a name, then the longest one. Rules that would win only here are left out, and
 * those that would lose only here are said once more for the group. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/regex.h"
#include "tools/moving.h"
#include "tools/moving_write.h"

enum { POLICIES_MAX = 1024, WORDS = POLICIES_MAX / 64 };

/* A set of policies, by their place in the file. */
struct places {
    uint64_t words[WORDS];
};

struct line {
    cJSON *json;
    const char *name, *pattern; /* one of them is "" */
    bool allow, exact, weak;
    bool global; /* for every policy: the daemon asks it after those of a group */
    int rank;    /* who wins elsewhere */
    struct places meant, lost, also;
    const struct line *winner; /* the first to which it is lost */
};

struct ranking {
    const cJSON *policies;
    size_t policy_count;
    struct line *lines;
    size_t count;
    struct line **sorted; /* those for names */
    size_t name_count;
};

static void *make(size_t count, size_t size)
{
    void *made = calloc(count + 1, size);
    if (!made) {
        abort(); /* in a child of its own: its end is told */
    }
    return made;
}

static bool is_set(const cJSON *json, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static struct line read_line(const struct ranking *ranking, cJSON *json)
{
    struct line line = {.json = json,
                        .name = moving_text(json, "name"),
                        .pattern = moving_text(json, "pattern"),
                        .allow = strcmp(moving_text(json, "action"), "allow") == 0,
                        .exact = is_set(json, "exact"),
                        .global = true};
    const cJSON *policy;
    size_t at = 0;
    line.rank = line.allow + (is_set(json, "important") ? 2 : 0);
    cJSON_ArrayForEach(policy, ranking->policies)
    {
        if (moving_is_meant(json, policy)) {
            line.meant.words[at / 64] |= 1ULL << at % 64;
        } else {
            line.global = false;
        }
        at++;
    }
    return line;
}

static int by_name(const void *a, const void *b)
{
    const struct line *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void read_rules(struct ranking *ranking, const cJSON *rules)
{
    cJSON *json;
    size_t count = (size_t)cJSON_GetArraySize(rules);
    ranking->lines = make(count, sizeof(*ranking->lines));
    ranking->sorted = make(count, sizeof(struct line *));
    cJSON_ArrayForEach(json, rules)
    {
        struct line *line = &ranking->lines[ranking->count++];
        *line = read_line(ranking, json);
        if (*line->name) {
            ranking->sorted[ranking->name_count++] = line;
        }
    }
    qsort(ranking->sorted, ranking->name_count, sizeof(struct line *), by_name);
}

/* Where both are decided upon in one place, or the loser's is asked first. */
static bool clash(const struct line *winner, const struct line *loser, struct places *ret_where)
{
    uint64_t any = 0;
    for (size_t i = 0; i < WORDS; i++) {
        ret_where->words[i] = winner->meant.words[i] & loser->meant.words[i];
        any |= ret_where->words[i];
    }
    return any && (winner->global || !loser->global);
}

static void lose(struct line *loser, const struct line *winner)
{
    struct places where;
    if (!clash(winner, loser, &where)) {
        return;
    }
    for (size_t i = 0; i < WORDS; i++) {
        loser->lost.words[i] |= where.words[i];
    }
    loser->winner = loser->winner ? loser->winner : winner;
}

/* What is for all is asked after what is for a group: it must be for that group too. */
static void repeat(struct line *winner, const struct line *loser)
{
    for (size_t i = 0; winner->global && !loser->global && i < WORDS; i++) {
        winner->also.words[i] |= loser->meant.words[i] & ~loser->lost.words[i];
    }
}

/* `upper` is for the same name as `lower`, or for one above it. */
static void compare_names(struct line *upper, struct line *lower, bool losing)
{
    bool same = strcmp(upper->name, lower->name) == 0;
    bool covers = !upper->exact || (same && lower->exact);
    if (upper->allow == lower->allow || !covers) {
        return;
    }
    if (losing && upper->rank > lower->rank) {
        lose(lower, upper);
    } else if (!losing && upper->rank < lower->rank) {
        repeat(lower, upper);
    }
}

static size_t find_first(const struct ranking *ranking, const char *name)
{
    size_t low = 0, high = ranking->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(ranking->sorted[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void rank_names(struct ranking *ranking, bool losing)
{
    for (size_t i = 0; i < ranking->name_count; i++) {
        struct line *lower = ranking->sorted[i];
        for (const char *name = lower->name; name && *name;) {
            size_t at = find_first(ranking, name);
            for (; at < ranking->name_count && strcmp(ranking->sorted[at]->name, name) == 0; at++) {
                compare_names(ranking->sorted[at], lower, losing);
            }
            const char *dot = strchr(name, '.');
            name = dot ? dot + 1 : NULL;
        }
    }
}

static bool fits(const struct regex_set *set, const struct line *line)
{
    struct dname name;
    struct regex_name text;
    return dname_parse(line->name, &name) == 0 && regex_prepare(set, &name, &text) &&
           regex_matches(set, 0, &text);
}

/* A name goes before an expression, and nobody can say which names below it fit. */
static void compare_pattern(struct line *pattern, const struct regex_set *set, struct line *other)
{
    struct places where;
    if (pattern->allow == other->allow || pattern->rank == other->rank) {
        return;
    }
    if (pattern->rank < other->rank) {
        if (*other->name && (!other->exact || fits(set, other))) {
            repeat(other, pattern);
        }
    } else if (*other->pattern) {
        repeat(pattern, other);
    } else if (other->exact && fits(set, other)) {
        lose(other, pattern);
    } else if (!other->exact) {
        pattern->weak |= clash(pattern, other, &where);
    }
}

static void rank_patterns(struct ranking *ranking)
{
    for (size_t i = 0; i < ranking->count; i++) {
        struct line *line = &ranking->lines[i];
        struct regex_set *set = NULL;
        struct regex_report report = {0};
        if (!*line->pattern || regex_set_from(&line->pattern, 1, &set, &report) < 0) {
            continue;
        }
        for (size_t other = 0; set && !report.left_out && other < ranking->count; other++) {
            compare_pattern(line, set, &ranking->lines[other]);
        }
        regex_set_free(set);
    }
}

static void tell_places(cJSON *json, const char *key, const struct places *places)
{
    cJSON *list = cJSON_CreateArray();
    for (unsigned at = 0; at < POLICIES_MAX; at++) {
        if (places->words[at / 64] >> at % 64 & 1) {
            cJSON_AddItemToArray(list, cJSON_CreateNumber(at));
        }
    }
    if (list->child) {
        cJSON_AddItemToObject(json, key, list);
    } else {
        cJSON_Delete(list);
    }
}

static void tell_line(const struct line *line)
{
    char text[MOVING_TEXT_MAX];
    if (line->winner && memcmp(&line->lost, &line->meant, sizeof(line->lost)) == 0) {
        cJSON_AddTrueToObject(line->json, "lost");
    } else {
        tell_places(line->json, "lost", &line->lost);
    }
    tell_places(line->json, "also", &line->also);
    if (line->winner) {
        const struct line *winner = line->winner;
        snprintf(text, sizeof(text), "the %s %.255s wins over it, as it did there",
                 winner->allow ? "exception" : "important block",
                 *winner->pattern ? winner->pattern : winner->name);
        cJSON_AddStringToObject(line->json, "lost_to", text);
    }
    if (line->weak) {
        cJSON_AddTrueToObject(line->json, "weak");
    }
}

void moving_rank_rules(struct moving *moving)
{
    struct ranking ranking = {.policies =
                                  cJSON_GetObjectItemCaseSensitive(moving->root, "policies")};
    ranking.policy_count = (size_t)cJSON_GetArraySize(ranking.policies);
    if (ranking.policy_count > POLICIES_MAX) {
        return; /* more groups than a configuration may have: it is refused anyway */
    }
    read_rules(&ranking, cJSON_GetObjectItemCaseSensitive(moving->root, "rules"));
    rank_names(&ranking, true);
    rank_patterns(&ranking);
    rank_names(&ranking, false);
    for (size_t i = 0; i < ranking.count; i++) {
        tell_line(&ranking.lines[i]);
    }
    free(ranking.lines);
    free(ranking.sorted);
}
