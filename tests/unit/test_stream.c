// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/stream.h"

/* One side of a connection and what happened to it. */
struct side {
    struct stream stream;
    uint8_t *data; /* what was received */
    size_t len;
    int ends, end_err;
    int connected, connect_err;
    int drained, closed;
    size_t drip; /* write an octet whenever one comes, so many times */
    bool echo;
};

struct world {
    uv_loop_t loop;
    uv_tcp_t listener;
    struct side server, client;
    bool accepted;
};

static void side_data(struct stream *stream, const uint8_t *data, size_t len)
{
    struct side *side = stream->owner;
    side->data = realloc(side->data, side->len + len);
    assert_non_null(side->data);
    memcpy(side->data + side->len, data, len);
    side->len += len;
    if (side->echo) {
        uv_buf_t buf = uv_buf_init((char *)data, (unsigned)len);
        assert_int_equal(stream_write(stream, &buf, 1), 0);
    }
}

static void side_end(struct stream *stream, int err)
{
    struct side *side = stream->owner;
    side->ends++;
    side->end_err = err;
    stream_close(stream);
}

static void side_connected(struct stream *stream, int err)
{
    struct side *side = stream->owner;
    side->connected++;
    side->connect_err = err;
    if (err < 0) {
        stream_close(stream);
        return;
    }
    assert_int_equal(stream_read_start(stream), 0);
}

static void side_drained(struct stream *stream)
{
    ((struct side *)stream->owner)->drained++;
}

static void side_closed(struct stream *stream)
{
    ((struct side *)stream->owner)->closed++;
}

static const struct stream_events events = {side_data, side_end, side_connected, side_drained,
                                            side_closed};

