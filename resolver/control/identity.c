// SPDX-License-Identifier: Apache-2.0
/* Who speaks through greengate-web: a session of an account, or a token of a program. */
#include <stdio.h>
#include <string.h>

#include "account/sessions.h"
#include "control/commands.h"

enum { SECOND_US = 1000000, DAY_S = 86400 };

static const enum control_role roles[ACCOUNT_ROLE_COUNT] = {
    [ACCOUNT_METRICS] = ROLE_METRICS,
    [ACCOUNT_VIEWER] = ROLE_VIEWER,
    [ACCOUNT_TEACHER] = ROLE_TEACHER,
    [ACCOUNT_ADMIN] = ROLE_ADMIN,
};

static bool identify_token(const struct control_backend *backend, const char *text,
                           struct control_asker *asker)
{
    char id[SECRET_ID_LEN + 1];
    struct token token;
    struct secret hash;
    struct diag aside = {0};
    int64_t now = clock_wall_s(backend->clock);
    if (!secret_token_id(text, id) || tokens_find(backend->accounts, id, &token, &aside) < 0) {
        return false;
    }
    secret_hash(text, strlen(text), &hash);
    if (!secret_equal(&hash, &token.verifier) || (token.expires_at && token.expires_at <= now)) {
        return false;
    }
    if (token.used_day != now / DAY_S) { /* once a day; that it fails hinders nobody */
        (void)!tokens_touch(backend->accounts, id, now / DAY_S, &aside);
    }
    asker->role = roles[token.role];
    snprintf(asker->account, sizeof(asker->account), "token %s", id);
    return true;
}

bool control_identify(const struct control_backend *backend, struct control_asker *asker)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(asker->request, "session"));
    if (!text || !backend->accounts || !backend->sessions) {
        return false;
    }
    /* A page that only looks on keeps nobody signed in. */
    bool watching = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(asker->request, "quiet"));
    int64_t now_s = (int64_t)(clock_mono_us(backend->clock) / SECOND_US);
    const struct session *session = sessions_find(backend->sessions, text, now_s, !watching);
    if (!session) {
        return identify_token(backend, text, asker);
    }
    asker->session = session;
    asker->role = roles[session->role];
    snprintf(asker->account, sizeof(asker->account), "%s", session->account);
    return true;
}
