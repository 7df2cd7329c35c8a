// SPDX-License-Identifier: Apache-2.0
/* The whole HTTP side over real sockets: the server's loop and a daemon that is only
 * played run in threads of their own, the tests are plain blocking clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control/client.h"
#include "web/server.h"

enum { ANSWER_MAX = 64 * 1024, HEADERS_MS = 300, BODY_MS = 300, IDLE_MS = 500 };

static struct world {
    char folder[64], socket[96], config[96];
    int daemon;
    pthread_t server_thread, daemon_thread;
    uv_loop_t loop;
    uv_async_t stop;
    struct site site;
    struct server *server;
    struct addr addr;
} world;

/* ---- the daemon that is played */

static bool read_whole(int fd, void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t got = read(fd, (char *)data + at, len - at);
        if (got <= 0) {
            return false;
        }
        at += (size_t)got;
    }
    return true;
}

static cJSON *play_reply(const char *host, const char *client)
{
    cJSON *reply = cJSON_CreateObject();
    bool error = strcmp(host, "error.example") == 0;
    cJSON_AddBoolToObject(reply, "ok", !error && strcmp(client, "127.0.0.1") == 0);
    if (strcmp(host, "half.example") != 0) {
        cJSON_AddBoolToObject(reply, "blocked", strcmp(host, "open.example") != 0);
    }
    cJSON_AddStringToObject(reply, "host", host);
    cJSON_AddStringToObject(reply, "category", "gambling");
    cJSON_AddStringToObject(reply, "reason", "list");
    cJSON_AddStringToObject(reply, "group", "pupils");
    cJSON_AddStringToObject(reply, "ref", "A1B2C3D4");
    return reply;
}

/* Answer one question; false ends the connection. */
static bool play_one(int fd)
{
    uint8_t data[4 + 4096];
    if (!read_whole(fd, data, 4)) {
        return false;
    }
    size_t len = (size_t)data[2] << 8 | data[3];
    if (len > 4096 || !read_whole(fd, data + 4, len)) {
        return false;
    }
    cJSON *question = NULL;
    if (client_unframe(data, 4 + len, &question) <= 0) {
        return false;
    }
    const char *host = cJSON_GetStringValue(cJSON_GetObjectItem(question, "host"));
    const char *client = cJSON_GetStringValue(cJSON_GetObjectItem(question, "client"));
    bool go_on = true;
    if (strcmp(host, "junk.example") == 0) {
        go_on = write(fd, "\xff\xff\xff\xffjunk", 8) == 8;
    } else if (strcmp(host, "gone.example") == 0) {
        go_on = false;
    } else if (strcmp(host, "mute.example") != 0) {
        cJSON *reply = play_reply(host, client);
        size_t size = 0;
        uint8_t *frame = client_frame(reply, &size);
        if (strncmp(host, "late", 4) == 0) {
            nanosleep(&(struct timespec){0, 100 * 1000000}, NULL);
        }
        /* In two pieces, since a stream has no frames. */
        go_on = write(fd, frame, 3) == 3 && write(fd, frame + 3, size - 3) == (ssize_t)size - 3;
        free(frame);
        cJSON_Delete(reply);
    }
    cJSON_Delete(question);
    return go_on;
}

static void *play_daemon(void *unused)
{
    (void)unused;
    for (int fd; (fd = accept(world.daemon, NULL, NULL)) >= 0; close(fd)) {
        while (play_one(fd)) {
        }
    }
    return NULL;
}

/* ---- the server */

static void stop_all(uv_async_t *async)
{
    server_stop(world.server);
    reason_free(world.site.reasons);
    uv_close((uv_handle_t *)async, NULL);
}

static void *run_server(void *unused)
{
    (void)unused;
    uv_run(&world.loop, UV_RUN_DEFAULT);
    return NULL;
}

static void start_daemon(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", world.socket);
    world.daemon = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(world.daemon, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(world.daemon, 8), 0);
    assert_int_equal(pthread_create(&world.daemon_thread, NULL, play_daemon, NULL), 0);
}

