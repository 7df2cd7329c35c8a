// SPDX-License-Identifier: Apache-2.0
/* catalogjson: categories, services and public lists as JSON, for those who choose among them. */
#pragma once
#include "web/site.h"

/* *ret_text is a new string. -ENOENT, -EINVAL with *diag, -ENOMEM. */
__attribute__((warn_unused_result)) int catalogjson_make(const struct site *site, char **ret_text,
                                                         struct diag *diag);
