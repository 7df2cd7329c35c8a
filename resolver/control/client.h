// SPDX-License-Identifier: Apache-2.0
/* client: how the CLI and the web process speak to the daemon.
 *
 * Over a unix socket: a frame is a 4-octet big-endian length and that many octets of
 * one JSON object, at most CLIENT_FRAME_MAX. One request, one reply, in order. A
 * request is {"command": NAME, ...}; a reply has "ok": true, or "ok": false with
 * "error" (text) and "exit" (the CLI's exit code). docs/control.md lists them. */
#pragma once
#include "base/diag.h"

#include <cjson/cJSON.h>
#include <stdint.h>

struct explanation; /* policy/explain.h */

enum { CLIENT_FRAME_MAX = 1 << 20 };

struct client_target {
    const char *socket_path;
    unsigned timeout_ms;
};

/* Ask and wait. 0 with *ret_reply owned by the caller (also for "ok": false);
 * -ECONNREFUSED when no daemon answers, -EACCES, -EBADMSG, -ETIMEDOUT. */
__attribute__((warn_unused_result)) int client_call(const struct client_target *target,
                                                    const cJSON *request, cJSON **ret_reply,
                                                    struct diag *diag);

/* A frame for asynchronous use: malloc'd octets, or NULL. */
uint8_t *client_frame(const cJSON *message, size_t *ret_len);

/* Take one frame from the front of a buffer: octets used, 0 when more are needed,
 * -EBADMSG for nonsense. */
__attribute__((warn_unused_result)) int client_unframe(const uint8_t *data, size_t len,
                                                       cJSON **ret_message);

/* The verdict and its why as JSON, the same from the daemon and from the CLI alone. */
cJSON *client_explain_json(const struct explanation *explanation);

/* The web process's socket, beside the admin's: "control.sock" -> "web.sock". */
int client_web_socket(const char *control_socket, char *out, size_t cap);
