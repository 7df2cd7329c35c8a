// SPDX-License-Identifier: Apache-2.0
/* tls_context: what tls.c sees of a context; inside net/ only. */
#pragma once
#include "net/tls.h"

#include <openssl/ssl.h>

struct tls_context {
    SSL_CTX *ssl;
    bool trusts_system;
};

/* Expect this peer in a client's handshake. -EINVAL, -ENOMEM. */
__attribute__((warn_unused_result)) int tls_expect(struct tls *tls, const struct addr *addr);

/* After the handshake: is it the expected peer? -EACCES. */
__attribute__((warn_unused_result)) int tls_check_peer(const struct tls *tls);
