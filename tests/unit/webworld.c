// SPDX-License-Identifier: Apache-2.0
#include "webworld.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control/client.h"

enum { ANSWER_MAX = 64 * 1024 };

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
    cJSON_AddBoolToObject(reply, "admitted", strcmp(host, "stranger.example") != 0);
    cJSON_AddBoolToObject(reply, "forwarder", strcmp(host, "forwarded.example") == 0);
    cJSON_AddStringToObject(reply, "category", "gambling");
    bool by_rule = strncmp(host, "rule", 4) == 0;
    cJSON_AddStringToObject(reply, "reason", by_rule ? "block-rule" : "list");
    if (strcmp(host, "rule-staff.example") == 0) {
        cJSON_AddStringToObject(reply, "rule_group", "staff");
    }
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

static void all_answered(void *context)
{
    inquiry_free(world.site.daemon);
    uv_close(context, NULL);
}

static void stop_all(uv_async_t *async)
{
    server_stop(world.server, all_answered, async);
    server_cut(world.server);
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

void webworld_start(const struct server_limits *limits)
{
    struct diag diag = {0};
    memset(&world, 0, sizeof(world));
    snprintf(world.folder, sizeof(world.folder), "/tmp/greengate-http.XXXXXX");
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
    assert_int_equal(inquiry_new(&world.loop, world.socket, &inquiry_defaults, &world.site.daemon),
                     0);
    const struct server_content content = {route_serve, &world.site, false, NULL};
    assert_int_equal(server_new(&world.loop, &content, limits, &world.server), 0);
    assert_int_equal(server_listen(world.server, &world.addr, &diag), 0);
    assert_int_equal(pthread_create(&world.server_thread, NULL, run_server, NULL), 0);
}

int webworld_stop(void **state)
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

double webworld_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int webworld_dial(void)
{
    struct sockaddr_storage to;
    socklen_t len = addr_to_sockaddr(&world.addr, &to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {10, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, len), 0);
    return fd;
}

void webworld_say(int fd, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Everything until the server closes. */
const char *webworld_hear_all(int fd)
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

const char *webworld_ask(const char *request)
{
    int fd = webworld_dial();
    webworld_say(fd, request);
    const char *answer = webworld_hear_all(fd);
    close(fd);
    return answer;
}

/* Exactly one answer of a connection that stays. */
const char *webworld_hear_one(int fd)
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
