// SPDX-License-Identifier: Apache-2.0
/* inforce: the database in force, or a kept one, and where its lists' texts are. */
#pragma once
#include "blocklists/textstore.h"
#include "config/config.h"
#include "tools/cli.h"

struct inforce {
    struct config *config;
    struct blockdb *db;
    struct textstore store;
};

/* The generation with that number; 0: what is in force, the starter list perhaps.
 * -EINVAL: the configuration; -EACCES; -ENODATA: none is in force; or the errors of
 * blockdb_open(); with *diag. Close it in any case. */
__attribute__((warn_unused_result)) int inforce_open(const char *config_path, unsigned generation,
                                                     struct inforce *ret_lists, struct diag *diag);
void inforce_close(struct inforce *lists);

/* The same for a command: CLI_DONE, or the exit code after saying what is wrong. */
int inforce_take(struct cli *cli, unsigned generation, struct inforce *ret_lists);

/* Whether state_dir may be looked into: 0, also when there is none; -EACCES with *diag. */
__attribute__((warn_unused_result)) int inforce_may_read(const struct config *config,
                                                         struct diag *diag);

/* Say that no generation has that number (0: that there is no older one), and which are kept;
 * -ENOENT. */
int inforce_fail_unknown(const char *state_dir, unsigned number, struct diag *diag);
