// SPDX-License-Identifier: Apache-2.0
/* reason: why a name is blocked for a client, as the daemon tells it. */
#pragma once
#include "base/addr.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct reason {
    bool known;        /* false: no daemon, no answer in time, or it cannot tell */
    bool blocked;      /* when known */
    char word[32];     /* of verdict.def: "list", "block-rule" */
    char category[64]; /* id, "" = none */
    char group[64];
    char rule_group[64]; /* of a local rule for one group, "" = for all */
    char list[64];
    char ref[32];
    bool watched;     /* somebody looks at what this device is answered */
    int64_t opens_at; /* when it is open again; 0 = not known */
};

/* A request about a host and a client; NULL without memory. */
cJSON *reason_request(const char *command, const struct addr *client, const char *host);

/* Of the reply to "why", or of NULL. */
struct reason reason_read(const cJSON *reply);
