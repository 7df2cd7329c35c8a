// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificate.h"
#include "net/tls_identity.h"
#include "net/tls_peer.h"
#include "net/tls_pump.h"

enum { BULK = 100 * 1024, PIPE_MAX = 2 * BULK };

/* One side; what it says lies in `out` until it is fed to the other. */
struct side {
    struct tls_pump *pump;
    size_t out_len, got;
    uint8_t out[PIPE_MAX];
};

static struct world {
    struct tls_identity *identity;
    struct tls_trust *trust;
    struct side server, client;
    char cert[64], key[64];
    uint8_t pin[TLS_PIN_SIZE];
} world;

static int take_cipher(void *owner, const uint8_t *data, size_t len)
{
    struct side *side = owner;
    assert_true(len <= sizeof(side->out) - side->out_len);
    memcpy(side->out + side->out_len, data, len);
    side->out_len += len;
    return 0;
}

static void take_plain(void *owner, const uint8_t *data, size_t len)
{
    struct side *side = owner;
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(data[i], (uint8_t)((side->got + i) * 7));
    }
    side->got += len;
}

static const struct tls_pump_events events = {take_cipher, take_plain};

static int set_up(void **state)
{
    struct diag diag = {0};
    (void)state;
    memset(&world, 0, sizeof(world));
    snprintf(world.cert, sizeof(world.cert), "/tmp/gg-tls-%d.crt", (int)getpid());
    snprintf(world.key, sizeof(world.key), "/tmp/gg-tls-%d.key", (int)getpid());
    certificate_make("dns.test", world.cert, world.key, world.pin);
    setenv("SSL_CERT_FILE", world.cert, 1);
    assert_int_equal(tls_identity_load(world.cert, world.key, &world.identity, &diag), 0);
    assert_int_equal(tls_trust_new(true, &world.trust, &diag), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tls_identity_unref(world.identity);
    tls_trust_unref(world.trust);
    unlink(world.cert);
    unlink(world.key);
    return 0;
}

/* Feed what one side said to the other, `step` octets at a time. */
static int carry(struct side *from, struct side *to, size_t step)
{
    int result = 0;
    size_t len = from->out_len;
    for (size_t at = 0; at < len && result == 0; at += step) {
        result = tls_pump_feed(to->pump, from->out + at, len - at < step ? len - at : step);
    }
    from->out_len = 0;
    return result;
}

static struct tls_peer peer_named(const char *name)
{
    struct tls_peer peer = {.trust = world.trust};
    snprintf(peer.name, sizeof(peer.name), "%s", name);
    assert_int_equal(addr_parse("127.0.0.1", &peer.addr), 0);
    return peer;
}

static void hang_up(void)
{
    tls_pump_free(world.client.pump);
    tls_pump_free(world.server.pump);
    memset(&world.client, 0, sizeof(world.client));
    memset(&world.server, 0, sizeof(world.server));
}

/* The handshake; the first failure of either side. */
static int shake_hands(struct tls_peer *peer, size_t step)
{
    hang_up();
    world.client.pump = tls_pump_connect(peer, &events, &world.client);
    world.server.pump = tls_pump_new(world.identity, &events, &world.server);
    assert_non_null(world.client.pump);
    assert_non_null(world.server.pump);
    int err = tls_pump_start(world.client.pump);
    for (int i = 0; i < 4 && err == 0; i++) {
        err = carry(&world.client, &world.server, step);
        err = err ? err : carry(&world.server, &world.client, step);
    }
    return err;
}

static void say(struct side *from, size_t len)
{
    static uint8_t data[BULK];
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    assert_int_equal(tls_pump_write(from->pump, data, len), 0);
}

static void octets_arrive_in_order_however_they_are_cut(void **state)
{
    static const size_t steps[] = {1, 7, 1500, PIPE_MAX};
    struct tls_peer peer = peer_named("dns.test");
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(shake_hands(&peer, steps[i]), 0);
        assert_true(tls_pump_is_open(world.client.pump));
        assert_true(tls_pump_is_open(world.server.pump));
        say(&world.client, BULK);
        say(&world.server, 1000);
        assert_int_equal(carry(&world.client, &world.server, steps[i]), 0);
        assert_int_equal(carry(&world.server, &world.client, steps[i]), 0);
        assert_int_equal(world.server.got, BULK);
        assert_int_equal(world.client.got, 1000);
        tls_pump_end(world.client.pump);
        assert_int_equal(carry(&world.client, &world.server, PIPE_MAX), 1);
    }
    hang_up();
    tls_peer_clear(&peer);
}

static void peer_is_checked(void **state)
{
    static const struct {
        const char *name;
        int pin; /* 0 none, 1 right, 2 wrong */
        int err;
    } rows[] = {
        {"dns.test", 0, 0},   {"other.test", 0, -EACCES}, {"", 0, 0}, /* 127.0.0.1 is in it */
        {"other.test", 1, 0}, {"dns.test", 2, -EACCES},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tls_peer peer = peer_named(rows[i].name);
        memcpy(peer.pin, world.pin, TLS_PIN_SIZE);
        peer.pin[0] ^= rows[i].pin == 2;
        peer.pinned = rows[i].pin != 0;
        assert_int_equal(shake_hands(&peer, PIPE_MAX), rows[i].err);
        hang_up();
        tls_peer_clear(&peer);
    }
}

static void unknown_issuer_is_refused(void **state)
{
    struct diag diag = {0};
    (void)state;
    tls_trust_unref(world.trust);
    assert_int_equal(tls_trust_new(false, &world.trust, &diag), 0); /* trusts nobody */
    struct tls_peer peer = peer_named("dns.test");
    assert_int_equal(shake_hands(&peer, PIPE_MAX), -EACCES);
    hang_up();
}

static void second_connection_resumes_the_first(void **state)
{
    struct tls_peer peer = peer_named("dns.test");
    (void)state;
    assert_int_equal(shake_hands(&peer, PIPE_MAX), 0);
    assert_false(tls_pump_is_resumed(world.client.pump));
    assert_non_null(peer.session);
    assert_int_equal(shake_hands(&peer, PIPE_MAX), 0);
    assert_true(tls_pump_is_resumed(world.client.pump));
    hang_up();
    tls_peer_clear(&peer);
}

static void other_protocols_are_refused(void **state)
{
    struct tls_peer peer = peer_named("dns.test");
    static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    (void)state;
    world.client.pump = tls_pump_connect(&peer, &events, &world.client);
    assert_int_equal(tls_pump_start(world.client.pump), 0);
    assert_true(tls_pump_feed(world.client.pump, (const uint8_t *)text, sizeof(text)) < 0);
    hang_up();
}

static void missing_certificates_are_told(void **state)
{
    struct tls_identity *identity = NULL;
    struct diag diag = {0};
    (void)state;
    assert_int_equal(tls_identity_load("/nowhere", world.key, &identity, &diag), -ENOENT);
    assert_non_null(strstr(diag.text, "/nowhere"));
    assert_null(identity);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(octets_arrive_in_order_however_they_are_cut),
        ROW(peer_is_checked),
        ROW(unknown_issuer_is_refused),
        ROW(second_connection_resumes_the_first),
        ROW(other_protocols_are_refused),
        ROW(missing_certificates_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
