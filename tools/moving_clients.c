// SPDX-License-Identifier: Apache-2.0
/* Elsewhere the narrowest name of a client wins, here the first group that names it: groups
 * with narrower clients go first, and one that must stand on both sides is divided. */
#include <stdlib.h>
#include <string.h>

#include "config/member.h"
#include "tools/moving.h"

struct client {
    cJSON *text;
    size_t policy;
    bool is_subnet, is_device; /* neither: it is nothing that can be named here */
    struct prefix prefix;
    unsigned below; /* narrower ones of other policies that still wait */
    bool placed;
};

struct order {
    cJSON **policies;
    bool *divided;
    size_t policy_count;
    struct client *clients; /* of one policy side by side */
    size_t client_count;
    cJSON *made;
};

static void *make(size_t count, size_t size)
{
    void *made = calloc(count + 1, size);
    if (!made) {
        abort(); /* in a child of its own: its end is told */
    }
    return made;
}

static struct client read_client(cJSON *text, size_t policy)
{
    char ours[MOVING_CLIENT_MAX];
    struct member member;
    struct client client = {.text = text, .policy = policy};
    if (moving_client(text->valuestring, ours) || member_parse(ours, &member) < 0) {
        return client;
    }
    unsigned whole = member.prefix.addr.family == AF_INET ? 32 : 128;
    client.is_subnet = member.kind == MEMBER_PREFIX && member.prefix.bits < whole;
    client.is_device = !client.is_subnet;
    if (member.kind == MEMBER_PREFIX) {
        client.prefix = member.prefix;
    }
    return client;
}

/* Of a device without an address nobody knows which subnet it is in: maybe this one. */
static bool covers(const struct client *wide, const struct client *narrow)
{
    if (!wide->is_subnet || wide->policy == narrow->policy) {
        return false;
    }
    if (narrow->is_device && !narrow->prefix.addr.family) {
        return true;
    }
    return (narrow->is_device || narrow->is_subnet) && narrow->prefix.bits > wide->prefix.bits &&
           prefix_covers(&wide->prefix, &narrow->prefix.addr);
}

static void read_policies(struct order *order, cJSON *policies)
{
    cJSON *policy, *text;
    size_t clients = 0;
    cJSON_ArrayForEach(policy, policies)
    {
        order->policy_count++;
        clients += (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(policy, "clients"));
    }
    order->policies = make(order->policy_count, sizeof(cJSON *));
    order->divided = make(order->policy_count, sizeof(bool));
    order->clients = make(clients, sizeof(struct client));
    size_t at = 0;
    cJSON_ArrayForEach(policy, policies)
    {
        cJSON_ArrayForEach(text, cJSON_GetObjectItemCaseSensitive(policy, "clients"))
        {
            order->clients[order->client_count++] = read_client(text, at);
        }
        order->policies[at++] = policy;
    }
    for (size_t w = 0; w < order->client_count; w++) {
        struct client *wide = &order->clients[w];
        for (size_t n = 0; wide->is_subnet && n < order->client_count; n++) {
            wide->below += covers(wide, &order->clients[n]);
        }
    }
}

static void place(struct order *order, struct client *client)
{
    client->placed = true;
    for (size_t i = 0; i < order->client_count; i++) {
        struct client *wide = &order->clients[i];
        wide->below -= !wide->placed && covers(wide, client);
    }
}

/* The next group: those clients of a policy that cover nobody who still waits. */
static void place_part(struct order *order, size_t policy, bool whole)
{
    cJSON *part = cJSON_Duplicate(order->policies[policy], true);
    cJSON *clients = cJSON_CreateArray();
    for (size_t i = 0; i < order->client_count; i++) {
        struct client *client = &order->clients[i];
        if (client->policy == policy && !client->placed && client->below == 0) {
            cJSON_AddItemToArray(clients, cJSON_CreateString(client->text->valuestring));
            place(order, client);
        }
    }
    order->divided[policy] |= !whole;
    if (order->divided[policy]) {
        cJSON_AddTrueToObject(part, "divided");
    }
    cJSON_DeleteItemFromObjectCaseSensitive(part, "clients");
    cJSON_AddItemToObject(part, "clients", clients);
    cJSON_AddItemToArray(order->made, part);
}

/* Whole policies as long as there is one, in the order of the file. */
static bool place_next(struct order *order)
{
    size_t part = order->policy_count;
    for (size_t at = 0; at < order->client_count;) {
        size_t policy = order->clients[at].policy, waiting = 0, ready = 0;
        for (; at < order->client_count && order->clients[at].policy == policy; at++) {
            const struct client *client = &order->clients[at];
            waiting += !client->placed;
            ready += !client->placed && client->below == 0;
        }
        if (waiting > 0 && ready == waiting) {
            place_part(order, policy, true);
            return true;
        }
        part = ready > 0 && part == order->policy_count ? policy : part;
    }
    if (part < order->policy_count) {
        place_part(order, part, false);
    }
    return part < order->policy_count;
}

void moving_order_clients(struct moving *moving)
{
    struct order order = {.made = cJSON_CreateArray()};
    cJSON *policies = cJSON_GetObjectItemCaseSensitive(moving->root, "policies");
    read_policies(&order, policies);
    bool crossed = false;
    for (size_t i = 0; i < order.client_count; i++) {
        crossed |= order.clients[i].below > 0;
    }
    while (crossed && place_next(&order)) {
    }
    /* Those without clients, of which the last catches the rest, stay where they were: last. */
    for (size_t i = 0; crossed && i < order.policy_count; i++) {
        if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(order.policies[i], "clients")) ==
            0) {
            cJSON_AddItemToArray(order.made, cJSON_Duplicate(order.policies[i], true));
        }
    }
    if (crossed) {
        cJSON_ReplaceItemInObjectCaseSensitive(moving->root, "policies", order.made);
    } else {
        cJSON_Delete(order.made);
    }
    free(order.policies);
    free(order.divided);
    free(order.clients);
}
