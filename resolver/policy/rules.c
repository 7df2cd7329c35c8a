// SPDX-License-Identifier: Apache-2.0
#include "policy/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "base/hash.h"
#include "config/protected.h"
#include "policy/regex.h"

enum { GROUP_GLOBAL = -1, GROUP_UNKNOWN = -2, SUFFIX_SEED = 0x67726565 };
enum { ROW_PROTECTED = -1, ROW_CANARY = -2 };

/* One row of the index: a rule, a protected name, or a canary. */
struct row {
    uint8_t len;
    bool exact;
    bool allow;
    bool relay;    /* of a canary */
    int16_t group; /* index, GROUP_GLOBAL, or GROUP_UNKNOWN: never matches */
    int32_t rule;  /* index, ROW_PROTECTED or ROW_CANARY */
    uint32_t next; /* row + 1 in the same bucket, 0 ends */
    uint8_t wire[DNAME_WIRE_MAX];
};

struct policy_rules {
    unsigned refs;
    struct rule *rules;
    size_t rule_count;
    struct row *rows;
    uint32_t row_count, row_cap;
    uint32_t bucket_mask;
    uint32_t *buckets;          /* row + 1 */
    struct regex_set *patterns; /* NULL: no rule has one */
    int16_t pattern_group[RULE_PATTERNS_MAX];
    int32_t pattern_rule[RULE_PATTERNS_MAX];
    uint32_t pattern_count;
    struct regex_report report;
    struct window *windows;
    size_t window_count;
    uint64_t serial;
    bool local;              /* any local rule at all */
    uint64_t canary_lengths; /* bit n: a canary of n octets (mod 64) is there */
    bool no_built_in;        /* protected.yaml could not be read, */
    bool no_canaries;        /* canaries.yaml */
    int64_t at;              /* rules that are over then do not count; 0 = all do */
    int shortage;            /* 0, or why one could not be read that may be whole */
};

static uint32_t bucket_of(const struct policy_rules *rules, const uint8_t *wire, size_t len)
{
    return (uint32_t)hash_seeded(SUFFIX_SEED, wire, len) & rules->bucket_mask;
}

static void add_row(struct policy_rules *rules, const struct dname *name, const struct row *like)
{
    struct row *row = &rules->rows[rules->row_count++];
    *row = *like;
    row->len = name->len;
    memcpy(row->wire, name->wire, name->len);
    uint32_t bucket = bucket_of(rules, row->wire, row->len);
    row->next = rules->buckets[bucket];
    rules->buckets[bucket] = rules->row_count;
}

static void add_protected(struct policy_rules *rules, const struct dname *name, bool exact)
{
    const struct row like = {
        .exact = exact, .allow = true, .group = GROUP_GLOBAL, .rule = ROW_PROTECTED};
    add_row(rules, name, &like);
}

static void add_canary(struct policy_rules *rules, const struct protected_name *canary)
{
    const struct row like = {
        .exact = canary->exact, .relay = canary->relay, .group = GROUP_GLOBAL, .rule = ROW_CANARY};
    add_row(rules, &canary->name, &like);
    rules->canary_lengths |= 1ULL << (canary->name.len & 63);
}

/* The host of a URL, so that a list cannot block the place it comes from. */
static int url_host(const char *url, struct dname *ret_host)
{
    const char *start = strstr(url, "://");
    if (!start) {
        return -EINVAL;
    }
    start += 3;
    size_t len = strcspn(start, "/:?#");
    return len ? dname_parse_len(start, len, ret_host) : -EINVAL;
}

static int16_t group_index(const struct config *config, const char *group)
{
    if (!group[0]) {
        return GROUP_GLOBAL;
    }
    for (size_t i = 0; i < config->group_count; i++) {
        if (strcmp(config->groups[i].name, group) == 0) {
            return (int16_t)i;
        }
    }
    return GROUP_UNKNOWN;
}

