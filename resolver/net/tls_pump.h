// SPDX-License-Identifier: Apache-2.0
/* tls_pump: TLS between a stream of octets and what is said over it; knows no socket. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_identity;
struct tls_peer;
struct tls_pump;

struct tls_pump_events {
    /* Octets that the peer must get. Negative: it cannot; the pump is of no use then. */
    int (*on_cipher)(void *owner, const uint8_t *data, size_t len);
    /* What the peer said, valid during the call only. */
    void (*on_plain)(void *owner, const uint8_t *data, size_t len);
};

/* The server's side. NULL without memory. */
struct tls_pump *tls_pump_new(struct tls_identity *identity, const struct tls_pump_events *events,
                              void *owner);

/* The client's side; tls_pump_start() says hello. The peer outlives the pump. NULL
 * without memory. */
struct tls_pump *tls_pump_connect(struct tls_peer *peer, const struct tls_pump_events *events,
                                  void *owner);
__attribute__((warn_unused_result)) int tls_pump_start(struct tls_pump *pump);

void tls_pump_free(struct tls_pump *pump);

/* What came from the peer. 1: it will say no more; -EPROTO: it does not speak TLS as we
 * do, an alert has gone out; -EACCES: it is not the one that was expected; -EPIPE. The
 * owner may not free the pump in on_plain. */
__attribute__((warn_unused_result)) int tls_pump_feed(struct tls_pump *pump, const uint8_t *data,
                                                      size_t len);

/* Say something to the peer; the handshake is over. -EPIPE. */
__attribute__((warn_unused_result)) int tls_pump_write(struct tls_pump *pump, const uint8_t *data,
                                                       size_t len);

bool tls_pump_is_open(const struct tls_pump *pump);    /* is the handshake over? */
bool tls_pump_is_resumed(const struct tls_pump *pump); /* by an earlier session */

/* Say that we say no more (close_notify). */
void tls_pump_end(struct tls_pump *pump);
