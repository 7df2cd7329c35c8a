// SPDX-License-Identifier: Apache-2.0
/* peer: one connection of a control socket: frames in, frames out, in order.
 *
 * While a reply is on its way nothing is read, so a peer holds at most one request
 * and one reply. */
#pragma once
#include <uv.h>

#include "control/commands.h"

struct peer;

/* What peers share; embedded in the server. */
struct peer_owner {
    struct control_backend backend;
    unsigned idle_ms;
    void (*on_gone)(struct peer_owner *owner, struct peer *peer); /* just before it is freed */
};

struct peer {
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_write_t write;
    struct peer_owner *owner;
    struct peer *next, *previous;      /* the server's list */
    void (*resume)(struct peer *peer); /* take the next request */
    enum control_role role;
    int64_t uid; /* of the process at the other end, -1 = not known */
    uint8_t open_handles;
    bool closing;
    bool last;    /* close after the reply */
    uint8_t *out; /* the reply on its way, NULL: none */
    size_t in_len;
    uint8_t in[4 + CONTROL_REQUEST_MAX];
};

/* Take a waiting connection; from success on, on_gone comes once. -ENOMEM. */
__attribute__((warn_unused_result)) int peer_accept(struct peer_owner *owner, uv_pipe_t *listener,
                                                    struct peer **ret_peer);

/* Answer what comes from now on. */
void peer_start(struct peer *peer, enum control_role role);

/* Say why and close. */
void peer_refuse(struct peer *peer, const char *why);

/* Close now; safe to call twice. */
void peer_close(struct peer *peer);
