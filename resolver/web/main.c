// SPDX-License-Identifier: Apache-2.0
/* greengate-web: the warning page on the sinkhole addresses, and the dashboard on its own. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "base/notify.h"
#include "confine/confinement.h"
#include "confine/privileges.h"
#include "control/client.h"
#include "web/api.h"
#include "web/revision.h"
#include "web/route.h"
#include "web/server.h"

enum {
    EXIT_USAGE = 2,
    EXIT_CONFIG = 4,
    FILES_SPARE = 256, /* the dashboard's connections among them */
    FILES_LEAST = 16,
    STOP_MS = 2000,
    LOOK_MS = 5000
};

#define CONFIG_DEFAULT "/etc/greengate/greengate.yaml"

struct program {
    uv_loop_t loop;
    uv_signal_t term, interrupt, hangup;
    uv_timer_t patience; /* while stopping */
    uv_timer_t look;     /* for a changed configuration */
    uv_timer_t beat;     /* for the service manager */
    const char *config_path;
    uint64_t config_version; /* as of the last reading, even one that failed */
    struct site site;
    struct desk desk;
    struct server *server, *own;  /* of the warning page, of the dashboard */
    struct tls_context *identity; /* of the dashboard; NULL: it is plain http */
    uint64_t identity_version;
};

/* What happened, on stderr; nothing about any request ever. */
static void say(const char *text)
{
    fprintf(stderr, "greengate-web: %s\n", text);
}

static void complain_about(const struct diag *diag, int err)
{
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 64];
    diag_print(diag, text, sizeof(text));
    say(diag->text[0] ? text : strerror(-err));
}

/* Nobody is owed an answer any more. */
static void finish(struct program *program)
{
    desk_close(&program->desk);
    inquiry_free(program->site.daemon);
    inquiry_free(program->desk.daemon);
    program->site.daemon = program->desk.daemon = NULL;
    uv_close((uv_handle_t *)&program->term, NULL);
    uv_close((uv_handle_t *)&program->interrupt, NULL);
    uv_close((uv_handle_t *)&program->hangup, NULL);
    uv_close((uv_handle_t *)&program->patience, NULL);
    uv_close((uv_handle_t *)&program->look, NULL);
    uv_close((uv_handle_t *)&program->beat, NULL);
}

static void stopped(void *context)
{
    struct program *program = context;
    program->server = NULL;
    if (!program->own) {
        finish(program);
    }
}

static void own_stopped(void *context)
{
    struct program *program = context;
    program->own = NULL;
    if (!program->server) {
        finish(program);
    }
}

static void patience_ends(uv_timer_t *timer)
{
    struct program *program = timer->data;
    if (program->server) {
        server_cut(program->server);
    }
    if (program->own) {
        server_cut(program->own);
    }
}

static void stop_servers(struct program *program)
{
    struct server *server = program->server, *own = program->own;
    if (!server && !own) {
        finish(program);
    }
    if (own) { /* streams of events have no end of their own */
        server_stop(own, own_stopped, program);
    }
    if (server) {
        server_stop(server, stopped, program);
    }
}

/* A second signal does not wait. */
static void stop(uv_signal_t *handle, int number)
{
    struct program *program = handle->data;
    (void)number;
    notify_send("STOPPING=1");
    if (uv_is_active((uv_handle_t *)&program->patience)) {
        patience_ends(&program->patience);
    } else if (program->server) {
        uv_timer_start(&program->patience, patience_ends, STOP_MS, 0);
        stop_servers(program);
    }
}

/* The version first: what changes while it is read is read again. */
static int read_site(struct program *program, struct diag *diag)
{
    program->config_version = revision_of(program->config_path);
    return site_load(&program->site, program->config_path, diag);
}

/* Texts, catalogue and what the page shows; listeners need a restart. */
static void reload(struct program *program)
{
    struct diag diag = {0};
    int err = read_site(program, &diag);
    if (err < 0) {
        confinement_explain(&diag);
        complain_about(&diag, err);
        say("the old configuration stays in force");
    } else {
        desk_refresh(&program->desk);
        say("configuration read again");
    }
}