static void start(const struct server_limits *limits)
{
    struct diag diag = {0};
    memset(&world, 0, sizeof(world));
    strcpy(world.folder, "/tmp/greengate-http.XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    snprintf(world.socket, sizeof(world.socket), "%s/web.sock", world.folder);
    snprintf(world.config, sizeof(world.config), "%s/greengate.yaml", world.folder);
    FILE *file = fopen(world.config, "w");
    char *data_dir = realpath("blocklists/catalog", NULL);
    assert_non_null(data_dir);
    fprintf(file, "server: {data_dir: '%s'}\nweb: {organisation: Green School}\n", data_dir);
    free(data_dir);
    fclose(file);
    if (site_load(&world.site, world.config, &diag) < 0) {
        fail_msg("%s: %s", diag.file, diag.text);
    }
    start_daemon();
    assert_int_equal(addr_parse("127.0.0.1", &world.addr), 0);
    assert_int_equal(uv_loop_init(&world.loop), 0);
    assert_int_equal(uv_async_init(&world.loop, &world.stop, stop_all), 0);
    assert_int_equal(reason_new(&world.loop, world.socket, &world.site.reasons), 0);
    assert_int_equal(server_new(&world.loop, &world.site, limits, &world.server), 0);
    assert_int_equal(server_listen(world.server, &world.addr, &diag), 0);
    assert_int_equal(pthread_create(&world.server_thread, NULL, run_server, NULL), 0);
}

static int set_up(void **state)
{
    (void)state;
    const struct server_limits limits = {12, 8, {HEADERS_MS, BODY_MS, IDLE_MS}};
    start(&limits);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    uv_async_send(&world.stop);
    pthread_join(world.server_thread, NULL);
    int err = uv_loop_close(&world.loop); /* whatever is left open fails the test */
    site_clear(&world.site);
    shutdown(world.daemon, SHUT_RDWR);
    pthread_join(world.daemon_thread, NULL);
    close(world.daemon);
    unlink(world.socket);
    unlink(world.config);
    rmdir(world.folder);
    return err;
}

/* ---- the client */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int dial(void)
{
    struct sockaddr_storage to;
    socklen_t len = addr_to_sockaddr(&world.addr, &to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {10, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, len), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Everything until the server closes. */
static const char *hear_all(int fd)
{
    static char out[ANSWER_MAX + 1];
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len < ANSWER_MAX) {
        got = recv(fd, out + len, ANSWER_MAX - len, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0 && errno != ECONNRESET) {
        fail_msg("still open: %s", strerror(errno));
    }
    out[len] = '\0';
    return out;
}

static const char *ask(const char *request)
{
    int fd = dial();
    say(fd, request);
    const char *answer = hear_all(fd);
    close(fd);
    return answer;
}

/* Exactly one answer of a connection that stays. */
static const char *hear_one(int fd)
{
    static char out[ANSWER_MAX + 1];
    size_t len = 0, whole = ANSWER_MAX;
    while (len < whole) {
        ssize_t got = recv(fd, out + len, whole < ANSWER_MAX ? whole - len : 1, 0);
        assert_true(got > 0);
        len += (size_t)got;
        out[len] = '\0';
        if (whole == ANSWER_MAX && len > 4 && strcmp(out + len - 4, "\r\n\r\n") == 0) {
            whole = len + strtoul(strstr(out, "Content-Length: ") + 16, NULL, 10);
        }
    }
    return out;
}

static size_t count(const char *text, const char *what)
{
    size_t found = 0;
    for (; (text = strstr(text, what)); text++) {
        found++;
    }
    return found;
}

#define assert_says(text, words)   assert_non_null(strstr(text, words))
#define assert_silent(text, words) assert_null(strstr(text, words))
#define ASK(host)                  "GET / HTTP/1.1\r\nHost: " host "\r\n"
#define LAST                       "Connection: close\r\n\r\n"

static const struct row {
    const char *behaviour, *request, *says, *silent;
} rows[] = {
    {"blocked name", ASK("bad.example") LAST, "HTTP/1.1 403 Forbidden", "301"},
    {"its category", ASK("bad.example") "Accept-Language: en\r\n" LAST, "gambling", "cannot say"},
    {"in Korean", ASK("bad.example") "Accept-Language: ko\r\n" LAST, "Content-Language: ko",
     "gambling"},
    {"in the first language", ASK("bad.example") LAST, "<html lang=\"ko\">", NULL},
    {"whose policy", ASK("bad.example") LAST, "Green School", NULL},
    {"not stored", ASK("bad.example") LAST, "Cache-Control: no-store", "Set-Cookie"},
    {"nothing loaded", ASK("bad.example") LAST, "default-src 'none'; style-src 'sha256-", "unsafe"},
    {"not sniffed", ASK("bad.example") LAST, "X-Content-Type-Options: nosniff", NULL},
    {"no referrer", ASK("bad.example") LAST, "Referrer-Policy: no-referrer", NULL},
    {"varies by language", ASK("bad.example") LAST, "Vary: Accept-Language", NULL},
    {"path is not shown", "GET /se-cret HTTP/1.1\r\nHost: bad.example\r\n" LAST, "403", "se-cret"},
    {"query is not shown", "GET /?se=cret HTTP/1.1\r\nHost: bad.example\r\n" LAST, "403", "cret"},
    {"not blocked any more", ASK("open.example") LAST, "HTTP/1.1 503 ", "gambling"},
    {"when to come again", ASK("open.example") LAST, "Retry-After: 10", NULL},
    {"daemon says no", ASK("error.example") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"daemon says half", ASK("half.example") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"daemon talks nonsense", ASK("junk.example") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"daemon goes away", ASK("gone.example") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"address has no reason", ASK("192.0.2.1") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\nAccept-Language: en\r\n\r\n", "cannot say why",
     "gambling"},
    {"HTTP/1.0 is closed", "GET / HTTP/1.0\r\nHost: bad.example\r\n\r\n", "Connection: close",
     NULL},
    {"absolute form", "GET http://bad.example/ HTTP/1.1\r\nHost: x.example\r\n" LAST, "bad.example",
     "x.example"},
    {"HEAD has no body", "HEAD / HTTP/1.1\r\nHost: bad.example\r\n" LAST, "text/html", "<html"},
    {"POST gets the page", "POST / HTTP/1.1\r\nHost: bad.example\r\nContent-Length: 2\r\n\r\nab",
     "<html", NULL},
    {"POST is closed", "POST / HTTP/1.1\r\nHost: bad.example\r\nContent-Length: 2\r\n\r\nab",
     "Connection: close", NULL},
    {"odd method gets the page", "PROPFIND / HTTP/1.1\r\nHost: bad.example\r\n\r\n", "403", "200"},
    {"CONNECT is refused", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
     "HTTP/1.1 405 ", "<html"},
    {"what is allowed", "TRACE / HTTP/1.1\r\nHost: a.example\r\nX: <echo>\r\n\r\n",
     "Allow: GET, HEAD", "echo"},
    {"picture gets nothing", ASK("bad.example") "Accept: image/png,*/*;q=0.8\r\n" LAST,
     "Content-Length: 0", "<html"},
    {"script gets nothing", ASK("bad.example") "Accept: */*\r\nReferer: http://a/\r\n" LAST,
     "Content-Length: 0", "<html"},
    {"frame gets the page", ASK("bad.example") "Sec-Fetch-Dest: iframe\r\n" LAST, "<html", NULL},
    {"favicon gets nothing", "GET /favicon.ico HTTP/1.1\r\nHost: bad.example\r\n" LAST, "403",
     "<html"},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "<html"},
    {"bad Host", "GET / HTTP/1.1\r\nHost: <script>\r\n\r\n", "HTTP/1.1 400 ", "script"},
    {"length and encoding",
     ASK("bad.example") "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "HTTP/1.1 400 ", "403"},
    {"big body", ASK("bad.example") "Content-Length: 5000\r\n\r\n", "HTTP/1.1 413 ", "403"},
    {"TLS hello", "\x16\x03\x01\x02\x01\x01\x01", "HTTP/1.1 400 ", NULL},
    {"refusal is closed", "GET / HTTP/1.1\r\n\r\n", "Connection: close", NULL},
};

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *answer = ask(rows[i].request);
        if (!strstr(answer, rows[i].says) || (rows[i].silent && strstr(answer, rows[i].silent))) {
            fail_msg("%s: got %.600s", rows[i].behaviour, answer);
        }
    }
}

static void octet_by_octet_is_the_same(void **state)
{
    (void)state;
    static const char request[] = ASK("bad.example") "Accept-Language: en\r\n" LAST;
    int fd = dial();
    for (size_t i = 0; request[i]; i++) {
        assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
    }
    const char *answer = hear_all(fd);
    close(fd);
    assert_says(answer, "403 Forbidden");
    assert_says(answer, "gambling");
}

static void pipelined_answers_keep_their_order(void **state)
{
    (void)state;
    /* The first waits for the daemon, the second needs none, the third waits again. */
    const char *answer = ask(ASK("late.example") "\r\n" ASK("192.0.2.7") "\r\n" ASK(
        "late2.example") "\r\n" ASK("192.0.2.8") LAST);
    assert_int_equal(count(answer, "HTTP/1.1 403 "), 4);
    assert_int_equal(count(answer, "Connection: keep-alive"), 3);
    const char *at = answer;
    static const char *const order[] = {">late.example<", ">192.0.2.7<", ">late2.example<",
                                        ">192.0.2.8<"};
    for (size_t i = 0; i < 4; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
}

static void connection_is_used_again(void **state)
{
    (void)state;
    int fd = dial();
    for (int i = 0; i < 3; i++) {
        say(fd, ASK("bad.example") "\r\n");
        assert_says(hear_one(fd), "403 Forbidden");
    }
    close(fd);
}

static void half_closed_client_is_answered(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, ASK("late.example") "\r\n" ASK("bad.example") "\r\n");
    shutdown(fd, SHUT_WR);
    const char *answer = hear_all(fd);
    close(fd);
    assert_int_equal(count(answer, "HTTP/1.1 403 "), 2);
}

static void too_much_at_once_is_cut_not_kept(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, ASK("late.example") "\r\n");
    char *much = malloc(200001);
    for (size_t i = 0; i < 200000; i++) {
        much[i] = (ASK("bad.example") "\r\n")[i % (sizeof(ASK("bad.example") "\r\n") - 1)];
    }
    much[200000] = '\0';
    (void)!send(fd, much, 200000, MSG_NOSIGNAL);
    free(much);
    const char *answer = hear_all(fd);
    close(fd);
    assert_says(answer, ">late.example<");
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
    strcpy(headers + len, "\r\n");
    int fd = dial();
    /* It is read to the end, so that the refusal is not lost in a reset. */
    say(fd, headers);
    free(headers);
    const char *answer = hear_all(fd);
    close(fd);
    assert_says(answer, "HTTP/1.1 431 ");
    assert_says(answer, "Connection: close");
}

