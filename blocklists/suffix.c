// SPDX-License-Identifier: Apache-2.0
#include "blocklists/suffix.h"

#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_inline.h"
#include "blocklists/entry.h"

enum { SLOTS = 1 << 16, RULES_MAX = SLOTS / 2, LINE = 512 };

static const char psl_file[] = "/usr/share/publicsuffix/public_suffix_list.dat";

struct suffix_set {
    psl_ctx_t *psl;
    bool owned;
    uint64_t *rules;            /* hashes of the rules, see rule_known(); NULL: ask libpsl always */
    uint64_t homes[SLOTS / 64]; /* bit i: some rule belongs into slot i; stays in the cache */
    size_t count;
    unsigned labels_max; /* of the longest name that a rule makes a suffix */
};

/* `kind`: 0 for a rule, 1 for the parent of a "*." rule. */
static bool rule_known(const struct suffix_set *set, unsigned kind, const uint8_t *wire, size_t len)
{
    uint64_t hash = hash_seeded_inline(kind, wire, len) | 1;
    size_t home = hash >> 48;
    if (!(set->homes[home / 64] >> (home % 64) & 1)) {
        return false;
    }
    for (size_t at = home; set->rules[at]; at = (at + 1) % SLOTS) {
        if (set->rules[at] == hash) {
            return true;
        }
    }
    return false;
}

static bool add_rule(struct suffix_set *set, const char *line)
{
    struct dname name;
    line += *line == '!';
    bool wild = strncmp(line, "*.", 2) == 0;
    line += wild ? 2 : 0;
    if (entry_parse(line, strcspn(line, " \t\r\n"), &name) != SKIP_NONE) {
        return true;
    }
    if (set->count == RULES_MAX) {
        return false;
    }
    uint64_t hash = hash_seeded(wild, name.wire, name.len) | 1;
    size_t at = hash >> 48;
    set->homes[at / 64] |= 1ULL << (at % 64);
    while (set->rules[at]) {
        at = (at + 1) % SLOTS;
    }
    set->rules[at] = hash;
    set->count++;
    unsigned labels = name.labels + (unsigned)wild;
    set->labels_max = labels > set->labels_max ? labels : set->labels_max;
    return true;
}

/* Without the set every name is asked of libpsl: slower, the same answers. */
static void read_rules(struct suffix_set *set)
{
    char line[LINE];
    FILE *file = fopen(psl_file, "re");
    set->rules = file ? calloc(SLOTS, sizeof(*set->rules)) : NULL;
    bool ok = set->rules != NULL;
    while (ok && fgets(line, sizeof(line), file)) {
        bool rule = line[0] != '/' && line[0] != '\n' && line[0] != ' ';
        ok = !rule || add_rule(set, line);
    }
    if (file) {
        fclose(file);
    }
    if (!ok || set->count == 0) {
        free(set->rules);
        set->rules = NULL;
    }
}

struct suffix_set *suffix_new(void)
{
    struct suffix_set *set = calloc(1, sizeof(*set));
    if (!set) {
        return NULL;
    }
    set->psl = psl_load_file(psl_file);
    set->owned = set->psl != NULL;
    if (set->owned) {
        read_rules(set);
    } else {
        set->psl = (psl_ctx_t *)(uintptr_t)psl_builtin();
    }
    if (!set->psl) {
        free(set);
        return NULL;
    }
    return set;
}

void suffix_free(struct suffix_set *set)
{
    if (set) {
        if (set->owned) {
            psl_free(set->psl);
        }
        free(set->rules);
        free(set);
    }
}

/* "*.ck" makes every child of ck a suffix. */
static bool may_be_public(const struct suffix_set *set, const struct dname *name)
{
    size_t len;
    const uint8_t *parent = dname_suffix(name, 1, &len);
    return !set->rules || rule_known(set, 0, name->wire, name->len) ||
           rule_known(set, 1, parent, len);
}

bool suffix_is_public(const struct suffix_set *set, const struct dname *name)
{
    char text[DNAME_TEXT_MAX];
    if (name->labels <= 1) {
        return true;
    }
    if (set->rules && name->labels > set->labels_max) {
        return false;
    }
    return may_be_public(set, name) && psl_is_public_suffix(set->psl, dname_print(name, text)) == 1;
}
