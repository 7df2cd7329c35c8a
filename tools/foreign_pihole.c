// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/bundle.h"
#include "tools/foreign.h"

enum { FILES_MAX = 200, OCTETS_MAX = 64 << 20, SQLITE_HEAD = 15 };

/* Files of a teleporter archive that say something here; the first half of v5. */
static const char *const exported[] = {
    "group.json",           "adlist.json",
    "adlist_by_group.json", "blacklist.exact.json",
    "blacklist.regex.json", "whitelist.exact.json",
    "whitelist.regex.json", "domainlist_by_group.json",
    "client.json",          "client_by_group.json",
    "setupVars.conf",       "pihole-FTL.conf",
    "custom.list",          "pihole.toml",
    "gravity.db",
};

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

static bool is_dnsmasq(const char *name)
{
    size_t len = strlen(name);
    return strstr(name, "dnsmasq.d/") && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

static bool is_wanted(const char *name)
{
    for (size_t i = 0; i < sizeof(exported) / sizeof(exported[0]); i++) {
        if (strcmp(base_of(name), exported[i]) == 0) {
            return true;
        }
    }
    return is_dnsmasq(name);
}

static int add_rows(const struct bundle_file *found, cJSON *rows, long type, struct diag *diag)
{
    cJSON *all = cJSON_ParseWithLength((const char *)found->data, found->len);
    if (!cJSON_IsArray(all)) {
        cJSON_Delete(all);
        diag_at(diag, found->name, 0, 0);
        return diag_set(diag, -EINVAL, "it is no JSON array of rows");
    }
    for (unsigned count = 0; all->child && count < MOVING_ITEMS_MAX; count++) {
        cJSON *row = cJSON_DetachItemViaPointer(all, all->child);
        if (type >= 0 && !cJSON_GetObjectItemCaseSensitive(row, "type")) {
            cJSON_AddNumberToObject(row, "type", (double)type);
        }
        cJSON_AddItemToArray(rows, row);
    }
    cJSON_Delete(all);
    return 0;
}

/* The rows of v5, as tables; type: of the domain list, -1 = none. */
static int read_exported(const struct bundle *bundle, cJSON *tables, struct diag *diag)
{
    static const struct {
        const char *file, *table;
        long type;
    } rows[] = {
        {"group.json", "group", -1},
        {"adlist.json", "adlist", -1},
        {"adlist_by_group.json", "adlist_by_group", -1},
        {"whitelist.exact.json", "domainlist", 0},
        {"blacklist.exact.json", "domainlist", 1},
        {"whitelist.regex.json", "domainlist", 2},
        {"blacklist.regex.json", "domainlist", 3},
        {"domainlist_by_group.json", "domainlist_by_group", -1},
        {"client.json", "client", -1},
        {"client_by_group.json", "client_by_group", -1},
    };
    int err = 0;
    for (size_t i = 0; err == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct bundle_file *found = bundle_find_base(bundle, rows[i].file);
        if (found) {
            cJSON *table = cJSON_GetObjectItemCaseSensitive(tables, rows[i].table);
            table = table ? table : cJSON_AddArrayToObject(tables, rows[i].table);
            err = add_rows(found, table, rows[i].type, diag);
        }
    }
    return err;
}

static void take_mode(struct moving *moving, const char *mode)
{
    static const struct {
        const char *theirs, *ours;
    } modes[] = {{"NX", "nxdomain"}, {"NXDOMAIN", "nxdomain"}, {"NODATA", "nodata"}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(modes[i].theirs, mode) == 0) {
            moving_set(moving, "block", "mode", cJSON_CreateString(modes[i].ours));
            return;
        }
    }
    if (*mode) {
        moving_leave(moving, THING("blocking mode", mode),
                     "blocked names lead to the warning page here; block.mode: zero is as before");
    }
}

