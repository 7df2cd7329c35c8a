// SPDX-License-Identifier: Apache-2.0
#include "upstream/cookie.h"

#include <string.h>

void cookie_put(const struct server *server, struct ask_extras *extras)
{
    extras->cookie_len = server->cookie_len;
    memcpy(extras->cookie, server->cookie, server->cookie_len);
}

bool cookie_take(struct server *server, const struct ask_verdict *verdict)
{
    if (verdict->cookie_len == 0) {
        return server->cookie_len == ASK_COOKIE_CLIENT;
    }
    if (memcmp(verdict->cookie, server->cookie, ASK_COOKIE_CLIENT) != 0) {
        return false;
    }
    memcpy(server->cookie, verdict->cookie, verdict->cookie_len);
    server->cookie_len = verdict->cookie_len;
    return true;
}
