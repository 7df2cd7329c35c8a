// SPDX-License-Identifier: Apache-2.0
#include "net/tls_pump.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "net/tls_peer.h"

enum { RECORD_MAX = 16384 };

struct tls_pump {
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    const struct tls_pump_events *events;
    void *owner;
    bool client;
};

/* What a record holds; used during one call only, so one per thread will do. */
static _Thread_local uint8_t scratch[RECORD_MAX];

/* Takes the SSL over, which may be NULL. */
static struct tls_pump *new_pump(SSL *ssl, const struct tls_pump_events *events, void *owner)
{
    struct tls_pump *pump = calloc(1, sizeof(*pump));
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (!pump || !ssl || !in || !out) {
        BIO_free(in);
        BIO_free(out);
        SSL_free(ssl);
        free(pump);
        return NULL;
    }
    *pump = (struct tls_pump){ssl, in, out, events, owner, false};
    SSL_set_bio(ssl, in, out);
    return pump;
}

struct tls_pump *tls_pump_new(struct tls_identity *identity, const struct tls_pump_events *events,
                              void *owner)
{
    SSL *ssl = SSL_new((SSL_CTX *)identity);
    if (ssl) {
        SSL_set_accept_state(ssl);
    }
    return new_pump(ssl, events, owner);
}

struct tls_pump *tls_pump_connect(struct tls_peer *peer, const struct tls_pump_events *events,
                                  void *owner)
{
    struct tls_pump *pump = new_pump(tls_peer_connect(peer), events, owner);
    if (pump) {
        pump->client = true;
    }
    return pump;
}

void tls_pump_free(struct tls_pump *pump)
{
    if (pump) {
        /* A connection that was cut spoils no session: it may be resumed. */
        SSL_set_shutdown(pump->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(pump->ssl);
        free(pump);
    }
}

static int flush(struct tls_pump *pump)
{
    char *data = NULL;
    long len = BIO_get_mem_data(pump->out, &data);
    if (len <= 0) {
        return 0;
    }
    int err = pump->events->on_cipher(pump->owner, (const uint8_t *)data, (size_t)len);
    (void)BIO_reset(pump->out);
    return err < 0 ? -EPIPE : 0;
}

/* What an operation that did not succeed means: 0: more must come; 1: the end. */
static int judge(struct tls_pump *pump, int result)
{
    switch (SSL_get_error(pump->ssl, result)) {
    case SSL_ERROR_WANT_READ: return 0;
    case SSL_ERROR_ZERO_RETURN: return 1;
    default: return -EPROTO;
    }
}

static int read_plain(struct tls_pump *pump)
{
    for (;;) {
        int got = SSL_read(pump->ssl, scratch, sizeof(scratch));
        if (got <= 0) {
            return judge(pump, got);
        }
        pump->events->on_plain(pump->owner, scratch, (size_t)got);
    }
}

static int shake_hands(struct tls_pump *pump)
{
    int done = SSL_do_handshake(pump->ssl);
    if (done == 1) {
        return pump->client ? tls_peer_check(pump->ssl) : 0;
    }
    int result = judge(pump, done);
    bool stranger = result < 0 && pump->client && SSL_get_verify_result(pump->ssl) != X509_V_OK;
    return stranger ? -EACCES : result;
}

int tls_pump_start(struct tls_pump *pump)
{
    ERR_clear_error();
    int result = shake_hands(pump);
    ERR_clear_error();
    int err = flush(pump);
    return err < 0 ? err : result;
}

int tls_pump_feed(struct tls_pump *pump, const uint8_t *data, size_t len)
{
    int result = 0;
    ERR_clear_error();
    if (BIO_write(pump->in, data, (int)len) != (int)len) {
        return -EPIPE;
    }
    if (!SSL_is_init_finished(pump->ssl)) {
        result = shake_hands(pump);
    }
    if (result == 0 && SSL_is_init_finished(pump->ssl)) {
        result = read_plain(pump);
    }
    ERR_clear_error();
    int err = flush(pump);
    return err < 0 ? err : result;
}

int tls_pump_write(struct tls_pump *pump, const uint8_t *data, size_t len)
{
    ERR_clear_error();
    if (SSL_write(pump->ssl, data, (int)len) != (int)len) {
        ERR_clear_error();
        return -EPIPE;
    }
    return flush(pump);
}

bool tls_pump_is_open(const struct tls_pump *pump)
{
    return SSL_is_init_finished(pump->ssl);
}

bool tls_pump_is_resumed(const struct tls_pump *pump)
{
    return SSL_session_reused(pump->ssl);
}

void tls_pump_end(struct tls_pump *pump)
{
    ERR_clear_error();
    if (SSL_is_init_finished(pump->ssl)) {
        (void)SSL_shutdown(pump->ssl);
        (void)flush(pump);
    }
    ERR_clear_error();
}