/* "true,192.168.0.0/24,192.168.0.1#53,fritz.box" */
static void take_reverse_server(struct moving *moving, const char *text)
{
    char copy[400], zone[128], *save = NULL;
    snprintf(copy, sizeof(copy), "%s", text);
    char *on = strtok_r(copy, ",", &save), *subnet = strtok_r(NULL, ",", &save);
    char *server = strtok_r(NULL, ",", &save), *domain = strtok_r(NULL, ",", &save);
    if (!on || strcmp(on, "true") != 0 || !subnet || !server) {
        moving_leave(moving, THING("conditional forwarding", text), "it is switched off");
        return;
    }
    if (moving_reverse(subnet, zone, sizeof(zone)) < 0) {
        moving_leave(moving, THING("conditional forwarding", subnet),
                     "only subnets of whole octets (/8, /16, /24) are taken");
    } else {
        moving_add_zone(moving, zone, server);
    }
    if (domain && *domain) {
        moving_add_zone(moving, domain, server);
    }
}

/* KEY=value of setupVars.conf. */
static void take_variable(struct moving *moving, const char *key, const char *value,
                          char reverse[3][128])
{
    static const char *const parts[] = {"REV_SERVER_CIDR", "REV_SERVER_TARGET",
                                        "REV_SERVER_DOMAIN"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(key, parts[i]) == 0) {
            snprintf(reverse[i], 128, "%s", value);
        }
    }
    if (strncmp(key, "PIHOLE_DNS_", 11) == 0 && *value) {
        moving_add_upstream(moving, value);
    } else if (strcmp(key, "BLOCKINGMODE") == 0) {
        take_mode(moving, value);
    } else if (strcmp(key, "BLOCKING_ENABLED") == 0 && strcmp(value, "false") == 0) {
        moving_leave(moving, THING("setting", key), "filtering was switched off; here it is on");
    } else if (strcmp(key, "DHCP_ACTIVE") == 0 && strcmp(value, "true") == 0) {
        moving_leave(moving, THING("setting", key),
                     "no addresses are given here: keep a DHCP server");
    } else if (strcmp(key, "WEBPASSWORD") == 0) {
        moving_leave(moving, THING("setting", key), "passwords are not taken over");
    }
}

static void take_variables(struct moving *moving, const char *text)
{
    struct moving_lines lines = {.at = text};
    char reverse[3][128] = {"", "", ""}, whole[400];
    while (moving_next_line(&lines)) {
        char *value = strchr(lines.line, '=');
        if (value) {
            *value++ = '\0';
            take_variable(moving, lines.line, value, reverse);
        }
    }
    if (*reverse[0] && *reverse[1]) {
        snprintf(whole, sizeof(whole), "true,%s,%s,%s", reverse[0], reverse[1], reverse[2]);
        take_reverse_server(moving, whole);
    }
}

static void for_each(const cJSON *values, const char *key, struct moving *moving,
                     void (*take)(struct moving *moving, const char *text))
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(values, key))
    {
        if (cJSON_IsString(item)) {
            take(moving, item->valuestring);
        }
    }
}

static void take_option(struct moving *moving, const char *text)
{
    foreign_take_dnsmasq(moving, text, "pihole.toml");
}

static void leave_alias(struct moving *moving, const char *text)
{
    moving_leave(moving, THING("record", text),
                 "an alias cannot be a record: give its target's address to the name");
}

static void leave_lease(struct moving *moving, const char *text)
{
    moving_leave(moving, THING("dhcp host", text),
                 "addresses are given by a DHCP server; here a device is host:NAME or its MAC in "
                 "groups.clients");
}

static int take_toml(struct moving *moving, const char *text, struct diag *diag)
{
    cJSON *values = NULL;
    int err = foreign_read_toml(text, &values, diag);
    if (err < 0) {
        return err;
    }
    for_each(values, "dns.upstreams", moving, moving_add_upstream);
    for_each(values, "dns.hosts", moving, foreign_take_hosts);
    for_each(values, "dns.cnameRecords", moving, leave_alias);
    for_each(values, "dns.revServers", moving, take_reverse_server);
    for_each(values, "misc.dnsmasq_lines", moving, take_option);
    for_each(values, "dhcp.hosts", moving, leave_lease);
    take_mode(moving, moving_text(values, "dns.blocking.mode"));
    if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(values, "dns.blocking.active"))) {
        moving_leave(moving, THING("setting", "dns.blocking.active"),
                     "filtering was switched off; here it is on");
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(values, "dhcp.active"))) {
        moving_leave(moving, THING("setting", "dhcp.active"),
                     "no addresses are given here: keep a DHCP server");
    }
    if (*moving_text(values, "webserver.api.pwhash")) {
        moving_leave(moving, THING("setting", "webserver.api.pwhash"),
                     "passwords are not taken over");
    }
    cJSON_Delete(values);
    return 0;
}

