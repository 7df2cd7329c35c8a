// SPDX-License-Identifier: Apache-2.0
/* desk: what the dashboard's listener serves, and to whom.
 *
 * The only door: every request passes desk_serve(), which looks at the Host header before anything
 * else (DNS rebinding); whether somebody may do a thing is for the daemon to say, by his session. */
#pragma once
#include "config/dashboard.h"
#include "web/asset.h"
#include "web/events.h"
#include "web/exchange.h"
#include "web/keysmith.h"
#include "web/site.h"

struct desk {
    struct site *site;
    struct inquiry_source *daemon; /* its own: a slow answer keeps no child waiting */
    struct asset_store *assets;
    struct keysmith *smith;
    struct events *events;
    char *catalog; /* JSON of the data files */
};

/* Files, keys and events; the daemon need not run. -ENOMEM; what is missing is said in *diag. */
__attribute__((warn_unused_result)) int desk_open(struct desk *desk, uv_loop_t *loop,
                                                  struct diag *diag);
void desk_close(struct desk *desk);

/* The site was read again, the data files perhaps with it; what cannot be used leaves the old. */
void desk_refresh(struct desk *desk);

/* `context` is the desk. */
void desk_serve(void *context, struct exchange *exchange);
