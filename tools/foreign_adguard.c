// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/member.h"
#include "config/yaml.h"
#include "tools/adguard_hours.h"

struct agh {
    struct moving *moving;
    const struct yaml_node *root, *dns, *filtering;
};

static const struct {
    const char *theirs, *ours;
} services[] = {
    {"twitter", "x"},
    {"disneyplus", "disney-plus"},
    {"amazon_streaming", "prime-video"},
    {"leagueoflegends", "league-of-legends"},
    {"battle_net", "battle-net"},
    {"activision_blizzard", "battle-net"},
    {"blizzard_entertainment", "battle-net"},
    {"xboxlive", "xbox"},
};

static bool is_true(const struct yaml_node *map, const char *key)
{
    const char *text = map ? yaml_get_text(map, key) : NULL;
    return text && strcmp(text, "true") == 0;
}

static bool is_false(const struct yaml_node *map, const char *key)
{
    const char *text = map ? yaml_get_text(map, key) : NULL;
    return text && strcmp(text, "false") == 0;
}

/* A setting that moved from dns to filtering with schema 24. */
static const struct yaml_node *either(const struct agh *agh, const char *key)
{
    const struct yaml_node *node = agh->filtering ? yaml_get(agh->filtering, key) : NULL;
    return node ? node : agh->dns ? yaml_get(agh->dns, key) : NULL;
}

static bool either_is_true(const struct agh *agh, const char *key)
{
    const struct yaml_node *node = either(agh, key);
    return node && node->kind == YAML_SCALAR && strcmp(node->text, "true") == 0;
}

static const struct yaml_node *first_of(const struct yaml_node *list)
{
    return list && list->kind == YAML_LIST ? list->first : NULL;
}

static void take_filters(const struct agh *agh, const char *key, bool allow)
{
    const struct yaml_node *item = first_of(yaml_get(agh->root, key));
    for (; item; item = item->next) {
        const char *url = item->kind == YAML_MAP ? yaml_get_text(item, "url") : NULL;
        char file[1100];
        if (!url) {
            moving_leave(agh->moving, THING("list", key), "line %u: it has no url", item->line);
            continue;
        }
        snprintf(file, sizeof(file), "%s%s", url[0] == '/' ? "file://" : "", url);
        cJSON *list = moving_add_list(agh->moving, file, yaml_get_text(item, "name"),
                                      !is_false(item, "enabled"));
        if (allow) {
            cJSON_AddTrueToObject(list, "allow");
        }
    }
}

static void take_user_rules(const struct agh *agh)
{
    const struct yaml_node *item = first_of(yaml_get(agh->root, "user_rules"));
    for (; item; item = item->next) {
        if (item->kind == YAML_SCALAR) {
            foreign_take_adblock(agh->moving, item->text);
        }
    }
}

/* "[/lan/fritz.box/]192.168.0.1 192.168.0.2" */
static void take_domains(const struct agh *agh, const char *text)
{
    char domain[300];
    const char *end = strstr(text, "/]"), *at = text + 2;
    if (!end || end[2] == '#' || end[2] == '\0') {
        moving_leave(agh->moving, THING("zone", text), "the usual servers are asked for it anyway");
        return;
    }
    while (at <= end) {
        size_t len = strcspn(at, "/");
        snprintf(domain, sizeof(domain), "%.*s", (int)(len < 299 ? len : 299), at);
        if (!*domain || strncmp(domain, "*.", 2) == 0) {
            moving_leave(agh->moving, THING("zone", text),
                         "names without a dot, or all below a name without itself, are no zone");
        } else {
            moving_add_zone(agh->moving, domain, end + 2);
        }
        at += len + 1;
    }
}

static void take_upstreams(const struct agh *agh)
{
    const struct yaml_node *item = first_of(yaml_get(agh->dns, "upstream_dns"));
    for (; item; item = item->next) {
        if (item->kind == YAML_SCALAR && *item->text && item->text[0] != '#') {
            if (strncmp(item->text, "[/", 2) == 0) {
                take_domains(agh, item->text);
            } else {
                moving_add_upstream(agh->moving, item->text);
            }
        }
    }
    const char *file = yaml_get_text(agh->dns, "upstream_dns_file");
    const char *mode = yaml_get_text(agh->dns, "upstream_mode");
    if (file && *file) {
        moving_leave(agh->moving, THING("upstream", file),
                     "servers in a file of their own: write them into upstream.servers");
    }
    if ((mode && strcmp(mode, "parallel") == 0) || is_true(agh->dns, "all_servers")) {
        moving_set(agh->moving, "upstream", "strategy", cJSON_CreateString("parallel"));
    }
}

