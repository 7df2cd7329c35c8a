// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/moving.h"
#include "tools/moving_write.h"

/* Words in a list's address or name that tell its category; the first that is there. */
static const struct {
    const char *word, *category;
} words[] = {
    {"porn", "adult"},       {"nsfw", "adult"},          {"adult", "adult"},
    {"gambl", "gambling"},   {"casino", "gambling"},     {"phish", "phishing"},
    {"malware", "malware"},  {"malicious", "malware"},   {"ransom", "malware"},
    {"virus", "malware"},    {"threat", "malware"},      {"urlhaus", "malware"},
    {"badware", "malware"},  {"stalkerware", "malware"}, {"coin", "malware"},
    {"scam", "scam"},        {"fraud", "scam"},          {"fakenews", "unrated"},
    {"fake", "scam"},        {"piracy", "piracy"},       {"torrent", "piracy"},
    {"warez", "piracy"},     {"dating", "dating"},       {"drug", "drugs"},
    {"tiktok", "social"},    {"facebook", "social"},     {"social", "social"},
    {"youtube", "video"},    {"gaming", "games"},        {"game", "games"},
    {"doh", "bypass"},       {"vpn", "bypass"},          {"proxy", "bypass"},
    {"bypass", "bypass"},    {"telemetry", "tracking"},  {"track", "tracking"},
    {"privacy", "tracking"}, {"analytics", "tracking"},  {"spy", "tracking"},
    {"ads", "ads"},          {"advert", "ads"},          {"adserver", "ads"},
};

bool moving_concerns(const cJSON *sets, const cJSON *policy)
{
    const cJSON *set, *own;
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(policy, "open"))) {
        return false;
    }
    if (!sets) {
        return true;
    }
    cJSON_ArrayForEach(set, sets)
    {
        cJSON_ArrayForEach(own, cJSON_GetObjectItemCaseSensitive(policy, "sets"))
        {
            if (strcmp(set->valuestring, own->valuestring) == 0) {
                return true;
            }
        }
    }
    return false;
}

static const char *without_scheme(const char *url)
{
    const char *rest = strstr(url, "://");
    return rest ? rest + 3 : url;
}

static const struct listcatalog_list *find_in_catalog(const struct listcatalog *catalog,
                                                      const char *url)
{
    for (size_t i = 0; catalog && i < catalog->list_count; i++) {
        if (strcmp(without_scheme(catalog->lists[i].url), without_scheme(url)) == 0) {
            return &catalog->lists[i];
        }
    }
    return NULL;
}

static const char *guess(const cJSON *list, const char *otherwise)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(moving_text(list, "url"), words[i].word) ||
            strcasestr(moving_text(list, "name"), words[i].word) ||
            strcasestr(moving_text(list, "hint"), words[i].word)) {
            return words[i].category;
        }
    }
    return otherwise;
}

static bool has_member(const cJSON *list, const char *key, const char *value)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (strcmp(moving_text(item, key), value) == 0) {
            return true;
        }
    }
    return false;
}

/* "name", or "name-2" when that is taken. */
static void make_unique(const cJSON *list, const char *key, char id[MOVING_ID_MAX + 8])
{
    char base[MOVING_ID_MAX + 8];
    snprintf(base, sizeof(base), "%s", id);
    for (unsigned number = 2; has_member(list, key, id); number++) {
        snprintf(id, MOVING_ID_MAX + 8, "%.*s-%u", MOVING_ID_MAX, base, number);
    }
}

/* The last part of an address tells lists without a name apart. */
static void name_list(const cJSON *list, const struct listcatalog_list *known, const cJSON *sources,
                      char id[MOVING_ID_MAX + 8])
{
    const char *name = moving_text(list, "name"), *url = without_scheme(moving_text(list, "url"));
    char short_url[MOVING_TEXT_MAX];
    size_t host = strcspn(url, "/");
    const char *last = strrchr(url, '/');
    snprintf(short_url, sizeof(short_url), "%.*s-%.100s", (int)(host > 30 ? 30 : host), url,
             last && last[1] ? last + 1 : "");
    if (known) {
        snprintf(id, MOVING_ID_MAX, "%s", known->id);
    } else {
        moving_id(*name && strlen(name) <= 40 ? name : short_url, "list", id);
    }
    make_unique(sources, "id", id);
}

