// SPDX-License-Identifier: Apache-2.0
/* Signing in and out. The web process makes the key out of the password and never sees what is
 * kept; the daemon compares and says who it is. */
#include "control/signing.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"

enum { SECOND_US = 1000000, NETWORK_OCTETS = 8 };

static int64_t now_s(const struct control_call *call)
{
    return (int64_t)(clock_mono_us(call->backend->clock) / SECOND_US);
}

int signing_ready(struct control_call *call)
{
    return call->backend->accounts && call->backend->sessions
               ? CONTROL_DONE
               : diag_set(call->diag, CONTROL_FAILED, "nobody can sign in here");
}

int signing_code(int err)
{
    return err == 0                          ? CONTROL_DONE
           : err == -ENOSPC || err == -EBUSY ? CONTROL_USAGE
                                             : CONTROL_FAILED;
}

int signing_read_name(const struct control_call *call, struct account *account)
{
    const char *name = control_text(call, "account");
    if (!account_is_name(name)) {
        return diag_set(call->diag, CONTROL_USAGE,
                        "account: 1 to %d of a-z, 0-9, dot, hyphen and underscore",
                        ACCOUNT_NAME_MAX);
    }
    memcpy(account->name, name, strlen(name) + 1);
    return CONTROL_DONE;
}

int signing_read_password(const struct control_call *call, struct account *account)
{
    int64_t passes = 0, kib = 0;
    struct recipe *recipe = &account->recipe;
    if (!secret_read(control_text(call, "salt"), recipe->salt, RECIPE_SALT) ||
        !secret_read(control_text(call, "verifier"), account->verifier.octets, SECRET_OCTETS) ||
        control_number(call, "passes", RECIPE_PASSES_MAX, &passes) < 0 || passes < 1 ||
        control_number(call, "kib", RECIPE_KIB_MAX, &kib) < 0 || kib < RECIPE_KIB_LEAST) {
        return diag_set(call->diag, CONTROL_USAGE,
                        "salt, verifier, passes, kib: they make a password");
    }
    recipe->passes = (uint32_t)passes;
    recipe->kib = (uint32_t)kib;
    account->changed_day = clock_wall_s(call->backend->clock) / SIGNING_DAY_S;
    return CONTROL_DONE;
}

static bool may_try(struct control_call *call)
{
    struct addr client;
    if (addr_parse(control_text(call, "client"), &client) < 0) {
        return false;
    }
    bool v6 = client.family == AF_INET6;
    const struct session_try attempt = {
        .client = client.bytes,
        .len = v6 ? sizeof(client.bytes) : sizeof(struct in_addr),
        .network = v6 ? NETWORK_OCTETS : sizeof(struct in_addr),
        .account = control_text(call, "account"),
    };
    return sessions_may_try(call->backend->sessions, &attempt, now_s(call));
}

static int say_later(struct control_call *call)
{
    return diag_set(call->diag, CONTROL_FAILED, "too many tries: wait a minute");
}

/* To strangers: no path, no cause. `status` and `greengate user` have both. */
static int say_broken(struct control_call *call)
{
    diag_clear(call->diag);
    return diag_set(call->diag, CONTROL_FAILED, "accounts cannot be read: greengate user says why");
}

int control_do_sign_in_begin(struct control_call *call)
{
    char salt[2 * RECIPE_SALT + 1];
    struct account account = {0};
    int code = signing_ready(call);
    if (code != CONTROL_DONE) {
        return code;
    }
    if (!may_try(call)) {
        return say_later(call);
    }
    const char *name = control_text(call, "account");
    int err = accounts_find(call->backend->accounts, name, &account, call->diag);
    if (err < 0 && err != -ENOENT) {
        return say_broken(call);
    }
    if (err < 0) {
        sessions_fake_recipe(call->backend->sessions, name, &account.recipe);
    }
    secret_print(account.recipe.salt, RECIPE_SALT, salt);
    cJSON_AddStringToObject(call->reply, "salt", salt);
    cJSON_AddNumberToObject(call->reply, "passes", account.recipe.passes);
    cJSON_AddNumberToObject(call->reply, "kib", account.recipe.kib);
    return CONTROL_DONE;
}

/* Does the request's key fit the account? */
static bool proves(const struct control_call *call, const struct account *account)
{
    struct secret key, hash;
    if (!secret_read(control_text(call, "key"), key.octets, SECRET_OCTETS)) {
        return false;
    }
    secret_hash(key.octets, SECRET_OCTETS, &hash);
    return secret_equal(&hash, &account->verifier);
}

