// SPDX-License-Identifier: Apache-2.0
/* change: what `greengate lists` asks to have written to managed.yaml. */
#pragma once
#include "tools/cli.h"

struct config;

/* The sources and groups of one change, and what became of it. */
struct change {
    struct cli *cli;
    const struct config *config;
    cJSON *sources, *groups; /* objects of settings, by id and by name */
    cJSON *remove;           /* ids of sources */
    bool update;             /* --update: fetch and compile too */
    cJSON *reply;            /* with ok, file, daemon and note after change_apply() */
};

void change_init(struct change *change, struct cli *cli, const struct config *config);
void change_clear(struct change *change);

/* An empty change of the source with this id, to fill. */
cJSON *change_source(struct change *change, const char *id);

/* Have it written: by the daemon, or here when none answers. CLI_DONE; otherwise the
 * exit code, and what went wrong was said. */
int change_apply(struct change *change);

/* Whether managed.yaml holds the source; it may stand in other files too. */
bool change_is_managed(const struct config *config, size_t source);

/* Did a command add it, so that it stands there alone? */
bool change_is_added(const struct config *config, size_t source);

/* The index of a source; -ENOENT. */
int change_find(const struct config *config, const char *id);

/* End the command: print the reply with --json, after `greengate update` with `ids`
 * (NULL-terminated; NULL: what is due) if --update was given. */
int change_finish(struct change *change, char **ids);
