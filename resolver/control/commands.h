// SPDX-License-Identifier: Apache-2.0
/* commands: from a request to its reply, without sockets.
 *
 * Handlers run on the main thread and must not wait for anything but the disk. */
#pragma once
#include "control/client.h"
#include "control/server.h"

/* Whoever asks has one of these: by the socket, or on the web's by a session or token. */
enum control_role {
    ROLE_ADMIN = 1, /* the admin's socket, or somebody signed in as one */
    ROLE_WEB = 2,   /* greengate-web itself, for strangers */
    ROLE_TEACHER = 4,
    ROLE_VIEWER = 8,
    ROLE_METRICS = 16,
    ROLES_CHANGING = ROLE_ADMIN | ROLE_TEACHER,
    ROLES_READING = ROLES_CHANGING | ROLE_VIEWER,
};

/* What a handler returns: the exit code that the CLI shall end with. */
enum control_exit { CONTROL_DONE = 0, CONTROL_FAILED = 1, CONTROL_USAGE = 2, CONTROL_CONFIG = 4 };

struct session;

struct control_asker {
    enum control_role role;
    int64_t uid; /* of the process that asks */
    const cJSON *request;
    char account[36];              /* who signed in, or "token ID"; "" = neither */
    const struct session *session; /* NULL: a token, or not signed in */
};

struct control_call {
    const struct control_backend *backend;
    const struct control_asker *asker;
    const cJSON *request;
    cJSON *reply;      /* an object to add to; thrown away on failure */
    struct diag *diag; /* says why, on failure */
};

#define CONTROL_CLIENT_FORMS "client: an IP address, a MAC, host:NAME or id:NAME is expected"

/* One client as people write it: an address with its scope, or what groups name. -EINVAL. */
struct member;
__attribute__((warn_unused_result)) int control_parse_client(const char *text,
                                                             struct member *ret_member);

#define COMMAND(name, handler, roles, audited) int control_do_##handler(struct control_call *call);
#include "control/commands.def"
#undef COMMAND

/* The reply to a request, errors too; NULL only without memory. */
cJSON *control_answer(const struct control_backend *backend, const struct control_asker *asker);

/* Write the command that was done to the audit log. */
void control_audit(const struct control_call *call);

/* Whose session or token the request bears, into *asker; false: nobody's. */
bool control_identify(const struct control_backend *backend, struct control_asker *asker);

/* {"ok": false, "error", "exit"}. */
cJSON *control_error(int code, const char *text);

/* The request's text under a key, "" when absent or no text. */
const char *control_text(const struct control_call *call, const char *key);

/* A whole number within 0..most under a key: -ENOENT when absent, -EINVAL. */
__attribute__((warn_unused_result)) int
control_number(const struct control_call *call, const char *key, int64_t most, int64_t *ret_number);

/* A text of the request without control characters, copied; false when it has some or is
 * too long. */
bool control_copy_plain(const struct control_call *call, const char *key, char *out, size_t cap);

bool control_flag(const struct control_call *call, const char *key);

/* An URL without what may be a secret: user, password, query. Returns out. */
enum { CONTROL_URL_MAX = 1024 };
const char *control_bare_url(const char *url, char out[CONTROL_URL_MAX]);

/* Add an explanation's members to an object; -ENOMEM. */
__attribute__((warn_unused_result)) int control_add_why(cJSON *object,
                                                        const struct explanation *why);

/* A 64-bit number as hexadecimal text, which JSON numbers cannot hold. */
void control_add_hex(cJSON *object, const char *key, uint64_t value);

struct daemon_status;
/* Add what the last update said of the configured sources: errors and reasons. */
void control_add_troubles(struct daemon_status *status);
