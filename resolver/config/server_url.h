// SPDX-License-Identifier: Apache-2.0
/* server_url: what stands for a server in upstream.servers and upstream.zones. */
#pragma once
#include "base/addr.h"

enum server_transport { SERVER_UDP, SERVER_TCP, SERVER_TLS, SERVER_SYSTEM };

enum { SERVER_NAME_MAX = 254, SERVER_PIN = 32 };

struct server_url {
    uint8_t transport;          /* enum server_transport */
    struct addr addr;           /* but for SERVER_SYSTEM */
    char name[SERVER_NAME_MAX]; /* of its certificate, "" = none given */
    bool pinned;
    uint8_t pin[SERVER_PIN]; /* SHA-256 of its public key (RFC 7858 section 4.2) */
};

/* "udp://IP:PORT", "tcp://IP:PORT", "tls://IP:PORT", the latter with "#NAME" or
 * "#sha256/BASE64=" behind it, or "system". -EINVAL. */
__attribute__((warn_unused_result)) int server_url_parse(const char *text,
                                                         struct server_url *ret_url);

/* The same server for all that is known of one: address, link, name and key too. */
bool server_url_equal(const struct server_url *a, const struct server_url *b);
