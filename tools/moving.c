// SPDX-License-Identifier: Apache-2.0
#include "tools/moving.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "blocklists/suffix.h"
#include "config/member.h"
#include "tools/cli.h"

static const char *const arrays[] = {"lists", "policies",  "rules", "records",
                                     "zones", "upstreams", "left"};

int moving_init(struct moving *moving, const char *from)
{
    moving->items = 0;
    moving->root = cJSON_CreateObject();
    if (!moving->root || !cJSON_AddStringToObject(moving->root, "from", from) ||
        !cJSON_AddObjectToObject(moving->root, "settings") ||
        !cJSON_AddArrayToObject(moving->root, "overflow")) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        if (!cJSON_AddArrayToObject(moving->root, arrays[i])) {
            return -ENOMEM;
        }
    }
    return 0;
}

void moving_clear(struct moving *moving)
{
    cJSON_Delete(moving->root);
    moving->root = NULL;
}

cJSON *moving_add(struct moving *moving, const char *array)
{
    cJSON *object = cJSON_CreateObject();
    bool fits = moving->items < MOVING_ITEMS_MAX;
    if (!fits && moving->items++ == MOVING_ITEMS_MAX) {
        cJSON_AddTrueToObject(moving->root, "full");
    }
    moving->items += fits;
    if (object) {
        cJSON_AddItemToArray(
            cJSON_GetObjectItemCaseSensitive(moving->root, fits ? array : "overflow"), object);
    }
    if (!object) {
        abort(); /* in a child of its own: its end is told */
    }
    return object;
}

void moving_leave(struct moving *moving, const struct moving_thing *thing, const char *format, ...)
{
    char why[MOVING_TEXT_MAX], name[MOVING_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    snprintf(name, sizeof(name), "%s", thing->what ? thing->what : "");
    cli_make_plain_text(name);
    cli_make_plain_text(why);
    cJSON *left = moving_add(moving, "left");
    cJSON_AddStringToObject(left, "kind", thing->kind);
    cJSON_AddStringToObject(left, "what", name);
    cJSON_AddStringToObject(left, "why", why);
}

cJSON *moving_add_list(struct moving *moving, const char *url, const char *name, bool enabled)
{
    cJSON *list = moving_add(moving, "lists");
    cJSON_AddStringToObject(list, "url", url);
    cJSON_AddStringToObject(list, "name", name ? name : "");
    cJSON_AddBoolToObject(list, "enabled", enabled);
    return list;
}

static cJSON *add_rule(struct moving *moving, const char *action, const char *key,
                       const char *value)
{
    cJSON *rule = moving_add(moving, "rules");
    cJSON_AddStringToObject(rule, "action", action);
    cJSON_AddStringToObject(rule, key, value);
    return rule;
}

/* Whom nobody but the caller sees, so that it need not ask. */
static cJSON *add_nothing(struct moving *moving)
{
    return moving_add(moving, "overflow");
}

cJSON *moving_add_rule(struct moving *moving, const char *action, const char *name, bool exact)
{
    static struct suffix_set *suffixes;
    struct dname dname;
    char text[DNAME_TEXT_MAX];
    suffixes = suffixes ? suffixes : suffix_new();
    if (cli_parse_name(name, &dname) < 0) {
        moving_leave(moving, THING("rule", name), "it is no domain name");
        return add_nothing(moving);
    }
    if (!exact && suffixes && suffix_is_public(suffixes, &dname)) {
        moving_leave(moving, THING("rule", name),
                     "it is a public suffix: the rule would cover everybody's names below it");
        return add_nothing(moving);
    }
    cJSON *rule = add_rule(moving, action, "name", dname_print(&dname, text));
    cJSON_AddBoolToObject(rule, "exact", exact);
    return rule;
}

/* "(\.|^)x\.example$" and "(^|\.)x\.example$": the name, without backslashes. */
static bool stands_for_name(const char *pattern, char out[DNAME_TEXT_MAX])
{
    static const char *const heads[] = {"(\\.|^)", "(^|\\.)", "(?:^|\\.)", "(?:\\.|^)"};
    size_t len = strlen(pattern), used = 0;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        size_t head = strlen(heads[i]);
        if (strncmp(pattern, heads[i], head) != 0) {
            continue;
        }
        for (const char *c = pattern + head; c < pattern + len - 1; c++) {
            c += c[0] == '\\' && (c[1] == '.' || c[1] == '-');
            bool plain = isalnum((unsigned char)*c) || *c == '-' || *c == '_' ||
                         (*c == '.' && c[-1] == '\\');
            if (!plain || used + 2 > DNAME_TEXT_MAX) {
                return false;
            }
            out[used++] = *c;
        }
        out[used] = '\0';
        return len > head + 1 && pattern[len - 1] == '$' && used > 0;
    }
    return false;
}

cJSON *moving_add_pattern(struct moving *moving, const char *action, const char *pattern)
{
    char name[DNAME_TEXT_MAX];
    if (stands_for_name(pattern, name)) {
        return moving_add_rule(moving, action, name, false);
    }
    return add_rule(moving, action, "pattern", pattern);
}

