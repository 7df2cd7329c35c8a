// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "base/datafile.h"
#include "config/fields.h"
#include "tools/cli.h"
#include "tools/ruleset.h"

enum { DNS_PORT = 53, PORT_MAX = 65535 };

struct wanted {
    const char *platform, *interfaces, *exempt, *port;
};

struct owner {
    char *id, *source, *date;
    struct text_list addresses;
};

static const struct field fields[] = {
    {"id", FIELD_TEXT, true, offsetof(struct owner, id), 0, check_id},
    {"addresses", FIELD_LIST, true, offsetof(struct owner, addresses), 0, check_prefix},
    {"source", FIELD_TEXT, true, offsetof(struct owner, source), 0, check_any},
    {"date", FIELD_TEXT, true, offsetof(struct owner, date), 0, check_any},
    {NULL},
};

static int take_owner(const struct yaml_node *node, struct text_list *addresses,
                      const struct complaint *to)
{
    struct owner owner = {0};
    int err = fields_take(fields, &owner, node, to);
    for (size_t i = 0; err == 0 && i < owner.addresses.count; i++) {
        err = text_list_add(addresses, owner.addresses.items[i], strlen(owner.addresses.items[i]));
    }
    free(owner.id);
    free(owner.source);
    free(owner.date);
    text_list_clear(&owner.addresses);
    return err;
}

static int load_doh(const char *data_dir, struct text_list *addresses, struct diag *diag)
{
    char path[4096];
    struct yaml_node *root = NULL;
    const struct complaint to = {path, diag};
    datafile_path(data_dir, "doh_addresses.yaml", path, sizeof(path));
    int err = yaml_read(path, &root, diag);
    const struct yaml_node *list = err == 0 ? yaml_get(root, "resolvers") : NULL;
    if (err == 0 && (!list || list->kind != YAML_LIST || root->count != 1)) {
        err = complain(&to, root, "expected one key 'resolvers' with a list");
    }
    const struct yaml_node *node = err == 0 && list ? list->first : NULL;
    for (; node && err == 0; node = node->next) {
        err = take_owner(node, addresses, &to);
    }
    yaml_free(root);
    return err;
}

/* A name that the kernel takes, with '*' at its end for all that begin so. */
static bool is_interface(const char *name, size_t len)
{
    bool fine = len > 0 && len < RULESET_INTERFACE_TEXT_MAX && name[0] != '*';
    for (size_t i = 0; fine && i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        fine = isgraph(c) && !strchr("\"\\/:{}", c) && (c != '*' || i + 1 == len);
    }
    return fine;
}

static int take_interfaces(struct cli *cli, const char *text, struct ruleset *set)
{
    while (text) {
        size_t len = strcspn(text, ",");
        if (!is_interface(text, len)) {
            return cli_fail(cli, CLI_USAGE, "--interface: '%.*s' is no name of an interface",
                            (int)(len > 40 ? 40 : len), text);
        }
        if (set->interface_count == RULESET_INTERFACES_MAX) {
            return cli_fail(cli, CLI_USAGE, "--interface: at most %d", RULESET_INTERFACES_MAX);
        }
        memcpy(set->interfaces[set->interface_count++], text, len);
        text = text[len] ? text + len + 1 : NULL;
    }
    return CLI_DONE;
}

static int exempt_group(struct cli *cli, const char *name, size_t len, struct ruleset *set)
{
    const struct config *config = set->config;
    for (size_t i = 0; i < config->group_count; i++) {
        const struct config_group *group = &config->groups[i];
        if (strlen(group->name) == len && strncmp(group->name, name, len) == 0) {
            if (group->clients.count == 0) {
                return cli_fail(cli, CLI_USAGE,
                                "--except-group: %s has no clients of its own: it is all others",
                                group->name);
            }
            set->exempt[i] = true;
            return CLI_DONE;
        }
    }
    return cli_fail(cli, CLI_USAGE, "--except-group: no group is named %.*s",
                    (int)(len > 63 ? 63 : len), name);
}

static int take_exempt(struct cli *cli, const char *text, struct ruleset *set)
{
    int code = CLI_DONE;
    while (text && code == CLI_DONE) {
        size_t len = strcspn(text, ",");
        code = exempt_group(cli, text, len, set);
        text = text[len] ? text + len + 1 : NULL;
    }
    return code;
}

