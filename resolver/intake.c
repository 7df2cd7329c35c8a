// SPDX-License-Identifier: Apache-2.0
#include "intake.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "config/managed.h"
#include "policy/lists.h"

/* The daemon must see managed.yaml: without it groups would lose what they block. */
int intake_config(const struct daemon *daemon, struct policy_config **ret_config, struct diag *diag)
{
    char path[DAEMON_PATH_MAX];
    int err = policy_config_load(daemon->config_path, ret_config, diag);
    if (err == 0 && policy_config_get(*ret_config)->managed_hidden) {
        managed_path(policy_config_get(*ret_config), path, sizeof(path));
        diag_at(diag, path, 0, 0);
        err = diag_set(diag, -EACCES, "cannot be read: %s", strerror(EACCES));
        policy_config_unref(*ret_config);
        *ret_config = NULL;
    }
    return err;
}

/* At the start commands' mistakes give way to the administrator's files. */
int intake_first_config(struct daemon *daemon, struct diag *diag)
{
    int err = intake_config(daemon, &daemon->config, diag);
    if (err < 0 && policy_config_load_own(daemon->config_path, &daemon->config, NULL) == 0) {
        diag_print(diag, daemon->managed_error, sizeof(daemon->managed_error));
        diag_clear(diag);
        err = 0;
    }
    return err;
}

static int open_at(struct daemon *daemon, const char *path, struct diag *diag)
{
    int err = policy_lists_open(path, daemon->config, &daemon->lists, diag);
    if (err == 0) {
        snprintf(daemon->lists_path, sizeof(daemon->lists_path), "%s", path);
    }
    return err;
}

/* The newest kept generation that is whole, since an old filter is better than none.
 * -ENOENT: there is not one, whole or damaged. */
static int open_older(struct daemon *daemon)
{
    char pattern[DAEMON_PATH_MAX];
    glob_t found;
    int err = -ENOENT;
    snprintf(pattern, sizeof(pattern), "%s/generations/*.ggdb",
             policy_config_get(daemon->config)->server.state_dir);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = found.gl_pathc; err < 0 && i > 0; i--) {
            err = open_at(daemon, found.gl_pathv[i - 1], NULL);
            err = err == -ENOENT ? -EBADMSG : err; /* a link that leads nowhere */
        }
        globfree(&found);
    }
    return err;
}

/* "blocklist.ggdb is missing; generation 000007 is used" */
static void explain(struct daemon *daemon, const struct diag *diag, const char *used)
{
    char *out = daemon->lists_error;
    size_t cap = sizeof(daemon->lists_error);
    diag_print(diag, out, cap);
    size_t len = strlen(out);
    snprintf(out + len, cap - len, "; %s", used);
}

static void explain_older(struct daemon *daemon, const struct diag *diag)
{
    char used[64];
    const char *name = strrchr(daemon->lists_path, '/') + 1;
    snprintf(used, sizeof(used), "generation %.*s is used", (int)strcspn(name, "."), name);
    explain(daemon, diag, used);
}

/* Before the first update there is neither, and that is no fault. */
static int open_starter(struct daemon *daemon, const struct diag *diag, bool fault)
{
    char path[DAEMON_PATH_MAX];
    policy_config_starter(policy_config_get(daemon->config), path, sizeof(path));
    int err = open_at(daemon, path, NULL);
    if (fault) {
        explain(daemon, diag, err == 0 ? "the starter list is used" : "nothing is blocked");
    }
    return err;
}

int intake_first_lists(struct daemon *daemon)
{
    char path[DAEMON_PATH_MAX];
    struct diag diag = {0};
    snprintf(path, sizeof(path), "%s/blocklist.ggdb",
             policy_config_get(daemon->config)->server.state_dir);
    int err = open_at(daemon, path, &diag);
    if (err == 0) {
        return 0;
    }
    bool fault = err != -ENOENT;
    if (!fault) {
        diag_clear(&diag);
        diag_set(&diag, err, "blocklist.ggdb is missing");
    }
    err = open_older(daemon);
    if (err == 0) {
        explain_older(daemon, &diag);
        return 0;
    }
    err = open_starter(daemon, &diag, fault || err != -ENOENT);
    return err == 0 ? 0 : policy_lists_open(NULL, daemon->config, &daemon->lists, NULL);
}

void intake_first_rules(struct daemon *daemon)
{
    struct diag diag = {0};
    if (rulefile_load(daemon->rules_path, &daemon->rule_list, &diag) < 0) {
        diag_print(&diag, daemon->rules_error, sizeof(daemon->rules_error));
    }
}