static cJSON *make_source(const cJSON *list, const struct listcatalog_list *known,
                          const char *category, const char *id)
{
    cJSON *source = cJSON_CreateObject();
    const char *url = moving_text(list, "url");
    if (*moving_text(list, "name")) {
        char comment[MOVING_TEXT_MAX];
        snprintf(comment, sizeof(comment), "%s", moving_text(list, "name"));
        cJSON_AddStringToObject(source, "#", comment);
    }
    cJSON_AddStringToObject(source, "id", id);
    cJSON_AddStringToObject(source, "url", known ? known->url : url);
    cJSON_AddStringToObject(source, "category", category);
    if (known) {
        cJSON_AddStringToObject(source, "format", known->format);
        cJSON_AddStringToObject(source, "match", known->match);
    } else if (strncmp(url, "http://", 7) == 0) {
        cJSON_AddTrueToObject(source, "insecure");
    }
    if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(list, "enabled"))) {
        cJSON_AddFalseToObject(source, "enabled");
    }
    return source;
}

static const char *refuse_source(const cJSON *source, struct diag *diag)
{
    cJSON *tree = cJSON_CreateObject(), *sources = cJSON_CreateArray();
    cJSON_AddItemToArray(sources, cJSON_Duplicate(source, true));
    cJSON_AddItemToObject(cJSON_AddObjectToObject(tree, "lists"), "sources", sources);
    const char *why = moved_refusal(tree, diag);
    cJSON_Delete(tree);
    return why;
}

/* What an administrator should look at again. */
static void tell_source(const cJSON *list, const struct listcatalog_list *known,
                        const cJSON *source, struct moved *moved)
{
    char as[MOVING_TEXT_MAX];
    const char *url = moving_text(list, "url");
    snprintf(as, sizeof(as), "%s, category %s%s", moving_text(source, "id"),
             moving_text(source, "category"), known ? " (of the catalogue)" : " (guessed)");
    bool plain = !known && strncmp(url, "http://", 7) == 0;
    moved_tell(moved, &(struct moved_item){
                          "list", url, plain ? "changed" : "taken", as,
                          plain ? "anybody on the way can change it: look for an https:// address"
                                : NULL});
}

static void write_list(cJSON *list, const struct moving_target *target, cJSON *sources,
                       struct moved *moved)
{
    char id[MOVING_ID_MAX + 8];
    struct diag diag;
    const char *url = moving_text(list, "url");
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(list, "allow"))) {
        moved_tell(moved, &(struct moved_item){
                              "list", url, "left", NULL,
                              "lists of exceptions are taken as adblock lists of @@ rules alone "
                              "(scope: all); `greengate allow` names what must stay open"});
        return;
    }
    const struct listcatalog_list *known = find_in_catalog(target->catalog, url);
    const char *category = known ? known->category : guess(list, target->category);
    if (has_member(sources, "url", known ? known->url : url)) {
        moved_tell(moved,
                   &(struct moved_item){"list", url, "left", NULL, "the same list stands there"});
        return;
    }
    name_list(list, known, sources, id);
    cJSON *source = make_source(list, known, category, id);
    const char *why = refuse_source(source, &diag);
    if (why) {
        moved_tell(moved, &(struct moved_item){"list", url, "left", NULL, why});
        cJSON_Delete(source);
        return;
    }
    tell_source(list, known, source, moved);
    cJSON_AddStringToObject(list, "category", category);
    cJSON_AddItemToArray(sources, source);
}

void moving_write_lists(const cJSON *moving, const struct moving_target *target,
                        struct moved *moved)
{
    cJSON *list, *sources = cJSON_CreateArray();
    cJSON_ArrayForEach(list, cJSON_GetObjectItemCaseSensitive(moving, "lists"))
    {
        write_list(list, target, sources, moved);
    }
    cJSON *section = cJSON_GetObjectItemCaseSensitive(moved->config, "lists");
    if (sources->child) {
        section = section ? section : cJSON_AddObjectToObject(moved->config, "lists");
        cJSON_AddItemToObject(section, "sources", sources);
    } else {
        cJSON_Delete(sources);
    }
}

