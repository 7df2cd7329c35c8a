// SPDX-License-Identifier: Apache-2.0
/* site: what the pages are made of, read once and replaced as a whole. */
#pragma once
#include "base/addr.h"
#include "base/hash.h"
#include "config/config.h"
#include "config/texts.h"
#include "web/inquiry.h"
#include "web/request.h"

enum { SITE_LANGUAGES_MAX = 16, SITE_LISTEN_MAX = 32 };

/* What our own pages are called by a browser, and what a page may do. */
struct site_face {
    char origin[304]; /* "http://NAME[:PORT]"; "" = no reviews */
    char policy[496]; /* Content-Security-Policy of a page */
};

struct site {
    struct config *config;
    struct catalog *catalog;
    struct texts *texts;
    const char *languages[SITE_LANGUAGES_MAX]; /* of the configuration */
    size_t language_count;
    uint16_t port;                 /* that our pages are at; a reload opens no other */
    char own_host[256];            /* what our own pages answer to, */
    char name[256];                /* and server.name as browsers say it */
    struct site_face face;         /* for devices, whom DNS leads here, */
    struct site_face local_face;   /* and for who calls us NAME.localhost, whom it need not */
    struct hash_key key;           /* of the tokens of forms; survives a reload */
    struct inquiry_source *daemon; /* not owned; survives a reload */
};

/* Configuration, catalogue and texts. -ENOENT, -EINVAL with *diag; *site is
 * untouched on failure, else what it held is freed. */
__attribute__((warn_unused_result)) int site_load(struct site *site, const char *config_path,
                                                  struct diag *diag);
void site_clear(struct site *site);

const struct site_face *site_face(const struct site *site, const struct request *request);

/* Where to listen: web.listen, or port 80 of every sinkhole address, each once. How
 * many there are, at most SITE_LISTEN_MAX. */
size_t site_listen(const struct site *site, struct addr ret_addrs[SITE_LISTEN_MAX]);
