// SPDX-License-Identifier: Apache-2.0
#include "tools/pattern.h"

#include <string.h>

#include "policy/regex.h"
#include "policy/snapshot.h"

/* False when the list has no patterns in force. */
static bool measure(const struct config *config, const char *id, struct regex_cost *ret_cost)
{
    char path[4096];
    struct blockdb *db = NULL;
    int err = -1;
    snapshot_lists_path(config, path, sizeof(path));
    if (!path[0] || blockdb_open(path, &db, NULL) < 0) {
        return false;
    }
    for (unsigned i = 0; i < blockdb_info(db)->sources; i++) {
        if (strcmp(blockdb_source(db, i)->id, id) == 0) {
            err = regex_measure(db, i, ret_cost);
        }
    }
    blockdb_close(db);
    return err == 0 && ret_cost->patterns > 0;
}

void pattern_print_cost(struct cli *cli, const struct config *config, const char *id)
{
    struct regex_cost cost;
    if (measure(config, id, &cost)) {
        fprintf(cli->out, "%-12s %u in force, %.0f ns per query", "patterns", cost.patterns,
                cost.ns_per_name);
        if (cost.always) {
            fprintf(cli->out, "; %u of them %s tried with every name", cost.always,
                    cost.always == 1 ? "is" : "are");
        }
        fputc('\n', cli->out);
    }
}

void pattern_add_cost(cJSON *json, const struct config *config, const char *id)
{
    struct regex_cost cost = {0};
    bool some = measure(config, id, &cost);
    cJSON_AddNumberToObject(json, "patterns", some ? cost.patterns : 0);
    cJSON_AddNumberToObject(json, "patterns_always", some ? cost.always : 0);
    cJSON_AddNumberToObject(json, "patterns_ns",
                            some ? (double)(int64_t)(cost.ns_per_name + 0.5) : 0);
}
