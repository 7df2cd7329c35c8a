// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificate.h"
#include "net/tls.h"

enum { BULK = 100 * 1024, RECORD = 16 * 1024, RECORDS = 4 };

struct side {
    struct tls tls;
    size_t got, echoed;
    int ready, ends, end_err, closed;
    bool server, resumed;
    size_t to_send;
};

static struct world {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_timer_t guard;
    struct addr addr;
    struct tls_context *server_context, *client_context;
    struct side server, client;
    const struct tls_events *server_events;
    char cert[64], key[64];
    uint8_t pin[TLS_PIN_SIZE];
} world;

static void send_octets(struct side *side, size_t len)
{
    static uint8_t data[BULK];
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    uv_buf_t parts[2] = {uv_buf_init((char *)data, (unsigned)(len / 3)),
                         uv_buf_init((char *)data + len / 3, (unsigned)(len - len / 3))};
    assert_int_equal(tls_write(&side->tls, parts, 2), 0);
}

static void side_ready(struct tls *tls)
{
    struct side *side = tls->owner;
    side->ready++;
    if (!side->server && side->to_send) {
        send_octets(side, side->to_send);
    }
}

static void side_data(struct tls *tls, const uint8_t *data, size_t len)
{
    struct side *side = tls->owner;
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(data[i], (uint8_t)((side->got + i) * 7));
    }
    side->got += len;
    if (side->server) {
        uv_buf_t part = uv_buf_init((char *)data, (unsigned)len);
        assert_int_equal(tls_write(tls, &part, 1), 0);
    } else if (side->got == side->to_send) {
        side->resumed = tls_is_resumed(tls);
        tls_finish(tls);
    }
}

static void side_end(struct tls *tls, int err)
{
    struct side *side = tls->owner;
    side->ends++;
    side->end_err = err;
    if (err == 0) {
        tls_finish(tls);
    } else {
        tls_close(tls);
    }
}

static void side_closed(struct tls *tls)
{
    ((struct side *)tls->owner)->closed++;
}

static const struct tls_events events = {side_ready, side_data, side_end, NULL, side_closed};

static void accept_one(uv_stream_t *listener, int status)
{
    assert_int_equal(status, 0);
    world.server.server = true;
    assert_int_equal(tls_init(&world.server.tls, &world.loop, world.server_events, &world.server),
                     0);
    assert_int_equal(tls_accept(&world.server.tls, listener, world.server_context), 0);
}

static void too_long(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("waited in vain");
}

static int set_up(void **state)
{
    struct sockaddr_storage sa;
    struct diag diag = {0};
    (void)state;
    memset(&world, 0, sizeof(world));
    world.server_events = &events;
    snprintf(world.cert, sizeof(world.cert), "/tmp/gg-tls-%d.crt", (int)getpid());
    snprintf(world.key, sizeof(world.key), "/tmp/gg-tls-%d.key", (int)getpid());
    certificate_make("dns.test", world.cert, world.key, world.pin);
    setenv("SSL_CERT_FILE", world.cert, 1);
    uv_loop_init(&world.loop);
    uv_tcp_init(&world.loop, &world.listener);
    uv_timer_init(&world.loop, &world.guard);
    uv_timer_start(&world.guard, too_long, 20000, 0);
    uv_unref((uv_handle_t *)&world.guard);
    assert_int_equal(addr_parse_port("127.0.0.1:1", 0, &world.addr), 0);
    world.addr.port = 0;
    addr_to_sockaddr(&world.addr, &sa);
    assert_int_equal(uv_tcp_bind(&world.listener, (struct sockaddr *)&sa, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&world.listener, 8, accept_one), 0);
    int len = sizeof(sa);
    uv_tcp_getsockname(&world.listener, (struct sockaddr *)&sa, &len);
    addr_from_sockaddr((struct sockaddr *)&sa, &world.addr);
    assert_int_equal(tls_context_server(world.cert, world.key, &world.server_context, &diag), 0);
    assert_int_equal(tls_context_client(&world.client_context), 0);
    assert_int_equal(tls_context_trust_system(world.client_context, &diag), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    uv_close((uv_handle_t *)&world.listener, NULL);
    uv_close((uv_handle_t *)&world.guard, NULL);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world.loop), 0);
    tls_context_free(world.server_context);
    tls_context_free(world.client_context);
    unlink(world.cert);
    unlink(world.key);
    return 0;
}

/* One connection from hello to goodbye. */
static void connect_as(const struct tls_peer *peer, size_t to_send)
{
    memset(&world.client, 0, sizeof(world.client));
    memset(&world.server, 0, sizeof(world.server));
    world.client.to_send = to_send;
    assert_int_equal(tls_init(&world.client.tls, &world.loop, &events, &world.client), 0);
    assert_int_equal(tls_connect(&world.client.tls, &world.addr, world.client_context, peer), 0);
    while (!world.client.closed || !world.server.closed) {
        uv_run(&world.loop, UV_RUN_ONCE);
    }
}

static void octets_come_back_in_order(void **state)
{
    const struct tls_peer peer = {.name = "dns.test"};
    (void)state;
    connect_as(&peer, BULK);
    assert_int_equal(world.client.got, BULK);
    assert_int_equal(world.client.ready, 1);
    assert_int_equal(world.server.ends, 1); /* the goodbye */
    assert_int_equal(world.server.end_err, 0);
    assert_int_equal(world.client.closed, 1);
    assert_int_equal(world.server.closed, 1);
}

