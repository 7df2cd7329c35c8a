// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml.h"
#include "tools/foreign.h"

enum { URL_MAX = 1000, FIELD_MAX = 600 };

struct blocky {
    struct moving *moving;
    const struct yaml_node *root;
};

/* What is taken over below, or has no meaning here. */
static const char *const handled[] = {
    "upstream",     "upstreams", "customDNS",  "conditional",        "blocking",
    "clientLookup", "ports",     "log",        "logLevel",           "logFormat",
    "logTimestamp", "ede",       "prometheus", "minTlsServeVersion", "connectIPVersion"};

static const struct yaml_node *child(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = map && map->kind == YAML_MAP ? yaml_get(map, key) : NULL;
    return node;
}

/* A setting under its name of now or of before. */
static const struct yaml_node *either(const struct yaml_node *map, const char *now,
                                      const char *before)
{
    const struct yaml_node *node = child(map, now);
    return node ? node : child(map, before);
}

static const struct yaml_node *first_of(const struct yaml_node *node, enum yaml_kind kind)
{
    return node && node->kind == kind ? node->first : NULL;
}

static void take_upstreams(const struct blocky *blocky)
{
    const struct yaml_node *groups = child(child(blocky->root, "upstreams"), "groups");
    groups = groups ? groups : child(blocky->root, "upstream");
    const struct yaml_node *group = first_of(groups, YAML_MAP);
    for (; group; group = group->next) {
        const struct yaml_node *server = first_of(group, YAML_LIST);
        if (strcmp(group->key, "default") != 0) {
            moving_leave(blocky->moving, THING("upstream", group->key),
                         "a group has no upstream servers of its own");
            continue;
        }
        for (; server; server = server->next) {
            if (server->kind == YAML_SCALAR) {
                moving_add_upstream(blocky->moving, server->text);
            }
        }
    }
}

static void take_records(const struct blocky *blocky)
{
    const struct yaml_node *custom = child(blocky->root, "customDNS");
    const struct yaml_node *item = first_of(child(custom, "mapping"), YAML_MAP);
    for (; item; item = item->next) {
        char copy[FIELD_MAX], *save = NULL;
        snprintf(copy, sizeof(copy), "%s", item->kind == YAML_SCALAR ? item->text : "");
        char *address = strtok_r(copy, ", \t\n", &save);
        for (; address; address = strtok_r(NULL, ", \t\n", &save)) {
            moving_add_record(blocky->moving, item->key, address);
        }
        moving_leave(blocky->moving, THING("record", item->key),
                     "what is below it: a record is for the name alone");
    }
    static const char *const others[] = {"rewrite", "zone"};
    for (size_t i = 0; i < 2; i++) {
        if (child(custom, others[i])) {
            moving_leave(blocky->moving, THING("customDNS", others[i]),
                         "there is nothing like it here");
        }
    }
}

static void take_zones(const struct blocky *blocky)
{
    const struct yaml_node *conditional = child(blocky->root, "conditional");
    const struct yaml_node *item = first_of(child(conditional, "mapping"), YAML_MAP);
    for (; item; item = item->next) {
        if (strcmp(item->key, ".") == 0) {
            moving_leave(blocky->moving, THING("zone", item->key),
                         "names without a dot are not asked of anybody");
        } else if (item->kind == YAML_SCALAR) {
            moving_add_zone(blocky->moving, item->key, item->text);
        }
    }
    if (child(conditional, "rewrite")) {
        moving_leave(blocky->moving, THING("conditional", "rewrite"),
                     "there is nothing like it here");
    }
}

static cJSON *add_set(cJSON *thing, const char *set)
{
    cJSON *sets = cJSON_AddArrayToObject(thing, "sets");
    cJSON_AddItemToArray(sets, cJSON_CreateString(set));
    return thing;
}

