// SPDX-License-Identifier: Apache-2.0
/* loader: one or more YAML documents become one configuration. */
#pragma once
#include "config/config.h"
#include "config/yaml.h"

/* Merge the documents in order over the defaults and check the whole; files[i] is
 * the name of documents[i]. -EINVAL with *diag, -ENOMEM. */
struct loader_input {
    struct yaml_node *const *documents;
    char *const *files;
    size_t count;
    bool managed; /* the last one is managed.yaml: of lists.sources and groups alone, and
                   * what it says of an item that is no more does not count */
};
__attribute__((warn_unused_result)) int loader_merge(const struct loader_input *input,
                                                     struct config **ret_config, struct diag *diag);
