// SPDX-License-Identifier: Apache-2.0
#include "blocklists/outcome.h"

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

/* The sources of an update under way. */
struct fresh {
    const struct sync_options *options;
    const struct sync_result *result;
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
    const struct fresh *fresh = arg;
    for (size_t i = 0; i < fresh->result->count; i++) {
        const struct sync_source *own = &fresh->result->sources[i];
        if (strcmp(own->config->id, source->id) == 0) {
            *ret_source = input_of(own, copy_open(fresh->options, own));
            ret_source->format = source->format;
            return ret_source->fd < 0 ? ret_source->fd : 0;
        }
    }
    return -ENOENT;
}

int outcome_compare(const struct sync_options *options, struct sync_result *result,
                    const char *compiled, struct diag *diag)
{
    const char *state_dir = options->config->server.state_dir;
    struct fresh fresh = {options, result};
    char path[PATH_MAX];
    struct blockdb *before = NULL;
    struct blockdb *after = NULL;
    int in_force = generation_in_force(state_dir);
    struct textstore store = {.state_dir = state_dir,
                              .data_dir = options->config->server.data_dir,
                              .generation = in_force > 0 ? (unsigned)in_force : 0,
                              .config = options->config};
    snprintf(path, sizeof(path), "%s/blocklist.ggdb", state_dir);
    if (blockdb_open(path, &before, NULL) < 0) {
        return 0;
    }
    int err = blockdb_open(compiled, &after, diag);
    if (err == 0) {
        const struct difference_side sides[] = {{before, open_kept, &store},
                                                {after, open_fresh, &fresh}};
        err = difference_run(&sides[0], &sides[1], SHOWN_NAMES, &result->difference);
    }
    textstore_clear(&store);
    blockdb_close(before);
    blockdb_close(after);
    return err;
}

void outcome_keep(const struct sync_options *options)
{
    const char *state_dir = options->config->server.state_dir;
    int in_force = generation_in_force(state_dir);
    const struct textstore store = {.state_dir = state_dir, .generation = (unsigned)in_force};
    if (options->config->lists.names && in_force > 0) {
        (void)!textstore_keep(&store);
    }
    textstore_prune(state_dir);
}

void outcome_clear(struct sync_result *result)
{
    difference_free(result->difference);
    result->difference = NULL;
}
