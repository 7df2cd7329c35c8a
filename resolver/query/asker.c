// SPDX-License-Identifier: Apache-2.0
#include "query/asker.h"

#include "query/presence.h"

uint16_t asker_group(const struct query *query)
{
    const struct snapshot *snapshot = query->worker->snapshot;
    const struct question *question = &query->question;
    struct client client = {&query->client, NULL, query->channel->id};
    if (question->has_mac && snapshot_is_forwarder(snapshot, &query->client)) {
        client.mac = question->mac;
    }
    return snapshot_group(snapshot, &client);
}

void asker_note(const struct query *query)
{
    struct presence *presence = query->worker->presence;
    if (!presence) {
        return;
    }
    if (query->question.has_mac && snapshot_is_forwarder(query->worker->snapshot, &query->client)) {
        presence_note(presence, query->question.mac, DEVICE_MAC_LEN);
    } else {
        presence_note_address(presence, &query->client);
    }
}
