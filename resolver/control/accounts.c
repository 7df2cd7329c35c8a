// SPDX-License-Identifier: Apache-2.0
/* Accounts of people and tokens of programs, by an admin. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/signing.h"

enum { TOKEN_DAYS_MAX = 3660 };

static void add_account(void *context, const struct account *account)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(context, item);
    cJSON_AddStringToObject(item, "account", account->name);
    cJSON_AddStringToObject(item, "role", account_role_words[account->role]);
    cJSON_AddNumberToObject(item, "changed_at", (double)(account->changed_day * SIGNING_DAY_S));
}

int control_do_accounts(struct control_call *call)
{
    int code = signing_ready(call);
    cJSON *items = cJSON_AddArrayToObject(call->reply, "accounts");
    if (code == CONTROL_DONE && accounts_count(call->backend->accounts, call->diag) != 0) {
        code = signing_code(accounts_walk(call->backend->accounts, add_account, items, call->diag));
    }
    return code;
}

static int read_role(const struct control_call *call, enum account_role least,
                     enum account_role *ret_role)
{
    int role = account_role_find(control_text(call, "role"));
    if (role < (int)least) {
        return diag_set(call->diag, CONTROL_USAGE, "role: one of %sviewer, teacher, admin",
                        least == ACCOUNT_METRICS ? "metrics, " : "");
    }
    *ret_role = (enum account_role)role;
    return CONTROL_DONE;
}

/* An account that exists keeps what is not given: its role, or its password. */
int control_do_account_put(struct control_call *call)
{
    struct account account = {0};
    int code = signing_ready(call);
    if (code == CONTROL_DONE) {
        code = signing_read_name(call, &account);
    }
    if (code != CONTROL_DONE) {
        return code;
    }
    int found = accounts_find(call->backend->accounts, account.name, &account, call->diag);
    const enum account_role before = account.role;
    if (found < 0 && found != -ENOENT) {
        return CONTROL_FAILED;
    }
    if (found < 0 || *control_text(call, "role")) {
        code = read_role(call, ACCOUNT_VIEWER, &account.role);
    }
    if (code == CONTROL_DONE && (found < 0 || *control_text(call, "verifier"))) {
        code = signing_read_password(call, &account);
    }
    if (code == CONTROL_DONE) {
        code = signing_code(accounts_put(call->backend->accounts, &account, call->diag));
    }
    if (code == CONTROL_DONE) {
        /* Who changes his own password stays signed in, but not with a role that he lost. */
        const struct session *own = account.role == before ? call->asker->session : NULL;
        sessions_end_of(call->backend->sessions, account.name, own);
        sessions_uninvite(call->backend->sessions); /* somebody can sign in now */
        cJSON_AddBoolToObject(call->reply, "replaced", found == 0);
    }
    return code;
}

int control_do_account_remove(struct control_call *call)
{
    struct account account = {0};
    int code = signing_ready(call);
    if (code == CONTROL_DONE) {
        code = signing_read_name(call, &account);
    }
    if (code == CONTROL_DONE) {
        code = signing_code(accounts_remove(call->backend->accounts, account.name, call->diag));
    }
    if (code == CONTROL_DONE) {
        sessions_end_of(call->backend->sessions, account.name, NULL);
    }
    return code;
}

static void add_token(void *context, const struct token *token)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(context, item);
    cJSON_AddStringToObject(item, "id", token->id);
    cJSON_AddStringToObject(item, "label", token->label);
    cJSON_AddStringToObject(item, "role", account_role_words[token->role]);
    cJSON_AddStringToObject(item, "made_by", token->made_by);
    cJSON_AddNumberToObject(item, "made_at", (double)(token->made_day * SIGNING_DAY_S));
    cJSON_AddNumberToObject(item, "used_at", (double)(token->used_day * SIGNING_DAY_S));
    cJSON_AddNumberToObject(item, "expires_at", (double)token->expires_at);
}

int control_do_tokens(struct control_call *call)
{
    int code = signing_ready(call);
    cJSON *items = cJSON_AddArrayToObject(call->reply, "tokens");
    if (code == CONTROL_DONE && accounts_count(call->backend->accounts, call->diag) != 0) {
        code = signing_code(tokens_walk(call->backend->accounts, add_token, items, call->diag));
    }
    return code;
}

static int read_token(const struct control_call *call, struct token *token)
{
    int64_t for_s = 0;
    int64_t now = clock_wall_s(call->backend->clock);
    if (!control_copy_plain(call, "label", token->label, sizeof(token->label)) || !*token->label) {
        return diag_set(call->diag, CONTROL_USAGE,
                        "label: what it is for, at most %d plain characters", TOKEN_LABEL_MAX);
    }
    int err = control_number(call, "for_s", (int64_t)TOKEN_DAYS_MAX * SIGNING_DAY_S, &for_s);
    if (err == -EINVAL) {
        return diag_set(call->diag, CONTROL_USAGE, "for_s: seconds, at most ten years");
    }
    token->made_day = now / SIGNING_DAY_S;
    token->expires_at = for_s ? now + for_s : 0;
    snprintf(token->made_by, sizeof(token->made_by), "%.*s", ACCOUNT_NAME_MAX,
             call->asker->account);
    return read_role(call, ACCOUNT_METRICS, &token->role);
}

/* Its text is told once and not kept. */
int control_do_token_add(struct control_call *call)
{
    char text[SECRET_TOKEN_LEN + 1];
    struct token token = {0};
    int code = signing_ready(call);
    if (code == CONTROL_DONE) {
        code = read_token(call, &token);
    }
    if (code != CONTROL_DONE) {
        return code;
    }
    secret_new_token(text, token.id);
    secret_hash(text, SECRET_TOKEN_LEN, &token.verifier);
    code = signing_code(tokens_add(call->backend->accounts, &token, call->diag));
    if (code == CONTROL_DONE) {
        cJSON_AddStringToObject(call->reply, "token", text);
        cJSON_AddStringToObject(call->reply, "id", token.id);
    }
    return code;
}

int control_do_token_remove(struct control_call *call)
{
    int code = signing_ready(call);
    return code == CONTROL_DONE ? signing_code(tokens_remove(call->backend->accounts,
                                                             control_text(call, "id"), call->diag))
                                : code;
}
