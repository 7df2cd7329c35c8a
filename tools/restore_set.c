// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "config/referral.h"
#include "config/yaml.h"
#include "confine/folders.h"
#include "store/rulefile.h"
#include "tools/restore.h"
#include "tools/restore_check.h"

int restore_check_set(const char *folder, struct config **ret_config, struct diag *diag)
{
    char path[PATH_MAX], *managed = NULL;
    size_t len = 0;
    struct config *config = NULL;
    struct rule_list rules = {0};
    int err = restore_path(folder, BACKUP_MANAGED, path);
    if (err == 0 && access(path, F_OK) == 0) {
        err = wholefile_read(path, BACKUP_TEXT_MAX, &managed, &len);
    }
    const struct yaml_text text = {managed, len, path};
    char main_path[PATH_MAX], rules_path[PATH_MAX];
    err = err < 0 ? err : restore_path(folder, BACKUP_CONFIG, main_path);
    err = err < 0 ? err : restore_path(folder, BACKUP_RULES, rules_path);
    if (err < 0) {
        return diag_set(diag, err, "%s", strerror(-err));
    }
    err = config_load_with(main_path, managed ? &text : NULL, &config, diag);
    err = err < 0 ? err : referral_check_own(config, diag);
    err = err < 0 ? err : rulefile_load(rules_path, &rules, diag);
    rule_list_clear(&rules);
    free(managed);
    if (err < 0) {
        config_free(config);
        return err;
    }
    *ret_config = config;
    return 0;
}

int restore_check_folders(const struct config *config, struct diag *diag)
{
    return folder_prepare(config->server.state_dir, config->server.user, diag);
}
