// SPDX-License-Identifier: Apache-2.0
/* config: the settings in force, read from YAML and checked.
 *
 * A struct config is immutable once loaded. Every key has a default, an empty file
 * works, and whatever is wrong is said with file, line and column. */
#pragma once
#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>

struct text_list {
    char **items; /* owned, each NUL-terminated */
    size_t count;
};

enum block_mode { MODE_PAGE, MODE_NXDOMAIN, MODE_NODATA, MODE_ZERO, MODE_REFUSED, MODE_UNSET = -1 };
enum list_format {
    FORMAT_AUTO,
    FORMAT_HOSTS,
    FORMAT_DOMAINS,
    FORMAT_ADBLOCK,
    FORMAT_DNSMASQ,
    FORMAT_UNBOUND,
    FORMAT_BIND,
    FORMAT_DNSCRYPT,
    FORMAT_RPZ,
    FORMAT_UT1,
    FORMAT_ADDRESSES,
    FORMAT_REGEX
};
enum list_match { MATCH_AUTO, MATCH_EXACT, MATCH_SUBTREE };
enum upstream_strategy { STRATEGY_FASTEST, STRATEGY_ORDERED, STRATEGY_PARALLEL };
enum list_scope { SCOPE_OWN, SCOPE_ALL };
enum stats_privacy { PRIVACY_COUNTERS, PRIVACY_DOMAINS };
enum youtube_level { YOUTUBE_OFF, YOUTUBE_MODERATE, YOUTUBE_STRICT };
enum unsafe_search { UNSAFE_ALLOW, UNSAFE_BLOCK };

#define SOURCE
#define SOURCE_TEXT(key, def, check, help)   char *key;
#define SOURCE_CHOICE(key, def, set, help)   int key;
#define SOURCE_FLAG(key, def, help)          bool key;
#define SOURCE_INT(key, def, min, max, help) int64_t key;
#define SOURCE_LIST(key, def, check, help)   struct text_list key;
struct config_source {
#include "config/settings.def"
};
#undef SOURCE
#undef SOURCE_TEXT
#undef SOURCE_CHOICE
#undef SOURCE_FLAG
#undef SOURCE_INT
#undef SOURCE_LIST

#define GROUP
#define GROUP_TEXT(key, def, check, help)   char *key;
#define GROUP_LIST(key, def, check, help)   struct text_list key;
#define GROUP_CHOICE(key, def, set, help)   int key;
#define GROUP_FLAG(key, def, help)          bool key;
#define GROUP_PAIRS(key, keys, check, help) struct text_list key;
#define GROUP_MAPS(key, keys, check, help)  struct text_list key;
struct config_group {
#include "config/settings.def"
};
#undef GROUP
#undef GROUP_TEXT
#undef GROUP_LIST
#undef GROUP_CHOICE
#undef GROUP_FLAG
#undef GROUP_PAIRS
#undef GROUP_MAPS

#define SECTION(name, help) struct {
#define SECTION_END(name)                                                                          \
    }                                                                                              \
    name;
#define INT(section, key, def, min, max, help) int64_t key;
#define FLAG(section, key, def, help)          bool key;
#define TEXT(section, key, def, check, help)   char *key;
#define CHOICE(section, key, def, set, help)   int key;
#define LIST(section, key, def, check, help)   struct text_list key;
#define PAIRS(section, key, keys, check, help) struct text_list key;
#define MAPS(section, key, keys, check, help)  struct text_list key;
struct config {
#include "config/settings.def"
    struct config_source *sources; /* lists.sources, in order */
    size_t source_count;
    struct config_group *groups; /* at least one; the last has no clients */
    size_t group_count;
    struct config_origins *origins; /* where each value comes from; opaque */
    bool managed_hidden;            /* there may be a managed.yaml, which we may not read */
};
#undef SECTION
#undef SECTION_END
#undef INT
#undef FLAG
#undef TEXT
#undef CHOICE
#undef LIST
#undef PAIRS
#undef MAPS

/* Read path, then the *.yaml of the folder conf.d beside it, in name order, and at last
 * state_dir/managed.yaml: maps merge by key, sources by id, groups by name, new groups
 * before the catch-all.
 * -ENOENT: path does not exist; -EINVAL: something in it is wrong; -EACCES and the
 * like: it cannot be read. *diag says what, where, and the nearest known key. *ret_config is untouched on failure. */
__attribute__((warn_unused_result)) int config_load(const char *path, struct config **ret_config,
                                                    struct diag *diag);

/* The same with `managed` as the text of state_dir/managed.yaml; NULL: without it, as
 * the administrator's files alone say. */
struct yaml_text;
__attribute__((warn_unused_result)) int config_load_with(const char *path,
                                                         const struct yaml_text *managed,
                                                         struct config **ret_config,
                                                         struct diag *diag);

/* The same from memory, without conf.d. */
__attribute__((warn_unused_result)) int config_parse(const struct yaml_text *text,
                                                     struct config **ret_config, struct diag *diag);

/* The defaults alone, as an empty file gives them. NULL only without memory. */
struct config *config_new(void);

void config_free(struct config *config);

/* The word of a choice ("page"), for CHOICES sets "block_mode" and so on; "" when
 * the value is none of the set's, as MODE_UNSET. */
const char *config_word(const char *set, int value);
