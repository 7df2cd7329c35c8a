// SPDX-License-Identifier: Apache-2.0
/* intake: configuration, lists and local rules as they come from files.
 *
 * At the start what is damaged gives way, and daemon->*_error says why: DNS is answered
 * all the same. A reload is strict, since it has an old state to fall back on. */
#pragma once
#include "daemon.h"

/* The configuration with what commands changed in it. What config_load() says; -EACCES
 * when managed.yaml is there and cannot be seen. */
__attribute__((warn_unused_result)) int
intake_config(const struct daemon *daemon, struct policy_config **ret_config, struct diag *diag);

/* At the start commands' mistakes give way to the administrator's files. */
__attribute__((warn_unused_result)) int intake_first_config(struct daemon *daemon,
                                                            struct diag *diag);

/* The database in force, else an older one, the starter list, none. -ENOMEM. */
__attribute__((warn_unused_result)) int intake_first_lists(struct daemon *daemon);

/* rules.yaml, or no rules when it cannot be used. */
void intake_first_rules(struct daemon *daemon);