static void hang_up(uv_signal_t *handle, int number)
{
    (void)number;
    reload(handle->data);
}

/* The dashboard's certificate, if one is wanted; one that cannot be used leaves the old one. */
static int read_identity(struct program *program, struct diag *diag)
{
    const struct config *config = program->site.config;
    const char *certificate = config->web.admin_tls_cert, *key = config->web.admin_tls_key;
    struct tls_context *identity = NULL;
    uint64_t version = revision_of_file(certificate) ^ revision_of_file(key) * 31;
    if (!*certificate || version == program->identity_version) {
        return 0;
    }
    program->identity_version = version;
    int err = tls_context_server(certificate, key, &identity, diag);
    if (err == 0) {
        tls_context_free(program->identity);
        program->identity = identity;
    }
    return err;
}

/* `greengate reload` reaches the daemon alone; a mistake is said once, not every time. */
static void look(uv_timer_t *timer)
{
    struct program *program = timer->data;
    struct diag diag = {0};
    if (revision_of(program->config_path) != program->config_version) {
        reload(program);
    }
    int err = program->identity ? read_identity(program, &diag) : 0;
    if (err < 0) {
        complain_about(&diag, err);
        say("the old certificate stays in force");
    }
}

static void beat(uv_timer_t *timer)
{
    (void)timer;
    if (notify_is_watched()) {
        notify_send("WATCHDOG=1");
    }
}

static void watch(struct program *program, uv_signal_t *handle, uv_signal_cb act, int number)
{
    uv_signal_init(&program->loop, handle);
    handle->data = program;
    uv_signal_start(handle, act, number);
}

/* Connections that the limit of open files has room for. */
static unsigned count_places(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) {
        return FILES_LEAST;
    }
    if (files.rlim_cur < FILES_SPARE + FILES_LEAST) {
        return FILES_LEAST;
    }
    rlim_t room = files.rlim_cur - FILES_SPARE;
    return room < server_defaults.connections ? (unsigned)room : server_defaults.connections;
}

static int listen_all(struct program *program, struct diag *diag)
{
    struct addr addrs[SITE_LISTEN_MAX];
    size_t count = site_listen(&program->site, addrs);
    int err = count ? 0 : diag_set(diag, -EINVAL, "no address to listen on: set web.listen");
    for (size_t i = 0; i < count && err == 0; i++) {
        char print[ADDR_TEXT_MAX];
        err = server_listen(program->server, &addrs[i], diag);
        if (err == 0) {
            fprintf(stderr, "greengate-web: listening on http://%s\n",
                    addr_print(&addrs[i], print));
        }
    }
    return err;
}

static int open_daemon(struct program *program, struct diag *diag)
{
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *control = program->site.config->server.control_socket;
    int err = client_web_socket(control, path, sizeof(path));
    if (err == 0) {
        err = inquiry_new(&program->loop, path, &inquiry_defaults, &program->site.daemon);
    }
    if (err == 0) {
        err = inquiry_new(&program->loop, path, &inquiry_own_defaults, &program->desk.daemon);
    }
    return err < 0 ? diag_set(diag, err, "server.control_socket: '%.120s' does not fit", control)
                   : 0;
}

static void open_desk_at(struct program *program, const char *listen)
{
    const struct config *config = program->site.config;
    char print[ADDR_TEXT_MAX];
    struct diag diag = {0};
    struct addr addr;
    if (addr_parse_port(listen, DASHBOARD_PORT, &addr) < 0) {
        return; /* the checker lets none of these pass */
    }
    addr_print(&addr, print);
    if (!dashboard_is_served(config, &addr)) {
        fprintf(stderr,
                "greengate-web: no dashboard on %s: passwords would cross the network in the "
                "clear; set web.admin_tls_cert, or web.admin_plain behind a proxy of your own\n",
                print);
    } else if (server_listen(program->own, &addr, &diag) < 0) {
        complain_about(&diag, -EINVAL);
    } else {
        fprintf(stderr, "greengate-web: dashboard on http%s://%s%s\n", program->identity ? "s" : "",
                print, dashboard_is_bare(config, &addr) ? ", in the clear (web.admin_plain)" : "");
    }
}