static void peer_is_checked(void **state)
{
    uint8_t wrong[TLS_PIN_SIZE] = {1};
    const struct {
        struct tls_peer peer;
        int err;
    } rows[] = {
        {{.name = "dns.test"}, 0},
        {{.name = "other.test"}, -EACCES},
        {{.name = NULL}, 0}, /* 127.0.0.1 stands in the certificate */
        {{.name = "other.test", .pin = world.pin}, 0},
        {{.name = "dns.test", .pin = wrong}, -EACCES},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        connect_as(&rows[i].peer, 1000);
        assert_int_equal(world.client.end_err, rows[i].err);
        assert_int_equal(world.client.got, rows[i].err ? 0 : 1000);
        assert_int_equal(world.client.ready, rows[i].err ? 0 : 1);
    }
}

static void unknown_issuer_is_refused(void **state)
{
    const struct tls_peer peer = {.name = "dns.test"};
    (void)state;
    tls_context_free(world.client_context);
    assert_int_equal(tls_context_client(&world.client_context), 0); /* trusts nobody */
    connect_as(&peer, 1000);
    assert_int_equal(world.client.end_err, -EACCES);
    assert_int_equal(world.server.got, 0);
}

static void second_connection_resumes_the_first(void **state)
{
    struct tls_session session = {0};
    const struct tls_peer peer = {.name = "dns.test", .session = &session};
    (void)state;
    connect_as(&peer, 1000);
    assert_false(world.client.resumed);
    assert_non_null(session.session);
    connect_as(&peer, 1000);
    assert_true(world.client.resumed);
    tls_session_clear(&session);
}

static void forget_data(struct stream *stream, const uint8_t *data, size_t len)
{
    (void)stream;
    (void)data;
    (void)len;
}

static void plain_end(struct stream *stream, int err)
{
    (void)err;
    stream_close(stream);
}

static void plain_connected(struct stream *stream, int err)
{
    uv_buf_t part = uv_buf_init((char *)"GET / HTTP/1.1\r\n\r\n", 18);
    assert_int_equal(err, 0);
    assert_int_equal(stream_write(stream, &part, 1), 0);
    assert_int_equal(stream_read_start(stream), 0);
}

static void plain_closed(struct stream *stream)
{
    *(bool *)stream->owner = true;
}

static void peer_without_tls_is_refused(void **state)
{
    static const struct stream_events plain = {forget_data, plain_end, plain_connected, NULL,
                                               plain_closed};
    struct stream stream;
    bool closed = false;
    (void)state;
    assert_int_equal(stream_init(&stream, &world.loop, &plain, &closed), 0);
    assert_int_equal(stream_connect(&stream, &world.addr), 0);
    while (!closed || !world.server.closed) {
        uv_run(&world.loop, UV_RUN_ONCE);
    }
    assert_int_equal(world.server.end_err, -EPROTO);
    assert_int_equal(world.server.ready, 0);
}

/* Records that differ, all in one packet to the peer. */
static void nested_ready(struct tls *tls)
{
    static uint8_t data[RECORD * RECORDS];
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)('a' + i / RECORD);
    }
    uv_buf_t part = uv_buf_init((char *)data, sizeof(data));
    assert_int_equal(tls_write(tls, &part, 1), 0);
    tls_finish(tls);
}

/* Reads on while it still holds what it was given. */
static void nested_data(struct tls *tls, const uint8_t *data, size_t len)
{
    struct side *side = tls->owner;
    uint8_t first = data[0];
    side->got += len;
    assert_int_equal(tls_read_start(tls), 0);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(data[i], first);
    }
}

static void octets_stay_while_more_is_read(void **state)
{
    static const struct tls_events writing = {nested_ready, side_data, side_end, NULL, side_closed};
    static const struct tls_events reading = {side_ready, nested_data, side_end, NULL, side_closed};
    const struct tls_peer peer = {.name = "dns.test"};
    (void)state;
    world.server_events = &reading;
    assert_int_equal(tls_init(&world.client.tls, &world.loop, &writing, &world.client), 0);
    assert_int_equal(tls_connect(&world.client.tls, &world.addr, world.client_context, &peer), 0);
    while (!world.client.closed || !world.server.closed) {
        uv_run(&world.loop, UV_RUN_ONCE);
    }
    assert_int_equal(world.server.got, RECORD * RECORDS);
}

static void wrong_key_is_named(void **state)
{
    struct tls_context *context = NULL;
    struct diag diag = {0};
    char cert[64], key[64];
    uint8_t pin[TLS_PIN_SIZE];
    (void)state;
    snprintf(cert, sizeof(cert), "/tmp/gg-tls2-%d.crt", (int)getpid());
    snprintf(key, sizeof(key), "/tmp/gg-tls2-%d.key", (int)getpid());
    certificate_make("dns.test", cert, key, pin);
    assert_int_equal(tls_context_server(world.cert, key, &context, &diag), -EINVAL);
    assert_non_null(strstr(diag.text, key));
    assert_int_equal(tls_context_server("/nowhere", key, &context, &diag), -ENOENT);
    assert_string_equal(diag.text, "/nowhere: No such file or directory");
    assert_int_equal(tls_context_server("/tmp", key, &context, &diag), -EINVAL);
    assert_string_equal(diag.text, "/tmp: not a file");
    assert_int_equal(tls_context_server("/proc/version", key, &context, &diag), -EINVAL);
    assert_string_equal(diag.text, "/proc/version: not a PEM certificate");
    assert_int_equal(tls_context_server(cert, "/proc/version", &context, &diag), -EINVAL);
    assert_string_equal(diag.text, "/proc/version: not a PEM key without a password");
    assert_null(context);
    unlink(cert);
    unlink(key);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(octets_come_back_in_order),
        ROW(peer_is_checked),
        ROW(octets_stay_while_more_is_read),
        ROW(unknown_issuer_is_refused),
        ROW(second_connection_resumes_the_first),
        ROW(peer_without_tls_is_refused),
        ROW(wrong_key_is_named),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
