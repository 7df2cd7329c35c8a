// SPDX-License-Identifier: Apache-2.0
#include "blocklists/preview.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "blocklists/copy.h"
#include "blocklists/difference.h"
#include "blocklists/generation.h"
#include "blocklists/input.h"
#include "blocklists/textstore.h"

enum { SHOWN_NAMES = 20 };

struct preview {
    const struct judge *judge;
    struct sync_result *result;
};

static int open_kept(void *arg, const struct blockdb_source *source,
                     struct build_source *ret_source)
{
    return textstore_open(arg, source, ret_source);
}

/* The text that a source was compiled from just now. */
static int open_fresh(void *arg, const struct blockdb_source *source,
                      struct build_source *ret_source)
{
    const struct preview *preview = arg;
    for (size_t i = 0; i < preview->result->count; i++) {
        const struct sync_source *own = &preview->result->sources[i];
        if (strcmp(own->config->id, source->id) == 0) {
            *ret_source = input_of(own, copy_open(preview->judge->options, own));
            ret_source->format = source->format;
            return ret_source->fd < 0 ? ret_source->fd : 0;
        }
    }
    return -ENOENT;
}

static int compare(struct preview *preview, struct textstore *store, const struct blockdb *before,
                   const struct blockdb *after)
{
    struct sync_result *result = preview->result;
    const struct difference_side sides[] = {{before, open_kept, store},
                                            {after, open_fresh, preview}};
    int err = difference_run(&sides[0], &sides[1], SHOWN_NAMES, &result->difference);
    return err < 0 ? err : newly_find(preview->judge, before, after, &result->newly);
}

int preview_make(const struct judge *judge, struct sync_result *result, const char *path,
                 struct diag *diag)
{
    const struct config *config = judge->options->config;
    const char *state_dir = config->server.state_dir;
    char link[PATH_MAX];
    struct blockdb *before = NULL;
    struct blockdb *after = NULL;
    struct preview preview = {judge, result};
    int in_force = generation_in_force(state_dir);
    struct textstore store = {.state_dir = state_dir,
                              .data_dir = config->server.data_dir,
                              .generation = in_force > 0 ? (unsigned)in_force : 0,
                              .config = config};
    snprintf(link, sizeof(link), "%s/blocklist.ggdb", state_dir);
    if (blockdb_open(link, &before, NULL) < 0) {
        return 0;
    }
    int err = blockdb_open(path, &after, diag);
    if (err == 0) {
        err = compare(&preview, &store, before, after);
    }
    textstore_clear(&store);
    blockdb_close(before);
    blockdb_close(after);
    return err;
}

void preview_clear(struct sync_result *result)
{
    difference_free(result->difference);
    newly_clear(&result->newly);
}
