// SPDX-License-Identifier: Apache-2.0
/* exchange: one request that waits for its answer.
 *
 * The seam between wires and pages: HTTP/1 makes exchanges now, TLS and HTTP/2 come
 * under or beside it, and routes do not see which it was. */
#pragma once
#include "base/addr.h"
#include "web/answer.h"
#include "web/inquiry.h"
#include "web/request.h"

struct exchange {
    struct request request;
    struct addr client;
    void *site; /* whom the routes serve */
    /* Call it exactly once, now or later; what answer points at is copied. */
    void (*on_answer)(struct exchange *exchange, const struct answer *answer);
    struct inquiry inquiry; /* cancelled when the client goes away */
};
