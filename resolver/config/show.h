// SPDX-License-Identifier: Apache-2.0
/* show: a configuration as YAML that loads again to an equal one, and the settings
 * as a page of the manual. */
#pragma once
#include "config/config.h"

#include <stdio.h>

struct show_options {
    bool origin;      /* behind each value where it comes from: "# file:line", "# default" */
    bool differences; /* only what differs from the defaults */
};

/* Print to out; its error flag tells whether all was written. -ENOMEM. */
__attribute__((warn_unused_result)) int config_show(const struct config *config,
                                                    const struct show_options *options, FILE *out);

/* docs/settings.md: a table of keys per section, made from settings.def. -ENOMEM. */
__attribute__((warn_unused_result)) int config_document(FILE *out);

/* greengate.yaml(5): the same as a page of the manual. -ENOMEM. */
__attribute__((warn_unused_result)) int config_manual(FILE *out);

/* Whether the sources, or the groups, are not those of an empty file. */
bool show_differs_sources(const struct config *config, const struct config *defaults);
bool show_differs_groups(const struct config *config, const struct config *defaults);
