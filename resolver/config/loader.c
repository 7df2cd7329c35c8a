// SPDX-License-Identifier: Apache-2.0
#include "config/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/checker.h"
#include "config/items.h"
#include "config/origins.h"
#include "config/value.h"

/* As many groups as the statistics can tell apart, with some to spare there. */
enum { SOURCES_MAX = 1000, GROUPS_MAX = 250 };

static const char default_group[] = "everyone";
static const char *const default_block[] = {
    "adult",    "deepfake", "violence", "self-harm", "drugs", "weapons",
    "gambling", "hate",     "malware",  "phishing",  "scam",  "bypass",
};

struct loading {
    struct config *config;
    struct item_list sources, groups;
    struct complaint to;
    bool managed; /* the document is managed.yaml */
};

static bool is_empty(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && !*node->text && !node->quoted;
}

static const struct setting *find_row(const char *section, const char *key)
{
    for (size_t i = 0; i < setting_config.count; i++) {
        const struct setting *row = &setting_config.rows[i];
        bool wanted = key ? setting_has_value(row) : row->kind == SETTING_SECTION;
        if (wanted && strcmp(row->section, section) == 0 && (!key || strcmp(row->key, key) == 0)) {
            return row;
        }
    }
    return NULL;
}

static int add_default_group(struct loading *load)
{
    int err = item_list_add(&load->groups, default_group);
    if (err < 0) {
        return err;
    }
    struct config_group *group = (struct config_group *)load->groups.items;
    for (size_t i = 0; i < sizeof(default_block) / sizeof(default_block[0]) && err == 0; i++) {
        err = text_list_add(&group->block, default_block[i], strlen(default_block[i]));
    }
    return err;
}

static int check_managed(const struct loading *load, const struct yaml_node *node)
{
    bool allowed = strcmp(node->key, "lists") == 0 || strcmp(node->key, "groups") == 0 ||
                   strcmp(node->key, "sources") == 0;
    return allowed
               ? 0
               : complain(&load->to, node,
                          "%.40s: only lists.sources and groups can stand in this file", node->key);
}

static int load_value(struct loading *load, const char *section, const struct yaml_node *node)
{
    int wrong = load->managed ? check_managed(load, node) : 0;
    if (wrong < 0) {
        return wrong;
    }
    if (strcmp(section, "lists") == 0 && strcmp(node->key, "sources") == 0) {
        return item_list_merge(&load->sources, node, &load->to);
    }
    const struct setting *row = find_row(section, node->key);
    if (!row) {
        return items_unknown_key(&setting_config, section, node, &load->to);
    }
    int err = value_set(row, load->config, node, &load->to);
    if (err == 0) {
        load->config->origins->settings[row - setting_config.rows] =
            (struct origin){load->to.file, node->line, node->column, node};
    }
    return err;
}

static int load_section(struct loading *load, const struct yaml_node *section)
{
    int wrong = load->managed ? check_managed(load, section) : 0;
    if (wrong < 0) {
        return wrong;
    }
    if (strcmp(section->key, "groups") == 0) {
        return item_list_merge(&load->groups, section, &load->to);
    }
    if (!find_row(section->key, NULL)) {
        return items_unknown_key(&setting_config, NULL, section, &load->to);
    }
    if (is_empty(section)) {
        return 0; /* a heading whose keys are all commented out */
    }
    if (section->kind != YAML_MAP) {
        return complain(&load->to, section, "%s: expected a map of keys", section->key);
    }
    int err = 0;
    for (const struct yaml_node *node = section->first; node && err == 0; node = node->next) {
        err = load_value(load, section->key, node);
    }
    return err;
}

static int load_document(struct loading *load, const struct yaml_node *root)
{
    if (root->kind != YAML_MAP) {
        return complain(&load->to, root, "expected a map of sections (server, dns, ...)");
    }
    int err = 0;
    for (const struct yaml_node *node = root->first; node && err == 0; node = node->next) {
        err = load_section(load, node);
    }
    return err;
}

/* Hand items and their origins over to the configuration. */
static void settle_items(struct loading *load)
{
    struct config *config = load->config;
    config->sources = (struct config_source *)load->sources.items;
    config->source_count = load->sources.count;
    config->origins->sources = load->sources.origins;
    config->origins->source_count = load->sources.count;
    config->groups = (struct config_group *)load->groups.items;
    config->group_count = load->groups.count;
    config->origins->groups = load->groups.origins;
    config->origins->group_count = load->groups.count;
    load->sources = (struct item_list){.table = &setting_source};
    load->groups = (struct item_list){.table = &setting_group};
}

/* Its items override those before it; what overrides nothing any more is left out, so
 * that the administrator may take a list or a group away. */
static int begin_managed(struct loading *load)
{
    load->managed = true;
    load->sources.whole_key = "url";
    load->groups.whole_key = "clients";
    return load->groups.count == 0 ? add_default_group(load) : 0;
}

static int load_all(struct loading *load, const struct loader_input *input)
{
    struct config *config = load->config;
    config->origins = origins_new();
    int err = config->origins ? setting_init(&setting_config, config) : -ENOMEM;
    for (size_t i = 0; i < input->count && err == 0; i++) {
        load->to.file = origins_add_file(config->origins, input->files[i]);
        err = load->to.file ? 0 : -ENOMEM;
        if (err == 0 && input->managed && i + 1 == input->count) {
            err = begin_managed(load);
        }
        err = err == 0 ? load_document(load, input->documents[i]) : err;
    }
    if (err == 0 && load->groups.count == 0) {
        err = add_default_group(load);
    }
    if (err == 0) {
        settle_items(load);
        err = checker_check(config, load->to.diag);
        origins_drop_nodes(config->origins);
    }
    return err;
}

int loader_merge(const struct loader_input *input, struct config **ret_config, struct diag *diag)
{
    struct loading load = {
        .config = calloc(1, sizeof(*load.config)),
        .sources = {.table = &setting_source, .word = "source", .max = SOURCES_MAX},
        .groups = {.table = &setting_group,
                   .word = "group",
                   .max = GROUPS_MAX,
                   .last_catches = true},
        .to = {.diag = diag},
    };
    if (!load.config) {
        return -ENOMEM;
    }
    int err = load_all(&load, input);
    item_list_clear(&load.sources);
    item_list_clear(&load.groups);
    if (err < 0) {
        config_free(load.config);
        return err;
    }
    *ret_config = load.config;
    return 0;
}
