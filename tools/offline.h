// SPDX-License-Identifier: Apache-2.0
/* offline: what the daemon would load, without it. */
#pragma once
#include "policy/snapshot.h"
#include "store/rulefile.h"
#include "tools/cli.h"

struct offline {
    struct snapshot_parts parts;
    struct rule_list rule_list;
    struct snapshot *snapshot;
    int64_t at; /* when it is judged */
};

/* Configuration, lists, rules and places into files->snapshot, for files->at; unload it in
 * any case. The errors of what is loaded, with *diag. */
__attribute__((warn_unused_result)) int offline_load(struct cli *cli, struct offline *files,
                                                     struct diag *diag);

/* Can rules.yaml be used? What rulefile_load() says, -ELOOP; a file that we may not read is
 * not judged. */
__attribute__((warn_unused_result)) int offline_check_rules(const struct config *config,
                                                            struct diag *diag);
/* So with the certificate and key of DNS over TLS. */
__attribute__((warn_unused_result)) int offline_check_certificate(const struct config *config,
                                                                  struct diag *diag);

/* What a start would do without, and addresses of the dashboard that are not served; the
 * configuration is valid all the same. */
cJSON *offline_warnings(const struct config *config);

void offline_unload(struct offline *files);
