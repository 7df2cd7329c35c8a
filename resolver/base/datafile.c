// SPDX-License-Identifier: Apache-2.0
#include "base/datafile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *datafile_path(const char *folders, const char *name, char *out, size_t cap)
{
    for (const char *at = folders;;) {
        size_t len = strcspn(at, ":");
        snprintf(out, cap, "%.*s/%s", (int)len, at, name);
        if (at[len] == '\0' || access(out, F_OK) == 0) {
            return out;
        }
        at += len + 1;
    }
}

bool datafile_is_shortage(int err)
{
    return err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == -EIO;
}