void moving_add_record(struct moving *moving, const char *name, const char *address)
{
    struct addr addr;
    struct dname dname;
    char text[DNAME_TEXT_MAX];
    if (addr_parse(address, &addr) < 0 || strchr(address, '%')) {
        moving_leave(moving, THING("record", name), "%.200s is no address", address);
        return;
    }
    if (strchr(name, '*') || cli_parse_name(name, &dname) < 0) {
        moving_leave(moving, THING("record", name),
                     strchr(name, '*') ? "a record is for one name, not for all below it"
                                       : "it is no domain name");
        return;
    }
    cJSON *record = moving_add(moving, "records");
    cJSON_AddStringToObject(record, "name", dname_print(&dname, text));
    cJSON_AddStringToObject(record, "address", address);
}

int moving_reverse(const char *subnet, char *out, size_t cap)
{
    struct prefix prefix;
    if (prefix_parse(subnet, &prefix) < 0) {
        return -EINVAL;
    }
    bool v4 = prefix.addr.family == AF_INET;
    unsigned step = v4 ? 8 : 4, used = 0;
    if (prefix.bits % step || prefix.bits == 0) {
        return -EINVAL;
    }
    for (unsigned at = prefix.bits / step; at-- > 0;) {
        uint8_t octet = prefix.addr.bytes[v4 ? at : at / 2];
        int len = v4 ? snprintf(out + used, cap - used, "%u.", octet)
                     : snprintf(out + used, cap - used, "%x.", at % 2 ? octet & 15 : octet >> 4);
        used += (unsigned)len;
        if (used >= cap) {
            return -EINVAL;
        }
    }
    int len = snprintf(out + used, cap - used, v4 ? "in-addr.arpa" : "ip6.arpa");
    return (size_t)len < cap - used ? 0 : -EINVAL;
}

/* Others take a subnet with bits to the right of its length; we take the subnet. */
static int mask(const char *text, char out[MOVING_CLIENT_MAX])
{
    char address[ADDR_TEXT_MAX];
    struct addr addr;
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : 0;
    unsigned bits = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
    if (len == 0 || len >= sizeof(address)) {
        return -EINVAL;
    }
    memcpy(address, text, len);
    address[len] = '\0';
    if (addr_parse(address, &addr) < 0 || bits > (addr.family == AF_INET ? 32 : 128)) {
        return -EINVAL;
    }
    for (unsigned bit = bits; bit < 128; bit++) {
        addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    }
    snprintf(out, MOVING_CLIENT_MAX, "%s/%u", addr_print(&addr, address), bits);
    return 0;
}

const char *moving_client(const char *text, char out[MOVING_CLIENT_MAX])
{
    struct member member;
    char host[MEMBER_NAME_MAX];
    int err = member_parse(text, &member);
    if (err == -ERANGE) {
        return mask(text, out) < 0 ? "it is no subnet" : NULL;
    }
    if (err == 0 && strlen(text) < MOVING_CLIENT_MAX) {
        snprintf(out, MOVING_CLIENT_MAX, "%s", text);
        return NULL;
    }
    if (strpbrk(text, "*?[")) {
        return "names with wildcards are not known here: name each device, by host:NAME, its "
               "MAC or its address";
    }
    if (text[0] == ':') {
        return "groups go by addresses, MACs and names, not by network interfaces";
    }
    if (strpbrk(text, " /") || !text[strspn(text, "0123456789.")] ||
        member_take_name(text, strcspn(text, "."), host) < 0) {
        return "it is neither address, subnet, MAC nor a device's name";
    }
    snprintf(out, MOVING_CLIENT_MAX, "host:%s", host);
    return NULL;
}

void moving_set(struct moving *moving, const char *section, const char *key, cJSON *value)
{
    cJSON *settings = cJSON_GetObjectItemCaseSensitive(moving->root, "settings");
    cJSON *object = cJSON_GetObjectItemCaseSensitive(settings, section);
    object = object ? object : cJSON_AddObjectToObject(settings, section);
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddItemToObject(object, key, value);
}

void moving_id(const char *text, const char *otherwise, char out[MOVING_ID_MAX])
{
    size_t used = 0;
    for (; *text && used + 1 < MOVING_ID_MAX; text++) {
        unsigned char c = (unsigned char)tolower((unsigned char)*text);
        bool plain = isascii(c) && (isalnum(c) || c == '.' || c == '_');
        if (plain) {
            out[used++] = (char)c;
        } else if (used > 0 && out[used - 1] != '-') {
            out[used++] = '-';
        }
    }
    while (used > 0 && strchr("-._", out[used - 1])) {
        used--;
    }
    out[used] = '\0';
    const char *start = out + strspn(out, "-._");
    memmove(out, start, strlen(start) + 1);
    if (!*out) {
        snprintf(out, MOVING_ID_MAX, "%s", otherwise);
    }
}

const char *moving_text(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

bool moving_next_line(struct moving_lines *lines)
{
    while (*lines->at) {
        size_t len = strcspn(lines->at, "\n");
        const char *from = lines->at + strspn(lines->at, " \t\r");
        const char *end = lines->at + len;
        lines->at = *end ? end + 1 : end;
        lines->number++;
        while (end > from && isspace((unsigned char)end[-1])) {
            end--;
        }
        if (end <= from || *from == '#') {
            continue;
        }
        lines->cut = (size_t)(end - from) >= sizeof(lines->line);
        len = lines->cut ? sizeof(lines->line) - 1 : (size_t)(end - from);
        memcpy(lines->line, from, len);
        lines->line[len] = '\0';
        return true;
    }
    return false;
}