static void begin(struct control_call *call, const struct account *account)
{
    char text[SECRET_DIGITS + 1];
    sessions_begin(call->backend->sessions, account, now_s(call), text);
    cJSON_AddStringToObject(call->reply, "session", text);
    cJSON_AddStringToObject(call->reply, "account", account->name);
    cJSON_AddStringToObject(call->reply, "role", account_role_words[account->role]);
}

int control_do_sign_in(struct control_call *call)
{
    struct account account = {0};
    int code = signing_ready(call);
    if (code != CONTROL_DONE) {
        return code;
    }
    const char *name = control_text(call, "account");
    int err = accounts_find(call->backend->accounts, name, &account, call->diag);
    if (err < 0 && err != -ENOENT) {
        return say_broken(call);
    }
    if (err < 0 || !proves(call, &account)) {
        return diag_set(call->diag, CONTROL_FAILED, "the name or the password is wrong");
    }
    begin(call, &account);
    return CONTROL_DONE;
}

int control_do_sign_out(struct control_call *call)
{
    if (call->asker->session) {
        sessions_end(call->backend->sessions, control_text(call, "session"));
    }
    return CONTROL_DONE;
}

int control_do_session(struct control_call *call)
{
    static const struct {
        enum control_role role;
        const char *word;
    } words[] = {
        {ROLE_ADMIN, "admin"},
        {ROLE_TEACHER, "teacher"},
        {ROLE_VIEWER, "viewer"},
        {ROLE_METRICS, "metrics"},
    };
    cJSON_AddStringToObject(call->reply, "account", call->asker->account);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].role == call->asker->role) {
            cJSON_AddStringToObject(call->reply, "role", words[i].word);
        }
    }
    return CONTROL_DONE;
}

/* The first account, by the link that the start printed. */
int control_do_set_up(struct control_call *call)
{
    struct account account = {.role = ACCOUNT_ADMIN};
    int code = signing_ready(call);
    if (code != CONTROL_DONE) {
        return code;
    }
    if (!sessions_is_invited(call->backend->sessions, control_text(call, "invitation"),
                             now_s(call))) {
        return diag_set(call->diag, CONTROL_FAILED,
                        "this link is not valid, or not any more: `greengate user invite` makes "
                        "a new one");
    }
    code = signing_read_name(call, &account);
    if (code == CONTROL_DONE) {
        code = signing_read_password(call, &account);
    }
    if (code != CONTROL_DONE) {
        return code;
    }
    struct account other;
    struct diag aside = {0};
    int found = accounts_find(call->backend->accounts, account.name, &other, &aside);
    if (found != -ENOENT) {
        return found < 0 ? say_broken(call)
                         : diag_set(call->diag, CONTROL_USAGE,
                                    "%s: there is an account of this name", account.name);
    }
    code = signing_code(accounts_put(call->backend->accounts, &account, call->diag));
    if (code == CONTROL_DONE) {
        sessions_uninvite(call->backend->sessions);
        begin(call, &account);
    }
    return code;
}

int control_do_invite(struct control_call *call)
{
    char text[SECRET_DIGITS + 1];
    int code = signing_ready(call);
    if (code == CONTROL_DONE) {
        sessions_invite(call->backend->sessions, now_s(call), text);
        cJSON_AddStringToObject(call->reply, "invitation", text);
    }
    return code;
}

/* One's own, with the old one as proof: a browser left open is not enough. */
int control_do_password(struct control_call *call)
{
    struct account account = {0};
    const struct session *session = call->asker->session;
    if (!session) {
        return diag_set(call->diag, CONTROL_USAGE, "a token has no password");
    }
    const struct session_try attempt = {(const uint8_t *)"password", 8, 8, session->account};
    if (!sessions_may_try(call->backend->sessions, &attempt, now_s(call))) {
        return say_later(call);
    }
    if (accounts_find(call->backend->accounts, session->account, &account, call->diag) < 0 ||
        !proves(call, &account)) {
        return diag_set(call->diag, CONTROL_FAILED, "the old password is wrong");
    }
    int code = signing_read_password(call, &account);
    if (code == CONTROL_DONE) {
        code = signing_code(accounts_put(call->backend->accounts, &account, call->diag));
    }
    if (code == CONTROL_DONE) {
        sessions_end_of(call->backend->sessions, account.name, session);
    }
    return code;
}
