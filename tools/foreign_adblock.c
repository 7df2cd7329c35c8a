// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "tools/foreign.h"

enum { LINE_MAX_OCTETS = 1000 };

static void leave(struct moving *moving, const char *line, const char *why)
{
    moving_leave(moving, THING("rule", line), "%s", why);
}

/* "0.0.0.0 x y" blocks, "192.0.2.1 x" is a record. */
static cJSON *take_hosts_line(struct moving *moving, const char *line, const struct addr *addr)
{
    cJSON *rule = NULL;
    char copy[LINE_MAX_OCTETS], *save = NULL;
    snprintf(copy, sizeof(copy), "%s", line);
    strtok_r(copy, " \t", &save);
    if (!addr_is_any(addr) && !addr_is_loopback(addr)) {
        foreign_take_hosts(moving, line);
        return NULL;
    }
    for (char *name; (name = strtok_r(NULL, " \t", &save)) != NULL && *name != '#';) {
        rule = moving_add_rule(moving, "block", name, true);
    }
    return rule;
}

static cJSON *take_pattern(struct moving *moving, const char *action, char *body)
{
    size_t len = strlen(body);
    body[len - 1] = '\0';
    return moving_add_pattern(moving, action, body + 1);
}

/* "||x^", "|x^", "*.x", "x"; NULL when it is none of them. */
static cJSON *take_body(struct moving *moving, const char *line, const char *action, char *body)
{
    size_t len = strlen(body);
    if (len > 2 && body[0] == '/' && body[len - 1] == '/') {
        return take_pattern(moving, action, body);
    }
    bool below = strncmp(body, "||", 2) == 0;
    char *name = body + (below ? 2 : body[0] == '|');
    size_t end = strlen(name);
    while (end > 0 && strchr("^|", name[end - 1])) {
        name[--end] = '\0';
    }
    if (strncmp(name, "*.", 2) == 0) {
        name += 2;
        below = true;
    }
    if (!*name || strpbrk(name, "*/:^|$ ")) {
        leave(moving, line, "wildcards, paths and ports are no names: use a regular expression");
        return NULL;
    }
    return moving_add_rule(moving, action, name, !below);
}

/* "client='Tablet'" or "client=Tablet" alone; NULL for anything else. */
static const char *client_of(char *modifiers)
{
    char *client = strncmp(modifiers, "client=", 7) == 0 ? modifiers + 7 : NULL;
    if (!client || strpbrk(client, ",|~")) {
        return NULL;
    }
    size_t len = strlen(client);
    if (len > 1 && (client[0] == '\'' || client[0] == '"') && client[len - 1] == client[0]) {
        client[len - 1] = '\0';
        client++;
    }
    return client;
}

static cJSON *take_rule(struct moving *moving, const char *line, char *copy)
{
    const char *client = NULL;
    bool important = false;
    bool allow = strncmp(copy, "@@", 2) == 0;
    char *body = copy + (allow ? 2 : 0);
    /* A '$' inside of a regular expression is not the beginning of modifiers. */
    char *sign = body[0] == '/' ? strstr(body, "/$") : strrchr(body, '$');
    char *modifiers = sign ? sign + (body[0] == '/') : NULL;
    if (modifiers) {
        *modifiers++ = '\0';
        client = client_of(modifiers);
        important = strcmp(modifiers, "important") == 0;
        if (!client && !important) {
            leave(moving, line, "its modifiers ($...) have no like here");
            return NULL;
        }
    }
    cJSON *rule = take_body(moving, line, allow ? "allow" : "block", body);
    if (rule && important) {
        cJSON_AddTrueToObject(rule, "important");
    }
    if (rule && client) {
        cJSON_AddStringToObject(rule, "policy", client);
    }
    return rule;
}

cJSON *foreign_take_adblock(struct moving *moving, const char *line)
{
    char copy[LINE_MAX_OCTETS], first[ADDR_TEXT_MAX];
    struct addr addr;
    line += strspn(line, " \t");
    if (!*line || *line == '!' || *line == '#') {
        return NULL;
    }
    if (strlen(line) >= sizeof(copy)) {
        leave(moving, line, "it is too long");
        return NULL;
    }
    snprintf(copy, sizeof(copy), "%s", line);
    snprintf(first, sizeof(first), "%.*s", (int)strcspn(line, " \t"), line);
    if (line[strlen(first)] && addr_parse(first, &addr) == 0) {
        return take_hosts_line(moving, line, &addr);
    }
    if (strstr(line, "##") || strstr(line, "#@#") || strstr(line, "#?#")) {
        leave(moving, line, "only a browser can follow it");
        return NULL;
    }
    return take_rule(moving, line, copy);
}