/* An address that stands for all is redirected to; one of our own is better than none. */
static void choose_way(const struct addr *listen, struct ruleset_way *way)
{
    if (addr_is_loopback(listen) || way->kind == WAY_REDIRECT) {
        return;
    }
    if (addr_is_any(listen)) {
        *way = (struct ruleset_way){WAY_REDIRECT, {.port = listen->port}};
    } else if (way->kind == WAY_NONE) {
        *way = (struct ruleset_way){WAY_DNAT, *listen};
    }
}

static int choose_ways(struct cli *cli, const char *port, struct ruleset *set)
{
    const struct text_list *listen = &set->config->dns.listen;
    if (port) {
        char *end = NULL;
        unsigned long number = strtoul(port, &end, 10);
        if (!isdigit((unsigned char)*port) || *end || number == 0 || number > PORT_MAX) {
            return cli_fail(cli, CLI_USAGE, "--port: '%.20s' is no port, 1 to 65535", port);
        }
        set->ipv4 = (struct ruleset_way){WAY_REDIRECT, {.port = (uint16_t)number}};
        set->ipv6 = set->ipv4;
        return CLI_DONE;
    }
    for (size_t i = 0; i < listen->count; i++) {
        struct addr addr;
        if (addr_parse_port(listen->items[i], DNS_PORT, &addr) == 0) {
            choose_way(&addr, addr.family == AF_INET ? &set->ipv4 : &set->ipv6);
            /* [::] takes IPv6 alone here: IPv4 has its own line. */
        }
    }
    if (set->ipv4.kind == WAY_NONE && set->ipv6.kind == WAY_NONE) {
        return cli_fail(cli, CLI_FAILED,
                        "dns.listen has only addresses of this machine alone: clients cannot be "
                        "led there; listen on 0.0.0.0:53 and [::]:53, or name with --port the "
                        "port of a forwarder here that asks us");
    }
    return CLI_DONE;
}

static int read_options(struct cli *cli, const struct wanted *wanted, struct ruleset *set)
{
    set->openwrt = wanted->platform && strcmp(wanted->platform, "openwrt") == 0;
    if (wanted->platform && !set->openwrt && strcmp(wanted->platform, "debian") != 0) {
        return cli_usage(cli, "firewall", "--for takes debian or openwrt");
    }
    const char *interfaces = wanted->interfaces || !set->openwrt ? wanted->interfaces : "br-lan";
    if (!interfaces) {
        return cli_usage(cli, "firewall",
                         "--interface is needed: where clients are, never the way out");
    }
    int code = take_interfaces(cli, interfaces, set);
    if (code == CLI_DONE) {
        code = take_exempt(cli, wanted->exempt, set);
    }
    return code == CLI_DONE ? choose_ways(cli, wanted->port, set) : code;
}

static int print_json(struct cli *cli, const struct ruleset *set)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (!memory) {
        return cli_fail(cli, CLI_FAILED, "no memory");
    }
    ruleset_print(set, memory);
    if (fclose(memory) != 0) {
        free(text);
        return cli_fail(cli, CLI_FAILED, "no memory");
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "ok");
    cJSON_AddStringToObject(json, "for", set->openwrt ? "openwrt" : "debian");
    cJSON_AddStringToObject(json, "ruleset", text);
    free(text);
    return cli_print_json(cli, json);
}

static int print_ruleset(struct cli *cli, const struct wanted *wanted, struct ruleset *set)
{
    struct diag diag = {0};
    int code = read_options(cli, wanted, set);
    if (code != CLI_DONE) {
        return code;
    }
    if (load_doh(set->config->server.data_dir, &set->doh, &diag) < 0) {
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    if (cli->json) {
        return print_json(cli, set);
    }
    ruleset_print(set, cli->out);
    return CLI_DONE;
}

int cmd_firewall(struct cli *cli, int argc, char **argv)
{
    struct wanted wanted = {0};
    const struct cli_option options[] = {
        {"--for", NULL, &wanted.platform},
        {"--interface", NULL, &wanted.interfaces},
        {"--except-group", NULL, &wanted.exempt},
        {"--port", NULL, &wanted.port},
        {NULL},
    };
    int count = cli_options(cli, argc, argv, options);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (count != 1 || strcmp(argv[1], "print") != 0) {
        return cli_usage(cli, "firewall", "print is expected");
    }
    struct config *config = NULL;
    struct diag diag = {0};
    if (config_load(cli->config_path, &config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    struct ruleset set = {.config = config, .exempt = calloc(config->group_count, sizeof(bool))};
    int code =
        set.exempt ? print_ruleset(cli, &wanted, &set) : cli_fail(cli, CLI_FAILED, "no memory");
    text_list_clear(&set.doh);
    free(set.exempt);
    config_free(config);
    return code;
}
