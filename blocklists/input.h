// SPDX-License-Identifier: Apache-2.0
/* input: a configured source as the compiler takes it. */
#pragma once
#include "blocklists/build.h"
#include "blocklists/sync.h"

/* Which folders of an archive belong to the source. -EINVAL with *diag, -ENOMEM. */
__attribute__((warn_unused_result)) int
input_prepare(const struct config *config, struct sync_source *source, struct diag *diag);
void input_clear(struct sync_source *source);

struct build_source input_of(const struct sync_source *source, int fd);

/* The parts of these: the folders of a category, to be cleared by folders_clear(), and a
 * source with them. */
__attribute__((warn_unused_result)) int input_folders(const char *data_dir,
                                                      const struct config_source *source,
                                                      struct text_list *ret_folders,
                                                      struct diag *diag);
struct build_source input_make(const struct config_source *source, const struct text_list *folders,
                               int fd);
