// SPDX-License-Identifier: Apache-2.0
/* inquiry: what a page asks the daemon.
 *
 * One connection to the daemon's socket for the web, on the loop, opened when it is
 * needed. Requests are answered in order; whoever is not answered in time gets
 * no reply, and the connection is made anew. docs/control.md lists the requests. */
#pragma once
#include <cjson/cJSON.h>
#include <uv.h>

struct inquiry {
    /* Called exactly once unless cancelled, perhaps before inquiry_ask() returns. reply is
     * NULL without a daemon or an answer in time; it is freed afterwards. */
    void (*on_reply)(struct inquiry *inquiry, const cJSON *reply);
    void *owner;
    struct inquiry_flight *flight; /* NULL: nothing is asked */
};

struct inquiry_source;

struct inquiry_limits {
    uint32_t wait_ms;
    size_t reply_max; /* octets */
};

/* Of pages that a child waits for, and of the dashboard. */
extern const struct inquiry_limits inquiry_defaults, inquiry_own_defaults;

/* -ENAMETOOLONG when the path does not fit a socket address. No daemon need run. */
__attribute__((warn_unused_result)) int inquiry_new(uv_loop_t *loop, const char *socket_path,
                                                    const struct inquiry_limits *limits,
                                                    struct inquiry_source **ret_source);

/* Answer all that wait with no reply and close; freed in the loop. NULL is allowed. */
void inquiry_free(struct inquiry_source *source);

/* The request is freed; NULL, for want of memory, is answered with no reply. */
void inquiry_ask(struct inquiry_source *source, struct inquiry *inquiry, cJSON *request);

/* No answer is wanted any more. Safe when nothing is asked. */
void inquiry_cancel(struct inquiry *inquiry);
