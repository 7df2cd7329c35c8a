// SPDX-License-Identifier: Apache-2.0
/* timekeeper: what time it is, and whether that can be believed.
 *
 * A router without a clock of its own starts years ago; a clock set back would open what
 * is closed now. While it is in doubt, schedules take their safe side. */
#pragma once
#include "base/clock.h"
#include "policy/decide.h"

#include <stdbool.h>

enum doubt { DOUBT_NONE, DOUBT_PAST, DOUBT_SYNC, DOUBT_BACK };

struct timekeeper {
    const struct clock *clock;
    bool (*synced)(void); /* NULL: the kernel is asked */
    bool wait_for_sync;
    enum doubt doubt;
    bool looked;
    int64_t expected_s; /* the wall clock, had it run evenly, */
    uint64_t mono_s;    /* at this monotonic time */
};

/* The moment now; sets doubt. */
struct moment timekeeper_look(struct timekeeper *keeper);

/* What an administrator said anew, by a reload, is the time. */
void timekeeper_believe(struct timekeeper *keeper);

/* "" without doubt. */
const char *timekeeper_words(const struct timekeeper *keeper);
