// SPDX-License-Identifier: Apache-2.0
/* value: one YAML value into the field that a setting names. */
#pragma once
#include "config/setting.h"
#include "config/yaml.h"

/* Where complaints go; file names the document that the nodes come from. */
struct complaint {
    const char *file;
    struct diag *diag;
};

/* Say what is wrong at a node; returns -EINVAL. */
int complain(const struct complaint *to, const struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Replace the field's value. -EINVAL with the diag when type, bounds or shape are
 * wrong, the field unchanged; -ENOMEM. */
__attribute__((warn_unused_result)) int value_set(const struct setting *row, void *object,
                                                  const struct yaml_node *node,
                                                  const struct complaint *to);
