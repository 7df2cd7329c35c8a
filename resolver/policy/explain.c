// SPDX-License-Identifier: Apache-2.0
#include "policy/explain.h"

#include <stdio.h>
#include <string.h>

#include "policy/lists.h"

static void print_suffix(const struct dname *name, unsigned skip, char out[DNAME_TEXT_MAX])
{
    size_t len;
    dname_print_wire(dname_suffix(name, skip, &len), out);
}

static const char *coverage(const struct blockdb_item *item)
{
    bool self = item->flags & BLOCKDB_SELF;
    bool below = item->flags & BLOCKDB_BELOW;
    return self && below ? "name and below" : below ? "below" : "name";
}

static void explain_item(const struct snapshot *snapshot, const struct blockdb_item *item,
                         uint64_t blocked, struct explanation_listing *listing)
{
    const struct blockdb_source *source = blockdb_source(snapshot->db, item->source);
    uint8_t category = snapshot->lists->source_category[item->source];
    snprintf(listing->list, sizeof(listing->list), "%s", source->id);
    snprintf(listing->category, sizeof(listing->category), "%s", source->category);
    snprintf(listing->version, sizeof(listing->version), "%s", source->version);
    listing->covers = coverage(item);
    listing->exception = item->flags & BLOCKDB_EXCEPTION;
    listing->blocked_here = !listing->exception && blocked >> category & 1;
}

/* Every list entry that covers the name, in force or not. */
static void explain_listed(const struct snapshot *snapshot, const struct subject *subject,
                           struct explanation *why)
{
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    uint64_t blocked = snapshot->effective[subject->group].blocked;
    size_t found = snapshot->db ? blockdb_find(snapshot->db, subject->probe, hits) : 0;
    for (size_t i = 0; i < found; i++) {
        size_t count;
        const struct blockdb_item *items = blockdb_class(snapshot->db, hits[i].class_id, &count);
        for (size_t k = 0; k < count && why->listed_count < EXPLAIN_LISTED_MAX; k++) {
            bool covers = items[k].flags & (hits[i].skip ? BLOCKDB_BELOW : BLOCKDB_SELF);
            if (covers) {
                struct explanation_listing *listing = &why->listed[why->listed_count++];
                explain_item(snapshot, &items[k], blocked, listing);
                print_suffix(subject->name, hits[i].skip, listing->entry);
            }
        }
    }
}

static void explain_rule(const struct snapshot *snapshot, const struct verdict *verdict,
                         struct explanation *why)
{
    const struct rule *rule = snapshot_rule(snapshot, verdict->rule);
    char name[DNAME_TEXT_MAX];
    if (rule) {
        snprintf(why->rule_group, sizeof(why->rule_group), "%s", rule->group);
        snprintf(why->rule, sizeof(why->rule), "%s %s%s%s%s", rule->allow ? "allow" : "block",
                 dname_print(&rule->name, name), rule->exact ? " (this name alone)" : "",
                 rule->group[0] ? " for group " : "", rule->group);
    }
}

static void explain_source(const struct snapshot *snapshot, const struct verdict *verdict,
                           struct explanation *why)
{
    const struct blockdb_source *source = blockdb_source(snapshot->db, verdict->source);
    snprintf(why->list, sizeof(why->list), "%s", source->id);
    snprintf(why->list_version, sizeof(why->list_version), "%s", source->version);
    snprintf(why->list_url, sizeof(why->list_url), "%s", source->url);
}

void policy_explain(const struct snapshot *snapshot, const struct dname *name,
                    const struct asker *asker, struct explanation *ret_why)
{
    struct explanation *why = ret_why;
    const struct addr *client = asker->client;
    struct blockdb_probe probe;
    struct verdict verdict;
    struct subject subject = {name, &probe,
                              client ? snapshot_group(snapshot, client) : asker->group};
    memset(why, 0, sizeof(*why));
    snapshot_probe(snapshot, name, &probe);
    policy_decide(snapshot, &subject, &verdict);
    dname_print(name, why->name);
    if (client) {
        struct addr plain = *client;
        plain.port = 0;
        addr_print(&plain, why->client);
    }
    snprintf(why->group, sizeof(why->group), "%s", snapshot->config->groups[subject.group].name);
    why->blocked = verdict.blocked;
    why->reason = reason_word(verdict.reason);
    why->reason_text = reason_text(verdict.reason);
    why->ede = verdict.blocked ? reason_ede(verdict.reason) : -1;
    why->mode = verdict.blocked ? config_word("block_mode", verdict.mode) : "";
    if (verdict.category) {
        snprintf(why->category, sizeof(why->category), "%s",
                 snapshot->categories[verdict.category].id);
    }
    if (verdict.class_id && verdict.reason != REASON_PROTECTED) {
        explain_source(snapshot, &verdict, why);
    }
    if (verdict.reason != REASON_NONE) {
        print_suffix(name, verdict.skip, why->entry);
    }
    explain_rule(snapshot, &verdict, why);
    explain_listed(snapshot, &subject, why);
    verdict_ref(&verdict, name, why->ref);
}
