// SPDX-License-Identifier: Apache-2.0
/* tls_peer: whom we expect at the far end of a TLS connection that we open. */
#pragma once
#include "base/addr.h"
#include "base/diag.h"

enum { TLS_PIN_SIZE = 32, TLS_NAME_MAX = 254 };

/* Settings of all connections that we open, any thread; counted references. Nothing of
 * it exists unless it is made. */
struct tls_trust;

/* With the system's certificates when `by_name`, which checking names needs. -EINVAL with
 * *diag when there are none. Reads files: main thread. */
__attribute__((warn_unused_result)) int tls_trust_new(bool by_name, struct tls_trust **ret_trust,
                                                      struct diag *diag);
struct tls_trust *tls_trust_ref(struct tls_trust *trust);
void tls_trust_unref(struct tls_trust *trust);

/* Lives as long as its connections. */
struct tls_peer {
    struct tls_trust *trust;
    struct addr addr;               /* looked for in the certificate when there is no name */
    char name[TLS_NAME_MAX];        /* looked for in the certificate, sent as SNI; "" = none */
    bool pinned;                    /* then the pin alone counts */
    uint8_t pin[TLS_PIN_SIZE];      /* SHA-256 of its SubjectPublicKeyInfo (RFC 7858 section 4.2) */
    struct ssl_session_st *session; /* for resuming, NULL = none yet */
};

/* Give up the session. */
void tls_peer_clear(struct tls_peer *peer);

struct ssl_st;

/* A connection to the peer, not yet started; NULL without memory. Used by the pump. */
struct ssl_st *tls_peer_connect(struct tls_peer *peer);

/* After the handshake. 0, or -EACCES: it is somebody else. */
__attribute__((warn_unused_result)) int tls_peer_check(struct ssl_st *ssl);
