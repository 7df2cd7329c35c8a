// SPDX-License-Identifier: Apache-2.0
/* exchange: one request that waits for its answer.
 *
 * The seam between wires and pages: routes do not see whether HTTP/1 or something else carried
 * it. */
#pragma once
#include "base/addr.h"
#include "web/answer.h"
#include "web/inquiry.h"
#include "web/request.h"

struct exchange {
    struct request request;
    struct addr client;
    void *site; /* whom the routes serve */
    void *job;  /* of who answers later */
    /* The client is gone, answered or not; may be NULL. */
    void (*on_gone)(struct exchange *exchange);
    /* Call it exactly once, now or later; what answer points at is copied. */
    void (*on_answer)(struct exchange *exchange, const struct answer *answer);
    /* After an answer with `stream`: a piece of it; false when the client does not take it and
     * the exchange is over. NULL ends it. */
    bool (*on_piece)(struct exchange *exchange, const char *data, size_t len);
    struct inquiry inquiry; /* cancelled when the client goes away */
};