static bool has_text(const cJSON *list, const char *text)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (strcmp(item->valuestring, text) == 0) {
            return true;
        }
    }
    return false;
}

static cJSON *blocked_by(const cJSON *moving, const cJSON *policy)
{
    const cJSON *list, *extra;
    cJSON *block = cJSON_CreateArray();
    cJSON_ArrayForEach(extra, cJSON_GetObjectItemCaseSensitive(policy, "block"))
    {
        cJSON_AddItemToArray(block, cJSON_CreateString(extra->valuestring));
    }
    cJSON_ArrayForEach(list, cJSON_GetObjectItemCaseSensitive(moving, "lists"))
    {
        const char *category = moving_text(list, "category");
        bool used = *category && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(list, "enabled"));
        if (used && moving_concerns(cJSON_GetObjectItemCaseSensitive(list, "sets"), policy) &&
            !has_text(block, category)) {
            cJSON_AddItemToArray(block, cJSON_CreateString(category));
        }
    }
    return block;
}

/* Groups choose categories, not lists: a list may act for more groups than before. */
static void tell_wider(const cJSON *moving, const cJSON *policy, const cJSON *group,
                       struct moved *moved)
{
    const cJSON *list;
    char why[MOVING_TEXT_MAX];
    cJSON_ArrayForEach(list, cJSON_GetObjectItemCaseSensitive(moving, "lists"))
    {
        const char *category = moving_text(list, "category");
        bool used = *category && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(list, "enabled"));
        if (used && !moving_concerns(cJSON_GetObjectItemCaseSensitive(list, "sets"), policy) &&
            has_text(cJSON_GetObjectItemCaseSensitive(group, "block"), category)) {
            snprintf(why, sizeof(why),
                     "it acts for group %s too, which blocks category %s: groups choose "
                     "categories, not lists; give it another category if that is not wanted",
                     moving_text(group, "name"), category);
            moved_tell(moved, &(struct moved_item){"list", moving_text(list, "url"), "changed",
                                                   NULL, why});
        }
    }
}

static void take_clients(const cJSON *policy, cJSON *group, struct moved *moved)
{
    const cJSON *client;
    char text[MOVING_CLIENT_MAX];
    cJSON *clients = cJSON_AddArrayToObject(group, "clients");
    cJSON_ArrayForEach(client, cJSON_GetObjectItemCaseSensitive(policy, "clients"))
    {
        const char *why = moving_client(client->valuestring, text);
        if (why) {
            moved_tell(moved,
                       &(struct moved_item){"client", client->valuestring, "left", NULL, why});
        } else if (!has_text(clients, text)) {
            moved_tell(moved, &(struct moved_item){"client", client->valuestring, "taken",
                                                   moving_text(group, "name"), NULL});
            cJSON_AddItemToArray(clients, cJSON_CreateString(text));
        }
    }
}

/* Services that we know by no name stay behind. */
static void drop_unknown(cJSON *ids, const struct moving_target *target, struct moved *moved)
{
    cJSON *id = ids ? ids->child : NULL;
    while (target->known && id) {
        cJSON *next = id->next;
        if (known_find(target->known, KNOWN_SERVICE, id->valuestring) < 0) {
            moved_tell(moved, &(struct moved_item){
                                  "service", id->valuestring, "left", NULL,
                                  "it is not among `greengate services`: block its names, or a "
                                  "list that holds them"});
            cJSON_Delete(cJSON_DetachItemViaPointer(ids, id));
        }
        id = next;
    }
}