static void take_rewrites(const struct agh *agh)
{
    const struct yaml_node *item = first_of(either(agh, "rewrites"));
    for (; item; item = item->next) {
        const char *domain = item->kind == YAML_MAP ? yaml_get_text(item, "domain") : NULL;
        const char *answer = item->kind == YAML_MAP ? yaml_get_text(item, "answer") : NULL;
        if (!domain || !answer) {
            moving_leave(agh->moving, THING("rewrite", ""), "line %u: domain and answer are needed",
                         item->line);
        } else if (is_false(item, "enabled")) {
            moving_leave(agh->moving, THING("rewrite", domain), "it is switched off");
        } else {
            moving_add_record(agh->moving, domain, answer);
        }
    }
}

static const char *our_service(const char *id)
{
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (strcmp(services[i].theirs, id) == 0) {
            return services[i].ours;
        }
    }
    return id;
}

/* One for all hours here: the first that is said. */
static void take_zone(const struct agh *agh, const struct yaml_node *times, const char *who)
{
    const char *said = yaml_get_text(times, "time_zone");
    const char *zone = said && *said ? said : "Local";
    const char *first = moving_text(agh->moving->root, "zone");
    char what[MOVING_TEXT_MAX];
    if (!*first) {
        cJSON_AddStringToObject(agh->moving->root, "zone", zone);
        if (strcmp(zone, "Local") != 0) {
            moving_set(agh->moving, "server", "timezone", cJSON_CreateString(zone));
        }
    } else if (strcmp(first, zone) != 0) {
        snprintf(what, sizeof(what), "%s: %s", who, zone);
        moving_leave(agh->moving, THING("timezone", what),
                     "hours of all groups are of one time zone, that of the first (%.60s): move "
                     "these, or change server.timezone",
                     strcmp(first, "Local") == 0 ? "this machine's" : first);
    }
}

/* A list of ids (old), or a map of ids and schedule. */
static void take_services(const struct agh *agh, const struct yaml_node *node, cJSON *policy)
{
    bool map = node && node->kind == YAML_MAP;
    const struct yaml_node *item = first_of(map ? yaml_get(node, "ids") : node);
    const struct yaml_node *times = map ? yaml_get(node, "schedule") : NULL;
    cJSON *ids = cJSON_CreateArray();
    for (; item; item = item->next) {
        if (item->kind == YAML_SCALAR) {
            cJSON_AddItemToArray(ids, cJSON_CreateString(our_service(item->text)));
        }
    }
    if (!ids->child) {
        cJSON_Delete(ids);
    } else if (foreign_has_hours(times)) {
        cJSON_AddItemToObject(policy, "schedule", foreign_take_hours(agh->moving, times, ids));
        take_zone(agh, times, moving_text(policy, "name"));
        cJSON_Delete(ids);
    } else {
        cJSON_AddItemToObject(policy, "services", ids);
    }
}

/* A map of engines; `flag` is how older versions said it. */
static void take_safe_search(const struct yaml_node *map, bool flag, cJSON *policy)
{
    bool on = flag || (map && map->kind == YAML_MAP && is_true(map, "enabled"));
    cJSON_AddBoolToObject(policy, "safe_search", on);
    if (on && (!map || map->kind != YAML_MAP || is_true(map, "youtube"))) {
        cJSON_AddStringToObject(policy, "youtube", "moderate");
    }
}

/* Their own servers decided; here lists of a category do. */
static void take_protection(const struct agh *agh, const struct yaml_node *map, const char *who,
                            cJSON *policy)
{
    static const struct {
        const char *key;
        const char *categories[2];
    } kinds[] = {{"parental_enabled", {"adult", NULL}},
                 {"safebrowsing_enabled", {"malware", "phishing"}}};
    cJSON *block = cJSON_AddArrayToObject(policy, "block");
    for (size_t i = 0; i < 2; i++) {
        bool on = map ? is_true(map, kinds[i].key) : either_is_true(agh, kinds[i].key);
        for (size_t c = 0; on && c < 2 && kinds[i].categories[c]; c++) {
            cJSON_AddItemToArray(block, cJSON_CreateString(kinds[i].categories[c]));
        }
        if (on) {
            moving_leave(agh->moving, THING("service", kinds[i].key),
                         "%s: AdGuard's servers were asked for each name; here lists decide: "
                         "greengate lists catalog --category %s",
                         who, kinds[i].categories[0]);
        }
    }
}

