// SPDX-License-Identifier: Apache-2.0
/* upstreams: hands the plan of upstream servers to the workers, again when resolv.conf
 * changes. */
#pragma once
#include "daemon.h"
#include "upstream/plan.h"

/* Give every worker the plan in force. */
void upstreams_hand_out(struct daemon *daemon);

/* Put a plan in force, whose reference is taken over. */
void upstreams_set(struct daemon *daemon, struct upstream_plan *plan);

/* Make the plan anew when it depends on resolv.conf and that has changed. */
void upstreams_refresh(struct daemon *daemon);