static void accept_one(uv_stream_t *listener, int status)
{
    struct world *world = listener->data;
    assert_int_equal(status, 0);
    struct side *side = &world->server;
    assert_int_equal(stream_init(&side->stream, &world->loop, &events, side), 0);
    assert_int_equal(stream_accept(&side->stream, listener), 0);
    assert_int_equal(stream_read_start(&side->stream), 0);
    world->accepted = true;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_storage bound;
    int len = sizeof(bound);
    struct addr addr;
    assert_int_equal(uv_loop_init(&world->loop), 0);
    assert_int_equal(uv_tcp_init(&world->loop, &world->listener), 0);
    world->listener.data = world;
    assert_int_equal(uv_tcp_bind(&world->listener, (struct sockaddr *)&at, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&world->listener, 8, accept_one), 0);
    assert_int_equal(uv_tcp_getsockname(&world->listener, (struct sockaddr *)&bound, &len), 0);
    addr_from_sockaddr((struct sockaddr *)&bound, &addr);

    struct side *client = &world->client;
    assert_int_equal(stream_init(&client->stream, &world->loop, &events, client), 0);
    assert_int_equal(stream_connect(&client->stream, &addr), 0);
    while (!world->accepted || !client->connected) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_int_equal(client->connect_err, 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    stream_close(&world->client.stream);
    stream_close(&world->server.stream);
    uv_close((uv_handle_t *)&world->listener, NULL);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    int err = world->client.closed == 1 && world->server.closed == 1 ? 0 : -1;
    err |= uv_loop_close(&world->loop);
    free(world->client.data);
    free(world->server.data);
    free(world);
    return err;
}

static void write_text(struct stream *stream, const char *text)
{
    uv_buf_t buf = uv_buf_init((char *)text, (unsigned)strlen(text));
    assert_int_equal(stream_write(stream, &buf, 1), 0);
}

static void echoes_what_is_written(void **state)
{
    struct world *world = *state;
    world->server.echo = true;
    uv_buf_t parts[] = {uv_buf_init("hel", 3), uv_buf_init("", 0), uv_buf_init("lo", 2)};
    assert_int_equal(stream_write(&world->client.stream, parts, 3), 0);
    while (world->client.len < 5) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_memory_equal(world->client.data, "hello", 5);
    struct addr seen = stream_peer(&world->server.stream);
    struct addr own = stream_local(&world->client.stream);
    assert_memory_equal(&seen, &own, sizeof(own));
    assert_true(addr_is_loopback(&seen));
}

static void tells_that_the_peer_closed(void **state)
{
    struct world *world = *state;
    stream_close(&world->client.stream);
    while (!world->server.closed) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_int_equal(world->server.ends, 1);
    assert_int_equal(world->server.end_err, 0);
    assert_int_equal(world->client.ends, 0);
}

/* What the kernel says of a connection that is refused: ECONNREFUSED, but an emulator of
 * another machine may leave it in the numbers of this one. */
static int ask_refusal(const struct sockaddr_in *at)
{
    int error = 0;
    socklen_t len = sizeof(error);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    assert_int_equal(connect(fd, (const struct sockaddr *)at, sizeof(*at)), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(poll(&wait, 1, 10000), 1);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    close(fd);
    return error;
}

static void refused_connection_is_told(void **state)
{
    struct world *world = *state;
    struct side lonely = {0};
    /* A port that was bound a moment ago and that nobody listens on. */
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    struct addr addr;
    addr_from_sockaddr((struct sockaddr *)&at, &addr);
    assert_int_equal(stream_init(&lonely.stream, &world->loop, &events, &lonely), 0);
    assert_int_equal(stream_connect(&lonely.stream, &addr), 0);
    while (!lonely.closed) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    int refusal = ask_refusal(&at);
    close(fd);
    assert_int_equal(lonely.connected, 1);
    assert_int_equal(lonely.connect_err, -refusal);
    assert_int_not_equal(refusal, 0);
    assert_int_equal(lonely.ends, 0);
}

/* Feed the other side an octet every 20 ms. */
static void drip(uv_timer_t *timer)
{
    struct side *side = timer->data;
    if (!side->stream.closing) {
        write_text(&side->stream, "x");
        side->drip++;
    }
}

static void bytes_do_not_renew_the_deadline(void **state)
{
    struct world *world = *state;
    uv_timer_t timer;
    uv_timer_init(&world->loop, &timer);
    timer.data = &world->client;
    uv_timer_start(&timer, drip, 1, 20);
    uv_update_time(&world->loop);
    uint64_t start = uv_now(&world->loop);
    stream_deadline(&world->server.stream, 200);
    while (!world->server.ends) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    uint64_t took = uv_now(&world->loop) - start;
    uv_close((uv_handle_t *)&timer, NULL);
    assert_int_equal(world->server.end_err, -ETIMEDOUT);
    assert_true(took >= 190);
    assert_true(took < 2000);
    assert_true(world->client.drip >= 2);
    uv_run(&world->loop, UV_RUN_NOWAIT);
}

static void disarmed_deadline_does_not_end_it(void **state)
{
    struct world *world = *state;
    stream_deadline(&world->server.stream, 10);
    stream_deadline(&world->server.stream, 0);
    stream_deadline(&world->client.stream, 100);
    while (!world->client.ends) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_int_equal(world->client.end_err, -ETIMEDOUT);
    assert_true(world->server.ends == 0 || world->server.end_err == 0);
}

static void full_queue_ends_it(void **state)
{
    struct world *world = *state;
    enum { CHUNK = 32 * 1024, CAP = 100 * 1024 };
    static char chunk[CHUNK];
    struct stream *stream = &world->client.stream;
    stream_read_stop(&world->server.stream);
    stream->queue_max = CAP;
    uv_buf_t buf = uv_buf_init(chunk, CHUNK);
    int err = 0;
    for (int i = 0; i < 4096 && !err; i++) {
        err = stream_write(stream, &buf, 1);
        assert_true(stream->queued <= CAP);
    }
    assert_int_equal(err, -ENOBUFS);
    assert_int_equal(stream_write(stream, &buf, 1), -EPIPE);
}

static void queue_drains_once_the_peer_reads(void **state)
{
    struct world *world = *state;
    enum { CHUNK = 64 * 1024 };
    static char chunk[CHUNK];
    struct stream *stream = &world->client.stream;
    size_t sent = 0;
    stream_read_stop(&world->server.stream);
    uv_buf_t buf = uv_buf_init(chunk, CHUNK);
    while (stream->queued == 0) {
        assert_int_equal(stream_write(stream, &buf, 1), 0);
        sent += CHUNK;
    }
    assert_int_equal(world->client.drained, 0);
    assert_int_equal(stream_read_start(&world->server.stream), 0);
    while (world->server.len < sent) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_int_equal(world->client.drained, 1);
    assert_int_equal(stream->queued, 0);
}

/* The peer sends all the time while we send much and finish: a plain close would
 * reset the connection and lose the end of what we sent. */
static void finish_delivers_everything(void **state)
{
    struct world *world = *state;
    enum { LEN = 6 * 1024 * 1024 };
    char *much = malloc(LEN);
    assert_non_null(much);
    for (size_t i = 0; i < LEN; i++) {
        much[i] = (char)(i * 7 >> 3);
    }
    world->server.stream.queue_max = LEN;
    write_text(&world->client.stream, "request that nobody will read");
    uv_buf_t buf = uv_buf_init(much, LEN);
    assert_int_equal(stream_write(&world->server.stream, &buf, 1), 0);
    stream_finish(&world->server.stream);
    stream_finish(&world->server.stream);
    assert_int_equal(stream_write(&world->server.stream, &buf, 1), -EPIPE);
    uv_timer_t timer;
    uv_timer_init(&world->loop, &timer);
    timer.data = &world->client;
    uv_timer_start(&timer, drip, 1, 5);
    while (!world->client.ends || !world->server.closed) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    assert_int_equal(world->client.end_err, 0);
    assert_int_equal(world->client.len, LEN);
    assert_memory_equal(world->client.data, much, LEN);
    assert_int_equal(world->server.ends, 0);
    assert_int_equal(world->server.len, 0);
    free(much);
}

static void finish_waits_no_longer_than_two_seconds(void **state)
{
    struct world *world = *state;
    uv_tcp_nodelay(&world->server.stream.tcp, 1);
    stream_read_stop(&world->client.stream); /* a peer that never closes */
    uv_update_time(&world->loop);
    uint64_t start = uv_now(&world->loop);
    stream_finish(&world->server.stream);
    while (!world->server.closed) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    uint64_t took = uv_now(&world->loop) - start;
    assert_true(took >= 1900);
    assert_true(took < 5000);
}

static void finish_of_one_side_ends_the_other(void **state)
{
    struct world *world = *state;
    world->client.echo = false;
    write_text(&world->client.stream, "question");
    stream_finish(&world->client.stream); /* sends FIN and then discards */
    while (!world->server.ends) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_int_equal(world->server.end_err, 0);
    assert_int_equal(world->server.len, 8);
    while (!world->client.closed) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_int_equal(world->client.ends, 0);
}

static void closing_twice_is_closing_once(void **state)
{
    struct world *world = *state;
    stream_close(&world->client.stream);
    stream_close(&world->client.stream);
    stream_finish(&world->client.stream);
    uv_buf_t buf = uv_buf_init("x", 1);
    assert_int_equal(stream_write(&world->client.stream, &buf, 1), -EPIPE);
    assert_int_equal(stream_read_start(&world->client.stream), -EPIPE);
    stream_deadline(&world->client.stream, 1);
    while (!world->client.closed || !world->server.closed) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_int_equal(world->client.closed, 1);
    assert_int_equal(world->client.ends, 0);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(echoes_what_is_written),
        ROW(tells_that_the_peer_closed),
        ROW(refused_connection_is_told),
        ROW(bytes_do_not_renew_the_deadline),
        ROW(disarmed_deadline_does_not_end_it),
        ROW(full_queue_ends_it),
        ROW(queue_drains_once_the_peer_reads),
        ROW(finish_delivers_everything),
        ROW(finish_waits_no_longer_than_two_seconds),
        ROW(finish_of_one_side_ends_the_other),
        ROW(closing_twice_is_closing_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
