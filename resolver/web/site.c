// SPDX-License-Identifier: Apache-2.0
#include "web/site.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "config/schedule.h"
#include "web/page.h"

enum { PORT_HTTP = 80 };

static void find_port(struct site *site)
{
    const struct text_list *listen = &site->config->web.listen;
    struct addr addr;
    if (site->port == 0) {
        bool named = listen->count > 0 && addr_parse_port(listen->items[0], PORT_HTTP, &addr) == 0;
        site->port = named ? addr.port : PORT_HTTP;
    }
}

static int write_policy(struct site_face *face)
{
    unsigned char digest[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
    unsigned len = 0;
    if (EVP_Digest(page_style, strlen(page_style), digest, &len, EVP_sha256(), NULL) != 1) {
        return -EIO;
    }
    EVP_EncodeBlock(text, digest, (int)len);
    int used = snprintf(face->policy, sizeof(face->policy),
                        "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; "
                        "form-action %s",
                        text, *face->origin ? face->origin : "'none'");
    return used > 0 && (size_t)used < sizeof(face->policy) ? 0 : -ENOSPC;
}

static int write_face(const struct site *site, bool local, struct site_face *face)
{
    char port[8] = "";
    if (site->port != PORT_HTTP) {
        snprintf(port, sizeof(port), ":%u", site->port);
    }
    if (*site->own_host && site->config->web.reviews) {
        int len = snprintf(face->origin, sizeof(face->origin), "http://%s%s%s", site->own_host,
                           local ? ".localhost" : "", port);
        if (len < 0 || (size_t)len >= sizeof(face->origin)) {
            return -ENOSPC;
        }
    }
    return write_policy(face);
}

/* Our own pages answer to our name, but where the sinkhole has an address of its own: there the
 * name may lead to somebody else's port 80. */
static int write_faces(struct site *site)
{
    const char *address = site->config->block.page_ipv4, *name = site->config->server.name;
    struct request own; /* as a browser will call it: small letters, no last dot */
    find_port(site);
    if (request_set_host(&own, name, strlen(name)) == 0) {
        snprintf(site->name, sizeof(site->name), "%s", own.host);
    }
    if (!*address || request_set_host(&own, address, strlen(address)) == 0) {
        snprintf(site->own_host, sizeof(site->own_host), "%s", own.host);
    }
    bool named = own.host_kind == HOST_NAME;
    int err = write_face(site, named && own.local, &site->face);
    return err == 0 ? write_face(site, named, &site->local_face) : err;
}

const struct site_face *site_face(const struct site *site, const struct request *request)
{
    return request->local ? &site->local_face : &site->face;
}

static int take_languages(struct site *site, struct diag *diag)
{
    const struct text_list *wanted = &site->config->web.languages;
    site->language_count = 0;
    for (size_t i = 0; i < wanted->count && i < SITE_LANGUAGES_MAX; i++) {
        if (!texts_speak(site->texts, wanted->items[i])) {
            return diag_set(diag, -EINVAL, "web.languages: texts.yaml does not speak '%s'",
                            wanted->items[i]);
        }
        site->languages[site->language_count++] = wanted->items[i];
    }
    if (site->language_count == 0) {
        return diag_set(diag, -EINVAL, "web.languages: at least one is needed");
    }
    return 0;
}

void site_clear(struct site *site)
{
    config_free(site->config);
    catalog_free(site->catalog);
    texts_free(site->texts);
    memset(site, 0, sizeof(*site));
}

int site_load(struct site *site, const char *config_path, struct diag *diag)
{
    struct site fresh = {.port = site->port};
    /* Lists and groups, which managed.yaml is about, are the daemon's alone. */
    int err = config_load_with(config_path, NULL, &fresh.config, diag);
    if (err == 0) {
        err = catalog_load(fresh.config->server.data_dir, &fresh.catalog, diag);
    }
    if (err == 0) {
        err = texts_load(fresh.config->server.data_dir, &fresh.texts, diag);
    }
    if (err == 0) {
        err = take_languages(&fresh, diag);
    }
    if (err == 0) {
        err = write_faces(&fresh);
    }
    if (err < 0) {
        site_clear(&fresh);
        return err;
    }
    schedule_set_timezone(fresh.config);
    fresh.daemon = site->daemon;
    fresh.key = site->key;
    if (fresh.key.k0 == 0 && fresh.key.k1 == 0) {
        hash_key_random(&fresh.key);
    }
    site_clear(site);
    *site = fresh;
    return 0;
}

struct places {
    struct addr *addrs;
    size_t count;
};

static void add_place(struct places *places, const struct addr *addr)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct addr *known = &places->addrs[i];
        if (addr_equal(known, addr) && known->port == addr->port && known->scope == addr->scope) {
            return;
        }
    }
    if (places->count < SITE_LISTEN_MAX) {
        places->addrs[places->count++] = *addr;
    }
}

/* The sinkhole of one family: the configured address, else those that answer DNS. */
static void add_sinkholes(struct places *places, const struct config *config, uint8_t family)
{
    const char *own = family == AF_INET ? config->block.page_ipv4 : config->block.page_ipv6;
    struct addr addr;
    if (own[0] && addr_parse(own, &addr) == 0) {
        addr.port = PORT_HTTP;
        add_place(places, &addr);
        return;
    }
    for (size_t i = 0; i < config->dns.listen.count; i++) {
        if (addr_parse_port(config->dns.listen.items[i], 0, &addr) == 0 && addr.family == family) {
            addr.port = PORT_HTTP;
            add_place(places, &addr);
        }
    }
}

size_t site_listen(const struct site *site, struct addr ret_addrs[SITE_LISTEN_MAX])
{
    const struct config *config = site->config;
    struct places places = {ret_addrs, 0};
    for (size_t i = 0; i < config->web.listen.count; i++) {
        struct addr addr;
        if (addr_parse_port(config->web.listen.items[i], PORT_HTTP, &addr) == 0) {
            add_place(&places, &addr);
        }
    }
    if (config->web.listen.count == 0) {
        add_sinkholes(&places, config, AF_INET);
        add_sinkholes(&places, config, AF_INET6);
    }
    return places.count;
}
