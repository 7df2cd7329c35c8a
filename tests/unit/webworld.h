// SPDX-License-Identifier: Apache-2.0
/* webworld: the whole HTTP side over real sockets, for tests.
 *
 * The server's loop and a daemon that is only played run in threads of their own, the
 * tests are plain blocking clients. The daemon blocks every host for "gambling" but
 * open.example; late*.example is answered after 100 ms, mute.example never; error,
 * stranger, forwarded, half, junk and gone.example get what their names say, and
 * rule*.example is blocked by a rule. */
#pragma once
#include "web/route.h"
#include "web/server.h"

void webworld_start(const struct server_limits *limits);

/* Stop and join all; non-zero when a handle was left open. A cmocka teardown. */
int webworld_stop(void **state);

double webworld_now(void); /* seconds */

int webworld_dial(void);
void webworld_say(int fd, const char *text);

/* Everything until the server closes; in a static buffer, as the next two. */
const char *webworld_hear_all(int fd);

/* Exactly one answer of a connection that stays. */
const char *webworld_hear_one(int fd);

/* Dial, say, hear all. */
const char *webworld_ask(const char *request);

#define ASK(host) "GET / HTTP/1.1\r\nHost: " host "\r\n"
#define LAST      "Connection: close\r\n\r\n"
