// SPDX-License-Identifier: Apache-2.0
#include "policy/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/known.h"
#include "policy/geo.h"
#include "policy/lists.h"
#include "policy/rules.h"

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

static const char *action_word(unsigned action)
{
    static const char *const words[BLOCKDB_ACTIONS] = {
        [BLOCKDB_BLOCK] = "block", [BLOCKDB_NXDOMAIN] = "nxdomain", [BLOCKDB_NODATA] = "nodata",
        [BLOCKDB_DROP] = "drop",   [BLOCKDB_TCP_ONLY] = "tcp-only", [BLOCKDB_LOCAL] = "local",
    };
    return action < BLOCKDB_ACTIONS ? words[action] : "";
}

/* The next free place for what a source says; NULL when all are taken. */
static struct explanation_listing *add_listing(const struct snapshot *snapshot,
                                               const struct blockdb_item *item, uint16_t group,
                                               struct explanation *why)
{
    if (why->listed_count == EXPLAIN_LISTED_MAX) {
        return NULL;
    }
    struct explanation_listing *listing = &why->listed[why->listed_count++];
    const struct blockdb_source *source = blockdb_source(snapshot->db, item->source);
    uint8_t category = snapshot->parts.lists->source_category[item->source];
    snprintf(listing->list, sizeof(listing->list), "%s", source->id);
    snprintf(listing->category, sizeof(listing->category), "%s", source->category);
    snprintf(listing->version, sizeof(listing->version), "%s", source->version);
    listing->exception = item->flags & BLOCKDB_EXCEPTION;
    listing->action = listing->exception ? "" : action_word(item->action);
    listing->blocked_here =
        !listing->exception && snapshot->effective[group].blocked >> category & 1;
    listing->shadow = snapshot->parts.lists->source_shadow[item->source];
    return listing;
}

static void explain_names(const struct snapshot *snapshot, const struct subject *subject,
                          struct explanation *why)
{
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    size_t found = blockdb_find(snapshot->db, subject->probe, hits);
    for (size_t i = 0; i < found; i++) {
        size_t count;
        const struct blockdb_item *items = blockdb_class(snapshot->db, hits[i].class_id, &count);
        for (size_t k = 0; k < count; k++) {
            bool covers = items[k].flags & (hits[i].skip ? BLOCKDB_BELOW : BLOCKDB_SELF);
            struct explanation_listing *listing =
                covers ? add_listing(snapshot, &items[k], subject->group, why) : NULL;
            if (listing) {
                listing->covers = coverage(&items[k]);
                print_suffix(subject->name, hits[i].skip, listing->entry);
            }
        }
    }
}

static void explain_patterns(const struct snapshot *snapshot, const struct subject *subject,
                             struct explanation *why)
{
    const struct policy_lists *lists = snapshot->parts.lists;
    struct regex_name text;
    if (!lists->regex || !regex_prepare(lists->regex, subject->name, &text)) {
        return;
    }
    for (int k = regex_next(&text, 0); k >= 0; k = regex_next(&text, (uint32_t)k + 1)) {
        const struct blockdb_pattern *pattern = lists->patterns[k].pattern;
        const struct blockdb_item item = {pattern->source, pattern->flags, pattern->action, 0};
        struct explanation_listing *listing =
            regex_matches(lists->regex, (uint32_t)k, &text)
                ? add_listing(snapshot, &item, subject->group, why)
                : NULL;
        if (listing) {
            listing->covers = "pattern";
            snprintf(listing->entry, sizeof(listing->entry), "/%s/", pattern->text);
        }
    }
}

/* "192.0.2.0/24"; an address alone without its bits. */
static void print_prefix(const struct addr *addr, unsigned bits, char out[DNAME_TEXT_MAX])
{
    char text[ADDR_TEXT_MAX];
    unsigned most = addr->family == AF_INET ? 32 : 128;
    struct addr net = {.family = addr->family};
    for (unsigned i = 0; i < bits; i++) {
        net.bytes[i / 8] |= addr->bytes[i / 8] & (uint8_t)(0x80 >> i % 8);
    }
    addr_print(&net, text);
    if (bits == most) {
        snprintf(out, DNAME_TEXT_MAX, "%s", text);
    } else {
        snprintf(out, DNAME_TEXT_MAX, "%s/%u", text, bits);
    }
}

