// SPDX-License-Identifier: Apache-2.0
#include "tools/inforce.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/generation.h"
#include "policy/snapshot.h"
#include "tools/identity.h"

/* Where the database lies, and of which generation it is. */
static int find_database(struct inforce *lists, char path[PATH_MAX], struct diag *diag)
{
    const char *state = lists->store.state_dir;
    if (lists->store.generation) {
        snprintf(path, PATH_MAX, "%s/generations/%06u.ggdb", state, lists->store.generation);
        return 0;
    }
    snapshot_lists_path(lists->config, path, PATH_MAX);
    int generation = generation_in_force(state);
    bool own = strncmp(path, state, strlen(state)) == 0;
    lists->store.generation = own && generation > 0 ? (unsigned)generation : 0;
    return path[0] ? 0
                   : diag_set(diag, -ENODATA,
                              "no list database is in force: `greengate update` makes one");
}

int inforce_fail_unknown(const char *state_dir, unsigned number, struct diag *diag)
{
    char kept[DIAG_TEXT_MAX / 2] = "";
    struct generation all[GENERATIONS_MAX];
    size_t len = 0;
    size_t count = generation_list(state_dir, all);
    if (count == 0) {
        return diag_set(diag, -ENOENT, "there is no generation yet: run `greengate update`");
    }
    if (number == 0) {
        return diag_set(diag, -ENOENT, "there is no older generation to go back to");
    }
    for (size_t i = 0; i < count && len < sizeof(kept); i++) {
        len +=
            (size_t)snprintf(kept + len, sizeof(kept) - len, "%s%u", i ? ", " : "", all[i].number);
    }
    return diag_set(diag, -ENOENT, "there is no generation %u; kept are %s", number, kept);
}

int inforce_may_read(const struct config *config, struct diag *diag)
{
    const char *folder = config->server.state_dir;
    if (access(folder, R_OK | X_OK) == 0 || errno != EACCES) {
        return 0;
    }
    return diag_set(diag, -EACCES, "%.200s: permission denied; use sudo, or be in its group",
                    folder);
}

int inforce_open(const char *config_path, unsigned generation, struct inforce *ret_lists,
                 struct diag *diag)
{
    char path[PATH_MAX];
    struct inforce *lists = ret_lists;
    *lists = (struct inforce){0};
    if (config_load(config_path, &lists->config, diag) < 0) {
        return -EINVAL;
    }
    lists->store = (struct textstore){.state_dir = lists->config->server.state_dir,
                                      .data_dir = lists->config->server.data_dir,
                                      .generation = generation,
                                      .config = lists->config};
    int err = identity_lower(lists->config, diag); /* strangers' bytes will be parsed */
    if (err < 0) {
        return err;
    }
    err = inforce_may_read(lists->config, diag);
    err = err < 0 ? err : find_database(lists, path, diag);
    err = err < 0 ? err : blockdb_open(path, &lists->db, diag);
    if (err == -ENOENT && generation) {
        diag_clear(diag);
        return inforce_fail_unknown(lists->store.state_dir, generation, diag);
    }
    return err;
}

void inforce_close(struct inforce *lists)
{
    textstore_clear(&lists->store);
    blockdb_close(lists->db);
    config_free(lists->config);
    *lists = (struct inforce){0};
}

int inforce_take(struct cli *cli, unsigned generation, struct inforce *ret_lists)
{
    struct diag diag = {0};
    int err = inforce_open(cli->config_path, generation, ret_lists, &diag);
    return err < 0 ? cli_fail_diag(cli, err == -EINVAL ? CLI_BAD_CONFIG : CLI_FAILED, &diag)
                   : CLI_DONE;
}
