// SPDX-License-Identifier: Apache-2.0
#include "net/tls.h"

#include <errno.h>
#include <string.h>

#include <openssl/err.h>

#include "net/tls_context.h"

enum { RECORD_MAX = 16 * 1024 };

/* Plain text on its way out; used during a call only, so one per thread. */
static _Thread_local uint8_t outgoing[RECORD_MAX];

static bool is_over(const struct tls *tls)
{
    return tls->broken || tls->stream.closing || tls->stream.finishing;
}

static void end(struct tls *tls, int err)
{
    if (is_over(tls) || (err == 0 && tls->ended)) {
        return;
    }
    tls->ended = true;
    tls->broken = err < 0;
    tls->events->on_end(tls, err);
}

/* Hand over what OpenSSL wants to send. */
static int flush(struct tls *tls)
{
    char *data;
    long len = BIO_get_mem_data(tls->out, &data);
    if (len <= 0) {
        return 0;
    }
    uv_buf_t part = uv_buf_init(data, (unsigned)len);
    int err = stream_write(&tls->stream, &part, 1);
    (void)BIO_reset(tls->out);
    return err;
}

/* What a call of OpenSSL that did not succeed means: -EAGAIN for "more must come". */
static int judge(struct tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN: return -EPIPE;
    default:
        return SSL_get_verify_result(tls->ssl) != X509_V_OK && tls->peer && !tls->peer->pin
                   ? -EACCES
                   : -EPROTO;
    }
}

/* One step of the handshake; 0 when it is done and the peer is the right one. */
static int shake_hands(struct tls *tls)
{
    int result = SSL_do_handshake(tls->ssl);
    int err = result == 1 ? tls_check_peer(tls) : judge(tls, result);
    int sent = flush(tls); /* also the alert that says why not */
    if (err == 0 && sent == 0) {
        tls->ready = true;
        if (tls->paused) {
            stream_read_stop(&tls->stream);
        }
        tls->events->on_ready(tls);
    }
    return err < 0 ? err : sent;
}

/* What lies in the records that have come, up to RECORD_MAX octets. A buffer of its own:
 * who takes the octets may make another connection read on. An end behind them is found
 * again at the next reading, which the taker may put off. */
static int read_some(struct tls *tls)
{
    uint8_t incoming[RECORD_MAX];
    size_t filled = 0;
    int got;
    do {
        got = SSL_read(tls->ssl, incoming + filled, (int)(sizeof(incoming) - filled));
        filled += got > 0 ? (size_t)got : 0;
    } while (got > 0 && filled < sizeof(incoming) && BIO_pending(tls->in) > 0);
    int err = got > 0 ? 0 : judge(tls, got);
    int sent = flush(tls); /* answers to key updates */
    if (filled && sent == 0) {
        tls->events->on_data(tls, incoming, filled);
    }
    return err < 0 && !(filled && err == -EPIPE) ? err : sent;
}

/* Go on with what has come until more must come. */
static void pump(struct tls *tls)
{
    int err = 0;
    while (err == 0 && !is_over(tls) && !(tls->ready && tls->paused)) {
        ERR_clear_error();
        err = tls->ready ? read_some(tls) : shake_hands(tls);
    }
    ERR_clear_error();
    if (err == -EPIPE && tls->ready) {
        end(tls, 0);
    } else if (err < 0 && err != -EAGAIN) {
        end(tls, err);
    }
}

static void on_stream_data(struct stream *stream, const uint8_t *data, size_t len)
{
    struct tls *tls = stream->owner;
    if (tls->ended) {
        return; /* nothing is read behind its goodbye: do not gather it */
    }
    if (BIO_write(tls->in, data, (int)len) != (int)len) {
        end(tls, -ENOMEM);
        return;
    }
    pump(tls);
}

static void on_stream_end(struct stream *stream, int err)
{
    struct tls *tls = stream->owner;
    end(tls, err == 0 && !tls->ready ? -ECONNRESET : err);
}

static int start_client(struct tls *tls)
{
    int err = stream_read_start(&tls->stream);
    if (err == 0) {
        pump(tls);
    }
    return err;
}

static void on_stream_connected(struct stream *stream, int err)
{
    struct tls *tls = stream->owner;
    err = err < 0 ? err : start_client(tls);
    if (err < 0) {
        end(tls, err);
    }
}

static void on_stream_drained(struct stream *stream)
{
    struct tls *tls = stream->owner;
    if (tls->ready && !is_over(tls) && tls->events->on_drained) {
        tls->events->on_drained(tls);
    }
}