/* The same of a schedule: each row has all of them. */
static void drop_unknown_rows(cJSON *schedule, const struct moving_target *target,
                              struct moved *moved)
{
    cJSON *row = schedule ? schedule->child : NULL;
    struct moved silent = {.items = cJSON_CreateArray()};
    for (bool first = true; row; first = false) {
        cJSON *next = row->next, *ids = cJSON_GetObjectItemCaseSensitive(row, "services");
        drop_unknown(ids, target, first ? moved : &silent);
        if (ids && !ids->child) {
            cJSON_Delete(cJSON_DetachItemViaPointer(schedule, row));
        }
        row = next;
    }
    cJSON_Delete(silent.items);
}

static cJSON *make_group(const cJSON *moving, cJSON *policy, const char *name, struct moved *moved)
{
    static const char *const copied[] = {"services", "schedule", "safe_search", "youtube"};
    cJSON *group = cJSON_CreateObject();
    cJSON_AddStringToObject(group, "name", name);
    take_clients(policy, group, moved);
    cJSON_AddItemToObject(group, "block", blocked_by(moving, policy));
    for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(policy, copied[i]);
        if (value) {
            cJSON_AddItemToObject(group, copied[i], cJSON_Duplicate(value, true));
        }
    }
    return group;
}

static const char *refuse_group(const cJSON *group, struct diag *diag)
{
    cJSON *tree = cJSON_CreateObject(), *groups = cJSON_AddArrayToObject(tree, "groups");
    cJSON_AddItemToArray(groups, cJSON_Duplicate(group, true));
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(group, "clients")) > 0) {
        cJSON *last = cJSON_CreateObject();
        cJSON_AddStringToObject(last, "name", "catches-the-rest");
        cJSON_AddItemToArray(groups, last);
    }
    const char *why = moved_refusal(tree, diag);
    cJSON_Delete(tree);
    return why;
}

/* The name that a policy has here stays with it: rules ask for it. */
static void write_group(const cJSON *moving, cJSON *policy, const struct moving_target *target,
                        struct moved *moved)
{
    bool last = policy->next == NULL;
    char name[MOVING_ID_MAX + 8];
    struct diag diag;
    cJSON *groups = cJSON_GetObjectItemCaseSensitive(moved->config, "groups");
    if (last) {
        snprintf(name, sizeof(name), "%s", target->last_group);
    } else {
        moving_id(moving_text(policy, "name"), "group", name);
        if (strcmp(name, target->last_group) == 0) {
            snprintf(name, sizeof(name), "%.*s-1", MOVING_ID_MAX, target->last_group);
        }
        make_unique(groups, "name", name);
    }
    cJSON *group = make_group(moving, policy, name, moved);
    drop_unknown(cJSON_GetObjectItemCaseSensitive(group, "services"), target, moved);
    drop_unknown_rows(cJSON_GetObjectItemCaseSensitive(group, "schedule"), target, moved);
    bool empty = !cJSON_GetObjectItemCaseSensitive(group, "clients")->child;
    const char *why =
        empty && !last ? "none of its clients can be named here" : refuse_group(group, &diag);
    bool divided = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(policy, "divided"));
    moved_tell(moved,
               &(struct moved_item){"group", moving_text(policy, "name"),
                                    why       ? "left"
                                    : divided ? "changed"
                                              : "taken",
                                    name,
                                    why       ? why
                                    : divided ? "it became several groups: the first group that "
                                                "names a client wins, and others name clients "
                                                "that are inside of its subnets"
                                              : NULL});
    if (why) {
        cJSON_Delete(group);
        return;
    }
    cJSON_AddStringToObject(policy, "group", name);
    tell_wider(moving, policy, group, moved);
    cJSON_AddItemToArray(groups, group);
}

void moving_write_groups(const cJSON *moving, const struct moving_target *target,
                         struct moved *moved)
{
    cJSON *policy;
    cJSON_AddArrayToObject(moved->config, "groups");
    cJSON_ArrayForEach(policy, cJSON_GetObjectItemCaseSensitive(moving, "policies"))
    {
        write_group(moving, policy, target, moved);
    }
    cJSON *groups = cJSON_GetObjectItemCaseSensitive(moved->config, "groups");
    if (!groups->child) {
        cJSON_DeleteItemFromObjectCaseSensitive(moved->config, "groups");
    }
}