/* Send an octet now and then; returns how long the server stood it. */
static double drip(int fd, const char *octet)
{
    double began = now();
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLHUP};
    while (now() - began < 8) {
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
    return now() - began;
}

static void slow_headers_are_cut(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, ASK("bad.example") "X: ");
    double took = drip(fd, "x");
    assert_true(took > HEADERS_MS / 1000.0 - 0.1);
    assert_true(took < HEADERS_MS / 1000.0 + 1.5);
}

static void slow_blank_lines_are_cut(void **state)
{
    (void)state;
    assert_true(drip(dial(), "\n") < HEADERS_MS / 1000.0 + 1.5);
}

static void slow_body_is_cut(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, "POST / HTTP/1.1\r\nHost: bad.example\r\nContent-Length: 4000\r\n\r\n");
    assert_true(drip(fd, "x") < BODY_MS / 1000.0 + 1.5);
}

static void slow_second_request_is_cut(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, ASK("bad.example") "\r\n");
    hear_one(fd);
    say(fd, "GET / HTTP/1.1\r\nX: ");
    assert_true(drip(fd, "x") < HEADERS_MS / 1000.0 + 1.5);
}

static void idle_connection_is_closed(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, ASK("bad.example") "\r\n");
    hear_one(fd);
    double began = now();
    assert_string_equal(hear_all(fd), "");
    double took = now() - began;
    close(fd);
    assert_true(took > IDLE_MS / 1000.0 - 0.1);
    assert_true(took < IDLE_MS / 1000.0 + 1.5);
}

