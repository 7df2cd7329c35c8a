// SPDX-License-Identifier: Apache-2.0
/* answer: what goes back for one request, before it is put on a wire. */
#pragma once
#include "web/text.h"

struct answer {
    int status;
    const char *type;     /* NULL: no Content-Type */
    const char *language; /* NULL: none */
    const char *policy;   /* Content-Security-Policy, NULL: none */
    const char *location; /* of a 303; else NULL */
    const char *allow;    /* methods, of a 405; else NULL */
    const char *cookie;   /* Set-Cookie, of our own pages alone; NULL: none */
    const char *etag;     /* it may be kept and asked for again; NULL: it must not be stored */
    const char *encoding; /* Content-Encoding, NULL: none */
    unsigned retry_s;     /* Retry-After, 0: none */
    bool stream;          /* pieces follow until the connection ends: exchange_push() */
    const char *body;     /* len octets; of a HEAD it is counted and not sent */
    size_t len;
};

/* Status line and headers of HTTP/1.1, the empty line included. It redirects to our own pages
 * alone. */
void answer_write_head(const struct answer *answer, bool close, struct text *text);
