// SPDX-License-Identifier: Apache-2.0
#include "upstreams.h"

#include "policy/snapshot.h"

void upstreams_hand_out(struct daemon *daemon)
{
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        worker_plan(daemon->workers[i], upstream_plan_ref(daemon->plan));
    }
}

void upstreams_set(struct daemon *daemon, struct upstream_plan *plan)
{
    upstream_plan_unref(daemon->plan);
    daemon->plan = plan;
    daemon->system_mark = plan->system_mark;
    upstreams_hand_out(daemon);
}

void upstreams_refresh(struct daemon *daemon)
{
    struct upstream_plan *plan = NULL;
    if (!daemon->plan->follows_system || upstream_plan_system_mark() == daemon->system_mark) {
        return;
    }
    /* What fails now is tried again at the next change; the old plan stays in force. */
    daemon->system_mark = upstream_plan_system_mark();
    if (upstream_plan_new(policy_config_get(daemon->config), &plan, NULL) == 0) {
        upstreams_set(daemon, plan);
    }
}
