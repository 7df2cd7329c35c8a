// SPDX-License-Identifier: Apache-2.0
#include "blocklists/input.h"

#include <errno.h>
#include <string.h>

#include "blocklists/folders.h"

int input_folders(const char *data_dir, const struct config_source *source,
                  struct text_list *ret_folders, struct diag *diag)
{
    bool archive = source->format == FORMAT_UT1 || source->format == FORMAT_AUTO;
    if (!archive || source->folders.count) {
        return 0;
    }
    int err = folders_of_category(data_dir, source->category, ret_folders, diag);
    return err == -ENOENT ? 0 : err;
}

int input_prepare(const struct config *config, struct sync_source *source, struct diag *diag)
{
    return input_folders(config->server.data_dir, source->config, &source->folders, diag);
}

void input_clear(struct sync_source *source)
{
    folders_clear(&source->folders);
}

struct build_source input_make(const struct config_source *source, const struct text_list *folders,
                               int fd)
{
    bool named = source->folders.count > 0;
    return (struct build_source){.id = source->id,
                                 .category = source->category,
                                 .url = source->url,
                                 .format = source->format,
                                 .match = source->match,
                                 .scope_all = source->scope == SCOPE_ALL,
                                 .local_data = source->local_data,
                                 .folders = named ? &source->folders : folders,
                                 .folders_named = named,
                                 .folders_white =
                                     named || strcmp(source->category, "education") == 0,
                                 .fd = fd};
}

struct build_source input_of(const struct sync_source *source, int fd)
{
    return input_make(source->config, &source->folders, fd);
}