static void fill(struct policy_rules *index, const struct config *config,
                 const struct protected_list *built_in)
{
    struct dname name;
    for (size_t i = 0; i < built_in->count; i++) {
        add_protected(index, &built_in->items[i].name, built_in->items[i].exact);
    }
    for (size_t i = 0; i < config->lists.never_block.count; i++) {
        if (dname_parse(config->lists.never_block.items[i], &name) == 0) {
            add_protected(index, &name, false);
        }
    }
    for (size_t i = 0; i < config->source_count; i++) {
        if (url_host(config->sources[i].url, &name) == 0) {
            add_protected(index, &name, true);
        }
    }
    for (size_t i = 0; i < index->rule_count; i++) {
        const struct rule *rule = &index->rules[i];
        if (*rule->pattern) {
            continue;
        }
        const struct row like = {.exact = rule->exact,
                                 .allow = rule->allow,
                                 .group = group_index(config, rule->group),
                                 .rule = (int32_t)i};
        add_row(index, &rule->name, &like);
        index->local = true;
    }
}

/* Rules by pattern, the first RULE_PATTERNS_MAX of them. */
static int fill_patterns(struct policy_rules *index, const struct config *config)
{
    const char *texts[RULE_PATTERNS_MAX];
    for (size_t i = 0; i < index->rule_count && index->pattern_count < RULE_PATTERNS_MAX; i++) {
        const struct rule *rule = &index->rules[i];
        if (*rule->pattern) {
            texts[index->pattern_count] = rule->pattern;
            index->pattern_group[index->pattern_count] = group_index(config, rule->group);
            index->pattern_rule[index->pattern_count++] = (int32_t)i;
        }
    }
    return index->pattern_count
               ? regex_set_from(texts, index->pattern_count, &index->patterns, &index->report)
               : 0;
}

static int reserve(struct policy_rules *index, const struct rule *rules, size_t rows)
{
    uint32_t buckets = 16;
    while (buckets < rows * 2) {
        buckets *= 2;
    }
    index->bucket_mask = buckets - 1;
    index->buckets = calloc(buckets, sizeof(*index->buckets));
    index->rows = calloc(rows + 1, sizeof(*index->rows));
    index->rules = calloc(index->rule_count + 1, sizeof(*index->rules));
    if (!index->buckets || !index->rows || !index->rules) {
        return -ENOMEM;
    }
    if (index->rule_count) {
        memcpy(index->rules, rules, index->rule_count * sizeof(*rules));
    }
    return 0;
}

static bool load_names(struct policy_rules *index, const struct config *config, const char *what,
                       struct protected_list *ret_list)
{
    int err = protected_load(config->server.data_dir, what, ret_list, NULL);
    index->shortage = datafile_is_shortage(err) ? err : index->shortage;
    return err == 0;
}

int policy_rules_new(const struct rule *rules, size_t count, const struct policy_config *part,
                     struct policy_rules **ret_part)
{
    static uint64_t serial;
    const struct config *config = policy_config_get(part);
    struct protected_list built_in = {0}, canaries = {0};
    struct policy_rules *index = calloc(1, sizeof(*index));
    if (!index) {
        return -ENOMEM;
    }
    index->refs = 1;
    index->serial = ++serial;
    index->rule_count = count;
    /* Without its data file the daemon still protects never_block and list hosts. */
    index->no_built_in = !load_names(index, config, "protected", &built_in);
    index->no_canaries = !load_names(index, config, "canaries", &canaries);
    size_t rows = built_in.count + canaries.count + config->lists.never_block.count +
                  config->source_count + count;
    int err = reserve(index, rules, rows);
    if (err == 0) {
        err = fill_patterns(index, config);
    }
    if (err == 0) {
        fill(index, config, &built_in);
        for (size_t i = 0; i < canaries.count; i++) {
            add_canary(index, &canaries.items[i]);
        }
        *ret_part = index;
        index = NULL;
    }
    protected_clear(&built_in);
    protected_clear(&canaries);
    policy_rules_unref(index);
    return err;
}