static void explain_prefixes(const struct snapshot *snapshot, const struct addr *addr,
                             uint16_t group, struct explanation *why)
{
    struct blockdb_address_hit hits[BLOCKDB_ADDRESS_HITS_MAX];
    size_t found = snapshot->db ? blockdb_find_address(snapshot->db, addr, hits) : 0;
    for (size_t i = 0; i < found; i++) {
        size_t count;
        const struct blockdb_item *items = blockdb_class(snapshot->db, hits[i].class_id, &count);
        for (size_t k = 0; k < count; k++) {
            struct explanation_listing *listing = add_listing(snapshot, &items[k], group, why);
            if (listing) {
                listing->covers = "address";
                print_prefix(addr, hits[i].bits, listing->entry);
            }
        }
    }
}

/* "games.example", or "/pattern/". */
static const char *print_target(const struct rule *rule, char out[DNAME_TEXT_MAX])
{
    if (*rule->pattern) {
        snprintf(out, DNAME_TEXT_MAX, "/%s/", rule->pattern);
        return out;
    }
    return dname_print(&rule->name, out);
}

static void explain_rule(const struct snapshot *snapshot, const struct verdict *verdict,
                         struct explanation *why)
{
    const struct rule *rule = snapshot_rule(snapshot, verdict->rule);
    char name[DNAME_TEXT_MAX];
    if (rule) {
        snprintf(why->rule_group, sizeof(why->rule_group), "%s", rule->group);
        snprintf(why->rule, sizeof(why->rule), "%s %s%s%s%s", rule->allow ? "allow" : "block",
                 print_target(rule, name), rule->exact ? " (this name alone)" : "",
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

/* An item of the data files, and where it was read. */
static void explain_mark(const struct snapshot *snapshot, const struct verdict *verdict,
                         uint16_t group, struct explanation *why)
{
    const struct dname *target = verdict_target(snapshot, verdict, group);
    if (verdict->mark) {
        const struct known_item *item = &snapshot->known->items[verdict->mark - 1];
        snprintf(why->known, sizeof(why->known), "%s", item->id);
        snprintf(why->known_file, sizeof(why->known_file), "%s", known_file(item->kind));
        snprintf(why->known_source, sizeof(why->known_source), "%s", item->source);
        snprintf(why->known_date, sizeof(why->known_date), "%s", item->date);
    }
    if (target) {
        dname_print(target, why->target);
        why->ede = reason_ede(REASON_SAFE_SEARCH);
    }
}

/* Did an entry of something decide, or does the reason name the whole name? */
static bool has_entry(const struct verdict *verdict)
{
    static const uint8_t without[] = {REASON_NONE, REASON_PAUSED, REASON_NOT_CHOSEN, REASON_CHOSEN};
    bool listed = verdict->class_id || verdict->pattern || verdict->mark;
    for (size_t i = 0; i < sizeof(without); i++) {
        if (verdict->reason == without[i]) {
            return false;
        }
    }
    return verdict->reason != REASON_SCHEDULE || listed;
}

static void explain_verdict(const struct snapshot *snapshot, const struct verdict *verdict,
                            struct explanation *why)
{
    why->blocked = verdict->blocked;
    why->reason = reason_word(verdict->reason);
    why->reason_text = reason_text(verdict->reason);
    why->ede = verdict->blocked ? reason_ede(verdict->reason) : -1;
    why->mode = verdict->blocked ? config_word("block_mode", verdict->mode) : "";
    bool acts = verdict->blocked || verdict->reason == REASON_TCP_ONLY;
    why->action = acts ? action_word(verdict->action) : "";
    if (verdict->blocked && verdict->action == BLOCKDB_LOCAL) {
        why->ede = 4; /* Forged Answer, RFC 8914 section 4.5 */
    } else if (verdict->blocked && verdict->action == BLOCKDB_DROP) {
        why->ede = -1; /* nothing is answered */
    }
    if (verdict->category) {
        snprintf(why->category, sizeof(why->category), "%s",
                 snapshot->categories[verdict->category].id);
    }
    if ((verdict->class_id || verdict->pattern) && verdict->reason != REASON_PROTECTED) {
        explain_source(snapshot, verdict, why);
    }
    if (verdict->shadowed) {
        const struct blockdb_source *source = blockdb_source(snapshot->db, verdict->shadow_source);
        snprintf(why->shadow_list, sizeof(why->shadow_list), "%s", source->id);
        snprintf(why->shadow_category, sizeof(why->shadow_category), "%s", source->category);
    }
}

/* Whose question it is; returns the group. */
static uint16_t explain_asker(const struct snapshot *snapshot, const struct asker *asker,
                              struct explanation *why)
{
    const struct addr *client = asker->client;
    uint16_t group =
        client ? snapshot_group(snapshot, &(struct client){.addr = client}) : asker->group;
    memset(why, 0, sizeof(*why));
    if (client) {
        struct addr plain = *client;
        plain.port = 0;
        addr_print(&plain, why->client);
    }
    snprintf(why->group, sizeof(why->group), "%s", snapshot->config->groups[group].name);
    return group;
}

/* Is the name open at that time, when rules may be over and schedules say something else? */
static bool opens(const struct snapshot *snapshot, const struct subject *subject, int64_t at)
{
    struct snapshot then = *snapshot;
    struct verdict verdict = {.blocked = true};
    const struct moment moment = {at, snapshot->made.mono_s, true};
    struct policy_rules *rules = rules_at(snapshot->parts.rules, at);
    then.parts.rules = rules;
    then.effective = calloc(snapshot->group_count, sizeof(*then.effective));
    if (rules && then.effective) {
        policy_effective(&then, &moment, then.effective);
        policy_decide(&then, subject, &verdict);
    }
    free(then.effective);
    free(rules);
    return !verdict.blocked;
}

/* When what decided ends, and whether the name is open then. */
static void explain_end(const struct snapshot *snapshot, const struct subject *subject,
                        const struct verdict *verdict, struct explanation *why)
{
    const struct rule *rule = snapshot_rule(snapshot, verdict->rule);
    if (verdict->reason == REASON_SCHEDULE || verdict->reason == REASON_PAUSED) {
        why->until = snapshot->effective[subject->group].change_at;
    } else if (rule) {
        why->until = rule->expires_at;
    }
    if (verdict->blocked && why->until && opens(snapshot, subject, why->until)) {
        why->opens_at = why->until;
    }
}

void policy_explain(const struct snapshot *snapshot, const struct dname *name,
                    const struct asker *asker, struct explanation *ret_why)
{
    struct explanation *why = ret_why;
    struct blockdb_probe probe;
    struct verdict verdict;
    const struct subject subject = {name, &probe, explain_asker(snapshot, asker, why)};
    snapshot_probe(snapshot, name, &probe);
    policy_decide(snapshot, &subject, &verdict);
    dname_print(name, why->name);
    explain_verdict(snapshot, &verdict, why);
    if (verdict.pattern && verdict.reason != REASON_PROTECTED) {
        snprintf(why->entry, sizeof(why->entry), "/%s/",
                 blockdb_pattern(snapshot->db, verdict.pattern - 1U)->text);
    } else if (verdict.rule >= 0 && *snapshot_rule(snapshot, verdict.rule)->pattern) {
        print_target(snapshot_rule(snapshot, verdict.rule), why->entry);
    } else if (has_entry(&verdict)) {
        print_suffix(name, verdict.skip, why->entry);
    }
    explain_mark(snapshot, &verdict, subject.group, why);
    explain_end(snapshot, &subject, &verdict, why);
    explain_rule(snapshot, &verdict, why);
    if (snapshot->db) {
        explain_names(snapshot, &subject, why);
        explain_patterns(snapshot, &subject, why);
    }
    verdict_ref(&verdict, name, why->ref);
}

void policy_explain_place(const struct snapshot *snapshot, const struct addr *addr,
                          struct explanation *why)
{
    if (snapshot->parts.geo && addr->family) {
        const struct geo_place place = geo_find(snapshot->parts.geo, addr);
        geo_place_text(&place, why->place);
    }
}

void policy_explain_address(const struct snapshot *snapshot, const struct held_address *held,
                            const struct asker *asker, struct explanation *ret_why)
{
    static const struct dname nameless = {.len = 1};
    const struct addr *addr = held->addr;
    const struct dname *name = held->name;
    struct explanation *why = ret_why;
    struct blockdb_probe probe;
    struct verdict verdict;
    const struct subject subject = {name, &probe, explain_asker(snapshot, asker, why)};
    if (name) {
        snapshot_probe(snapshot, name, &probe);
    }
    policy_decide_address(snapshot, &subject, addr, &verdict);
    addr_print(addr, why->address);
    snprintf(why->name, sizeof(why->name), "%s", why->address);
    if (name) {
        dname_print(name, why->name);
    }
    explain_verdict(snapshot, &verdict, why);
    if (verdict.class_id) {
        unsigned most = addr->family == AF_INET ? 32 : 128;
        print_prefix(addr, most - verdict.skip, why->entry);
    }
    policy_explain_place(snapshot, addr, why);
    explain_prefixes(snapshot, addr, subject.group, why);
    verdict_ref(&verdict, name ? name : &nameless, why->ref);
}