static int take_texts(struct moving *moving, const struct bundle *bundle, struct diag *diag)
{
    const struct bundle_file *toml = bundle_find_base(bundle, "pihole.toml");
    const struct bundle_file *variables = bundle_find_base(bundle, "setupVars.conf");
    const struct bundle_file *engine = bundle_find_base(bundle, "pihole-FTL.conf");
    const struct bundle_file *hosts = bundle_find_base(bundle, "custom.list");
    if (toml) {
        int err = take_toml(moving, (const char *)toml->data, diag);
        if (err < 0) {
            return err;
        }
    } else if (variables) {
        take_variables(moving, (const char *)variables->data);
    }
    if (engine && !toml) {
        take_variables(moving, (const char *)engine->data);
    }
    if (hosts && !toml) {
        foreign_take_hosts(moving, (const char *)hosts->data);
    }
    for (size_t i = 0; i < bundle->count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        /* 01-pihole.conf is made of the settings above, in v5 and v6. */
        if (is_dnsmasq(file->name) && strcmp(base_of(file->name), "01-pihole.conf") != 0) {
            foreign_take_dnsmasq(moving, (const char *)file->data, base_of(file->name));
        }
    }
    return 0;
}

static int take_archive(struct moving *moving, const struct bundle *bundle, struct diag *diag)
{
    cJSON *tables = NULL;
    const struct bundle_file *database = bundle_find_base(bundle, "gravity.db");
    int err;
    if (database) {
        const struct foreign_database from = {NULL, database->data, database->len};
        err = foreign_read_tables(&from, &tables, diag);
    } else if (bundle_find_base(bundle, "adlist.json")) {
        tables = cJSON_CreateObject();
        err = tables ? read_exported(bundle, tables, diag) : -ENOMEM;
    } else {
        err = diag_set(diag, -EINVAL,
                       "it is an archive, but no teleporter of Pi-hole: neither gravity.db nor "
                       "adlist.json is in it");
    }
    err = err < 0 ? err : take_texts(moving, bundle, diag);
    if (err == 0) {
        foreign_take_tables(moving, tables);
    }
    cJSON_Delete(tables);
    return err;
}

int foreign_read_pihole(struct moving *moving, const struct foreign_file *file, struct diag *diag)
{
    const struct bundle_limits limits = {FILES_MAX, OCTETS_MAX, is_wanted};
    struct bundle bundle = {0};
    cJSON *tables = NULL;
    uint8_t head[512] = {0};
    ssize_t got = pread(file->fd, head, sizeof(head), 0);
    moving_set(moving, "dns", "listen", cJSON_Parse("[\"0.0.0.0:53\", \"[::]:53\"]"));
    if (got > SQLITE_HEAD && memcmp(head, "SQLite format 3", SQLITE_HEAD) == 0) {
        const struct foreign_database from = {.path = file->path};
        int err = foreign_read_tables(&from, &tables, diag);
        if (err == 0) {
            foreign_take_tables(moving, tables);
            moving_leave(moving, THING("settings", "upstream servers, records, zones"),
                         "they are not in gravity.db: give the teleporter's archive instead");
        }
        cJSON_Delete(tables);
        return err;
    }
    if (got < 0 || !bundle_is_archive(head, (size_t)got)) {
        return diag_set(diag, -EINVAL,
                        "it is neither a teleporter archive (.tar.gz, .zip) nor gravity.db of "
                        "Pi-hole");
    }
    int err = bundle_read(file->fd, &limits, &bundle, diag);
    if (err == 0) {
        err = take_archive(moving, &bundle, diag);
    }
    bundle_clear(&bundle);
    return err;
}