/* Names, hosts lines and expressions that stand in the configuration itself. */
static void take_inline(const struct blocky *blocky, const char *text, const char *set, bool allow)
{
    struct moving_lines lines = {.at = text};
    const char *action = allow ? "allow" : "block";
    while (moving_next_line(&lines)) {
        char *comment = strstr(lines.line, " #");
        size_t len = comment ? (size_t)(comment - lines.line) : strlen(lines.line);
        lines.line[len] = '\0';
        if (len > 2 && lines.line[0] == '/' && lines.line[len - 1] == '/') {
            lines.line[len - 1] = '\0';
            add_set(moving_add_pattern(blocky->moving, action, lines.line + 1), set);
        } else {
            char *name = strrchr(lines.line, ' ');
            name = name ? name + 1 : lines.line;
            bool below = strncmp(name, "*.", 2) == 0 || strncmp(name, "||", 2) == 0;
            name[strcspn(name, "^")] = '\0';
            add_set(moving_add_rule(blocky->moving, action, name + (below ? 2 : 0), !below), set);
        }
    }
}

static void take_source(const struct blocky *blocky, const char *text, const char *set, bool allow)
{
    char url[URL_MAX + 8];
    bool web = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0 ||
               strncmp(text, "file://", 7) == 0;
    if (strchr(text, '\n') || (!web && !strchr(text, '/') && !strstr(text, ".txt"))) {
        take_inline(blocky, text, set, allow);
    } else if (!web && text[0] != '/') {
        moving_leave(blocky->moving, THING("list", text), "a list needs its whole path");
    } else {
        snprintf(url, sizeof(url), "%s%s", web ? "" : "file://", text);
        cJSON *list = add_set(moving_add_list(blocky->moving, url, "", true), set);
        cJSON_AddStringToObject(list, "hint", set);
        if (allow) {
            cJSON_AddTrueToObject(list, "allow");
        }
    }
}

static void take_lists(const struct blocky *blocky, const struct yaml_node *groups, bool allow)
{
    const struct yaml_node *group = first_of(groups, YAML_MAP);
    for (; group; group = group->next) {
        const struct yaml_node *item = first_of(group, YAML_LIST);
        for (; item; item = item->next) {
            if (item->kind == YAML_SCALAR) {
                take_source(blocky, item->text, group->key, allow);
            }
        }
    }
}

/* There a group that has exceptions alone shuts everything else. */
static void see_only(const struct blocky *blocky, const struct yaml_node *deny,
                     const struct yaml_node *allow)
{
    const struct yaml_node *group = first_of(allow, YAML_MAP);
    for (; group; group = group->next) {
        if (!child(deny, group->key)) {
            moving_leave(blocky->moving, THING("group of lists", group->key),
                         "it has exceptions alone, so all else was blocked; here its names are "
                         "allowed and nothing is blocked by it (docs/groups.md: only)");
        }
    }
}

/* The addresses that clientLookup gives a name, or the name itself. */
static void add_client(const struct blocky *blocky, const char *name, cJSON *clients)
{
    const struct yaml_node *known =
        child(child(child(blocky->root, "clientLookup"), "clients"), name);
    const struct yaml_node *address = first_of(known, YAML_LIST);
    if (!address) {
        cJSON_AddItemToArray(clients, cJSON_CreateString(name));
    }
    for (; address; address = address->next) {
        if (address->kind == YAML_SCALAR) {
            cJSON_AddItemToArray(clients, cJSON_CreateString(address->text));
        }
    }
}

static void take_policy(const struct blocky *blocky, const struct yaml_node *client, bool last)
{
    cJSON *policy = moving_add(blocky->moving, "policies");
    cJSON *clients = cJSON_AddArrayToObject(policy, "clients");
    cJSON *sets = cJSON_AddArrayToObject(policy, "sets");
    const struct yaml_node *set = first_of(client, YAML_LIST);
    cJSON_AddStringToObject(policy, "name", last ? "everybody else" : client->key);
    if (!last) {
        char copy[FIELD_MAX], *save = NULL;
        snprintf(copy, sizeof(copy), "%s", client->key);
        for (char *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
            add_client(blocky, name + strspn(name, " "), clients);
        }
    }
    for (; set; set = set->next) {
        if (set->kind == YAML_SCALAR) {
            cJSON_AddItemToArray(sets, cJSON_CreateString(set->text));
        }
    }
    cJSON_AddBoolToObject(policy, "open", !sets->child);
}

