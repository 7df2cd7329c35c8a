// SPDX-License-Identifier: Apache-2.0
/* request: what a page needs to know of a request, and nothing more.
 *
 * On the sinkhole query, cookies, referring page and body belong to the site that was blocked:
 * they are counted, never kept, but for the body of what is posted to REQUEST_FORM_PATH, where
 * our own form leads. The dashboard's listener, which is our own alone, keeps them in `own`. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST, REQUEST_OTHER };
enum request_host { HOST_NONE, HOST_NAME, HOST_ADDRESS };

#define REQUEST_FORM_PATH "/review"

/* What only our own pages may know. A header that is too long counts as not sent. */
struct request_own {
    char query[1024];    /* behind the ?, as it came */
    char authority[280]; /* the Host header as it came */
    char cookie[2048];   /* of all names */
    char authorization[160];
    char origin[300];
    char csrf[40]; /* X-CSRF-Token */
    char content_type[64];
    char if_none_match[48];
    char accept_encoding[128];
};

struct request {
    enum request_method method;
    enum request_host host_kind;
    bool local;     /* it was called NAME.localhost: the browser runs on this machine */
    char host[256]; /* lower case, without port and trailing dot; [a-z0-9._-] or an address */
    char path[64];  /* cut, without query: enough for the route table */
    char accept[512];
    char accept_language[256];
    char fetch_dest[24]; /* Sec-Fetch-Dest, "" when the browser sent none */
    bool embedded;       /* it came with Referer or Origin: some page asks, not a person */
    bool close;          /* the connection ends after the answer */
    const char *body;    /* posted to REQUEST_FORM_PATH or to us, of whoever read it; else NULL */
    size_t body_len;
    const struct request_own *own; /* of the dashboard's listener; else NULL */
};

/* Take "name", "name:80", "192.0.2.1" or "[::1]:80" into host and host_kind.
 * -EINVAL: nothing that can stand in an URL. Empty is HOST_NONE. */
__attribute__((warn_unused_result)) int request_set_host(struct request *request, const char *text,
                                                         size_t len);

/* A document for a person, not a picture or script of some page. */
bool request_wants_page(const struct request *request);