static void mute_daemon_costs_a_second(void **state)
{
    (void)state;
    double began = now();
    const char *answer = ask(ASK("mute.example") "Accept-Language: en\r\n" LAST);
    double took = now() - began;
    assert_says(answer, "cannot say why");
    assert_true(took > 0.9);
    assert_true(took < 3);
    /* And the next question is answered again. */
    assert_says(ask(ASK("bad.example") "Accept-Language: en\r\n" LAST), "gambling");
}

static void client_that_leaves_while_waiting_does_no_harm(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        int fd = dial();
        say(fd, ASK("late.example") "\r\n");
        struct linger reset = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    assert_says(ask(ASK("bad.example") "Accept-Language: en\r\n" LAST), "gambling");
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
    start(&limits);
    return 0;
}

static void newcomer_takes_the_place_of_the_oldest_idle(void **state)
{
    (void)state;
    int fds[9];
    for (int i = 0; i < 8; i++) {
        fds[i] = dial();
        say(fds[i], ASK("bad.example") "\r\n");
        hear_one(fds[i]);
    }
    fds[8] = dial();
    say(fds[8], ASK("bad.example") "\r\n");
    assert_says(hear_one(fds[8]), "403");
    assert_true(is_closed(fds[0], 5000));
    say(fds[1], ASK("bad.example") "\r\n");
    assert_says(hear_one(fds[1]), "403");
    for (int i = 0; i < 9; i++) {
        close(fds[i]);
    }
}

static void newcomer_is_turned_away_when_none_idles(void **state)
{
    (void)state;
    int fds[8];
    for (int i = 0; i < 8; i++) {
        fds[i] = dial();
        say(fds[i], "GET / HTTP/1.1\r\nX: ");
    }
    nanosleep(&(struct timespec){0, 100 * 1000000}, NULL); /* let them be read */
    int late = dial();
    assert_true(is_closed(late, 5000));
    close(late);
    say(fds[0], "y\r\nHost: bad.example\r\n" LAST);
    assert_says(hear_all(fds[0]), "403 Forbidden");
    for (int i = 0; i < 8; i++) {
        close(fds[i]);
    }
}

#define ROW(test)     cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define PATIENT(test) cmocka_unit_test_setup_teardown(test, set_up_patient, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(answers),
        ROW(octet_by_octet_is_the_same),
        ROW(pipelined_answers_keep_their_order),
        ROW(connection_is_used_again),
        ROW(half_closed_client_is_answered),
        ROW(too_much_at_once_is_cut_not_kept),
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