/* Single devices before subnets, and `default` last: the first group wins here. */
static void take_policies(const struct blocky *blocky, const struct yaml_node *groups)
{
    const struct yaml_node *last = child(groups, "default");
    for (int subnets = 0; subnets < 2; subnets++) {
        const struct yaml_node *client = first_of(groups, YAML_MAP);
        for (; client; client = client->next) {
            if (client != last && (strchr(client->key, '/') != NULL) == subnets) {
                take_policy(blocky, client, false);
            }
        }
    }
    take_policy(blocky, last, true);
}

static void take_mode(const struct blocky *blocky, const struct yaml_node *blocking)
{
    const struct yaml_node *mode = child(blocking, "blockType");
    if (mode && mode->kind == YAML_SCALAR && strcasecmp(mode->text, "nxDomain") == 0) {
        moving_set(blocky->moving, "block", "mode", cJSON_CreateString("nxdomain"));
    } else {
        moving_leave(blocky->moving,
                     THING("blockType", mode && mode->kind == YAML_SCALAR ? mode->text : "zeroIp"),
                     "blocked names lead to the warning page here; block.mode: zero is as before");
    }
}

/* "53", ":53", "192.0.2.1:53,[::1]:53" */
static void take_ports(const struct blocky *blocky)
{
    const struct yaml_node *node = either(child(blocky->root, "ports"), "dns", "");
    char copy[FIELD_MAX], text[FIELD_MAX + 16], *save = NULL;
    cJSON *list = cJSON_CreateArray();
    snprintf(copy, sizeof(copy), "%s", node && node->kind == YAML_SCALAR ? node->text : "53");
    for (char *word = strtok_r(copy, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
        const char *port = word[0] == ':' ? word + 1 : word;
        if (port[strspn(port, "0123456789")] == '\0') {
            snprintf(text, sizeof(text), "0.0.0.0:%s", port);
            cJSON_AddItemToArray(list, cJSON_CreateString(text));
            snprintf(text, sizeof(text), "[::]:%s", port);
        } else {
            snprintf(text, sizeof(text), "%s", word);
        }
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
    moving_set(blocky->moving, "dns", "listen", list);
}

static void leave_rest(const struct blocky *blocky)
{
    const struct yaml_node *key = blocky->root->first;
    for (; key; key = key->next) {
        bool known = false;
        for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
            known = known || strcmp(handled[i], key->key) == 0;
        }
        if (!known) {
            moving_leave(blocky->moving, THING("section", key->key),
                         "it is not taken over; docs/settings.md tells what there is");
        }
    }
}

int foreign_read_blocky(struct moving *moving, const struct foreign_file *file, struct diag *diag)
{
    struct yaml_node *root = NULL;
    if (!file->data) {
        return diag_set(diag, -EFBIG, "it is larger than a configuration");
    }
    int err = yaml_parse(&(struct yaml_text){file->data, file->len, file->path}, &root, diag);
    if (err < 0) {
        return err;
    }
    struct blocky blocky = {moving, root};
    const struct yaml_node *blocking = child(root, "blocking");
    if (!blocking && !child(root, "upstreams") && !child(root, "upstream")) {
        yaml_free(root);
        return diag_set(diag, -EINVAL,
                        "it is no configuration of blocky: upstreams and blocking are missing");
    }
    const struct yaml_node *deny = either(blocking, "denylists", "blackLists");
    const struct yaml_node *allow = either(blocking, "allowlists", "whiteLists");
    take_ports(&blocky);
    take_upstreams(&blocky);
    take_records(&blocky);
    take_zones(&blocky);
    take_lists(&blocky, deny, false);
    take_lists(&blocky, allow, true);
    see_only(&blocky, deny, allow);
    take_policies(&blocky, child(blocking, "clientGroupsBlock"));
    take_mode(&blocky, blocking);
    leave_rest(&blocky);
    yaml_free(root);
    return 0;
}
