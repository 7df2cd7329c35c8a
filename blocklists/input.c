// SPDX-License-Identifier: Apache-2.0
#include "blocklists/input.h"

#include <errno.h>
#include <string.h>

#include "blocklists/folders.h"

int input_prepare(const struct config *config, struct sync_source *source, struct diag *diag)
{
    const struct config_source *own = source->config;
    bool archive = own->format == FORMAT_UT1 || own->format == FORMAT_AUTO;
    if (!archive || own->folders.count) {
        return 0;
    }
    int err = folders_of_category(config->server.data_dir, own->category, &source->folders, diag);
    return err == -ENOENT ? 0 : err;
}

void input_clear(struct sync_source *source)
{
    folders_clear(&source->folders);
}

struct build_source input_of(const struct sync_source *source, int fd)
{
    const struct config_source *config = source->config;
    bool named = config->folders.count > 0;
    return (struct build_source){.id = config->id,
                                 .category = config->category,
                                 .url = config->url,
                                 .format = config->format,
                                 .match = config->match,
                                 .scope_all = config->scope == SCOPE_ALL,
                                 .local_data = config->local_data,
                                 .folders = named ? &config->folders : &source->folders,
                                 .folders_named = named,
                                 .folders_white =
                                     named || strcmp(config->category, "education") == 0,
                                 .fd = fd};
}
