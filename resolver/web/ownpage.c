// SPDX-License-Identifier: Apache-2.0
#include "web/ownpage.h"

#include <stdio.h>
#include <string.h>

#include "config/dashboard.h"
#include "web/respond.h"

enum { URL_MAX = 320 };

static bool is_served_at(const struct site *site, const char *host)
{
    struct addr places[SITE_LISTEN_MAX], asked;
    size_t count = addr_parse(host, &asked) == 0 ? site_listen(site, places) : 0;
    for (size_t i = 0; i < count; i++) {
        if (addr_equal(&places[i], &asked)) {
            return true;
        }
    }
    return false;
}

bool ownpage_is_asked(const struct site *site, const struct request *request)
{
    if (request->host_kind == HOST_ADDRESS) {
        return is_served_at(site, request->host) || strcmp(request->host, site->own_host) == 0;
    }
    return request->host_kind == HOST_NAME && strcmp(request->host, site->name) == 0;
}

/* By which name or address the client finds what listens there. */
static void print_url(const struct exchange *exchange, const struct addr *listen, char out[URL_MAX])
{
    const struct site *site = exchange->site;
    const struct config *config = site->config;
    const struct text_list *names = &config->web.admin_names;
    bool secure = *config->web.admin_tls_cert;
    char print[ADDR_TEXT_MAX];
    if (secure && names->count) { /* the certificate is of a name */
        snprintf(out, URL_MAX, "https://%.255s:%u/", names->items[0], listen->port);
    } else if (addr_is_any(listen) && exchange->request.host_kind == HOST_NAME) {
        snprintf(out, URL_MAX, "http%s://%s%s:%u/", secure ? "s" : "", exchange->request.host,
                 exchange->request.local ? ".localhost" : "", listen->port);
    } else if (!addr_is_any(listen)) {
        snprintf(out, URL_MAX, "http%s://%s/", secure ? "s" : "", addr_print(listen, print));
    }
}

/* The dashboard, if who asks can reach it: what listens on loopback only this machine does. */
static void find_desk(const struct exchange *exchange, char out[URL_MAX])
{
    const struct site *site = exchange->site;
    const struct text_list *listen = &site->config->web.admin_listen;
    bool here = addr_is_loopback(&exchange->client);
    out[0] = '\0';
    for (size_t i = 0; i < listen->count && !*out; i++) {
        struct addr addr;
        if (addr_parse_port(listen->items[i], DASHBOARD_PORT, &addr) == 0 &&
            dashboard_is_served(site->config, &addr) && (here || !addr_is_loopback(&addr))) {
            print_url(exchange, &addr, out);
        }
    }
}

void ownpage_serve(struct exchange *exchange)
{
    char desk[URL_MAX];
    struct page page = respond_begin(exchange, PAGE_OWN);
    find_desk(exchange, desk);
    page.host = "";
    page.desk = desk;
    respond_page(exchange, &page, strcmp(exchange->request.path, "/") == 0 ? 200 : 404);
}
