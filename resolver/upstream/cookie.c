// SPDX-License-Identifier: Apache-2.0
#include "upstream/cookie.h"

#include <string.h>

#include "base/hash.h"

void cookie_leave_from(struct server *server, const struct addr *local)
{
    if (!addr_equal(&server->cookie_from, local)) {
        server->cookie_from = *local;
        server->cookie_len = ASK_COOKIE_CLIENT;
        random_bytes(server->cookie, ASK_COOKIE_CLIENT);
    }
}

void cookie_put(const struct server *server, struct ask_extras *extras)
{
    extras->cookie_len = server->cookie_len;
    memcpy(extras->cookie, server->cookie, server->cookie_len);
}

enum cookie_match cookie_take(struct server *server, const uint8_t *sent,
                              const struct ask_verdict *verdict)
{
    if (verdict->cookie_len == 0) {
        return server->cookie_len == ASK_COOKIE_CLIENT ? COOKIE_RIGHT : COOKIE_MISSING;
    }
    if (memcmp(verdict->cookie, sent, ASK_COOKIE_CLIENT) != 0) {
        return COOKIE_WRONG;
    }
    if (memcmp(server->cookie, sent, ASK_COOKIE_CLIENT) != 0) {
        return COOKIE_RIGHT; /* since then queries leave from another address */
    }
    memcpy(server->cookie, verdict->cookie, verdict->cookie_len);
    server->cookie_len = verdict->cookie_len;
    return COOKIE_RIGHT;
}

void cookie_forget(struct server *server)
{
    server->cookie_len = ASK_COOKIE_CLIENT;
}
