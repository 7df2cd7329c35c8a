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
