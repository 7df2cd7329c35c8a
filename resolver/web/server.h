// SPDX-License-Identifier: Apache-2.0
/* server: listeners, and how many clients they let in.
 *
 * When all places are taken, or all that one address may have, a new client takes the
 * place of the one that has idled longest, or is turned away when none idles. */
#pragma once
#include "base/diag.h"
#include "web/connection.h"

struct server_limits {
    unsigned connections; /* all together */
    unsigned per_client;  /* of one address */
    struct connection_limits times;
    size_t queue_max; /* octets of answers that one client did not take yet */
};

/* Of the warning page, and of the dashboard. */
extern const struct server_limits server_defaults, server_own_defaults;

enum { SERVER_LISTEN_MAX = 32 };

/* What a server serves. */
struct server_content {
    void (*serve)(void *context, struct exchange *exchange);
    void *context;                       /* must outlive the server's last connection */
    bool own;                            /* requests come with struct request_own */
    struct tls_context *const *identity; /* where the certificate is now; NULL: no TLS */
};

struct server;

__attribute__((warn_unused_result)) int server_new(uv_loop_t *loop,
                                                   const struct server_content *content,
                                                   const struct server_limits *limits,
                                                   struct server **ret_server);

/* Bind and listen; *addr gets the port that the kernel chose when it was 0. Negative
 * errno with *diag, which names the address. */
__attribute__((warn_unused_result)) int server_listen(struct server *server, struct addr *addr,
                                                      struct diag *diag);

/* Take no more clients, answer what is owed, then close; in the end on_stopped is
 * called, in the loop, and the server is freed. */
void server_stop(struct server *server, void (*on_stopped)(void *context), void *context);

/* The same, but owe nothing any more: for a stop that takes too long. */
void server_cut(struct server *server);
