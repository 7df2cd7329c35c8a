// SPDX-License-Identifier: Apache-2.0
/* tls: TLS 1.2 and up over a stream, either side, by memory buffers on the loop.
 *
 * The owner embeds struct tls and is told the same things as of a stream, but in plain
 * text. Handshakes have no time limit of their own: the owner arms tls_deadline() when
 * it connects or accepts. Reading begins by itself. */
#pragma once
#include "base/diag.h"
#include "net/stream.h"

struct tls;

/* Settings shared by many connections, of any thread; made on the main thread. */
struct tls_context;

/* For servers: the certificate chain and its key, PEM. ALPN "dot" is agreed to. To
 * change the certificate, make a new context for connections to come and release the
 * old one. -EINVAL and what the file system says, with the diag. */
__attribute__((warn_unused_result)) int tls_context_server(const char *certificate, const char *key,
                                                           struct tls_context **ret_context,
                                                           struct diag *diag);

/* For clients. */
__attribute__((warn_unused_result)) int tls_context_client(struct tls_context **ret_context);

/* Load the system's certificates, once; needed by peers that are checked by name.
 * -ENOENT with the diag when there are none. */
__attribute__((warn_unused_result)) int tls_context_trust_system(struct tls_context *context,
                                                                 struct diag *diag);

/* The same settings once more, for another thread to hold and free; sessions of one are
 * resumed by the other. NULL without memory. */
struct tls_context *tls_context_share(const struct tls_context *context);

/* Open connections keep what they need. NULL is allowed. */
void tls_context_free(struct tls_context *context);

struct tls_events {
    /* The handshake is done and the peer is who it should be: write from now on. */
    void (*on_ready)(struct tls *tls);
    void (*on_data)(struct tls *tls, const uint8_t *data, size_t len);
    /* As of a stream: 0 when the peer closed its side, at most once; -EPROTO when it
     * speaks no TLS that we accept, -EACCES when it is not who it should be. */
    void (*on_end)(struct tls *tls, int err);
    void (*on_drained)(struct tls *tls); /* may be NULL */
    void (*on_closed)(struct tls *tls);  /* free the owner here */
};

enum { TLS_PIN_SIZE = 32 };

/* What resumes a connection to the same peer; zero at first. */
struct tls_session {
    struct ssl_session_st *session;
};
void tls_session_clear(struct tls_session *session);

/* Whom a client expects. All of it outlives the connection. */
struct tls_peer {
    const char *name;            /* in the certificate, and sent as SNI; NULL = the address */
    const uint8_t *pin;          /* SHA-256 of its public key (SPKI); then only this counts */
    struct tls_session *session; /* used and refreshed; NULL = do not resume */
};

struct tls {
    struct stream stream;
    struct ssl_st *ssl;
    struct bio_st *in, *out; /* owned by ssl */
    const struct tls_events *events;
    void *owner;
    const struct tls_peer *peer;
    bool ready;
    bool paused;
    bool ended; /* on_end was called with 0 */
    bool broken;
};

/* Prepare; after success tls_close() must follow at some time. */
__attribute__((warn_unused_result)) int tls_init(struct tls *tls, uv_loop_t *loop,
                                                 const struct tls_events *events, void *owner);

/* Take a waiting connection and shake hands as the server. */
__attribute__((warn_unused_result)) int tls_accept(struct tls *tls, uv_stream_t *listener,
                                                   struct tls_context *context);

/* The same for a socket that tls->stream has adopted already. */
__attribute__((warn_unused_result)) int tls_serve(struct tls *tls, struct tls_context *context);

/* Connect and shake hands as the client. */
__attribute__((warn_unused_result)) int tls_connect(struct tls *tls, const struct addr *addr,
                                                    struct tls_context *context,
                                                    const struct tls_peer *peer);

/* As stream_write(), of plain text, all parts in one record where they fit. -EAGAIN
 * before on_ready. */
__attribute__((warn_unused_result)) int tls_write(struct tls *tls, const uv_buf_t *parts,
                                                  unsigned count);

/* Stop and go on with on_data; what has come already waits inside. */
void tls_read_stop(struct tls *tls);
__attribute__((warn_unused_result)) int tls_read_start(struct tls *tls);

void tls_deadline(struct tls *tls, uint64_t in_ms);

/* Say goodbye, and close as stream_finish() does. */
void tls_finish(struct tls *tls);

/* Close now. Safe to call twice. */
void tls_close(struct tls *tls);

/* The server name that a client asked for (SNI), "" = none. Valid as long as the connection. */
const char *tls_asked_name(const struct tls *tls);

/* Did this connection resume an earlier one? */
bool tls_is_resumed(const struct tls *tls);
