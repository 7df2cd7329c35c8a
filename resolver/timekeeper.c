// SPDX-License-Identifier: Apache-2.0
#include "timekeeper.h"

#include <sys/timex.h>

/* No clock that is right shows a time before this program was written. */
enum { BACK_S = 120 };
static const int64_t written_s = 1761955200; /* 2025-11-01 */

static bool kernel_is_synced(void)
{
    struct timex timex = {.modes = 0};
    int state = adjtimex(&timex);
    return state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC);
}

static enum doubt judge(const struct timekeeper *keeper, const struct moment *now, bool synced)
{
    if (now->wall_s < written_s) {
        return DOUBT_PAST;
    }
    if (keeper->wait_for_sync && !synced) {
        return DOUBT_SYNC;
    }
    bool back = keeper->looked && now->wall_s < keeper->expected_s - BACK_S;
    return back && !synced ? DOUBT_BACK : DOUBT_NONE;
}

struct moment timekeeper_look(struct timekeeper *keeper)
{
    bool synced = keeper->synced ? keeper->synced() : kernel_is_synced();
    struct moment now = {
        .wall_s = clock_wall_s(keeper->clock),
        .mono_s = clock_mono_us(keeper->clock) / 1000000,
    };
    keeper->expected_s += (int64_t)(now.mono_s - keeper->mono_s);
    keeper->mono_s = now.mono_s;
    keeper->doubt = judge(keeper, &now, synced);
    if (keeper->doubt != DOUBT_BACK) {
        keeper->expected_s = now.wall_s;
    }
    keeper->looked = true;
    now.trusted = keeper->doubt == DOUBT_NONE;
    return now;
}

void timekeeper_believe(struct timekeeper *keeper)
{
    keeper->looked = false;
}

const char *timekeeper_words(const struct timekeeper *keeper)
{
    switch (keeper->doubt) {
    case DOUBT_PAST:
        return "the clock shows a time long ago: all that schedules ever block is blocked until "
               "it is set";
    case DOUBT_SYNC:
        return "the clock is not synchronised (server.wait_for_sync): all that schedules ever "
               "block is blocked until it is";
    case DOUBT_BACK:
        return "the clock was set back: all that schedules ever block is blocked until it is "
               "synchronised, has caught up, or `greengate reload`";
    default: return "";
    }
}
