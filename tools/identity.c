// SPDX-License-Identifier: Apache-2.0
#include "tools/identity.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "confine/folders.h"
#include "confine/privileges.h"

static const char *user_of(const struct config *config)
{
    struct stat state;
    const char *user = config->server.user;
    if (!user[0] && stat(config->server.state_dir, &state) == 0 && state.st_uid != 0) {
        const struct passwd *owner = getpwuid(state.st_uid);
        user = owner ? owner->pw_name : "";
    }
    return user;
}

int identity_lower(const struct config *config, struct diag *diag)
{
    return geteuid() == 0 ? privileges_drop(user_of(config), diag) : 0;
}

int identity_take(const struct config *config, struct diag *diag)
{
    if (geteuid() != 0) {
        return 0;
    }
    const char *user = user_of(config);
    int err = folder_prepare(config->server.state_dir, user, diag);
    return err < 0 ? err : privileges_drop(user, diag);
}
