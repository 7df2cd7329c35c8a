// SPDX-License-Identifier: Apache-2.0
/* catalog: the ways of `greengate lists` that know the catalogue or change what is
 * configured. */
#pragma once
#include "config/listcatalog.h"
#include "tools/cli.h"

/* lists catalog [--category C], lists catalog show ID. */
int lists_catalog(struct cli *cli, int argc, char **argv);
/* lists presets. */
int lists_presets(struct cli *cli, int argc, char **argv);
/* lists add ID, lists add ID --url U --category C, lists add --preset NAME. */
int lists_add(struct cli *cli, int argc, char **argv);
/* lists remove ID, lists enable ID, lists disable ID. */
int lists_remove(struct cli *cli, int argc, char **argv);
int lists_enable(struct cli *cli, int argc, char **argv);
int lists_disable(struct cli *cli, int argc, char **argv);

/* What most of them begin with: the configuration, and the catalogue of its data_dir.
 * CLI_DONE with both for the caller to free, else the exit code after saying why. */
struct lists_world {
    struct config *config;
    struct listcatalog *catalog;
};
int lists_open(struct cli *cli, struct lists_world *world);
void lists_close(struct lists_world *world);

/* Say on stderr that managed.yaml could not be looked into, if so. */
void lists_warn_hidden(struct cli *cli, const struct config *config);

/* The address that the catalogue has now for a list that was added from it, when that is
 * another one; NULL. */
const char *lists_moved(const struct listcatalog *catalog, const struct config *config,
                        size_t source);
