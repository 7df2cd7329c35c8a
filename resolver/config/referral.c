// SPDX-License-Identifier: Apache-2.0
/* What catalog_check_config() asks; a configuration alone cannot tell. */
#include "config/catalog.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>

#include "config/nearest.h"
#include "config/origins.h"

struct checking {
    const struct config *config;
    const struct catalog *catalog;
    struct diag *diag;
};

/* `where` begins the sentence. A configuration that was not loaded has no origins. */
static int check_category(const struct checking *check, const char *id, const char *where,
                          const struct origin *place)
{
    char hint[DIAG_TEXT_MAX];
    struct nearest nearest;
    if (catalog_find(check->catalog, id)) {
        return 0;
    }
    nearest_init(&nearest, id);
    size_t len = (size_t)snprintf(hint, sizeof(hint), "known:");
    for (size_t i = 0; i < check->catalog->category_count && len < sizeof(hint); i++) {
        const char *known = check->catalog->categories[i].id;
        nearest_offer(&nearest, known);
        len += (size_t)snprintf(hint + len, sizeof(hint) - len, "%s %s", i ? "," : "", known);
    }
    if (nearest.best) {
        snprintf(hint, sizeof(hint), "did you mean '%.40s'?", nearest.best);
    }
    diag_at(check->diag, place->file, place->line, place->column);
    return diag_set(check->diag, -EINVAL, "%s '%s', which is no category; %s", where, id, hint);
}

static int check_group(const struct checking *check, size_t group)
{
    char where[128];
    const struct config *config = check->config;
    const struct text_list *block = &config->groups[group].block;
    snprintf(where, sizeof(where), "group '%.64s' blocks", config->groups[group].name);
    int err = 0;
    for (size_t i = 0; i < block->count && err == 0; i++) {
        struct origin place = {0};
        if (config->origins) {
            const struct setting *row = origins_row(&setting_group, "block");
            place = origins_item(config, origins_find(config, &setting_group, group, row), i);
        }
        err = check_category(check, block->items[i], where, &place);
    }
    return err;
}

static int check_source(const struct checking *check, size_t source)
{
    char where[128];
    struct origin place = {0};
    const struct config *config = check->config;
    snprintf(where, sizeof(where), "source '%.64s' has category", config->sources[source].id);
    if (config->origins) {
        const struct setting *row = origins_row(&setting_source, "category");
        place = *origins_find(config, &setting_source, source, row);
    }
    return check_category(check, config->sources[source].category, where, &place);
}

static int check_user(const struct config *config, struct diag *diag)
{
    struct origin place = {0};
    const char *user = config->server.user;
    if (!user || !*user || getpwnam(user)) {
        return 0;
    }
    if (config->origins) {
        place = *origins_find_key(config, "server", "user");
    }
    diag_at(diag, place.file, place.line, place.column);
    return diag_set(diag, -EINVAL, "server.user: there is no user '%.64s'", user);
}

int catalog_check_config(const struct config *config, const struct catalog *catalog,
                         struct diag *diag)
{
    const struct checking check = {config, catalog, diag};
    int err = 0;
    for (size_t i = 0; i < config->group_count && err == 0; i++) {
        err = check_group(&check, i);
    }
    for (size_t i = 0; i < config->source_count && err == 0; i++) {
        err = check_source(&check, i);
    }
    return err == 0 ? check_user(config, diag) : err;
}

int catalog_check_own(const struct config *config, struct diag *diag)
{
    struct catalog *catalog = NULL;
    int err = catalog_load(config->server.data_dir, &catalog, diag);
    if (err == 0) {
        err = catalog_check_config(config, catalog, diag);
    }
    catalog_free(catalog);
    return err;
}