/* The dashboard; what hinders it hinders no warning page. */
static void open_desk(struct program *program)
{
    struct diag diag = {0};
    const struct text_list *listen = &program->site.config->web.admin_listen;
    const struct server_content content = {desk_serve, &program->desk, true, &program->identity};
    program->desk.site = &program->site;
    if (listen->count == 0) {
        return;
    }
    int err = read_identity(program, &diag);
    if (err == 0) {
        err = desk_open(&program->desk, &program->loop, &diag);
    }
    if (err < 0 || diag.text[0]) {
        complain_about(&diag, err);
    }
    if (err == 0) {
        err = server_new(&program->loop, &content, &server_own_defaults, &program->own);
    }
    for (size_t i = 0; i < listen->count && err == 0; i++) {
        open_desk_at(program, listen->items[i]);
    }
}

static int open_pages(struct program *program, struct diag *diag)
{
    struct server_limits limits = server_defaults;
    const struct server_content content = {route_serve, &program->site, false, NULL};
    limits.connections = count_places();
    int err = open_daemon(program, diag);
    if (err == 0) {
        err = server_new(&program->loop, &content, &limits, &program->server);
    }
    return err == 0 ? listen_all(program, diag) : err;
}

static int run(struct program *program)
{
    struct diag diag = {0};
    int err = uv_loop_init(&program->loop);
    if (err < 0) {
        complain_about(&diag, err);
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    uv_timer_init(&program->loop, &program->patience);
    uv_timer_init(&program->loop, &program->look);
    uv_timer_init(&program->loop, &program->beat);
    uv_timer_start(&program->look, look, LOOK_MS, LOOK_MS);
    program->patience.data = program->look.data = program;
    watch(program, &program->term, stop, SIGTERM);
    watch(program, &program->interrupt, stop, SIGINT);
    watch(program, &program->hangup, hang_up, SIGHUP);
    err = open_pages(program, &diag);
    if (err == 0) {
        open_desk(program);
        err = privileges_drop(confinement_web_user(program->site.config), &diag);
        /* As the user sees it, who may be kept from seeing it at all. */
        program->config_version = revision_of(program->config_path);
    }
    if (err == 0) {
        err = confinement_of_web(
            &(struct confinement){program->site.config, program->config_path, say}, &diag);
    }
    if (err < 0) {
        complain_about(&diag, err);
        stop_servers(program);
    } else {
        unsigned every_ms = notify_interval_ms(LOOK_MS);
        uv_timer_start(&program->beat, beat, every_ms, every_ms);
        notify_send("READY=1");
    }
    uv_run(&program->loop, UV_RUN_DEFAULT);
    uv_loop_close(&program->loop);
    say("stopped");
    return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int usage(int status)
{
    fputs("usage: greengate-web [-c FILE] [-t | -A]\n"
          "  -c FILE  the configuration; default " CONFIG_DEFAULT "\n"
          "  -t       check it and exit\n"
          "  -A       print the API's description (OpenAPI) and exit\n",
          status ? stderr : stdout);
    return status;
}

static int describe(void)
{
    cJSON *description = api_describe();
    char *text = description ? cJSON_Print(description) : NULL;
    int err = text ? puts(text) : EOF;
    cJSON_free(text);
    cJSON_Delete(description);
    return err == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    static struct program program = {.config_path = CONFIG_DEFAULT};
    struct diag diag = {0};
    bool check = false;
    int option;
    while ((option = getopt_long(argc, argv, "c:tAh", long_options, NULL)) != -1) {
        switch (option) {
        case 'c': program.config_path = optarg; break;
        case 't': check = true; break;
        case 'A': return describe();
        case 'h': return usage(0);
        default: return usage(EXIT_USAGE);
        }
    }
    if (optind < argc) {
        return usage(EXIT_USAGE);
    }
    int err = read_site(&program, &diag);
    if (err < 0) {
        complain_about(&diag, err);
        return EXIT_CONFIG;
    }
    int status = check ? EXIT_SUCCESS : run(&program);
    tls_context_free(program.identity);
    site_clear(&program.site);
    return status;
}
