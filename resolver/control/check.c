// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/member.h"
#include "control/commands.h"
#include "policy/explain.h"
#include "query/watch.h"

static const int64_t at_max = 1LL << 36;

struct view {
    const struct control_call *call;
    const struct snapshot *snapshot; /* of now, or of the time that is asked about */
};

/* Whose question it is: of a client, of a group, or of the group that catches the rest. */
static int read_asker(const struct control_call *call, const struct snapshot *snapshot,
                      struct addr *client, struct asker *ret_asker)
{
    const char *text = control_text(call, "client");
    struct member member;
    const char *group = control_text(call, "group");
    *ret_asker = (struct asker){.group = (uint16_t)(snapshot->group_count - 1)};
    if (*text && control_parse_client(text, &member) < 0) {
        return diag_set(call->diag, CONTROL_USAGE, CONTROL_CLIENT_FORMS);
    }
    if (*text && member.kind == MEMBER_PREFIX) {
        *client = member.prefix.addr;
        ret_asker->client = client;
    } else if (*text) {
        ret_asker->group = snapshot_group_of_member(snapshot, &member);
    } else if (*group) {
        int index = snapshot_find_group(snapshot, group);
        if (index < 0) {
            return diag_set(call->diag, CONTROL_USAGE, "no group is named %.64s", group);
        }
        ret_asker->group = (uint16_t)index;
    }
    return CONTROL_DONE;
}

/* A name that is not blocked itself may lead to a name or an address that is: then that
 * one's why is told, under the name that was asked. */
static void explain(const struct view *view, const struct dname *name, const struct asker *asker,
                    struct explanation *why)
{
    const struct control_backend *backend = view->call->backend;
    const struct snapshot *snapshot = view->snapshot;
    uint16_t group = asker->client
                         ? snapshot_group(snapshot, &(struct client){.addr = asker->client})
                         : asker->group;
    struct lead lead;
    char text[DNAME_TEXT_MAX];
    policy_explain(snapshot, name, asker, why);
    if (why->blocked || !backend->blocked_lead) {
        return;
    }
    bool blocked = backend->blocked_lead(backend->owner, name, group, &lead);
    if (!blocked || strcmp(why->reason, reason_word(REASON_RULE_ALLOW)) == 0) {
        policy_explain_place(snapshot, &lead.addr, why); /* where it leads to, as far as known */
        return;
    }
    if (lead.addr.family) {
        policy_explain_address(snapshot, &(struct held_address){&lead.addr, name}, asker, why);
        return;
    }
    policy_explain(snapshot, &lead.target, asker, why);
    snprintf(why->alias, sizeof(why->alias), "%s", why->name);
    snprintf(why->name, sizeof(why->name), "%s", dname_print(name, text));
}

/* As it would be at "at", with the parts of now; NULL without memory. */
static struct snapshot *snapshot_at(const struct snapshot *now, int64_t at)
{
    const struct moment moment = {at, now->made.mono_s, true};
    return snapshot_new(&now->parts, &moment);
}

static int check(struct control_call *call, const struct snapshot *snapshot)
{
    const char *text = control_text(call, "name");
    struct dname name;
    struct addr client, addr;
    struct asker asker;
    if (!snapshot) {
        return diag_set(call->diag, CONTROL_FAILED, "the daemon is still starting");
    }
    bool address = addr_parse(*text ? text : control_text(call, "host"), &addr) == 0;
    if (!address && dname_parse(*text ? text : control_text(call, "host"), &name) < 0) {
        return diag_set(call->diag, CONTROL_USAGE, "name: a domain name is expected");
    }
    int code = read_asker(call, snapshot, &client, &asker);
    if (code != CONTROL_DONE) {
        return code;
    }
    struct explanation *why = malloc(sizeof(*why));
    if (!why) {
        return CONTROL_FAILED;
    }
    if (address) {
        policy_explain_address(snapshot, &(struct held_address){&addr, NULL}, &asker, why);
    } else {
        explain(&(struct view){call, snapshot}, &name, &asker, why);
    }
    if (!asker.client) {
        snprintf(why->client, sizeof(why->client), "%s", control_text(call, "client"));
    }
    bool forwarder = asker.client && snapshot_is_forwarder(snapshot, &client);
    const struct control_backend *backend = call->backend;
    bool watched = backend->watch && asker.client &&
                   watch_sees(backend->watch, &client, clock_wall_s(backend->clock));
    bool admitted = !asker.client || snapshot_admits(snapshot, &client);
    if (call->asker && call->asker->role != ROLE_ADMIN) {
        char bare[CONTROL_URL_MAX];
        snprintf(why->list_url, sizeof(why->list_url), "%s", control_bare_url(why->list_url, bare));
    }
    int err = control_add_why(call->reply, why);
    if (err == 0 && (!cJSON_AddBoolToObject(call->reply, "admitted", admitted) ||
                     !cJSON_AddBoolToObject(call->reply, "watched", watched) ||
                     !cJSON_AddBoolToObject(call->reply, "forwarder", forwarder))) {
        err = -ENOMEM;
    }
    free(why);
    return err < 0 ? CONTROL_FAILED : CONTROL_DONE;
}

int control_do_check(struct control_call *call)
{
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    int64_t at = 0;
    int err = control_number(call, "at", at_max, &at);
    if (err == -EINVAL) {
        return diag_set(call->diag, CONTROL_USAGE, "at: seconds since 1970");
    }
    if (!snapshot || !at) {
        return check(call, snapshot);
    }
    struct snapshot *then = snapshot_at(snapshot, at);
    int code = then ? check(call, then) : CONTROL_FAILED;
    snapshot_free(then);
    return code;
}

int control_do_why(struct control_call *call)
{
    return control_do_check(call);
}
