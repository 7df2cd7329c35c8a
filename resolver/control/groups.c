// SPDX-License-Identifier: Apache-2.0
/* Who is in which group now: sums, and for one client why. */
#include <errno.h>
#include <string.h>

#include "control/commands.h"
#include "policy/configured.h"

int control_parse_client(const char *text, struct member *ret_member)
{
    struct addr addr;
    if (addr_parse(text, &addr) == 0) {
        *ret_member = (struct member){.kind = MEMBER_PREFIX, .prefix = {addr, 0}};
        return 0;
    }
    int err = member_parse(text, ret_member);
    return err == 0 && ret_member->kind != MEMBER_PREFIX ? 0 : -EINVAL;
}

static void add_texts(cJSON *object, const char *key, const struct text_list *list)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; i < list->count; i++) {
        cJSON_AddItemToArray(array, cJSON_CreateString(list->items[i]));
    }
}

static void add_groups(const struct snapshot *snapshot, cJSON *reply)
{
    cJSON *groups = cJSON_AddArrayToObject(reply, "groups");
    for (size_t i = 0; i < snapshot->group_count; i++) {
        const struct config_group *group = &snapshot->config->groups[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToArray(groups, item);
        cJSON_AddStringToObject(item, "name", group->name);
        add_texts(item, "clients", &group->clients);
        add_texts(item, "block", &group->block);
        add_texts(item, "services", &group->services);
        cJSON_AddNumberToObject(item, "addresses",
                                (double)residents_count(snapshot->parts.residents, (uint16_t)i));
    }
}

/* "subnet", "mac", "host", "id", "rest": by what the client is in its group. */
static const char *reason_of(const struct snapshot *snapshot, const struct member *member,
                             uint16_t group)
{
    static const char *const words[] = {[MEMBER_PREFIX] = "subnet",
                                        [MEMBER_MAC] = "mac",
                                        [MEMBER_HOST] = "host",
                                        [MEMBER_ID] = "id"};
    if (member->kind != MEMBER_PREFIX) {
        bool named = group + 1U < snapshot->group_count;
        return named ? words[member->kind] : "rest";
    }
    const struct addr *addr = &member->prefix.addr;
    const struct resident *resident = residents_find(snapshot->parts.residents, addr);
    if (client_find(snapshot->parts.config->groups, addr) == group) {
        return "subnet";
    }
    return resident && resident->group == group ? resident->why == RESIDENT_MAC ? "mac" : "host"
                                                : "rest";
}

int control_do_groups(struct control_call *call)
{
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    const char *client = control_text(call, "client");
    struct member member;
    if (!snapshot) {
        return diag_set(call->diag, CONTROL_FAILED, "the daemon is still starting");
    }
    if (!*client) {
        add_groups(snapshot, call->reply);
        return CONTROL_DONE;
    }
    if (control_parse_client(client, &member) < 0) {
        return diag_set(call->diag, CONTROL_USAGE, CONTROL_CLIENT_FORMS);
    }
    uint16_t group = snapshot_group_of_member(snapshot, &member);
    cJSON_AddStringToObject(call->reply, "client", client);
    cJSON_AddStringToObject(call->reply, "group", snapshot->config->groups[group].name);
    cJSON_AddStringToObject(call->reply, "by", reason_of(snapshot, &member, group));
    return CONTROL_DONE;
}