int policy_rules_shortage(const struct policy_rules *rules)
{
    return rules->shortage;
}

void rules_ref(struct policy_rules *rules)
{
    rules->refs++;
}

void policy_rules_unref(struct policy_rules *rules)
{
    if (!rules || --rules->refs) {
        return;
    }
    regex_set_free(rules->patterns);
    free(rules->windows);
    free(rules->rules);
    free(rules->rows);
    free(rules->buckets);
    free(rules);
}

const struct rule *rules_get(const struct policy_rules *rules, int32_t rule)
{
    return rule >= 0 && (size_t)rule < rules->rule_count ? &rules->rules[rule] : NULL;
}

static bool row_covers(const struct row *row, const uint8_t *suffix, size_t len, unsigned skip)
{
    return row->len == len && (skip == 0 || !row->exact) && memcmp(row->wire, suffix, len) == 0;
}

static bool is_over(const struct policy_rules *rules, int32_t rule)
{
    int64_t end = rules->rules[rule].expires_at;
    return rules->at && end && end <= rules->at;
}

/* Better of two rows for the same suffix: allow wins a tie. */
static void offer(struct rule_match *best, const struct policy_rules *rules, const struct row *row,
                  unsigned skip)
{
    bool tie_won =
        best->rule >= 0 && best->skip == skip && row->allow && !rules->rules[best->rule].allow;
    if (best->rule < 0 || tie_won) {
        *best = (struct rule_match){row->rule, (uint8_t)skip};
    }
}

/* The first pattern of the group, or of all groups, that fits; allow wins. */
static int32_t find_pattern(const struct policy_rules *rules, const struct regex_name *text,
                            int group)
{
    int32_t found = -1;
    for (int at = regex_next(text, 0); at >= 0; at = regex_next(text, (uint32_t)at + 1)) {
        bool better = found < 0 ||
                      (rules->rules[rules->pattern_rule[at]].allow && !rules->rules[found].allow);
        if (rules->pattern_group[at] == group && better &&
            !is_over(rules, rules->pattern_rule[at]) &&
            regex_matches(rules->patterns, (uint32_t)at, text)) {
            found = rules->pattern_rule[at];
        }
    }
    return found;
}

static bool any_pattern(const struct policy_rules *rules, const struct dname *name)
{
    struct regex_name text;
    int at =
        rules->patterns && regex_prepare(rules->patterns, name, &text) ? regex_next(&text, 0) : -1;
    while (at >= 0 && !regex_matches(rules->patterns, (uint32_t)at, &text)) {
        at = regex_next(&text, (uint32_t)at + 1);
    }
    return at >= 0;
}

static struct rule_match find_names(const struct policy_rules *rules, const struct dname *name,
                                    uint16_t group, struct rule_match *ret_global)
{
    struct rule_match own = {-1, 0}, global = {-1, 0};
    for (unsigned skip = 0; skip < name->labels; skip++) {
        size_t len;
        const uint8_t *suffix = dname_suffix(name, skip, &len);
        uint32_t at = rules->buckets[bucket_of(rules, suffix, len)];
        for (; at; at = rules->rows[at - 1].next) {
            const struct row *row = &rules->rows[at - 1];
            if (row->rule < 0 || !row_covers(row, suffix, len, skip) || is_over(rules, row->rule)) {
                continue;
            }
            if (row->group == GROUP_GLOBAL) {
                offer(&global, rules, row, skip);
            } else if (row->group == (int)group) {
                offer(&own, rules, row, skip);
            }
        }
    }
    *ret_global = global;
    return own;
}

struct rule_match rules_find(const struct policy_rules *rules, const struct dname *name,
                             uint16_t group)
{
    struct rule_match own = {-1, 0}, global = {-1, 0};
    struct regex_name text;
    if (rules->local) {
        own = find_names(rules, name, group, &global);
    }
    bool fits = own.rule < 0 && rules->patterns && regex_prepare(rules->patterns, name, &text);
    if (fits) {
        own.rule = find_pattern(rules, &text, group);
    }
    if (own.rule < 0 && fits && global.rule < 0) {
        global.rule = find_pattern(rules, &text, GROUP_GLOBAL);
    }
    return own.rule >= 0 ? own : global;
}

