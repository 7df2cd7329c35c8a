// SPDX-License-Identifier: Apache-2.0
/* identity: the certificate that DoT clients are shown, from file to workers. */
#pragma once
#include "daemon.h"

/* Can what dns.tls_listen asks for be loaded? -EINVAL and what the file system says. */
__attribute__((warn_unused_result)) int identity_check(const struct daemon *daemon,
                                                       struct diag *diag);

/* Load it, when it is wanted; at first before root is given up. What cannot be used
 * leaves the old one in force, or DoT out, and daemon->identity_error says why. */
void identity_load(struct daemon *daemon);

/* Give it to all workers. */
void identity_hand_out(struct daemon *daemon);

/* Load again when its files have changed, or could not be used the last time. */
void identity_refresh(struct daemon *daemon);