static void on_stream_closed(struct stream *stream)
{
    struct tls *tls = stream->owner;
    if (tls->ssl) { /* one that was cut spoils no session: it may be resumed */
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    SSL_free(tls->ssl);
    tls->ssl = NULL;
    tls->events->on_closed(tls);
}

static const struct stream_events events_of_stream = {
    .on_data = on_stream_data,
    .on_end = on_stream_end,
    .on_connected = on_stream_connected,
    .on_drained = on_stream_drained,
    .on_closed = on_stream_closed,
};

int tls_init(struct tls *tls, uv_loop_t *loop, const struct tls_events *events, void *owner)
{
    memset(tls, 0, sizeof(*tls));
    tls->events = events;
    tls->owner = owner;
    return stream_init(&tls->stream, loop, &events_of_stream, tls);
}

static int prepare(struct tls *tls, struct tls_context *context)
{
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    tls->ssl = SSL_new(context->ssl);
    if (!in || !out || !tls->ssl) {
        BIO_free(in);
        BIO_free(out);
        return -ENOMEM;
    }
    tls->in = in;
    tls->out = out;
    SSL_set_bio(tls->ssl, in, out);
    SSL_set_app_data(tls->ssl, tls);
    return 0;
}

int tls_serve(struct tls *tls, struct tls_context *context)
{
    int err = prepare(tls, context);
    if (err == 0) {
        SSL_set_accept_state(tls->ssl);
        err = stream_read_start(&tls->stream);
    }
    return err;
}

int tls_accept(struct tls *tls, uv_stream_t *listener, struct tls_context *context)
{
    int err = stream_accept(&tls->stream, listener);
    return err < 0 ? err : tls_serve(tls, context);
}

int tls_connect(struct tls *tls, const struct addr *addr, struct tls_context *context,
                const struct tls_peer *peer)
{
    int err = prepare(tls, context);
    if (err == 0) {
        tls->peer = peer;
        SSL_set_connect_state(tls->ssl);
        err = tls_expect(tls, addr);
    }
    return err < 0 ? err : stream_connect(&tls->stream, addr);
}

static int write_record(struct tls *tls, size_t len)
{
    ERR_clear_error();
    int err = len == 0 || SSL_write(tls->ssl, outgoing, (int)len) == (int)len ? 0 : -EPROTO;
    ERR_clear_error();
    return err;
}

int tls_write(struct tls *tls, const uv_buf_t *parts, unsigned count)
{
    if (is_over(tls) || !tls->ready) {
        return is_over(tls) ? -EPIPE : -EAGAIN;
    }
    size_t filled = 0;
    int err = 0;
    for (unsigned i = 0; i < count && err == 0; i++) {
        for (size_t at = 0; at < parts[i].len && err == 0;) {
            size_t room = sizeof(outgoing) - filled, left = parts[i].len - at;
            size_t take = left < room ? left : room;
            memcpy(outgoing + filled, parts[i].base + at, take);
            at += take;
            filled += take;
            if (filled == sizeof(outgoing)) {
                err = write_record(tls, filled);
                filled = 0;
            }
        }
    }
    err = err < 0 ? err : write_record(tls, filled);
    err = err < 0 ? err : flush(tls);
    tls->broken = err < 0;
    return err;
}

void tls_read_stop(struct tls *tls)
{
    tls->paused = true;
    if (tls->ready) { /* a handshake goes on */
        stream_read_stop(&tls->stream);
    }
}

int tls_read_start(struct tls *tls)
{
    if (is_over(tls)) {
        return -EPIPE;
    }
    tls->paused = false;
    pump(tls);
    return is_over(tls) || tls->paused || tls->stream.peer_done ? 0
                                                                : stream_read_start(&tls->stream);
}

void tls_deadline(struct tls *tls, uint64_t in_ms)
{
    stream_deadline(&tls->stream, in_ms);
}

void tls_finish(struct tls *tls)
{
    if (!is_over(tls) && tls->ready) {
        ERR_clear_error();
        (void)SSL_shutdown(tls->ssl);
        ERR_clear_error();
        if (flush(tls) < 0) {
            stream_close(&tls->stream);
            return;
        }
    }
    stream_finish(&tls->stream);
}

void tls_close(struct tls *tls)
{
    stream_close(&tls->stream);
}

bool tls_is_resumed(const struct tls *tls)
{
    return tls->ready && SSL_session_reused(tls->ssl);
}

const char *tls_asked_name(const struct tls *tls)
{
    const char *name = tls->ready ? SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name) : NULL;
    return name ? name : "";
}
