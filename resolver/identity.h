// SPDX-License-Identifier: Apache-2.0
/* identity: the certificate that DoT clients are shown, from file to workers. */
#pragma once
#include "daemon.h"

/* Before root is given up: load it when dns.tls_listen asks for it. */
__attribute__((warn_unused_result)) int identity_load(struct daemon *daemon, struct diag *diag);

/* Give it to all workers. */
void identity_hand_out(struct daemon *daemon);

/* Load again when its files have changed. What cannot be used leaves the old one in
 * force and daemon->identity_error says why. */
void identity_refresh(struct daemon *daemon);