/* An id that is no address and no MAC is what a client calls itself. */
static void take_ids(const struct yaml_node *item, cJSON *policy)
{
    char text[MOVING_CLIENT_MAX];
    struct member member;
    cJSON *clients = cJSON_AddArrayToObject(policy, "clients");
    const struct yaml_node *id = first_of(yaml_get(item, "ids"));
    for (; id; id = id->next) {
        int err = id->kind == YAML_SCALAR ? member_parse(id->text, &member) : 0;
        snprintf(text, sizeof(text), "%s%.80s", err == -EINVAL ? "id:" : "",
                 id->kind == YAML_SCALAR ? id->text : "");
        cJSON_AddItemToArray(clients, cJSON_CreateString(text));
    }
}

static void take_client(const struct agh *agh, const struct yaml_node *item, const cJSON *global)
{
    const char *name = item->kind == YAML_MAP ? yaml_get_text(item, "name") : NULL;
    if (!name) {
        moving_leave(agh->moving, THING("client", ""), "line %u: it has no name", item->line);
        return;
    }
    cJSON *policy = moving_add(agh->moving, "policies");
    bool own = is_false(item, "use_global_settings");
    bool own_services = is_false(item, "use_global_blocked_services");
    cJSON_AddStringToObject(policy, "name", name);
    take_ids(item, policy);
    if (own) {
        cJSON_AddBoolToObject(policy, "open", !is_true(item, "filtering_enabled"));
        take_safe_search(yaml_get(item, "safe_search"), is_true(item, "safesearch_enabled"),
                         policy);
        take_protection(agh, item, name, policy);
    }
    static const char *const shared[] = {"safe_search", "youtube", "block"};
    for (size_t i = 0; !own && i < sizeof(shared) / sizeof(shared[0]); i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(global, shared[i]);
        if (value) {
            cJSON_AddItemToObject(policy, shared[i], cJSON_Duplicate(value, true));
        }
    }
    take_services(
        agh, own_services ? yaml_get(item, "blocked_services") : either(agh, "blocked_services"),
        policy);
    if (first_of(yaml_get(item, "upstreams"))) {
        moving_leave(agh->moving, THING("client", name),
                     "a group has no upstream servers of its own");
    }
    if (first_of(yaml_get(item, "tags"))) {
        moving_leave(agh->moving, THING("client", name),
                     "tags: a group is what its clients have in common");
    }
}

static void take_clients(const struct agh *agh)
{
    const struct yaml_node *clients = yaml_get(agh->root, "clients");
    const struct yaml_node *item =
        first_of(clients && clients->kind == YAML_MAP ? yaml_get(clients, "persistent") : clients);
    cJSON *global = cJSON_CreateObject();
    const struct yaml_node *safe = either(agh, "safe_search");
    take_safe_search(safe, either_is_true(agh, "safesearch_enabled"), global);
    take_protection(agh, NULL, "everybody", global);
    cJSON_AddStringToObject(global, "name", "everybody else");
    take_services(agh, either(agh, "blocked_services"), global);
    for (; item; item = item->next) {
        take_client(agh, item, global);
    }
    cJSON *last = moving_add(agh->moving, "policies");
    while (global->child) {
        cJSON *member = cJSON_DetachItemViaPointer(global, global->child);
        char key[32];
        snprintf(key, sizeof(key), "%s", member->string);
        cJSON_AddItemToObject(last, key, member);
    }
    cJSON_Delete(global);
}

static void take_mode(const struct agh *agh)
{
    const struct yaml_node *node = either(agh, "blocking_mode");
    const char *mode = node && node->kind == YAML_SCALAR ? node->text : "";
    if (strcmp(mode, "nxdomain") == 0 || strcmp(mode, "refused") == 0) {
        moving_set(agh->moving, "block", "mode", cJSON_CreateString(mode));
    } else if (*mode) {
        moving_leave(agh->moving, THING("blocking mode", mode),
                     "blocked names lead to the warning page here; block.mode: zero is as before");
    }
}

