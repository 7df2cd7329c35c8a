// SPDX-License-Identifier: Apache-2.0
/* asset: the dashboard's files, read once from data_dir/dashboard.
 *
 * They are told by name, so that no path ever reaches the file system. Each stands there packed
 * (.gz) too, as the build made it. */
#pragma once
#include "base/diag.h"
#include "web/exchange.h"

struct asset_store;

/* -ENOENT with *diag: a file is missing. -ENOMEM. */
__attribute__((warn_unused_result)) int
asset_load(const char *data_dir, struct asset_store **ret_store, struct diag *diag);
void asset_free(struct asset_store *store); /* accepts NULL */

/* Answer with the file of a path; false: there is none. NULL is an empty store. */
bool asset_serve(const struct asset_store *store, struct exchange *exchange);
