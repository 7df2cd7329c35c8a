// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/datafile.h"
#include "tools/doctor.h"
#include "tools/probe.h"

enum { HTTP_PORT = 80, DNS_PORT = 53, TIMEOUT_MS = 2500, ANSWER_MAX = 65536, NAMES_MAX = 20 };

static bool wants_page(const struct config *config)
{
    bool wanted = config->block.mode == MODE_PAGE;
    for (size_t i = 0; i < config->group_count; i++) {
        wanted |= config->groups[i].mode == MODE_PAGE;
    }
    return wanted;
}

/* Is the name blocked for this machine, when it asks the page's server there? */
static bool shows_page(struct doctor *doctor, const struct addr *server, const char *name)
{
    char client[ADDR_TEXT_MAX];
    struct addr own = *server;
    own.port = 0;
    cJSON *request = cJSON_CreateObject();
    cJSON *reply = NULL;
    cJSON_AddStringToObject(request, "command", "check");
    cJSON_AddStringToObject(request, "name", name);
    cJSON_AddStringToObject(request, "client", addr_print(&own, client));
    bool shows = cli_try_ask(doctor->cli, request, &reply, NULL) == 0 && cli_flag(reply, "blocked");
    cJSON_Delete(reply);
    return shows;
}

/* A name of the starter list that is blocked here; "" when there is none. */
static void find_blocked(struct doctor *doctor, const struct addr *server, char out[DNAME_TEXT_MAX])
{
    char path[4096], line[DNAME_TEXT_MAX];
    unsigned tried = 0;
    out[0] = '\0';
    datafile_path(doctor->config->server.data_dir, "starter/adult.txt", path, sizeof(path));
    FILE *file = doctor->status ? fopen(path, "re") : NULL;
    while (file && tried < NAMES_MAX && !*out && fgets(line, sizeof(line), file)) {
        line[strcspn(line, " \t\r\n#")] = '\0';
        if (*line) {
            tried++;
            snprintf(out, DNAME_TEXT_MAX, "%s", shows_page(doctor, server, line) ? line : "");
        }
    }
    if (file) {
        fclose(file);
    }
}

static int open_stream(const struct addr *server)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(server, &sa);
    const struct timeval limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000};
    int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (const struct sockaddr *)&sa, len) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* What a browser would be answered; the octets with a NUL behind them, -errno when nobody does. */
static int fetch(const struct addr *server, const char *host, char *answer)
{
    char request[512];
    size_t used = 0;
    ssize_t got = 1;
    int fd = open_stream(server);
    if (fd < 0) {
        return fd;
    }
    int len = snprintf(request, sizeof(request),
                       "GET / HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\n"
                       "Sec-Fetch-Dest: document\r\nConnection: close\r\n\r\n",
                       host);
    if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len) {
        got = 0;
    }
    while (got > 0 && used < ANSWER_MAX - 1) {
        got = recv(fd, answer + used, ANSWER_MAX - 1 - used, 0);
        used += got > 0 ? (size_t)got : 0;
    }
    answer[used] = '\0';
    close(fd);
    return 0;
}

/* The page of ours: never kept, and with the host in it. */
static bool is_ours(const char *answer, const char *host, unsigned *ret_status)
{
    *ret_status = 0;
    (void)!sscanf(answer, "HTTP/1.%*1[01] %3u", ret_status);
    const char *body = strstr(answer, "\r\n\r\n");
    bool head = strcasestr(answer, "\r\ncache-control: no-store") != NULL;
    return head && body && strstr(body, "<html") && (!*host || strstr(body, host));
}

static void judge(struct doctor *doctor, const char *where, const char *host, const char *answer)
{
    unsigned status;
    bool ours = is_ours(answer, host, &status);
    if (!ours) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_FAULT, "warning page",
                              "stop the other web server, or give greengate-web an address of its "
                              "own (block.page_ipv4, web.listen)"},
            "%s answers, but not with the warning page (HTTP status %u): another web server?",
            where, status);
    } else if (*host && status != 403 && status != 451) {
        doctor_find(doctor,
                    &(struct finding){FINDING_FAULT, "warning page",
                                      "do greengated and greengate-web read the same "
                                      "configuration? restart greengate-web"},
                    "%s does not know that %s is blocked (HTTP status %u)", where, host, status);
    } else {
        doctor_find(doctor, &(struct finding){FINDING_OK, "warning page", ""},
                    *host ? "%s answers: a browser that asks for %s sees it" : "%s answers%s",
                    where, host);
    }
}

static void see_page(struct doctor *doctor, const struct addr *server, const char *host)
{
    char where[ADDR_TEXT_MAX];
    char *answer = malloc(ANSWER_MAX);
    if (!answer) {
        return;
    }
    addr_print(server, where);
    if (fetch(server, *host ? host : "blocked.invalid", answer) < 0) {
        doctor_find(doctor,
                    &(struct finding){FINDING_WARNING, "warning page",
                                      "start greengate-web, or set block.mode to nxdomain"},
                    "no web server on %s: blocked pages only fail to load", where);
    } else {
        judge(doctor, where, host, answer);
    }
    free(answer);
}

/* Where browsers are led: the family's own address, else the one that answers DNS. */
static struct addr sinkhole_of(const struct config *config, const struct addr *listen)
{
    const char *own = listen->family == AF_INET ? config->block.page_ipv4 : config->block.page_ipv6;
    struct addr addr = *listen;
    if (*own && addr_parse(own, &addr) < 0) {
        addr = *listen;
    }
    addr.port = HTTP_PORT;
    return addr;
}

void doctor_see_page(struct doctor *doctor)
{
    char host[DNAME_TEXT_MAX];
    const struct config *config = doctor->config;
    const bool own = config->web.listen.count > 0;
    const struct text_list *listen = own ? &config->web.listen : &config->dns.listen;
    if (!wants_page(config)) {
        return;
    }
    for (size_t i = 0; i < listen->count; i++) {
        struct addr addr;
        if (addr_parse_port(listen->items[i], HTTP_PORT, &addr) < 0) {
            continue;
        }
        if (!own) {
            addr = sinkhole_of(config, &addr);
        }
        addr = doctor_reach(&addr);
        find_blocked(doctor, &addr, host);
        see_page(doctor, &addr, host);
    }
}
