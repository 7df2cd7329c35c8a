// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli.h"
#include "tools/foreign.h"

/* Which groups an item is in, sorted by item. */
struct link {
    long item, group;
};

struct links {
    struct link *items;
    size_t count;
    bool missing; /* there was no such table: all are in the first group */
};

struct world {
    struct moving *moving;
    const cJSON *tables;
    bool has_subnets; /* among the clients */
};

enum { DEFAULT_GROUP = 0, KEY_MAX = 512 };
enum { EXACT_ALLOW, EXACT_BLOCK, REGEX_ALLOW, REGEX_BLOCK };

static const cJSON *table(const struct world *world, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(world->tables, name);
}

static long number(const cJSON *row, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, key);
    return cJSON_IsNumber(item)   ? (long)item->valuedouble
           : cJSON_IsString(item) ? strtol(item->valuestring, NULL, 10)
                                  : 0;
}

static bool is_enabled(const cJSON *row)
{
    return !cJSON_GetObjectItemCaseSensitive(row, "enabled") || number(row, "enabled") != 0;
}

static const cJSON *find_group(const struct world *world, long id)
{
    const cJSON *group;
    cJSON_ArrayForEach(group, table(world, "group"))
    {
        if (number(group, "id") == id) {
            return group;
        }
    }
    return NULL;
}

static int by_item(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    return x->item != y->item ? (x->item > y->item) - (x->item < y->item)
                              : (x->group > y->group) - (x->group < y->group);
}

static struct links load_links(const struct world *world, const char *name, const char *key)
{
    const cJSON *row, *rows = table(world, name);
    struct links links = {.missing = !rows};
    links.items = calloc((size_t)cJSON_GetArraySize(rows) + 1, sizeof(*links.items));
    if (!links.items) {
        abort(); /* in a child of its own: its end is told */
    }
    cJSON_ArrayForEach(row, rows)
    {
        links.items[links.count++] = (struct link){number(row, key), number(row, "group_id")};
    }
    qsort(links.items, links.count, sizeof(*links.items), by_item);
    return links;
}

/* The item's groups that are switched on, as texts. */
static cJSON *sets_of(const struct world *world, const struct links *links, long item)
{
    cJSON *sets = cJSON_CreateArray();
    size_t low = 0, high = links->count;
    if (links->missing) {
        cJSON_AddItemToArray(sets, cJSON_CreateString("0"));
        return sets;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (links->items[middle].item < item) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < links->count && links->items[low].item == item; low++) {
        const cJSON *group = find_group(world, links->items[low].group);
        bool off = group ? !is_enabled(group) : links->items[low].group != DEFAULT_GROUP;
        if (!off) {
            char id[24];
            snprintf(id, sizeof(id), "%ld", links->items[low].group);
            cJSON_AddItemToArray(sets, cJSON_CreateString(id));
        }
    }
    return sets;
}

static void take_lists(struct world *world)
{
    const cJSON *row;
    struct links links = load_links(world, "adlist_by_group", "adlist_id");
    cJSON_ArrayForEach(row, table(world, "adlist"))
    {
        const char *url = moving_text(row, "address");
        cJSON *sets = sets_of(world, &links, number(row, "id"));
        if (!sets->child) {
            moving_leave(world->moving, THING("list", url), "no group that is switched on uses it");
            cJSON_Delete(sets);
            continue;
        }
        cJSON *list =
            moving_add_list(world->moving, url, moving_text(row, "comment"), is_enabled(row));
        cJSON_AddItemToObject(list, "sets", sets);
        if (number(row, "type") == 1) {
            cJSON_AddTrueToObject(list, "allow");
        }
    }
    free(links.items);
}

static void take_domain(struct world *world, const cJSON *row, cJSON *sets)
{
    const char *domain = moving_text(row, "domain");
    long type = number(row, "type");
    const char *action = type == EXACT_ALLOW || type == REGEX_ALLOW ? "allow" : "block";
    cJSON *rule;
    if (type == EXACT_ALLOW || type == EXACT_BLOCK) {
        rule = moving_add_rule(world->moving, action, domain, true);
    } else {
        rule = moving_add_pattern(world->moving, action, domain);
    }
    cJSON_AddStringToObject(rule, "note", moving_text(row, "comment"));
    cJSON_AddItemToObject(rule, "sets", sets);
}

