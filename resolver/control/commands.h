// SPDX-License-Identifier: Apache-2.0
/* commands: from a request to its reply, without sockets.
 *
 * Handlers run on the main thread and must not wait for anything but the disk. */
#pragma once
#include "control/client.h"
#include "control/server.h"

enum control_role { ROLE_ADMIN = 1, ROLE_WEB = 2 };

/* What a handler returns: the exit code that the CLI shall end with. */
enum control_exit { CONTROL_DONE = 0, CONTROL_FAILED = 1, CONTROL_USAGE = 2, CONTROL_CONFIG = 4 };

struct control_call {
    const struct control_backend *backend;
    const cJSON *request;
    cJSON *reply;      /* an object to add to; thrown away on failure */
    struct diag *diag; /* says why, on failure */
};

#define CONTROL_CLIENT_FORMS "client: an IP address, a MAC, host:NAME or id:NAME is expected"

/* One client as people write it: an address with its scope, or what groups name. -EINVAL. */
struct member;
__attribute__((warn_unused_result)) int control_parse_client(const char *text,
                                                             struct member *ret_member);

int control_do_status(struct control_call *call);
int control_do_check(struct control_call *call);
int control_do_groups(struct control_call *call);
int control_do_watch(struct control_call *call);
int control_do_watch_read(struct control_call *call);
int control_do_watch_stop(struct control_call *call);
int control_do_radar(struct control_call *call);
int control_do_metrics(struct control_call *call);
int control_do_stats(struct control_call *call);
int control_do_rules(struct control_call *call);
int control_do_allow(struct control_call *call);
int control_do_block(struct control_call *call);
int control_do_remove(struct control_call *call);
int control_do_review(struct control_call *call);
int control_do_review_state(struct control_call *call);
int control_do_reviews(struct control_call *call);
int control_do_approve(struct control_call *call);
int control_do_deny(struct control_call *call);
int control_do_schedule(struct control_call *call);
int control_do_window(struct control_call *call);
int control_do_close_window(struct control_call *call);
int control_do_reload(struct control_call *call);
int control_do_change(struct control_call *call);

struct control_asker {
    enum control_role role;
    int64_t uid; /* of the process that asks */
    const cJSON *request;
};

/* The reply to a request, errors too; NULL only without memory. */
cJSON *control_answer(const struct control_backend *backend, const struct control_asker *asker);

/* Write the command that was done to the audit log. */
void control_audit(const struct control_call *call, int64_t uid);

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

/* Add an explanation's members to an object; -ENOMEM. */
__attribute__((warn_unused_result)) int control_add_why(cJSON *object,
                                                        const struct explanation *why);

/* A 64-bit number as hexadecimal text, which JSON numbers cannot hold. */
void control_add_hex(cJSON *object, const char *key, uint64_t value);

struct daemon_status;
/* Add what the last update said of the configured sources: errors and reasons. */
void control_add_troubles(struct daemon_status *status);
