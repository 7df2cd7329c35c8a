// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "webworld.h"

enum { HEADERS_MS = 300, BODY_MS = 300, IDLE_MS = 500 };

#define assert_says(text, words)   assert_non_null(strstr(text, words))
#define assert_silent(text, words) assert_null(strstr(text, words))

static int set_up(void **state)
{
    (void)state;
    const struct server_limits limits = {12, 8, {HEADERS_MS, BODY_MS, IDLE_MS}};
    webworld_start(&limits);
    return 0;
}

static void megabyte_of_headers_is_refused(void **state)
{
    (void)state;
    enum { LEN = 1 << 20 };
    char *headers = malloc(LEN + 1);
    size_t len = (size_t)sprintf(headers, ASK("bad.example"));
    while (len < LEN - 64) {
        len += (size_t)sprintf(headers + len, "X-Header-%zu: some value or other\r\n", len);
    }
    memcpy(headers + len, "\r\n", 3);
    int fd = webworld_dial();
    /* It is read to the end, so that the refusal is not lost in a reset. */
    webworld_say(fd, headers);
    free(headers);
    const char *answer = webworld_hear_all(fd);
    close(fd);
    assert_says(answer, "HTTP/1.1 431 ");
    assert_says(answer, "Connection: close");
}

/* Send an octet now and then; returns how long the server stood it. */
static double drip(int fd, const char *octet)
{
    double began = webworld_now();
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLHUP};
    while (webworld_now() - began < 8) {
        if (poll(&poll_fd, 1, 20) > 0) {
            char byte;
            if (recv(fd, &byte, 1, 0) <= 0) {
                break;
            }
        }
        if (send(fd, octet, 1, MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    close(fd);
    return webworld_now() - began;
}

static void slow_headers_are_cut(void **state)
{
    (void)state;
    int fd = webworld_dial();
    webworld_say(fd, ASK("bad.example") "X: ");
    double took = drip(fd, "x");
    assert_true(took > HEADERS_MS / 1000.0 - 0.1);
    assert_true(took < HEADERS_MS / 1000.0 + 1.5);
}

static void slow_blank_lines_are_cut(void **state)
{
    (void)state;
    assert_true(drip(webworld_dial(), "\n") < HEADERS_MS / 1000.0 + 1.5);
}

static void slow_body_is_cut(void **state)
{
    (void)state;
    int fd = webworld_dial();
    webworld_say(fd, "POST / HTTP/1.1\r\nHost: bad.example\r\nContent-Length: 4000\r\n\r\n");
    assert_true(drip(fd, "x") < BODY_MS / 1000.0 + 1.5);
}

static void slow_second_request_is_cut(void **state)
{
    (void)state;
    int fd = webworld_dial();
    webworld_say(fd, ASK("bad.example") "\r\n");
    webworld_hear_one(fd);
    webworld_say(fd, "GET / HTTP/1.1\r\nX: ");
    assert_true(drip(fd, "x") < HEADERS_MS / 1000.0 + 1.5);
}

static void idle_connection_is_closed(void **state)
{
    (void)state;
    int fd = webworld_dial();
    webworld_say(fd, ASK("bad.example") "\r\n");
    webworld_hear_one(fd);
    double began = webworld_now();
    assert_string_equal(webworld_hear_all(fd), "");
    double took = webworld_now() - began;
    close(fd);
    assert_true(took > IDLE_MS / 1000.0 - 0.1);
    assert_true(took < IDLE_MS / 1000.0 + 1.5);
}

static void mute_daemon_costs_a_second(void **state)
{
    (void)state;
    double began = webworld_now();
    const char *answer = webworld_ask(ASK("mute.example") "Accept-Language: en\r\n" LAST);
    double took = webworld_now() - began;
    assert_says(answer, "cannot say why");
    assert_true(took > 0.9);
    assert_true(took < 3);
    /* And the next question is answered again. */
    assert_says(webworld_ask(ASK("bad.example") "Accept-Language: en\r\n" LAST), "gambling");
}

static void client_that_leaves_while_waiting_does_no_harm(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        int fd = webworld_dial();
        webworld_say(fd, ASK("late.example") "\r\n");
        struct linger reset = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    assert_says(webworld_ask(ASK("bad.example") "Accept-Language: en\r\n" LAST), "gambling");
}

/* Whether the server closes without an answer. */
static bool is_closed(int fd, int wait_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    char byte;
    return poll(&poll_fd, 1, wait_ms) > 0 && recv(fd, &byte, 1, 0) <= 0;
}

static int set_up_patient(void **state)
{
    (void)state;
    const struct server_limits limits = {12, 8, {20000, 20000, 20000}};
    webworld_start(&limits);
    return 0;
}

static void newcomer_takes_the_place_of_the_oldest_idle(void **state)
{
    (void)state;
    int fds[9];
    for (int i = 0; i < 8; i++) {
        fds[i] = webworld_dial();
        webworld_say(fds[i], ASK("bad.example") "\r\n");
        webworld_hear_one(fds[i]);
    }
    fds[8] = webworld_dial();
    webworld_say(fds[8], ASK("bad.example") "\r\n");
    assert_says(webworld_hear_one(fds[8]), "403");
    assert_true(is_closed(fds[0], 5000));
    webworld_say(fds[1], ASK("bad.example") "\r\n");
    assert_says(webworld_hear_one(fds[1]), "403");
    for (int i = 0; i < 9; i++) {
        close(fds[i]);
    }
}

static void newcomer_is_turned_away_when_none_idles(void **state)
{
    (void)state;
    int fds[8];
    for (int i = 0; i < 8; i++) {
        fds[i] = webworld_dial();
        /* The answer to the first tells that the second has been begun. */
        webworld_say(fds[i], ASK("bad.example") "\r\nGET / HTTP/1.1\r\nX: ");
        assert_says(webworld_hear_one(fds[i]), "403");
    }
    int late = webworld_dial();
    assert_true(is_closed(late, 5000));
    close(late);
    webworld_say(fds[0], "y\r\nHost: bad.example\r\n" LAST);
    assert_says(webworld_hear_all(fds[0]), "403 Forbidden");
    for (int i = 0; i < 8; i++) {
        close(fds[i]);
    }
}

#define ROW(test)     cmocka_unit_test_setup_teardown(test, set_up, webworld_stop)
#define PATIENT(test) cmocka_unit_test_setup_teardown(test, set_up_patient, webworld_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(megabyte_of_headers_is_refused),
        ROW(slow_headers_are_cut),
        ROW(slow_blank_lines_are_cut),
        ROW(slow_body_is_cut),
        ROW(slow_second_request_is_cut),
        ROW(idle_connection_is_closed),
        ROW(mute_daemon_costs_a_second),
        ROW(client_that_leaves_while_waiting_does_no_harm),
        PATIENT(newcomer_takes_the_place_of_the_oldest_idle),
        PATIENT(newcomer_is_turned_away_when_none_idles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
