// SPDX-License-Identifier: Apache-2.0
#include "tools/activate.h"

enum activation activate_lists(struct cli *cli, struct diag *diag)
{
    cJSON *request = cJSON_CreateObject();
    cJSON *reply = NULL;
    cJSON_AddStringToObject(request, "command", "reload");
    if (cli_try_ask(cli, request, &reply, diag) < 0) {
        return ACTIVATION_NO_DAEMON;
    }
    bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok"));
    if (!ok) {
        diag_set(diag, 0, "the daemon refused the new lists: %s", cli_text(reply, "error"));
    }
    cJSON_Delete(reply);
    return ok ? ACTIVATION_DONE : ACTIVATION_REFUSED;
}

const char *activation_word(enum activation activation)
{
    static const char *const words[] = {"reloaded", "no daemon", "refused"};
    return words[activation];
}