static void take_domains(struct world *world)
{
    const cJSON *row;
    struct links links = load_links(world, "domainlist_by_group", "domainlist_id");
    cJSON_ArrayForEach(row, table(world, "domainlist"))
    {
        const char *domain = moving_text(row, "domain");
        long type = number(row, "type");
        cJSON *sets = sets_of(world, &links, number(row, "id"));
        const char *why = NULL;
        if (type < EXACT_ALLOW || type > REGEX_BLOCK || !*domain) {
            why = "it is of a kind that is not known here";
        } else if (!is_enabled(row)) {
            why = "it is switched off";
        } else if (!sets->child) {
            why = "no group that is switched on uses it";
        } else if (type >= REGEX_ALLOW && strchr(domain, ';')) {
            why = "what stands behind ';' (type, reply, invert) is Pi-hole's own";
        }
        if (why) {
            moving_leave(world->moving, THING("rule", domain), "%s", why);
            cJSON_Delete(sets);
        } else {
            take_domain(world, row, sets);
        }
    }
    free(links.items);
}

static cJSON *find_policy(const struct world *world, const char *key)
{
    cJSON *policy;
    cJSON_ArrayForEach(policy, cJSON_GetObjectItemCaseSensitive(world->moving->root, "policies"))
    {
        if (strcmp(moving_text(policy, "key"), key) == 0) {
            return policy;
        }
    }
    return NULL;
}

/* "kids-guests", of the groups that a client is in. */
static void name_policy(const struct world *world, const cJSON *sets, char out[KEY_MAX])
{
    const cJSON *set;
    size_t used = 0;
    out[0] = '\0';
    cJSON_ArrayForEach(set, sets)
    {
        const cJSON *group = find_group(world, strtol(set->valuestring, NULL, 10));
        const char *name = group ? moving_text(group, "name") : "default";
        int len = snprintf(out + used, KEY_MAX - used, "%s%s", used ? "-" : "", name);
        used = used + (size_t)len < KEY_MAX ? used + (size_t)len : KEY_MAX - 1;
    }
    if (!sets->child) {
        snprintf(out, KEY_MAX, "unfiltered");
    }
}

static cJSON *policy_for(struct world *world, cJSON *sets)
{
    char key[KEY_MAX] = "", name[KEY_MAX];
    const cJSON *set;
    size_t used = 0;
    cJSON_ArrayForEach(set, sets)
    {
        int len = snprintf(key + used, sizeof(key) - used, "%s,", set->valuestring);
        used = used + (size_t)len < sizeof(key) ? used + (size_t)len : sizeof(key) - 1;
    }
    cJSON *policy = find_policy(world, key);
    if (policy) {
        cJSON_Delete(sets);
        return policy;
    }
    name_policy(world, sets, name);
    policy = moving_add(world->moving, "policies");
    cJSON_AddStringToObject(policy, "key", key);
    cJSON_AddStringToObject(policy, "name", name);
    cJSON_AddArrayToObject(policy, "clients");
    cJSON_AddBoolToObject(policy, "open", !sets->child);
    cJSON_AddItemToObject(policy, "sets", sets);
    return policy;
}

static bool is_default(const cJSON *sets)
{
    return cJSON_GetArraySize(sets) == 1 && strcmp(sets->child->valuestring, "0") == 0;
}

/* Single devices before subnets: there the narrower one wins, here the first group. */
static void take_clients(struct world *world, bool subnets)
{
    const cJSON *row;
    struct links links = load_links(world, "client_by_group", "client_id");
    cJSON_ArrayForEach(row, table(world, "client"))
    {
        const char *client = moving_text(row, "ip");
        bool is_subnet = strchr(client, '/') != NULL;
        cJSON *sets = is_subnet == subnets ? sets_of(world, &links, number(row, "id")) : NULL;
        if (!sets) {
            continue;
        }
        if (is_default(sets) && !world->has_subnets) {
            cJSON_Delete(sets); /* what catches the rest has it too */
            continue;
        }
        cJSON *policy = policy_for(world, sets);
        cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(policy, "clients"),
                             cJSON_CreateString(client));
    }
    free(links.items);
}

static void see_subnets(struct world *world)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, table(world, "client"))
    {
        world->has_subnets |= strchr(moving_text(row, "ip"), '/') != NULL;
    }
}

void foreign_take_tables(struct moving *moving, const cJSON *tables)
{
    struct world world = {moving, tables, false};
    const cJSON *group = find_group(&world, DEFAULT_GROUP);
    take_lists(&world);
    take_domains(&world);
    see_subnets(&world);
    take_clients(&world, false);
    take_clients(&world, true);
    cJSON *last = moving_add(moving, "policies");
    cJSON_AddStringToObject(last, "name", "everybody else");
    cJSON *sets = cJSON_AddArrayToObject(last, "sets");
    if (!group || is_enabled(group)) {
        cJSON_AddItemToArray(sets, cJSON_CreateString("0"));
    }
    cJSON_AddBoolToObject(last, "open", !sets->child);
}
