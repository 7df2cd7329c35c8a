// SPDX-License-Identifier: Apache-2.0
/* server: listeners, and how many clients they let in.
 *
 * When all places are taken, or all that one address may have, a new client takes the
 * place of the one that has idled longest, or is turned away when none idles. */
#pragma once
#include "base/diag.h"
#include "web/connection.h"
#include "web/site.h"

struct server_limits {
    unsigned connections; /* all together */
    unsigned per_client;  /* of one address */
    struct connection_limits times;
};

extern const struct server_limits server_defaults;

struct server;

/* The site must outlive the server's last connection. */
__attribute__((warn_unused_result)) int server_new(uv_loop_t *loop, struct site *site,
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