/* The row of that kind that covers the suffix that skip labels leave; NULL. */
static const struct row *covered(const struct policy_rules *rules, const struct dname *name,
                                 unsigned skip, int32_t kind)
{
    size_t len;
    const uint8_t *suffix = dname_suffix(name, skip, &len);
    uint32_t at = rules->buckets[bucket_of(rules, suffix, len)];
    for (; at; at = rules->rows[at - 1].next) {
        const struct row *row = &rules->rows[at - 1];
        if (row->rule == kind && row_covers(row, suffix, len, skip)) {
            return row;
        }
    }
    return NULL;
}

int rules_protects(const struct policy_rules *rules, const struct dname *name)
{
    for (unsigned skip = 0; skip < name->labels; skip++) {
        if (covered(rules, name, skip, ROW_PROTECTED)) {
            return (int)skip;
        }
    }
    return -1;
}

/* Asked of every name: a look at the lengths spares almost all of them the hash. */
int rules_canary(const struct policy_rules *rules, const struct dname *name)
{
    for (unsigned skip = 0; skip < name->labels; skip++) {
        size_t len;
        (void)dname_suffix(name, skip, &len);
        if (rules->canary_lengths >> (len & 63) & 1 && covered(rules, name, skip, ROW_CANARY)) {
            return (int)skip;
        }
    }
    return -1;
}

bool rules_canary_is_relay(const struct policy_rules *rules, const struct dname *name)
{
    int skip = rules_canary(rules, name);
    const struct row *row = skip < 0 ? NULL : covered(rules, name, (unsigned)skip, ROW_CANARY);
    return row && row->relay;
}

bool rules_touch(const struct policy_rules *rules, const struct dname *name)
{
    if (rules_canary(rules, name) >= 0 || any_pattern(rules, name)) {
        return true;
    }
    for (unsigned skip = 0; rules->local && skip < name->labels; skip++) {
        size_t len;
        const uint8_t *suffix = dname_suffix(name, skip, &len);
        uint32_t at = rules->buckets[bucket_of(rules, suffix, len)];
        for (; at; at = rules->rows[at - 1].next) {
            const struct row *row = &rules->rows[at - 1];
            if (row->rule >= 0 && row_covers(row, suffix, len, skip)) {
                return true;
            }
        }
    }
    return false;
}

struct policy_rules *rules_at(const struct policy_rules *rules, int64_t at)
{
    struct policy_rules *view = malloc(sizeof(*view));
    if (view) {
        *view = *rules;
        view->at = at;
    }
    return view;
}

bool rules_lack_built_in(const struct policy_rules *rules)
{
    return rules->no_built_in;
}

const struct regex_report *rules_patterns(const struct policy_rules *rules)
{
    return &rules->report;
}

bool rules_lack_canaries(const struct policy_rules *rules)
{
    return rules->no_canaries;
}

uint64_t rules_serial(const struct policy_rules *rules)
{
    return rules->serial;
}

int policy_rules_set_windows(struct policy_rules *rules, const struct window *windows, size_t count)
{
    rules->windows = calloc(count + 1, sizeof(*windows));
    if (!rules->windows) {
        return -ENOMEM;
    }
    if (count) {
        memcpy(rules->windows, windows, count * sizeof(*windows));
    }
    rules->window_count = count;
    return 0;
}

const struct window *rules_windows(const struct policy_rules *rules, size_t *ret_count)
{
    *ret_count = rules->window_count;
    return rules->windows;
}

const char *window_word(enum window_kind kind)
{
    static const char *const words[WINDOW_KINDS] = {"pause", "block", "allow"};
    return words[kind];
}