static void take_listen(const struct agh *agh)
{
    const struct yaml_node *item = first_of(yaml_get(agh->dns, "bind_hosts"));
    const char *port = yaml_get_text(agh->dns, "port");
    char text[120];
    cJSON *list = cJSON_CreateArray();
    for (; item; item = item->next) {
        const char *host = item->kind == YAML_SCALAR ? item->text : "";
        bool v6 = strchr(host, ':') != NULL;
        snprintf(text, sizeof(text), "%s%.60s%s:%.10s", v6 ? "[" : "", host, v6 ? "]" : "",
                 port ? port : "53");
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
    if (list->child) {
        moving_set(agh->moving, "dns", "listen", list);
    } else {
        cJSON_Delete(list);
    }
}

static void take_access(const struct agh *agh)
{
    static const char *const usual[] = {"version.bind", "id.server", "hostname.bind"};
    const struct yaml_node *item = first_of(yaml_get(agh->dns, "allowed_clients"));
    cJSON *allowed = cJSON_CreateArray();
    for (; item; item = item->next) {
        cJSON_AddItemToArray(allowed, cJSON_CreateString(item->text ? item->text : ""));
    }
    if (allowed->child) {
        moving_set(agh->moving, "dns", "allow_clients", allowed);
    } else {
        cJSON_Delete(allowed);
    }
    for (item = first_of(yaml_get(agh->dns, "disallowed_clients")); item; item = item->next) {
        moving_leave(agh->moving, THING("client", item->text),
                     "dns.allow_clients says who may ask; "
                     "nobody is taken out of it");
    }
    for (item = first_of(yaml_get(agh->dns, "blocked_hosts")); item; item = item->next) {
        bool known = item->kind != YAML_SCALAR;
        for (size_t i = 0; i < 3 && !known; i++) {
            known = strcmp(usual[i], item->text) == 0;
        }
        if (!known) {
            foreign_take_adblock(agh->moving, item->text);
        }
    }
}

static void leave_rest(const struct agh *agh)
{
    const struct yaml_node *tls = yaml_get(agh->root, "tls"), *dhcp = yaml_get(agh->root, "dhcp");
    if (tls && tls->kind == YAML_MAP && is_true(tls, "enabled")) {
        moving_leave(agh->moving, THING("section", "tls"),
                     "set dns.tls_listen, dns.tls_cert and dns.tls_key to files");
    }
    if (dhcp && dhcp->kind == YAML_MAP && is_true(dhcp, "enabled")) {
        moving_leave(agh->moving, THING("section", "dhcp"),
                     "no addresses are given here: keep a DHCP server");
    }
    if (first_of(yaml_get(agh->root, "users"))) {
        moving_leave(agh->moving, THING("section", "users"), "passwords are not taken over");
    }
    const char *limit = yaml_get_text(agh->dns, "ratelimit");
    if (limit && limit[strspn(limit, "0123456789")] == '\0' && *limit) {
        moving_set(agh->moving, "dns", "rate_limit_qps",
                   cJSON_CreateNumber((double)strtol(limit, NULL, 10)));
    }
    const struct yaml_node *off = either(agh, "protection_enabled");
    if (off && off->kind == YAML_SCALAR && strcmp(off->text, "false") == 0) {
        moving_leave(agh->moving, THING("setting", "protection_enabled"),
                     "filtering was switched off; here it is on");
    }
}

int foreign_read_adguard(struct moving *moving, const struct foreign_file *file, struct diag *diag)
{
    struct yaml_node *root = NULL;
    if (!file->data) {
        return diag_set(diag, -EFBIG, "it is larger than a configuration");
    }
    int err = yaml_parse(&(struct yaml_text){file->data, file->len, file->path}, &root, diag);
    if (err < 0) {
        return err;
    }
    struct agh agh = {moving, root, NULL, NULL};
    agh.dns = root->kind == YAML_MAP ? yaml_get(root, "dns") : NULL;
    agh.filtering = root->kind == YAML_MAP ? yaml_get(root, "filtering") : NULL;
    if (!agh.dns || agh.dns->kind != YAML_MAP ||
        (!yaml_get(root, "filters") && !yaml_get(root, "user_rules"))) {
        yaml_free(root);
        return diag_set(diag, -EINVAL,
                        "it is no AdGuardHome.yaml: dns, filters or user_rules are missing");
    }
    agh.filtering = agh.filtering && agh.filtering->kind == YAML_MAP ? agh.filtering : NULL;
    take_listen(&agh);
    take_upstreams(&agh);
    take_rewrites(&agh);
    take_filters(&agh, "filters", false);
    take_filters(&agh, "whitelist_filters", true);
    take_user_rules(&agh);
    take_clients(&agh);
    take_mode(&agh);
    take_access(&agh);
    leave_rest(&agh);
    yaml_free(root);
    return 0;
}
