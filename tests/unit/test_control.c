// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend.h"

enum { WAIT_MS = 10000, IDLE_MS = 300 };

/* The test is the client. */
struct bench {
    struct test_server served;
    struct test_backend *backend;
    char web_path[128];
};

static int start(void **state, unsigned idle_ms)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    test_server_start(&bench->served, idle_ms);
    bench->backend = bench->served.backend;
    assert_int_equal(
        client_web_socket(bench->backend->socket_path, bench->web_path, sizeof(bench->web_path)),
        0);
    *state = bench;
    return 0;
}

static int set_up(void **state)
{
    return start(state, 0);
}

static int set_up_hasty(void **state)
{
    return start(state, IDLE_MS);
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    struct stat info;
    test_server_stop(&bench->served);
    assert_int_equal(stat(bench->backend->socket_path, &info), -1);
    assert_int_equal(stat(bench->web_path, &info), -1);
    test_backend_free(bench->backend);
    free(bench);
    return 0;
}

static int dial(const char *path)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    snprintf(place.sun_path, sizeof(place.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const struct timeval limit = {WAIT_MS / 1000, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(fd, (struct sockaddr *)&place, sizeof(place)), 0);
    return fd;
}

static void send_octets(int fd, const void *data, size_t len)
{
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

/* The next reply; NULL when the server closed without one. */
static cJSON *receive(int fd)
{
    uint8_t data[65536];
    cJSON *reply = NULL;
    size_t len = 0;
    for (;;) {
        /* One octet at a time, so that the next reply stays in the socket. */
        ssize_t got = recv(fd, data + len, 1, 0);
        if (got <= 0) {
            return NULL;
        }
        len++;
        int used = client_unframe(data, len, &reply);
        assert_true(used >= 0);
        if (used > 0) {
            return reply;
        }
    }
}

static bool is_closed(int fd)
{
    uint8_t octet;
    ssize_t got = recv(fd, &octet, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

static uint8_t *status_frame(size_t *ret_len)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "status");
    uint8_t *frame = client_frame(request, ret_len);
    cJSON_Delete(request);
    return frame;
}

static bool is_ok(const cJSON *reply)
{
    return cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok"));
}

static void assert_served(const char *path)
{
    cJSON *request = cJSON_CreateObject();
    cJSON *reply = NULL;
    struct diag diag = {0};
    cJSON_AddStringToObject(request, "command", "status");
    if (client_call(&(struct client_target){path, WAIT_MS}, request, &reply, &diag) < 0) {
        fail_msg("%s", diag.text);
    }
    assert_true(is_ok(reply));
    cJSON_Delete(reply);
    cJSON_Delete(request);
}

static void both_sockets_answer_and_are_not_open_to_all(void **state)
{
    struct bench *bench = *state;
    struct stat info;
    assert_served(bench->backend->socket_path);
    assert_served(bench->web_path);
    assert_int_equal(stat(bench->backend->socket_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0660);
    assert_int_equal(stat(bench->web_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0660);
}

static void the_web_socket_changes_no_rule(void **state)
{
    struct bench *bench = *state;
    cJSON *reply = NULL;
    cJSON *request = cJSON_Parse("{\"command\": \"allow\", \"name\": \"a.example\"}");
    assert_int_equal(
        client_call(&(struct client_target){bench->web_path, WAIT_MS}, request, &reply, NULL), 0);
    assert_false(is_ok(reply));
    cJSON_Delete(reply);
    assert_int_equal(client_call(&(struct client_target){bench->backend->socket_path, WAIT_MS},
                                 request, &reply, NULL),
                     0);
    assert_true(is_ok(reply));
    cJSON_Delete(reply);
    cJSON_Delete(request);
}

static void frames_may_come_in_pieces_and_in_heaps(void **state)
{
    struct bench *bench = *state;
    size_t len = 0;
    uint8_t *frame = status_frame(&len);
    int fd = dial(bench->backend->socket_path);
    for (size_t i = 0; i < len; i++) {
        send_octets(fd, frame + i, 1);
    }
    cJSON *reply = receive(fd);
    assert_true(is_ok(reply));
    cJSON_Delete(reply);

    /* Three and a half at once: three replies, in order, then the fourth. */
    uint8_t heap[4096];
    for (size_t i = 0; i < 4; i++) {
        memcpy(heap + i * len, frame, len);
    }
    send_octets(fd, heap, 3 * len + len / 2);
    for (size_t i = 0; i < 3; i++) {
        reply = receive(fd);
        assert_true(is_ok(reply));
        cJSON_Delete(reply);
    }
    send_octets(fd, heap + len / 2, len - len / 2);
    reply = receive(fd);
    assert_true(is_ok(reply));
    cJSON_Delete(reply);
    close(fd);
    free(frame);
}

static void nonsense_is_told_and_closed(void **state)
{
    static const struct {
        const char *name;
        const char *octets;
        size_t len;
    } rows[] = {
        {"HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
        {"length of 4 GiB", "\xff\xff\xff\xff", 4},
        {"length over the limit", "\x00\x01\x00\x01", 4},
        {"length of nothing", "\x00\x00\x00\x00", 4},
        {"no JSON", "\x00\x00\x00\x04oops", 8},
        {"JSON, no object", "\x00\x00\x00\x03[1]", 7},
        {"object and more", "\x00\x00\x00\x04{}{}", 8},
        {"NUL inside", "\x00\x00\x00\x03{\x00}", 7},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = dial(bench->backend->socket_path);
        send_octets(fd, rows[i].octets, rows[i].len);
        cJSON *reply = receive(fd);
        if (!reply || is_ok(reply) || !is_closed(fd)) {
            fail_msg("%s", rows[i].name);
        }
        cJSON_Delete(reply);
        close(fd);
        assert_served(bench->backend->socket_path);
    }
}

static void deep_nesting_is_an_error(void **state)
{
    struct bench *bench = *state;
    enum { DEPTH = 20000 };
    uint8_t *frame = calloc(1, 4 + DEPTH);
    memset(frame + 4, '[', DEPTH);
    frame[2] = DEPTH >> 8;
    frame[3] = DEPTH & 0xff;
    int fd = dial(bench->web_path);
    send_octets(fd, frame, 4 + DEPTH);
    cJSON *reply = receive(fd);
    assert_non_null(reply);
    assert_false(is_ok(reply));
    cJSON_Delete(reply);
    close(fd);
    free(frame);
    assert_served(bench->web_path);
}

static void a_full_socket_closes_its_oldest_and_no_admin(void **state)
{
    struct bench *bench = *state;
    int fds[CONTROL_PEERS_MAX];
    size_t len = 0;
    uint8_t *frame = status_frame(&len);
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++) {
        fds[i] = dial(bench->web_path);
        send_octets(fds[i], frame, len);
        cJSON *reply = receive(fds[i]);
        assert_true(is_ok(reply));
        cJSON_Delete(reply);
    }
    assert_served(bench->backend->socket_path);
    assert_served(bench->web_path);
    assert_true(is_closed(fds[0]));
    send_octets(fds[1], frame, len);
    cJSON *still = receive(fds[1]);
    assert_true(is_ok(still));
    cJSON_Delete(still);
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++) {
        close(fds[i]);
    }
    free(frame);
}

static void a_silent_or_slow_peer_is_closed(void **state)
{
    struct bench *bench = *state;
    int silent = dial(bench->backend->socket_path);
    int slow = dial(bench->backend->socket_path);
    send_octets(slow, "\x00\x00", 2);
    assert_true(is_closed(silent));
    assert_true(is_closed(slow));
    close(silent);
    close(slow);
    assert_served(bench->backend->socket_path);
}

static void a_peer_that_reads_nothing_is_closed(void **state)
{
    struct bench *bench = *state;
    size_t len = 0;
    uint8_t *frame = status_frame(&len);
    int fd = dial(bench->backend->socket_path);
    const struct timeval limit = {0, 100000};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    /* Requests without end: replies pile up in the socket, then the server stops
     * reading, then it closes. */
    int64_t sent = 0;
    while (sent < 10000) {
        ssize_t done = send(fd, frame, len, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN) {
            break;
        }
        sent++;
    }
    assert_true(sent < 10000);
    close(fd);
    free(frame);
    assert_served(bench->backend->socket_path);
}

static void a_second_daemon_is_refused_and_a_dead_one_replaced(void **state)
{
    struct bench *bench = *state;
    struct control_server *second = NULL;
    uv_loop_t loop;
    struct diag diag = {0};
    char path[160];
    uv_loop_init(&loop);
    struct control_setup setup = {&loop, bench->backend->socket_path, 0};
    assert_int_equal(control_open(&setup, &bench->backend->control, &second, &diag), -EADDRINUSE);
    assert_non_null(strstr(diag.text, "another daemon"));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_served(bench->backend->socket_path);

    snprintf(path, sizeof(path), "%s/dead.sock", bench->backend->folder);
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    snprintf(place.sun_path, sizeof(place.sun_path), "%.100s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof(place)), 0);
    close(fd);
    setup.socket_path = path;
    assert_int_equal(control_open(&setup, &bench->backend->control, &second, &diag), 0);
    control_close(second);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_path_that_does_not_fit_is_an_error(void **state)
{
    struct bench *bench = *state;
    struct control_server *server = NULL;
    struct diag diag = {0};
    char path[300] = "/tmp/";
    memset(path + 5, 'x', 200);
    struct control_setup setup = {&bench->served.loop, path, 0};
    assert_int_equal(control_open(&setup, &bench->backend->control, &server, &diag), -ENAMETOOLONG);
    setup.socket_path = "/tmp/web.sock";
    assert_int_equal(control_open(&setup, &bench->backend->control, &server, &diag), -EINVAL);
}

static void no_daemon_is_said_plainly(void **state)
{
    (void)state;
    struct diag diag = {0};
    cJSON *reply = NULL;
    cJSON *request = cJSON_CreateObject();
    assert_int_equal(
        client_call(&(struct client_target){"/nonexistent/x.sock", 100}, request, &reply, &diag),
        -ECONNREFUSED);
    assert_non_null(strstr(diag.text, "no daemon answers"));
    cJSON_Delete(request);
}

#define ROW(test)       cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define ROW_HASTY(test) cmocka_unit_test_setup_teardown(test, set_up_hasty, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(both_sockets_answer_and_are_not_open_to_all),
        ROW(the_web_socket_changes_no_rule),
        ROW(frames_may_come_in_pieces_and_in_heaps),
        ROW(nonsense_is_told_and_closed),
        ROW(deep_nesting_is_an_error),
        ROW(a_full_socket_closes_its_oldest_and_no_admin),
        ROW_HASTY(a_silent_or_slow_peer_is_closed),
        ROW_HASTY(a_peer_that_reads_nothing_is_closed),
        ROW(a_second_daemon_is_refused_and_a_dead_one_replaced),
        ROW(a_path_that_does_not_fit_is_an_error),
        cmocka_unit_test(no_daemon_is_said_plainly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
