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

/* At the start: the newest kept generation that is whole, since an old filter is
 * better than none. */
static int open_older(struct daemon *daemon)
{
    char pattern[DAEMON_PATH_MAX];
    glob_t found;
    int err = -ENOENT;
    const struct config *settings = policy_config_get(daemon->config);
    snprintf(pattern, sizeof(pattern), "%s/generations/*.ggdb", settings->server.state_dir);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = found.gl_pathc; err < 0 && i > 0; i--) {
            const char *path = found.gl_pathv[i - 1];
            err = policy_lists_open(path, daemon->config, &daemon->lists, NULL);
            if (err == 0) {
                snprintf(daemon->lists_path, sizeof(daemon->lists_path), "%s", path);
            }
        }
        globfree(&found);
    }
    if (err < 0) {
        policy_config_starter(settings, pattern, sizeof(pattern));
        err = policy_lists_open(pattern, daemon->config, &daemon->lists, NULL);
        if (err == 0) {
            memcpy(daemon->lists_path, pattern, sizeof(pattern));
        }
    }
    return err;
}

int intake_first_lists(struct daemon *daemon)
{
    struct diag diag = {0};
    snapshot_lists_path(policy_config_get(daemon->config), daemon->lists_path,
                        sizeof(daemon->lists_path));
    int err = policy_lists_open(daemon->lists_path, daemon->config, &daemon->lists, &diag);
    if (err < 0) {
        diag_print(&diag, daemon->lists_error, sizeof(daemon->lists_error));
        err = open_older(daemon);
    }
    if (err < 0) {
        daemon->lists_path[0] = '\0';
        err = policy_lists_open(NULL, daemon->config, &daemon->lists, NULL);
    }
    return err;
}

void intake_first_rules(struct daemon *daemon)
{
    struct diag diag = {0};
    if (rulefile_load(daemon->rules_path, &daemon->rule_list, &diag) < 0) {
        diag_print(&diag, daemon->rules_error, sizeof(daemon->rules_error));
    }
}
